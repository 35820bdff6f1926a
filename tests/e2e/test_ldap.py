"""Logins with a directory: Debian's slapd behind the method ldap."""
import re
import statistics
import time

from lib import activedir
from lib.client import authenticate
from lib.clientcert import EKU_SERVER, Authority
from lib.harness import marks
from lib.net import SERVER4
from lib.server import PASSWORD, in_time, quickest, timed
from lib.shell import sh
from lib.slapd import BASE, GROUPS, PEOPLE, SERVICE, SERVICE_PASSWORD, Slapd, hashed


def refused(t, user, password=PASSWORD, **options):
    """The login fails and leaves no cookie; gives its last answer."""
    web = t.web()
    answer = web.login(user, password, **options)
    t.expect(not answer.success and "webvpn" not in web.cookies, "%r got in with %r" % (user, password))
    web.close()
    return answer


def first_answer(t, user, password=PASSWORD):
    """What the server says to the first try."""
    web = t.web()
    answer = web.init()
    return web.reply([("username", user), ("password", password)], path=web.action(answer))


def group_of(t, server, user="ann", **options):
    """Logs in and gives the group that occtl shows for the session."""
    tunnel = t.web().must_login(user, **options).open()
    group = server.user(user)["Groupname"]
    tunnel.bye()
    server.wait_no_user(user)
    return group


def config_error(t, server):
    """What `sallyportd -t` says about a file that it must refuse."""
    run = sh("ip", "netns", "exec", t.net.srv, t.tools.server, "-t", "-c", server.conf_file, check=False)
    t.expect(run.returncode != 0, "the file was taken", run.stdout, run.stderr)
    return run.stdout + run.stderr


def test_ldap_login_over_tls(t):
    """Over LDAPS the right password opens a tunnel; wrong, unknown and empty ones get no cookie."""
    directory = Slapd(t, more="allow bind_anon_cred")
    directory.person("ann")
    server = t.server({"auth": directory.line()})
    client = t.client(user="ann", dtls=False).wait()
    t.equal(server.user("ann")["IPv4"], client.ip4, "address in occtl")
    client.stop()
    t.expect(authenticate(t, "ann", "wrong") is None, "a wrong password gave a cookie")
    # This server answers yes to a name without a password (RFC 4513 5.1.2).
    before = len(re.findall('BIND dn="uid=ann,.*method=128', directory.log()))
    t.expect(before > 0, "no bind as ann", directory.log())
    refused(t, "ann", "")
    refused(t, "", PASSWORD)
    refused(t, "nobody-here")
    server.wait_log('ldap-refused user="ann" reason="wrong password"')
    server.wait_log('ldap-refused user="ann" reason="empty password"')
    server.wait_log('ldap-refused user="nobody-here" reason="no such user"')
    t.equal(len(re.findall('BIND dn="uid=ann,.*method=128', directory.log())), before, "binds as ann")


def test_ldap_third_wrong_password_ends_the_login(t):
    """Checklist 32, 33: two more tries after a wrong password, then 401 and the line that log watchers know."""
    directory = Slapd(t)
    directory.person("ann")
    server = t.server({"auth": directory.line()})
    web = t.web()
    answer = web.login("ann", "wrong")
    t.equal(answer.status, 200, "status after the first wrong password")
    answer = web.reply([("password", PASSWORD)], path=web.action(answer))
    t.expect(answer.success, "the right password after a wrong one was refused", answer.body)
    web = t.web()
    answer = web.login("ann", "wrong")
    for _ in range(2):
        answer = web.reply([("password", "wrong")], path=web.action(answer))
    t.equal(answer.status, 401, "status after the third wrong password")
    server.wait_log(r"ldap-auth: error authenticating user 'ann' \(wrong password\)")


def test_ldap_starttls_and_clear_text(t):
    """StartTLS works; ldap:// alone is refused with what would be right, and taken, with a warning, on demand."""
    directory = Slapd(t, more="security ssf=0")
    directory.person("ann")
    line = directory.line(uri=directory.ldap)
    server = t.server({"auth": line}, start=False)
    text = config_error(t, server)
    t.expect("write ldaps:// or add starttls=true" in text, "no advice", text)
    t.equal(len(text.splitlines()), len(set(text.splitlines())), "lines said twice")
    server.write_conf(auth=directory.line(uri=directory.ldap, starttls="true"))
    server.start()
    t.client(user="ann", dtls=False).wait().stop()
    t.expect("TLS established" in directory.log() and "STARTTLS" in directory.log(), "no TLS", directory.log())
    server.stop()
    server.write_conf(auth=directory.line(uri=directory.ldap, insecure="true", ca=None))
    server.start()
    server.wait_log("ldap-insecure .*passwords cross the network in clear")
    t.web().must_login("ann")
    # What needs no network, and the other family.
    for uri in (directory.ldapi, directory.ldaps6):
        server.stop()
        server.write_conf(auth=directory.line(uri=uri))
        server.start()
        t.web().must_login("ann")


def test_ldap_server_with_the_wrong_certificate(t):
    """A foreign CA and a foreign name are refused, no password is sent, the log says what is wrong."""
    strange = Authority(t, "strange CA")
    elsewhere_cert = strange.issue("elsewhere", eku=EKU_SERVER, san="DNS:elsewhere.example")
    right, elsewhere = Slapd(t), Slapd(t, cert=elsewhere_cert.cert, key=elsewhere_cert.key)
    for directory in (right, elsewhere):
        directory.person("ann")
    for directory, ca, word in ((right, strange.cert, "issuer is unknown"),
                                (elsewhere, strange.cert, "name in the certificate does not match")):
        binds = directory.log().count('BIND dn="%s" method' % SERVICE)
        for uri, starttls in ((directory.ldaps, "false"), (directory.ldap, "true")):
            server = t.server({"auth": directory.line(uri=uri, starttls=starttls, ca=ca)})
            answer = refused(t, "ann")
            t.expect(answer.status >= 400, "the client was asked again", answer.head)
            server.wait_log('ldap-failed server="%s" step="TLS" .*%s' % (re.escape(uri), word))
            server.stop()
        t.equal(directory.log().count('BIND dn="%s" method' % SERVICE), binds, "binds as the service")


def test_ldap_injection(t):
    """A user name is a value and nothing else, in filters and in names of entries."""
    directory = Slapd(t)
    directory.person("ann")
    odd = "o'b*r(i)e\\n #+\"<>;,=ü"
    directory.add("dn: cn=odd,%s\nobjectClass: inetOrgPerson\ncn: odd\nsn: odd\nuid: %s\nuserPassword: %s\n" %
                  (PEOPLE, odd, PASSWORD))
    server = t.server({"auth": directory.line()})
    for user in ("*", "a*", "ann)(uid=*", ")(uid=*", "*)(uid=*))(|(uid=*", "ann\\2a", "ann)(objectClass=*", "(", "\\",
                 "ann,ou=people", "uid=ann", "%u", "x)(|(uid=ann)"):
        refused(t, user)
    t.web().must_login(odd).open().bye()
    word = "ü!@#$%^&*()<>+=;\"' ,\\ " + "x" * 100
    directory.set("uid=ann," + PEOPLE, "userPassword", hashed(word, "{SSHA}", "argon2"))
    t.web().must_login("ann", word)
    refused(t, "ann", word[:-1])
    directory.set("uid=ann," + PEOPLE, "userPassword", PASSWORD)
    t.expect(re.search(r'filter="\(uid=\\2[Aa]\)"', directory.log()), "no escaped star", directory.log())
    server.stop()
    server.write_conf(auth=directory.line(base=None, user_dn="uid=%u," + PEOPLE))
    server.start()
    t.web().must_login("ann")
    for user in ("*", "ann,ou=people,dc=example,dc=com", "ann+cn=ann", "\\61nn", "#616e6e", "ann\\"):
        refused(t, user)


def test_ldap_name_is_the_directorys(t):
    """Whatever spelling or attribute somebody types, the session has the directory's name (one user, one limit)."""
    directory = Slapd(t)
    directory.person("ann", mail="ann.smith@example.com", more=["uid: second"])
    server = t.server({"auth": directory.line(filter="(|(uid=%u)(mail=%u))"), "max-same-clients": 1})
    web = t.web().must_login("ANN.Smith@example.com")
    tunnel = web.open()
    server.user("ann")
    for name in ("ANN", " ann", "second"):
        answer = t.web().must_login(name).connect()
        t.expect(answer.status != 200, "%r is another user than ann" % name, answer.head)
    tunnel.bye()


def test_ldap_user_dn_and_file(t):
    """A template of the DN instead of a search; the options in a file; a name that two entries have."""
    directory = Slapd(t, access="access to attrs=userPassword by anonymous auth by * none\n"
                                'access to * by dn.exact="{service}" read by self read by * none')
    directory.person("ann")
    directory.add("dn: ou=more,%s\nobjectClass: organizationalUnit\nou: more\n" % PEOPLE)
    directory.person("eve", mail="same@example.com")
    directory.person("eve", "other", ou="ou=more," + PEOPLE, mail="same@example.com")
    server = t.server({"auth": '"ldap[config=%s/ldap.conf]"' % directory.dir}, start=False)
    values = ["# the directory of the test", "uri = " + directory.ldaps, "ca = " + t.pki.ca_cert,
              "user-dn = uid=%u," + PEOPLE, "binddn = " + SERVICE, "bindpw-file = " + directory.password_file]
    server.write_file("../ldap.conf", "")
    with open(directory.dir + "/ldap.conf", "w") as out:
        out.write("\n".join(values) + "\n")
    server.start()
    t.client(user="ann", dtls=False).wait().stop()
    t.web().must_login("eve")
    refused(t, "ann", "wrong")
    refused(t, "nobody-here")
    server.stop()
    server.write_conf(auth=directory.line())
    server.start()
    t.web().must_login("ann")
    for password in (PASSWORD, "other"):
        refused(t, "eve", password)
    server.wait_log("more than one entry has this name")
    # What the file lacks is said when the server starts.
    with open(directory.dir + "/ldap.conf", "w") as out:
        out.write("\n".join(values[:3]) + "\nbass = x\n")
    server.stop()
    server.write_conf(auth='"ldap[config=%s/ldap.conf]"' % directory.dir)
    t.expect("unknown option 'bass'" in config_error(t, server), "the fault is not named")


def test_ldap_groups(t):
    """Groups decide about the selection and about config-per-group; the first one is the default."""
    directory = Slapd(t)
    ann, bob = directory.person("ann"), directory.person("bob")
    directory.group("staff", ann)
    directory.group("ops", ann)
    directory.group("guests", bob)
    server = t.server({"auth": directory.line(), "select-group": ["staff", "ops", "guests"],
                       "config-per-group": "/"}, start=False)
    server.write_conf(config_per_group=server.dir + "/groups")
    server.write_file("groups/ops", "route = 198.18.77.0/24\n")
    server.start()
    client = t.client(user="ann", dtls=False, arguments=["--authgroup", "ops"]).wait()
    t.equal(client.env.get("CISCO_SPLIT_INC_0_ADDR"), "198.18.77.0", "route of the group's file")
    t.equal(server.user("ann")["Groupname"], "ops", "group in occtl")
    client.stop()
    server.wait_no_user("ann")
    t.equal(group_of(t, server, group="staff"), "staff", "the other group")
    refused(t, "ann", group="guests")
    server.wait_log("user 'ann' requested group 'guests' but is not a member")
    # The other way round: groups that are searched for.
    server.stop()
    server.write_conf(auth=directory.line(group_base=GROUPS), auto_select_group="true", select_group=None)
    server.start()
    answer = t.web().init()
    t.equal(sorted(set(re.findall(r"<option[^>]*>([^<]*)</option>", answer.body))), ["guests", "ops", "staff"],
            "groups in the form")
    t.equal(group_of(t, server, "bob", group="guests"), "guests", "group of a search")
    refused(t, "bob", group="ops")


def test_ldap_nested_groups(t):
    """Groups of groups, in both directions, with a circle among them; without nested=true they do not count."""
    directory = Slapd(t)
    ann = directory.person("ann")
    inner = directory.group("inner", ann)
    middle = directory.group("middle", inner)
    outer = directory.group("outer", middle)
    directory.modify("dn: %s\nchangetype: modify\nadd: member\nmember: %s\n" % (inner, outer))
    names = ["inner", "middle", "outer"]
    server = t.server({"auth": directory.line(), "select-group": names})
    t.equal(group_of(t, server, group="inner"), "inner", "direct group")
    refused(t, "ann", group="outer")
    for options in ({"group_attr": "memberOf"}, {"group_base": GROUPS, "group_filter": "(member=%d)"}):
        server.stop()
        server.write_conf(auth=directory.line(nested="true", **options))
        server.start()
        for name in names:
            t.equal(group_of(t, server, group=name), name, "group with %s" % options)
    refused(t, "ann", group="none")


def test_ldap_failover(t):
    """The first server is down or hangs: the second one answers, and the next login does not wait again."""
    first, second = Slapd(t), Slapd(t)
    for directory in (first, second):
        directory.person("ann")
    uri = "%s %s" % (first.ldaps, second.ldaps)
    server = t.server({"auth": first.line(uri=uri, timeout=2)}, start=False)
    server.vhosts.append(("plain.example", {"auth": '"plain[passwd=%s/passwd]"' % server.dir}))
    server.write_conf()
    server.start()
    t.web().must_login("ann")
    t.expect('filter="(uid=ann)"' not in second.log(), "the second server was asked first")
    first.freeze()
    start = time.monotonic()
    client = t.client(user="ann", dtls=False)
    took = quickest(lambda: t.web(name="plain.example").must_login())
    t.expect(took < 1.5 * t.slow, "another host's login waits for the directory: %f s" % took)
    client.wait().stop()
    t.expect(time.monotonic() - start >= 2, "the hanging server was not asked")
    took = quickest(lambda: t.web().must_login("ann"))
    t.expect(took < 1.5 * t.slow, "the dead server was asked again: %f s" % took)
    # What a reconnect finds out counts for others, too.
    first.thaw()
    server.stop()
    server.start()
    returning = t.web().must_login("ann")
    first.freeze()
    start = time.monotonic()
    t.equal(t.web().connect(cookie=returning.cookies["webvpn"]).status, 200, "status of a reconnect")
    t.expect(time.monotonic() - start >= 2, "the hanging server was not asked")
    took = quickest(lambda: t.web().must_login("ann"))
    t.expect(took < 1.5 * t.slow, "the dead server was asked again after a reconnect: %f s" % took)
    first.thaw()
    first.stop()
    server.stop()
    server.start()
    t.client(user="ann", dtls=False).wait().stop()
    second.stop()
    answer = refused(t, "ann")
    t.expect(answer.status >= 400, "the client was asked again", answer.head)
    server.wait_log("backend-failed")
    # Dead or not: the only one that is there is asked.
    first.start()
    t.web().must_login("ann")


def test_ldap_servers_that_fall_silent(t):
    """A server may stop answering at any step; the next one is asked, each within its time."""
    deaf = t.net.socket(t.net.srv)
    deaf.bind((SERVER4, 5389))
    deaf.listen(8)
    t.closables.append(deaf)
    quiet = activedir.ActiveDirectory(t, SERVICE, SERVICE_PASSWORD)
    directory = Slapd(t)
    directory.person("ann")
    quiet.add("uid=ann," + PEOPLE, PASSWORD, uid="ann")
    server = t.server({"auth": directory.line(uri="ldap://%s:5389 %s %s" % (SERVER4, quiet.uri, directory.ldaps),
                                              starttls="true", timeout=1, group_base=GROUPS)}, start=False)
    # Answers to the service's bind, the search (two messages), the user's bind, and the service's before its next search.
    for quiet.mute in (0, 1, 2, 3, 4):
        server.start()
        took = timed(lambda: t.web().must_login("ann"))[0]
        t.expect(2 <= took < 15 * t.slow, "%f s with a server that falls silent after %d answers" % (took, quiet.mute))
        t.expect('BIND dn="uid=ann' in directory.log(), "the last server was not asked", directory.log())
        server.stop()
    server.wait_log('ldap-failed server="ldap://.*:5389" step="StartTLS" reason="Timed out"')
    server.wait_log('ldap-failed server="%s" step="(bind|search)" reason="Timed out"' % quiet.uri)


def test_ldap_many_groups(t):
    """Bounds on groups: some hundreds count, more are left out with a word in the log; so are very deep ones."""
    directory = Slapd(t)
    names = ["group number %03d with a rather long name, as they are in practice" % n for n in range(600)]
    ann = directory.person("ann", more=["description: " + name[:60] for name in names])
    server = t.server({"auth": directory.line(group_attr="description"), "select-group": [names[500][:60]]})
    t.equal(group_of(t, server, group=names[500][:60]), names[500][:60], "the group")
    refused(t, "ann", group=names[599][:60])
    server.wait_log('ldap-groups-cut user="ann" groups=512')
    above = ann
    for n in range(20):
        above = directory.group("level%d" % n, above)
    server.stop()
    server.write_conf(auth=directory.line(nested="true"), select_group=["level15", "level18"])
    server.start()
    t.equal(group_of(t, server, group="level15"), "level15", "a deep group")
    refused(t, "ann", group="level18")
    server.wait_log('ldap-groups-cut user="ann" groups=17')


def test_ldap_policy(t):
    """Locked, disabled and expired accounts do not get in with the right password; the log says why."""
    directory = Slapd(t, ppolicy="ppolicy_use_lockout")
    for uid in ("ann", "locked", "disabled", "stale", "reset"):
        directory.person(uid)
    policy = "cn=policy," + BASE
    directory.modify("dn: %s\nchangetype: modify\nreplace: pwdLockout\npwdLockout: TRUE\n-\n"
                     "replace: pwdMaxFailure\npwdMaxFailure: 2\n-\nreplace: pwdMustChange\npwdMustChange: TRUE\n-\n"
                     "replace: pwdLockoutDuration\npwdLockoutDuration: 0\n" % policy)
    directory.set("uid=locked," + PEOPLE, "pwdAccountLockedTime", "000001010000Z")
    directory.set("uid=disabled," + PEOPLE, "userAccountControl", "514")
    directory.set("uid=reset," + PEOPLE, "pwdReset", "TRUE")
    server = t.server({"auth": directory.line()})
    refused(t, "locked")
    server.wait_log('ldap-password-policy user="locked" reason="Account locked"')
    refused(t, "disabled")
    server.wait_log('ldap-refused user="disabled" reason="account disabled"')
    answer = first_answer(t, "reset")
    t.expect("password has expired" in answer.body, "no word to the user", answer.body)
    # Too many wrong passwords: the lock runs out, and then leaves nothing that stands in the way.
    for _ in range(2):
        refused(t, "ann", "wrong")
    refused(t, "ann")
    server.wait_log('ldap-refused user="ann" reason="Account locked"')
    directory.set(policy, "pwdLockoutDuration", "1")
    time.sleep(1.1)
    t.web().must_login("ann").open().bye()
    directory.set(policy, "pwdMustChange", "FALSE")
    directory.set(policy, "pwdMaxAge", "1")
    directory.set("uid=stale," + PEOPLE, "userPassword", PASSWORD)
    time.sleep(2.1)
    answer = first_answer(t, "stale")
    t.expect("password has expired" in answer.body, "no word to the user", answer.body)
    answer = first_answer(t, "stale", "wrong")
    t.expect("Login failed" in answer.body and "expired" not in answer.body, "a word too much", answer.body)
    server.wait_log('ldap-password-policy user="stale" reason="Password expired"')


def test_ldap_cookie_of_a_removed_user(t):
    """Protocol 10.13: who is removed, disabled, locked or does not fit the filter does not come back with his cookie."""
    directory = Slapd(t)
    dns = {uid: directory.person(uid) for uid in ("ann", "bob", "cid", "dan", "eve")}
    member = directory.group("vpn", *dns.values())
    server = t.server({"auth": directory.line(filter="(&(uid=%%u)(memberOf=%s))" % member)})
    webs = {uid: t.web().must_login(uid.upper()) for uid in dns}
    for web in webs.values():
        web.open().web.close()
    directory.delete(dns["ann"])
    directory.set(dns["bob"], "userAccountControl", "514")
    directory.set(dns["eve"], "pwdAccountLockedTime", "20260101000000Z")
    directory.set(member, "member", *(dns[uid] for uid in ("bob", "dan", "eve")))
    for uid, web in webs.items():
        answer = t.web().connect(cookie=web.cookies["webvpn"])
        t.equal(answer.status, 200 if uid == "dan" else 401, "status of the reconnect of " + uid)
    for uid in ("ann", "bob", "cid", "eve"):
        server.wait_log('ldap-user-gone user="%s"' % uid)
    refused(t, "cid")


def test_ldap_two_vhosts(t):
    """Each virtual host has its directory."""
    first, second = Slapd(t), Slapd(t)
    first.person("ann", "one")
    second.person("ann", "two")
    t.server({"auth": first.line()}, vhosts=[("second.example", {"auth": second.line()})])
    for name, right, wrong in ((None, "one", "two"), ("second.example", "two", "one")):
        t.expect(t.web(name=name).login("ann", right).success, "refused on %s" % name)
        t.expect(not t.web(name=name).login("ann", wrong).success, "taken on %s" % name)


def test_ldap_service_account(t):
    """A service that may not bind is an error of the server's, not a wrong password, and the log names it."""
    directory = Slapd(t)
    directory.person("ann")
    with open(directory.dir + "/other", "w") as out:
        out.write("not the password\n")
    server = t.server({"auth": directory.line(bindpw_file=directory.dir + "/other")}, start=False)
    t.expect("is open to others; chmod 600 it" in config_error(t, server), "a password that all may read was taken")
    sh("chmod", "600", directory.dir + "/other")
    server.start()
    answer = refused(t, "ann")
    t.expect(answer.status >= 400, "the client was asked again", answer.head)
    server.wait_log('ldap-binddn-refused dn="%s"' % SERVICE)
    sh("cp", directory.password_file, directory.dir + "/other")
    t.web().must_login("ann")


def test_ldap_active_directory(t):
    """Active Directory: two names for a user, nested groups in one search, its reasons, its referrals."""
    directory = activedir.ActiveDirectory(t, "CN=vpn," + activedir.BASE, SERVICE_PASSWORD)
    people = "OU=People," + activedir.BASE

    def person(name, control="512", **more):
        return directory.add("CN=%s,%s" % (name.title(), people), PASSWORD, objectCategory="person",
                             sAMAccountName=name, userPrincipalName=name + "@corp.example",
                             userAccountControl=control, **more)
    dns = {name: person(name) for name in ("ann", "exp", "new", "dis", "lock")}
    old = person("old", accountExpires="130000000000000000")
    for name, reason in (("exp", activedir.EXPIRED), ("new", activedir.MUST_CHANGE), ("dis", activedir.DISABLED),
                         ("lock", activedir.LOCKED)):
        directory.reasons[dns[name]] = reason
    inner = directory.add("CN=Inner (1),OU=Groups," + activedir.BASE, member=list(dns.values()) + [old])
    directory.add("CN=VPN Users,OU=Groups," + activedir.BASE, member=[inner])
    with open(t.dir + "/bindpw", "w") as out:
        out.write(SERVICE_PASSWORD)
    with open(t.dir + "/ldap.conf", "w") as out:
        out.write("uri = %s\nca = %s\nbinddn = CN=vpn,%s\nbindpw-file = %s\nbase = %s\nnested = true\n"
                  "filter = (&(objectCategory=person)(|(sAMAccountName=%%u)(userPrincipalName=%%u))"
                  "(memberOf:%s:=CN=VPN Users,OU=Groups,%s))\nuser-attr = sAMAccountName\n"
                  % (directory.uri, t.pki.ca_cert, activedir.BASE, t.dir + "/bindpw", activedir.BASE,
                     activedir.CHAIN, activedir.BASE))
    sh("chmod", "600", t.dir + "/bindpw")
    server = t.server({"auth": '"ldap[config=%s/ldap.conf]"' % t.dir, "select-group": ["Inner (1)", "VPN Users"]})
    t.client(user="ann@CORP.example", dtls=False, arguments=["--authgroup", "VPN Users"]).wait()
    t.equal(server.user("ann")["Groupname"], "VPN Users", "the nested group")
    t.expect("(member:%s:=%s)" % (activedir.CHAIN, dns["ann"]) in directory.filters, "no search for nested groups",
             directory.filters)
    for name, reason in (("exp", "password expired"), ("new", "password must be changed"),
                         ("dis", "account disabled"), ("lock", "account locked"), ("old", "account disabled")):
        answer = first_answer(t, name)
        t.expect(not answer.success, name + " got in")
        t.equal("password has expired" in answer.body, name in ("exp", "new"), "a word about expiry for " + name)
        server.wait_log('ldap-refused user="%s" reason="%s"' % (name, reason))
    refused(t, "ann", "")
    refused(t, "ann", "wrong")
    refused(t, "vpn", SERVICE_PASSWORD)


def test_ldap_with_a_certificate(t):
    """Certificate and directory together: both must be right, and of the same user."""
    directory = Slapd(t)
    directory.person("ann")
    directory.person("bob")
    authority = Authority(t)
    with_it = authority.issue("ann").arguments
    t.server({"auth": [directory.line(), "certificate"], "ca-cert": authority.cert, "cert-user-oid": "2.5.4.3"})
    t.client(user="ann", dtls=False, arguments=with_it).wait().stop()
    t.expect(authenticate(t, "ann", "wrong", arguments=with_it) is None, "in with the certificate alone")
    t.expect(authenticate(t, "bob", arguments=with_it) is None, "in with somebody else's certificate")
    t.expect(authenticate(t, "ann") is None, "in with the password alone")


@marks(alone=True)
def test_ldap_first_of_two_factors(t):
    """With a code behind the password, the time to the code's form does not tell whether the password was right."""
    directory = Slapd(t)
    directory.person("ann")
    server = t.server({"auth": [directory.line(), "plain[otp=/]"]}, start=False)
    server.write_conf(auth=[directory.line(), '"plain[otp=%s]"' % server.write_file("otp", "", 0o600)])
    server.start()
    times = {PASSWORD: [], "wrong": []}
    first_answer(t, "ann", "wrong")

    def measure():
        for _ in range(5):
            for password, took in times.items():
                seconds, answer = timed(lambda: first_answer(t, "ann", password))
                t.expect("secondary_password" in answer.body, "no form for the code", answer.body)
                took.append(seconds)
        return abs(statistics.median(a - b for a, b in zip(*times.values())))
    spread = in_time(measure, 0.08 * t.slow)
    t.expect(spread < 0.08 * t.slow, "the times differ: %s" % times)


@marks(alone=True, seconds=90)
def test_ldap_timing(t):
    """A wrong name and a wrong password take the same time, with a hash that takes long."""
    directory = Slapd(t)
    directory.person("ann", hashed(PASSWORD, load="argon2 m=65536 t=3 p=1"))
    directory.person("bob", hashed(PASSWORD, load="argon2 m=65536 t=3 p=1"))
    t.server({"auth": directory.line()})

    def seconds(user, password):
        web = t.web()
        answer = web.init()
        start = time.monotonic()
        web.reply([("username", user), ("password", password)], path=web.action(answer))
        took = time.monotonic() - start
        web.close()
        return took

    t.web().must_login("ann")
    # Each unknown name right after a known one: what the server has learned of late is the same then.
    known, unknown = [], []

    def measure():
        for _ in range(4):
            for one, other in (("ann", "nobody-here"), ("bob", ")(")):
                known.append(seconds(one, "wrong"))
                unknown.append(seconds(other, "wrong"))
        return abs(statistics.median(a - b for a, b in zip(known, unknown)))
    spread = in_time(measure, 0.05 * t.slow)
    t.notes.append("known %s\nunknown %s" % (known, unknown))
    t.expect(spread < 0.05 * t.slow, "the median of the differences is %f s" % spread)
