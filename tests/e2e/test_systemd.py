"""Under a service manager: readiness, reload, watchdog, the end, as the manager's socket hears of them."""
import os
import signal
import time

from lib.harness import marks
from lib.manager import Manager
from lib.shell import wait_for
from lib.traffic import Pinger


def managed(t, conf=None, watchdog=None):
    """A server under a manager; both, and when it was started."""
    manager = Manager(t, watchdog)
    server = t.server(conf, start=False)
    server.environment = manager.environment()
    began = time.monotonic()
    server.start()
    return server, manager, began


def environment_of(pid):
    with open("/proc/%d/environ" % pid, "rb") as environ:
        return environ.read().decode(errors="replace").split("\0")


def test_ready_when_a_login_can_succeed(t):
    """READY=1 is not said before somebody can log in; MAINPID is the supervisor."""
    manager = Manager(t)
    server = t.server(start=False)
    server.environment = manager.environment()
    server.start(wait=False)
    said = manager.wait("READY", 20)[1]
    t.web().must_login().open()
    t.equal((said["READY"], said["MAINPID"]), ("1", str(server.process.pid)), "first words")
    t.equal(len(manager.since(0, "READY")), 1, "times READY was said")
    t.equal(manager.since(0, "WATCHDOG"), [], "watchdog without one")
    roles = server.roles()
    for role in ("main", "auth", "zygote"):
        words = [line for line in environment_of(roles[role]) if line.startswith(("NOTIFY", "WATCHDOG"))]
        t.equal(words, [], "environment of " + role)


def test_no_ready_without_keys(t):
    """A start that fails says nothing but STOPPING."""
    manager = Manager(t)
    server = t.server({"server-key": "/no/such/key"}, start=False)
    server.environment = manager.environment()
    server.start(wait=False)
    t.equal(server.process.wait(20 * t.slow), 1, "status")
    t.equal(manager.since(0, "READY"), [], "READY of a server that did not start")


def test_reload_notice(t):
    """RELOADING=1 with a time after the signal, then READY=1 when new logins get the new file."""
    server, manager, _ = managed(t, {"banner": "old"})
    for banner, bad in (("new", ""), ("newer", "route = nonsense\n")):
        server.write_conf(banner=banner)
        with open(server.conf_file, "a") as conf:
            conf.write(bad)
        start = time.monotonic()
        server.reload()
        said = manager.wait("RELOADING", start=start)[1]
        t.equal(said["RELOADING"], "1", "word")
        t.expect(start <= int(said["MONOTONIC_USEC"]) / 1e6 <= time.monotonic(), "time of the reload", said, start)
        manager.wait("READY", 20, start)
        t.equal(t.web().must_login().connect().header("X-CSTP-Banner"), "new", "banner after READY")
    start = time.monotonic()
    server.write_conf(banner="by occtl")
    server.occtl("reload")
    began = manager.wait("RELOADING", start=start)[0]
    t.expect(manager.wait("READY", start=start)[0] >= began, "READY before RELOADING")


def test_reload_while_main_is_away(t):
    """A SIGHUP that comes while main is being started again is not lost."""
    server, manager, _ = managed(t, {"banner": "old"})
    server.write_conf(banner="new")
    start = time.monotonic()
    main = server.roles()["main"]
    os.kill(main, signal.SIGKILL)
    # There may be another one already when we look.
    wait_for("main to be gone", lambda: server.roles().get("main") != main, 5, 0.001)
    server.reload()
    manager.wait("RELOADING", 10, start)
    wait_for("the new banner", lambda: t.web().must_login().connect().header("X-CSTP-Banner") == "new", 10)
    main = server.replaced("main", main)

    # The supervisor has not noticed yet that main is gone: both signals are there when it goes on.
    server.write_conf(banner="newer")
    os.kill(server.process.pid, signal.SIGSTOP)
    os.kill(main, signal.SIGKILL)
    server.reload()
    os.kill(server.process.pid, signal.SIGCONT)
    wait_for("the newer banner", lambda: t.web().must_login().connect().header("X-CSTP-Banner") == "newer", 10)


def test_main_killed_in_a_reload(t):
    """A reload that main does not survive is over for the service manager when main is back."""
    server, manager, _ = managed(t)
    roles = server.roles()
    os.kill(roles["auth"], signal.SIGSTOP)  # so that it takes long enough
    start = time.monotonic()
    server.reload()
    manager.wait("RELOADING", start=start)
    os.kill(roles["main"], signal.SIGKILL)
    os.kill(roles["auth"], signal.SIGCONT)
    manager.wait("READY", 10, start)
    t.web().must_login()


def test_stopping(t):
    """STOPPING=1 at once, with the time the drain may take."""
    server, manager, _ = managed(t, {"server-drain-ms": 2000})
    for command in (lambda: server.process.send_signal(signal.SIGTERM), lambda: server.occtl("stop", "now")):
        if server.process.poll() is not None:
            server.start()
        start = time.monotonic()
        command()
        said = manager.wait("STOPPING", 2, start)[1]
        t.expect(int(said["EXTEND_TIMEOUT_USEC"]) > 2000000 + 5000000, "patience", said)
        t.equal(server.process.wait(15 * t.slow), 0, "status")
        t.expect(time.monotonic() - start > 1.8, "the drain was cut short")
        t.equal(len(manager.since(start, "STOPPING")), 1, "times STOPPING was said")


def test_status(t):
    """Systemctl status shows how many sessions there are."""
    server, manager, _ = managed(t, watchdog=2)
    manager.wait("WATCHDOG")
    t.expect("STATUS" in dict(manager.since(0, "STATUS")[0][1]), "no status at the start")
    t.web().must_login().open()
    wait_for("the session in the status", lambda: any(
        "1 session, 1 connection" in lines["STATUS"] for _, lines in manager.since(0, "STATUS")), 5 * t.slow)


@marks(sanitizers=False, seconds=90)
def test_watchdog(t):
    """WATCHDOG=1 comes at least every half of the time, and none while auth, main or the zygote
    hangs; who hangs is replaced before the manager would end everything, and tunnels do not notice."""
    server, manager, _ = managed(t, watchdog=8)
    client = t.client(dtls=False).wait()
    pinger = Pinger(client.netns, directory=t.dir)
    start = time.monotonic()
    time.sleep(6)
    times = [when for when, _ in manager.since(start, "WATCHDOG")]
    t.expect(max(b - a for a, b in zip([start] + times, times + [time.monotonic()])) < 4.4, "pauses", times)
    for role in ("auth", "main", "zygote"):
        pid = server.roles()[role]
        manager.wait("WATCHDOG", start=time.monotonic())
        os.kill(pid, signal.SIGSTOP)
        start = time.monotonic()
        manager.expect_silence("WATCHDOG", 2, start)
        alive = manager.wait("WATCHDOG", start=start)[0]
        t.expect(alive - start < 8, "the manager would have ended the service: %.1f s without %s" % (alive - start, role))
        t.expect(server.roles()[role] != pid, role + " is the same")
    server.wait_log("hangs")
    t.web().must_login().open().bye()
    _, lost, run = pinger.stop()
    t.expect(run <= 5, "pings lost: %d, %d in a row" % (lost, run))
    client.stop()
