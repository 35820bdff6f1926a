"""PAM: real modules in private services, and a module of the tests' own for what those do not do."""
import os
import signal
import subprocess
import time

from lib.harness import marks
from lib.pam import UNIX, Pam, answer_all, runners
from lib.server import PASSWORD
from lib.shell import program, sh, wait_for
from lib.spoken import group_of


def conf(service, **options):
    more = "".join(",%s=%s" % (key.replace("_", "-"), value) for key, value in options.items())
    return {"auth": '"pam[service=%s%s]"' % (service, more)}


def test_right_password_opens_a_tunnel(t):
    """Radius.md 7: an account of the machine logs in with openconnect; its name is in occtl."""
    with Pam(t) as pam:
        user = pam.user("ann")
        server = t.server(conf(pam.service(*UNIX)), users={})
        client = t.client(user=user, dtls=False).wait()
        t.equal(server.user(user)["IPv4"], client.ip4, "address in occtl")
        t.equal(client.stop(), 0, "exit status of openconnect")


def test_wrong_unknown_and_empty_are_refused(t):
    """Checklist 191, radius.md 7: wrong, empty and unknown get 401 at once, without a second try; the log says why."""
    with Pam(t) as pam:
        user, blank = pam.user("ann"), pam.user("bob")
        subprocess.run(["passwd", "-q", "-d", blank], check=True)
        server = t.server(conf(pam.service("auth required pam_unix.so nullok", *UNIX[1:])), users={})
        for name, password in ((user, "wrong"), (user, ""), (blank, ""), (pam.prefix + "nobody", PASSWORD),
                               ("a" * 5000, PASSWORD)):
            web = t.web()
            start = time.monotonic()
            answer = web.login(name, password)
            t.equal(answer.lines[0], "HTTP/1.1 401 Authentication failed", "%.20s with %r" % (name, password))
            t.expect("webvpn" not in web.cookies, "a cookie")
            if len(name) < 100:
                t.expect(time.monotonic() - start > 0.9, "the module's delay was left out")
        server.wait_log(r"PAM authenticate error for '%s': Authentication failure" % user)
        status, text = answer_all(t, user, "wrong")
        t.expect(status and "COOKIE" not in text, "openconnect with a wrong password", text)


def test_hanging_up_does_not_make_guessing_free(t):
    """Config.md 15: a refusal comes late, an acceptance at once; who does not wait for it is charged all the same."""
    with Pam(t) as pam:
        user = pam.user("ann")
        server = t.server(dict(conf(pam.service(*UNIX)), **{"max-ban-score": 100, "ban-points-connection": 0}),
                          users={})
        for _ in range(2):
            web = t.web()
            web.init()
            form = "username=%s&password=wrong" % user
            web.send("POST /auth HTTP/1.1\r\nHost: s\r\nUser-Agent: x\r\nCookie: webvpncontext=%s\r\n"
                     "Content-Length: %d\r\n\r\n%s" % (web.cookies["webvpncontext"], len(form), form))
            time.sleep(0.3)
            web.close()
        wait_for("two wrong passwords to be charged", lambda: [row["Score"] for row in server.occtl_json(
            "show", "ip", "ban", "points")] == [20], 10 * t.slow)


def test_modules_that_count_failures(t):
    """Radius.md 7: pam_faillock, which writes files and speaks, works in a runner: two failures lock the account."""
    with Pam(t) as pam:
        user = pam.user("ann")
        lock = "pam_faillock.so %s deny=2 dir=" + pam.dir + "/faillock"
        service = pam.service("auth requisite " + lock % "preauth", "auth sufficient pam_unix.so nodelay",
                              "auth [default=die] " + lock % "authfail", "account required " + lock % "",
                              "account required pam_unix.so")
        t.server(conf(service), users={})
        t.web().must_login(user)
        for _ in range(2):
            t.equal(t.web().login(user, "wrong").status, 401, "a wrong password")
        answer = t.web().login(user)
        t.equal(answer.status, 401, "the right password of a locked account")
        t.expect("locked" in (answer.header("X-Reason") or ""), "what the module says", answer.head)
        sh("faillock", "--dir", pam.dir + "/faillock", "--user", user, "--reset")
        t.web().must_login(user)


def test_several_prompts(t):
    """Checklist 191, radius.md 7: a password and a one-time password; text, visible and hidden questions in a row."""
    with Pam(t) as pam:
        user = pam.user("ann")
        otp = pam.dir + "/otp"
        with open(otp, "w") as out:
            out.write("HOTP %s - 00\n" % user)
        os.chmod(otp, 0o600)
        quiz = pam.quiz()
        oath = pam.service(UNIX[0], "auth required pam_oath.so usersfile=%s window=5" % otp, *UNIX[1:], name="oath")
        asks = pam.service("auth requisite %s info:Be_welcome. hide:Password:=first show:Your_town?=Rome" % quiz,
                           "auth required %s error:Nearly_done. hide:PIN:=99" % quiz, "account required pam_permit.so",
                           name="asks")
        server = t.server(conf(oath), vhosts=[("asks", conf(asks))], users={})
        # The HOTP of a key of one zero byte.
        codes = [sh("oathtool", "-c", str(i), "00").stdout.strip() for i in range(2)]
        status, text = answer_all(t, user, PASSWORD, codes[0])
        t.expect(status == 0 and "COOKIE=" in text, "openconnect with password and code", text)
        t.expect("One-time password (OATH) for `%s':" % user in text, "the module's words", text)
        status, text = answer_all(t, user, PASSWORD, codes[0])
        t.expect(status and "COOKIE=" not in text, "a code was taken twice", text)
        web = t.web(name="asks")
        web.init()
        answer = web.reply([("username", "somebody"), ("password", "first")])
        t.expect("Be welcome.\nYour town?" in answer.body, "texts and question", answer.body)
        t.expect('type="text" name="secondary_password" label="Password1:"' in answer.body, "a visible input",
                 answer.body)
        answer = web.reply([("secondary_password", "Rome")])
        t.expect("Nearly done.\nPIN:" in answer.body, "the second module's text and question", answer.body)
        t.expect('type="password" name="secondary_password" label="Password2:"' in answer.body, "a hidden input",
                 answer.body)
        t.expect(web.reply([("secondary_password", "99")]).success, "all answers were right")
        for answers in (("x",), ("first", "Oslo"), ("first", "Rome", ""), ("first", "Rome", "98")):
            web = t.web(name="asks")
            web.init()
            answer = web.reply([("username", "somebody"), ("password", answers[0])])
            for word in answers[1:]:
                answer = web.reply([("secondary_password", word)])
            t.equal(answer.lines[0], "HTTP/1.1 401 Authentication failed", "answers %r" % (answers,))


def test_texts_of_modules_reach_the_client(t):
    """Radius.md 7: what pam_echo says is shown by openconnect with the next question, or comes with the refusal."""
    with Pam(t) as pam:
        user = pam.user("ann")
        quiz = pam.quiz()
        told = pam.service(UNIX[0], "auth optional pam_echo.so Hello %u, maintenance at noon.",
                           "auth required %s hide:Word:=yes" % quiz, UNIX[1])
        server = t.server(conf(told), users={})
        status, text = answer_all(t, user, PASSWORD, "yes")
        t.expect(status == 0 and "Hello %s, maintenance at noon." % user in text, "what the client shows", text)
        sh("chage", "-E", "0", user)
        web = t.web()
        web.init()
        web.reply([("username", user), ("password", PASSWORD)])
        answer = web.reply([("secondary_password", "yes")])
        t.equal(answer.lines[0], "HTTP/1.1 401 Authentication failed", "an expired account")
        t.equal(answer.header("X-Reason"), "Your account has expired; please contact your system administrator.",
                "why")
        server.wait_log(r"PAM authenticate error for '%s': User account has expired" % user)


def test_expired_password_is_changed_in_the_login(t):
    """Radius.md 7: who must change the password does it in the same login, and the new one is in force."""
    with Pam(t) as pam:
        user, new = pam.user("ann"), "4.Legs-and_1 tail"
        server = t.server(conf(pam.service(*UNIX)), users={})
        sh("chage", "-d", "0", user)
        status, text = answer_all(t, user, PASSWORD, PASSWORD, new, new)
        t.expect(status == 0 and "COOKIE=" in text, "openconnect changes the password", text)
        for words in ("You are required to change your password immediately", "New password:", "Retype new password:"):
            t.expect(words in text, words, text)
        t.expect(t.web().login(user, new).success, "the new password")
        t.equal(t.web().login(user).status, 401, "the old password")
        t.equal(os.stat("/etc/shadow").st_gid, 42, "group of the shadow file")
        sh("chage", "-d", "0", user)
        status, text = answer_all(t, user, new, "wrong", new, new)
        t.expect(status and "COOKIE=" not in text, "changed with a wrong old password", text)


def test_account_phase(t):
    """Radius.md 7, protocol 10.13: an account that is refused gets no cookie, and a cookie is refused later."""
    with Pam(t) as pam:
        good, bad = pam.user("ann"), pam.user("bob")
        allowed = pam.dir + "/allowed"
        with open(allowed, "w") as out:
            out.write(good + "\n")
        service = pam.service(*UNIX[:2], "account required pam_listfile.so item=user sense=allow file=%s onerr=fail"
                              % allowed)
        server = t.server(conf(service), users={})
        t.equal(t.web().login(bad).status, 401, "an account that is not listed")
        server.wait_log(r"PAM authenticate error for '%s': " % bad)
        web = t.web().must_login(good)
        cookie = web.cookies["webvpn"]
        web.open().bye()
        web = t.web().must_login(good)
        os.truncate(allowed, 0)
        answer = web.connect()
        t.equal(answer.status, 401, "a tunnel for an account that is not listed any more")
        t.equal(t.web().connect(cookie=cookie).status, 401, "the old cookie")


def test_what_modules_know(t):
    """Radius.md 7: PAM_RHOST is the client, the service is the host's, the user may be renamed; programs have signals."""
    with Pam(t) as pam:
        user, seen = pam.user("ann"), pam.dir + "/seen"
        script = pam.script("note", 'echo "$PAM_SERVICE $PAM_USER $PAM_RHOST $PAM_TYPE" >>%s\n'
                            'grep SigIgn /proc/self/status >>%s\nls -l /proc/$$/fd >>%s\n' % (seen, seen, seen))
        service = pam.service("auth required pam_exec.so " + script,  # pam_ftp takes the address for the host
                              "auth required pam_ftp.so users=%s,anonymous" % user, "account required pam_permit.so")
        server = t.server(conf(service), users={})
        web = t.web().must_login("anonymous", "a@b.example")
        web.open()
        server.user(user)
        lines = open(seen).read().splitlines()
        t.equal(lines[0], "%s anonymous 198.18.0.2 auth" % service, "what a module sees")
        t.equal(int(lines[1].split()[1], 16) & (1 << 14), 0, "SIGTERM is ignored")
        t.expect(not any("socket:" in line for line in lines), "a program has the runner's channel", lines)


def test_hosts_have_services_of_their_own(t):
    """Checklist 191: three hosts with three services, none lets in the users of another."""
    with Pam(t) as pam:
        users = [pam.user(name) for name in ("ann", "bob", "cid")]
        services = []
        for i, user in enumerate(users):
            listed = "%s/users%d" % (pam.dir, i)
            with open(listed, "w") as out:
                out.write(user + "\n")
            services.append(pam.service("auth requisite pam_listfile.so item=user sense=allow onerr=fail file=" + listed,
                                        UNIX[0], UNIX[1], name="h%d" % i))
        t.server(conf(services[0]), vhosts=[("h1", conf(services[1])), ("h2", conf(services[2]))], users={})
        for i, name in enumerate((None, "h1", "h2")):
            for k, user in enumerate(users):
                t.equal(t.web(name=name).login(user).success, i == k, "%s at host %d" % (user, i))


def test_groups_of_accounts(t):
    """Radius.md 7, config.md 11: unix groups may be chosen, the primary is the default, gid-min cuts the list."""
    with Pam(t) as pam:
        low, high, other = pam.group("low", 950 + os.getpid() % 40), pam.group("high"), pam.group("other")
        user = pam.user("ann", PASSWORD, "-g", low, "-G", high)
        loner = pam.user("bob", PASSWORD, "-g", high)
        header = {"custom-header": "X-Group: %{G}", "auto-select-group": "true"}
        gid = int(sh("getent", "group", high).stdout.split(":")[2])
        service = pam.service(*UNIX)
        virtual = pam.service("auth required pam_permit.so", "account required pam_permit.so", name="v")
        server = t.server(dict(conf(service, gid_min=gid), **header), users={},
                          vhosts=[("v", dict(conf(virtual), **header))])
        web = t.web()
        form = web.init()
        t.expect(">%s<" % high in form.body and ">%s<" % other in form.body, "groups in the form", form.body)
        t.expect(low not in form.body and "root" not in form.body, "groups below gid-min", form.body)
        for login, group, wanted in ((user, None, low), (user, low, low), (user, high, high), (user, other, False),
                                     (loner, None, high), (user, "../" + high, False)):
            web = t.web()
            answer = web.login(login, group=group)
            t.equal(answer.success, bool(wanted), "%s with %s" % (login, group))
            if wanted:
                t.equal(group_of(t, web), wanted, "group of %s, asked for %s" % (login, group))
        server.wait_log(r"user '%s' requested group '%s' but is not a member" % (user, other))
        # Who has no account has no group.
        web = t.web(name="v").must_login("nobody-here")
        t.equal(group_of(t, web), "", "group of a user without an account")
        t.equal(t.web(name="v").login("nobody-here", group=high).status, 401, "a group without an account")


def test_client_that_vanishes_leaves_nothing(t):
    """Checklist 192, radius.md 7: an abandoned conversation ends with its login, and the server is as healthy as before."""
    with Pam(t) as pam:
        service = pam.service("auth required %s hide:Password:=a hide:Code:=b" % pam.quiz(),
                              "account required pam_permit.so")
        server = t.server(dict(conf(service), **{"cookie-timeout": 3}), users={})
        auth = server.roles()["auth"]
        for _ in range(5):
            web = t.web()
            web.init()
            t.expect("Code:" in web.reply([("username", "ann"), ("password", "a")]).body, "the second question")
            web.close()
        t.expect(len(runners(server)) >= 5, "conversations have no processes of their own")
        # The login may go on over another connection, until its time is over.
        web = t.web(cookies=web.cookies)
        t.expect(web.reply([("secondary_password", "b")]).success, "the conversation goes on elsewhere")
        wait_for("the runners to end", lambda: len(runners(server)) <= 1, 10 * t.slow)
        server.signal(signal.SIGUSR2)
        server.wait_log("forcing maintenance cycle")
        web = t.web()
        web.init()
        web.reply([("username", "ann"), ("password", "a")])
        t.expect(web.reply([("secondary_password", "b")]).success, "a login afterwards")
        t.equal(server.roles()["auth"], auth, "the auth process")
        t.expect("runner-lost" not in server.log() and "runner-too-slow" not in server.log(), "a runner was killed")


def test_conversations_do_not_keep_others_out(t):
    """A hundred clients that stop at the second question delay nobody; the oldest of them give way."""
    with Pam(t) as pam:
        service = pam.service("auth required %s hide:Password:=a hide:Code:=b" % pam.quiz(),
                              "account required pam_permit.so")
        server = t.server(conf(service), users={})
        webs = []
        for _ in range(100):
            web = t.web()
            web.init()
            t.expect("Code:" in web.reply([("username", "ann"), ("password", "a")]).body, "the second question")
            webs.append(web)
        t.expect(len(runners(server)) < 100, "conversations without a limit")
        t.expect(webs[-1].reply([("secondary_password", "b")]).success, "the newest goes on")
        t.equal(webs[0].reply([("secondary_password", "b")]).status, 401, "status of the oldest")


@marks(seconds=90)
def test_hanging_module_is_timed_out(t):
    """Radius.md 4.3: a service whose module hangs delays nobody at another host and ends in time."""
    with Pam(t) as pam:
        user, pids = pam.user("ann"), pam.dir + "/pids"
        script = pam.script("hang", "echo $$ >>%s\nexec sleep 300\n" % pids)
        hangs = pam.service("auth required pam_exec.so " + script, "account required pam_permit.so", name="hang")
        fine = pam.service(*UNIX, name="fine")
        server = t.server(conf(hangs), vhosts=[("fine", conf(fine))], users={})
        webs = [t.web(timeout=80) for _ in range(20)]
        for web in webs:
            web.init()
            web.send("POST /auth HTTP/1.1\r\nHost: s\r\nUser-Agent: x\r\nX-Transcend-Version: 1\r\n"
                     "Cookie: webvpncontext=%s\r\nContent-Length: 32\r\n\r\nusername=somebody&password=secre" %
                     web.cookies["webvpncontext"])
        start = time.monotonic()
        wait_for("the modules to hang", lambda: os.path.exists(pids) and len(open(pids).read().split()) >= 16)
        for _ in range(20):
            t.web(name="fine").must_login(user)
        t.expect(time.monotonic() - start < 15 * t.slow, "the other host's logins took %.1f s" %
                 (time.monotonic() - start))
        t.equal(webs[0].read().status, 401, "the login that hangs")
        t.expect(25 < time.monotonic() - start < 45, "it ended after %.1f s" % (time.monotonic() - start))
        server.wait_log("runner-too-slow")
        first = [int(pid) for pid in open(pids).read().split()][:10]
        wait_for("the scripts to end", lambda: not any(os.path.exists("/proc/%d/exe" % pid) and "sleep" in program(pid)
                                                       for pid in first), 5)


def test_accounting_refuses_the_tunnel(t):
    """Checklist 193, radius.md 7: acct = pam refuses CONNECT to a user whose account phase fails, not the login."""
    with Pam(t) as pam:
        refused = pam.dir + "/refused"
        with open(refused, "w") as out:
            out.write("mallory\n")
        service = pam.service("account required pam_listfile.so item=user sense=deny onerr=fail file=" + refused)
        server = t.server({"acct": '"pam[service=%s]"' % service}, users={"test": None, "mallory": None})
        client = t.client(dtls=False).wait()
        server.user()
        client.stop()
        web = t.web().must_login("mallory")
        t.equal(web.connect().status, 401, "CONNECT of a refused account")
        server.wait_log("PAM-acct account error: ")
        t.equal(server.users("mallory"), [], "occtl")
        t.web().must_login("mallory")
