"""An OpenID provider: signing keys, tokens, and the two documents about them over HTTPS."""
import base64
import json
import socket
import ssl
import threading
import time

from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from .net import SERVER4
from .shell import netns_socket

HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
CURVES = {"256": ec.SECP256R1(), "384": ec.SECP384R1(), "512": ec.SECP521R1()}
CRV = {"256": "P-256", "384": "P-384", "512": "P-521"}
ISSUER, AUDIENCE = "https://idp.example", "vpn"


def b64(data):
    """Base64 as tokens have it; takes bytes or something for JSON."""
    if not isinstance(data, bytes):
        data = json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """One signing key; ALG says of which type."""

    def __init__(self, kid, alg="ES256", bits=2048):
        self.kid, self.alg, self.size = kid, alg, alg[2:]
        if alg.startswith("ES"):
            self.private = ec.generate_private_key(CURVES[self.size])
        else:
            self.private = rsa.generate_private_key(65537, bits)

    def jwk(self):
        """The public half as a provider publishes it."""
        public = self.private.public_key().public_numbers()
        jwk = {"kid": self.kid, "alg": self.alg, "use": "sig", "x5c": ["not looked at"]}
        if self.alg.startswith("ES"):
            length = (self.private.key_size + 7) // 8
            jwk.update(kty="EC", crv=CRV[self.size], x=b64(public.x.to_bytes(length, "big")),
                       y=b64(public.y.to_bytes(length, "big")))
        else:
            jwk.update(kty="RSA", n=b64(public.n.to_bytes((public.n.bit_length() + 7) // 8, "big")), e="AQAB")
        return jwk

    def pem(self):
        """The public half as text: what an attacker would use as a password for HS256."""
        return self.private.public_key().public_bytes(serialization.Encoding.PEM,
                                                      serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, data):
        digest = HASHES[self.size]
        if self.alg.startswith("ES"):
            length = (self.private.key_size + 7) // 8
            return b"".join(number.to_bytes(length, "big") for number in
                            utils.decode_dss_signature(self.private.sign(data, ec.ECDSA(digest))))
        if self.alg.startswith("PS"):
            return self.private.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        return self.private.sign(data, padding.PKCS1v15(), digest)


def claims(**changes):
    """Good claims for user test; a change to None takes one away."""
    now = int(time.time())
    out = dict(iss=ISSUER, aud=AUDIENCE, nbf=now - 10, iat=now - 10, exp=now + 300, preferred_username="test")
    out.update(changes)
    return {name: value for name, value in out.items() if value is not None}


def token(key, header=None, body=None, **changes):
    """A signed token; HEADER changes the header, BODY replaces the claims, CHANGES change them."""
    head = dict(typ="JWT", alg=key.alg, kid=key.kid)
    head.update(header or {})
    head = {name: value for name, value in head.items() if value is not None}
    signed = "%s.%s" % (b64(head), b64(claims(**changes) if body is None else body))
    return "%s.%s" % (signed, b64(key.sign(signed.encode())))


def hmac_token(key, secret):
    """A token that is signed with SECRET as an HS256 password but names KEY."""
    signed = "%s.%s" % (b64(dict(typ="JWT", alg="HS256", kid=key.kid)), b64(claims()))
    mac = hmac.HMAC(secret, hashes.SHA256())
    mac.update(signed.encode())
    return "%s.%s" % (signed, b64(mac.finalize()))


class Provider:
    """Serves the documents on PORT in the server's namespace, with the run's certificate.
    `mode` may be "serve", "hang" (connections are taken and nothing is said) or a status such as "500"."""

    def __init__(self, test, keys, port=8443, start=True):
        self.test, self.keys, self.port, self.mode = test, keys, port, "serve"
        self.requests, self.listener, self.held = [], None, []
        self.url = "https://%s:%d" % (SERVER4, port)
        self.discovery = {"issuer": ISSUER, "jwks_uri": self.url + "/jwks"}
        self.dir = test.new_dir("oidc")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(test.pki.cert, test.pki.key)
        test.closables.append(self)
        if start:
            self.start()

    def conf(self, name="oidc.json", **changes):
        """Writes the server's JSON file about this provider; gives the auth line's value."""
        options = dict(openid_configuration_url=self.url + "/.well-known/openid-configuration",
                       user_name_claim="preferred_username", minimum_jwk_refresh_time=0,
                       required_claims=dict(iss=ISSUER, aud=AUDIENCE), ca_file=self.test.pki.ca_cert)
        options.update(changes)
        path = "%s/%s" % (self.dir, name)
        with open(path, "w") as out:
            json.dump({key: value for key, value in options.items() if value is not None}, out)
        return '"oidc[config=%s]"' % path

    def start(self):
        self.listener = netns_socket(self.test.net.srv)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("0.0.0.0", self.port))
        self.listener.listen(64)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def close(self):
        if self.listener:
            # Wakes the thread that waits in accept, too.
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        for held in self.held:
            held.close()
        self.held = []

    def _accept(self, listener):
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            if self.mode == "hang":
                self.held.append(client)
            else:
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        client.settimeout(10)
        try:
            with self.context.wrap_socket(client, server_side=True) as tls:
                request = tls.makefile("rb").readline().decode().split(" ")
                if len(request) < 3:
                    return  # it did not like our certificate
                path = request[1]
                self.requests.append(path)
                document = self.discovery if "well-known" in path else {"keys": [key.jwk() for key in self.keys]}
                body = json.dumps(document).encode()
                status = "200 OK" if self.mode == "serve" else self.mode + " No"
                tls.sendall(b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
                            b"Connection: close\r\n\r\n%s" % (status.encode(), len(body), body))
        except OSError:
            pass  # the other side has seen enough
