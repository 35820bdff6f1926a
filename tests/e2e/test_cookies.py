"""What a cookie is worth, where, to whom and how long: protocol.md 4.12, 10 and 11, checklist J, L and M."""
import base64
import ssl
import time

from lib.server import PASSWORD
from lib.shell import sh, wait_for
from lib.spoken import DTLS, wrong_login
from lib.web import Tunnel, Web


def test_goodbyes(t):
    """Protocol 58, 10.24, checklist 139: only 0xb0 ends the session; the addresses stay with the cookie."""
    server = t.server({"predictable-ips": "false"})
    web = t.web().must_login()
    cookie = web.cookies["webvpn"]
    answer = web.connect(headers=DTLS)
    addresses, app = (answer.header("X-CSTP-Address"), answer.header("X-CSTP-Address-IP6")), set()
    for payload in (b"\x91", b"\x91reconnecting", b"\x70", b"\xd1", b"", b"\x00", b"\x55what", None):
        tunnel = Tunnel(web, answer)
        if payload is not None:
            tunnel.send(Tunnel.DISCONNECT, payload)
            t.expect(web.is_closed(), "the connection lives on after %r" % payload)
        web.close()
        web = t.web(cookies={"webvpn": cookie})
        answer = web.connect(headers=DTLS)
        t.equal(answer.status, 200, "reconnect after %r" % payload)
        t.equal((answer.header("X-CSTP-Address"), answer.header("X-CSTP-Address-IP6")), addresses, "addresses")
        t.expect(answer.header("X-DTLS-App-ID") not in app, "an old App-ID")
        app.add(answer.header("X-DTLS-App-ID"))
    Tunnel(web, answer).send(Tunnel.DISCONNECT, b"\xb0user closed")
    t.expect(web.is_closed(), "the connection lives on")
    # The worker closes the connection before main has told auth.
    server.wait_log("auth session-over")
    answer = t.web().connect(cookie=cookie)
    t.equal(answer.lines[0], "HTTP/1.1 401 Cookie is not acceptable", "after the user's goodbye")


def test_persistent_cookies(t):
    """Checklist 140: with the option the user's goodbye leaves the cookie alone."""
    t.server({"persistent-cookies": "true"})
    web = t.web().must_login()
    web.open().bye()
    time.sleep(0.3)
    t.equal(t.web().connect(cookie=web.cookies["webvpn"]).status, 200, "status of the reconnect")


def test_logout_by_http(t):
    """Protocol 4.13: GET /logout and the logout document end the session of the cookie they carry."""
    server = t.server()
    one, two, three = (t.web().must_login().cookies["webvpn"] for _ in range(3))
    t.equal(t.web().get("/logout").status, 200, "GET /logout without a cookie")
    t.equal(t.web(cookies={"webvpn": one}).get("/logout").status, 200, "GET /logout")
    answer = t.web(cookies={"webvpn": two}).post("/", '<?xml version="1.0"?><config-auth client="vpn" type="logout">'
                                                 '<session-token/></config-auth>')
    t.expect(answer.status == 200 and 'type="complete"' in answer.body, "logout document", answer.head, answer.body)
    wait_for("both to be over", lambda: server.log().count("auth session-over") == 2)
    for cookie, status in ((one, 401), (two, 401), (three, 200)):
        t.equal(t.web().connect(cookie=cookie).status, status, "CONNECT afterwards")


def test_logout_document_with_a_token(t):
    """Protocol 4.13: the session-token names the session as its cookie does."""
    server = t.server()
    cookie = t.web().must_login().cookies["webvpn"]
    logout = '<?xml version="1.0"?><config-auth client="vpn" type="logout"><session-token>%s</session-token></config-auth>'
    for token in ("", "x", "A" * 5000):
        t.equal(t.web().post("/", logout % token).status, 200, "status with the token %.5s" % token)
    t.equal(t.web().post("/", logout % cookie).status, 200, "status")
    server.wait_log("auth session-over")
    t.equal(t.web().connect(cookie=cookie).status, 401, "CONNECT afterwards")


def test_session_timeout_counts_from_the_login(t):
    """Protocol 60, 10.6, checklist 137: announced, not extended by reconnects; then the cookie is dead."""
    t.server({"session-timeout": 10})
    web = t.web().must_login()
    start, left = time.monotonic(), []
    for _ in range(3):
        answer = web.connect()
        t.equal(answer.header("X-CSTP-Session-Timeout"), "10", "announced")
        left.append(int(answer.header("X-CSTP-Session-Timeout-Remaining")))
        time.sleep(1.2)
        cookie = web.cookies["webvpn"]
        if len(left) < 3:
            web.close()
            web = t.web(cookies={"webvpn": cookie})
    t.expect(left[0] > left[1] > left[2], "remaining times: %s" % left)
    frame = Tunnel(web, answer).receive_control(30)
    t.expect(frame and frame[0] in (Tunnel.DISCONNECT, Tunnel.TERMINATE), "the last frame: %s" % (frame,))
    t.expect(8 < time.monotonic() - start < 18, "ended after %.1f s" % (time.monotonic() - start))
    t.equal(t.web().connect(cookie=cookie).status, 401, "CONNECT after the end")


def test_takeover_keeps_everything(t):
    """Protocol 61, 62, 10.22, checklist 101, 85: one session, one tunnel; another login of the user is one too many."""
    t.server({"max-same-clients": 1})
    web = t.web().must_login()
    old = web.open()
    new = t.web(cookies=web.cookies).open()
    t.equal(new.address, old.address, "address of the second connection")
    frame = old.receive_control(5)
    t.expect(frame and frame[0] in ("closed", Tunnel.DISCONNECT, Tunnel.TERMINATE), "the old tunnel: %s" % (frame,))
    time.sleep(0.5)
    t.expect(new.receive_control(0.5) is None, "the new tunnel ended as well")
    new.send(Tunnel.DPD_OUT, b"ping")
    t.equal(new.receive_control(), (Tunnel.DPD_RESP, b"ping"), "DPD in the new tunnel")


def test_cookie_after_a_lost_tunnel(t):
    """Protocol 57, 4.12: after a loss it is good for cookie-timeout and the grace, not longer."""
    t.server({"cookie-timeout": 2})
    early, late = t.web().must_login(), t.web().must_login()
    for web in (early, late):
        web.open()
        web.close()
    time.sleep(14)
    t.equal(t.web().connect(cookie=early.cookies["webvpn"]).status, 200, "status within the time")
    time.sleep(6)
    t.equal(t.web().connect(cookie=late.cookies["webvpn"]).status, 401, "status after it")


def test_refused_attempts_lengthen_no_life(t):
    """Protocol 57: a cookie that is shown again and again, and refused, dies at its time."""
    server = t.server({"cookie-timeout": 1, "max-same-clients": 1})
    tunnel, late = t.web().must_login().open(), t.web().must_login().cookies["webvpn"]
    for _ in range(5):
        t.equal(t.web().connect(cookie=late).lines[0], "HTTP/1.1 401 Too many connections of this user", "refusal")
        time.sleep(3)
    time.sleep(3)
    tunnel.bye()
    server.wait_no_user()
    t.equal(t.web().connect(cookie=late).lines[0], "HTTP/1.1 401 Cookie is not acceptable", "after its time")
    server.wait_log("failed cookie authentication attempt")
    t.equal(server.log().count("failed cookie authentication attempt"), 1, "lines about the bad cookie")
    t.web().connect(cookie="rubbish")
    server.wait_log("failed cookie authentication attempt[^$]*failed cookie authentication attempt")
    t.equal(server.log().count("failed cookie authentication attempt"), 2, "lines about the malformed cookie")


def test_locked_and_removed_users_lose_their_cookies(t):
    """Protocol 10.13, 4.12, 5.2: the cookie of a user who was locked or removed opens no tunnel."""
    server = t.server(users={"locked": None, "removed": None, "kept": None})
    cookies = {user: t.web().must_login(user).cookies["webvpn"] for user in ("locked", "removed", "kept")}
    server.passwd("locked", PASSWORD, None, "-l")
    server.passwd("removed", PASSWORD, None, "-d")
    for user, status in (("locked", 401), ("removed", 401), ("kept", 200)):
        t.equal(t.web().connect(cookie=cookies[user]).status, status, "tunnel of " + user)
    server.passwd("locked", PASSWORD, None, "-u")
    t.equal(t.web().connect(cookie=cookies["locked"]).status, 401, "the cookie after unlocking")


def test_virtual_hosts(t):
    """Protocol 3, 4, 63, 2.5, checklist 112, 113, 116: name, certificate, users, networks, cookies of each."""
    server = t.server(start=False)
    cert, key = t.pki.path("other-%s.pem" % t.prefix), t.pki.path("other-%s-key.pem" % t.prefix)
    t.pki.server_cert(cert, key, "other.example")
    sh("cp", server.dir + "/passwd", server.dir + "/passwd.other")
    server.passwd("test", "theirs")
    server.vhosts = [("other.example", {"auth": '"plain[passwd=%s/passwd.other]"' % server.dir,
                                        "server-cert": cert, "server-key": key, "ipv4-network": "198.19.9.0/24",
                                        "route": "198.18.1.0/25", "keepalive": 77, "banner": "other host"}),
                     ("heir.example", {"keepalive": 88})]
    server.write_conf(banner="default host")
    server.start()
    mine = ssl.PEM_cert_to_DER_cert(open(t.pki.cert).read())
    theirs = ssl.PEM_cert_to_DER_cert(open(cert).read())
    for name, der in ((None, mine), ("unknown.example", mine), ("other.example", theirs), ("OTHER.example", theirs),
                      ("heir.example", mine)):
        web = t.web(name=name)
        t.expect(web.socket.getpeercert(True) == der, "certificate for %s" % name)
        good, bad = (PASSWORD, "theirs") if der == theirs else ("theirs", PASSWORD)
        t.expect(not t.web(name=name).login(password=bad).success, "the other host's password on %s" % name)
        web.must_login(password=good)
        answer = web.connect()
        t.equal(answer.header("X-CSTP-Banner"), "other host" if der == theirs else "default host", "banner")
        t.equal(answer.header("X-CSTP-Keepalive"),
                {"other.example": "77", "heir.example": "88"}.get(name and name.lower(), "3600"), "keepalive")
        t.equal(answer.header("X-CSTP-Address").rsplit(".", 1)[0], "198.19.9" if der == theirs else "198.19.0", "pool")
        t.expect(answer.header("X-CSTP-Address-IP6"), "the IPv6 pool is not inherited", answer.head)
    server.wait_log("client requested hostname unknown.example does not match known vhost")
    # Host is not trusted, the cookie belongs to one host, and so does a login in progress.
    web = t.web(name="other.example").must_login()
    for name in (None, "heir.example"):
        answer = t.web(name=name).connect(cookie=web.cookies["webvpn"], headers=["Host: other.example"])
        t.equal(answer.lines[0], "HTTP/1.1 401 Cookie is not acceptable", "the cookie on %s" % name)
    t.equal(t.web(name="other.example").connect(cookie=web.cookies["webvpn"]).status, 200, "on its own host")
    web = t.web(name="other.example")
    web.init()
    web.reply([("username", "test")])
    other = t.web(cookies=web.cookies)
    t.expect(not other.reply([("password", PASSWORD)]).success, "a login moved to another host")


def test_sessions_of_tls_do_not_wander(t):
    """Protocol 5, 2.7, 10.9: a TLS session of one host is worth nothing on another."""
    t.server(vhosts=[("a.test", {"keepalive": 5})])
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        first = t.web(raw=True)
        first.socket = context.wrap_socket(first.socket, server_hostname="a.test")
        first.file = first.socket.makefile("rb")
        first.must_login()
        second = t.web(raw=True)
        second.socket = context.wrap_socket(second.socket, server_hostname="other", session=first.socket.session)
        t.expect(not second.socket.session_reused, "resumed on another host with %s" % version)


def test_eight_wrong_passwords_ban(t):
    """Protocol 56, checklist 144, 146, 147: closed before TLS; the server's own subnet is exempt."""
    server = t.server({"max-ban-score": 80, "ban-points-wrong-password": 10, "ban-points-connection": 0,
                       "ban-reset-time": 300})
    far = t.net.add_client_address("198.51.100.7")
    for _ in range(9):
        wrong_login(t, "test")
    t.web().must_login()
    for n in range(8):
        _, answer, _ = wrong_login(t, "test", source=far)
        t.equal(answer.status, 200, "status of wrong password %d" % (n + 1))
    server.wait_log(r"added IP '198\.51\.100\.7' \(with score 80\) to ban list")
    try:
        Web(t, source=far)
        t.expect(False, "a banned address got a TLS connection")
    except OSError:
        pass
    server.wait_log(r"rejected connection from banned IP: 198\.51\.100\.7")
    t.web().must_login()


def test_scores_are_forgotten(t):
    """Checklist 145, 146, 148: ban-reset-time clears the score of who was not banned; ban-time ends a ban."""
    server = t.server({"max-ban-score": 30, "ban-points-wrong-password": 10, "ban-points-connection": 0,
                       "ban-reset-time": 6, "ban-time": 6})
    far = t.net.add_client_address("198.51.100.9")
    for _ in range(2):
        for _ in range(2):
            wrong_login(t, "test", source=far)
        time.sleep(7.5)
    t.expect("added IP" not in server.log(), "banned although the score was old", server.log())
    for _ in range(3):
        wrong_login(t, "test", source=far)
    server.wait_log("added IP '198.51.100.9'")
    try:
        Web(t, source=far)
        t.expect(False, "a banned address got in")
    except OSError:
        pass
    time.sleep(7.5)
    t.web(source=far).must_login()


def test_no_secret_in_the_log(t):
    """Protocol 100, 10.32: names yes, passwords, cookies and keys no, at -d 7."""
    server = t.server({"banner": "hello"}, debug=7)
    web = t.web()
    web.init()
    context = web.cookies["webvpncontext"]
    web.reply([("username", "test"), ("password", "wrong-secret-1")])
    web.reply([("password", PASSWORD)])
    cookie = web.cookies["webvpn"]
    answer = web.connect(headers=["X-DTLS-Master-Secret: " + "5ec7e7ab" * 12, "X-DTLS-CipherSuite: AES128-SHA",
                                  "Authorization: Basic c2VjcmV0LTI="])
    t.equal(answer.status, 200, "status")
    form = t.web()
    form.get("/?secret-query=3", xml=False)
    form.post("/auth?password=secret-query-4", "username=test&password=wrong-secret-5", xml=False)
    t.web().connect(cookie=base64.b64encode(b"secret-cookie-67-secret-cookie-67").decode()[:43] + "=")
    Tunnel(web, answer).send(Tunnel.DISCONNECT, b"\xb0bye")
    time.sleep(0.5)
    server.stop()
    log = server.log()
    for secret in (PASSWORD + '"', "wrong-secret-1", "secret-query-4", "wrong-secret-5", cookie, cookie[:20], context,
                   context[:20], base64.b64decode(cookie).hex()[:20], "5ec7e7ab", "c2VjcmV0LTI", "c2VjcmV0LWNvb2tpZS",
                   open(server.dir + "/passwd").read().split(":")[2][:30]):
        t.expect(secret not in log, "the log tells %r" % secret)
