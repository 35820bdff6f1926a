"""What a client can reach behind the server: one packet or connection at a time, and what became of it.

The host behind the server gets a second address of each family on a network of its own, which no split route of the base
file has; the client's packets to it go into the tunnel all the same.
"""
import os
import socket
import struct
import threading

from .net import LAN4, LAN6
from .shell import netns_socket
from .traffic import family, ping

FAR4, FAR6, FAR_NET4, FAR_NET6 = "198.18.2.2", "fd00:1a::2", "198.18.2.0/24", "fd00:1a::/64"
OPEN, REJECTED, LOST = "open", "rejected", "lost"
SCTP = 132


class Reach:
    """FROM is a client; probes go to the host behind the server, or to TARGET, a namespace with its addresses."""

    def __init__(self, test, client, target=None):
        self.net, self.client, self.target = test.net, client.netns, target or test.net.lan
        self.slow = test.slow
        self._listeners = {}
        if not target:
            self._make_far()
        for net, option in ((FAR_NET4, "-4"), (FAR_NET6, "-6")):
            self.net.ip(self.client, option, "route", "replace", net, "dev", client.tun)

    def _make_far(self):
        # The kernel tells a client of a rejection once a second only.
        self.net.sysctl(self.net.srv, "net/ipv4/icmp_ratelimit", 0)
        self.net.sysctl(self.net.srv, "net/ipv6/icmp/ratelimit", 0)
        for address, net, via, option in ((FAR4 + "/32", FAR_NET4, LAN4, "-4"), (FAR6 + "/128", FAR_NET6, LAN6, "-6")):
            self.net.ip(self.target, "addr", "replace", address, "dev", "lo", *(["nodad"] if option == "-6" else []))
            self.net.ip(self.net.srv, option, "route", "replace", net, "via", via)

    def _listener(self, kind, address, port):
        key = kind, address, port
        if key not in self._listeners:
            listener = netns_socket(self.target, family(address), kind)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, port))
            if kind == socket.SOCK_STREAM:
                listener.listen(16)
            self._listeners[key] = listener
        return self._listeners[key]

    def tcp(self, port, address=LAN4, seconds=20):
        """SECONDS is for what is lost, and for busy machines."""
        self._listener(socket.SOCK_STREAM, address, port)
        with netns_socket(self.client, family(address)) as sock:
            sock.settimeout(seconds)
            try:
                sock.connect((address, port))
                return OPEN
            except ConnectionRefusedError:
                return REJECTED
            except socket.timeout:
                return LOST

    def udp(self, port, address=LAN4, size=100):
        """A datagram there, and its beginning back: by IPv6 nobody but the sender may fragment, and it learns that too late."""
        there, data, over = self._listener(socket.SOCK_DGRAM, address, port), os.urandom(size), threading.Event()
        there.settimeout(0.05)
        with netns_socket(self.client, family(address), socket.SOCK_DGRAM) as here:
            here.settimeout(20)
            here.connect((address, port))
            echo = threading.Thread(target=self._echo, args=(there, over), daemon=True)
            echo.start()
            here.send(data)
            try:
                return OPEN if here.recv(65536) == data[:100] else LOST
            except ConnectionRefusedError:
                return REJECTED
            except socket.timeout:
                return LOST
            finally:
                over.set()
                echo.join()

    @staticmethod
    def _echo(there, over):
        while not over.is_set():
            try:
                seen, peer = there.recvfrom(65536)
                there.sendto(seen[:100], peer)
            except socket.timeout:
                pass

    def icmp(self, address=LAN4):
        return OPEN if ping(self.client, address, 1, wait=0.4 * self.slow) else REJECTED

    def sctp(self, port, address=LAN4):
        """An INIT: the kernel need not know SCTP at either end."""
        there = netns_socket(self.target, family(address), socket.SOCK_RAW, SCTP)
        here = netns_socket(self.client, family(address), socket.SOCK_RAW, SCTP)
        there.settimeout(1 * self.slow)
        try:
            here.sendto(struct.pack("!HHII", 4000, port, 0, 0) +
                        struct.pack("!BBHIIHHI", 1, 0, 20, 0x1234, 65536, 1, 1, 1), (address, 0))
            there.recv(65536)
            return OPEN
        except socket.timeout:
            return LOST
        finally:
            there.close()
            here.close()

    def close(self):
        for listener in self._listeners.values():
            listener.close()
