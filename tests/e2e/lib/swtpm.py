"""A TPM 2.0 in software with a PKCS#11 token in it (swtpm, tpm2-pkcs11), in the namespace of the server."""
import os
import subprocess

from .shell import sh, wait_for

PORT = 2321
PIN = "8642"
TOOLS = ("tpm2_create", "tpm2_createprimary", "tpm2_import", "tpm2_load", "tpm2_loadexternal")


class Tpm:
    """The chip, with an ECDSA key called "server" in a token called "tpm"."""

    def __init__(self, test):
        self.netns, self.dir = test.net.srv, test.new_dir("tpm")
        for name in ("state", "store", "bin"):
            os.makedirs(os.path.join(self.dir, name))
        tcti = "swtpm:host=127.0.0.1,port=%d" % PORT
        self.environment = {"TPM2_PKCS11_TCTI": tcti, "TPM2_PKCS11_STORE": self.dir + "/store"}
        self._tools = dict(os.environ, **self.environment, TPM2TOOLS_TCTI=tcti, PATH=self.dir + "/bin:" + os.environ["PATH"])
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", self.netns, "swtpm", "socket", "--tpm2", "--tpmstate", "dir=%s/state" % self.dir,
             "--ctrl", "type=tcp,port=%d" % (PORT + 1), "--server", "type=tcp,port=%d" % PORT,
             "--flags", "not-need-init,startup-clear"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        test.closables.append(self)
        wait_for("the TPM", lambda: self._run("tpm2_getrandom", "1", check=False).returncode == 0)
        self._write_tools()
        for what in (("init",), ("addtoken", "--pid=1", "--sopin=so", "--userpin=" + PIN, "--label=tpm"),
                     ("addkey", "--label=tpm", "--userpin=" + PIN, "--algorithm=ecc256", "--key-label=server")):
            self._run("tpm2_ptool", *what, "--path", self.dir + "/store")
        self.url = "pkcs11:token=tpm;object=server;type=private"

    def _write_tools(self):
        """A bare chip has room for three keys, and nobody here clears up but we."""
        for tool in TOOLS:
            path = "%s/bin/%s" % (self.dir, tool)
            with open(path, "w") as out:
                out.write('#!/bin/sh\ntpm2_flushcontext -t\n/usr/bin/%s "$@"; r=$?\ntpm2_flushcontext -t\nexit $r\n' % tool)
            os.chmod(path, 0o755)

    def _run(self, *command, check=True):
        return sh("ip", "netns", "exec", self.netns, *command, check=check, env=self._tools)

    def certify(self, ca_cert, ca_key, path):
        """Writes a certificate for the key."""
        template = path + ".tmpl"
        with open(template, "w") as out:
            out.write('cn = "server"\ndns_name = "server"\nexpiration_days = 30\ntls_www_server\nsigning_key\n')
        public = self._run("p11tool", "--login", "--set-pin", PIN, "--export-pubkey", self.url).stdout
        with open(path + ".pub", "w") as out:
            out.write(public[public.index("-----BEGIN"):])
        sh("certtool", "--generate-certificate", "--load-pubkey", path + ".pub", "--load-ca-certificate", ca_cert,
           "--load-ca-privkey", ca_key, "--template", template, "--outfile", path)
        return path

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(5)
