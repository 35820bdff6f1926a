"""The log as JSON lines, and what an auditor can read from it."""
import json
import os
import signal

from lib.shell import wait_for
from lib.traffic import must_ping

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
    server = t.server(dict(PLAIN, **{"no-such-option": "1"}))
    found = [line["msg"] for line in lines(server, "configuration") if line["process"] == "main"]
    t.expect([msg for msg in found if "skipping unknown option 'no-such-option'" in msg], "what is found at the start", found)
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


def test_audit(t):
    """What an auditor needs: who came in how and from where, who had which address when, what it carried, who was sent
    away, and what administrators did."""
    server = t.server(dict(PLAIN, **{"cookie-timeout": 1, "select-group": ["staff"]}), users={"test": "staff"})
    t.client(dtls=False, password="wrong").wait_end()
    refusal = one(t, server, "login-failed", ip="198.18.0.2")
    t.equal((refusal["user"], refusal["msg"]), ("test", "failed authentication attempt for user 'test'"), "refusal")

    client = t.client(dtls=False, arguments=["--authgroup=staff"]).wait()
    user = server.user()
    who = dict(user="test", session=user["Session"], ip="198.18.0.2")
    came = one(t, server, "login", **who)
    t.equal((came["method"], came["group"], "Open AnyConnect" in came["agent"]), ("plain", "staff", True), "login")
    up = one(t, server, "connected", **who)
    t.equal((up["ipv4"], up["ipv6"], up["device"], up["id"], up["group"]),
            (user["IPv4"], user["IPv6"], user["Device"], user["ID"], "staff"), "what he has")
    must_ping(client.netns, count=3)
    server.occtl("disconnect", "user", "test")
    end = one(t, server, "disconnected", id=user["ID"], **who)
    t.expect(end["rx"] >= 3 * 84 and end["tx"] >= 3 * 84 and end["rx-packets"] >= 3 and end["tx-packets"] >= 3,
             "totals", end)
    t.equal((end["reason"], end["device"]), ("unspecified", user["Device"]), "end of the connection")
    over = one(t, server, "session-over", **who)
    t.equal(over["reason"], "ADMIN", "end of the session")
    free = one(t, server, "addresses-released", **who)
    t.equal((free["ipv4"], free["ipv6"]), (user["IPv4"], user["IPv6"]), "addresses that are free again")
    moments = [each["time"] for each in (came, up, end, free)]
    t.equal(moments, sorted(moments), "order")


def test_audit_of_administrators(t):
    """Each action by the control socket is one line, with the user id of who asked, and with its result."""
    server = t.server(PLAIN)
    asked = ((["disconnect", "user", "nobody"], "disconnect", "user nobody", "not found"),
             (["disconnect", "id", "1"], "disconnect", "id 1", "not found"),
             (["terminate", "user", "nobody"], "terminate", "user nobody", "not found"),
             (["terminate", "session", "abcdef"], "terminate", "session abcdef", "not found"),
             (["unban", "ip", "192.0.2.1"], "unban", "192.0.2.1", "not found"),
             (["reload"], "reload", "", "done"))
    for arguments, command, target, result in asked:
        server.occtl(*arguments, check=False)
        line = one(t, server, "admin", command=command, target=target)
        t.equal((line["result"], line["uid"]), (result, 0), " ".join(arguments))
    server.occtl("show", "users")
    t.equal(len(lines(server, "admin")), len(asked), "lines; to look is no action")
    server.occtl("stop", "now")
    one(t, server, "admin", command="stop", result="done")
