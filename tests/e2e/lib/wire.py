"""Packets made by hand, laid on one end of a tunnel and compared with what comes out at the other, byte by byte.

They travel between the client's device and a host behind the server that has no stack: FOREIGN4 and FOREIGN6 are
addresses of nobody, so that no kernel answers.  Only what forwarding changes (hop limit, header checksum) is left out of
the comparison; packets of one flow must come in order.
"""
import ctypes
import random
import select
import socket
import struct
import time

from .net import GATEWAY4, GATEWAY6
from .shell import Failure, netns_socket

FOREIGN4, FOREIGN6 = "198.18.1.77", "fd00:19::77"
ETH_ALL, ETH4, ETH6 = 3, 0x800, 0x86dd
TCP, UDP, ICMP, ICMP6, GRE, ESP, SCTP = 6, 17, 1, 58, 47, 50, 132
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << n for n in range(8))
TIMESTAMP = bytes([1, 1, 8, 10]) + b"\x00\x01\x02\x03\x04\x05\x06\x07"


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def numeric(address):
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


class Flow:
    """Makes the packets of one flow from SOURCE to TARGET; every packet takes what it does not name from the flow."""

    def __init__(self, source, target, port, dscp=0, df=True):
        self.source, self.target = numeric(source), numeric(target)
        self.ports, self.tos, self.df = (port, 4000 + port), dscp << 2, df
        self.ident, self.sequence, self.ack, self.window = 1000, 1 << 20, 77, 500

    def ip(self, proto, payload, tos=None, ident=None, options=b"", headers=b"", next_header=None, fragment=0, ttl=64):
        """The packet around PAYLOAD.  HEADERS: IPv6 extension headers, the first being NEXT_HEADER."""
        tos = self.tos if tos is None else tos
        if len(self.source) == 16:
            return struct.pack("!IHBB", 6 << 28 | tos << 20 | 0x12345, len(headers) + len(payload),
                               proto if next_header is None else next_header, ttl) + \
                self.source + self.target + headers + payload
        if ident is None:
            ident = self.ident
            self.ident = self.ident + 1 & 0xffff
        head = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, tos, 20 + len(options) + len(payload), ident,
                           fragment | (0x4000 if self.df and not fragment else 0), ttl, proto, 0) + \
            self.source + self.target + options
        return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload

    def _sum(self, proto, payload):
        return checksum(self.source + self.target + struct.pack("!II", len(payload), proto) + payload)

    def tcp(self, size, flags=ACK, options=TIMESTAMP, sequence=None, bad=False, urgent=0, **ip):
        """A segment of SIZE bytes; SEQUENCE moves the flow's only when it is not given."""
        at = self.sequence if sequence is None else sequence
        if sequence is None:
            self.sequence = self.sequence + size & 0xffffffff
        head = struct.pack("!HHIIBBHHH", *self.ports, at, self.ack, (5 + len(options) // 4) << 4, flags, self.window, 0, urgent)
        segment = head + options + random.randbytes(size)
        total = self._sum(TCP, segment) ^ (0x1234 if bad else 0)
        return self.ip(TCP, segment[:16] + struct.pack("!H", total) + segment[18:], **ip)

    def udp(self, size, bad=False, zero=False, **ip):
        datagram = struct.pack("!HHHH", *self.ports, 8 + size, 0) + random.randbytes(size)
        total = 0 if zero else (self._sum(UDP, datagram) ^ (0x1234 if bad else 0)) or 0xffff
        return self.ip(UDP, datagram[:6] + struct.pack("!H", total) + datagram[8:], **ip)

    def fragments(self, sizes):
        """A datagram in pieces of SIZES bytes (multiples of eight, but for the last)."""
        data = struct.pack("!HHHH", *self.ports, 8 + sum(sizes) - 8, 7) + random.randbytes(sum(sizes) - 8)
        out, at, ident = [], 0, random.getrandbits(16)
        for size in sizes:
            more = at + size < len(data)
            piece = data[at:at + size]
            if len(self.source) == 16:
                head = struct.pack("!BBHI", UDP, 0, at | more, ident)
                out.append(self.ip(UDP, piece, headers=head, next_header=44))
            else:
                out.append(self.ip(UDP, piece, ident=ident, fragment=at // 8 | (0x2000 if more else 0) or 0x2000))
            at += size
        return out


def tcp_corners(source, target, port, mss):
    """Everything that a run of segments must not be merged over, and runs around it."""
    f = Flow(source, target, port, dscp=8)
    run = lambda n=5, **kw: [f.tcp(mss, **kw) for _ in range(n)]
    out = [f.tcp(0, SYN, options=b"\x02\x04\x05\xb4\x04\x02\x01\x01")] + run(9)
    out += [f.tcp(mss, ACK | PSH)] + run(3) + [f.tcp(mss - 3)] + run(3) + [f.tcp(1, ACK | PSH)]
    out += run(2) + [f.tcp(mss, bad=True)] + run(2, bad=True) + run(2)
    again = f.sequence
    out += run(3) + [f.tcp(mss, sequence=again), f.tcp(mss, sequence=again + mss)] + run(2)
    hole = f.sequence
    f.sequence += mss
    out += run(2) + [f.tcp(mss, sequence=hole)] + run(2)
    f.ack += 1
    out += run(2)
    f.window += 9
    out += run(2) + [f.tcp(0), f.tcp(0)] + run(2, flags=ACK | ECE) + [f.tcp(mss, ACK | CWR)] + run(2)
    out += [f.tcp(mss, ACK | URG, urgent=3)] + run(2) + run(2, options=b"") + run(2, tos=3) + run(2, tos=2) + run(2)
    out += run(2, ttl=40) + run(2) + run(2, options=TIMESTAMP[:-1] + b"\xff") + [f.tcp(200)] + run(2) + [f.tcp(mss + 8)] + run(2)
    f.df = False
    out += run(3)
    f.ident += 7
    out += run(3)
    if len(f.source) == 4:
        out += run(2, options=TIMESTAMP) + [f.tcp(mss - 40, options=TIMESTAMP, **{"ident": 5})]
        head = f.tcp(mss - 40)  # IP options: none of them is merged
        out += [f.ip(TCP, head[20:], options=b"\x01\x01\x01\x00") for _ in range(3)]
    f.sequence = 0xffffffff - mss - 5
    return out + run(4) + [f.tcp(mss, ACK | FIN | PSH), f.tcp(0, RST)] + run(2)


def udp_corners(source, target, port, size):
    f = Flow(source, target, port, df=False)
    run = lambda n, size=size, **kw: [f.udp(size, **kw) for _ in range(n)]
    out = run(7) + run(1, size - 1) + run(3) + run(1, size + 1) + run(2) + run(2, 0) + run(3) + run(2, bad=True) + run(2)
    if len(f.source) == 4:
        out += run(3, zero=True)
    return out + run(2) + run(4, 1) + run(1, size, tos=3) + run(3) + f.fragments([size // 8 * 8] * 3 + [77]) + run(3)


def other_corners(source, target, port, size):
    f = Flow(source, target, port)
    six = len(f.source) == 16
    out = [f.ip(proto, random.randbytes(n)) for proto in (GRE, ESP, SCTP, 253) for n in (size, 8, 60)]
    if six:
        for number, head in ((0, b"\x01\x04\0\0\0\0"), (60, b"\x01\x04\0\0\0\0")):  # hop-by-hop, destination options
            for _ in range(3):
                inner = f.udp(size)[40:]
                out.append(f.ip(UDP, inner, headers=bytes([UDP, 0]) + head, next_header=number))
    return out + [f.ip(TCP, b"\x01\x02\x03\x04"), f.ip(UDP, b"\x01\x02\x03")]  # too short for their headers


def mixed(source4, target4, source6, target6, mss):
    """All corners of both families, the flows in turns of random length, as machines do."""
    flows = []
    for n in range(2):
        for source, target in ((source4, target4), (source6, target6)):
            room = mss - (20 if ":" in source else 0)
            flows += [tcp_corners(source, target, 10 + n, room - 200 * n), udp_corners(source, target, 20 + n, room - n),
                      other_corners(source, target, 30 + n, room)]
    out = []
    while flows:
        flow = random.choice(flows)
        take = random.choice((1, 3, 20))
        out += flow[:take]
        del flow[:take]
        if not flow:
            flows.remove(flow)
    return out


def comparable(packet):
    """PACKET without what a router changes; its flow.  A datagram's own number (IPv4 ID) means nothing with DF."""
    if packet[0] >> 4 == 6:
        flow = packet[8:40] + packet[6:7] + (packet[40:44] if packet[6] in (TCP, UDP) else b"")
        return flow, packet[:7] + packet[8:]
    if checksum(packet[:(packet[0] & 15) * 4]):
        raise Failure("wrong IPv4 header checksum: %s" % packet[:24].hex())
    df, fragment = packet[6] & 0x40, packet[6] & 0x3f or packet[7]
    ports = packet[20:24] if packet[9] in (TCP, UDP) and packet[0] == 0x45 and not fragment else b""
    return packet[12:20] + packet[9:10] + ports, \
        packet[:4] + (b"" if df else packet[4:6]) + packet[6:8] + packet[9:10] + packet[12:]


class Wire:
    """Injects and captures for one client; LOSSY: not every packet must arrive, because queues on the way are full."""

    def __init__(self, test, client, lossy=False):
        self.net, self.client, self.lossy = test.net, client, lossy
        self.slow = test.slow
        net = self.net
        for address in (FOREIGN4, FOREIGN6):
            net.ip(net.srv, "neigh", "replace", address, "lladdr", self._mac(net.lan, "tosrv"), "dev", "tolan")
        # What leaves the server is looked at as it would be on a cable.
        net.run(net.srv, "ethtool", "-K", "tolan", "tx", "off", "tso", "off")
        for name in (client.netns, net.lan):
            net.nft(name, """table inet nobody { chain in { type filter hook prerouting priority -400;
                ip saddr %s drop; ip6 saddr %s drop; ip daddr %s drop; ip6 daddr %s drop; }
            }""" % (FOREIGN4, FOREIGN6, FOREIGN4, FOREIGN6))
        self.inside = self._packets(client.netns, client.tun)
        self.behind = self._packets(net.lan, "tosrv")
        self.gateway = bytes.fromhex(self._mac(net.srv, "tolan").replace(":", ""))
        test.closables.append(self)

    def _mac(self, namespace, device):
        return self.net.run(namespace, "cat", "/sys/class/net/%s/address" % device).stdout.strip()

    @staticmethod
    def _only_ours(sock):
        """A filter in the kernel: what else passes would be too much for us."""
        load, equal, give = 0x20, 0x15, 0x06
        network = 0xfff00000  # SKF_NET_OFF: offsets from the IP header
        code = []
        for at, address in ((12, FOREIGN4), (16, FOREIGN4), (20, FOREIGN6), (36, FOREIGN6)):
            code += [(load, 0, 0, network + at), (equal, 7 - len(code), 0, int.from_bytes(numeric(address)[-4:], "big"))]
        code += [(give, 0, 0, 0), (give, 0, 0, 65536)]
        program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in code))
        sock.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HP", len(code), ctypes.addressof(program)))  # SO_ATTACH_FILTER

    def _packets(self, namespace, device):
        sock = netns_socket(namespace, socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_ALL))
        sock.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
        self._only_ours(sock)
        sock.bind((device, ETH_ALL))
        return sock

    def up(self, packets):
        """From the client to the host behind the server."""
        self._compare(packets, self.behind, lambda packet, proto: self.inside.sendto(packet, (self.client.tun, proto)))

    def down(self, packets):
        self._compare(packets, self.inside,
                      lambda packet, proto: self.behind.sendto(packet, ("tosrv", proto, 0, 0, self.gateway)))

    def _compare(self, packets, sink, send):
        """Burst by burst; where packets may be lost and late, all at the end: some come while the next burst is under way."""
        came = []
        self._drain(sink)
        for at in range(0, len(packets), 40):  # what fits into the client's socket, whatever it is doing
            burst = packets[at:at + 40]
            for packet in burst:
                send(packet, ETH6 if packet[0] >> 4 == 6 else ETH4)
            got = self._collect(sink, burst)
            if not self.lossy:
                self._check(burst, got)
            came += got
        if self.lossy:
            self._check(packets, came)
        if len(came) < len(packets) / 2:
            raise Failure("%d of %d packets came" % (len(came), len(packets)))

    @staticmethod
    def _drain(sink):
        while select.select([sink], [], [], 0)[0]:
            sink.recv(65536)

    def _collect(self, sink, burst):
        ends = {packet[12:20] if packet[0] >> 4 == 4 else packet[8:40] for packet in burst}
        got, end = [], time.monotonic() + (0.3 if self.lossy else 3) * self.slow
        while len(got) < len(burst) and select.select([sink], [], [], max(0, end - time.monotonic()))[0]:
            packet, where = sink.recvfrom(65536)
            if where[2] != 4 and (packet[12:20] if packet[0] >> 4 == 4 else packet[8:40]) in ends:  # not PACKET_OUTGOING
                got.append(packet)
        return got

    def _check(self, sent, got):
        flows = {}
        for which, packets in enumerate((sent, got)):
            for packet in packets:
                flow, rest = comparable(packet)
                flows.setdefault(flow, ([], []))[which].append(rest)
        for flow, (before, after) in flows.items():
            rest = iter(before)
            if before == after or self.lossy and all(packet in rest for packet in after):
                continue
            at = next((i for i, (a, b) in enumerate(zip(before, after)) if a != b), min(len(before), len(after)))
            show = lambda packets: "(none)" if at >= len(packets) else "%d bytes %s" % (len(packets[at]), packets[at][:72].hex())
            raise Failure("flow %s: %d packets sent, %d came (%d of %d in all); the first that differs is number %d:\nsent %s\ncame %s" %
                          (flow.hex(), len(before), len(after), len(got), len(sent), at, show(before), show(after)))

    def close(self):
        self.inside.close()
        self.behind.close()
