"""Server certificates and keys of every kind (protocol.md 2.4, checklist 64, 65): auth signs, workers only ask."""
import os
import re
import ssl

from lib.shell import sh, wait_for
from lib.web import Web

from test_http import client_context


class Maker:
    """Keys and certificates of one test."""

    def __init__(self, t, server):
        self.t, self.server, self.n = t, server, 0

    def make(self, kind, *options, password=None, traditional=False):
        """A key of KIND and a certificate for it; gives both paths.  Encrypted keys are PKCS#8 or TRADITIONAL."""
        self.n += 1
        key, cert = self.server.dir + "/key%d.pem" % self.n, self.server.dir + "/cert%d.pem" % self.n
        sh("certtool", "--generate-privkey", "--key-type=" + kind, *options, "--outfile", key)
        template = self.server.write_file("template", 'cn = "server"\ndns_name = "server"\nexpiration_days = 9\n'
                                          "tls_www_server\nsigning_key\nencryption_key\n")
        sh("certtool", "--generate-self-signed", "--load-privkey", key, "--template", template, "--outfile", cert)
        if password:
            how = ("pkey", "-traditional", "-aes256") if traditional else ("pkcs8", "-topk8")
            sh("openssl", *how, "-in", key, "-out", key + ".enc", "-passout", "pass:" + password)
            key += ".enc"
        os.chmod(key, 0o600)
        return cert, key


def handshake(t, **options):
    """A connection with the login done; gives the certificate's bytes and the cipher."""
    web = Web(t, raw=True)
    context = client_context(**options)
    web.socket = context.wrap_socket(web.socket)
    web.file = web.socket.makefile("rb")
    web.must_login()
    return web.socket.getpeercert(True), web.socket.cipher()[0]


def test_kinds_of_keys(t):
    """Checklist 65: RSA, RSA-PSS, ECDSA on each curve and Ed25519, with TLS 1.2 and 1.3."""
    for kind, options in (("rsa", ["--bits", "2048"]), ("rsa-pss", ["--bits", "2048"]),
                          ("ecdsa", ["--curve=secp384r1"]), ("ecdsa", ["--curve=secp521r1"]), ("ed25519", [])):
        server = t.server(start=False)
        cert, key = Maker(t, server).make(kind, *options)
        server.write_conf(server_cert=cert, server_key=key)
        server.start()
        der = ssl.PEM_cert_to_DER_cert(open(cert).read())
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            t.expect(handshake(t, tls=version)[0] == der, "certificate of %s with %s" % (kind, version))
        client = t.client(dtls=False, pin=t.pki.pin_of(key)).wait()
        client.stop()
        server.stop()


def test_two_certificates_and_old_clients(t):
    """Protocol 2.4, 44: RSA and ECDSA side by side; RSA key transport; webvpnc names the one that was shown."""
    server = t.server(start=False)
    maker = Maker(t, server)
    rsa, ecdsa = maker.make("rsa", "--bits", "2048"), maker.make("ecdsa", "--curve=secp256r1")
    server.write_conf(server_cert=[rsa[0], ecdsa[0]], server_key=[rsa[1], ecdsa[1]])
    server.start()
    ders = {name: ssl.PEM_cert_to_DER_cert(open(pair[0]).read()) for name, pair in (("rsa", rsa), ("ecdsa", ecdsa))}
    for ciphers, name, kx in (("ECDHE+ECDSA", "ecdsa", "ECDHE-ECDSA"), ("ECDHE+aRSA", "rsa", "ECDHE-RSA"),
                              ("DHE+aRSA:!ECDHE:@SECLEVEL=1", "rsa", "DHE-RSA"),
                              ("kRSA:@SECLEVEL=1", "rsa", "AES")):
        der, cipher = handshake(t, tls=ssl.TLSVersion.TLSv1_2, ciphers=ciphers)
        t.expect(der == ders[name] and cipher.startswith(kx), "%s: %s" % (ciphers, cipher))
        web = Web(t, raw=True)
        web.socket = client_context(tls=ssl.TLSVersion.TLSv1_2, ciphers=ciphers).wrap_socket(web.socket)
        web.file = web.socket.makefile("rb")
        answer = web.login()
        import hashlib
        t.expect("&sh:" + hashlib.sha1(der).hexdigest().upper() in answer.head, "the hash of another certificate",
                 answer.head)


def test_encrypted_keys(t):
    """Checklist 64: PKCS#8 and traditional PEM with key-pin and pin-file; a wrong or missing PIN refuses to start, with -t too,
    and says so in one line."""
    server = t.server(start=False)
    maker = Maker(t, server)
    pin = server.write_file("pin", "the pin\nsecond line\n", 0o600)
    for kind, traditional in ((("rsa", "--bits", "2048"), False), (("rsa", "--bits", "2048"), True),
                              (("ecdsa", "--curve=secp256r1"), True), (("ed25519",), False)):
        cert, key = maker.make(*kind, password="the pin", traditional=traditional)
        with open(key) as file:
            t.equal("Proc-Type: 4,ENCRYPTED" in file.read(), traditional, "form of the key")
        for options in ({"key_pin": "the pin", "pin_file": None}, {"key_pin": None, "pin_file": pin}):
            server.write_conf(server_cert=cert, server_key=key, **options)
            server.start()
            t.web().must_login()
            server.stop()
        for pins, words in (({"key_pin": "wrong"}, "the passphrase of key-pin or pin-file does not open it"),
                            ({"key_pin": None}, "it is encrypted; write its passphrase to key-pin or pin-file")):
            server.write_conf(pin_file=None, **pins)
            for flag in ("-t", "-f"):
                run = sh("ip", "netns", "exec", t.net.srv, t.tools.server, flag, "-c", server.conf_file, check=False,
                         timeout=20)
                t.equal(run.returncode, 1, "status of %s" % flag)
                said = [line for line in run.stderr.splitlines() if os.path.basename(key) in line]
                t.expect(said and all(line.startswith("error: error loading the private key '%s': %s" % (key, words)) or
                                      flag == "-f" and words in line for line in said), words, run.stderr)
                t.expect(flag == "-f" or len(said) == 1, "more than a line", run.stderr)


def test_mismatched_and_unreadable_keys(t):
    """Config 8.3, 9.20: a key that is not the certificate's, garbage, nothing: refused with the file's name."""
    server = t.server(start=False)
    maker = Maker(t, server)
    one, two = maker.make("ecdsa", "--curve=secp256r1"), maker.make("ecdsa", "--curve=secp256r1")
    garbage = server.write_file("garbage", "nonsense\n")
    for cert, key, named in ((one[0], two[1], one[0]), (garbage, one[1], garbage), (one[0], garbage, garbage),
                             ("/nonexistent", one[1], "/nonexistent"), (one[0], "/nonexistent", "/nonexistent")):
        server.write_conf(server_cert=cert, server_key=key)
        run = sh("ip", "netns", "exec", t.net.srv, t.tools.server, "-t", "-c", server.conf_file, check=False, timeout=20)
        t.equal(run.returncode, 1, "status with %s and %s" % (cert, key))
        t.expect(named in run.stderr, named + " is not named", run.stderr)


def test_reload_with_bad_material(t):
    """Config 5, 8.3: a reload with priorities or keys that do not work changes nothing and says why."""
    server = t.server({"banner": "old"}, start=False)
    cert, key = Maker(t, server).make("ecdsa", "--curve=secp256r1")
    server.write_conf(server_cert=cert, server_key=key)
    server.start()
    texts = {path: open(path).read() for path in (cert, key)}
    for change, path, words in (({"tls_priorities": "NORMAL:+WHAT"}, None, "tls-priorities: GnuTLS does not know"),
                                ({}, key, key), ({}, cert, cert)):
        start = len(server.log())
        if path:
            server.write_file(os.path.basename(path), "nonsense\n", 0o600)
        server.write_conf(banner="new", **change)
        server.reload()
        server.wait_log("msg=.*" + re.escape(words), start=start)
        t.equal(t.web().must_login().connect().header("X-CSTP-Banner"), "old", "banner after the reload with " + words)
        server.write_conf(tls_priorities=None)
        for path, text in texts.items():
            server.write_file(os.path.basename(path), text, 0o600)
    server.reload()
    wait_for("the good file to be served",
             lambda: t.web().must_login().connect().header("X-CSTP-Banner") == "new")
