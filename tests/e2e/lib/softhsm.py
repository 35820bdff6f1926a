"""A PKCS#11 token in files (SoftHSM) in a directory of the test's own."""
import os

from .shell import sh

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "8642"


class Token:
    """Token LABEL, empty at first."""

    def __init__(self, directory, label="vpn", pin=PIN):
        self.dir, self.label, self.pin = directory, label, pin
        os.makedirs(directory + "/tokens")
        self.conf = directory + "/softhsm2.conf"
        with open(self.conf, "w") as conf:
            conf.write("directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n" % directory)
        # The module for TPMs is loaded, too, and says on and on that it has none.
        self.environment = {"SOFTHSM2_CONF": self.conf, "TSS2_LOG": "all+NONE", "TPM2_PKCS11_STORE": directory}
        self._run("softhsm2-util", "--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", "13579")

    def _run(self, *command):
        return sh(*command, env=dict(os.environ, **self.environment))

    def put(self, name, cert, key):
        """Stores both as objects called NAME; gives their URLs."""
        for kind, path in (("certificate", cert), ("privkey", key)):
            self._run("p11tool", "--provider", MODULE, "--login", "--set-pin", self.pin, "--write",
                      "--load-" + kind, path, "--label", name, "pkcs11:token=" + self.label)
        url = "pkcs11:token=%s;object=%s;type=" % (self.label, name)
        return url + "cert", url + "private"
