"""Keys and certificates of a run, made once with certtool."""
import os
import re

from .net import SERVER4, SERVER6
from .shell import sh


class Pki:
    """A certificate authority and the server's certificate in DIRECTORY."""

    def __init__(self, directory):
        self.dir = directory
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, 0o755)
        self.ca_cert, self.ca_key = self.path("ca.pem"), self.path("ca-key.pem")
        self.cert, self.key = self.path("cert.pem"), self.path("key.pem")

    def path(self, name):
        return os.path.join(self.dir, name)

    def make(self):
        self._key(self.ca_key)
        self._write("ca.tmpl", 'cn = "e2e CA"\nca\ncert_signing_key\nexpiration_days = 30\n')
        sh("certtool", "--generate-self-signed", "--load-privkey", self.ca_key, "--template", self.path("ca.tmpl"),
           "--outfile", self.ca_cert)
        self.server_cert(self.cert, self.key)
        self.pin = self.pin_of(self.key)
        return self

    def server_cert(self, cert, key, name="server"):
        if not os.path.exists(key):
            self._key(key)
        template = 'cn = "%s"\ndns_name = "%s"\nip_address = "%s"\nip_address = "%s"\nexpiration_days = 30\n' \
            "tls_www_server\nsigning_key\n" % (name, name, SERVER4, SERVER6)
        # Beside the certificate: tests make theirs at the same time.
        with open(cert + ".tmpl", "w") as out:
            out.write(template)
        sh("certtool", "--generate-certificate", "--load-privkey", key, "--load-ca-certificate", self.ca_cert,
           "--load-ca-privkey", self.ca_key, "--template", cert + ".tmpl", "--outfile", cert)

    @staticmethod
    def pin_of(key):
        return re.search(r"pin-sha256:\S+", sh("certtool", "--key-info", "--infile", key).stdout).group(0)

    def _key(self, path):
        sh("certtool", "--generate-privkey", "--key-type=ecdsa", "--curve=secp256r1", "--outfile", path)
        os.chmod(path, 0o600)

    def _write(self, name, text):
        with open(self.path(name), "w") as out:
            out.write(text)
