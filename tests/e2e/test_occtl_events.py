"""show events: who comes and goes; and what clients of the control socket cannot do to others (admin.md 5, 6.15)."""
import contextlib
import os
import re
import signal
import socket
import subprocess
import time

from lib.ctlschema import parse
from lib.server import quickest, timed
from lib.shell import wait_for
from lib.terminal import Reader, Terminal

PRESS = "Press 'q' or CTRL+C to quit\n"
CONNECTED = rb"default: connected user 'test' \((\d+)\) from 198\.18\.0\.2 with IP (198\.19\.0\.\d+)\n"
DISCONNECT = (rb"default: disconnect user 'test' \(%s\) from 198\.18\.0\.2 with IP %s "
              rb"\(reason: user disconnected, time:     [0-9]s\)\n")


class Listener(Reader):
    """occtl show events with its output in pipes; JSON if asked for."""

    def __init__(self, server, *options, stdout=subprocess.PIPE):
        self.process = subprocess.Popen(
            [server.tools.occtl, *options, "-s", server.conf["occtl-socket-file"], "show", "events"],
            stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.PIPE)
        if stdout == subprocess.PIPE:
            super().__init__(self.process.stdout.fileno())

    def wait(self):
        """Exit code and what stood on standard error, once it has ended."""
        status = self.process.wait(30)
        return status, self.process.stderr.read().decode()


def test_lines(t):
    """Admin 6.15: the users first, then exactly these lines; 'q' ends it with 0, so do EOF's absence and signals."""
    server = t.server()
    other = t.web().must_login().open()
    number = server.user()["ID"]
    listener = Listener(server)
    listener.until(rb"\A +id +user .*\n +%d +test .*\n%s" % (number, re.escape(PRESS.encode())))
    tunnel = t.web().must_login().open()
    match = listener.until(CONNECTED)
    tunnel.bye()
    listener.until(DISCONNECT % match.groups())
    listener.process.stdin.close()  # not a 'q': services have no standard input
    other.bye()
    listener.until(rb"disconnect user 'test' \(%d\)" % number)
    listener.process.terminate()
    t.equal(listener.wait()[0], 0, "exit code after a signal")
    listener = Listener(server)
    t.equal(listener.until(rb"\n").string, PRESS.encode(), "output without users")
    listener.process.stdin.write(b"xq")
    listener.process.stdin.flush()
    t.equal(listener.wait()[0], 0, "exit code after q")


def test_json(t):
    """Admin 6.15: an array of users at the start and one with every event, all as in show user."""
    server = t.server()
    listener = Listener(server, "-j")
    listener.until(rb"\[\n\]\n")
    tunnel = t.web().must_login().open()
    listener.until(rb'"Username"')
    number = server.user()["ID"]
    tunnel.bye()
    listener.until(rb'(?s)"ID".*\n\]\n\[\n.*"ID".*\n\]\n')
    listener.process.send_signal(signal.SIGINT)
    t.equal(listener.wait()[0], 0, "exit code")
    values = parse(t, listener.to_end(), "users", "show events")
    t.equal([[user["ID"] for user in value] for value in values], [[], [number], [number]], "events")


def test_terminal(t):
    """Admin 6.15: on a terminal one key is enough, it is not shown, and the terminal is as before afterwards."""
    server = t.server()
    command = "%s -s %s show events; stty -a" % (server.tools.occtl, server.conf["occtl-socket-file"])
    terminal = Terminal(["/bin/sh", "-c", command])
    terminal.until(rb"quit\r\n")
    os.write(terminal.fd, b"zq")
    text = terminal.to_end()
    t.expect("zq" not in text and re.search(r"[^-]icanon .*[^-]echo ", text, re.S), "the terminal is left in disorder", text)
    terminal.wait()


def test_second_listener(t):
    """Admin 5, 6.15: starting a second listener silences the first; the server says so."""
    server = t.server()
    first = Listener(server)
    first.until(re.escape(PRESS.encode()))
    second = Listener(server)
    second.until(re.escape(PRESS.encode()))
    t.web().must_login().open().bye()
    second.until(rb"(?s)connected user 'test'.*disconnect user 'test'")
    t.equal(first.process.poll(), None, "the first one's end")
    first.process.stdin.write(b"q")
    first.process.stdin.flush()
    status, words = first.wait()
    t.equal((status, first.to_end()), (0, PRESS), "the first one's exit code and output")
    t.expect("another 'show events' was started" in words, "what the first one was told", words)
    second.process.terminate()
    second.wait()


def test_server_ends(t):
    """Admin 6.15: a listener ends with the server, or with main, which another one hears again; and with its reader."""
    server = t.server()
    listener = Listener(server)
    listener.until(re.escape(PRESS.encode()))
    os.kill(server.roles()["main"], signal.SIGKILL)
    status, words = listener.wait()
    t.equal(status, 1, "exit code when main was killed")
    t.expect("server is offline" in words, "words", words)
    wait_for("main to be back", lambda: server.occtl("show", "status", check=False).returncode == 0, 5)
    listener = Listener(server)
    listener.until(re.escape(PRESS.encode()))
    t.web().must_login().open().bye()
    listener.until(rb"(?s)connected user 'test'.*disconnect user 'test'")
    listener.process.stdout.close()
    t.equal(listener.wait()[0], 0, "exit code when nobody reads")
    listener = Listener(server)
    listener.until(re.escape(PRESS.encode()))
    server.stop()
    t.equal(listener.wait()[0], 1, "exit code when the server ended")


def test_frozen_listener(t):
    """Admin 5: a listener that does not read holds up neither main nor other occtl."""
    server = t.server()
    listener = Listener(server)
    listener.until(re.escape(PRESS.encode()))
    listener.process.send_signal(signal.SIGSTOP)
    for _ in range(20):
        t.web().must_login().open().bye()
    spent = quickest(lambda: server.occtl_json("show", "status"))
    t.expect(spent < 1 * t.slow, "an answer took %.1f s" % spent)
    t.equal(server.occtl_json("show", "status")["Status"], "online", "status")
    listener.process.kill()
    listener.process.wait()


@contextlib.contextmanager
def control(server, count=1):
    """COUNT connections to the control socket that say nothing yet."""
    sockets = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(count)]
    try:
        for one in sockets:
            one.connect(server.conf["occtl-socket-file"])
        yield sockets
    finally:
        for one in sockets:
            one.close()


def test_bad_clients(t):
    """Checklist 180: a control client that sends garbage, half a message, too much or nothing is its own problem only."""
    server = t.server()
    listener = Listener(server)
    listener.until(re.escape(PRESS.encode()))
    main = server.roles()["main"]
    with control(server, 100) as silent:
        for data in (b"\xff" * 100, b"\x0a\x50half", b"\x00" * 65536, b"\x12\x04\x0a\x02\xff\xfe", b"\x0a\x00\x12\x00", b"\x3a\x00"):
            with control(server) as one:
                one[0].settimeout(20)
                one[0].send(data)
                with contextlib.suppress(ConnectionError):
                    one[0].recv(65536)  # an answer or the end
        spent = quickest(lambda: server.occtl("show", "status"))
        t.expect(spent < 1 * t.slow, "an answer took %.1f s" % spent)
        t.web().must_login().open().bye()
        listener.until(rb"(?s)connected user 'test'.*disconnect user 'test'")
        silent[0].settimeout(20)
        t.equal(silent[0].recv(1), b"", "the oldest silent client")
    t.equal(server.roles()["main"], main, "main's process")
    listener.process.terminate()
    listener.wait()


def test_killed_auth(t):
    """Admin 6.11: an answer that dies with auth is a failure at once; the next one is right."""
    server = t.server()
    t.web().must_login()
    auth = server.roles()["auth"]
    os.kill(auth, signal.SIGSTOP)
    asking = [subprocess.Popen([server.tools.occtl, "-s", server.conf["occtl-socket-file"], *command], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
              for command in (("show", "sessions", "all"), ("terminate", "session", "zzzzzz"))]
    time.sleep(0.5)
    t.equal(server.occtl_json("show", "status")["Status"], "online", "status while auth hangs")
    os.kill(auth, signal.SIGKILL)
    spent, answers = timed(lambda: [run.communicate(timeout=60) for run in asking])
    t.expect(spent < 10 * t.slow, "occtl waited %.1f s" % spent)
    for run, (out, words) in zip(asking, answers):
        t.equal((run.returncode, out), (1, ""), "exit code and output")
        t.expect("the server cannot answer now" in words, "words", words)
    wait_for("auth to be back", lambda: server.occtl("show", "sessions", "all", check=False).stdout.count("test") == 1, 5)


def test_statistics(t):
    """Checklist 168, admin 12: what ends how is counted, and what --debug counts (test_statistics has the periods)."""
    server = t.server({"session-timeout": 3 * t.slow})
    web = t.web()
    web.init()
    for password in ("", "wrong", "wrong", "wrong"):
        web.reply([("username", "test")] + ([("password", password)] if password else []))
    t.web().must_login().open(mtu=1400).bye()
    server.wait_no_user()
    tunnel = t.web().must_login().open()
    zygote = server.roles()["zygote"]
    os.kill(server.user()["ID"], signal.SIGKILL)
    wait_for("another zygote, as after every crash", lambda: server.roles().get("zygote", zygote) != zygote, 5)
    tunnel.web.close()
    t.web().must_login().open()
    status = wait_for("the session timeout to be counted",
                      lambda: (lambda s: s["Total sessions"] == 3 and s)(server.occtl_json("--debug", "show", "status")), 10 * t.slow)
    wanted = {"Sessions handled": 3, "Timed out sessions": 1, "Timed out (idle) sessions": 0, "Closed due to error sessions": 1,
              "Authentication failures": 1, "Total authentication failures": 1}
    for key, value in wanted.items():
        t.equal(status[key], value, key)
    t.equal(status["Sec-mod client entries"], len(server.occtl_json("show", "sessions", "all")), "sessions that auth remembers")
    t.expect(status["Min MTU"] < status["Max MTU"], "extremes of the MTU", status)
    t.expect(status["raw_rx"] % 1000 == 0 and status["raw_max_session_time"] % 60 == 0, "units", status)
