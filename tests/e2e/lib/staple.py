"""Authorities, certificates and OCSP responses with dates and key usages of the test's choice."""
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(1)


def now():
    return datetime.datetime.utcnow().replace(microsecond=0)


def new_key(kind):
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    return ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else ec.generate_private_key(ec.SECP256R1())


def name_of(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """Issues into DIRECTORY; an intermediate of ISSUER if there is one."""

    def __init__(self, directory, name="test CA", issuer=None):
        self.dir, self.key, self.n = directory, new_key("ecdsa"), 0
        self.issuer = issuer
        self.name = name_of(name)
        signer = issuer or self
        self.cert = self._sign(signer, self.name, self.key.public_key(), now() - DAY, now() + 30 * DAY,
                               [x509.BasicConstraints(True, None)])

    @staticmethod
    def _sign(signer, name, key, begin, end, extensions):
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(signer.name).public_key(key) \
            .serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(signer.key, hashes.SHA256())

    def issue(self, kind="ecdsa", name="server", begin=-1, end=60, encipherment=True, label=None, key=None, aliases=()):
        """Gives certificate (an object) and the paths of certificate and key; dates in days from now."""
        self.n += 1
        key = key or new_key(kind)
        usage = x509.KeyUsage(True, False, encipherment, False, False, False, False, False, False)
        cert = self._sign(self, name_of(name), key.public_key(), now() + begin * DAY, now() + end * DAY,
                          [x509.SubjectAlternativeName([x509.DNSName(n) for n in (name, *aliases)]), usage])
        label = label or "%s%d" % (kind, self.n)
        paths = "%s/%s.pem" % (self.dir, label), "%s/%s-key.pem" % (self.dir, label)
        with open(paths[0], "wb") as out:
            out.write(self.pem(cert))
            if self.issuer:
                out.write(self.pem(self.cert))
        with open(paths[1], "wb") as out:
            out.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                        serialization.NoEncryption()))
        return cert, paths[0], paths[1]

    @staticmethod
    def pem(cert):
        return cert.public_bytes(serialization.Encoding.PEM)

    def respond(self, path, cert, begin=-1, end=1):
        """Writes a response that CERT is good."""
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=cert, issuer=self.cert, algorithm=hashes.SHA1(), cert_status=ocsp.OCSPCertStatus.GOOD,
            this_update=now() + begin * DAY, next_update=now() + end * DAY, revocation_time=None,
            revocation_reason=None).responder_id(ocsp.OCSPResponderEncoding.NAME, self.cert)
        with open(path, "wb") as out:
            out.write(builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))
        return path

    def refuse(self, path):
        """Writes the answer of a responder that does not know."""
        response = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
        with open(path, "wb") as out:
            out.write(response.public_bytes(serialization.Encoding.DER))
        return path
