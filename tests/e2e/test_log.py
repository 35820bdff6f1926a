"""The log as JSON lines, and what an auditor can read from it."""
import json
import os
import signal

from lib.shell import wait_for

PLAIN = {"log-format": "json"}


def lines(server, event=None):
    """The objects logged so far; what is printed before the log is open has no braces."""
    said = [line for line in server.log().splitlines() if not line.startswith(("note: ", "warning: ", "listening "))]
    objects = []
    for line in said:
        try:
            objects.append(json.loads(line))
        except ValueError:
            raise AssertionError("no JSON: " + line)
    return [each for each in objects if event in (None, each["event"])]


def one(t, server, event, **having):
    def found():
        return [each for each in lines(server, event) if all(each.get(key) == value for key, value in having.items())]
    return wait_for("the event %s %s" % (event, having), found, 10 * t.slow)[-1]


def test_json_lines(t):
    """Config 8.2 log-format: every process, the runners too, writes one object a line; workers cannot say who they are."""
    server = t.server(PLAIN)
    ready = one(t, server, "ready", process="main", level="info", msg="initialized OpenConnect VPN Server 0.1.0")
    t.equal(ready["pid"], server.roles()["main"], "pid of main")
    client = t.client().wait()
    user = server.user()
    up = one(t, server, "dtls-up", process="worker", pid=user["ID"])
    t.equal((up["user"], up["session"], up["ip"]), ("test", user["Session"], "198.18.0.2"), "whose line it is")
    t.expect("T" in up["time"] and up["time"].endswith("Z"), "time", up)
    client.stop()
    one(t, server, "disconnected", user="test", session=user["Session"])
    t.equal({each["process"] for each in lines(server)} - {"super", "main", "auth", "worker", "auth-runner"}, set(),
            "processes")


def test_json_after_a_crash(t):
    """A main that is started again goes on in the same form."""
    server = t.server(PLAIN)
    before = server.roles()["main"]
    os.kill(before, signal.SIGKILL)
    wait_for("another main", lambda: server.roles().get("main") not in (None, before), 10 * t.slow)
    one(t, server, "crashed", process="super", about_process="main", about_pid=before)
    one(t, server, "taken-over", process="main", pid=server.roles()["main"])
