"""Packets through a tunnel: pings that are counted, transfers that are checked, datagrams."""
import hashlib
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time

from .net import LAN4
from .shell import Failure, netns_socket, wait_for


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def ping(netns, address=LAN4, count=3, size=56, wait=2, extra=()):
    """Answers out of COUNT pings; WAIT, in seconds, is for the last ones."""
    run = subprocess.run(["ip", "netns", "exec", netns, "ping", "-n", "-q", "-c", str(count), "-i", "0.2", "-W", str(wait),
                          "-s", str(size), *extra, address], capture_output=True, text=True)
    match = re.search(r"(\d+) received", run.stdout)
    return int(match.group(1)) if match else 0


def must_ping(netns, address=LAN4, count=3, **options):
    got = ping(netns, address, count, **dict({"wait": 10}, **options))
    if got != count:
        raise Failure("%d of %d pings to %s answered" % (got, count, address))


class Pinger:
    """Pings ten times a second until stop(); knows the longest silence."""

    def __init__(self, netns, address=LAN4, directory="/tmp"):
        self.path = os.path.join(directory, "pings-%d-%d" % (os.getpid(), time.monotonic_ns()))
        with open(self.path, "w") as out:
            self.process = subprocess.Popen(["ip", "netns", "exec", netns, "ping", "-n", "-D", "-i", "0.1", address],
                                            stdout=out, stderr=out, stdin=subprocess.DEVNULL)

    def numbers(self):
        with open(self.path) as lines:
            return [int(n) for n in re.findall(r"icmp_seq=(\d+) ttl", lines.read())]

    def wait(self, count):
        """Waits for COUNT more answers."""
        wanted = len(self.numbers()) + count
        wait_for("%d answers to pings" % count, lambda: len(self.numbers()) >= wanted, count * 0.1 + 10)

    def times(self):
        """Milliseconds every answer took."""
        with open(self.path) as lines:
            return [float(n) for n in re.findall(r" time=([0-9.]+) ms", lines.read())]

    def stop(self):
        """Ends it; gives (answers, pings lost between the first and the last answer, longest run of them)."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        got = sorted(set(self.numbers()))
        if not got:
            return 0, 0, 0
        gaps = [b - a - 1 for a, b in zip(got, got[1:])]
        return len(got), sum(gaps), max(gaps, default=0)


def _stream(size):
    """SIZE bytes that do not repeat soon, in pieces."""
    block = os.urandom(1 << 20)
    for i in range(0, size, len(block)):
        piece = bytes([i >> 20 & 255]) + block[1:]
        yield piece[:size - i]


class Transfer(threading.Thread):
    """SIZE bytes over TCP from one namespace to ADDRESS in another, or back (down=True); both ends hash them.

    RATE, in bytes a second, slows the sender down; it may be changed on the way.  STREAM(size) gives the bytes in pieces."""

    def __init__(self, client_ns, server_ns, address=LAN4, size=50_000_000, down=False, seconds=60, rate=None,
                 stream=_stream):
        super().__init__(daemon=True)
        self.size, self.down, self.seconds, self.rate, self.stream = size, down, seconds, rate, stream
        self.done, self.sent_hash, self.got_hash, self.error = 0, None, None, None
        self.listener = netns_socket(server_ns, family(address))
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, 0))
        self.listener.listen(1)
        self.listener.settimeout(seconds)
        self.peer = netns_socket(client_ns, family(address))
        self.peer.settimeout(seconds)
        self.duration = self.source = None

    def retransmitted(self):
        """(segments sent again, segments sent) by the sender's end so far (struct tcp_info)."""
        info = self.source.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 160)
        return struct.unpack_from("I", info, 100)[0], struct.unpack_from("I", info, 136)[0]

    def _send(self, sock):
        digest = hashlib.sha256()
        for piece in self.stream(self.size):
            digest.update(piece)
            for at in range(0, len(piece), 1 << 16):
                sock.sendall(piece[at:at + (1 << 16)])
                if self.rate:
                    time.sleep((1 << 16) / self.rate)
        sock.shutdown(socket.SHUT_WR)
        self.sent_hash = digest.hexdigest()

    def _receive(self, sock):
        digest = hashlib.sha256()
        while True:
            piece = sock.recv(1 << 18)
            if not piece:
                break
            digest.update(piece)
            self.done += len(piece)
        self.got_hash = digest.hexdigest()

    def run(self):
        start = time.monotonic()
        try:
            self.peer.connect(self.listener.getsockname()[:2])
            inner, _ = self.listener.accept()
            inner.settimeout(self.seconds)
            self.source, sink = (inner, self.peer) if self.down else (self.peer, inner)
            sender = threading.Thread(target=self._guard, args=(self._send, self.source), daemon=True)
            sender.start()
            self._receive(sink)
            sender.join(self.seconds)
            inner.close()
        except OSError as error:
            self.error = error
        finally:
            self.duration = time.monotonic() - start
            self.peer.close()
            self.listener.close()

    def _guard(self, function, *arguments):
        try:
            function(*arguments)
        except OSError as error:
            self.error = error

    def finish(self):
        """Waits for the end and checks that every byte arrived."""
        self.join(self.seconds + 10)
        if self.error or self.is_alive() or self.done != self.size or self.sent_hash != self.got_hash:
            raise Failure("transfer: %d of %d bytes, error %r, running %s, same hash %s" % (
                self.done, self.size, self.error, self.is_alive(), self.sent_hash == self.got_hash))
        return self


def transfer(client_ns, server_ns, address=LAN4, **options):
    job = Transfer(client_ns, server_ns, address, **options)
    job.start()
    return job.finish()


def udp_echo(client_ns, server_ns, address=LAN4, count=10, size=1000):
    """Datagrams to ADDRESS and back; gives how many returned unchanged."""
    there = netns_socket(server_ns, family(address), socket.SOCK_DGRAM)
    here = netns_socket(client_ns, family(address), socket.SOCK_DGRAM)
    there.bind((address, 0))
    there.settimeout(10)
    here.settimeout(10)
    got = 0
    try:
        for _ in range(count):
            data = os.urandom(size)
            here.sendto(data, there.getsockname()[:2])
            seen, peer = there.recvfrom(65536)
            there.sendto(seen, peer)
            got += here.recv(65536) == data
    except socket.timeout:
        pass
    finally:
        there.close()
        here.close()
    return got
