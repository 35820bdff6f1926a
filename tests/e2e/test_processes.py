"""The process tree: who survives whom, what a worker can do, what is left when all ends."""
import base64
import os
import signal
import time

from lib.harness import marks
from lib.shell import PATIENCE, descendants, process_name, program, wait_for
from lib.traffic import Pinger, must_ping, transfer


def killed(t, role):
    """Kills ROLE while a client pings: the tunnel stays, occtl shows it, a new login works soon."""
    server = t.server(users={"test": None, "new": None})
    client = t.client().wait()
    before = server.user()
    pinger = Pinger(client.netns, directory=t.dir)
    pinger.wait(9)
    pid = server.roles()[role]
    os.kill(pid, signal.SIGKILL)
    start = time.monotonic()
    seen = 0
    while time.monotonic() - start < 5 * PATIENCE * t.slow:
        try:
            t.web(timeout=3 * PATIENCE).must_login("new").open().bye()
            seen = time.monotonic() - start
            break
        except (OSError, AssertionError):
            time.sleep(0.1)
    t.expect(seen, "no new login soon after killing " + role)
    pinger.wait(9)
    got, lost, run = pinger.stop()
    t.expect(got > 15 and run <= 10, "pings answered %d, lost %d, %d in a row" % (got, lost, run))
    after = server.user()
    for key in ("ID", "IPv4", "IPv6", "Device", "Username", "Remote IP", "raw_connected_at", "Full session"):
        t.equal(after.get(key), before.get(key), key + " in occtl")
    t.expect(server.roles()[role] != pid, role + " was not started again")
    must_ping(client.netns)
    transfer(client.netns, t.net.lan, size=2_000_000, down=True)
    client.stop()
    server.wait_no_user()
    wait_for("the device to go", lambda: not server.devices(), 5)
    # The address is free again for others, and the session is over for its cookie.
    t.web().must_login().open().bye()


@marks(alone=True)
def test_main_killed(t):
    """Design 1.3: kill -9 of main loses no tunnel."""
    killed(t, "main")


@marks(alone=True)
def test_auth_killed(t):
    """Checklist 13 as we do it, design 1.3: kill -9 of auth loses no tunnel."""
    killed(t, "auth")


@marks(alone=True)
def test_zygote_killed(t):
    """Design 1.3: kill -9 of the zygote loses no tunnel."""
    killed(t, "zygote")


@marks(alone=True, seconds=90)
def test_killed_one_after_the_other(t):
    """Design 1.3: main, auth, zygote and main again: the session is still the same, and its cookie still works."""
    server = t.server()
    client = t.client(dtls=False).wait()
    before = server.user()
    for role in ("main", "auth", "zygote", "main"):
        os.kill(server.roles()[role], signal.SIGKILL)
        wait_for("a login after killing " + role, lambda: can_login(t), 5, 0.2)
        must_ping(client.netns)
    after = server.user()
    t.equal((after["ID"], after["IPv4"]), (before["ID"], before["IPv4"]), "the session")
    t.net.cut_all()
    time.sleep(1)
    t.net.mend()
    client.signal(signal.SIGUSR2)  # openconnect: reconnect now
    client.wait_for("the reconnection", lambda: client.script_calls("reconnect"), 30)
    must_ping(client.netns)
    t.equal(server.user()["IPv4"], before["IPv4"], "address after reconnecting")


def can_login(t):
    try:
        return t.web(timeout=2 * PATIENCE).login().success
    except OSError:
        return False


@marks(alone=True)
def test_tickets_survive_auth(t):
    """Design 2: a cookie given before auth was killed opens a tunnel afterwards."""
    server = t.server()
    web = t.web().must_login()
    os.kill(server.roles()["auth"], signal.SIGKILL)
    wait_for("a login", lambda: can_login(t), 5, 0.2)
    t.equal(t.web(cookies=web.cookies).connect().status, 200, "status with the older cookie")


@marks(alone=True)
def test_worker_killed(t):
    """Admin 3: SIGKILL of a worker ends that session alone, and everything of it goes."""
    server = t.server(users={"test": None, "other": None})
    first, second = t.client(dtls=False).wait(), t.client(user="other", netns=t.net.add_client(), dtls=False).wait()
    zygote = server.roles()["zygote"]
    os.kill(server.user()["ID"], signal.SIGKILL)
    must_ping(second.netns)
    # Its client reconnects by itself with the cookie.
    first.wait_for("the reconnection", lambda: first.script_calls("reconnect"), 30)
    must_ping(first.netns)
    t.equal(len(server.devices()), 2, "devices")
    wait_for("a new zygote after a worker died by a signal", lambda: server.roles().get("zygote") not in (None, zygote), 5)


def test_supervisor_killed_takes_everyone_along(t):
    """Checklist 14: nothing outlives the supervisor: no process, no device."""
    server = t.server()
    t.client().wait()
    tree = [(pid, process_name(pid)) for pid in descendants(server.process.pid)]
    t.expect(len(tree) >= 4, "the tree is too small", tree)
    server.process.kill()
    server.process.wait()
    wait_for("everyone to end", lambda: not [pid for pid, name in tree if process_name(pid) == name], 5)
    wait_for("the devices to go", lambda: not server.devices(), 5)
    # A new one starts over what the old one left behind.
    server.start()
    t.web().must_login()


def test_sigterm_leaves_nothing(t):
    """Checklist 10, 16: SIGTERM with connected clients: each is told, nothing is left, status 0, within seconds."""
    server = t.server()
    with open(server.dir + "/pid") as pid:
        t.equal(pid.read(), str(server.process.pid), "pid file")
    client = t.client().wait()
    raw = t.web().must_login().open()
    start = time.monotonic()
    server.stop()
    t.expect(time.monotonic() - start < 15 * t.slow, "too slow")
    frame = raw.receive_control(2)
    t.expect(frame and frame[0] in (5, 9), "no word of the end to the client: %r" % (frame,))
    client.wait_end(20)
    t.expect("termination request received" in server.log(), "no word in the log")


def test_sigterm_as_main_dies(t):
    """Admin 3: a stop that main was told of, but did not live to see, is not forgotten."""
    server = t.server()
    t.client(dtls=False).wait()
    main = server.roles()["main"]
    os.kill(main, signal.SIGSTOP)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    os.kill(main, signal.SIGKILL)
    t.equal(server.process.wait(40 * t.slow), 0, "status")
    wait_for("the devices to go", lambda: not server.devices(), 5)


def test_sigusr1_is_ignored(t):
    """Scripts that rotate logs send it to any daemon."""
    server = t.server()
    roles = server.roles()
    for role in ("super", "main"):
        os.kill(roles[role], signal.SIGUSR1)
    t.web().must_login()
    now = server.roles()
    t.equal([now[role] for role in ("super", "main", "auth")], [roles[role] for role in ("super", "main", "auth")],
            "processes")


def test_sigint_stops(t):
    """Admin 3: SIGINT is an orderly stop too."""
    server = t.server()
    tree = server.tree()
    server.process.send_signal(signal.SIGINT)
    t.equal(server.process.wait(40), 0, "status")
    server.check_gone(tree)


def status_of(pid):
    with open("/proc/%d/status" % pid) as status:
        return dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)


def address_space(pid):
    """(used, limit) of a process in bytes; None as limit when there is none."""
    with open("/proc/%d/limits" % pid) as limits:
        limit = [line.split()[3] for line in limits if line.startswith("Max address space")][0]
    with open("/proc/%d/statm" % pid) as statm:
        used = int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return used, None if limit == "unlimited" else int(limit)


@marks(sanitizers=False)
def test_memory_of_workers_is_limited(t):
    """Config 8.1, limit-worker-memory: a worker may grow by 64 MiB since its start, unless the option is off."""
    server = t.server()
    tunnel = t.web().must_login().open()
    used, limit = address_space(server.user()["ID"])
    t.expect(limit and used < limit < used + (65 << 20), "limit", used, limit)
    tunnel.bye()
    server.wait_no_user()
    server.write_conf(limit_worker_memory="false")
    server.occtl("reload")
    t.web().must_login().open()
    t.equal(address_space(server.user()["ID"])[1], None, "limit without the option")


@marks(sanitizers=False)
def test_worker_is_locked_in(t):
    """Design 1.2: a worker's uid, capabilities, seccomp, namespaces, descriptors and limits."""
    import pwd
    server = t.server()
    client = t.client().wait()
    pid = server.user()["ID"]
    t.equal(program(pid), "sallyport-worker", "program of the session's process")
    for process in (pid, server.roles()["zygote"]):
        status = status_of(process)
        t.equal(set(status["Uid"].split()), {str(pwd.getpwnam("nobody").pw_uid)}, "uids")
        t.expect("0" not in status["Gid"].split() and "0" not in status["Groups"].split(), "root's groups", status)
        for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            t.equal(int(status[key], 16), 0, key)
        t.equal(status["NoNewPrivs"], "1", "no_new_privs")
        for kind in ("mnt", "net", "pid", "ipc"):
            ours, theirs = (os.readlink("/proc/%s/ns/%s" % (who, kind)) for who in (server.process.pid, process))
            if kind == "pid" and process != pid:
                continue  # a process never enters a pid namespace itself, only its children do
            t.expect(ours != theirs, "%s shares the %s namespace" % (program(process), kind))
    t.equal(status_of(pid)["Seccomp"], "2", "seccomp mode")
    with open("/proc/%d/net/dev" % pid) as devices:
        names = {line.split(":")[0].strip() for line in devices if ":" in line}
    t.expect(names <= {"lo"}, "network devices in the worker's namespace", names)
    t.equal(os.listdir("/proc/%d/root" % pid), [], "files in the worker's root")
    with open("/proc/%d/limits" % pid) as limits:
        text = limits.read()
    for line in ("Max core file size        0 ", "Max processes             "):
        t.expect(line in text, "limit missing: " + line, text)
    for fd in os.listdir("/proc/%d/fd" % pid):
        target = os.readlink("/proc/%d/fd/%s" % (pid, fd))
        t.expect(not target.startswith("/") or target in ("/dev/net/tun", "/dev/null", "/dev/urandom") or "memfd" in target,
                 "the worker holds " + target)
    must_ping(client.netns)


def test_memory_of_workers_has_no_secrets_of_auth(t):
    """Design 1.2: the private key and the password file are auth's alone: no worker, zygote or main has them open."""
    server = t.server()
    t.client(dtls=False).wait()
    roles = server.roles()
    with open(t.pki.key) as key:
        block = key.read().split("-----BEGIN EC PRIVATE KEY-----")[1].split("-----END")[0]
    secret = base64.b64decode(block)[8:38]  # the middle of the private number
    for pid in [roles["main"], roles["zygote"], roles["super"]] + roles["workers"]:
        t.expect(secret not in memory(pid), "%s (%d) knows the private key" % (program(pid), pid))
    t.expect(secret in memory(roles["auth"]), "auth does not know the key: the test looks for the wrong bytes")


def memory(pid):
    """All readable memory of PID."""
    out = []
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb") as mem:
        for line in maps:
            span, rights = line.split()[:2]
            start, end = (int(x, 16) for x in span.split("-"))
            if "r" in rights and "[v" not in line and end - start < 1 << 28:
                try:
                    mem.seek(start)
                    out.append(mem.read(end - start))
                except OSError:
                    pass
    return b"".join(out)


def test_no_isolation_is_said_aloud(t):
    """Design 2: isolate-workers = false works and warns."""
    server = t.server({"isolate-workers": "false"})
    t.client(dtls=False).wait()
    t.expect("isolate-workers" in server.log(), "no warning")


def test_background(t):
    """Checklist 8: without -f the server goes to the background; the pid file names it."""
    from lib.shell import sh
    server = t.server(start=False)
    sh("ip", "netns", "exec", t.net.srv, server.tools.server, "-c", server.conf_file, timeout=20)
    pid = int(wait_for("the pid file", lambda: os.path.exists(server.dir + "/pid") and open(server.dir + "/pid").read(), 10))
    server.process = Adopted(pid)
    server.wait_ready(said=None)  # the log goes to syslog
    t.web().must_login()


class Adopted:
    """A process that is not our direct child from the start, as subprocess.Popen would show it."""

    def __init__(self, pid):
        self.pid, self.returncode = pid, None

    def poll(self):
        return self.returncode

    def send_signal(self, number):
        os.kill(self.pid, number)

    def wait(self, seconds):
        def gone():
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            return pid and [status]
        self.returncode = os.waitstatus_to_exitcode(wait_for("the server to end", gone, seconds)[0])
        return self.returncode


def test_copied_and_linked_binary(t):
    """A link to the built server, and a copy of it, find the programs of their build."""
    server = t.server(start=False)
    link = t.dir + "/linked"
    os.symlink(server.tools.server, link)
    server.tools.server, kept = link, server.tools.server
    try:
        server.start()
        t.web().must_login()
        server.stop()
        import shutil
        # What a stranger puts where the programs of a build tree would lie must not be run as root.
        os.makedirs(t.dir + "/copies")
        for program in ("auth/sallyport-auth", "worker/sallyport-worker"):
            planted = t.dir + "/" + program
            os.makedirs(os.path.dirname(planted))
            with open(planted, "w") as f:
                f.write("#!/bin/sh\ntouch %s/was-run\n" % t.dir)
            os.chmod(planted, 0o755)
            os.chown(planted, 65534, 65534)
        copy = t.dir + "/copies/copied"
        shutil.copy(kept, copy)
        server.tools.server = copy
        server.start()
        t.web().must_login()
        server.stop()
        assert not os.path.exists(t.dir + "/was-run"), "ran a stranger's program"
    finally:
        server.tools.server = kept
