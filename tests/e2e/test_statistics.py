"""Statistics of the server by periods (admin.md 4.5, 6.8, 12; config.md 8.2: server-stats-reset-time)."""
import os
import re
import signal
import time

from lib.shell import wait_for
from lib.traffic import must_ping

PERIOD = 12
LINES = ["Start statistics block", r"Total sessions handled: (\d+)", r"Sessions handled: (\d+)",
         r"Maximum session time: (\d+) min", r"Average session time: (\d+) min",
         r"Closed due to timeout sessions: (\d+)", r"Closed due to timeout \(idle\) sessions: (\d+)",
         r"Closed due to error sessions: (\d+)", r"Total authentication failures: (\d+)",
         r"Authentication failures: (\d+)", r"Maximum authentication time: (\d+) sec",
         r"Average authentication time: (\d+) sec", r"Data in: (\d+)", r"Data out: (\d+)", r"Minimum MTU: (\d+)",
         r"Maximum MTU: (\d+)", "End of statistics block; resetting non-total stats"]
ZERO = ["Sessions handled", "Timed out sessions", "Timed out (idle) sessions", "Closed due to error sessions",
        "Authentication failures", "raw_rx", "raw_tx"]


def block(text):
    """The numbers of the statistics block in the log TEXT, in its order; None when there is none."""
    match = re.search(r'[^\n]*\n[^\n]*msg="'.join(LINES), text)
    return match and [int(n) for n in match.groups()]


def one_session(t, server):
    """A tunnel with pings through it, closed by its user; gives its data MTU."""
    before = server.occtl_json("show", "status")["Total sessions"]
    client = t.client(dtls=False).wait()
    must_ping(t.net.cli, count=5, size=1000)
    mtu = int(server.user()["MTU"])
    client.stop()
    wait_for("the session to be counted",
             lambda: server.occtl_json("show", "status")["Total sessions"] == before + 1 or
             server.occtl_json("show", "status")["Sessions handled"] == 0)
    return mtu


def test_a_period_ends(t):
    """admin.md 12: the first session closed after server-stats-reset-time ends the period: its numbers are logged and begin
    at zero, totals and the extremes of the MTU stay.  A main that was started again goes on with the same period."""
    begin = time.time()
    server = t.server({"server-stats-reset-time": PERIOD})
    web = t.web()
    web.login(password="wrong")
    while web.reply([("password", "wrong")]).status == 200:
        pass  # the last try ends the login
    mtu = one_session(t, server)
    main = server.roles()["main"]
    os.kill(main, signal.SIGKILL)
    wait_for("another main", lambda: server.roles().get("main") not in (None, main))
    wait_for("occtl to answer", lambda: server.occtl("show", "status", check=False).returncode == 0)
    first = server.occtl_json("show", "status")
    t.expect(time.time() - begin < PERIOD, "the machine is too slow for this test's period")
    t.equal([first[k] for k in ("Total sessions", "Sessions handled", "Total authentication failures",
                                "Authentication failures")], [1, 1, 1, 1], "within the period")
    t.equal(block(server.log()), None, "block within the period")
    time.sleep(max(0, begin + PERIOD + 1 - time.time()))
    t.equal(server.occtl_json("show", "status")["Sessions handled"], 1, "sessions as long as none closes")
    one_session(t, server)
    server.wait_log("End of statistics block")
    numbers = block(server.log())
    t.expect(numbers, "the whole block, in order", server.log())
    t.equal((numbers[:2], numbers[4:9], numbers[13:]), ([2, 2], [0, 0, 0, 1, 1], [mtu, mtu]), "the block")
    t.expect(all(10_000 < data < 20_000 for data in numbers[11:13]), "data of two sessions", numbers)
    after = server.occtl_json("show", "status")
    t.equal([after[k] for k in ZERO], [0] * len(ZERO), "a new period")
    t.equal([after[k] for k in ("Total sessions", "Total authentication failures", "Min MTU", "Max MTU")],
            [2, 1, mtu, mtu], "what stays")
    t.expect(after["raw_last_stats_reset"] >= begin + PERIOD - 1 > first["raw_last_stats_reset"], "time of the reset", after)
