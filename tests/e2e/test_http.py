"""HTTP as the server speaks it: limits, framing, paths, cookies on the wire (protocol.md 3 and 10, checklist R)."""
import base64
import socket
import ssl
import time

from lib.harness import marks
from lib.shell import sh, wait_for
from lib.web import INIT, Web

REQUEST = b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"


def answers(web, data, seconds=3):
    """Sends DATA and gives every byte that comes until the server closes or is silent for SECONDS, and whether it
    closed."""
    got = b""
    web.socket.settimeout(seconds)
    try:
        web.send(data)
    except OSError:
        pass
    try:
        while True:
            piece = web.socket.recv(65536)
            if not piece:
                return got, True
            got += piece
    except TimeoutError:
        return got, False
    except OSError:
        return got, True


def init_request(path="/", more="", body=None):
    body = (INIT % (path, "")).encode() if body is None else body
    return b"POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n" % (path.encode(), more.encode(), len(body)) + body


def test_unknown_methods_get_404_and_a_close(t):
    """Protocol 15: whatever is not GET, POST or CONNECT."""
    t.server()
    for method in (b"PUT", b"HEAD", b"OPTIONS", b"DELETE", b"TRACE", b"get", b"GETX", b"PRI"):
        got, closed = answers(t.web(), method + b" / HTTP/1.1\r\nHost: x\r\n\r\n")
        t.expect(got.startswith(b"HTTP/1.1 404 Not found\r\n"), "%s: %r" % (method, got[:100]))
        t.expect(closed, "%s: the connection stays open" % method)


def test_connect_carries_a_path(t):
    """Protocol 14, 65: with and without the slash; any other target is 404."""
    t.server()
    cookie = t.web().must_login().cookies["webvpn"]
    for target, status in (("/CSCOSSLC/tunnel", 503), ("CSCOSSLC/tunnel", 503), ("/other", 404), ("server:443", 404),
                           ("/CSCOSSLC/tunnel/x", 404), ("/", 404), ("/CSCOSSLC", 404)):
        answer = t.web().request("CONNECT", target, xml=False)
        t.equal(answer.status, status, "status of CONNECT " + target)
        if status == 503:
            t.equal(answer.lines[0], "HTTP/1.1 503 Service Unavailable", "status line without a cookie")
            t.expect(answer.header("X-Reason"), "no X-Reason", answer.head)
    t.equal(t.web().connect(cookie=cookie, path="CSCOSSLC/tunnel").status, 200, "status without the slash")


def test_limits_of_url_headers_and_body(t):
    """Protocol 16, 10.4, checklist 197: at the limit served, one byte over it closed without an answer."""
    t.server()

    def head(total):
        """A GET whose header names and values are TOTAL bytes."""
        lines, left = [], total
        while left:
            size = min(left, 2000)
            if 0 < left - size < 4:
                size -= 4
            lines.append(b"X-P:%s" % (b"a" * (size - 3)))
            left -= size
        return b"GET /nothing HTTP/1.1\r\n" + b"\r\n".join(lines) + b"\r\n\r\n"

    big = (INIT % ("/", "")).encode()
    for what, request, served in (
            ("URL of 255", b"GET /%s HTTP/1.1\r\n\r\n" % (b"a" * 254), b"404"),
            ("URL of 256", b"GET /%s HTTP/1.1\r\n\r\n" % (b"a" * 255), None),
            ("URL of 64 KiB", b"GET /%s HTTP/1.1\r\n\r\n" % (b"a" * 65535), None),
            ("headers of 16 KiB", head(16384), b"404"),
            ("headers over 16 KiB", head(16385), None),
            ("1600 headers", b"GET /nothing HTTP/1.1\r\n" + b"X-Abc: defg\r\n" * 1600 + b"\r\n", b"404"),
            ("an endless header", b"GET / HTTP/1.1\r\nX-A: " + b"a" * 100000, None),
            ("body of 256 KiB", init_request(body=big + b" " * (262144 - len(big))), b"200"),
            ("body over 256 KiB", init_request(body=big + b" " * (262145 - len(big))), None),
            ("huge length", b"POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\nx", None),
            ("chunk of 4 GiB", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nx", None),
            ("chunks over 256 KiB", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" +
             (b"8000\r\n" + b"x" * 32768 + b"\r\n") * 9 + b"0\r\n\r\n", None)):
        got, closed = answers(t.web(), request)
        if served:
            t.expect(got.startswith(b"HTTP/1.1 " + served), "%s: %r" % (what, got[:60]))
        else:
            t.expect(not got and closed, "%s: answered %r, closed %s" % (what, got[:60], closed))
    t.web().must_login()


def test_requests_with_two_readings_are_refused(t):
    """Protocol 18, 10.3, checklist 198: nothing that two readers could cut differently is answered."""
    t.server()
    post = b"POST / HTTP/1.1\r\nHost: x\r\n"
    tail = REQUEST
    for what, request in (
            ("length and chunked", post + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + tail),
            ("chunked and length", post + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + tail),
            ("two lengths", post + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
            ("a list of lengths", post + b"Content-Length: 3, 4\r\n\r\nabcd"),
            ("a negative length", post + b"Content-Length: -1\r\n\r\n"),
            ("a length with a sign", post + b"Content-Length: +3\r\n\r\nabc"),
            ("a length in hex", post + b"Content-Length: 0x3\r\n\r\nabc"),
            ("chunked twice", post + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            ("obs-fold", b"GET / HTTP/1.1\r\nX-A: b\r\n c\r\n\r\n"),
            ("no colon", b"GET / HTTP/1.1\r\nX-A\r\n\r\n"),
            ("a blank before the colon", b"GET / HTTP/1.1\r\nX-A : b\r\n\r\n"),
            ("no name", b"GET / HTTP/1.1\r\n: b\r\n\r\n"),
            ("bare LF", b"GET / HTTP/1.1\nX-A: b\n\n"),
            ("NUL in a header", b"GET / HTTP/1.1\r\nX-A: b\0c\r\n\r\n"),
            ("CR in a header", b"GET / HTTP/1.1\r\nX-A: b\rc\r\n\r\n"),
            ("two blanks", b"GET  / HTTP/1.1\r\n\r\n"),
            ("absolute target", b"GET https://server/ HTTP/1.1\r\n\r\n"),
            ("no version", b"GET /\r\n\r\n"),
            ("body in CONNECT", b"CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"),
            ("chunk size with rubbish", post + b"Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n")):
        got, closed = answers(t.web(), request)
        t.expect(b"HTTP/1.1 200" not in got and got.count(b"HTTP/1.1 ") <= 1, "%s: served: %r" % (what, got[:80]))
        t.expect(closed, what + ": the connection stays open")


def test_requests_in_pieces(t):
    """Protocol 3.1: a request spread over records, chunked bodies, the same length given twice."""
    t.server()
    web = t.web()
    for byte in init_request():
        web.send(bytes([byte]))
    t.equal(web.read().status, 200, "status of a request in single bytes")
    body = (INIT % ("/", "")).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 50]), body[i:i + 50]) for i in range(0, len(body), 50))
    web.send(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    answer = web.read()
    t.expect(answer.status == 200 and "<form" in answer.body, "no form for a chunked body", answer.head)
    got, _ = answers(t.web(), b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\na=b", 1)
    t.expect(got.startswith(b"HTTP/1.1 200"), "equal lengths: %r" % got[:60])


def test_bytes_before_the_answer_end_the_connection(t):
    """Protocol 17, 10.3, checklist 198: in the same record, in the next one, behind a body."""
    server = t.server()
    for what, data in (("in one record", init_request() + REQUEST),
                       ("behind a body", init_request(body=b"<x/>") + b"GET / HTTP/1.1\r\n\r\n")):
        got, closed = answers(t.web(), data)
        t.expect(not got and closed, "%s: answered %r" % (what, got[:60]))
    # A login step takes auth some time: what comes meanwhile was sent before the answer.
    with open(server.dir + "/passwd", "w") as passwd:
        passwd.write("test:*:%s\n" % sh("perl", "-e", 'print crypt("x", "\$5\$rounds=500000\$salt")').stdout)
    web = t.web()
    web.init()
    web.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    web.send(init_request("/auth", body=b"username=test&password=wrong"))
    got, closed = answers(web, REQUEST)
    t.expect(b"404" not in got and closed, "a second record was served: %r, closed %s" % (got[-200:], closed))


def test_sixteen_requests(t):
    """Protocol 3.1: the sixteenth answer is the last."""
    server = t.server()
    web = t.web()
    for n in range(16):
        t.equal(web.get("/1/index.html").status, 200, "status of request %d" % (n + 1))
    t.expect(web.is_closed(), "the connection lives on")
    server.wait_log("maximum number of HTTP requests reached")


def test_connection_headers(t):
    """Protocol 3.1, 19: HTTP/1.0 and Connection: close end it; every answer has a length."""
    t.server()
    for head in (b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
                 b"GET / HTTP/1.1\r\nconnection: foo, Close\r\n\r\n"):
        got, closed = answers(t.web(), head)
        t.expect(got.startswith(b"HTTP/1.1 200 OK\r\n") and closed, "%r: %r closed %s" % (head, got[:40], closed))
        t.expect(b"Connection: close\r\n" in got, "says it stays open: %r" % got)
    web = t.web()
    for path, status in (("/", 200), ("/auth", 200), ("/VPN", 200), ("/1/Linux_64", 200), ("/nothing", 404)):
        answer = web.get(path)
        t.equal(answer.status, status, "status of " + path)
        t.expect(answer.lines[0].startswith("HTTP/1.1 ") and answer.header("Content-Length"), "no length", answer.head)


def test_security_headers_on_every_answer(t):
    """Protocol 24, checklist 199: 200, 401, 404, 405, 503, profiles and CONNECT alike; the built-in list without a
    configured one."""
    server = t.server({"kkdcp": "/KdcProxy REALM tcp@198.18.1.9:88"}, start=False)
    server.write_conf(user_profile=server.write_file("profile", "<x/>"))
    server.start()

    def every_answer():
        web = t.web().must_login()
        wrong = t.web()
        wrong.login(password="wrong")
        wrong.reply([("password", "wrong")])
        return [t.web().init(), t.web().get("/1/index.html"), t.web().get("/nothing"),
                t.web().request("BREW", "/"), wrong.reply([("password", "wrong")]),
                t.web().connect(cookie=""), t.web().connect(cookie=base64.b64encode(b"x" * 32).decode()),
                t.web().get("/svc"), t.web().get("/KdcProxy"), t.web().post("/KdcProxy", "x"),
                t.web(cookies=web.cookies).get("/profiles/x"), t.web().post("/", "<x"), web.connect()]
    for answer in every_answer():
        for line in ("X-Frame-Options: deny", "Cache-Control: no-store, no-cache", "X-Content-Type-Options: nosniff"):
            t.equal(answer.lines.count(line), 1, "count of %r in %s" % (line, answer.lines[0]))
    lines = ['Clear-Site-Data: "cache","cookies"', "X-One: a; b=\"c\"", "x-frame-options: SAMEORIGIN"]
    server.stop()
    server.write_conf(included_http_headers=lines + [lines[1], "Content-Length: 1", "no header"])
    server.start()
    for text in ("'Content-Length: 1' is not sent: the server sends its own", "'no header' is not sent: it is no header"):
        t.expect(text in server.log(), "no warning: " + text)
    for answer in every_answer():
        for line in lines:
            t.equal(answer.lines.count(line), 1, "count of %r in %s" % (line, answer.lines[0]))
        t.expect("nosniff" not in answer.head, "the built-in list is sent as well", answer.head)


def test_paths(t):
    """Protocol 21, 22, checklist 201: the table of protocol.md 3.4; what is not in it is 404 and the end."""
    t.server()
    manifest = '<?xml version="1.0" encoding="UTF-8"?>\n<vpn rev="1.0">\n</vpn>\n'
    page = "<html></html>"
    for path, kind, body in (
            ("/VPNManifest.xml", "text/xml", manifest), ("/1/VPNManifest.xml", "text/xml", manifest),
            ("/1/VPNManifest.xml?x=y", "text/xml", manifest), ("/1/VPNManifest.xml/x", "text/xml", manifest),
            ("/+CSCOT+/translation-table?textdomain=AnyConnect&type=manifest", "text/xml", manifest),
            ("/+CSCOT+/oem-customization?app=AnyConnect&type=oem", "text/xml", manifest),
            ("/1/index.html", "text/html", page), ("/1/Linux", "text/html", page), ("/1/Linux_64", "text/html", page),
            ("/1/Windows", "text/html", page), ("/1/Windows_ARM64", "text/html", page),
            ("/1/Darwin_i386", "text/html", page), ("/logout", "text/html", page)):
        answer = t.web().get(path)
        t.equal(answer.status, 200, "status of " + path)
        t.equal((answer.header("Content-Type") or "").split(";")[0], kind, "type of " + path)
        t.equal(answer.body.strip(), body.strip(), "body of " + path)
    t.equal(t.web().get("/1/binaries/update.txt").body, "0,0,0000\n", "update.txt")
    answer = t.web().get("/1/binaries/vpndownloader.sh")
    t.equal(answer.header("Content-Type"), "application/x-shellscript", "type of the downloader")
    t.expect(answer.body.startswith("#!/bin/sh") and "exit 0" in answer.body, "downloader", answer.body)
    for path in ("/", "/auth", "/VPN", "/auth/", "/VPN?x", "/?x=y", "/auth?a=/b?c"):
        answer = t.web().get(path)
        t.expect(answer.status == 200 and "<form" in answer.body, "GET %s: no form" % path, answer.head)
    for path in ("/", "/auth", "/VPN", "/+webvpn+/index.html", "/whatever", "/?k=v", "/auth?k=v"):
        answer = t.web().init(path)
        t.expect(answer.status == 200 and "<form" in answer.body, "POST %s: no form" % path, answer.head)
    for path in ("/.well-known/acme-challenge/x", "/cert.pem", "/ca.cer", "/svc", "/profiles/x.xml",
                 "/profiles%2Fx.xml", "/../../../etc/passwd", "/1/../../etc/passwd", "//", "/1/Linux_6", "/indexx",
                 "/+CSCOE+/saml/sp/login?ctx=1", "/CACHE/sdesktop/data.xml", "/group", "/favicon.ico", "/authx",
                 "/VPNManifest.xmlx", "/%2e%2e/etc/passwd"):
        web = t.web()
        answer = web.get(path)
        t.equal(answer.lines[0], "HTTP/1.1 404 Not found", "status line of " + path)
        t.equal((answer.header("Connection"), answer.body.strip()),
                ("close", "<html><body><h1>404 Not Found</h1></body></html>"), "the answer for " + path)
        t.expect(web.is_closed(), path + ": the connection stays open")
    for path in ("/svc", "/whatever"):
        web = t.web().must_login()
        t.equal(web.post(path, "a=b").status, 404, "POST %s after the login" % path)


def test_cookies_of_odd_lengths(t):
    """Protocol 10.1, checklist 39: an ordinary answer to each, and nobody dies."""
    server = t.server()
    good = t.web().must_login().cookies["webvpn"]
    roles = server.roles()
    texts = ["", "A" * 43, "A" * 44, "A" * 45, "A" * 4096, "A" * 16000, "!" * 44, "=" * 44, "A" * 42 + "==",
             "A" * 43 + " ", "%41" * 44, "\"" + "A" * 43 + "=\"", base64.b64encode(b"\0" * 31).decode(),
             base64.b64encode(b"\0" * 33).decode(), good[:-2] + "==", good.lower()]
    for text in texts:
        for name in ("webvpncontext", "webvpn"):
            answer = t.web(cookies={name: text}).init()
            t.expect(answer.status == 200 and "<form" in answer.body, "%s=%.50s: %s" % (name, text, answer.lines[0]))
        answer = t.web().connect(cookie=text)
        t.equal(answer.status, 401 if text else 503, "status with the cookie %.50s" % text)
        if text:
            t.equal(answer.lines[0], "HTTP/1.1 401 Cookie is not acceptable", "status line")
            t.equal(answer.header("Content-Length"), "0", "length")
    t.equal({**server.roles(), "workers": 0}, {**roles, "workers": 0}, "the server's processes")
    connect = "CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n"
    for what, cookie in (
            ("the last valid one wins", "Cookie: webvpn=AAAA; webvpn=%s; webvpn=BBBB" % good),
            ("several lines", "Cookie: a=b\r\ncookie: x=y;webvpn=%s;z\r\nCookie: webvpncontext=1" % good),
            ("blanks", "Cookie:  \t ; ;; webvpn=%s  ;" % good)):
        web = t.web()
        web.send(connect % cookie)
        t.equal(web.read().status, 200, what)
        web.close()


def test_probes_of_load_balancers_leave_no_trace(t):
    """Protocol 9: without bytes and with a handshake only; no notice, warning or error."""
    server = t.server(debug=0, start=False)
    server.start(wait=False)  # without the word that it is ready
    wait_for("the server to serve", lambda: server.is_listening() and "auth" in server.roles())
    t.web().must_login()
    start = len(server.log())
    for _ in range(3):
        Web(t, raw=True).close()
        t.web().close()
    time.sleep(1)
    t.equal(server.log()[start:], "", "log after the probes at -d 0")
    t.web().must_login()


def client_context(alpn=None, tls=None, ciphers=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(alpn)
    if ciphers:
        context.set_ciphers(ciphers)
    if tls:
        context.minimum_version = context.maximum_version = tls
    return context


def handshake(t, name=None, **options):
    """A TLS connection; gives the socket, or the error of the handshake."""
    web = Web(t, raw=True)
    try:
        web.socket = client_context(**options).wrap_socket(web.socket, server_hostname=name)
    except OSError as error:
        return error
    return web.socket


def test_alpn(t):
    """Protocol 1, 2: nothing offered, known and unknown ids; never h2 and never an alert."""
    t.server()
    for offered, wanted in ((None, (None,)), (["http/1.1"], ("http/1.1",)),
                            (["openconnect-vpn/1.1"], ("openconnect-vpn/1.1",)),
                            (["h2", "http/1.1"], ("http/1.1",)), (["h2"], (None,)), (["x", "y"], (None,)),
                            (["h2", "openconnect-vpn/1.1", "http/1.1"], ("http/1.1", "openconnect-vpn/1.1"))):
        got = handshake(t, alpn=offered)
        t.expect(not isinstance(got, Exception), "%s: %s" % (offered, got))
        t.expect(got.selected_alpn_protocol() in wanted, "%s: %s" % (offered, got.selected_alpn_protocol()))


def test_old_tls_is_off(t):
    """Protocol 6, 7: 1.0 and 1.1 are refused by the server; in compat mode 1.3 is, too."""
    server = t.server({"tls-priorities": None})
    any_cipher = "ALL:@SECLEVEL=0"
    for version, works in ((ssl.TLSVersion.TLSv1, False), (ssl.TLSVersion.TLSv1_1, False),
                           (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)):
        got = handshake(t, tls=version, ciphers=any_cipher)
        t.equal(not isinstance(got, Exception), works, "%s: %s" % (version, got))
        if not works:
            t.expect("alert" in str(got).lower(), "not the server refused %s: %s" % (version, got))
    server.stop()
    server.write_conf(cisco_client_compat="true")
    server.start()
    t.expect(isinstance(handshake(t, tls=ssl.TLSVersion.TLSv1_3), Exception), "TLS 1.3 in compat mode")
    t.expect(not isinstance(handshake(t, tls=ssl.TLSVersion.TLSv1_2), Exception), "no TLS 1.2 in compat mode")


@marks(seconds=90)
def test_handshake_has_forty_seconds(t):
    """Protocol 10, 2.1: whoever does not finish TLS is closed after 40 s, long before auth-timeout."""
    t.server({"auth-timeout": 240})
    web = Web(t, raw=True)
    start = time.monotonic()
    web.send(b"\x16\x03\x01\x02\x00")
    t.expect(web.is_closed(60), "an unfinished handshake stays open")
    spent = time.monotonic() - start
    t.expect(38 < spent < 55, "closed after %.1f s" % spent)


def test_no_wait_after_the_handshake(t):
    """Protocol 4.9: a client that lets TCP collect small writes has its first answer at once, not after 40 ms."""
    t.server()
    times = []
    while len(times) < 10 or (min(times) >= 0.03 and len(times) < 100):
        web = t.web(tls=ssl.TLSVersion.TLSv1_3)
        start = time.monotonic()
        web.init()
        times.append(time.monotonic() - start)
    t.expect(min(times) < 0.03, "the quickest of %d first answers took %.0f ms" % (len(times), min(times) * 1000))
