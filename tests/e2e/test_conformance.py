"""The login and CONNECT held to protocol.md 4, 5, 10 and 11 with requests spoken by hand."""
import base64
import hashlib
import re
import socket
import ssl
import statistics
import time
from xml.sax.saxutils import unescape

from lib.harness import marks
from lib.net import SERVER4
from lib.server import PASSWORD
from lib.shell import sh
from lib.web import INIT, Tunnel, Web

B64 = r"[A-Za-z0-9+/]{43}="
ANYCONNECT = "AnyConnect Windows 4.10.01075"


def sha1_of(web):
    """The SHA-1 of the certificate this connection was shown."""
    return hashlib.sha1(web.socket.getpeercert(True)).hexdigest().upper()


def pairs(answer):
    """The head as (name, value), in order."""
    return [tuple(line.split(": ", 1)) for line in answer.lines[1:] if line]


def xml_init(inside):
    return '<?xml version="1.0" encoding="UTF-8"?>\n<config-auth client="vpn" type="init">%s</config-auth>' % inside


def xml_reply(inside, more=""):
    return '<?xml version="1.0"?><config-auth client="vpn" type="auth-reply"><auth>%s</auth>%s</config-auth>' % (
        inside, more)


# ---- the login ----

def test_the_form_and_its_headers(t):
    """Protocol 27, 28, 29, 19, checklist 36: what every login answer looks like, on each path."""
    t.server()
    for path in ("/", "/auth", "/VPN", "/+webvpn+/index.html"):
        web = t.web()
        answer = web.init(path)
        t.equal(answer.lines[0], "HTTP/1.1 200 OK", "status line")
        t.expect(answer.body.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<config-auth client="vpn" '
                                        'type="auth-request" aggregate-auth-version="2">'), "the document's beginning",
                 answer.body)
        for text in ('<version who="sg">', '<auth id="main">', "<title>", "Please enter your username and password.",
                     '<form method="post" action="/auth">', '<input type="text" name="username" label="Username:"/>',
                     '<input type="password" name="password" label="Password:"/>'):
            t.expect(text in answer.body, text + " is missing", answer.body)
        t.equal(answer.header("Content-Type"), "text/xml; charset=utf-8", "Content-Type")
        t.equal(answer.header("X-Transcend-Version"), "1", "X-Transcend-Version")
        t.equal(answer.header("Connection"), "Keep-Alive", "Connection")
        cookies = answer.headers("Set-Cookie")
        t.equal(len(cookies), 1, "cookies: %s" % cookies)
        t.expect(re.fullmatch("webvpncontext=%s; Max-Age=60; Secure; HttpOnly" % B64, cookies[0]), cookies[0])


def test_the_end_of_a_login(t):
    """Protocol 29, 43, 44, 4.10, 4.11: the complete document and its cookies."""
    t.server({"banner": "Welcome <to> you"})
    web = t.web()
    first = web.init()
    context = web.cookies["webvpncontext"]
    t.expect("webvpn=" not in first.head, "a cookie before the login", first.head)
    answer = web.reply([("username", "test"), ("password", PASSWORD)])
    for text in ('type="complete"', '<auth id="success">', "<title>SSL VPN Service</title>",
                 "<banner>Welcome &lt;to&gt; you</banner>"):
        t.expect(text in answer.body, text + " is missing", answer.body)
    cookies = answer.headers("Set-Cookie")
    own = [c for c in cookies if c.startswith("webvpn=")]
    t.equal(len(own), 1, "webvpn cookies: %s" % cookies)
    t.expect(re.fullmatch("webvpn=%s; Secure; HttpOnly" % B64, own[0]), own[0])
    t.equal([c for c in cookies if c.startswith("webvpnc=")],
            ["webvpnc=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/; Secure; HttpOnly",
             "webvpnc=bu:/&p:t&iu:1/&sh:%s; path=/; Secure; HttpOnly" % sha1_of(web)], "webvpnc")
    t.expect(context not in own[0], "the context became the cookie")
    t.expect(len(base64.b64decode(web.cookies["webvpn"])) == 32, "length of the cookie")
    second = t.web().must_login()
    t.expect(second.cookies["webvpn"] != web.cookies["webvpn"], "the cookie is no secret")
    # The context of a finished login is worth nothing.
    third = t.web(cookies={"webvpncontext": context})
    answer = third.reply([("password", "x")])
    t.expect(not answer.success, "a finished login goes on", answer.head)


@marks(sanitizers=True)
def test_replies_of_every_shape(t):
    """Protocol 20, 33, 34, 4.6, checklist 25 to 28, 31: name alone, no password, an empty one, XML as a form."""
    server = t.server(users={"test": None})
    # An entry with the hash of the empty string (31) and a locked one (29).
    with open(server.dir + "/passwd", "a") as passwd:
        passwd.write("empty:*:%s\n" % sh("perl", "-e", 'print crypt("", "\$5\$salt")').stdout)
        passwd.write("nohash:*:\n")
    server.passwd("locked")
    server.passwd("locked", PASSWORD, None, "-l")
    web = t.web()
    web.init()
    answer = web.reply([("username", "test")])
    t.expect('name="password"' in answer.body and 'name="username"' not in answer.body, "no password form",
             answer.body)
    t.expect("Please enter your password." in answer.body, "message of the password form", answer.body)
    t.expect(web.reply([("password", PASSWORD)]).success, "name, then password")
    for user, password, good in (("test", PASSWORD, True), ("test", "wrong", False), ("test", "", False),
                                 ("nobody", PASSWORD, False), ("nobody", "", False), ("locked", PASSWORD, False),
                                 ("empty", "", True), ("empty", "x", False), ("nohash", "", False),
                                 ("", "", False), ("TEST", PASSWORD, False), (" test", PASSWORD, False),
                                 ("test", PASSWORD + " ", False), ("../test", PASSWORD, False),
                                 ("test\u00e9", PASSWORD, False), ("a" * 5000, PASSWORD, False)):
        web = t.web()
        web.init()
        answer = web.reply([("username", user), ("password", password)])
        t.equal(answer.success, good, "%.20r with %r" % (user, password))
        t.equal(answer.status, 200, "status of %.20r with %r" % (user, password))
        t.equal("webvpn" in web.cookies, good, "a cookie for %.20r with %r" % (user, password))
    # An empty element is an empty answer; none at all is no answer.
    for empty in ("<password/>", "<password></password>"):
        web = t.web()
        web.init()
        web.reply([("username", "empty")])
        t.expect(web.post("/auth", xml_reply(empty)).success, "%s is no empty string" % empty)
    web = t.web()
    web.init()
    web.reply([("username", "test")])
    answer = web.post("/auth", xml_reply(""))
    t.equal(answer.lines[0], "HTTP/1.1 401 No password", "a reply without a password")
    t.expect(web.is_closed(), "the connection stays open")
    # The format is decided by the body.
    web = t.web()
    web.init()
    body = xml_reply("<username>test</username><password>%s</password>" % PASSWORD)
    t.expect(web.post("/auth", " \r\n" + body.split("?>", 1)[1],
                      headers=["Content-Type: application/x-www-form-urlencoded"]).success, "XML called a form")
    web = t.web()
    web.init()
    t.expect(web.post("/auth", "username=test&password=" + PASSWORD, headers=["Content-Type: application/xml"]).success,
             "a form called XML")


def test_names_are_matched_whatever_their_case(t):
    """Protocol 4.2: element names in any case, unknown ones and attributes ignored, entities decoded."""
    server = t.server(users={})
    server.passwd("ann", "a&b<c>\"' \t%41+;=\u00fc")
    web = t.web()
    web.post("/", '<?xml version="1.0"?>\r\n<!DOCTYPE config-auth>\r\n<!-- hello -->\r\n'
             '<Config-Auth type="init" x="y"><Version who="vpn">1</Version><what><is>this</is></what></Config-Auth>')
    answer = web.post("/auth", xml_reply("<UserName>ann</UserName><x/><PASSWORD>a&amp;b&lt;c&gt;&quot;&apos; &#9;%41"
                                         "+;=&#xfc;</PASSWORD>"))
    t.expect(answer.success, "refused", answer.head, answer.body)


@marks(sanitizers=True)
def test_hostile_documents(t):
    """Protocol 42, 10.29: entities, depth, repeated elements, rubbish: refused, and nobody dies."""
    server = t.server()
    roles = server.roles()
    good = "<username>test</username><password>%s</password>" % PASSWORD
    head = '<?xml version="1.0"?><config-auth client="vpn" type="auth-reply"><auth>'
    laughs = "".join('<!ENTITY l%d "%s">' % (i, "&l%d;" % (i - 1) * 10) for i in range(1, 10))
    for what, body in (
            ("external entity", '<?xml version="1.0"?><!DOCTYPE c [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
             '<config-auth type="auth-reply"><auth><username>&x;</username><password>x</password></auth></config-auth>'),
            ("external subset", '<?xml version="1.0"?><!DOCTYPE c SYSTEM "http://198.18.0.2/x.dtd">'
             '<config-auth type="auth-reply"><auth><username>&x;</username></auth></config-auth>'),
            ("laughs", '<?xml version="1.0"?><!DOCTYPE c [<!ENTITY l0 "ha">%s]><config-auth type="init">&l9;'
             '</config-auth>' % laughs),
            ("deep", head + "<a>" * 10000),
            ("deep and closed", head + "<a>" * 40 + "</a>" * 40 + "</auth></config-auth>"),
            ("two passwords", xml_reply(good + "<password>x</password>")),
            ("two names", xml_reply("<username>x</username>" + good)),
            ("NUL", xml_reply(good).replace("test", "te\0st")),
            ("NUL reference", xml_reply(good).replace("test", "te&#0;st")),
            ("not closed", head + good), ("not XML", "<"), ("other root", "<a>" + good + "</a>"),
            ("bad UTF-8", xml_reply(good).encode().replace(b"test", b"te\xff\xfest")),
            ("UTF-16", xml_reply(good).encode("utf-16")),
            ("many fields", "&".join("f%d=%d" % (i, i) for i in range(5000))),
            ("long name", "a" * 200000 + "=b"), ("two form passwords", "username=test&password=x&password=" + PASSWORD),
            ("a NUL in a form", "username=test%00x&password=" + PASSWORD), ("percent", "%=%&%%%=%zz")):
        web = t.web()
        web.init()
        try:
            answer = web.post("/auth", body)
        except OSError:
            continue
        t.expect(not answer.success and "webvpn" not in web.cookies, what + " logged in", answer.head)
        t.expect(answer.status in (200, 401), "%s: %s" % (what, answer.lines[0]))
        t.expect("root:" not in answer.body, what + " shows a file", answer.body)
    t.web().must_login()
    t.equal({**server.roles(), "workers": 0}, {**roles, "workers": 0}, "the server's processes")


def wrong_login(t, user, **options):
    web = t.web(**options)
    web.init()
    start = time.monotonic()
    answer = web.reply([("username", user), ("password", "wrong")])
    return web, answer, time.monotonic() - start


def test_unknown_users_look_like_wrong_passwords(t):
    """Protocol 38, 10.30, checklist 28: words, headers and time are the same."""
    server = t.server(users={"test": None, "other": None})
    server.passwd("locked")
    server.passwd("locked", PASSWORD, None, "-l")

    def transcript(user):
        web, answer, _ = wrong_login(t, user)
        heads = []
        for _ in range(3):
            heads.append(re.sub(B64, "COOKIE", answer.head) + answer.body)
            if answer.status != 200:
                break
            answer = web.reply([("password", "wrong")])
        return heads
    known = transcript("test")
    t.equal(len(known), 3, "answers to wrong passwords")
    t.expect("<error" in known[0] and "Login failed" in known[0], "no error in the answer", known[0])
    for user in ("nobody", "locked", "x" * 300, "<b>"):
        t.equal(transcript(user), known, "dialogue of " + user[:10])
    times = {user: [] for user in ("test", "nobody", "locked")}
    for _ in range(15):
        for user, list_ in times.items():
            list_.append(wrong_login(t, user)[2])
    medians = [statistics.median(list_) for list_ in times.values()]
    t.expect(max(medians) < 2 * min(medians) + 0.005, "times differ: %s" % medians)


def test_tries_are_counted_over_inits_and_connections(t):
    """Protocol 36, 37, 56, 10.10, 10.30: a new init keeps the failures; so does a new connection."""
    t.server()
    web = t.web()
    web.init()
    for n in range(3):
        web.init()
        answer = web.reply([("username", "test"), ("password", "wrong")])
        t.equal(answer.status, 200 if n < 2 else 401, "status of failure %d" % (n + 1))
    t.equal(answer.lines[0], "HTTP/1.1 401 Authentication failed", "status line of the end")
    t.expect(web.is_closed(), "the connection stays open")
    cookies = dict(t.web().cookies)
    for n in range(3):
        web = t.web(cookies=cookies)
        if not n:
            web.init()
        answer = web.reply([("username", "test"), ("password", "wrong")])
        cookies = dict(web.cookies)
        web.close()
    t.equal(answer.status, 401, "status of the third failure on a third connection")
    # The right password after wrong ones, after a new init, and for another user.
    web = t.web()
    web.init()
    web.reply([("username", "nobody"), ("password", "wrong")])
    web.reply([("username", "test"), ("password", "wrong")])
    web.init()
    t.expect(web.reply([("username", "test"), ("password", PASSWORD)]).success, "the right password was refused")


def test_a_context_is_no_credential(t):
    """Protocol 39, 1.3, 10.1: made-up and foreign contexts begin anew; without a cookie the connection counts."""
    t.server()
    web = t.web()
    made_up = base64.b64encode(b"c" * 32).decode()
    web.cookies["webvpncontext"] = made_up
    answer = web.init()
    t.expect(answer.status == 200 and web.cookies["webvpncontext"] != made_up, "a made-up context was adopted",
             answer.head)
    t.equal(t.web().connect(cookie=web.cookies["webvpncontext"]).status, 401, "CONNECT with the context")
    web = t.web()
    web.init()
    web.cookies.clear()
    web.reply([("username", "test")])
    web.cookies.clear()
    t.expect(web.reply([("password", PASSWORD)]).success, "the connection does not name its login")


def test_a_login_spread_over_connections(t):
    """Protocol 39, checklist 38: every request on a connection of its own; the tunnel on yet another."""
    t.server()
    cookies, answer = {}, None
    for fields in (None, [("username", "test")], [("password", "wrong")], [("password", PASSWORD)]):
        web = t.web(cookies=cookies)
        answer = web.init() if fields is None else web.reply(fields)
        cookies = dict(web.cookies)
        web.close()
    t.expect(answer.success, "refused", answer.head, answer.body)
    t.equal(t.web().connect(cookie=cookies["webvpn"]).status, 200, "status of CONNECT")


@marks(sanitizers=True)
def test_clients_without_xml(t):
    """Protocol 40, 41, 20, 4.14, checklist 203: GET and form; +, %XX and UTF-8; Login and empty fields ignored."""
    server = t.server({"select-group": ["staff[\u041f\u0435\u0440\u0441\u043e\u043d\u0430\u043b]", "guests"]}, users={})
    password = "p+w %&=;/?\u00fc \u20ac%zz"
    server.passwd("us er", password, "staff,guests")
    body = "username=us+er&password=p%2Bw%20%25%26%3D%3B/?%C3%BC+%E2%82%AC%25zz&"
    for more in ("group_list=staff", "group%5flist=staff", "group%5Flist=guests&Login=Login",
                 "secondary_username=&secondary_password=&group_list=%D0%9F%D0%B5%D1%80%D1%81%D0%BE%D0%BD%D0%B0%D0%BB"):
        web = t.web()
        web.agent = "Cisco AnyConnect VPN Agent for Windows 2.2"
        answer = web.get("/", xml=False)
        t.expect(answer.status == 200 and answer.body.startswith("<?xml"), "the form", answer.head)
        answer = web.post("/auth", body + more, xml=False,
                          headers=["Content-Type: application/x-www-form-urlencoded"])
        t.expect(answer.success, "refused with " + more, answer.head, answer.body)


def test_openconnect_3_gets_bare_documents(t):
    """Protocol 4.2, 68, checklist 102: no wrapper, id passwd; no IPv6 at CONNECT."""
    t.server({"dns": ["198.18.1.2", "fd00:19::2"]})
    web = t.web()
    web.agent = "Open AnyConnect VPN Agent v3.02"
    answer = web.init()
    t.expect("config-auth" not in answer.body, "a wrapper", answer.body)
    t.expect(re.match(r'<\?xml[^>]*>\s*<auth id="main">', answer.body), "the beginning", answer.body)
    answer = web.reply([("username", "test")])
    t.expect(re.match(r'<\?xml[^>]*>\s*<auth id="passwd">', answer.body), "the password form", answer.body)
    answer = web.reply([("password", PASSWORD)])
    t.expect(re.match(r'<\?xml[^>]*>\s*<auth id="success">', answer.body), "the success", answer.body)
    head = web.connect().head
    t.expect("X-CSTP-Address: 198.19.0." in head, "no IPv4", head)
    for text in ("IP6", "fd00:"):
        t.expect(text not in head, text + " for version 3", head)
    for agent in ("Open AnyConnect VPN Agent v4.0", "Open AnyConnect VPN Agent v30.1", "whatever"):
        web = t.web()
        web.agent = agent
        t.expect("config-auth" in web.init().body, "bare for " + agent)


def test_banner_before_login_is_unaltered(t):
    """Checklist 37: hundreds of percent signs, markup, non-Latin text."""
    for banner in ("%" * 500, "%s%n%x%1$s %d <b>&amp; \u041f\u0440\u0438\u0432\u0435\u0442"):
        server = t.server({"pre-login-banner": banner})
        web = t.web()
        for answer in (web.init(), web.reply([("username", "test"), ("password", "wrong")]), t.web().get("/")):
            found = re.search("<banner>(.*?)</banner>", answer.body, re.S)
            t.expect(found, "no banner", answer.body)
            t.equal(unescape(found.group(1), {"&quot;": '"'}), banner, "banner")
        t.expect(t.web().login().success, "no login with the banner")
        server.stop()


# ---- groups ----

GROUPS = {"select-group": ["staff[Staff & \u041f\u0435\u0440\u0441\u043e\u043d\u0430\u043b]", "guests", "admins[The <admins>]"]}


def options_of(answer):
    """The entries of the group list: (value, label, selected)."""
    return [(unescape(v, {"&quot;": '"'}), unescape(label), bool(s)) for s, v, label in
            re.findall(r'<option( selected="true")? value="([^"]*)">([^<]*)</option>', answer.body)]


def select(group):
    return "<group-select>%s</group-select>" % group


def test_group_list(t):
    """Protocol 30, 4.5, checklist 69 to 72: values and labels, the chosen one first, unknown ones not echoed."""
    t.server(GROUPS, users={"test": "staff,guests,hidden"})
    staff, guests, admins = ("staff", "Staff & \u041f\u0435\u0440\u0441\u043e\u043d\u0430\u043b"), ("guests", "guests"), \
        ("admins", "The <admins>")

    def check(answer, *entries, chosen=False):
        t.equal([entry[:2] for entry in options_of(answer)], list(entries), "entries")
        t.equal([entry[2] for entry in options_of(answer)], [chosen and i == 0 for i in range(len(entries))],
                "which is selected")
    check(t.web().init(), staff, guests, admins)
    check(t.web().init("/", select("guests")), guests, staff, admins, chosen=True)
    check(t.web().init("/", select("The &lt;admins&gt;")), admins, staff, guests, chosen=True)
    check(t.web().init("/", select("Staff &amp; " + staff[1][8:])), staff, guests, admins, chosen=True)
    for name in ("nonsense", "hidden", "&lt;script&gt;", "../x", "a" * 300):
        answer = t.web().init("/", select(name))
        check(answer, staff, guests, admins)
        t.expect(name not in answer.body, "%s is echoed" % name, answer.body)
    # openconnect chooses another group on the same connection, with a new init to the form's action.
    web = t.web()
    for name, first in (("guests", guests), ("staff", staff), ("admins", admins)):
        t.equal(options_of(web.init("/auth", select(name)))[0], first + (True,), "first entry after choosing " + name)
    # The choice lasts for the replies, which need not repeat it.
    web.init("/auth", select("guests"))
    answer = web.reply([("username", "test"), ("password", "wrong")])
    t.equal((options_of(answer) or [guests + (True,)])[0], guests + (True,), "first entry after a failure")
    t.expect(web.reply([("password", PASSWORD)]).success, "login in the chosen group")


def group_of(t, web):
    """The group of WEB's session: by a header with the variable."""
    return web.connect().header("X-Group")


@marks(sanitizers=True)
def test_group_decides(t):
    """Protocol 31, 32, 10.27, checklist 73, 78, 79: value, label, default entry, none, foreign, by URL."""
    t.server({**GROUPS, "default-select-group": "[none]", "select-group-by-url": "true",
              "custom-header": "X-Group: <%{G}>"}, users={"test": "staff,guests,hidden", "lone": None})
    first = options_of(t.web().init())[0]
    t.equal(first[0], "[none]", "first entry without a choice")
    for user, group, wanted in (("test", "staff", "<staff>"), ("test", "guests", "<guests>"),
                                ("test", GROUPS["select-group"][0][6:-1], "<staff>"), ("test", "[none]", "<>"),
                                ("test", "hidden", "<hidden>"), ("lone", "[none]", "<>"), ("lone", None, "<>"),
                                ("test", None, "<staff>")):
        web = t.web().must_login(user, group=group)
        t.equal(group_of(t, web), wanted, "%s choosing %s" % (user, group))
    for user, group in (("test", "admins"), ("lone", "staff"), ("test", "nonsense"), ("test", "../staff")):
        answer = t.web().login(user, group=group)
        t.expect(not answer.success and answer.status == 200, "%s as %s: %s" % (user, group, answer.lines[0]))
    for path in ("/guests", "/guests/", "/guests?x=y", "/%67uests"):
        web = t.web()
        answer = web.init(path)
        t.expect(len(options_of(answer)) <= 1, "a list although the URL chose", answer.body)
        t.expect(web.reply([("username", "test"), ("password", PASSWORD)], select("staff")).success or True, "reply")
        if "webvpn" in web.cookies:
            t.equal(group_of(t, web), "<guests>", "group forced by %s, reply with staff" % path)
        t.equal(group_of(t, t.web().must_login(path=path)), "<guests>", "group by " + path)
    t.equal(group_of(t, t.web().must_login(path="/staff/x")), "<staff>", "the user's first group (no such path)")
    web = t.web()
    answer = web.get("/guests", xml=False)
    t.equal(answer.status, 200, "GET /guests")
    web.post("/auth", "username=test&password=%s&group_list=staff" % PASSWORD, xml=False)
    t.equal(group_of(t, web), "<guests>", "group by GET /guests")
    # <group-access> names the URL as well.
    web = t.web()
    web.post("/", xml_init("<group-access>https://server/guests?x</group-access>"))
    web.reply([("username", "test"), ("password", PASSWORD)])
    t.equal(group_of(t, web), "<guests>", "group by group-access")
    t.expect(not t.web().login("lone", path="/staff").success, "a foreign group by URL")


def test_group_by_url_only_when_configured(t):
    """Checklist 79, config.md 8.12: without select-group-by-url the path chooses nothing."""
    t.server({**GROUPS, "custom-header": "X-Group: <%{G}>"}, users={"test": "staff,guests"})
    t.equal(len(options_of(t.web().init("/guests"))), 3, "entries")
    t.equal(t.web().get("/guests").status, 404, "GET /guests")
    t.equal(group_of(t, t.web().must_login(path="/guests")), "<staff>", "group of POST /guests")


# ---- CONNECT ----

ORDER = """X-CSTP-Version X-CSTP-Hostname X-CSTP-DPD X-CSTP-Default-Domain X-CSTP-Address X-CSTP-Netmask
X-CSTP-Address-IP6 X-CSTP-DNS X-CSTP-NBNS X-CSTP-Split-DNS X-CSTP-Split-Include X-CSTP-Split-Include-IP6
X-CSTP-Tunnel-All-DNS X-CSTP-Client-Bypass-Protocol X-CSTP-Split-Exclude X-CSTP-Split-Exclude-IP6 X-CSTP-Keepalive
X-CSTP-Idle-Timeout X-CSTP-Rekey-Time X-CSTP-Rekey-Method X-CSTP-Session-Timeout X-CSTP-Session-Timeout-Remaining
X-CSTP-Disconnected-Timeout X-CSTP-Keep X-CSTP-TCP-Keepalive X-CSTP-License X-DTLS-DPD X-DTLS-Port X-DTLS-Rekey-Time
X-DTLS-Rekey-Method X-DTLS-Keepalive X-DTLS-App-ID X-DTLS-CipherSuite X-CSTP-Base-MTU X-CSTP-MTU X-CSTP-Banner""".split()

DTLS = ["X-DTLS-Master-Secret: " + "ab" * 48, "X-DTLS-CipherSuite: PSK-NEGOTIATE:OC-DTLS1_2-AES256-GCM:AES128-SHA"]


@marks(sanitizers=True)
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
                 ("X-CSTP-Idle-Timeout", "1200"), ("X-CSTP-Rekey-Method", "ssl"), ("X-CSTP-Rekey-Time", "31536000"),
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


@marks(sanitizers=True)
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


# ---- sessions ----

@marks(sanitizers=True)
def test_goodbyes(t):
    """Protocol 58, 10.24, checklist 139: only 0xb0 ends the session; the addresses stay with the cookie."""
    t.server({"predictable-ips": "false"})
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
    t.server()
    one, two, three = (t.web().must_login().cookies["webvpn"] for _ in range(3))
    t.equal(t.web().get("/logout").status, 200, "GET /logout without a cookie")
    t.equal(t.web(cookies={"webvpn": one}).get("/logout").status, 200, "GET /logout")
    answer = t.web(cookies={"webvpn": two}).post("/", '<?xml version="1.0"?><config-auth client="vpn" type="logout">'
                                                 '<session-token/></config-auth>')
    t.expect(answer.status == 200 and 'type="complete"' in answer.body, "logout document", answer.head, answer.body)
    time.sleep(0.3)
    for cookie, status in ((one, 401), (two, 401), (three, 200)):
        t.equal(t.web().connect(cookie=cookie).status, status, "CONNECT afterwards")


def test_session_timeout_counts_from_the_login(t):
    """Protocol 60, 10.6, checklist 137: announced, not extended by reconnects; then the cookie is dead."""
    t.server({"session-timeout": 6})
    web = t.web().must_login()
    start, left = time.monotonic(), []
    for _ in range(3):
        answer = web.connect()
        t.equal(answer.header("X-CSTP-Session-Timeout"), "6", "announced")
        left.append(int(answer.header("X-CSTP-Session-Timeout-Remaining")))
        time.sleep(1.2)
        cookie = web.cookies["webvpn"]
        if len(left) < 3:
            web.close()
            web = t.web(cookies={"webvpn": cookie})
    t.expect(left[0] > left[1] > left[2], "remaining times: %s" % left)
    frame = Tunnel(web, answer).receive_control(10)
    t.expect(frame and frame[0] in (Tunnel.DISCONNECT, Tunnel.TERMINATE), "the last frame: %s" % (frame,))
    t.expect(4 < time.monotonic() - start < 9, "ended after %.1f s" % (time.monotonic() - start))
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


# ---- virtual hosts ----

@marks(sanitizers=True)
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


# ---- bans and logs ----

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


# ---- UDP as announced ----

@marks(sanitizers=True)
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


# ---- names that lie ----

@marks(sanitizers=True)
def test_names_forge_nothing(t):
    """Protocol 10.14, 10.28: line breaks and paths in names reach neither the log's lines nor files nor headers."""
    server = t.server({"select-group": ["staff"], "custom-header": "X-Who: %{U} %{G}", "config-per-user": "/etc",
                       "select-group-by-url": "true"}, users={"test": "staff", "..": None})
    forged = "sallyportd[1]: forged"
    for name in ("x\n" + forged, "x\r\n" + forged, "x\x7f\x1b[2J" + forged):
        web = t.web()
        web.init()
        body = xml_reply("<username>%s</username><password>x</password>" % name.replace("\x1b", "?")
                         .replace("\r", "&#13;").replace("\n", "&#10;"), select(name.replace("\x1b", "?")
                                                                                 .replace("\r", "&#13;")))
        answer = web.post("/auth", body)
        t.expect(not answer.success and forged not in answer.head, "the answer", answer.head)
        web = t.web()
        web.agent = "Agent\t" + "x" * 5000
        web.post("/x%0d%0aX-Forged:%20y", "username=a%0aforged&password=b")
    t.web().connect(cookie="", headers=["X-CSTP-Hostname: a\tb"])
    for line in server.log().splitlines():
        t.expect(not line.startswith(forged) and "\x1b" not in line, "a forged line: " + line)
    # config-per-user names files, never folders.
    for user in ("..",):
        answer = t.web().must_login(user).connect()
        t.equal(answer.status, 401, "tunnel of the user %s with config-per-user = /etc" % user)


@marks(sanitizers=True)
def test_logout_document_with_a_token(t):
    """Protocol 4.13: the session-token names the session as its cookie does."""
    t.server()
    cookie = t.web().must_login().cookies["webvpn"]
    logout = '<?xml version="1.0"?><config-auth client="vpn" type="logout"><session-token>%s</session-token></config-auth>'
    for token in ("", "x", "A" * 5000):
        t.equal(t.web().post("/", logout % token).status, 200, "status with the token %.5s" % token)
    t.equal(t.web().post("/", logout % cookie).status, 200, "status")
    time.sleep(0.3)
    t.equal(t.web().connect(cookie=cookie).status, 401, "CONNECT afterwards")


@marks(sanitizers=True)
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


def test_browsers_see_no_product(t):
    """Protocol 3.8: nothing that names a product or a version, whoever asks."""
    t.server()
    for path in ("/", "/nothing", "/auth", "/1/index.html"):
        web = t.web()
        web.agent = "Mozilla/5.0 (X11; Linux x86_64) Firefox/100"
        answer = web.get(path, xml=False)
        for word in ("sallyport", "openconnect", "ocserv", "gnutls", "0.1.0", "Server:"):
            t.expect(word.lower() not in (answer.head + answer.body).lower(), "%s says %s" % (path, word), answer.head,
                     answer.body)


def test_outer_ipv6(t):
    """Protocol 5.5: the MTU counts the headers of the outer family."""
    t.server()
    four = t.web().must_login().connect(headers=DTLS)
    web = t.web(host="fd00:18::1")
    web.must_login()
    six = web.connect(headers=DTLS)
    t.equal(int(four.header("X-CSTP-MTU")) - int(six.header("X-CSTP-MTU")), 20, "difference of the MTUs")


# ---- more of the answer to CONNECT ----

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
    t.equal(server.log().count("failed cookie authentication attempt"), 1, "lines about the bad cookie")
    t.web().connect(cookie="rubbish")
    server.wait_log("failed cookie authentication attempt[^$]*failed cookie authentication attempt")
    t.equal(server.log().count("failed cookie authentication attempt"), 2, "lines about the malformed cookie")


def test_scores_are_forgotten(t):
    """Checklist 145, 146, 148: ban-reset-time clears the score of who was not banned; ban-time ends a ban."""
    server = t.server({"max-ban-score": 30, "ban-points-wrong-password": 10, "ban-points-connection": 0,
                       "ban-reset-time": 3, "ban-time": 3})
    far = t.net.add_client_address("198.51.100.9")
    for _ in range(2):
        for _ in range(2):
            wrong_login(t, "test", source=far)
        time.sleep(4.5)
    t.expect("added IP" not in server.log(), "banned although the score was old", server.log())
    for _ in range(3):
        wrong_login(t, "test", source=far)
    server.wait_log("added IP '198.51.100.9'")
    try:
        Web(t, source=far)
        t.expect(False, "a banned address got in")
    except OSError:
        pass
    time.sleep(4.5)
    t.web(source=far).must_login()


def test_certificate_elements_are_ignored(t):
    """Protocol 46, 4.15: client-cert-fail in an init leads to the same form."""
    t.server()
    web = t.web()
    answer = web.init("/", "<client-cert-fail/>")
    t.expect('name="password"' in answer.body and "client-cert-request" not in answer.body, "no form", answer.body)
    t.expect(web.reply([("username", "test"), ("password", PASSWORD)]).success, "no login")


def test_groups_of_the_password_file(t):
    """Config 8.12, 11, checklist 34, 69: auto-select-group lists them; blanks and single letters; edits count at once."""
    server = t.server({"auto-select-group": "true", "default-select-group": "none", "custom-header": "X-Group: <%{G}>"},
                      users={"test": None})
    with open(server.dir + "/passwd") as passwd:
        hash_ = passwd.read().strip().split(":")[2]
    server.write_file("passwd", "test: staff , guests:%s\nother:x,*,ops:%s\nlone:*:%s\nbad line\n\n:g:%s\n" % (
        (hash_,) * 4), 0o600)
    names = [value for value, _, _ in options_of(t.web().init())]
    t.expect(names[0] == "none" and {"staff", "guests", "ops"} <= set(names) and not {"x", "*"} & set(names), "list",
             names)
    for user, group, wanted in (("test", "staff", "<staff>"), ("test", "guests", "<guests>"), ("test", None, "<staff>"),
                                ("other", "ops", "<ops>"), ("other", None, "<ops>"), ("lone", None, "<>"),
                                ("test", "none", "<>")):
        t.equal(group_of(t, t.web().must_login(user, group=group)), wanted, "%s as %s" % (user, group))
    for user, group in (("other", "x"), ("other", "*"), ("lone", "*"), ("test", "ops"), ("", "g")):
        t.expect(not t.web().login(user, group=group).success, "%s as %s" % (user, group))
    server.write_file("passwd", "test:new:%s\n" % hash_, 0o600)
    t.expect("new" in [value for value, _, _ in options_of(t.web().init())], "the list after an edit")


# ---- hellos of DTLS ----

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
    udp.settimeout(1)

    def ask(data):
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
    reply = ask(hello(app, good))
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
    udp.settimeout(1)
    t.expect(ask(hello(app, good)) is None, "the old App-ID was answered")
    t.expect(ask(hello(bytes.fromhex(answer.header("X-DTLS-App-ID").lower()), good)), "the new App-ID was not answered")
    udp.close()


def last_alert(web):
    """What TLS says behind the last answer."""
    web.socket.settimeout(5)
    try:
        return web.file.read(1)
    except ssl.SSLError as error:
        return str(error).lower()


def test_refusals_end_with_an_alert(t):
    """Protocol 4.8, 5.4: after a final 401 comes access_denied; after other ends close_notify."""
    t.server()
    web = t.web()
    web.init()
    for _ in range(3):
        answer = web.reply([("username", "test"), ("password", "wrong")])
    t.equal((answer.status, answer.header("Content-Length")), (401, "0"), "the third answer")
    t.expect("access denied" in str(last_alert(web)), "no alert after the third wrong password")
    web = t.web()
    web.connect(cookie="A" * 43 + "=")
    t.expect("access denied" in str(last_alert(web)), "no alert after a bad cookie")
    for make in (lambda web: web.connect(cookie=""), lambda web: web.get("/nothing")):
        web = t.web()
        make(web)
        t.equal(last_alert(web), b"", "the end after 503 and 404")
