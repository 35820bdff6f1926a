"""Several methods at once: all of them (auth), any of them (enable-auth), per host (config.md 6.1)."""
import re
import statistics
import time

from lib.clientcert import Authority
from lib.harness import marks
from lib.oidc import Key, Provider, token
from lib.pam import UNIX, Pam
from lib.server import PASSWORD, in_time
from lib.spoken import group_of, select, wrong_login
from lib.web import INIT
from test_certificates import CN, OU, accepted, login, spoken
from test_otp import SECRET, code, steps

FORM = ["username", "password"]
# SHA-512 crypt of "secret", 200000 rounds: about 0.1 s.
SLOW_HASH = "$6$rounds=200000$saltsaltsaltsalt$mV4Czutl0sjN0ROZm13IqKrPXP" \
    "tDhdofNTaksIj5lPNHKkx7q0uH1erapXROXj.KdHFrKvKlz0NSrLQcelbJv."


def start(t, auth, authority=None, enable=(), users=None, vhosts=(), **more):
    """A server with the lines AUTH (all of) and ENABLE (any of); DIR in them is the server's folder."""
    server = t.server(start=False, users=users)

    def fill(lines):
        return ['"%s"' % line.replace("DIR", server.dir) for line in lines]
    if authority:
        more = dict(more, ca_cert=authority.cert, cert_user_oid=CN)
    server.vhosts = [(name, dict(conf, **{key: fill(conf[key]) for key in ("auth", "enable-auth") if key in conf}))
                     for name, conf in vhosts]
    server.write_conf(auth=fill(auth), enable_auth=fill(enable), **more)
    return server.start()


def inputs(answer):
    """The questions of a form, hidden ones left out."""
    return [name for kind, name in re.findall(r'<input[^>]*? type="(\w+)"[^>]*? name="(\w+)"', answer.body) +
            [pair[::-1] for pair in re.findall(r'<input[^>]*? name="(\w+)"[^>]*? type="(\w+)"', answer.body)]
            if kind != "hidden"]


def seen(answer):
    """All that a client can tell answers apart by."""
    head = re.sub(r"(?m)^(Date|Set-Cookie|Content-Length):.*$", "", answer.head)
    return head, re.sub(r"<(opaque|config-hash)[^>]*>.*?</\1>", "", answer.body)


def bearer(web, text):
    return web.post("/", INIT % ("/", ""), headers=["Authorization: Bearer " + text])


def test_password_code_and_certificate(t):
    """Checklist 53: password, one-time password and certificate: nothing without the certificate, nor with another
    user's; the right one succeeds, and one without a password needs certificate and code."""
    authority = Authority(t)
    server = start(t, ["certificate", "plain[passwd=DIR/passwd,otp=DIR/otp]"], authority)
    server.write_file("otp", "HOTP test - %s\nHOTP bare - %s\n" % (SECRET, SECRET), 0o600)
    with open(server.dir + "/passwd", "a") as passwd:
        passwd.write("bare:*:\n")
    mine, other, bare = (authority.issue(user=name) for name in ("test", "ann", "bare"))
    t.equal(spoken(t).init().lines[0], "HTTP/1.1 401 No certificate", "answer without a certificate")
    answer = steps(spoken(t, other), "test", PASSWORD, code(0))[1]
    t.equal((answer.success, answer.status), (False, 401), "another user's certificate")
    # That login took the code; the next one counts on.
    t.expect(steps(spoken(t, mine), "test", PASSWORD, code(1))[1].success, "refused with all three")
    for password, otp in ((PASSWORD, "000000"), ("wrong", code(2))):
        t.expect(not steps(spoken(t, mine), "test", password, otp)[1].success, "logged in with two of three")
    t.expect(steps(spoken(t, bare), "bare", "", code(0))[1].success, "refused: no password, certificate and code")
    t.expect(not steps(spoken(t, mine), "bare", "", code(1))[1].success, "no password, another's certificate")
    client = t.client(dtls=False, arguments=mine.arguments + ["--form-entry", "main:secondary_password=" + code(2)]).wait()
    client.stop()


def test_a_failed_factor_is_not_named(t):
    """What the client sees does not depend on which factor was wrong, round by round; the log knows."""
    authority = Authority(t)
    mine, other = authority.issue(user="test"), authority.issue(user="ann")
    server = start(t, ["certificate", "plain[passwd=DIR/passwd]"], authority, users={"test": "staff"},
                   select_group=["staff", "guests"])
    rounds = {"staff": set(), "guests": set()}
    for certificate, password, group in ((mine, "wrong", "staff"), (other, PASSWORD, "staff"), (other, "wrong", "staff"),
                                         (mine, "wrong", "guests"), (mine, PASSWORD, "guests")):
        web = spoken(t, certificate)
        answers = [web.init(more=select(group))]
        for _ in range(3):
            answers.append(web.reply([("username", "test"), ("password", password)], select(group)))
        t.equal([answer.status for answer in answers], [200, 200, 200, 401], "statuses")
        rounds[group].add(tuple(seen(answer) for answer in answers))
    t.equal([len(kinds) for kinds in rounds.values()], [1, 1], "what clients see: %s" % rounds)
    for reason in (r"presented a certificate which is for user 'ann'", r"requested group 'guests' but is not a member",
                   r"plain-auth: error authenticating user 'test'"):
        server.wait_log(reason)
    server.stop()

    server = start(t, ["certificate", "plain[passwd=DIR/passwd,otp=DIR/otp]"], authority)
    server.write_file("otp", "HOTP test - %s\n" % SECRET, 0o600)
    kinds = set()
    for n, (certificate, password, otp) in enumerate(((mine, "wrong", True), (mine, PASSWORD, False), (other, PASSWORD, True),
                                                      (other, "wrong", False))):
        answers = steps(spoken(t, certificate), "test", password, code(n) if otp else "000000")
        kinds.add(tuple(seen(answer) for answer in answers))
    t.equal(len(kinds), 1, "what clients see: %s" % kinds)
    for reason in ("wrong password, right one-time password", "wrong one-time password", "certificate which is for user 'ann'"):
        server.wait_log(reason)


def test_any_of_three(t):
    """Config 6.1: a certificate or a token is enough and shows no form; without them the form asks for name and
    password; each door is closed to what belongs to another."""
    authority, key = Authority(t), Key("k1")
    provider = Provider(t, [key])
    server = start(t, ["plain[passwd=DIR/passwd]"], authority, enable=["certificate", provider.conf().strip('"')])
    accepted(t, server, authority.issue(user="ann"), "ann")
    t.expect(spoken(t, authority.issue(user="ann")).init().success, "a certificate is asked for more")
    t.expect(bearer(t.web(), token(key, preferred_username="tom")).success, "a token is asked for more")
    answer = t.web().init()
    t.equal((answer.status, inputs(answer)), (200, FORM), "without either")
    t.client(dtls=False).wait().stop()
    for user, password in (("ann", PASSWORD), ("tom", PASSWORD), ("test", token(key))):
        t.expect(not t.web().login(user, password).success, "%s by form" % user)
    t.expect(not bearer(t.web(), token(Key("k1"))).success, "a token of another key")
    t.expect(not login(t, Authority(t, "other CA").issue(user="test"), password="wrong")[0], "a certificate of another CA")


def test_certificate_with_others(t):
    """Config 6.1: the certificate beside PAM and beside a token: both are needed, and both name the same user."""
    authority, key = Authority(t), Key("k1")
    provider = Provider(t, [key])
    with Pam(t) as pam:
        user = pam.user("ann")
        mine, other = authority.issue(user=user), authority.issue(user="other")
        server = start(t, ["certificate", "pam[service=%s]" % pam.service(*UNIX)], authority, users={},
                       vhosts=[("token.test", {"auth": ["certificate", provider.conf().strip('"')]})])
        t.expect(spoken(t, mine).login(user).success, "PAM and certificate refused")
        wrong = spoken(t, mine).login(user, "wrong")
        foreign = spoken(t, other).login(user)
        t.equal(seen(foreign), seen(wrong), "what the client sees")
        server.wait_log("presented a certificate which is for user 'other'")
        server.wait_log("PAM authenticate error for '%s'" % user)
        t.equal(spoken(t).init().lines[0], "HTTP/1.1 401 No certificate", "without a certificate")
        t.expect(not spoken(t, mine).init().success, "by certificate alone")
        good = token(key, preferred_username=user)
        t.expect(bearer(spoken(t, mine, name="token.test"), good).success, "token and certificate refused")
        refusals = [seen(bearer(spoken(t, certificate, name="token.test"), text)) for certificate, text in
                    ((other, good), (mine, token(key, preferred_username="other")), (mine, token(key, aud="x")))]
        t.equal(refusals, [refusals[0]] * 3, "what the client sees of tokens")
        t.equal(bearer(spoken(t, name="token.test"), good).success, False, "a token without a certificate")


def test_groups_of_both(t):
    """Radius 10: a selected group must be one of the password file and of the certificate, when that names any."""
    authority = Authority(t)
    server = start(t, ["certificate", "plain[passwd=DIR/passwd]"], authority, users={"test": "staff,guests"},
                   cert_group_oid=OU, custom_header="X-Group: <%{G}>", select_group=["staff", "guests", "admins"])
    both, none = authority.issue(subject="/CN=test/OU=staff/OU=admins"), authority.issue(user="test")
    for certificate, group, wanted in ((both, "staff", "<staff>"), (both, "guests", None), (both, "admins", None),
                                       (none, "guests", "<guests>"), (none, None, "<staff>")):
        web = spoken(t, certificate)
        answer = web.login(group=group)
        t.equal(answer.success, wanted is not None, "%s with %s" % (group, certificate.cert))
        if wanted:
            t.equal(group_of(t, web), wanted, "group")
    server.wait_log("presented a certificate from group 'staff' but he isn't a member of it; rejecting")
    server.wait_log("user 'test' requested group 'admins' but is not a member")


def test_every_host_has_its_methods(t):
    """Checklist 112, 116: the host decides which factors there are; credentials of one do nothing on another."""
    authority, key = Authority(t), Key("k1")
    provider = Provider(t, [key])
    mine = authority.issue(user="test")
    start(t, ["plain[passwd=DIR/passwd]"], vhosts=[
        ("cert.test", {"auth": ["certificate"], "ca-cert": authority.cert, "cert-user-oid": CN}),
        ("both.test", {"auth": ["plain[passwd=DIR/passwd]", "certificate"], "ca-cert": authority.cert, "cert-user-oid": CN}),
        ("token.test", {"auth": [provider.conf().strip('"')]}),
        ("any.test", {"enable-auth": ["certificate"], "auth": ["plain[passwd=DIR/passwd2]"], "ca-cert": authority.cert,
                      "cert-user-oid": CN}),
        ("same.test", {"keepalive": 77})])

    def ways(name):
        """Who gets in on NAME: by password, certificate, both, token."""
        got = []
        for certificate, password, text in ((None, True, None), (mine, False, None), (mine, True, None),
                                            (None, False, token(key))):
            try:
                web = spoken(t, certificate, name=name)
                got.append((bearer(web, text) if text else web.login() if password else web.init()).success)
            except OSError:
                got.append(False)  # refused by TLS, or closed
        return got
    for name, wanted in ((None, [True, False, True, False]), ("same.test", [True, False, True, False]),
                         ("cert.test", [False, True, True, False]), ("both.test", [False, False, True, False]),
                         ("token.test", [False, False, False, True]), ("any.test", [False, True, True, False])):
        t.equal(ways(name), wanted, "by password, certificate, both and token on %s" % name)
    t.equal(inputs(t.web(name="both.test").init()) or None, None, "form without the certificate that is needed, too")
    t.equal(inputs(spoken(t, mine, name="both.test").init()), FORM, "form beside the certificate")


@marks(alone=True)
def test_same_time_for_name_and_password(t):
    """Radius 9: a wrong name takes as long as a wrong password, with a hash that takes long; so does a locked
    user, and so does a password that was right but for the certificate."""
    authority = Authority(t)
    server = start(t, ["plain[passwd=DIR/passwd]"], users={}, vhosts=[
        ("both.test", {"auth": ["plain[passwd=DIR/passwd]", "certificate"], "ca-cert": authority.cert,
                       "cert-user-oid": CN})])
    server.write_file("passwd", "".join("%s:*:%s%s\n" % (user, "!" if user == "locked" else "", SLOW_HASH)
                                        for user in ("test", "zoe", "locked")), 0o600)
    times = {name: [] for name in ("test", "zoe", "locked", "nobody", "noone" * 8)}

    def spread(lists):
        middle = [statistics.median(values) for values in lists.values()]
        return max(middle) / min(middle)

    def names():
        for _ in range(7):
            for name in times:
                _, answer, took = wrong_login(t, name)
                t.equal(answer.status, 200, "status for " + name)
                times[name].append(took)
        return spread(times)
    # Without the work it would be a hundredth; the machine may be busy.
    t.expect(in_time(names, 2) < 2, "the time tells who exists: %s" % times)
    t.expect(min(min(values) for values in times.values()) > 0.03, "the hash is not expensive enough to tell", times)
    other = authority.issue(user="ann")
    factors = {"right": [], "wrong": []}

    def words():
        for _ in range(7):
            for word, values in factors.items():
                web = spoken(t, other, name="both.test")
                web.init()
                begin = time.monotonic()
                answer = web.reply([("username", "test"), ("password", "secret" if word == "right" else "wrong")])
                values.append(time.monotonic() - begin)
                t.expect(not answer.success, "logged in")
        return spread(factors)
    t.expect(in_time(words, 2) < 2, "the time tells whether the password was right: %s" % factors)
