"""Hosts that show themselves only to those who know a word (config.md 8.15, protocol.md 3.7)."""
import base64
import os
import re
import signal

from lib.client import Client
from lib.shell import wait_for
from lib.spoken import group_of
from lib.web import INIT, Web
from test_cli import server_run
from test_http import client_context

SECRET = "open-Sesame_7.~!"
REALM = 'Back "office" \\ 2'
HIDDEN = {"camouflage": "true", "camouflage_secret": SECRET}
WITH_REALM = dict(HIDDEN, camouflage_realm=REALM)
STRANGE = base64.b64encode(b"x" * 32).decode()
# What only a VPN server would say.
GIVEAWAYS = re.compile(r"(?i)vpn|cookie|cstp|dtls|sally|ocserv|anyconnect|transcend|x-reason|config-auth|auth-")


def assert_hidden(t, what, answer, first):
    t.equal(answer.lines[0], first, what)
    t.expect(not GIVEAWAYS.search(answer.head + answer.body), what + ": told", answer.head, answer.body)


def test_without_the_secret_there_is_a_plain_server(t):
    """Protocol 25, 26, checklist 200: 404 and the end on all paths; nothing is said of a VPN, a version or a maker."""
    server = t.server(dict(HIDDEN, **{"cisco-svc-client-compat": "true", "select-group": ["staff"],
                                      "select-group-by-url": "true", "kkdcp": "/KdcProxy REALM tcp@198.18.1.9:88"}))
    seen = set()
    for path in ("/", "/auth", "/VPN", "/+webvpn+/index.html", "/staff", "/svc", "/KdcProxy", "/1/index.html",
                 "/VPNManifest.xml", "/+CSCOT+/translation-table", "/1/binaries/update.txt", "/logout",
                 "/profiles/x.xml", "/nothing", "/?", "/?" + SECRET[:-1], "/?" + SECRET + "x", "/?x=" + SECRET,
                 "/?%s&a=b" % SECRET,
                 "/?" + SECRET.lower(), "/?/" + SECRET, "/" + SECRET, "/??" + SECRET, "/?%6f" + SECRET[1:],
                 "/x?y?" + SECRET, "/?" + "a" * 250):
        for method, body in (("GET", None), ("POST", INIT % ("/", "")), ("POST", "username=test&password=x")):
            web = t.web()
            answer = web.request(method, path, body)
            assert_hidden(t, "%s %s" % (method, path), answer, "HTTP/1.1 404 Not found")
            t.expect(web.is_closed(), "%s %s: stays open" % (method, path))
            seen.add((answer.head, answer.body))
    t.equal(len(seen), 1, "different answers")
    # Who knows the secret gets the very same page where there is nothing.
    answer = t.web().get("/nothing?" + SECRET)
    t.equal({(answer.head, answer.body)}, seen, "the page of those who know the secret")
    t.equal(server.occtl_json("show", "ip", "ban", "points"), [], "points")


def test_realm_asks_for_a_password(t):
    """Protocol 25, checklist 200: with a realm 401 in its name to everything, whatever password comes; no cookie."""
    t.server(WITH_REALM)
    want = 'Basic realm="Back \\"office\\" \\\\ 2"'
    for method, path, headers in (("GET", "/", ()), ("POST", "/auth", ()), ("GET", "/nothing", ()), ("PUT", "/", ()),
                                  ("HEAD", "/x", ()), ("GET", "/", ("Authorization: Basic dGVzdDpzZWNyZXQ=",)),
                                  ("GET", "/1/index.html?x", ())):
        web = t.web()
        answer = web.request(method, path, headers=headers)
        assert_hidden(t, "%s %s" % (method, path), answer, "HTTP/1.1 401 Unauthorized")
        t.equal(answer.headers("WWW-Authenticate"), [want], "challenge")
        t.equal(answer.header("Connection"), "close", "connection")
        t.expect(answer.body.startswith("<html>"), "no page", answer.body)
        t.expect(web.is_closed(), "%s %s: stays open" % (method, path))
    for method, path in (("PUT", "/?" + SECRET), ("GET", "/nothing?" + SECRET), ("BREW", "/auth?" + SECRET)):
        t.equal(t.web().request(method, path).status, 404, "%s %s with the secret" % (method, path))


def test_connect_without_a_good_cookie(t):
    """Protocol 25, checklist 200, config 8.15: 405 with a bad cookie, 503 without any, whatever the path; nothing more."""
    for conf in (HIDDEN, WITH_REALM):
        server = t.server(dict(conf, **{"max-ban-score": 80, "ban-points-wrong-cookie": 20}))
        source = t.net.add_client_address("198.51.100.7") if conf is HIDDEN else None
        for path in ("/CSCOSSLC/tunnel", "CSCOSSLC/tunnel", "/other", "server:443", "/?" + SECRET,
                     "/CSCOSSLC/tunnel?" + SECRET):
            web = t.web()
            answer = web.connect(cookie="", path=path)
            assert_hidden(t, "no cookie for " + path, answer, "HTTP/1.1 503 Service Unavailable")
            t.expect(web.is_closed(), "stays open")
            for cookie in (STRANGE, "x", "A" * 44):
                web = t.web(source=source if path == "/other" else None)
                answer = web.connect(cookie=cookie, path=path)
                assert_hidden(t, "a bad cookie for " + path, answer, "HTTP/1.1 405 Method Not Allowed")
                t.equal(answer.header("Content-Length"), "0", "length")
                t.expect(web.is_closed(), "stays open")
        wait_for("each attempt in the log", lambda: server.log().count("failed cookie authentication attempt") == 18)
        if source:
            points = {row["IP"]: row["Score"] for row in server.occtl_json("show", "ip", "ban", "points")}
            t.expect(20 <= points.get(source, 0) < 40, "one well-formed cookie was tried", points)
        # Whoever has shown the secret is told as ever.
        web = t.web()
        web.init("/?" + SECRET)
        t.equal(web.connect(cookie=STRANGE).lines[0], "HTTP/1.1 401 Cookie is not acceptable", "once proven")
        server.stop()


def test_secret_opens_the_connection(t):
    """Protocol 25, checklist 200: the secret is needed once; cookies open further connections; groups by URL."""
    server = t.server(dict(WITH_REALM, **{"select-group": ["staff", "guests"], "select-group-by-url": "true",
                                          "custom-header": "X-Group: %{G}"}),
                      users={"test": "staff,guests"}, debug=9)
    web = t.web().must_login(path="/?" + SECRET)
    cookie = web.cookies["webvpn"]
    t.equal(t.web().connect(cookie=cookie).status, 200, "CONNECT with the cookie on a connection of its own")
    t.equal(t.web(cookies={"webvpn": cookie}).get("/1/index.html").status, 200, "GET with the cookie")
    t.equal(t.web(cookies={"webvpn": STRANGE}).get("/1/index.html").status, 401, "GET with another")
    # A client that begins each step on a new connection, as Cisco's does.
    first = t.web()
    form = first.init("/guests?" + SECRET)
    t.expect(SECRET not in form.body + form.head, "the secret is sent around", form.body)
    second = t.web(cookies=first.cookies)
    t.expect(second.reply([("username", "test"), ("password", "secret")]).success, "a login that goes on elsewhere")
    t.equal(group_of(t, t.web(cookies=second.cookies)), "guests", "the group of the URL")
    t.equal(t.web(cookies={"webvpncontext": STRANGE}).get("/").status, 401, "another context")
    stranger = t.web(cookies=first.cookies, source=t.net.add_client_address("198.51.100.8"))
    t.equal(stranger.init().status, 401, "the context from another address")
    ended = t.web(cookies={"webvpncontext": first.cookies["webvpncontext"]} if "webvpncontext" in first.cookies else {})
    t.equal(ended.get("/").status, 401, "the context of a login that is over")
    # A context opens no CONNECT.
    third = t.web()
    third.init("/?" + SECRET)
    answer = t.web(cookies=third.cookies).request("CONNECT", "/CSCOSSLC/tunnel")
    t.equal(answer.status, 503, "CONNECT with a context only")
    start = len(server.log())
    web.open().bye()
    server.wait_log("auth session-over", start=start)
    t.equal(t.web(cookies={"webvpn": cookie}).get("/1/index.html").status, 401, "the cookie of a session that is over")
    t.expect(SECRET not in server.log(), "the secret is in the log")
    t.expect(SECRET not in server.occtl("show", "status").stdout, "occtl shows the secret")
    run = server_run(t, server, "--print-config", "-c", server.conf_file)
    t.expect("camouflage_secret" in run.stdout and SECRET not in run.stdout + run.stderr, "--print-config", run.stdout)


def test_openconnect_with_the_secret(t):
    """Checklist 200: the real client with https://host/?SECRET, with a group, too; not without it; a cookie is enough."""
    t.server(dict(WITH_REALM, **{"select-group": ["staff"], "select-group-by-url": "true"}), users={"test": "staff"})
    client = Client(t, path="?" + SECRET).wait()
    t.expect(client.ip4, "no address")
    client.stop()
    client = Client(t, path="staff?" + SECRET, dtls=False).wait()
    client.detach()
    # Without XML it asks twice, with a certificate it goes on over another connection.
    for arguments in (["--no-xmlpost"], ["-c", t.pki.cert, "-k", t.pki.key]):
        Client(t, path="?" + SECRET, dtls=False, arguments=arguments).wait().stop()
    refused = Client(t, path="?wrong")
    t.expect(refused.wait_end() != 0, "a client without the secret got in")
    t.expect("401" in refused.log() and "Please enter" not in refused.log(), "what it saw", refused.log())
    web = t.web().must_login(path="/?" + SECRET)
    Client(t, cookie="webvpn=" + web.cookies["webvpn"], dtls=False).wait().stop()


def test_cookies_stay_with_their_address(t):
    """Protocol 63, 25: with deny-roaming a cookie proves nothing from elsewhere, and fetches no profile."""
    server = t.server(HIDDEN, start=False)
    server.write_conf(user_profile=server.write_file("profile", "<x/>"))
    server.vhosts = [("strict.test", {"deny-roaming": "true"})]
    server.write_conf()
    server.start()
    elsewhere = t.net.add_client_address("198.51.100.9")
    for name, status in ((None, 200), ("strict.test", 404)):
        cookies = t.web(name=name).must_login(path="/?" + SECRET).cookies
        for path in ("/1/index.html", "/profiles/x"):
            t.equal(t.web(name=name, cookies=cookies).get(path).status, 200, "%s at %s" % (path, name))
            t.equal(t.web(name=name, cookies=cookies, source=elsewhere).get(path).status, status,
                    "%s at %s from elsewhere" % (path, name))


def test_known_clients_survive_a_crash_of_auth(t):
    """Protocol 25: whoever asks while auth is started again is answered by the new one, as by the old one."""
    server = t.server(HIDDEN)
    cookies = t.web().must_login(path="/?" + SECRET).cookies
    stranger, known = t.web(cookies={"webvpn": STRANGE}), t.web(cookies=cookies)
    old = server.roles()["auth"]
    os.kill(old, signal.SIGKILL)
    t.equal(known.get("/1/index.html").status, 200, "the cookie of a session")
    t.equal(stranger.get("/1/index.html").status, 404, "another")
    t.expect(server.roles()["auth"] != old, "auth was not killed")


def test_hosts_hide_on_their_own(t):
    """Protocol 25, config 8.15: each virtual host has its own switch, word and realm, or inherits them."""
    t.server(vhosts=[("hidden.test", WITH_REALM),
                     ("other.test", {"camouflage": "true", "camouflage_secret": "another", "camouflage_realm": ""})])
    t.equal(t.web().get("/").status, 200, "the default host")
    t.equal(t.web(name="hidden.test").get("/").status, 401, "hidden.test")
    t.equal(t.web(name="hidden.test").get("/?another").status, 401, "hidden.test with the word of another")
    t.equal(t.web(name="hidden.test").get("/?" + SECRET).status, 200, "hidden.test with its word")
    t.equal(t.web(name="other.test").get("/").status, 404, "other.test")
    t.equal(t.web(name="other.test").get("/?another").status, 200, "other.test with its word")
    cookie = t.web().must_login().cookies["webvpn"]
    t.equal(t.web(name="hidden.test", cookies={"webvpn": cookie}).get("/").status, 401, "a cookie of the default host")
    t.equal(t.web(name="hidden.test").connect(cookie=cookie).status, 405, "CONNECT with it")


def test_headers_of_hidden_hosts(t):
    """Protocol 26, checklist 199: no built-in headers, which no ordinary server sends just so; configured ones once."""
    server = t.server(HIDDEN)
    answer = t.web().get("/")
    t.equal([line.split(":")[0] for line in answer.lines[1:] if line],
            ["Connection", "Content-Type", "Content-Length"], "headers")
    server.stop()
    server.write_conf(included_http_headers=['Server: nginx', 'X-A: "b"; c'])
    server.start()
    for answer in (t.web().get("/"), t.web().get("/?" + SECRET), t.web().request("BREW", "/"),
                   t.web().connect(cookie=""), t.web().connect(cookie=STRANGE)):
        for line in ("Server: nginx", 'X-A: "b"; c'):
            t.equal(answer.lines.count(line), 1, "count of %s in %s" % (line, answer.lines[0]))
    server.stop()
    server.vhosts = [("own.test", {"included-http-headers": "Via: own"}), ("heir.test", {"banner": "x"})]
    server.write_conf()
    server.start()
    for name, own in (("own.test", ["own"]), ("heir.test", []), (None, [])):
        answer = t.web(name=name).get("/")
        t.equal((answer.headers("Server"), answer.headers("Via")), (["nginx"], own), "headers of %s" % name)


def test_reload_changes_the_secret(t):
    """Config 8.15: the options change with a reload, for connections made from then on."""
    server = t.server(HIDDEN)
    t.equal(t.web().get("/?" + SECRET).status, 200, "before")
    server.conf["camouflage_secret"] = "second"
    server.write_conf()
    server.reload()
    wait_for("the new word", lambda: t.web().get("/?second").status == 200)
    t.equal(t.web().get("/?" + SECRET).status, 404, "the old word")


def test_camouflage_that_locks_everyone_out_is_refused(t):
    """Config 8.15: no secret, or one that no URL can carry, is an error with a name."""
    server = t.server(start=False)
    for changes, text in (({"camouflage_secret": None}, "camouflage needs camouflage_secret"),
                          ({"camouflage_secret": "two words"}, "no client can send this camouflage_secret"),
                          ({"camouflage_secret": "a" * 254}, "no client can send this camouflage_secret")):
        server.conf.update(changes)
        server.write_conf(camouflage="true")
        run = server_run(t, server, "-t", "-c", server.conf_file)
        t.equal(run.returncode, 1, "status")
        t.expect(text in run.stderr, "words", run.stderr)
        t.expect("two words" not in run.stderr and "aaaa" not in run.stderr, "the secret is shown", run.stderr)
    server.conf["camouflage_secret"] = "a" * 253
    server.write_conf()
    t.equal(server_run(t, server, "-t", "-c", server.conf_file).returncode, 0, "status with the longest one")


def test_alpn_of_hidden_hosts(t):
    """Protocol 26: the name of a VPN protocol is not picked where a host hides."""
    t.server(HIDDEN)
    for offered, wanted in ((["openconnect-vpn/1.1"], None), (["http/1.1", "openconnect-vpn/1.1"], "http/1.1")):
        web = Web(t, raw=True)
        web.begin_tls(client_context(offered))
        t.equal(web.socket.selected_alpn_protocol(), wanted, "picked of %s" % offered)
