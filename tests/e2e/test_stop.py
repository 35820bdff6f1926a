"""The end: drain, what clients and scripts are told, one session alone, a server that is full."""
import os
import re
import signal
import time

from lib.harness import marks
from lib.shell import descendants, process_name, wait_for
from lib.traffic import Pinger, must_ping


def scripted(t, server):
    """The file in which the server's scripts write what they were called for."""
    out = server.dir + "/calls"
    path = server.write_file("script", "#!/bin/sh\necho \"$REASON $USERNAME ${STATS_DURATION:+ended}\" >> %s\n" % out, 0o755)
    server.write_conf(connect_script=path, disconnect_script=path)
    return out


def told(client):
    """What openconnect says its server told it at the end."""
    return client.wait_log(r"Received server (disconnect|terminate).*", 15).group(0)


def is_refused(t):
    try:
        t.web(timeout=3)
    except ConnectionRefusedError:
        return True
    except OSError as error:
        t.expect(False, "not refused but %r" % error)
    return False


@marks(seconds=120)
def test_everybody_is_told(t):
    """Checklist 16, 178, admin 3, protocol 5.8 and 78: SIGTERM, SIGINT and occtl stop send type 5 with the reason,
    openconnect says so and does not come back; scripts run; status 0."""
    server = t.server(start=False)
    out = scripted(t, server)
    ways = (lambda: server.process.send_signal(signal.SIGTERM), lambda: server.process.send_signal(signal.SIGINT),
            lambda: t.equal(server.occtl("stop", "now").stdout, "Server scheduled to stop\n", "words of occtl"))
    for way in ways:
        server.start()
        client = t.client(dtls=False).wait()
        raw = t.web().must_login().open()
        start, began = time.monotonic(), len(server.log())
        way()
        t.equal(server.process.wait(40 * t.slow), 0, "status")
        # Those who do not end are killed after five seconds, which the log would tell.
        t.expect(time.monotonic() - start < 15 * t.slow, "it took %.1f s" % (time.monotonic() - start))
        t.expect("forcing termination" not in server.log()[began:], "somebody had to be killed")
        kind, payload = raw.receive_control()
        t.equal((kind, payload[1:]), (raw.DISCONNECT, b"the server ends the session"), "frame")
        t.expect("the server ends the session" in told(client), "openconnect's word", told(client))
        t.expect(client.wait_end(15) != 0, "openconnect's status")
        t.equal(client.script_calls("reconnect"), [], "reconnections")
        with open(out) as calls:
            t.equal(sorted(calls.read().splitlines()), ["connect test "] * 2 + ["disconnect test ended"] * 2, "scripts")
        os.unlink(out)
        log = server.log()[began:]
        t.equal(log.count('msg="termination request received; waiting for sessions to terminate"'), 1, "line in the log")
        t.equal(len(re.findall(r"user disconnected \(reason: server disconnected, rx: \d+, tx: \d+\)", log)), 2, "reasons")
        t.expect(not os.path.exists(server.conf["occtl-socket-file"]), "the control socket stays")


@marks(seconds=60)
def test_drain_with_a_real_client(t):
    """Checklist 15, admin 3: while draining TCP is refused and no control socket is there, DTLS sessions go on;
    then the client is told and does not come back."""
    server = t.server({"server-drain-ms": 4000})
    client = t.client().wait()
    pinger = Pinger(client.netns, directory=t.dir)
    start = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    wait_for("connections to be refused", lambda: is_refused(t), 1)
    t.expect(not os.path.exists(server.conf["occtl-socket-file"]), "the control socket stays")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        server.process.send_signal(number)
    time.sleep(1)
    got, lost, _ = pinger.stop()
    t.expect(got > 3 and lost <= 1, "pings while draining: %d, lost %d" % (got, lost))
    t.equal(server.process.wait(40 * t.slow), 0, "status")
    t.expect(3.9 < time.monotonic() - start < 15 * t.slow, "the end came after %.1f s" % (time.monotonic() - start))
    t.expect("the server ends the session" in told(client), "openconnect's word")
    client.wait_end(15)
    for text in ("stopping new connections", "waiting 4000 ms"):
        t.equal(server.log().count('msg="termination request received; %s"' % text), 1, text)
    t.expect("reloading configuration" not in server.log(), "a reload while draining")


@marks(seconds=60, sanitizers=False)
def test_drain_when_everybody_is_signalled(t):
    """Admin 3: a service manager that sends SIGTERM to every process of the service does not cut the drain short."""
    server = t.server({"server-drain-ms": 3000})
    tunnel = t.web().must_login().open()
    start = time.monotonic()
    for pid in [server.process.pid] + descendants(server.process.pid):
        os.kill(pid, signal.SIGTERM)
    time.sleep(1.5)
    tunnel.send(tunnel.DPD_OUT, b"still here")
    t.equal(tunnel.receive_control(), (tunnel.DPD_RESP, b"still here"), "the tunnel while draining")
    t.equal(server.process.wait(40), 0, "status")
    t.expect(time.monotonic() - start > 2.9, "the drain was cut short")


@marks(seconds=60)
def test_sessions_that_do_not_end(t):
    """Admin 3: who has not ended after five seconds is killed, and the log says how many that were."""
    server = t.server()
    t.web().must_login().open()
    os.kill(server.user()["ID"], signal.SIGSTOP)
    start = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    t.equal(server.process.wait(40 * t.slow), 0, "status")
    t.expect(4.9 < time.monotonic() - start < 15 * t.slow, "the end came after %.1f s" % (time.monotonic() - start))
    t.equal(server.log().count('msg="not all sessions were terminated (1 remain); forcing termination"'), 1, "line in the log")


def test_one_session_by_its_process(t):
    """Admin 3: SIGTERM to a session's process ends that session with a server disconnect, and no other."""
    server = t.server(users={"test": None, "other": None})
    client = t.client(dtls=False).wait()
    other = t.web().must_login("other").open()
    zygote = server.roles()["zygote"]
    os.kill(server.user()["ID"], signal.SIGTERM)
    t.expect("the server ends the session" in told(client), "openconnect's word")
    client.wait_end(15)
    t.equal(client.script_calls("reconnect"), [], "reconnections")
    server.wait_no_user()
    server.wait_log(r"user=\"test\".*user disconnected \(reason: server disconnected")
    other.send(other.DPD_OUT, b"still here")
    t.equal(other.receive_control(), (other.DPD_RESP, b"still here"), "the other session")
    t.equal(server.roles()["zygote"], zygote, "the zygote")


def test_a_login_by_its_process(t):
    """Admin 3: SIGTERM ends a connection that is still logging in, too."""
    server = t.server()
    web = t.web()
    pid = wait_for("the worker", lambda: server.roles()["workers"])[0]
    os.kill(pid, signal.SIGTERM)
    web.socket.settimeout(20)
    try:
        t.equal(web.socket.recv(1), b"", "the connection")
    except OSError:
        pass
    wait_for("the process to end", lambda: not process_name(pid), 5)
    t.web().must_login()


def test_full(t):
    """Config 8.1: beyond max-clients a connection is accepted and dropped at once, one line a
    second says so; a place that becomes free is taken."""
    server = t.server({"max-clients": 2})
    first, second = t.web().must_login().open(), t.web().must_login().open()
    start = time.monotonic()
    for _ in range(20):
        refused = t.net.socket(t.net.cli)
        refused.connect(("198.18.0.1", 443))
        refused.settimeout(20)
        t.equal(refused.recv(1), b"", "a connection to a full server")
        refused.close()
    lines = server.log().count('msg="reached maximum client limit (active: 2)"')
    t.expect(1 <= lines <= time.monotonic() - start + 2, "%d lines for 20 connections" % lines)
    first.bye()
    wait_for("the first to be gone", lambda: len(server.users()) == 1, 5)
    third = t.web().must_login().open()
    for tunnel in (second, third):
        tunnel.send(tunnel.DPD_OUT, b"x")
        t.equal(tunnel.receive_control(), (tunnel.DPD_RESP, b"x"), "a session of a full server")
