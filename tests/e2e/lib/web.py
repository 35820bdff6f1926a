"""The login dialogue and the tunnel spoken by hand, for inputs that no client sends and for many sessions."""
import hashlib
import base64
import re
import socket
import ssl
import struct
from xml.sax.saxutils import escape

from .net import LAN4, SERVER4
from .server import PASSWORD
from .shell import Failure, netns_socket

AGENT = "Open AnyConnect VPN Agent v9.01"
INIT = ('<?xml version="1.0" encoding="UTF-8"?>\n<config-auth client="vpn" type="init"><version who="vpn">v9.01'
        '</version><device-id>linux-64</device-id><group-access>https://server%s</group-access>%s</config-auth>')
REPLY = ('<?xml version="1.0" encoding="UTF-8"?>\n<config-auth client="vpn" type="auth-reply"><version who="vpn">'
         'v9.01</version><device-id>linux-64</device-id><auth>%s</auth>%s</config-auth>')


class Answer:
    """One HTTP response."""

    def __init__(self, head, body):
        self.head, self.body = head, body
        self.lines = head.split("\r\n")
        self.status = int(self.lines[0].split(" ")[1])
        self.reason = self.lines[0].split(" ", 2)[2] if self.lines[0].count(" ") > 1 else ""

    def headers(self, name):
        """All values of header NAME, in order."""
        return [line.split(":", 1)[1].strip() for line in self.lines[1:]
                if line.split(":")[0].lower() == name.lower()]

    def header(self, name):
        return (self.headers(name) or [None])[0]

    @property
    def success(self):
        return 'id="success"' in self.body


class Web:
    """One TLS connection to the server; remembers cookies as a client does."""

    def __init__(self, test, netns=None, host=SERVER4, port=443, source=None, name=None, tls=None, timeout=20,
                 cookies=None, raw=False):
        self.cookies, self.agent, self.file = dict(cookies or {}), AGENT, None
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = netns_socket(netns or test.net.cli, family)
        self.socket.settimeout(timeout)
        test.closables.append(self)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect((host, port))
        if not raw:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            if tls:
                context.minimum_version = context.maximum_version = tls
            self.begin_tls(context, name)

    def begin_tls(self, context, name=None):
        """TLS on the connection as it is now."""
        self.socket = context.wrap_socket(self.socket, server_hostname=name, do_handshake_on_connect=False)
        # Python would skip it without a word when the connection was reset already.
        self.socket.do_handshake()
        self.file = self.socket.makefile("rb")

    def close(self):
        """Ends the TCP connection at once, without a word of TLS."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # closed by the server already
        if self.file:
            self.file.close()
        self.socket.close()

    # HTTP
    def read(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.file.readline()
            if not line:
                raise ConnectionError("closed after %r" % head)
            head += line
        length = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
        body = self.file.read(int(length.group(1))) if length else b""
        answer = Answer(head.decode(errors="replace"), body.decode(errors="replace"))
        for cookie in answer.headers("Set-Cookie"):
            key, value = cookie.split(";")[0].split("=", 1)
            if value:
                self.cookies[key] = value
            else:
                self.cookies.pop(key, None)
        return answer

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def request(self, method, path, body=None, headers=(), xml=True):
        lines = ["%s %s HTTP/1.1" % (method, path), "Host: server", "User-Agent: " + self.agent]
        if xml:
            lines += ["X-Transcend-Version: 1", "X-Aggregate-Auth: 1"]
        if self.cookies:
            lines.append("Cookie: " + "; ".join("%s=%s" % item for item in self.cookies.items()))
        data = b"" if body is None else body.encode() if isinstance(body, str) else body
        if body is not None:
            lines.append("Content-Length: %d" % len(data))
        lines += list(headers)
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
        return self.read()

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body, **options):
        return self.request("POST", path, body, **options)

    def is_closed(self, seconds=20):
        """Whether the server ends the connection within SECONDS."""
        self.socket.settimeout(seconds)
        try:
            while True:
                if not self.socket.recv(4096):
                    return True
        except (ConnectionError, ssl.SSLError, BrokenPipeError):
            return True
        except socket.timeout:
            return False

    # The dialogue
    def init(self, path="/", more=""):
        return self.post(path, INIT % (path, more))

    def reply(self, fields, more="", path="/auth"):
        """An auth-reply; FIELDS is a list of (name, value), in order."""
        xml = "".join("<%s>%s</%s>" % (name, escape(value), name) for name, value in fields)
        return self.post(path, REPLY % (xml, more))

    def login(self, user="test", password=PASSWORD, group=None, path="/"):
        """A whole login, whatever forms the server makes of it; gives the last answer."""
        more = "<group-select>%s</group-select>" % escape(group) if group else ""
        answer = self.init(path, more)
        for _ in range(4):
            if answer.status != 200 or answer.success:
                break
            fields = []
            if 'name="username"' in answer.body:
                fields.append(("username", user))
            if re.search(r'name="(secondary_)?password"', answer.body):
                fields.append(("password", password))
            if not fields or "Login failed" in answer.body:
                break
            answer = self.reply(fields, more, self.action(answer))
        return answer

    @staticmethod
    def action(answer):
        match = re.search(r'action="([^"]*)"', answer.body)
        return match.group(1) if match else "/auth"

    def must_login(self, *arguments, **options):
        answer = self.login(*arguments, **options)
        if not answer.success or not self.cookies.get("webvpn"):
            raise Failure("login refused:\n%s%s" % (answer.head, answer.body))
        return self

    def connect(self, headers=(), cookie=None, types="IPv6,IPv4", mtu=1500, ipv6=True, path="/CSCOSSLC/tunnel"):
        """CONNECT with the login's cookie; gives the answer."""
        cookie = cookie if cookie is not None else self.cookies.get("webvpn")
        lines = ["CONNECT %s HTTP/1.1" % path, "Host: server", "User-Agent: " + self.agent]
        if cookie:
            lines.append("Cookie: webvpn=" + cookie)
        lines += ["X-CSTP-Version: 1", "X-CSTP-Hostname: e2e", "X-CSTP-Base-MTU: %s" % mtu,
                  "X-CSTP-Address-Type: " + types]
        if ipv6:
            lines.append("X-CSTP-Full-IPv6-Capability: true")
        self.send("\r\n".join(lines + list(headers)) + "\r\n\r\n")
        return self.read()

    def open(self, **options):
        """Login is done: opens the tunnel; gives it."""
        answer = self.connect(**options)
        if answer.status != 200:
            raise Failure("no tunnel:\n" + answer.head)
        return Tunnel(self, answer)


def short_session(cookie):
    """The six characters occtl shows for COOKIE: base64 of the SHA-1 of its bytes."""
    return base64.b64encode(hashlib.sha1(base64.b64decode(cookie)).digest()).decode()[:6]


class Tunnel:
    """An open CSTP channel, packet by packet."""

    DATA, DPD_OUT, DPD_RESP, DISCONNECT, KEEPALIVE, COMPRESSED, TERMINATE = 0, 3, 4, 5, 7, 8, 9

    def __init__(self, web, answer):
        self.web, self.answer = web, answer
        self.address = answer.header("X-CSTP-Address")

    def send(self, kind, payload=b""):
        self.web.send(b"STF\x01" + struct.pack(">HBB", len(payload), kind, 0) + payload)

    def receive(self, seconds=15):
        """The next frame as (type, payload); None when nothing comes in time."""
        self.web.socket.settimeout(seconds)
        try:
            head = self.web.file.read(8)
        except (socket.timeout, ssl.SSLError):
            # A buffered reader is unusable after a timeout: a new one, nothing was half read.
            self.web.file = self.web.socket.makefile("rb")
            return None
        if len(head) < 8:
            return ("closed", b"")
        length, kind = struct.unpack(">HB", head[4:7])
        return kind, self.web.file.read(length)

    def receive_control(self, seconds=15):
        """The next frame that is no data (the kernel sends packets of its own into every device)."""
        while True:
            frame = self.receive(seconds)
            if frame is None or frame[0] != self.DATA:
                return frame

    def receive_data(self, seconds=15):
        """The next inner IPv4 packet."""
        while True:
            frame = self.receive(seconds)
            if frame is None or frame[0] == "closed":
                return None
            if frame[0] == self.DATA and frame[1][:1] and frame[1][0] >> 4 == 4:
                return frame[1]

    def bye(self):
        """The user's goodbye."""
        self.send(self.DISCONNECT, b"\xb0user closed")
        self.web.close()


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def echo_request(source, payload, destination=LAN4, number=1):
    """An IPv4 packet with an ICMP echo request."""
    icmp = struct.pack(">BBHHH", 8, 0, 0, 77, number) + payload
    icmp = icmp[:2] + struct.pack(">H", checksum(icmp)) + icmp[4:]
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(icmp), 0, 0, 64, 1, 0,
                       socket.inet_aton(source), socket.inet_aton(destination))
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + icmp
