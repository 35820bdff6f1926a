"""Kerberos: tickets in HTTP Negotiate, with openconnect and a real KDC, and the way to that KDC through the server."""
import os
import time

from lib.accounts import Accounts
from lib.clientcert import Authority
from lib.kdc import NAME, PASSWORD as KERBEROS, Initiator, Kdc
from lib.net import SERVER4
from lib.server import PASSWORD
from lib.shell import sh, wait_for
from lib.web import INIT

ANNOUNCED = "X-Support-HTTP-Auth: true"
BY_NAME = ["--resolve=%s:%s" % (NAME, SERVER4)]


def line(kdc, *more):
    return '"gssapi[%s]"' % ",".join(["keytab=" + kdc.keytab, *more])


def world(t, conf=None, options=(), skew=300, accounts=(("test", ("staff", "guests")),), users=None, vpn_users=None):
    """A KDC, accounts, and a server for which gssapi is all there is unless CONF says more."""
    t.accounts = Accounts(t)
    for user, groups in accounts:
        t.accounts.add(user, *groups)
    kdc = Kdc(t, users)
    server = t.server(dict({"auth": line(kdc, *options), "custom-header": "X-Group: %{G}"}, **(conf or {})),
                      environment=kdc.server_environment(skew=skew), users=vpn_users or {})
    return kdc, server


def openconnect(t, environment, **options):
    return t.client(host=NAME, dtls=False, environment=environment, **dict(
        options, arguments=BY_NAME + list(options.get("arguments", []))))


def negotiate(web, initiator, path="/", more="", headers=()):
    """Init, then tokens until the server does not ask for more; gives the last answer."""
    answer = web.post(path, INIT % (path, more), headers=[ANNOUNCED, *headers])
    said = ""
    while answer.status == 401 and (answer.header("WWW-Authenticate") or "").startswith("Negotiate"):
        said = initiator.step((answer.header("WWW-Authenticate") + " ").split(" ", 1)[1].strip())
        if not said:
            break
        answer = show(web, said, path, more, headers)
    return answer


def show(web, token, path="/", more="", headers=()):
    return web.post(path, INIT % (path, more),
                    headers=[ANNOUNCED, "Authorization: Negotiate " + token, *headers])


def test_ticket_opens_a_tunnel(t):
    """Checklist 194: openconnect with a ticket has its tunnel without any question; the first group is the primary one."""
    kdc, server = world(t)
    client = openconnect(t, kdc.tickets(), user="ignored").wait()
    user = server.user("test")
    t.equal((user["Username"], user["Groupname"]), ("test", "staff"), "user and group")
    t.expect("Please enter" not in client.log(), "something was asked for", client.log())
    client.stop()
    server.wait_no_user()


def methods(t, *alternatives, primary=True, options=(), **more):
    """gssapi and the password file together, either being the primary."""
    kdc, server = world(t, vpn_users={"test": None}, **more)
    plain = '"plain[passwd=%s/passwd]"' % server.dir
    server.stop()
    server.write_conf(auth=line(kdc, *options) if primary else plain,
                      enable_auth=plain if primary else line(kdc, *options))
    server.start()
    return kdc, server


def test_without_a_ticket_the_password_is_asked(t):
    """Checklist 194, protocol 49, 50: no ticket: openconnect falls back to the form, whichever method is the primary."""
    for primary in (True, False):
        kdc, server = methods(t, primary=primary)
        client = openconnect(t, kdc.client_environment()).wait()
        t.expect("X-HTTP-Auth-Support: fallback" in client.log(), "no word of the fallback", client.log())
        client.stop()
        # With a ticket nothing is asked: the password given here is wrong.
        openconnect(t, kdc.tickets(), password="wrong").wait().stop()
        server.stop()
        kdc.stop()


def test_negotiation_is_offered_to_those_who_ask(t):
    """Protocol 49, 50: Negotiate only after X-Support-HTTP-Auth; the fallback is announced if and only if there is one."""
    kdc, server = methods(t)
    web = t.web()
    answer = web.init()
    t.expect(answer.status == 200 and 'name="password"' in answer.body, "no form without the header", answer.head)
    answer = t.web().post("/", INIT % ("/", ""), headers=[ANNOUNCED])
    t.equal((answer.status, answer.header("WWW-Authenticate"), answer.header("X-HTTP-Auth-Support"),
             answer.header("Content-Length")), (401, "Negotiate", "fallback", "0"), "invitation with a fallback")
    server.write_conf(enable_auth=None)
    server.stop()
    server.start()
    web = t.web()
    answer = web.post("/", INIT % ("/", ""), headers=[ANNOUNCED])
    t.equal((answer.status, answer.header("WWW-Authenticate"), answer.header("X-HTTP-Auth-Support")),
            (401, "Negotiate", None), "invitation without a fallback")
    answer = t.web().init()
    t.equal((answer.status, answer.header("WWW-Authenticate")), (401, None), "a client that does not negotiate")
    server.wait_log("the client does not offer HTTP authentication, and there is no other method")


def test_the_server_proves_itself(t):
    """Radius 8: the success carries the token of mutual authentication, and a negotiation of three tokens works."""
    kdc, server = world(t)
    initiator = Initiator(t, kdc.tickets())
    answer = negotiate(t.web(), initiator)
    t.expect(answer.success, "refused", answer.head)
    initiator.step(answer.header("WWW-Authenticate").split(" ")[1])
    t.expect(initiator.complete, "the last token did not complete the negotiation")


def test_negotiation_with_several_tokens(t):
    """Protocol 4.17: while the server wants another token the context waits for it; it may be left and begun anew."""
    kdc, server = world(t)
    environment = kdc.tickets()
    web = t.web()
    initiator = Initiator(t, environment, flags="mutual,dce")
    answer = show(web, initiator.step())
    t.equal(answer.status, 401, "status after the first of two tokens")
    token = answer.header("WWW-Authenticate").split(" ")[1]
    t.expect(len(token) > 20, "no token to go on with", answer.head)
    answer = show(web, initiator.step(token))
    t.expect(answer.success, "the second token was refused", answer.head)
    web = t.web()
    first, second = (Initiator(t, environment, flags="mutual,dce") for _ in range(2))
    t.equal(show(web, first.step()).status, 401, "status after the first of two tokens")
    t.equal(web.post("/", INIT % ("/", ""), headers=[ANNOUNCED]).header("WWW-Authenticate"), "Negotiate", "anew")
    t.expect(negotiate(web, second).success, "begun anew: refused")


def test_wrong_tickets_are_refused(t):
    """Checklist 194: a replayed token, one for another key, rubbish and none are refused; the log says why, the client
    hears only "no", may still use the password on the same connection, and has one session then."""
    kdc, server = methods(t, skew=4)
    environment = kdc.tickets()
    token = Initiator(t, environment).step()
    t.expect(show(t.web(), token).success, "a good ticket was refused")
    late = Initiator(t, kdc.tickets(life="2s")).step()
    kdc.admin("cpw -randkey HTTP/" + NAME)
    foreign = Initiator(t, kdc.tickets()).step()
    time.sleep(6.5)
    large = "QUJD" * 3500  # 14000 characters: tickets of Windows domains are that large
    for token, reason in ((token, "Request is a replay|Clock skew"), (foreign, "kvno 3 not found in keytab"),
                          (late, "Ticket expired|Clock skew"), ("QUJDRA==", "token was invalid|Invalid token"),
                          (large, "token was invalid|Invalid token"), ("***", "no token in the Authorization header"),
                          ("", "no token in the Authorization header")):
        start = len(server.log())
        web = t.web()
        answer = show(web, token)
        t.equal((answer.status, answer.header("WWW-Authenticate"), answer.header("X-HTTP-Auth-Support"), answer.body),
                (401, "Negotiate", "fallback", ""), "answer to a wrong ticket")
        server.wait_log("gssapi-refused .*(%s)" % reason, start=start)
        server.wait_log("failed authentication attempt for user ''", start=start)
    web.must_login()
    sessions = server.occtl_json("show", "sessions", "all")
    t.equal(len([row for row in sessions if row.get("State") == "authenticated"]), 2, "sessions: one of the ticket, one of the password")


def test_a_refused_ticket_leads_to_the_password(t):
    """Checklist 194: openconnect, whose ticket is refused, goes on with the form: a ticket for an older key, and no
    usable keytab at all."""
    kdc, server = methods(t)
    kdc.admin("cpw -randkey HTTP/" + NAME)
    environment = kdc.tickets()
    openconnect(t, environment).wait().stop()
    server.wait_log("gssapi-refused .*not found in keytab")
    server.wait_no_user()
    os.truncate(kdc.keytab, 0)
    openconnect(t, environment).wait().stop()
    server.wait_log("gssapi-keytab-unusable")
    server.stop()
    os.unlink(kdc.keytab)
    run = sh(t.tools.server, "-t", "-c", server.conf_file, check=False)
    t.expect(run.returncode == 1 and "gssapi: cannot read the keytab '%s': No such file" % kdc.keytab in run.stderr,
             "a missing keytab is not refused", run.stdout + run.stderr)


def test_a_replayed_token_is_refused(t):
    """Radius 8: the same token twice, on two connections and so by two processes, is refused the second time."""
    kdc, server = world(t)
    token = Initiator(t, kdc.tickets()).step()
    t.expect(show(t.web(), token).success, "a good ticket was refused")
    web = t.web()
    answer = show(web, token)
    t.equal((answer.status, answer.header("WWW-Authenticate")), (401, None), "answer to a replay without an alternative")
    t.expect(web.is_closed(), "the connection stays open")
    server.wait_log("gssapi-refused .*Request is a replay")
    server.wait_log(r"gssapi-auth: error authenticating user '' \(.*replay")


def test_replay_cache_is_out_of_reach_of_users(t):
    """The default place, /var/tmp, is where any local user could make the file first, so that every ticket is refused."""
    t.accounts = Accounts(t)
    t.accounts.add("test", "staff")
    kdc, folder = Kdc(t), "/run/sallyport-gssapi"
    environment = kdc.server_environment()
    del environment["KRB5RCACHENAME"]
    server, before = t.server({"auth": line(kdc)}, environment=environment, users={}), os.path.exists(folder)
    since = time.time()
    t.expect(negotiate(t.web(), Initiator(t, kdc.tickets())).success, "a ticket was refused")
    cache = os.stat(folder + "/krb5_0.rcache2")
    t.expect(cache.st_mtime >= since - 1, "the cache is not in use")
    t.equal((os.stat(folder).st_mode & 0o777, os.stat(folder).st_uid), (0o700, 0), "mode and owner of its folder")
    server.stop()
    if not before:
        os.unlink(folder + "/krb5_0.rcache2")
        os.rmdir(folder)


def test_an_old_ticket_is_refused(t):
    """Radius 8: tgt-freshness-time looks at when the user gave his password, not at the service's ticket."""
    kdc, server = world(t, options=["tgt-freshness-time=2"])
    environment = kdc.tickets(service=None)
    # On a busy machine one may be too old when it arrives.
    wait_for("a fresh ticket to be accepted", lambda: negotiate(t.web(), Initiator(t, kdc.tickets())).success)
    time.sleep(3)
    t.net.run(t.net.lan, "kvno", "HTTP/" + NAME, env=environment)
    answer = negotiate(t.web(), Initiator(t, environment))
    t.equal(answer.status, 401, "status for an old ticket")
    server.wait_log("gssapi: the presented kerberos ticket for test is too old")


def test_principals_need_accounts(t):
    """Radius 8: a principal that is no local user is refused, unless require-local-user-map is false: then it is its
    first component, and has no groups."""
    users = {"test": KERBEROS, "stranger": KERBEROS, "test/admin": KERBEROS}
    kdc, server = world(t, users=users)
    tickets = {user: kdc.tickets(user) for user in users}
    for user in ("stranger", "test/admin"):
        start = len(server.log())
        t.equal(negotiate(t.web(), Initiator(t, tickets[user])).status, 401, "status for " + user)
        server.wait_log("gssapi: authenticated user doesn't map to a local user", start=start)
    server.stop()
    server.write_conf(auth=line(kdc, "require-local-user-map=false"))
    server.start()
    for user, name, group in (("test", "test", "staff"), ("stranger", "stranger", None), ("test/admin", "test", None)):
        web = t.web()
        t.expect(negotiate(web, Initiator(t, tickets[user])).success, "refused: " + user)
        t.equal(web.connect().header("X-Group") or None, group, "group of " + user)
        server.wait_log("new user session")
        t.equal(server.user(name)["Username"], name, "name of " + user)
        web.close()
        server.wait_no_user(name)


def test_groups_are_those_of_the_account(t):
    """Checklist 194, config 11: a group of the account may be chosen, by the URL (with openconnect) or the request; another is
    refused; with auto-select-group the URL may name those from gid-min on."""
    kdc, server = world(t, {"select-group": ["staff", "guests", "adm"], "select-group-by-url": "true"})
    environment = kdc.tickets()
    for group, path, more in (("staff", "/", ""), ("guests", "/guests", ""),
                              ("guests", "/", "<group-select>guests</group-select>")):
        web = t.web()
        t.expect(negotiate(web, Initiator(t, environment), path, more).success, "refused: %s %s" % (path, more))
        t.equal(web.connect().header("X-Group"), group, "group")
        web.close()
    answer = negotiate(t.web(), Initiator(t, environment), "/adm")
    t.equal(answer.status, 401, "status for a group of others")
    server.wait_log("user 'test' requested group 'adm' but is not a member")
    client = openconnect(t, environment, arguments=["--usergroup=guests"]).wait()
    t.equal(server.user("test")["Groupname"], "guests", "group chosen with openconnect")
    client.stop()
    server.stop()
    t.accounts.add("other", "later", "guests")
    server.write_conf(auth=line(kdc, "gid-min=20000"), select_group=None, auto_select_group="true")
    server.start()
    for path, group in (("/guests", "guests"), ("/", "staff"), ("/adm", "staff")):
        web = t.web()
        t.expect(negotiate(web, Initiator(t, environment), path).success, "refused: " + path)
        t.equal(web.connect().header("X-Group"), group, "group at " + path)
        web.close()
    t.equal(negotiate(t.web(), Initiator(t, environment), "/later").status, 401, "status for a listed group of others")


def test_cookie_of_a_removed_account(t):
    """Protocol 10.13: who has no account any more opens no tunnel with the cookie he still has."""
    kdc, server = world(t)
    web = t.web()
    t.expect(negotiate(web, Initiator(t, kdc.tickets())).success, "refused")
    t.accounts.remove("test")
    t.equal(web.connect().status, 401, "status of CONNECT without an account")
    server.wait_log("the user was locked or removed")


def test_ticket_and_certificate(t):
    """Radius 8: gssapi and certificate in one primary: both must succeed, for the same user."""
    authority = Authority(t)
    kdc, server = world(t, {"ca-cert": authority.cert, "cert-user-oid": "2.5.4.3"}, accounts=[("test", ["staff"])])
    server.stop()
    server.write_conf(auth=["certificate", line(kdc)])
    server.start()
    good, foreign = authority.issue(user="test"), authority.issue(user="ann")
    client = openconnect(t, kdc.tickets(), arguments=good.arguments).wait()
    t.equal(server.user("test")["Groupname"], "staff", "group")
    client.stop()
    for environment, arguments, reason in (
            (kdc.tickets(), [], "presented no certificate; rejecting"),
            (kdc.tickets(), foreign.arguments, "presented a certificate which is for user 'ann'"),
            (kdc.client_environment(), good.arguments, None)):
        start = len(server.log())
        client = openconnect(t, environment, arguments=arguments)
        t.expect(client.wait_end(), "a tunnel with only one of the two", client.log())
        if reason:
            server.wait_log(reason, start=start)


def test_ticket_or_certificate(t):
    """Radius 8, checklist 194: gssapi and certificate as alternatives: either is enough, and whoever shows the
    certificate is not asked to negotiate."""
    authority = Authority(t)
    kdc, server = world(t, {"ca-cert": authority.cert, "cert-user-oid": "2.5.4.3"})
    for primary, alternative in ((line(kdc), "certificate"), ("certificate", line(kdc))):
        server.stop()
        server.write_conf(auth=primary, enable_auth=alternative)
        server.start()
        openconnect(t, kdc.tickets()).wait().stop()
        client = openconnect(t, kdc.client_environment(), arguments=authority.issue(user="test").arguments).wait()
        t.expect("Negotiate" not in client.log(), "asked to negotiate", client.log())
        client.stop()
        t.expect(openconnect(t, kdc.client_environment()).wait_end(), "a tunnel with neither")
