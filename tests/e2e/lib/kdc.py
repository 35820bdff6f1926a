"""A Kerberos realm of the test's own: MIT's KDC in the namespace behind the server, with private files."""
import os
import subprocess

from .net import LAN4
from .service import Service
from .shell import Failure, sh

REALM, NAME, PASSWORD = "E2E.TEST", "vpn.e2e.test", "kerberos-secret"
SERVICE = "HTTP/%s" % NAME
SPEAKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "negotiate.py")

KRB5_CONF = """[libdefaults]
 default_realm = %(realm)s
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 clockskew = %(skew)d
 udp_preference_limit = %(udp)d
%(more)s
[realms]
 %(realm)s = {
%(kdcs)s
 }
[domain_realm]
 .e2e.test = %(realm)s
"""

KDC_CONF = """[kdcdefaults]
 kdc_listen = %(address)s:88
 kdc_tcp_listen = %(address)s:88
[realms]
 %(realm)s = {
  database_name = %(dir)s/principal
  key_stash_file = %(dir)s/stash
  acl_file = %(dir)s/acl
  max_life = 10h
  supported_enctypes = aes256-cts-hmac-sha1-96:normal
 }
[logging]
 kdc = FILE:%(dir)s/kdc.log
"""


class Kdc(Service):
    """The KDC with users (name to password) and the service of the server; KEYTAB holds its key."""

    NAME = "the KDC"

    def __init__(self, test, users=None, start=True):
        super().__init__(test, "kdc", test.net.lan)
        self._files = 0
        self.keytab = self.dir + "/http.keytab"
        self.conf = self.write_conf(["%s:88" % LAN4])
        self.environment = dict(os.environ, KRB5_CONFIG=self.conf, KRB5_KDC_PROFILE=self._write("kdc.conf", KDC_CONF % {
            "realm": REALM, "dir": self.dir, "address": LAN4}))
        sh("kdb5_util", "create", "-s", "-r", REALM, "-P", "master", env=self.environment)
        commands = ["addprinc -pw %s %s" % (word, user) for user, word in (users or {"test": PASSWORD}).items()]
        self.admin(*commands, "addprinc -randkey " + SERVICE, "ktadd -q -k %s %s" % (self.keytab, SERVICE))
        test.closables.append(self)
        if start:
            self.start()

    def _write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w") as out:
            out.write(text)
        return path

    def write_conf(self, kdcs, name="krb5.conf", skew=300, udp=1465, more="", anchors=None):
        """A krb5.conf whose realm has KDCS."""
        lines = ["  kdc = " + kdc for kdc in kdcs]
        lines += ["  http_anchors = FILE:" + anchors] if anchors else []
        return self._write(name, KRB5_CONF % {"realm": REALM, "skew": skew, "udp": udp, "more": more,
                                              "kdcs": "\n".join(lines)})

    def admin(self, *commands):
        return sh("kadmin.local", "-r", REALM, env=self.environment, stdin="\n".join(commands) + "\n")

    def start(self):
        self.launch("krb5kdc", "-n", "-r", REALM, env=self.environment)
        return self.wait_serving(self._listens)

    def _listens(self):
        with open("/proc/%d/net/tcp" % self.process.pid) as table:
            return any(line.split()[1].endswith(":0058") for line in table if "0A" in line.split())

    def log(self):
        """What the KDC notes of requests, and what it prints."""
        try:
            with open(self.dir + "/kdc.log", errors="replace") as log:
                return super().log() + log.read()
        except OSError:
            return super().log()

    # What clients hold
    def tickets(self, user="test", password=PASSWORD, life="1h", service=SERVICE):
        """The environment of a client that has a ticket of USER and one for SERVICE (None: without that)."""
        self._files += 1
        environment = self.client_environment()
        sh("ip", "netns", "exec", self.netns, "kinit", "-l", life, user, env=environment, stdin=password + "\n")
        if service:
            sh("ip", "netns", "exec", self.netns, "kvno", service, env=environment)
        return environment

    def client_environment(self, conf=None):
        """Of a client that has no ticket yet, nor one of this machine's."""
        self._files += 1
        return dict(os.environ, KRB5_CONFIG=conf or self.conf, KRB5CCNAME="FILE:%s/cc%d" % (self.dir, self._files))

    def server_environment(self, **options):
        """Of the server: its realm, and a replay cache of its own."""
        conf = self.write_conf(["127.0.0.1:9"], "krb5-server.conf", **options)
        return {"KRB5_CONFIG": conf, "KRB5RCACHENAME": "file2:%s/rcache" % self.dir}


class Initiator:
    """The client's half of a negotiation, in a process with the client's environment (negotiate.py)."""

    def __init__(self, test, environment, service="HTTP@" + NAME, flags="mutual"):
        self.process = subprocess.Popen(["/usr/bin/python3", SPEAKER, service, flags], env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        test.closables.append(self)

    def step(self, token=""):
        """Answers the server's TOKEN with the next one, both base64; "" when there is nothing more to say."""
        self.process.stdin.write(token + "\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline().split()
        if not said:
            raise Failure("the initiator failed")
        self.complete = said[0] == "complete"
        return said[1] if len(said) > 1 else ""

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()
