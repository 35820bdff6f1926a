"""Cisco's IP phones, which log in at /svc without forms (protocol.md 4.22)."""
import base64

from lib.clientcert import Authority
from lib.server import PASSWORD
from test_bans import wait_score
from test_certificates import spoken

AGENT = "Cisco SVC IPPhone Client v1.0 (1.0)"
PHONES = {"cisco-svc-client-compat": "true", "udp-port": 0}
FORM = "username=%s&password=%s"


def phone(t, **options):
    web = t.web(**options)
    web.agent = AGENT
    return web


def basic(user, password):
    return "Authorization: Basic " + base64.b64encode(("%s:%s" % (user, password)).encode()).decode()


def ask(web, method="POST", body=None, *headers):
    return web.request(method, "/svc", body, headers=headers, xml=False)


def test_login_of_a_phone(t):
    """Checklist 196, 199, protocol 99: the greeting, name and password as a form or as basic authentication, a tunnel."""
    server = t.server(dict(PHONES, **{"included-http-headers": 'X-Test: "a; b"'}), users={"test": None})
    web = phone(t)
    answer = ask(web, "GET")
    t.equal((answer.status, answer.header("Content-Length"), answer.header("X-Transcend-Version"), answer.body),
            (200, "0", "1", ""), "the greeting")
    t.equal(answer.headers("X-Test"), ['"a; b"'], "configured headers")
    cookies = answer.headers("Set-Cookie")
    t.expect(cookies[0].startswith("webvpn=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/") and
             cookies[1] == "webvpnlogin=1; Secure" and len(cookies) == 2, "cookies of the greeting", cookies)
    t.equal(ask(web, "POST", FORM % ("test", PASSWORD)).status, 200, "status of the login")
    t.expect(web.cookies.get("webvpn"), "no session cookie", web.cookies)
    web.open()
    t.equal(server.user()["Username"], "test", "user")
    for method in ("GET", "POST"):
        other = phone(t)
        answer = ask(other, method, None if method == "GET" else "", basic("test", PASSWORD))
        t.expect(answer.status == 200 and other.cookies.get("webvpn"), "basic authentication", method, answer.head)
        t.equal(other.connect().status, 200, "tunnel")


def test_refused_phones(t):
    """Checklist 196: wrong, empty and unreadable ones get 401 and no cookie, and wrong passwords cost points."""
    server = t.server(dict(PHONES, **{"max-ban-score": 80}))
    source = t.net.add_client_address("198.51.100.7")
    for body, headers in ((FORM % ("test", "wrong"), ()), (FORM % ("test", ""), ()), (FORM % ("nobody", PASSWORD), ()),
                          ("username=test", ()), ("", ()), ("password=" + PASSWORD, ()), ("<config-auth", ()),
                          ("", (basic("test", "wrong"),)), ("", (basic("test", ""),)),
                          ("", (basic("test", PASSWORD + "\0x"),)), ("", ("Authorization: Basic !!!",)),
                          ("", ("Authorization: Basic " + "QUFB" * 1000,))):
        web = phone(t, source=source if body == FORM % ("test", "wrong") else None)
        answer = ask(web, "POST", body, *headers)
        t.equal(answer.lines[0], "HTTP/1.1 401 Authentication failed", "status line after %r %r" % (body, headers))
        t.expect(not web.cookies.get("webvpn"), "a cookie", answer.head)
    wait_score(server, source, 11)
    phone(t).must_login()


def test_phones_are_not_served_by_default(t):
    """Protocol 99, checklist 196: without the option the path does not exist, whatever is sent to it; per host."""
    t.server({"udp-port": 0}, vhosts=[("phones.test", {"cisco-svc-client-compat": "true"})])
    t.equal(ask(phone(t), "GET").status, 404, "GET")
    t.equal(ask(phone(t), "POST", FORM % ("test", PASSWORD)).status, 404, "POST")
    t.equal(ask(phone(t, name="phones.test"), "POST", FORM % ("test", PASSWORD)).status, 200, "on the host that has it")


def test_phone_with_a_certificate(t):
    """Checklist 196, protocol 4.22: a certificate that suffices brings the cookie with the greeting."""
    authority = Authority(t)
    server = t.server(dict(PHONES, **{"auth": "certificate", "ca-cert": authority.cert, "cert-user-oid": "2.5.4.3"}))
    for method, body in (("GET", None), ("POST", "username=&password=")):
        web = spoken(t, authority.issue(user="phone7"))
        answer = ask(web, method, body)
        t.expect(answer.status == 200 and web.cookies.get("webvpn"), "no cookie", method, answer.head)
        t.equal(web.connect().status, 200, "tunnel")
        t.equal(server.users()[0]["Username"], "phone7", "user")
