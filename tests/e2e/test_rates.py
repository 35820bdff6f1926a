"""Limits of bandwidth: rx-data-per-sec and tx-data-per-sec (checklist 132)."""
import json
import time

from lib.shell import sh
from lib.traffic import Transfer, ping

DOWN, UP = 1_500_000, 700_000


def inner_bytes(t, device):
    """(from the client, to the client) through the TUN device so far."""
    out = sh("ip", "-n", t.net.srv, "-j", "-s", "link", "show", "dev", device).stdout
    stats = json.loads(out)[0]["stats64"]
    return stats["rx"]["bytes"], stats["tx"]["bytes"]


def measure(t, dtls, down):
    """One direction full for ten seconds: within 5 % of its limit, and the session still answers."""
    server = t.server({"rx-data-per-sec": UP, "tx-data-per-sec": DOWN})
    t.client(dtls=dtls).wait()
    user, limit = server.user(), DOWN if down else UP
    t.expect("700.0" in user["Limit RX"] and "1.5" in user["Limit TX"], "limits in occtl", user)
    job = Transfer(t.net.cli, t.net.lan, size=60_000_000, down=down, seconds=40)
    job.start()
    time.sleep(2)
    first, begin = inner_bytes(t, user["Device"])[down], time.monotonic()
    time.sleep(10)
    rate = (inner_bytes(t, user["Device"])[down] - first) / (time.monotonic() - begin)
    t.expect(0.95 * limit <= rate <= 1.05 * limit, "%d bytes/s, the limit is %d" % (rate, limit))
    t.expect(ping(t.net.cli, count=5, wait=5) >= 4, "pings beside the transfer")
    job.peer.close()


def test_limit_to_the_client_over_dtls(t):
    """Checklist 132: packets to the client, over DTLS."""
    measure(t, True, True)


def test_limit_from_the_client_over_dtls(t):
    """Checklist 132: packets from the client, over DTLS."""
    measure(t, True, False)


def test_limit_to_the_client_over_tls(t):
    """Checklist 132: packets to the client, over TLS."""
    measure(t, False, True)


def test_limit_from_the_client_over_tls(t):
    """Checklist 132: packets from the client, over TLS."""
    measure(t, False, False)


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
