"""A real FreeRADIUS of the test's own: generated configuration, private ports, every request on record."""
import hashlib
import os
import re
import select
import socket
import threading

from .service import Service
from .shell import netns_socket, sh, wait_for

SECRET = "testing123"
ADDRESS = "127.0.0.1"

RADIUSD = """
name = radiusd
logdir = %(dir)s
run_dir = %(dir)s
libdir = /usr/lib/freeradius
pidfile = %(dir)s/radiusd.pid
max_request_time = 30
cleanup_delay = 5
max_requests = 16384
log {
	destination = stdout
	auth = yes
}
security {
	max_attributes = 600
	reject_delay = 0
	status_server = yes
}
proxy_requests = no
client test {
	ipaddr = %(address)s
	secret = %(secret)s
	require_message_authenticator = %(require)s
}
thread pool {
	start_servers = 2
	max_servers = 8
	min_spare_servers = 1
	max_spare_servers = 4
	max_requests_per_server = 0
	auto_limit_acct = no
}
modules {
	always reject {
		rcode = reject
	}
	always ok {
		rcode = ok
	}
	always handled {
		rcode = handled
	}
	expr {
	}
	pap {
	}
	files {
		filename = %(dir)s/users
		acctusersfile = %(dir)s/none
		preproxy_usersfile = %(dir)s/none
	}
	detail auth_detail {
		filename = %(dir)s/auth.detail
		permissions = 0600
		header = "%%l"
	}
	detail acct_detail {
		filename = %(dir)s/acct.detail
		permissions = 0600
		header = "%%l"
	}
}
%(tls)s
policy {
	challenge {
		update control {
			&Response-Packet-Type := Access-Challenge
		}
		handled
	}
}
server default {
	listen {
		type = auth
		ipaddr = %(address)s
		port = %(port)d
	}
	listen {
		type = acct
		ipaddr = %(address)s
		port = %(acct_port)d
	}
	authorize {
		auth_detail
		%(policy)s
		files
		pap
	}
	authenticate {
		Auth-Type PAP {
			pap
		}
		%(authenticate)s
	}
	accounting {
		%(accounting)s
		acct_detail
	}
	post-auth {
		%(post_auth)s
		Post-Auth-Type REJECT {
			%(reject)s
		}
	}
}
"""

# RADIUS over plain TCP (RFC 6613).
TCP = """
listen {
	type = auth+acct
	ipaddr = %(address)s
	port = %(tcp_port)d
	proto = tcp
	virtual_server = default
	clients = stream
}
clients stream {
	client streaming {
		ipaddr = %(address)s
		proto = tcp
		secret = %(secret)s
	}
}
"""

CERTIFICATES = """private_key_file = %s
		certificate_file = %s
		ca_file = %s
		require_client_cert = yes
"""

# RADIUS over TLS (RFC 6614) on every address.
TLS = """
listen {
	type = auth+acct
	ipaddr = *
	port = %(tls_port)d
	proto = tcp
	virtual_server = default
	clients = radsec
	tls {
		%(proof)s
		tls_min_version = "1.2"
		tls_max_version = "1.3"
	}
}
clients radsec {
	client secure {
		ipaddr = 0.0.0.0/0
		proto = tls
		secret = radsec
	}
}
"""

# What radcli's users have; the backend needs nothing that is missing from it.
CLIENT = """# written by the test
authserver %(auth)s
acctserver %(acct)s
servers %(dir)s/servers
dictionary /etc/radcli/dictionary
default_realm
radius_timeout %(timeout)d
radius_retries %(retries)d
bindaddr *
%(more)s
"""


class FreeRadius(Service):
    """One FreeRADIUS process in the server's namespace; the constructor waits until it serves.

    users: text of the users file.  policy: unlang for `authorize`, before the users file; a section may end
    with "challenge" (set a Reply-Message first, State is made if there is none).
    authenticate, accounting, post_auth, reject: the same for these sections (reject: after a refusal).
    tls_port: also RADIUS over TLS there, with the run's certificates or with PSK (identity, hexadecimal key).
    tcp_port: also over plain TCP there."""

    NAME = "FreeRADIUS"

    def __init__(self, test, users="", policy="", authenticate="", accounting="", reject="", post_auth="",
                 port=1812, acct_port=1813, address=ADDRESS, secret=SECRET, require=False, tls_port=None,
                 psk=None, tcp_port=None, netns=None, start=True):
        super().__init__(test, "radius", netns)
        os.chmod(self.dir, 0o755)
        self.address, self.port, self.acct_port, self.secret = address, port, acct_port, secret
        self.tls_port, self.tcp_port = tls_port, tcp_port
        values = dict(vars(self), policy=policy, authenticate=authenticate, accounting=accounting, reject=reject,
                      post_auth=post_auth, require="yes" if require else "no", tls="")
        if tls_port:
            proof = 'psk_identity = "%s"\n\t\tpsk_hexphrase = "%s"\n' % psk if psk else CERTIFICATES % (
                test.pki.key, test.pki.cert, test.pki.ca_cert)
            values["tls"] = TLS % dict(values, proof=proof)
        if tcp_port:
            values["tls"] += TCP % values
        self.write("radiusd.conf", RADIUSD % values)
        self.write("dictionary", "")
        self.write("none", "")
        self.write("users", users)
        test.closables.append(self)
        if start:
            self.start()

    def write(self, name, text):
        """A file in the folder of this server; gives its path."""
        path = os.path.join(self.dir, name)
        with open(path, "w") as out:
            out.write(text)
        os.chmod(path, 0o640)
        return path

    def where(self, port):
        """HOST:PORT as client files write it."""
        return "%s:%d" % ("[%s]" % self.address if ":" in self.address else self.address, port)

    def client_conf(self, auth=None, acct=None, timeout=2, retries=1, more="", secrets=None, name="client.conf"):
        """A client file for the server under test; AUTH and ACCT are lists of HOST:PORT (default: this one)."""
        auth = auth or [self.where(self.port)]
        acct = acct or [self.where(self.acct_port)]
        hosts = {re.sub(r":\d+$", "", host).strip("[]") for host in auth + acct}
        self.write("servers", "".join("%s %s\n" % pair for pair in (secrets or {
            host: self.secret for host in hosts}).items()))
        return self.write(name, CLIENT % {"auth": ",".join(auth), "acct": ",".join(acct), "dir": self.dir,
                                           "timeout": timeout, "retries": retries, "more": more})

    def start(self):
        self.launch("freeradius", "-f", "-l", "stdout", "-d", self.dir, "-n", "radiusd", "-x")
        return self.wait_serving(lambda: "Ready to process requests" in self.log()[self.log_start:], 20)

    # What arrived
    def requests(self, user=None):
        """Access-Requests so far, oldest first, each a dict; an attribute that repeats is a list."""
        return self._records("auth.detail", user)

    def accounting(self, user=None):
        """Accounting-Requests so far that were written down, oldest first."""
        return self._records("acct.detail", user)

    def wait_accounting(self, kind, count=1, seconds=10, user=None):
        """Waits for COUNT records with Acct-Status-Type KIND (Start, Interim-Update, Stop); gives them."""
        def found():
            rows = [row for row in self.accounting(user) if row.get("Acct-Status-Type") == kind]
            return len(rows) >= count and rows
        return wait_for("%d accounting records %s" % (count, kind), found, seconds * self.test.slow)

    def _records(self, name, user):
        try:
            with open(os.path.join(self.dir, name), errors="replace") as detail:
                text = detail.read()
        except OSError:
            return []
        rows = [parse_record(block) for block in text.split("\n\n")[:-1]]
        return [row for row in rows if user in (None, row.get("User-Name"))]


def parse_record(block):
    """One record of the detail module; "Time" is when it was written (UNIX seconds)."""
    row = {}
    for line in block.split("\n"):
        match = re.match(r"\t([\w-]+) = (.*)$", line)
        if not match:
            if line.strip().isdigit():
                row["Time"] = int(line)
            continue
        name, value = match.groups()
        if value.startswith('"') and value.endswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        if name not in row:
            row[name] = value
        else:
            row[name] = (row[name] if isinstance(row[name], list) else [row[name]]) + [value]
    return row


class DeadServer:
    """A RADIUS server that never answers: a bound socket nobody reads."""

    def __init__(self, test, port, address=ADDRESS, netns=None):
        self.socket = netns_socket(netns or test.net.srv, kind=socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        self.received = 0
        test.closables.append(self)

    def count(self):
        """Datagrams that have come so far."""
        self.socket.setblocking(False)
        try:
            while self.socket.recv(4096):
                self.received += 1
        except BlockingIOError:
            pass
        return self.received

    def close(self):
        self.socket.close()


class Forger:
    """Somebody on the way who has found a valid Response Authenticator for another reply (CVE-2024-3596): before
    each reply from port TO it sends one with a wrong Message-Authenticator to who asked port AT."""

    def __init__(self, test, at, to, secret=SECRET, address=ADDRESS):
        self.inner, self.outer = (netns_socket(test.net.srv, kind=socket.SOCK_DGRAM) for _ in range(2))
        self.inner.bind((address, at))
        self.outer.connect((address, to))
        self.secret, self.forged, self.passed, self.ended = secret.encode(), 0, 0, False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        test.closables.append(self)

    def _run(self):
        request, client = b"", None
        while not self.ended:
            for ready in select.select([self.inner, self.outer], [], [], 0.1)[0]:
                if ready is self.inner:
                    request, client = self.inner.recvfrom(4096)
                    self.outer.send(request)
                else:
                    reply = self.outer.recv(4096)
                    self.inner.sendto(self.forge(reply, request), client)
                    self.inner.sendto(reply, client)
                    self.passed += 1

    def forge(self, reply, request):
        seal = reply.index(b"\x50\x12") + 2
        body = reply[20:seal] + bytes(byte ^ 1 for byte in reply[seal:seal + 16]) + reply[seal + 16:]
        vector = hashlib.md5(reply[:4] + request[4:20] + body + self.secret).digest()
        self.forged += 1
        return reply[:4] + vector + body

    def close(self):
        self.ended = True
        self.thread.join()
        self.inner.close()
        self.outer.close()


def client_certificate(test, name):
    """A certificate for a TLS client of the run's authority; gives the paths of certificate and key."""
    folder = test.new_dir("tls")
    cert, key, template = (os.path.join(folder, each) for each in ("cert.pem", "key.pem", "template"))
    with open(template, "w") as out:
        out.write('cn = "%s"\ntls_www_client\nsigning_key\nexpiration_days = 30\n' % name)
    sh("certtool", "--generate-privkey", "--key-type=ecdsa", "--curve=secp256r1", "--outfile", key)
    sh("certtool", "--generate-certificate", "--load-privkey", key, "--load-ca-certificate", test.pki.ca_cert,
       "--load-ca-privkey", test.pki.ca_key, "--template", template, "--outfile", cert)
    return cert, key


def radclient(radius, kind, attributes, port=None, netns=None):
    """Asks RADIUS by hand with FreeRADIUS's own client; gives its output (for tests of this file)."""
    return sh("ip", "netns", "exec", netns or radius.netns, "radclient", "-x", "-r", "1", "-t", "2",
              "%s:%d" % (radius.address, port or radius.port), kind, radius.secret, stdin=attributes, check=False).stdout
