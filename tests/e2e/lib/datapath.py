"""What the tests of the data path share: the features that can be switched off, sessions, counters, datagrams."""
import json
import os
import re
import socket
import threading
import time

from .net import LAN4, LAN6
from .shell import Failure, netns_socket, sh, wait_for
from .traffic import Transfer, family

FEATURES = ["tun-offload", "uso", "udp-gso", "udp-gro", "batch", "sealing"]
TLS12 = '"NORMAL:%SERVER_PRECEDENCE:-VERS-ALL:+VERS-TLS1.2:+VERS-DTLS1.2"'


def without(*features):
    """Configuration that switches FEATURES off."""
    return {"debug-datapath": ",".join(features)} if features else {}


def device_counters(netns, device):
    """(packets, bytes) that came out of the tunnel at this end, and that went into it."""
    stats = json.loads(sh("ip", "-n", netns, "-j", "-s", "link", "show", "dev", device).stdout)[0]["stats64"]
    return tuple((stats[way]["packets"], stats[way]["bytes"]) for way in ("rx", "tx"))


def only_own(test, *namespaces):
    """What a new device says of itself there has not its session's address: it is not sent into the tunnel."""
    for name in namespaces:
        test.net.nft(name, """table inet own { chain out { type filter hook output priority 0; oifname "tun*" ip6 saddr fe80::/10 drop; }
            }""")


def quiet(client):
    """The counters of CLIENT's device when nothing passes any more: (to it), (from it)."""
    box = [None]

    def still():
        before, box[0] = box[0], device_counters(client.netns, client.tun)
        return box[0] == before
    wait_for("the tunnel to be quiet", still, 10, 0.3)
    return box[0]


def end_counters(server, user):
    """(packets, bytes) to the client and from it, as the log says at the end of USER's session."""
    line = server.wait_log(r'main disconnected session=\S+ user="%s".*' % user).group(0)
    number = lambda name: int(re.search(r"\b%s=(\d+)" % name, line).group(1))
    return (number("tx-packets"), number("tx")), (number("rx-packets"), number("rx"))


class Echo:
    """Sends back every datagram at a port of ADDRESS in namespace SERVER_NS; exchange() is the client's side."""

    def __init__(self, client_ns, server_ns, address):
        self.there = netns_socket(server_ns, family(address), socket.SOCK_DGRAM)
        self.there.bind((address, 0))
        self.here = netns_socket(client_ns, family(address), socket.SOCK_DGRAM)
        for sock in (self.there, self.here):
            sock.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)  # SO_RCVBUFFORCE
        self.here.connect(self.there.getsockname()[:2])
        self.here.settimeout(0.5)
        self.over = False
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        self.there.settimeout(0.1)
        while not self.over:
            try:
                data, peer = self.there.recvfrom(65536)
                self.there.sendto(data, peer)
            except OSError:  # nothing there, or larger than the path has just turned out to be
                pass

    def exchange(self, size, tries=1):
        """A datagram of SIZE bytes goes there and comes back."""
        for _ in range(tries):
            data = os.urandom(size)
            try:
                self.here.send(data)
                while True:
                    got = self.here.recv(65536)
                    if got == data:
                        return
                    if len(got) == len(data):
                        raise Failure("a datagram of %d bytes was changed on its way" % size)
            except OSError:
                pass
        raise Failure("no answer to a datagram of %d bytes" % size)

    def in_order(self, count, size):
        """COUNT datagrams at once come back in the order they were sent; a few may be lost."""
        for n in range(count):
            self.here.send(n.to_bytes(4, "big") + bytes(size - 4))
        got = []
        try:
            while len(got) < count:
                got.append(int.from_bytes(self.here.recv(65536)[:4], "big"))
        except OSError:
            pass
        if got != sorted(got) or len(got) < count * 0.9:
            raise Failure("%d datagrams of %d in this order: %s" % (len(got), count, got))

    def close(self):
        self.over = True
        self.here.close()


def datagrams(test, client, mtu):
    """Datagrams from one byte to many fragments, both ways, and the order of a burst."""
    for address, head in ((LAN4, 28), (LAN6, 48)):
        echo = Echo(client.netns, test.net.lan, address)
        echo.exchange(mtu - head + 8, 8)  # the host behind the server learns the tunnel's MTU
        for size in (1, 2, 3, 17, 64, 511, 1000, mtu - head - 1, mtu - head, mtu - head + 1, 3000, 9001, 40000, 65000):
            echo.exchange(size, 3)
        for size in (64, 1000):
            echo.in_order(100, size)
        echo.close()


class Endless(Transfer):
    """A transfer as fast as it goes until end(); knows the longest time in which nothing arrived."""

    def __init__(self, client, server_ns, address=LAN4, down=False):
        self.over, self.longest = threading.Event(), 0
        super().__init__(client.netns, server_ns, address, size=0, down=down, seconds=60, stream=self._pieces)
        self.start()
        self.watch = threading.Thread(target=self._watch, daemon=True)
        self.watch.start()

    def _pieces(self, _):
        block = os.urandom(1 << 20)
        while not self.over.is_set():
            piece = os.urandom(8) + block[8:1 << 18]
            self.size += len(piece)
            yield piece

    def _watch(self):
        done, since = self.done, None
        while not self.over.wait(0.02) and self.is_alive():
            now = time.monotonic()
            if self.done != done:
                if since:
                    self.longest = max(self.longest, now - since)
                done, since = self.done, now

    def wait_progress(self, size, seconds=15):
        wanted = self.done + size
        wait_for("%d bytes more" % size, lambda: self.done >= wanted or not self.is_alive(), seconds)
        if not self.is_alive():
            self.finish()

    def end(self):
        self.over.set()
        return self.finish()


def worker_memory(pid):
    """Bytes that are this process's alone or its share of (PSS)."""
    with open("/proc/%d/smaps_rollup" % pid) as rollup:
        return int(re.search(r"^Pss:\s+(\d+) kB", rollup.read(), re.M).group(1)) * 1024
