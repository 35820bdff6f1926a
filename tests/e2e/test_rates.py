"""Limits of bandwidth: rx-data-per-sec and tx-data-per-sec (checklist 132)."""
import time

from lib.datapath import device_counters
from lib.net import SERVER4
from lib.traffic import Transfer, ping

DOWN, UP = 1_500_000, 700_000


class Full:
    """A client with one direction full."""

    def __init__(self, t, server, user, netns, host, down, dtls):
        self.t, self.netns, self.down, self.limit = t, netns, down, DOWN if down else UP
        self.client = t.client(user=user, dtls=dtls, netns=netns, host=host).wait()
        row = server.user(user)
        t.expect("700.0" in row["Limit RX"] and "1.5" in row["Limit TX"], "limits in occtl", row)
        self.job = Transfer(netns, t.net.lan, size=60_000_000, down=down, seconds=40)
        self.job.start()

    def passed(self):
        """Bytes of packets that the client's device has seen."""
        return device_counters(self.netns, self.client.tun)[0 if self.down else 1][1]

    def begin(self):
        self.first, self.since = self.passed(), time.monotonic()
        self.again = self.job.retransmitted()

    def check(self):
        rate = (self.passed() - self.first) / (time.monotonic() - self.since)
        lost, sent = (b - a for a, b in zip(self.again, self.job.retransmitted()))
        self.t.notes.append("down %s: %d bytes/s, %d of %d segments sent again" % (self.down, rate, lost, sent))
        self.t.expect(0.95 * self.limit <= rate <= 1.05 * self.limit, "%d bytes/s, the limit is %d" % (rate, self.limit))
        self.t.expect(lost <= 0.02 * sent, "%d of %d segments sent again" % (lost, sent))
        self.t.expect(ping(self.netns, count=5, wait=5) >= 4, "pings beside the transfer")
        self.job.peer.close()


def measure(t, dtls):
    """One client receives and one sends for ten seconds: each within 5 % of its limit, hardly a segment sent twice, and
    the session still answers.  (Two clients, because acknowledgements wait behind a full direction of their own.)"""
    server = t.server({"rx-data-per-sec": UP, "tx-data-per-sec": DOWN}, users={"one": None, "two": None})
    full = [Full(t, server, "one", t.net.cli, SERVER4, True, dtls),
            Full(t, server, "two", t.net.add_client(), "198.18.11.1", False, dtls)]
    time.sleep(2)  # beyond what the sockets hold
    for one in full:
        one.begin()
    time.sleep(10)
    for one in full:
        one.check()


def test_limits_over_dtls(t):
    """Checklist 132: packets to a client and packets from one, over DTLS."""
    measure(t, True)


def test_limits_over_tls(t):
    """Checklist 132: the same over TLS."""
    measure(t, False)


def test_limits_of_one_user(t):
    """Checklist 132: a per-user file sets a limit."""
    server = t.server(start=False, users={"slow": None})
    server.write_file("users/slow", "tx-data-per-sec = 200000\n")
    server.write_conf(config_per_user=server.dir + "/users")
    server.start()
    t.client(user="slow").wait()
    t.equal(server.user("slow")["Limit TX"], "200.0 kB/s", "limit of the slow user")
    slow = Transfer(t.net.cli, t.net.lan, size=600_000, down=True)
    slow.start()
    t.expect(slow.finish().duration > 2, "600 kB at 200 kB/s took %.1f s" % slow.duration)
