"""One-time passwords behind every other method: auth = "..." and auth = "plain[otp=FILE]" (config.md 6.1)."""
import re
import time

from lib.clientcert import Authority
from lib.freeradius import FreeRadius
from lib.harness import marks
from lib.kdc import Initiator
from lib.oidc import Key, Provider, token
from lib.pam import UNIX, Pam
from lib.server import PASSWORD
from lib.shell import sh, wait_for
from lib.slapd import Slapd
from lib.spoken import group_of, select
from test_certificates import CN, spoken
from test_combinations import bearer, inputs, seen, start
from test_gssapi import line as kerberos_line, negotiate, openconnect, world
from test_otp import SECRET, code, steps

CODES = "plain[otp=DIR/otp]"


def tokens(users=("test",), kind="HOTP"):
    return "".join("%s %s - %s\n" % (kind, user, SECRET) for user in users)


def with_codes(t, auth, has_token=("test",), kind="HOTP", **options):
    """A server where the line AUTH and a code are asked for."""
    server = start(t, [auth, CODES], **options)
    server.write_file("otp", tokens(has_token, kind), 0o600)
    return server


def looks(t, tries):
    """What clients see of TRIES of (web, user, password, code); each must end with 401."""
    kinds = set()
    for web, user, password, otp in tries:
        before = web.init()
        first = web.reply([("username", user), ("password", password)])
        last = web.reply([("secondary_password", otp)])
        t.equal((first.status, last.status), (200, 401), "statuses of %s, %s, %s" % (user, password, otp))
        t.equal(inputs(first), ["secondary_password"], "the second form")
        kinds.add((seen(before), seen(first), seen(last)))
    return kinds


def test_directory_and_code(t):
    """A directory's password, then a code that openconnect makes by itself; the group is the directory's; with
    one of both nobody gets in, and who loses one has no use for an old cookie."""
    directory = Slapd(t)
    dn = directory.person("Ann")
    directory.group("staff", dn)
    server = with_codes(t, directory.line(group_attr="memberOf").strip('"'), ("Ann",), "HOTP/T30/6")
    arguments = ["--token-mode=totp", "--token-secret=0x" + SECRET]
    client = t.client(user="ann", dtls=False, arguments=arguments).wait()
    user = server.user("Ann")
    t.equal((user["Username"], user["Groupname"]), ("Ann", "staff"), "the directory's name and group")
    client.stop()
    server.wait_no_user("Ann")
    for password, otp in ((PASSWORD, "000000"), ("wrong", code(when=time.time() + 90))):
        t.expect(not steps(t.web(), "ann", password, otp)[1].success, "logged in with one of two")
    for lose, keep in ((lambda: server.write_file("otp", "", 0o600),
                        lambda: server.write_file("otp", tokens(("Ann",), "HOTP/T30/6"), 0o600)),
                       (lambda: directory.delete(dn), lambda: None)):
        web = t.web()
        t.expect(steps(web, "ann", PASSWORD, code(when=time.time() + 180))[1].success, "refused with both")
        lose()
        t.expect(web.connect().status != 200, "a tunnel for who has lost a factor")
        keep()


def test_radius_and_code(t):
    """What RADIUS grants comes with the session after the code, also behind a challenge; a rejection after
    the challenge and a wrong code look the same."""
    policy = """
    if (&User-Name == "chal") {
        if (!&State) {
            update reply {
                &Reply-Message := "Token?"
            }
            challenge
        }
        elsif (&User-Password == "77") {
            update control {
                &Auth-Type := Accept
            }
        }
        else {
            reject
        }
    }
"""
    radius = FreeRadius(t, policy=policy, users="""
test Cleartext-Password := "%s"
	Framed-IP-Address = 198.19.0.50,
	Class = "OU=staff"
""" % PASSWORD, reject="""
    update reply {
        &Reply-Message := "Go away."
    }
""")
    server = with_codes(t, "radius[config=%s,groupconfig=true]" % radius.client_conf(), ("test", "chal"))
    client = t.client(dtls=False, arguments=["--form-entry", "main:secondary_password=" + code(0)]).wait()
    user = server.user("test")
    t.equal((user["IPv4"], user["Groupname"]), ("198.19.0.50", "staff"), "address and group")
    client.stop()
    t.equal(len(looks(t, [(t.web(), user, password, otp) for user, password, otp in (
        ("test", PASSWORD, "000000"), ("test", "wrong", code(1)), ("test", "wrong", "000000"),
        ("nobody", PASSWORD, code(1)))])), 1, "what clients see")
    t.expect(steps(t.web(), "test", PASSWORD, code(1))[1].success, "a wrong password has used the code up")
    kinds = set()
    for answer, otp in (("77", "000000"), ("78", code(0)), ("78", "000000"), ("77", code(0))):
        web = t.web()
        web.init()
        answers = [web.reply([("username", "chal"), ("password", PASSWORD)])]
        t.expect("Token?" in answers[0].body, "the challenge", answers[0].body)
        answers += [web.reply([("secondary_password", text)]) for text in (answer, otp)]
        if not answers[-1].success:
            kinds.add(tuple(seen(answer) for answer in answers))
    t.expect(answers[-1].success, "refused with password, challenge and code", answers[-1].head)
    t.equal(len(kinds), 1, "what clients see: %s" % kinds)
    for text in ("radius-auth: error authenticating user 'test' \\(code 2, right one-time password\\)",
                 "radius-auth: error authenticating user 'test' \\(code 2, wrong one-time password\\)",
                 "plain-auth: error authenticating user 'test' \\(wrong one-time password\\)",
                 "radius-auth: error authenticating user 'nobody' \\(code 2, no one-time password token\\)"):
        server.wait_log(text)


def test_password_code_and_certificate_in_lines_of_their_own(t):
    """Config.md 6.1: plain, codes and a certificate in three lines, the codes first; nobody can tell what was
    wrong, the log can; a code is not used for another's certificate or a foreign group; one point for each failure."""
    authority = Authority(t)
    mine, other = authority.issue(user="test"), authority.issue(user="ann")
    server = start(t, [CODES, "certificate", "plain[passwd=DIR/passwd]"], authority, users={"test": "staff"},
                   select_group=["staff", "guests"], custom_header="X-Group: <%{G}>", max_ban_score=1000)
    server.write_file("otp", tokens(), 0o600)
    t.expect("setting 'plain+certificate+plain' as primary authentication method" in server.log(), "the printed name",
             server.log())
    t.equal(spoken(t).init().lines[0], "HTTP/1.1 401 No certificate", "without a certificate")
    wrong = [(mine, "wrong", code(0)), (mine, PASSWORD, "000000"), (other, PASSWORD, code(0)), (other, "wrong", "000000"),
             (mine, "", code(0)), (mine, PASSWORD, "")]
    kinds = looks(t, [(spoken(t, certificate), "test", password, otp) for certificate, password, otp in wrong])
    t.equal(len(kinds), 1, "what clients see: %s" % kinds)
    web = spoken(t, mine)
    web.init()
    web.reply([("username", "test"), ("password", PASSWORD)], select("guests"))
    t.equal(web.reply([("secondary_password", code(0))]).status, 401, "a foreign group")
    for reason in (r"'test' \(wrong password, right one-time password\)", r"'test' \(wrong one-time password\)",
                   r"'test' \(wrong group or certificate, right one-time password\)",
                   "presented a certificate which is for user 'ann'", "requested group 'guests' but is not a member"):
        server.wait_log(reason)
    t.equal(len(re.findall("error authenticating user", server.log())), len(wrong) + 1, "lines for log watchers")
    t.equal(len(re.findall("added 10 points", server.log())), len(wrong) + 1, "failures that cost points")
    web = spoken(t, mine)
    t.expect(steps(web, "test", PASSWORD, code(0))[1].success, "refused with all three and an unused code")
    t.equal(group_of(t, web), "<staff>", "group")
    t.expect(not steps(spoken(t, mine), "test", PASSWORD, code(0))[1].success, "a code was taken twice")


def test_pam_and_code(t):
    """A conversation with PAM, then the code; the module's words do not tell who was refused."""
    with Pam(t) as pam:
        user = pam.user("ann")
        quiz = pam.service("auth required %s hide:Word:=yes" % pam.quiz(), *UNIX)
        server = with_codes(t, "pam[service=%s]" % quiz, (user,), users={})
        kinds = set()
        for password, word, otp in (("wrong", "yes", code(0)), (PASSWORD, "yes", "000000"), (PASSWORD, "yes", code(0))):
            web = t.web()
            web.init()
            answers = [web.reply([("username", user), ("password", "yes")])]
            answers += [web.reply([("secondary_password", text)]) for text in (password, otp)]
            kinds.add(tuple(seen(answer) for answer in answers))
        t.expect(answers[-1].success, "refused with everything right", answers[-1].head, answers[-1].body)
        t.equal(len(kinds), 2, "what clients see: %s" % kinds)
        server.wait_log(r"pam-auth: error authenticating user '%s' \(Authentication failure, right one-time" % user)


@marks(alone=True)
def test_the_time_does_not_tell_either(t):
    """Radius 7: where PAM delays refusals, the form for the code comes as late after the right password; leaving
    there costs points whether the password was right or not."""
    with Pam(t) as pam:
        user = pam.user("ann")
        service = pam.service("auth optional pam_faildelay.so delay=800000", UNIX[0] + " nodelay", *UNIX[1:])
        server = with_codes(t, "pam[service=%s]" % service, (user,), users={}, max_ban_score=1000)
        times = {PASSWORD: [], "wrong": []}
        for _ in range(4):
            for password, values in times.items():
                web = t.web()
                web.init()
                begin = time.monotonic()
                web.reply([("username", user), ("password", password)])
                values.append(time.monotonic() - begin)
                web.init()
                web.close()
        t.notes.append("times: %s" % times)
        # libpam makes the delay longer or shorter by up to a half.
        t.expect(min(times[PASSWORD]) > 0.35, "the right password is told by the time", times)
        wait_for("each login left in the middle to be counted", lambda: server.log().count("added 10 points") >= 8)
        t.equal(server.log().count("added 10 points"), 8, "logins left in the middle")


def test_token_and_code(t):
    """A bearer token is looked at first, then there is a form for the code; a bad token leads there, too."""
    key = Key("k1")
    with_codes(t, Provider(t, [key]).conf().strip('"'), ("tom",))
    kinds = set()
    for text, otp in ((token(Key("k1"), preferred_username="tom"), code(0)), (token(key, preferred_username="tom"), "000000"),
                      (token(key, preferred_username="test"), code(0)), (token(key, preferred_username="tom"), code(0))):
        web = t.web()
        answers = [bearer(web, text)]
        t.equal((answers[0].status, inputs(answers[0])), (200, ["secondary_password"]), "the form for the code")
        answers.append(web.reply([("secondary_password", otp)]))
        kinds.add(tuple(seen(answer) for answer in answers))
    t.expect(answers[-1].success, "refused with token and code", answers[-1].head)
    t.equal(len(kinds), 2, "what clients see: %s" % kinds)
    t.expect(web.connect().status == 200, "no tunnel")


def test_ticket_and_code(t):
    """A Kerberos ticket, then the code; openconnect does both by itself."""
    anybody = "require-local-user-map=false"
    kdc, server = world(t, accounts=())
    server.stop()
    server.write_file("otp", tokens(("test",), "HOTP/T30/6"), 0o600)
    server.write_conf(auth=[kerberos_line(kdc, anybody), '"%s"' % CODES.replace("DIR", server.dir)])
    server.start()
    web = t.web()
    answer = negotiate(web, Initiator(t, kdc.tickets()))
    t.equal((answer.status, inputs(answer)), (200, ["secondary_password"]), "the form for the code")
    t.equal(answer.header("WWW-Authenticate"), None, "a word about the ticket")
    t.equal(web.reply([("secondary_password", "000000")]).status, 401, "a wrong code")
    client = openconnect(t, kdc.tickets(), user="ignored",
                         arguments=["--token-mode=totp", "--token-secret=0x" + SECRET]).wait()
    t.equal(server.user("test")["Username"], "test", "user")
    client.stop()


def test_lines_that_do_not_mix(t):
    """Checklist 5, config.md 6.1: codes twice, or two other methods, are refused with the old message."""
    server = t.server(start=False)
    for lines in (["plain[passwd=DIR/passwd,otp=DIR/otp]", CODES], [CODES, CODES], ["pam", CODES, "plain[passwd=DIR/passwd]"]):
        server.write_conf(auth=['"%s"' % each.replace("DIR", server.dir) for each in lines])
        run = sh("ip", "netns", "exec", t.net.srv, t.tools.server, "-t", "-c", server.conf_file, check=False)
        t.equal(run.returncode, 1, "status of %s" % lines)
        t.expect(": vhost:default: you cannot mix multiple authentication methods of plain type" in run.stderr,
                 "the message", run.stderr)
