"""Who gets in: the login dialogue, with openconnect and by hand."""
import ssl
import time

from lib.client import authenticate
from lib.server import PASSWORD
from lib.web import INIT, Web


def test_right_password_opens_a_tunnel(t):
    """Checklist 25, 171: the right name and password give a cookie and a tunnel; after the goodbye nobody is shown."""
    server = t.server()
    client = t.client(dtls=False).wait()
    user = server.user()
    t.equal(user["IPv4"], client.ip4, "address in occtl")
    t.equal(client.stop(), 0, "exit status of openconnect")
    server.wait_no_user()
    server.wait_log(r"user disconnected \(reason: user disconnected, rx: \d+, tx: \d+\)")


def test_wrong_unknown_and_locked_are_refused(t):
    """Checklist 26, 27, 28, 29, 31: wrong, empty, unknown and locked get no cookie; an empty password may be one."""
    server = t.server(users={"test": None, "locked": None, "noword": None})
    server.passwd("locked", PASSWORD, None, "-l")
    passwd = server.dir + "/passwd"
    with open(passwd) as lines:
        text = [line for line in lines if not line.startswith("noword:")]
    with open(passwd, "w") as out:  # the hash of the empty string, SHA-256 crypt
        out.writelines(text + ["noword:*:%s\n" % empty_hash()])
    t.expect(authenticate(t, "test", "wrong") is None, "a wrong password gave a cookie")
    for user, password, reason in (("test", "wrong", "wrong password"), ("test", "", "wrong password"),
                                   ("nobody-here", PASSWORD, "unknown user"), ("locked", PASSWORD, "locked")):
        web = t.web()
        answer = web.login(user, password)
        t.expect(not answer.success and "webvpn" not in web.cookies, "%s got in with %r" % (user, password))
        server.wait_log(r"plain-auth: try 1 of user '%s' failed \(%s\)" % (user, reason))
    t.web().must_login("noword", "")


def empty_hash():
    """SHA-256 crypt of the empty password with a fixed salt."""
    return "$5$saltsaltsaltsalt$P0cZiyvros5qZpNhAqtAkX//Gvr5Fh5kMjqJ5wVDPq3"


def test_wrong_then_right_succeeds(t):
    """Checklist 32, protocol 36, 37: after a wrong password the form comes again and the right one is taken."""
    t.server()
    web = t.web()
    answer = web.login(password="wrong")
    t.equal(answer.status, 200, "status after the first wrong password")
    t.expect("Login failed" in answer.body, "no word about the failure", answer.body)
    answer = web.reply([("password", PASSWORD)], path=web.action(answer))
    t.expect(answer.success, "the right password was refused", answer.head, answer.body)
    web.open().bye()


def test_three_wrong_passwords_end_the_login(t):
    """Checklist 33: the third wrong password is answered with 401 and the connection ends."""
    server = t.server()
    web = t.web()
    answer = web.login(password="wrong")
    for _ in range(2):
        t.equal(answer.status, 200, "status with tries left")
        answer = web.reply([("password", "wrong")], path=web.action(answer))
    t.equal(answer.status, 401, "status after the third wrong password")
    t.expect(web.is_closed(), "the connection stays open")
    server.wait_log(r"plain-auth: error authenticating user 'test' \(wrong password\)")
    server.wait_said("plain-auth: try 2 of user 'test' failed (wrong password)")
    server.wait_log("failed authentication attempt for user 'test'")
    t.web().must_login()


def test_login_continues_on_another_connection(t):
    """Checklist 38, protocol 39: the context cookie carries a login to another TLS connection."""
    t.server()
    first = t.web()
    answer = first.init()
    if 'name="password"' not in answer.body:
        answer = first.reply([("username", "test")], path=first.action(answer))
    fields = [("username", "test")] if 'name="username"' in answer.body else []
    second = t.web(cookies=first.cookies)
    first.close()
    answer = second.reply(fields + [("password", PASSWORD)], path=second.action(answer))
    t.expect(answer.success, "the login was not continued", answer.head, answer.body)
    second.open().bye()


def test_special_characters(t):
    """Checklist 30, 202, 203, protocol 41: names and passwords with every kind of character, XML and form."""
    word = "!@#$%^&*()<>+=;\"' ü~"
    server = t.server(users={})
    server.passwd("sp@c/al", word)
    t.web().must_login("sp@c/al", word)
    web = t.web()
    answer = web.get("/", xml=False)
    from urllib.parse import quote_plus
    body = "username=" + quote_plus("sp@c/al")
    answer = web.post(web.action(answer), body, xml=False)
    answer = web.post(web.action(answer), "password=" + quote_plus(word), xml=False)
    t.expect(answer.success, "form-encoded login refused", answer.head, answer.body)


def test_legacy_form_client(t):
    """Checklist 35, 36, protocol 40: GET, then name and password in one form-encoded POST; a query string is ignored."""
    t.server()
    web = t.web()
    answer = web.get("/", xml=False)
    t.equal(answer.status, 200, "status of the form")
    t.expect((answer.header("Content-Type") or "").startswith("text/xml"), "content type of the form", answer.head)
    t.expect(answer.body.startswith("<?xml"), "the XML prologue is not first")
    answer = web.post(web.action(answer) + "?k=v", "username=test&password=%s&Login=Login" % PASSWORD, xml=False)
    if not answer.success:
        answer = web.post(web.action(answer), "password=" + PASSWORD, xml=False)
    t.expect(answer.success, "login refused", answer.head, answer.body)
    t.expect("webvpn" in web.cookies, "no cookie")
    # openconnect falls back to the same dialogue without XML.
    t.client(dtls=False, arguments=["--no-xmlpost"]).wait().stop()


def test_post_with_a_query_string(t):
    """Checklist 35, protocol 21: POST /?k=v starts a login."""
    t.server()
    answer = t.web().init("/?k=v")
    t.expect(answer.status == 200 and "<form" in answer.body, "no form", answer.head)


def test_banners(t):
    """Checklist 37: the banner before login arrives with the form, unaltered; the other once connected."""
    before, after = "%" * 200 + " <&> hello", "welcome 100% <b>"
    t.server({"pre-login-banner": before, "banner": after})
    web = t.web()
    answer = web.init()
    from xml.sax.saxutils import unescape
    t.expect(before in unescape(answer.body), "the banner before login is missing", answer.body)
    t.expect(after not in unescape(answer.body), "the banner came too early")
    answer = web.login(password="wrong")
    t.expect(not answer.success, "wrong password accepted")
    web = t.web().must_login()
    t.expect(after in (web.connect().header("X-CSTP-Banner") or ""), "no banner in the tunnel's headers")
    client = t.client(dtls=False).wait()
    t.equal(client.env.get("CISCO_BANNER"), after, "banner for the client's script")


def test_odd_and_empty_input(t):
    """Checklist 39, 197, 198, 201, protocol 15 to 18: nothing of it harms the server; each gets its error."""
    server = t.server(users={"test": None})
    cases = [
        ("unknown path", b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("unknown method", b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("no cookie", b"CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: x\r\n\r\n", 503),
        ("bad cookie", b"CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: x\r\nCookie: webvpn=AAAA\r\n\r\n", None),
        ("long cookie", b"CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nCookie: webvpn=" + b"A" * 4000 + b"\r\n\r\n", None),
        ("foreign cookie", b"CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nCookie: webvpn=" + b"QUFB" * 10 + b"QUE=\r\n\r\n", 401),
    ]
    for what, data, status in cases:
        web = t.web()
        web.send(data)
        try:
            answer = web.read()
        except OSError:
            t.expect(status is None, "no answer to: " + what)
            continue
        t.expect(status in (None, answer.status), "%s: %s" % (what, answer.lines[0]))
        t.expect(answer.status >= 400, "%s: %s" % (what, answer.lines[0]))
    for what, data in (
            ("garbage", b"\0\1\2\3" * 100),
            ("both lengths", b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            ("two lengths", b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
            ("long URL", b"GET /" + b"a" * 300 + b" HTTP/1.1\r\n\r\n"),
            ("20 KiB of headers", b"GET / HTTP/1.1\r\n" + b"X-A: %s\r\n" % (b"b" * 1000) * 20 + b"\r\n"),
            ("300 KiB of body", b"POST / HTTP/1.1\r\nContent-Length: 307200\r\n\r\n" + b"x" * 307200)):
        web = t.web()
        try:
            web.send(data)
            answer = web.read()
            t.expect(answer.status >= 400, "%s was served: %s" % (what, answer.lines[0]))
        except OSError:
            pass
        t.expect(web.is_closed(), what + ": the connection stays open")
    for body in ("", "<", "<config-auth", "a=b&&&=%", "username=", "password=x", "\0\0", "<a/>",
                 '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "<a>" * 200):
        web = t.web()
        try:
            answer = web.post("/", body)
        except OSError:
            continue
        t.expect(not answer.success and "webvpn" not in web.cookies, "%r logged in" % body)
    t.web(raw=True).send(b"GET / HTTP/1.0\r\n\r\n")  # no TLS
    t.web().must_login()
    t.expect(server.process.poll() is None, "the server ended")


def test_pipelined_request_is_not_answered(t):
    """Checklist 198, protocol 17: bytes after a request, before its answer, end the connection."""
    server = t.server(debug=4)
    web = t.web()
    request = b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
    web.send(request + request)
    try:
        while True:
            data = web.socket.recv(65536)
            if not data:
                break
            t.expect(data.count(b"HTTP/1.1 ") <= 1, "both requests were answered")
    except OSError:
        pass
    server.wait_log("closing connection: unexpected pipelined data")


def test_big_headers_and_body_within_the_limits(t):
    """Checklist 197: 15 KiB of headers and 250 KiB of body are served."""
    t.server()
    headers = ["X-Pad-%d: %s" % (i, "0" * 1000) for i in range(14)]
    answer = t.web().post("/", INIT % ("/", ""), headers=headers)
    t.equal(answer.status, 200, "status with big headers")
    answer = t.web().post("/", INIT % ("/", "<pad>%s</pad>" % ("0" * 250000)))
    t.equal(answer.status, 200, "status with a big body")


def test_groups(t):
    """Checklist 69, 70, 71, 73, 80, 41: list with values and labels; by value, by label, none, a foreign one."""
    server = t.server({"select-group": ["staff[Персонал]", "guests"], "default-select-group": "none"},
                      users={"test": "staff,guests", "other": "guests"})
    answer = t.web().init()
    for text in ('value="staff"', "Персонал", 'value="guests"', "group_list"):
        t.expect(text in answer.body, text + " is not in the form", answer.body)
    answer = t.web().init("/", "<group-select>guests</group-select>")
    first = answer.body.find('value="guests"')
    t.expect(0 <= first < answer.body.find('value="staff"') or 'value="guests" selected' in answer.body,
             "the selected group is not first", answer.body)
    for group, wanted in (("staff", "staff"), ("Персонал", "staff"), ("guests", "guests")):
        tunnel = t.web().must_login(group=group).open()
        t.equal(server.user()["Groupname"], wanted, "group of " + group)
        tunnel.bye()
        server.wait_no_user()
    t.expect(not t.web().login("other", group="staff").success, "a foreign group was granted")
    t.expect(not t.web().login("test", group="nonsense").success, "an unknown group was granted")
    client = t.client(dtls=False, arguments=["--authgroup", "guests"]).wait()
    t.equal(server.user()["Groupname"], "guests", "group of --authgroup")
    client.stop()


def test_group_by_url(t):
    """Checklist 79, protocol 32: the path chooses the group and the reply cannot change it."""
    server = t.server({"select-group": ["staff", "guests"], "select-group-by-url": "true"},
                      users={"test": "staff,guests"})
    t.web().must_login(path="/guests").open()
    t.equal(server.user()["Groupname"], "guests", "group chosen by path")


def test_two_stage_login(t):
    """Protocol 1.3: --authenticate, then a tunnel with the cookie by another process."""
    server = t.server()
    got = authenticate(t)
    t.expect(got and got.get("COOKIE"), "no cookie")
    t.equal(got["FINGERPRINT"], t.pki.pin, "pin of the server's certificate")
    client = t.client(cookie=got["COOKIE"], dtls=False).wait()
    t.equal(server.user()["IPv4"], client.ip4, "address")
    client.stop()
    server.wait_no_user()
    # The goodbye ended the session: the cookie is worth nothing any more (checklist 139).
    t.equal(t.web().connect(cookie=got["COOKIE"].split("webvpn=")[-1]).status, 401, "status with the old cookie")


def test_cookie_timeout(t):
    """Checklist 138, 16.1: an unused cookie works before its time and not after it."""
    t.server({"cookie-timeout": 2})
    early, late = t.web().must_login(), t.web().must_login()
    early.open().bye()
    # 15 s of grace are part of the promise.
    time.sleep(2 + 15 + 4)
    answer = t.web().connect(cookie=late.cookies["webvpn"])
    t.equal(answer.status, 401, "status with the expired cookie")


def test_auth_timeout(t):
    """Checklist 143: a connection that never finishes logging in is closed."""
    t.server({"auth-timeout": 3})
    web = t.web(timeout=20)
    web.init()
    silent = t.web(raw=True)
    start = time.monotonic()
    t.expect(web.is_closed(15), "an unfinished login stays open")
    t.expect(time.monotonic() - start > 1, "closed too early")
    t.expect(silent.is_closed(40), "a silent connection stays open")


def test_health_probe_is_quiet(t):
    """Protocol 9: a connection that closes before any byte is not an error."""
    server = t.server({"max-ban-score": 20})
    for _ in range(5):
        Web(t, raw=True).close()
    time.sleep(0.5)
    t.expect("warn" not in server.log().lower().split("listening")[-1] or not t.tools.ours,
             "a probe made a warning", server.log())


def test_tls_versions(t):
    """Protocol 6: TLS 1.2 and 1.3 are on, older ones off."""
    t.server({"tls-priorities": None})
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        t.web(tls=version).must_login()
    try:
        t.web(tls=ssl.TLSVersion.TLSv1_1)
        t.expect(False, "TLS 1.1 was accepted")
    except (ssl.SSLError, OSError):
        pass


def test_http_headers(t):
    """Checklist 199: the configured headers are on every answer, once and unmodified."""
    lines = ['Clear-Site-Data: "cache","cookies"', "X-One: a; b=\"c\""]
    t.server({"included-http-headers": lines})
    web = t.web().must_login()
    for answer in (t.web().init(), t.web().get("/nothing"), t.web().get("/auth"), web.connect()):
        for line in lines:
            t.equal(answer.lines.count(line), 1, "count of %r in the answer to %s" % (line, answer.lines[0]))


def test_canned_documents(t):
    """Protocol 22: what AnyConnect asks for gets its small fixed answers."""
    t.server()
    for path, text in (("/VPNManifest.xml", '<vpn rev="1.0">'), ("/1/VPNManifest.xml", '<vpn rev="1.0">'),
                       ("/+CSCOT+/translation-table?x", '<vpn rev="1.0">'), ("/1/binaries/update.txt", "0,0,0000"),
                       ("/1/index.html", "<html></html>"), ("/logout", "<html></html>"),
                       ("/1/binaries/vpndownloader.sh", "exit 0")):
        answer = t.web().get(path)
        t.equal(answer.status, 200, "status of " + path)
        t.expect(text in answer.body, path + " lacks " + text, answer.body)
