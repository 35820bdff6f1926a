"""CONNECT and its answer held to protocol.md 5, 6 and 11: headers, families, MTUs, records, offers of UDP, hellos."""
import re
import socket
import ssl
import time

from lib.net import SERVER4
from lib.spoken import ANYCONNECT, DTLS, pairs
from lib.web import Tunnel, Web

ORDER = """X-CSTP-Version X-CSTP-Hostname X-CSTP-DPD X-CSTP-Default-Domain X-CSTP-Address X-CSTP-Netmask
X-CSTP-Address-IP6 X-CSTP-DNS X-CSTP-NBNS X-CSTP-Split-DNS X-CSTP-Split-Include X-CSTP-Split-Include-IP6
X-CSTP-Tunnel-All-DNS X-CSTP-Client-Bypass-Protocol X-CSTP-Split-Exclude X-CSTP-Split-Exclude-IP6 X-CSTP-Keepalive
X-CSTP-Idle-Timeout X-CSTP-Smartcard-Removal-Disconnect X-CSTP-Rekey-Time X-CSTP-Rekey-Method X-CSTP-Session-Timeout
X-CSTP-Session-Timeout-Remaining
X-CSTP-Disconnected-Timeout X-CSTP-Keep X-CSTP-TCP-Keepalive X-CSTP-License X-DTLS-DPD X-DTLS-Port X-DTLS-Rekey-Time
X-DTLS-Rekey-Method X-DTLS-Keepalive X-DTLS-App-ID X-DTLS-CipherSuite X-CSTP-Base-MTU X-CSTP-MTU X-CSTP-Banner""".split()


def test_head_of_the_tunnel(t):
    """Protocol 66, 67, 68, 70, 72, 5.3, checklist 106, 110: names, order and values of the whole answer."""
    t.server({"dns": ["198.18.1.2", "fd00:19::2"], "nbns": "198.18.1.3", "split-dns": ["a.example", "b.example"],
              "default-domain": "example.com", "no-route": ["198.18.1.128/25", "fd00:19::8/128"],
              "idle-timeout": 1200, "session-timeout": 86400, "mobile-dpd": 1800, "mobile-idle-timeout": 2400,
              "banner": "Hi 100%", "custom-header": ["X-My: %{U} and %{U}", "X-Bad: %{Z}"], "rekey-time": 172800})
    web = t.web().must_login()
    answer = web.connect(headers=DTLS)
    t.equal(answer.lines[0], "HTTP/1.1 200 CONNECTED", "status line")
    got = pairs(answer)
    for pair in (("X-CSTP-Version", "1"), ("X-CSTP-Hostname", "e2e"), ("X-CSTP-DPD", "60"),
                 ("X-CSTP-Default-Domain", "example.com"), ("X-CSTP-Netmask", "255.255.255.0"),
                 ("X-CSTP-DNS", "198.18.1.2"), ("X-CSTP-DNS", "fd00:19::2"), ("X-CSTP-NBNS", "198.18.1.3"),
                 ("X-CSTP-Split-DNS", "a.example"), ("X-CSTP-Split-DNS", "b.example"),
                 ("X-CSTP-Split-Include", "198.18.1.0/255.255.255.0"), ("X-CSTP-Split-Include-IP6", "fd00:19::/64"),
                 ("X-CSTP-Split-Exclude", "198.18.1.128/255.255.255.128"),
                 ("X-CSTP-Split-Exclude-IP6", "fd00:19::8/128"), ("X-CSTP-Tunnel-All-DNS", "false"),
                 ("X-CSTP-Client-Bypass-Protocol", "false"), ("X-CSTP-Keepalive", "3600"),
                 ("X-CSTP-Idle-Timeout", "1200"), ("X-CSTP-Smartcard-Removal-Disconnect", "true"),
                 ("X-CSTP-Rekey-Method", "ssl"), ("X-CSTP-Rekey-Time", "31536000"),
                 ("X-CSTP-Session-Timeout", "86400"), ("X-CSTP-Disconnected-Timeout", "none"),
                 ("X-CSTP-Keep", "true"), ("X-CSTP-TCP-Keepalive", "true"), ("X-CSTP-License", "accept"),
                 ("X-DTLS-DPD", "60"), ("X-DTLS-Port", "443"), ("X-DTLS-Rekey-Method", "ssl"),
                 ("X-DTLS-Keepalive", "3600"), ("X-DTLS-CipherSuite", "PSK-NEGOTIATE"), ("X-CSTP-Base-MTU", "1500"),
                 ("X-CSTP-Banner", "Hi 100%"), ("X-My", "test and test")):
        t.equal(got.count(pair), 1, "count of %s: %s" % pair)
    names = [name for name, _ in got]
    t.expect("X-Bad" not in names, "a header with an unknown variable", answer.head)
    for name in ("Content-Length", "Set-Cookie", "Transfer-Encoding"):
        t.expect(name not in names, name + " in the answer", answer.head)
    known = [name for name in names if name in ORDER]
    t.equal(known, sorted(known, key=ORDER.index), "order")
    t.expect(re.fullmatch("[0-9a-f]{64}", answer.header("X-DTLS-App-ID").lower()), "App-ID", answer.head)
    t.expect(86390 <= int(answer.header("X-CSTP-Session-Timeout-Remaining")) <= 86400, "remaining time", answer.head)
    t.expect(0 < int(answer.header("X-CSTP-MTU")) < 1500, "MTU", answer.head)
    for line in answer.lines:
        t.expect(not line.startswith(("X-CSTP", "X-DTLS")) or re.match("[A-Za-z0-9-]+: [^ ]", line), "form: %r" % line)
    # The default route: no includes, all names through the tunnel; no route at all means the same (103, 108).
    for route in (["default"], ["198.18.1.0/24", "default"], None):
        server = t.servers[0]
        server.stop()
        server.write_conf(route=route, dpd=0, mobile_dpd=0, keepalive=0, rekey_time=0, session_timeout=0,
                          idle_timeout=0, mobile_idle_timeout=0)
        server.start()
        web = t.web().must_login()
        answer = web.connect(headers=DTLS)
        t.expect("Split-Include" not in answer.head and "Split-Exclude" in answer.head, "routes", answer.head)
        t.equal(answer.header("X-CSTP-Tunnel-All-DNS"), "true", "all names")
    for name in ("X-CSTP-DPD", "X-DTLS-DPD", "X-CSTP-Rekey-Time", "X-DTLS-Rekey-Time",
                 "X-CSTP-Session-Timeout-Remaining"):
        t.equal(answer.header(name), None, name + " when switched off")
    for name, value in (("X-CSTP-Rekey-Method", "none"), ("X-CSTP-Idle-Timeout", "none"),
                        ("X-CSTP-Session-Timeout", "none")):
        t.equal(answer.header(name), value, name)


def test_optional_headers(t):
    """Protocol 5.3, 2.8, checklist 110, 128: what single options add to the answer."""
    t.server({"proxy-url": "http://198.18.1.2/%{U}.pac", "client-bypass-protocol": "true", "tunnel-all-dns": "true",
              "listen-host-is-dyndns": "true", "rekey-time": 4000, "rekey-method": "new-tunnel"},
             vhosts=[("ssl.test", {"rekey-method": "ssl"}), ("off.test", {"rekey-time": 0}),
                     ("bad.test", {"proxy-url": "http://%{X}/"})])
    for name, tls, method, low, high in ((None, None, "new-tunnel", 4000, 4030), ("ssl.test", None, "ssl", 31536000, 31536000),
                                         ("ssl.test", ssl.TLSVersion.TLSv1_2, "ssl", 4000, 4030),
                                         ("off.test", None, "none", 0, 0), ("bad.test", None, "new-tunnel", 4000, 4030)):
        answer = t.web(name=name, tls=tls).must_login().connect(headers=DTLS)
        t.equal(answer.header("X-CSTP-Rekey-Method"), method, "method on %s %s" % (name, tls))
        rekey = int(answer.header("X-CSTP-Rekey-Time") or 0)
        t.expect(low <= rekey <= high, "time on %s %s: %d" % (name, tls, rekey))
        t.equal(answer.header("X-DTLS-Rekey-Method"), "ssl" if method == "ssl" else None, "DTLS method on %s" % name)
        t.equal(int(answer.header("X-DTLS-Rekey-Time") or 10), rekey + 10, "DTLS time on %s" % name)
        url = None if name == "bad.test" else "http://198.18.1.2/test.pac"
        for header in ("X-CSTP-MSIE-Proxy-PAC-URL", "X-CSTP-Client-Bypass-Protocol", "X-CSTP-Tunnel-All-DNS",
                       "X-CSTP-DynDNS"):
            t.equal(answer.header(header), url if "PAC" in header else "true", header + " on %s" % name)


def test_agents_and_platforms(t):
    """Protocol 71, 3.3, checklist 107: DNS-IP6 for AnyConnect only, the iOS route, the mobile timers."""
    t.server({"dns": ["198.18.1.2", "fd00:19::2"], "dpd": 90, "mobile-dpd": 1800, "idle-timeout": 1200,
              "mobile-idle-timeout": 2400})
    for agent, v6, ios in (
            ("AnyConnect Windows 4.10.01075", "X-CSTP-DNS-IP6", False), ("anyconnect x", "X-CSTP-DNS-IP6", False),
            ("Cisco AnyConnect VPN Agent for Windows", "X-CSTP-DNS-IP6", False),
            ("Cisco AnyConnect VPN Agent for Apple iPhone 4", "X-CSTP-DNS-IP6", True),
            ("AnyConnect-compatible OpenConnect VPN Agent v9.21", "X-CSTP-DNS", False),
            ("OpenConnect VPN Agent (NetworkManager)", "X-CSTP-DNS", False),
            ("AnyLink Secure Client", "X-CSTP-DNS", False), ("curl", "X-CSTP-DNS", False)):
        web = t.web().must_login()
        web.agent = agent
        answer = web.connect()
        t.equal(answer.headers(v6)[-1:], ["fd00:19::2"], "the IPv6 server for " + agent)
        other = {"X-CSTP-DNS": "X-CSTP-DNS-IP6", "X-CSTP-DNS-IP6": "X-CSTP-DNS"}[v6]
        t.expect("fd00:19::2" not in answer.headers(other), "also as " + other)
        t.equal("2000::/3" in answer.headers("X-CSTP-Split-Include-IP6"), ios, "2000::/3 for " + agent)
        t.equal(answer.header("X-CSTP-DPD"), "1800" if ios else "90", "DPD")
        web.close()
    for header, ios in (("X-AnyConnect-Identifier-Platform: apple-ios", True),
                        ("X-AnyConnect-Identifier-Platform: android", False), ("X-CSTP-License: mobile", False)):
        web = t.web().must_login()
        web.agent = ANYCONNECT
        answer = web.connect(headers=[header])
        t.equal(answer.header("X-CSTP-DPD"), "1800", "DPD with " + header)
        t.equal(answer.header("X-CSTP-Idle-Timeout"), "2400", "idle timeout with " + header)
        t.equal("2000::/3" in answer.headers("X-CSTP-Split-Include-IP6"), ios, "2000::/3 with " + header)
        t.equal(answer.header("X-CSTP-License"), "accept", "license")
        web.close()


def test_address_families(t):
    """Protocol 68, 5.3, checklist 102: what was asked for, as the client can take it."""
    t.server({"dns": ["198.18.1.2", "fd00:19::2"]})
    for types, capable, v4, v6 in (("IPv6,IPv4", True, True, True), ("IPv4", True, True, False),
                                   ("IPv6", True, False, True), ("IPv4,IPv6", False, True, True),
                                   ("", True, True, True), ("ipv4", True, True, False)):
        web = t.web().must_login()
        answer = web.connect(types=types, ipv6=capable)
        what = "%r, capable %s" % (types, capable)
        addresses = answer.headers("X-CSTP-Address")
        t.equal(any("." in a for a in addresses), v4, "IPv4 address: " + what)
        t.equal("X-CSTP-Split-Include: 198" in answer.head, v4, "IPv4 route: " + what)
        t.equal("X-CSTP-DNS: 198" in answer.head, v4, "IPv4 DNS: " + what)
        t.equal(answer.header("X-CSTP-Address-IP6") is not None, v6 and capable, "Address-IP6: " + what)
        t.equal(any(":" in a for a in addresses), v6 and not capable, "IPv6 in X-CSTP-Address: " + what)
        t.equal("X-CSTP-Split-Include-IP6" in answer.head, v6 and capable, "IPv6 route: " + what)
        t.equal("fd00:19::2" in answer.head, v6 and capable, "IPv6 DNS: " + what)
        web.close()


def test_nonsense_in_mtu_headers(t):
    """Protocol 83, 69, 10.2, checklist 130: absurd numbers change nothing; small links lose IPv6."""
    server = t.server({"dns": ["198.18.1.2", "fd00:19::2"]})

    def mtus(*headers):
        web = t.web().must_login()
        lines = ["CONNECT /CSCOSSLC/tunnel HTTP/1.1", "Cookie: webvpn=" + web.cookies["webvpn"],
                 "X-CSTP-Address-Type: IPv6,IPv4", "X-CSTP-Full-IPv6-Capability: true"] + list(headers)
        web.send("\r\n".join(lines) + "\r\n\r\n")
        answer = web.read()
        web.close()
        t.equal(answer.status, 200, "status with %s" % (headers,))
        return int(answer.header("X-CSTP-Base-MTU")), int(answer.header("X-CSTP-MTU")), answer
    link, data, _ = mtus()
    t.expect(800 <= link <= 1500 and data < link, "MTUs without headers: %d %d" % (link, data))
    for value in ("0", "1", "30", "799", "65536", "16385", "4294967295", "4294967296", "-1", "text", "1e3", "",
                  "99999999999999999999", "0x500", "+1400"):
        for name in ("X-CSTP-Base-MTU: ", "X-CSTP-MTU: "):
            t.equal(mtus(name + value)[:2], (link, data), name + value)
    t.equal(mtus("X-CSTP-Base-MTU: 1400")[0], 1400, "a believable link")
    t.equal(mtus("X-CSTP-Base-MTU: 9000")[0], link, "a link larger than the path")
    small, inner, answer = mtus("X-CSTP-Base-MTU: 1300")
    t.expect(small == 1300 and inner < 1280, "MTUs: %d %d" % (small, inner))
    for text in ("IP6", "fd00:"):
        t.expect(text not in answer.head, text + " on a small link", answer.head)
    t.expect("X-CSTP-Address: 198.19.0." in answer.head, "no IPv4", answer.head)
    # Nothing but IPv6, and no room for it: no address is left to announce (5.3).
    web = t.web().must_login()
    answer = web.connect(types="IPv6", mtu=1300)
    t.equal(answer.lines[0], "HTTP/1.1 503 Service Unavailable", "status with IPv6 only on a small link")
    t.expect(answer.header("X-Reason"), "no reason", answer.head)
    server.stop()
    server.write_conf(mtu=1300)
    server.start()
    t.expect(mtus()[1] <= 1300, "mtu is the upper bound")


def test_outer_ipv6(t):
    """Protocol 5.5: the MTU counts the headers of the outer family."""
    t.server()
    four = t.web().must_login().connect(headers=DTLS)
    web = t.web(host="fd00:18::1")
    web.must_login()
    six = web.connect(headers=DTLS)
    t.equal(int(four.header("X-CSTP-MTU")) - int(six.header("X-CSTP-MTU")), 20, "difference of the MTUs")


def test_host_names(t):
    """Checklist 157: which names are taken, cut at the dot."""
    t.server()
    for name, wanted in (("-hello", None), ("hello-", None), ("1234!", None), ("192.168.1.1", None),
                         ("fd00::1", None), ("a" * 64, None), ("a" * 63, "a" * 63), ("12345", "12345"),
                         ("12-hello", "12-hello"), ("aaa.bbb", "aaa"), ("a b", None), ("a/b", None), (".", None),
                         ("a%0d%0aX: y", None), ("\u00e9", None), ("../x", None), ("a" * 64 + ".b", None)):
        web = t.web().must_login()
        lines = ["CONNECT /CSCOSSLC/tunnel HTTP/1.1", "Cookie: webvpn=" + web.cookies["webvpn"],
                 "X-CSTP-Hostname: " + name]
        web.send("\r\n".join(lines) + "\r\n\r\n")
        t.equal(web.read().header("X-CSTP-Hostname"), wanted, "host name %r" % name)
        web.close()


def test_dtls_as_announced(t):
    """Protocol 87, 88, 94, 5.1, checklist 115, 117: which mode for which lists, no secret, hosts without UDP."""
    t.server({"dtls-legacy": "true"}, vhosts=[("mute.test", {"no-udp": "true"}), ("loud.test", {"keepalive": 5}),
                                              ("new.test", {"dtls-legacy": "false"})])
    secret, psk = "X-DTLS-Master-Secret: " + "Ab" * 48, "X-DTLS-CipherSuite: PSK-NEGOTIATE"
    old, new = "X-DTLS-CipherSuite: DES-CBC3-SHA:AES128-SHA", "X-DTLS12-CipherSuite: AES128-GCM-SHA256"
    both = "X-DTLS-CipherSuite: PSK-NEGOTIATE:AES128-SHA"
    for name, headers, names in (
            (None, [secret, both, new], "App-ID CipherSuite"), (None, [secret, old, new], "Session-ID 12"),
            (None, [secret, old], "Session-ID CipherSuite"), (None, [old, new], ""), (None, [], ""),
            (None, [secret], ""), (None, [secret, "X-DTLS-CipherSuite: NULL:FOO"], ""),
            (None, [secret[:-2], old], ""), (None, [secret + "ab", old], ""), (None, [secret[:-1] + "g", old], ""),
            ("mute.test", [secret, both, new], ""), ("loud.test", [secret, both, new], "App-ID CipherSuite"),
            ("loud.test", [secret, psk], "App-ID CipherSuite"), ("new.test", [secret, old, new], ""),
            ("new.test", [secret, both], "App-ID CipherSuite")):
        web = t.web(name=name).must_login()
        answer = web.connect(headers=headers)
        what = "%s on %s" % ([h.split(": ")[0] + h[20:40] for h in headers], name)
        t.equal(answer.status, 200, "status: " + what)
        got = " ".join(n for n, h in (("App-ID", "X-DTLS-App-ID"), ("Session-ID", "X-DTLS-Session-ID"),
                                      ("CipherSuite", "X-DTLS-CipherSuite"), ("12", "X-DTLS12-CipherSuite"))
                       if answer.header(h))
        t.equal(got, names, "mode: " + what)
        if names:
            t.equal(answer.header("X-DTLS-Port"), "443", "port: " + what)
            t.equal(answer.header("X-DTLS-MTU") is not None, "Session" in names, "X-DTLS-MTU: " + what)
        else:
            t.expect("X-DTLS" not in answer.head, "UDP is announced: " + what, answer.head)
        t.expect(int(answer.header("X-CSTP-MTU")) >= 1280, "MTU: " + what)
        web.close()


def test_frames(t):
    """Protocol 73, 74, 75, 10.40: split and joined frames, empty payloads, 65535 bytes, rubbish."""
    t.server()
    tunnel = t.web().must_login().open()
    dpd = b"STF\x01\x00\x04\x03\x00ping"
    for byte in dpd:
        tunnel.web.send(bytes([byte]))
    t.equal(tunnel.receive_control(), (Tunnel.DPD_RESP, b"ping"), "a frame in single bytes")
    tunnel.web.send(dpd + b"STF\x01\x00\x00\x07\x00" + b"STF\x01\x00\x00\x00\x00" + b"STF\x01\x00\x00\x03\x00")
    t.equal(tunnel.receive_control(), (Tunnel.DPD_RESP, b"ping"), "joined frames")
    t.equal(tunnel.receive_control(), (Tunnel.DPD_RESP, b""), "the fourth of the joined frames")
    tunnel.send(0x42, b"what")
    tunnel.send(Tunnel.DPD_RESP, b"unasked")
    tunnel.send(Tunnel.KEEPALIVE)
    t.expect(tunnel.receive_control(0.5) is None, "something was answered")
    for what, data in (("bad magic", b"STX\x01\x00\x00\x00\x00"), ("bad version", b"STF\x02\x00\x00\x00\x00"),
                       ("byte 7", b"STF\x01\x00\x00\x00\x01"), ("too long", b"STF\x01\xff\xff\x00\x00" + b"x" * 65535),
                       ("compressed without negotiation", b"STF\x01\x00\x01\x08\x00x"), ("HTTP", b"GET / HTTP/1.1\r\n\r\n")):
        tunnel = t.web().must_login().open()
        try:
            tunnel.web.send(data)
        except OSError:
            pass
        t.expect(tunnel.web.is_closed(), what + ": the tunnel lives on")


class Records:
    """A TLS connection whose records are looked at one by one."""

    def __init__(self, t):
        self.raw = Web(t, raw=True).socket
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing)
        self.buffer = b""
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.flush()
                self.incoming.write(self.record())
        self.flush()

    def flush(self):
        self.raw.sendall(self.outgoing.read())

    def record(self):
        """The next record as it came."""
        while len(self.buffer) < 5 or len(self.buffer) < 5 + int.from_bytes(self.buffer[3:5], "big"):
            piece = self.raw.recv(65536)
            if not piece:
                raise ConnectionError("closed")
            self.buffer += piece
        length = 5 + int.from_bytes(self.buffer[3:5], "big")
        record, self.buffer = self.buffer[:length], self.buffer[length:]
        return record

    def send(self, data):
        self.tls.write(data)
        self.flush()

    def content(self):
        """What the next record with data of the application holds."""
        while True:
            self.incoming.write(self.record())
            try:
                return self.tls.read(65536)
            except ssl.SSLWantReadError:
                pass


def test_one_frame_a_record(t):
    """Protocol 73, 5.3, 5.6: the answer's head in records of its own, then each frame in one of its own."""
    t.server({"rekey-time": 0})
    cookie = t.web().must_login().cookies["webvpn"]
    link = Records(t)
    link.send(("CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nCookie: webvpn=%s\r\nX-CSTP-Address-Type: IPv4\r\n\r\n"
               % cookie).encode())
    head = link.content()
    t.expect(head.startswith(b"HTTP/1.1 200 CONNECTED\r\n") and head.endswith(b"\r\n\r\n"), "the head", head)
    link.send(b"".join(b"STF\x01\x00\x01\x03\x00%c" % n for n in range(20)))
    got = []
    while len(got) < 20:
        frame = link.content()
        t.equal(len(frame), 8 + int.from_bytes(frame[4:6], "big"), "bytes of the record %r" % frame[:20])
        if frame[6] == 4:
            got.append(frame[8])
    t.equal(got, list(range(20)), "answers")


def hello(session, random, suites=(0x00a8, 0x00a9), sequence=0, message=0, cookie=b""):
    """A DTLS 1.2 ClientHello in a record."""
    body = b"\xfe\xfd" + random + bytes([len(session)]) + session + bytes([len(cookie)]) + cookie
    body += (2 * len(suites)).to_bytes(2, "big") + b"".join(suite.to_bytes(2, "big") for suite in suites) + b"\x01\x00"
    length = len(body).to_bytes(3, "big")
    handshake = b"\x01" + length + message.to_bytes(2, "big") + b"\0\0\0" + length + body
    return b"\x16\xfe\xff\0\0" + sequence.to_bytes(6, "big") + len(handshake).to_bytes(2, "big") + handshake


def cpu_of(pid):
    with open("/proc/%d/stat" % pid) as stat:
        fields = stat.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_hellos_that_lead_nowhere(t):
    """Protocol 85, 90, 93, 95, 10.7, 10.19, 10.21: unknown ids and zero randoms get no answer; a failed handshake
    costs no time; the tunnel goes on."""
    server = t.server()
    web = t.web().must_login()
    answer = web.connect(headers=DTLS)
    tunnel, app = Tunnel(web, answer), bytes.fromhex(answer.header("X-DTLS-App-ID"))
    udp = t.net.socket(t.net.cli, socket.AF_INET, socket.SOCK_DGRAM)

    def ask(data, seconds=1):
        udp.settimeout(seconds)
        udp.sendto(data, (SERVER4, 443))
        try:
            return udp.recvfrom(4096)[0]
        except TimeoutError:
            return None
    good = bytes(range(32))
    t.expect(ask(hello(b"\xee" * 32, good)) is None, "an unknown id was answered")
    t.expect(ask(hello(app[:31], good)) is None, "a short id was answered")
    t.expect(ask(hello(app, bytes(32))) is None, "a random of zeros was answered")
    for junk in (b"", b"\x16", b"\x16\xfe\xff" + b"\0" * 30, hello(app, good)[:60], b"\xff" * 1400):
        t.expect(ask(junk) is None, "%r was answered" % junk[:20])
    reply = ask(hello(app, good), 20)
    t.expect(reply and reply[0] == 0x16, "the right id was not answered: %r" % reply)
    for junk in (b"\x16\xfe\xfd\0\0\0\0\0\0\0\x05\x00\x20" + b"\x10" * 32, b"\x14\xfe\xfd\0\0\0\0\0\0\0\x06\0\x01\x01",
                 b"\x16\xfe\xfd\0\x01\0\0\0\0\0\0\x00\x40" + b"x" * 64, b"\x15\xfe\xfd\0\0\0\0\0\0\0\x07\0\x02\x02\x28"):
        udp.sendto(junk, (SERVER4, 443))
    worker = server.roles()["workers"][0]
    before = cpu_of(worker)
    time.sleep(3)
    t.expect(cpu_of(worker) - before < 30, "the worker is busy: %d ticks" % (cpu_of(worker) - before))
    tunnel.send(Tunnel.DPD_OUT, b"alive")
    t.equal(tunnel.receive_control(), (Tunnel.DPD_RESP, b"alive"), "the tunnel")
    # After a reconnect the old id is nobody's.
    web = t.web(cookies=web.cookies)
    answer = web.connect(headers=DTLS)
    t.expect(answer.header("X-DTLS-App-ID") != app.hex(), "the same App-ID")
    udp.close()
    udp = t.net.socket(t.net.cli, socket.AF_INET, socket.SOCK_DGRAM)
    t.expect(ask(hello(app, good)) is None, "the old App-ID was answered")
    t.expect(ask(hello(bytes.fromhex(answer.header("X-DTLS-App-ID").lower()), good), 20), "the new App-ID was not answered")
    udp.close()
