"""The login dialogue held to protocol.md 4, 10 and 11 with requests spoken by hand: forms, replies, groups, tries."""
import base64
import re
from xml.sax.saxutils import unescape

from lib.server import PASSWORD
from lib.shell import sh
from lib.spoken import (
    B64, GROUPS, group_of, last_alert, options_of, select, sha1_of, wrong_login, xml_init, xml_reply)


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
                                 ("test\u00e9", PASSWORD, False), ("a" * 1000, PASSWORD, False)):
        web = t.web()
        web.init()
        answer = web.reply([("username", user), ("password", password)])
        t.equal(answer.success, good, "%.20r with %r" % (user, password))
        t.equal(answer.status, 200, "status of %.20r with %r" % (user, password))
        t.equal("webvpn" in web.cookies, good, "a cookie for %.20r with %r" % (user, password))
    web = t.web()
    web.init()
    t.equal(web.reply([("username", "a" * 5000), ("password", PASSWORD)]).status, 401, "status of a name beyond all bounds")
    server.wait_log("step-too-large")
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
    # The quickest of each: a busy machine makes any of them late, but none early.
    least = [min(list_) for list_ in times.values()]
    t.expect(max(least) < 2 * min(least) + 0.005, "times differ: %s" % least)


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


def test_certificate_elements_are_ignored(t):
    """Protocol 46, 4.15: client-cert-fail in an init leads to the same form."""
    t.server()
    web = t.web()
    answer = web.init("/", "<client-cert-fail/>")
    t.expect('name="password"' in answer.body and "client-cert-request" not in answer.body, "no form", answer.body)
    t.expect(web.reply([("username", "test"), ("password", PASSWORD)]).success, "no login")


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


def test_browsers_see_no_product(t):
    """Protocol 3.8: nothing that names a product or a version, and no login form."""
    t.server()
    for path in ("/", "/nothing", "/auth", "/1/index.html"):
        web = t.web()
        web.agent = "Mozilla/5.0 (X11; Linux x86_64) Firefox/100"
        answer = web.get(path, xml=False)
        for word in ("config-auth", "sallyport", "openconnect", "ocserv", "gnutls", "0.1.0", "Server:"):
            t.expect(word.lower() not in (answer.head + answer.body).lower(), "%s says %s" % (path, word), answer.head,
                     answer.body)


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
