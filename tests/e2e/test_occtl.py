"""The control tool: every command, human and JSON; the JSON against doc/occtl.schema.json."""
import os
import pwd
import re
import stat
import subprocess
import time

from lib.ctlschema import check, parse
from lib.shell import sh, wait_for
from lib.terminal import Terminal
from lib.traffic import must_ping
from lib.web import short_session

HERE = os.path.dirname(os.path.abspath(__file__))
SUPPRESSIONS = os.path.join(HERE, "libedit.supp")


def test_status(t):
    """Checklist 168: fields, types, and that the numbers are true."""
    server = t.server()
    status = check(t, server, "status", "show", "status")
    t.equal((status["Active sessions"], status["Total sessions"]), (0, 0), "sessions at start")
    t.expect(abs(status["raw_up_since"] - time.time()) < 30, "start", status)
    client = t.client(dtls=False).wait()
    t.equal(check(t, server, "status", "show", "status")["Active sessions"], 1, "active sessions")
    must_ping(client.netns)
    client.stop()
    server.wait_no_user()
    status = wait_for("the closed session to be counted", lambda: server.occtl_json("show", "status")["Total sessions"] == 1
                      and server.occtl_json("show", "status"), 5)
    t.equal((status["Active sessions"], status["Sessions handled"]), (0, 1), "sessions at the end")
    tree = server.tree()
    t.expect(status["Server PID"] in tree and status["Sec-mod PID"] in tree, "process ids", status, tree)
    text = server.occtl("show", "status").stdout
    for line in ("\tStatus: online\n", "\tServer PID: %d\n" % status["Server PID"], "\tActive sessions: 0\n",
                 "\tTotal sessions: 1\n", "\tIPs in ban list: 0\n", "Current stats period:\n", "\tMin MTU: "):
        t.expect(line in text, "missing in the human form: " + line, text)


def rate(count):
    return "%.1f kB/s" % (count / 1000) if count >= 1000 else "%d bytes/s" % count


def test_users(t):
    """Checklist 169, 170, 171: show users, show user, show id; unknown ones; the human forms."""
    server = t.server({"select-group": ["staff"], "dns": ["198.18.1.53", "fd00:19::53"], "nbns": ["198.18.1.54"],
                       "split-dns": ["one.test", "two.test"], "no-route": ["10.1.5.0/24"]}, users={"test": "staff"})
    t.equal(check(t, server, "users", "show", "users"), [], "users before any")
    t.equal(server.occtl("show", "users").stdout, "", "human list without rows")
    failed = t.web()
    failed.login(password="wrong")
    t.equal(server.occtl("show", "user", "test", check=False).returncode, 2, "exit code after a failed login")
    client = t.client(arguments=["--local-hostname", "mylaptop"]).wait()
    must_ping(client.netns, count=2)
    rows = [row for row in check(t, server, "users", "show", "users") if row["State"] == "connected"]
    t.equal(len(rows), 1, "rows")
    user = rows[0]
    for key, value in (("Username", "test"), ("Groupname", "staff"), ("vhost", "default"), ("Remote IP", "198.18.0.2"),
                       ("Local Device IP", "198.18.0.1"), ("IPv4", client.ip4), ("P-t-P IPv4", "198.19.0.1"),
                       ("P-t-P IPv6", "fd00:77::1"), ("MTU", "1434"), ("DPD", "60"), ("KeepAlive", "3600"),
                       ("Hostname", "mylaptop"), ("DNS", ["198.18.1.53", "fd00:19::53"]), ("NBNS", ["198.18.1.54"]),
                       ("Split-DNS-Domains", ["one.test", "two.test"]),
                       ("Routes", ["198.18.1.0/255.255.255.0", "fd00:19::/64"]),
                       ("No-routes", ["10.1.5.0/255.255.255.0"]), ("Restricted to routes", "False")):
        t.equal(user.get(key), value, key)
    t.expect(int(user["RX"]) >= 2 * 84 and int(user["TX"]) >= 2 * 84, "counters", user)
    must_ping(client.netns, count=3, extra=["-s", "1000"])
    later = server.user()
    for way in ("RX", "TX"):
        more, spent = int(later[way]) - int(user[way]), [time.time() - later["raw_connected_at"] + late for late in (-2, -1, 0)]
        t.expect(3 * 1028 <= more < 3 * 1028 + 400, "three pings were %d bytes of %s" % (more, way))
        t.equal(later["_" + way], "%.1f kB" % (int(later[way]) / 1000), "_" + way)
        rates = [int(later[way]) // int(seconds) for seconds in spent if seconds >= 1] + [int(later[way])]
        t.expect(later["Average " + way] in [rate(n) for n in rates], "Average " + way, later, rates)
    t.expect(abs(user["raw_connected_at"] - time.time()) < 60, "time", user)
    t.expect(user["Full session"].startswith(user["Session"]) and len(user["Full session"]) == 28, "session id", user)
    for command in (("show", "user", "test"), ("show", "id", str(user["ID"]))):
        one = check(t, server, "users", *command)
        t.equal([row["ID"] for row in one], [user["ID"]], " ".join(command))
        text = server.occtl(*command).stdout
        for part in ("\tID: %d\n" % user["ID"], "Username: test   Groupname: staff\n", "vhost: default\n",
                     "DTLS cipher: (DTLS1.2)-(PSK)-", "TLS ciphersuite: (TLS1.3)-", "IPv4: %s" % client.ip4,
                     "Session: " + user["Session"], "Hostname: mylaptop\n", "\tDNS: 198.18.1.53\n\t\tfd00:19::53\n"):
            t.expect(part in text, "missing in the human form: " + part, text)
    line = server.occtl("show", "users").stdout.splitlines()
    t.expect(re.match(r" +id +user +vhost +ip +vpn-ip +device +since +dtls-cipher +status", line[0]), "header", line)
    t.expect(re.match(r" +%d +test +default +198.18.0.2 +%s +vpns\d +.*\(.*\) +connected" % (user["ID"], client.ip4),
                      line[1]), "row", line)
    for command in (("show", "user", "nobody"), ("show", "id", "999999999")):
        t.equal(check(t, server, "users", *command, code=2), [], "unknown")
        run = server.occtl(*command, check=False)
        t.equal(run.returncode, 2, "exit code of an unknown one")
        t.expect("user or ID not found" in run.stdout + run.stderr, "words", run.stdout)
    client.stop()
    wait_for("the user to disappear", lambda: server.occtl("show", "user", "test", check=False).returncode == 2, 5)
    failed.close()


def test_sessions(t):
    """Checklist 173, 174: the list, one session, terminate by short and full id."""
    server = t.server({"cookie-timeout": 3600})
    trying = t.web()
    trying.login(password="wrong")
    t.equal([row["State"] for row in check(t, server, "sessions", "show", "sessions", "all")], ["authenticating"],
            "state after the first of three tries")
    t.equal(check(t, server, "sessions", "show", "sessions", "valid"), [], "valid sessions after a wrong password")
    for _ in range(2):
        trying.reply([("password", "wrong")])
    t.expect([row["State"] for row in server.occtl_json("show", "sessions", "all")] in ([], ["auth failed"]), "state at the end")
    trying.close()
    web = t.web().must_login()
    short = short_session(web.cookies["webvpn"])
    rows = check(t, server, "sessions", "show", "sessions", "all")
    row = next(row for row in rows if row["Session"] == short)
    t.equal((row["Username"], row["in_use"], row["session_is_open"]), ("test", 0, 0), "before the tunnel")
    left = time.mktime(time.strptime(row["Expires"], "%Y-%m-%d %H:%M")) - time.time()
    t.expect(3600 - 60 < left <= 3600 + 60, "an unused session expires in %d s" % left, row)
    tunnel = web.open()
    row = next(r for r in check(t, server, "sessions", "show", "sessions", "valid") if r["Session"] == short)
    t.equal((row["in_use"], row["session_is_open"]), (1, 1), "with the tunnel")
    t.expect("Expires" not in row, "an expiry while in use", row)
    full = row["Full session"]
    for sid in (short, full):
        t.equal(check(t, server, "sessions", "show", "session", sid)[0]["Full session"], full, "show session " + sid)
    text = server.occtl("show", "session", short).stdout
    for part in ("\tSession: %s\n" % short, "State: authenticated", "In use: True   Activated: True",
                 "Certificate auth: False"):
        t.expect(part in text, "missing: " + part, text)
    t.expect("Session ID not found or expired" in (lambda r: r.stdout + r.stderr)(
        server.occtl("show", "session", "zzzzzz", check=False)), "words for an unknown session")
    for alias in ("all", "valid"):
        t.expect(short in server.occtl("show", "cookies", alias).stdout, "alias show cookies " + alias)
    out = server.occtl("terminate", "session", full)
    t.expect("was terminated" in out.stdout and "has an active connection" in out.stderr, "words", out.stdout, out.stderr)
    tunnel.web.close()
    t.equal(t.web(cookies=web.cookies).connect().status, 401, "status with a terminated session")
    t.equal(server.occtl("terminate", "session", "zzzzzz", check=False).returncode, 1, "exit code for an unknown one")


def test_disconnect_and_terminate(t):
    """Checklist 172, 173, protocol 59, 78: by name and by id; the cookie is worth nothing afterwards; the client is told."""
    server = t.server(users={"test": None, "other": None})
    for verb, kind, words in (("disconnect", "user", "user 'test' was disconnected"),
                              ("disconnect", "id", "connection ID '%d' was disconnected"),
                              ("terminate", "user", "user 'test' was terminated (session invalidated)"),
                              ("terminate", "id", "connection ID '%d' was terminated (session invalidated)")):
        web = t.web().must_login()
        tunnel, bystander = web.open(), t.web().must_login("other").open()
        number = server.user()["ID"]
        out = server.occtl(verb, kind, "test" if kind == "user" else str(number))
        t.expect((words % number if "%d" in words else words) in out.stdout, "words", out.stdout)
        frame = tunnel.receive_control()
        t.expect(frame and frame[0] in (5, 9), "the client was not told: %r" % (frame,))
        server.wait_no_user("test")
        t.equal(len(server.users("other")), 1, "bystanders")
        t.equal(t.web(cookies=web.cookies).connect().status, 401, "status with the cookie")
        bystander.bye()
        server.wait_no_user("other")
        out = server.occtl(verb, kind, "nobody" if kind == "user" else "999999", check=False)
        t.equal(out.returncode, 1, "exit code for an unknown one")
        t.expect("could not " + verb in out.stdout, "words for an unknown one", out.stdout)
    t.client(dtls=False).wait()
    server.occtl("disconnect", "user", "test")
    t.clients[-1].wait_end(10)


def test_restrictions(t):
    """Checklist 170, admin 6.10: what a session is restricted to, in both forms."""
    server = t.server({"restrict-user-to-ports": "tcp(443), icmp()", "restrict-user-to-routes": "true"})
    t.web().must_login().open()
    user = server.user()
    t.equal((user["Restricted to routes"], user["Restricted to ports"]), ("True", ["tcp(443)", "icmp()"]), "JSON")
    text = server.occtl("show", "user", "test").stdout
    t.expect("\tRestricted to routes: True\n\tRestricted to ports: tcp(443), icmp()\n" in text, "text", text)


def test_errors(t):
    """Checklist 179, admin 6.3: server down, unknown and incomplete commands, help, case and blanks."""
    server = t.server()
    down = sh(server.tools.occtl, "-s", t.dir + "/nothing", "show", "status", check=False)
    t.equal((down.returncode, down.stdout), (1, ""), "exit code and output when the server is down")
    t.expect("error connecting to ocserv socket '%s/nothing'" % t.dir in down.stderr, "words", down.stderr)
    run = server.occtl("make", "coffee", check=False)
    t.equal(run.returncode, 1, "exit code of an unknown command")
    t.expect("unknown command: make coffee" in run.stderr and "use help or '?'" in run.stderr, "words", run.stderr)
    run = server.occtl("show", check=False)
    t.equal(run.returncode, 1, "exit code of an incomplete command")
    t.expect("show users" in run.stdout and "show ip bans" in run.stdout, "help for a prefix", run.stdout)
    t.equal(server.occtl("disconnect", "id", "abc", check=False).returncode, 1, "exit code for an id that is no number")
    run = server.occtl("unban", "ip", "1.2.3.4.5", check=False)
    t.equal(run.returncode, 1, "exit code for a bad address")
    t.expect("Cannot parse IP" in run.stderr + run.stdout, "words", run.stderr)
    text = server.occtl("help").stdout
    t.expect("Available Commands" in text, "help", text)
    for command in ("disconnect user", "disconnect id", "terminate user", "terminate id", "terminate session", "unban ip",
                    "reload", "show status", "show users", "show ip bans", "show ip ban points", "show iroutes",
                    "show sessions all", "show sessions valid", "show session", "show user", "show id", "show events",
                    "stop now", "reset", "help", "exit"):
        t.expect(command in text, "help lacks " + command, text)
    t.expect("online" in server.occtl("SHOW", "  Status ").stdout, "case and blanks")
    for arguments in (["-v"], ["-h"], ["--help"]):
        t.equal(sh(server.tools.occtl, *arguments, check=False).returncode, 0, "exit code of " + arguments[0])
    check(t, server, "bans", "show", "ip", "bans")
    check(t, server, "points", "show", "ip", "ban", "points")
    check(t, server, "iroutes", "show", "iroutes")


def shell_of(server, **environment):
    """occtl without a command, on a terminal."""
    environment = dict({"OCCTL_PAGER": "", "ASAN_OPTIONS": "fast_unwind_on_malloc=0",
                        "LSAN_OPTIONS": "print_suppressions=0:suppressions=" + SUPPRESSIONS}, **environment)
    return Terminal([server.tools.occtl, "-j", "-s", server.conf["occtl-socket-file"]], environment=environment)


def test_interactive(t):
    """Checklist 179, admin 6.16: banner, prompt, completion of commands, names and ids, errors that do not end it, history,
    no JSON, exit 0."""
    server = t.server(users={"test": None, "J\u00f6rg": None})
    t.web().must_login().open()
    t.web().must_login("J\u00f6rg").open()
    user = server.user()
    others = [str(u["ID"]) for u in server.users() if u["ID"] != user["ID"]]
    unique = next(str(user["ID"])[:n] for n in range(1, 20) if not any(o.startswith(str(user["ID"])[:n]) for o in others))
    shell = shell_of(server)
    shell.until(rb"version .*\r\n(.*\r\n)+> ")
    shell.type_line(b"show sta\t", rb"Status: online")
    shell.type_line(b"nonsense", rb"unknown command: nonsense\r\nuse help or '\?'")
    shell.type_line(b"show user te\t", rb"Username: test")
    shell.type_line(b"SHOW USER J\t", "Username: J\u00f6rg".encode())
    shell.type_line(b"disconnect id %s\t" % unique.encode(), rb"connection ID '%d' was disconnected" % user["ID"])
    server.wait_no_user()
    shell.type_line(b"\x1b[A\x1b[A\x1b[A", rb"user or ID not found")  # history: the third line from the end
    shell.type_line(b"show config user J\t", "# user: J\u00f6rg".encode())
    shell.type_line(b"show events", rb"to quit\r\n")
    os.write(shell.fd, b"q")
    shell.type_line(b"reset", rb"\x1bc")
    shell.type_line(b"", rb"> ")
    shell.type_line(b"?", rb"Available Commands\r\n disconnect user \[NAME\]\t")
    shell.until(rb"> \Z")
    os.write(shell.fd, b"exit\r")
    t.equal(shell.wait(5 * t.slow), 0, "exit status\n" + shell.text.decode(errors="replace"))
    for last in (b"quit\r", b"\x04"):
        shell = shell_of(server)
        shell.type_line(b"", rb"> \Z")  # from the second prompt on it certainly reads key by key
        os.write(shell.fd, last)
        t.equal(shell.wait(5 * t.slow), 0, "exit status after %r" % last)


def test_completion(t):
    """Checklist 179, admin 6.16: banned addresses and session ids; several candidates; a name that would steer the terminal."""
    server = t.server({"max-ban-score": 10, "ban-points-wrong-password": 10, "ban-points-connection": 0},
                      users={"anna": None, "anne": None, "an\u202ex": None})
    t.net.add_client_address("198.51.100.7")
    t.web(source="198.51.100.7").login("anna", password="wrong")
    webs = [t.web().must_login(name) for name in ("anna", "anne", "an\u202ex")]
    for web in webs:
        web.open()
    shell = shell_of(server)
    shell.until(rb"> \Z")
    os.write(shell.fd, b"show user a\t\t")
    match = shell.until(rb"\r\n(\S+  .*)\r\n")
    t.equal(sorted(match.group(1).split()), [b"anna", b"anne"], "candidates")
    os.write(shell.fd, b"e\r")
    shell.until(rb"Username: anne")
    short = short_session(webs[0].cookies["webvpn"]).encode()
    shell.type_line(b"terminate session %s\t" % short[:3], rb"session '%s' was terminated" % re.escape(short))
    shell.type_line(b"unban ip 198\t", rb"IP '198.51.100.7' was unbanned")
    shell.until(rb"> \Z")
    os.write(shell.fd, b"exit\r")
    shell.wait(5 * t.slow)


def test_stop_now(t):
    """Checklist 178: the server ends; then occtl says that it is down."""
    server = t.server()
    tree = server.tree()
    t.expect("Server scheduled to stop" in server.occtl("stop", "now").stdout, "words")
    t.equal(server.process.wait(40), 0, "status of the server")
    server.check_gone(tree)
    t.equal(server.occtl("show", "status", check=False).returncode, 1, "exit code afterwards")


def test_only_root(t):
    """Checklist 180, admin 5, 6.3, 6.8: the socket's owner and mode; another user gets nothing, also the one who may
    connect, because workers run as him."""
    server = t.server()
    mode = os.stat(server.conf["occtl-socket-file"])
    t.expect(stat.S_IMODE(mode.st_mode) == 0o711, "mode of the socket: %o" % mode.st_mode)
    nobody = pwd.getpwnam("nobody")
    t.equal((mode.st_uid, mode.st_gid), (nobody.pw_uid, nobody.pw_gid), "owner of the socket")

    def run_as(user, *arguments):
        return subprocess.run([server.tools.occtl, "-s", server.conf["occtl-socket-file"], *arguments], user=user,
                              capture_output=True, text=True, cwd="/")
    run = run_as(1, "show", "status")
    t.expect(run.returncode == 1 and "online" not in run.stdout, "served another user", run.stdout)
    for command in (("show", "users"), ("show", "events"), ("stop", "now"), ("disconnect", "user", "test")):
        run = run_as(nobody.pw_uid, *command)
        t.equal((run.returncode, run.stdout, run.stderr), (1, "", DROPPED), "the owner's " + " ".join(command))
    run = run_as(nobody.pw_uid, "-j", "show", "status")
    t.equal((run.returncode, parse(t, run.stdout, "status", "status")), (1, [{"Status": "offline"}]), "status without answer")
    server.wait_log("control-client-refused")
    t.equal(server.occtl_json("show", "status")["Status"], "online", "root's status")


DROPPED = "could not send message; possibly insufficient permissions or server is offline.\n"


def test_invocation(t):
    """Admin 6.1, 6.3: options by their first letter and only before the command; what is no option shows the usage; the
    answers to what is no command; words beyond a command."""
    server = t.server()
    tool, path = server.tools.occtl, server.conf["occtl-socket-file"]
    for arguments in (["-j"], ["--json=1"], ["--jolly", "-n"], ["--no-pager", "--debug", "-j"]):
        t.expect(sh(tool, "-s", path, *arguments, "show", "users").stdout == "[\n]\n", "JSON with %s" % arguments)
    t.equal(sh(tool, "--socket-file", path, "show", "users").stdout, "", "the long name of -s")
    t.equal(sh(tool, "-s", path, "show", "users", "-j").stdout, "", "an option behind the command")
    for arguments in (["-x"], ["--unknown", "show", "status"], ["-h"], ["--help"], ["-s"], ["--"]):
        run = sh(tool, *arguments, check=False)
        t.equal((run.returncode, run.stderr), (0, ""), "exit code and words of %s" % arguments)
        t.expect("--socket-file" in run.stdout and "show users" in run.stdout and "no-pager" not in run.stdout, "usage", run.stdout)
    run = sh(tool, "--version", check=False)
    t.equal((run.returncode, run.stdout, "version" in run.stderr), (0, "", True), "the version")
    full = sh("sh", "-c", "%s -j -s %s show status > /dev/full" % (tool, path), check=False)
    t.equal((full.returncode, full.stderr), (1, "cannot write the answer: No space left on device\n"), "an answer that is lost")
    everything = server.occtl("help").stdout.split("\n", 1)[1]
    for command in (["show", "user"], ["show", "id", "12x"], ["disconnect", "id"], ["terminate", "session"], ["unban", "ip"]):
        run = server.occtl(*command, check=False)
        t.equal((run.returncode, run.stdout), (1, everything), "the answer to " + " ".join(command))
    run = server.occtl("terminate", check=False)
    t.equal([line.split("\t")[0] for line in run.stdout.splitlines()],
            [" terminate user [NAME]", " terminate id [ID]", " terminate session [SID]"], "what begins with terminate")
    t.equal(server.occtl("show", "ip", "bans", "points").returncode, 0, "a word too many where it is passed over")
    for command in (["stop", "later"], ["reload", "twice"]):
        run = server.occtl(*command, check=False)
        t.equal((run.returncode, run.stderr), (1, "unknown command: %s\nuse help or '?' to get a list of the available commands\n" %
                                               " ".join(command)), "the answer to " + " ".join(command))


def test_terminate_remembered(t):
    """Checklist 173, admin 6.5: sessions without a connection; ids that are none; one beginning of several ids."""
    server = t.server(users={"test": None, "other": None})
    web = t.web().must_login()
    web.close()
    other = t.web().must_login("other")
    t.expect("user 'test' was terminated" in server.occtl("terminate", "user", "test").stdout, "words")
    t.equal(t.web(cookies=web.cookies).connect().status, 401, "status with the cookie")
    t.equal(other.connect().status, 200, "status of another user")
    for sid, words in (("a b", "invalid session ID\n"), ("zzzzzz", "no session matching 'zzzzzz' was found\n")):
        run = server.occtl("terminate", "session", sid, check=False)
        t.equal((run.returncode, run.stdout), (1, words), "the answer to " + sid)
    first = {}
    for i in range(70):  # more than there are first characters
        if i % 5 == 0:
            web = t.web()
        web.cookies.clear()
        web.must_login()
        sid = short_session(web.cookies["webvpn"])
        if sid[0] in first:
            break
        first[sid[0]] = sid
    rows = [row["Full session"] for row in server.occtl_json("show", "session", sid[0])]
    run = server.occtl("terminate", "session", sid[0], check=False)
    lines = run.stdout.splitlines()
    t.equal((run.returncode, lines[0]), (1, "ambiguous session ID '%s' matches %d sessions:" % (sid[0], len(rows))), "first line")
    t.equal(sorted(line.strip() for line in lines[1:-1]), sorted(rows), "ids")
    t.expect(lines[-1].startswith("use the full session ID") and len(rows) >= 2, "hint", run.stdout)
    t.equal(len(server.occtl_json("show", "session", sid[0])), len(rows), "sessions afterwards")


def test_two_connections_of_one_user(t):
    """Checklist 100: both stay and both are shown."""
    server = t.server()
    first = t.client(dtls=False).wait()
    second = t.client(dtls=False, netns=t.net.add_client()).wait()
    rows = server.occtl_json("show", "user", "test")
    t.equal({row["Remote IP"] for row in rows}, {"198.18.0.2", "198.18.11.2"}, "addresses in show user")
    t.equal(len(server.occtl_json("show", "sessions", "all")), 2, "sessions")
    must_ping(first.netns)
    must_ping(second.netns)
    server.occtl("disconnect", "user", "test")
    server.wait_no_user()
