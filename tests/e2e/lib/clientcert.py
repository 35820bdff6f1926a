"""Client certificates of a test: authorities, certificates of every kind, revocation lists.  Made by openssl, which can
write what certtool cannot: old dates, other names, broken texts."""
import os

from .shell import sh

EKU_CLIENT, EKU_SERVER = "clientAuth", "serverAuth"
UPN = "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:%s"
KINDS = {
    "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "rsa-pss": ["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"],
    "ecdsa": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "ed25519": ["-algorithm", "ED25519"],
}


class Certificate:
    """A certificate and its key: paths in PEM; CHAIN has the intermediate authorities, too."""

    def __init__(self, cert, key, chain=None):
        self.cert, self.key, self.chain = cert, key, chain or cert

    @property
    def arguments(self):
        """What makes openconnect show it."""
        return ["-c", self.chain, "-k", self.key]


class Authority:
    """A certificate authority in a directory of its own; SIGNER is the authority above it."""

    def __init__(self, test, name="client CA", signer=None):
        self.dir, self.name, self.signer, self.n = test.new_dir("ca"), name, signer, 0
        os.chmod(self.dir, 0o755)
        self.database, self.serial, self.crlnumber = (self.path(n) for n in ("index", "serial", "crlnumber"))
        for path, text in ((self.database, ""), (self.serial, "1000\n"), (self.crlnumber, "01\n")):
            self._write(path, text)
        self.key, self.cert = self.path("ca-key.pem"), self.path("ca.pem")
        self._config([])
        self._key(self.key, "ecdsa")
        extensions = ["basicConstraints=critical,CA:true", "keyUsage=critical,keyCertSign,cRLSign",
                      "subjectKeyIdentifier=hash"]
        if signer:
            made = signer.issue(name, extensions=extensions, key=self.key, eku=None)
            self.cert = made.cert
        else:
            sh("openssl", "req", "-x509", "-new", "-key", self.key, "-subj", "/CN=" + name, "-days", "30", "-utf8",
               "-config", self.path("config"), "-out", self.cert, *[a for e in extensions for a in ("-addext", e)])

    def path(self, name):
        return os.path.join(self.dir, name)

    @staticmethod
    def _write(path, text):
        with open(path, "w") as out:
            out.write(text)

    @staticmethod
    def _key(path, kind):
        sh("openssl", "genpkey", *KINDS[kind], "-out", path)
        os.chmod(path, 0o600)

    def _config(self, extensions):
        self._write(self.path("config"), """[ca]
default_ca = this
[this]
database = %s
serial = %s
crlnumber = %s
new_certs_dir = %s
certificate = %s
private_key = %s
default_md = sha256
default_crl_days = 5
policy = any
unique_subject = no
preserve = yes
email_in_dn = yes
string_mask = utf8only
[any]
commonName = optional
UID = optional
organizationName = optional
organizationalUnitName = optional
emailAddress = optional
[req]
distinguished_name = dn
string_mask = utf8only
[dn]
[ext]
%s
""" % (self.database, self.serial, self.crlnumber, self.dir, self.cert, self.key,
       "\n".join(e.replace("=", " = ", 1) for e in extensions)))

    def issue(self, user=None, subject=None, san=None, eku=EKU_CLIENT, start=None, end=None, kind="ecdsa",
              extensions=(), key=None):
        """A certificate for USER (its CN), or for the whole SUBJECT; START and END as YYMMDDhhmmssZ."""
        self.n += 1
        stem = self.path("c%d" % self.n)
        if not key:
            key = stem + "-key.pem"
            self._key(key, kind)
        extensions = list(extensions) or ["basicConstraints=critical,CA:false", "keyUsage=digitalSignature"]
        if eku:
            extensions.append("extendedKeyUsage=" + eku)
        if san:
            extensions.append("subjectAltName=" + san)
        self._config(extensions)
        sh("openssl", "req", "-new", "-key", key, "-subj", subject or "/CN=%s" % user, "-utf8", "-multivalue-rdn",
           "-config", self.path("config"), "-out", stem + ".req")
        dates = (["-startdate", start] if start else []) + (["-enddate", end] if end else ["-days", "9"])
        sh("openssl", "ca", "-batch", "-notext", "-utf8", "-config", self.path("config"), "-extensions", "ext",
           "-in", stem + ".req", "-out", stem + ".pem", *dates)
        return Certificate(stem + ".pem", key, self._chain(stem))

    def _chain(self, stem):
        """The file with the authorities below the root behind the certificate; None without any."""
        above, texts = self, [open(stem + ".pem").read()]
        while above.signer:
            texts.append(open(above.cert).read())
            above = above.signer
        if len(texts) == 1:
            return None
        self._write(stem + "-chain.pem", "".join(texts))
        return stem + "-chain.pem"

    def revoke(self, certificate):
        self._config([])
        sh("openssl", "ca", "-config", self.path("config"), "-revoke", certificate.cert)

    def crl(self, path, form="PEM", replace=False):
        """Writes the list to PATH; REPLACE: as a new file that takes the place of the old one."""
        self._config([])
        made = path + ".new"
        sh("openssl", "ca", "-config", self.path("config"), "-gencrl", "-out", made)
        if form == "DER":
            sh("openssl", "crl", "-in", made, "-outform", "DER", "-out", made)
        os.chmod(made, 0o644)
        if replace or not os.path.exists(path):
            os.rename(made, path)
        else:
            with open(made, "rb") as new, open(path, "wb") as out:
                out.write(new.read())
            os.unlink(made)
        return path
