"""Many logins: how fast, at what cost, and what idle sessions weigh."""
import re
import ssl
import threading
import time

from lib.net import SERVER4
from lib.server import PASSWORD
from lib.shell import netns_socket

from .world import USER, Cost

AGENT = "Open AnyConnect VPN Agent v9.01"
DOCUMENT = ('<?xml version="1.0" encoding="UTF-8"?><config-auth client="vpn" type="%s"><version who="vpn">v9.01</version>'
            "<device-id>linux-64</device-id>%s</config-auth>")
AT_A_TIME = 8
BYE = b"STF\x01\x00\x00\x05\x00"


def tls_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Session:
    """One login and its tunnel, over TLS."""

    def __init__(self, namespace, context):
        bare = netns_socket(namespace)
        bare.settimeout(60)
        bare.connect((SERVER4, 443))
        self.socket = context.wrap_socket(bare)
        self.file = self.socket.makefile("rb")
        self.cookies = {}
        self._login()
        head, _ = self._ask("CONNECT /CSCOSSLC/tunnel", "X-CSTP-Version: 1\r\nX-CSTP-MTU: 1400\r\nX-CSTP-Address-Type: IPv4\r\n")
        if " 200 " not in head.split("\r\n")[0]:
            raise OSError("no tunnel: " + head)

    def _ask(self, line, more, body=""):
        cookies = "; ".join("%s=%s" % pair for pair in self.cookies.items())
        head = "%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\n%s%s\r\n" % (
            line, SERVER4, AGENT, "Cookie: %s\r\n" % cookies if cookies else "", more)
        self.socket.sendall((head + body).encode())
        head = ""
        while not head.endswith("\r\n\r\n"):
            read = self.file.readline().decode(errors="replace")
            if not read:
                raise OSError("closed: " + head)
            head += read
        self.cookies.update(re.findall(r"(?i)set-cookie: *([^=]+)=([^;\r\n]+)", head))
        length = re.search(r"(?i)content-length: *(\d+)", head)
        return head, self.file.read(int(length.group(1))).decode() if length else ""

    def _post(self, path, kind, inner=""):
        body = DOCUMENT % (kind, inner)
        return self._ask("POST " + path, "X-Transcend-Version: 1\r\nX-Aggregate-Auth: 1\r\n"
                         "Content-Type: application/xml; charset=utf-8\r\nContent-Length: %d\r\n" % len(body), body)[1]

    def _login(self):
        answer = self._post("/", "init")
        for _ in range(3):
            fields = "".join("<%s>%s</%s>" % (name, value, name)
                             for name, value in (("username", USER), ("password", PASSWORD)) if 'name="%s"' % name in answer)
            action = re.search(r'action="([^"]+)"', answer)
            answer = self._post(action.group(1) if action else "/auth", "auth-reply", "<auth>%s</auth>" % fields)
            if self.cookies.get("webvpn"):
                return
        raise OSError("no cookie: " + answer)

    def close(self):
        self.socket.sendall(BYE)
        self.socket.close()


def storm(world, count, hold):
    """COUNT logins, some at a time: (sessions held, errors, seconds)."""
    context, lock, held, errors, left = tls_context(), threading.Lock(), [], [], [count]

    def take():
        with lock:
            left[0] -= 1
            return left[0] >= 0

    def work():
        while take():
            try:
                session = Session(world.net.cli, context)
                held.append(session) if hold else session.close()
            except OSError as error:
                errors.append(repr(error))

    threads = [threading.Thread(target=work) for _ in range(AT_A_TIME)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return held, errors, time.monotonic() - start


def login(world, subject, options):
    """Password logins with CONNECT, each session ended at once."""
    cost = Cost(subject)
    _, errors, seconds = storm(world, options.logins, False)
    time.sleep(min(1.0, options.seconds))
    good = options.logins - len(errors)
    return {"logins_s": good / seconds, "cpu_ms_per_login": cost.seconds() * 1e3 / max(good, 1), "errors": len(errors)}


def idle(world, subject, options):
    """Sessions that do nothing: memory, and CPU time while they rest."""
    before = subject.memory()
    held, errors, _ = storm(world, options.idle, True)
    time.sleep(min(2.0, options.seconds))
    out = {"base_MiB": before / 1024, "KiB_per_session": (subject.memory() - before) / max(len(held), 1), "errors": len(errors)}
    cost, start = Cost(subject), time.monotonic()
    time.sleep(options.rest)
    out["cpu_s_per_1000_min"] = cost.seconds() / (time.monotonic() - start) * 60 * 1000 / max(len(held), 1)
    for session in held:
        session.close()
    return out
