"""The data path with each of its features switched off, and with none: everything arrives, unharmed and in order."""
import random
import re
import time

from lib.datapath import FEATURES, datagrams, device_counters, end_counters, only_own, quiet, without
from lib.harness import marks
from lib.net import LAN4, LAN6, SERVER4
from lib.shell import wait_for
from lib.traffic import Transfer, must_ping
from lib.wire import FOREIGN4, FOREIGN6, Wire, mixed

SIZE = 3_000_000


def flows(t, clients):
    """Transfers of both directions and families on all CLIENTS at the same time."""
    jobs = [Transfer(client.netns, t.net.lan, address, size=SIZE // t.slow, down=down)
            for client in clients for address in (LAN4, LAN6) for down in (True, False)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.finish()


def by_hand(t, client):
    """Packets of all corners, also merged by the kernel before they come to the tunnel."""
    wire, six, room = Wire(t, client), client.ip6.split("/")[0], 1200
    t.net.run(t.net.srv, "ethtool", "-K", "tolan", "gro", "off")
    t.notes.append("packets of " + client.ip4)
    wire.up(mixed(client.ip4, FOREIGN4, six, FOREIGN6, room))
    # Datagrams of the client may come many at a time, too.
    t.net.run(t.net.srv, "ethtool", "-K", "tocli", "gro", "on")
    wire.up(mixed(client.ip4, FOREIGN4, six, FOREIGN6, room))
    t.notes.append("down")
    wire.down(mixed(FOREIGN4, client.ip4, FOREIGN6, six, room))
    t.notes.append("down, merged")
    t.net.run(t.net.srv, "ethtool", "-K", "tolan", "gro", "on", "rx-udp-gro-forwarding", "on")
    wire.down(mixed(FOREIGN4, client.ip4, FOREIGN6, six, room))


class Counted:
    """What the server says passed is what the client's own device has seen, packet by packet and byte by byte."""

    def __init__(self, server, client, user):
        self.server, self.client, self.user = server, client, user
        self.before, self.row = quiet(client), server.user(user)

    def since(self, row):
        return tuple(int(row[name]) - int(self.row[name]) for name in ("TX", "RX"))

    def check(self):
        """By occtl; nothing may have been lost on the way since."""
        seen = tuple(now[1] - before[1] for now, before in zip(quiet(self.client), self.before))
        wait_for("occtl to have counted %s bytes to and from %s since %s" % (seen, self.user, self.row),
                 lambda: self.since(self.server.user(self.user)) == seen, 5, 0.2)


def in_use(t, server, udp, tcp, off):
    """What is not switched off is used, and nothing else: a device counts what is handed over in one piece as one packet."""
    to, of = quiet(tcp)
    device_of, device_to = device_counters(t.net.srv, server.user("tcp")["Device"])
    t.equal(device_to[0] < 0.9 * to[0], "tun-offload" not in off, "large packets from the TUN: %d of %d" % (device_to[0], to[0]))
    t.equal(device_of[0] < 0.9 * of[0], not {"tun-offload", "batch"} & set(off),
            "large packets to the TUN: %d of %d" % (device_of[0], of[0]))
    datagrams, packets = device_counters(t.net.srv, "tocli")[1][0], quiet(udp)[0][0]
    t.equal(datagrams < 0.9 * packets, not {"udp-gso", "batch"} & set(off), "sends for datagrams: %d of %d" % (datagrams, packets))
    records = re.findall(r'(?:dtls-open|tls-tunnel).*records="(\w+)"', server.log())
    t.equal(set(records), {"gnutls" if "sealing" in off else "own"}, "who seals")


def ended(t, server, client, user, exact):
    """By the log at the end: without losses (TLS) the client's numbers, else no less than reached their end."""
    there = quiet(client)
    client.stop()
    says = end_counters(server, user)
    if exact:
        t.equal(says, there, "packets and bytes to and from " + user)
    t.expect(says[0] >= there[0] and says[1] <= there[1], "packets and bytes to and from " + user, says, there)


def paths(t, *off):
    seed = random.randrange(1 << 32)
    random.seed(seed)
    t.notes.append("packets by hand: seed %d" % seed)
    server = t.server(without(*off), users={"udp": None, "tcp": None})
    other = t.net.add_client()
    for name in (t.net.cli, other, t.net.lan):
        t.net.sysctl(name, "net/ipv4/tcp_ecn", 1)
    only_own(t, t.net.cli, other)
    udp, tcp = t.client(user="udp", host=SERVER4), t.client(user="tcp", host="fd00:18:1::1", netns=other, dtls=False)
    clients = [udp.wait(), tcp.wait()]
    flows(t, clients)
    in_use(t, server, udp, tcp, off)
    for client in clients:
        datagrams(t, client, int(client.env["INTERNAL_IP4_MTU"]))
        for address in (LAN4, LAN6):
            must_ping(client.netns, address, size=1300)
            must_ping(client.netns, address, count=1, size=5000)
    time.sleep(1.1)  # main hears of traffic once a second
    counted = [Counted(server, udp, "udp"), Counted(server, tcp, "tcp")]
    for each in counted:
        by_hand(t, each.client)
        each.check()
    ended(t, server, udp, "udp", False)
    ended(t, server, tcp, "tcp", True)


def define(name, *off):
    """A test of its own for what is switched off, so that they run side by side."""
    def test(t):
        paths(t, *off)
    test.__doc__ = "Datapath.md 2 to 6, %s: files, datagrams of all sizes, packets of all corners, and their counters." % (
        "without " + ", ".join(off) if off else "with all features")
    globals()["test_paths_" + name] = marks(seconds=90)(test)


define("all")
for feature in FEATURES:
    define("without_" + feature.replace("-", "_"), feature)
define("plain", *FEATURES)
