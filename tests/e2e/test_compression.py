"""Compression of the inner packets, with the real client and packet by packet (checklist 131)."""
import contextlib
import os
import signal
import socket
import struct
import time

from lib.net import LAN4
from lib.shell import Failure, netns_socket, wait_for
from lib.traffic import must_ping, transfer, udp_echo
from lib.web import echo_request

ALGOS = {"oc-lz4": {}, "lzs": {"compression-algo-priority": "lzs:oc-lz4"}}
ON = {"compression": "true"}
COUNT, SIZE = 300, 1200
TEXT = b"The quick brown fox jumps over the lazy dog and back again. "


def outer_bytes(t):
    """(from the client, to the client) on the wire so far."""
    text = t.net.run(t.net.srv, "cat", "/sys/class/net/tocli/statistics/rx_bytes",
                     "/sys/class/net/tocli/statistics/tx_bytes").stdout.split()
    return int(text[0]), int(text[1])


def compressible(number):
    return struct.pack(">I", number) + (TEXT * 30)[:SIZE - 4]


def random_data(number):
    return struct.pack(">I", number) + os.urandom(SIZE - 4)


def mixed(size):
    """Pieces of text and noise, some hundred bytes each."""
    block = b"".join((TEXT * 9 + bytes([n])) * 3 + os.urandom(997) for n in range(256))
    return (block[:size - at] for at in range(0, size, len(block)))


def push(t, client, down, make):
    """COUNT datagrams through the tunnel; gives the bytes on the wire in that direction and those of the inner packets."""
    sender = netns_socket(t.net.lan if down else t.net.cli, socket.AF_INET, socket.SOCK_DGRAM)
    sink = netns_socket(t.net.cli if down else t.net.lan, socket.AF_INET, socket.SOCK_DGRAM)
    sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sink.bind((client.ip4 if down else LAN4, 0))
    sink.settimeout(5)
    before = outer_bytes(t)[down]
    seen = 0
    for number in range(COUNT):
        data = make(number)
        sender.sendto(data, sink.getsockname())
        if sink.recv(65536) != data:
            raise Failure("datagram %d came changed" % number)
        seen += len(data) + 28
    after = outer_bytes(t)[down]
    sender.close()
    sink.close()
    return after - before, seen


def check_channel(t, algo, dtls):
    """Announced, shown, smaller on the wire in both directions where it can be, and unharmed everywhere."""
    server = t.server(dict(ON, **ALGOS[algo]))
    client = t.client(dtls=dtls).wait()
    t.expect("X-CSTP-Content-Encoding: " + algo in client.log(), "announced for TLS")
    t.equal("X-DTLS-Content-Encoding: " + algo in client.log(), dtls, "announced for DTLS")
    user = server.user()
    t.equal(user.get("CSTP compression"), algo, "CSTP compression in occtl")
    t.equal(user.get("DTLS compression"), algo if dtls else None, "DTLS compression in occtl")
    text = server.occtl("show", "user", "test").stdout
    t.expect("CSTP compression: " + algo in text, "shown by occtl", text)
    t.equal("DTLS compression: " + algo in text, dtls, "DTLS line of occtl")
    for down in (False, True):
        wire, inner = push(t, client, down, compressible)
        t.expect(wire < inner * 0.4, "text shrinks (down %s): %d bytes for %d" % (down, wire, inner))
        wire, inner = push(t, client, down, random_data)
        t.expect(inner < wire < inner * 1.25, "noise does not grow (down %s): %d for %d" % (down, wire, inner))
        transfer(t.net.cli, t.net.lan, size=8_000_000, down=down, stream=mixed)
    must_ping(t.net.cli, size=1300)
    t.equal(udp_echo(t.net.cli, t.net.lan, size=40), 10, "small datagrams")
    t.expect("Established DTLS" in client.log() or not dtls, "over DTLS")


def test_lz4_over_tls(t):
    """Checklist 131: LZ4 on TLS."""
    check_channel(t, "oc-lz4", False)


def test_lz4_over_dtls(t):
    """Checklist 131: LZ4 on DTLS."""
    check_channel(t, "oc-lz4", True)


def test_lzs_over_tls(t):
    """Checklist 131: LZS on TLS, whose other end is openconnect's own code."""
    check_channel(t, "lzs", False)


def test_lzs_over_dtls(t):
    """Checklist 131: LZS on DTLS."""
    check_channel(t, "lzs", True)


BOTH = ["X-CSTP-Accept-Encoding: oc-lz4,lzs", "X-DTLS-Accept-Encoding: oc-lz4,lzs",
        "X-DTLS-CipherSuite: PSK-NEGOTIATE"]


class Bits:
    """A bit stream read from its most significant bit."""

    def __init__(self, data):
        self.text, self.at = "".join(format(byte, "08b") for byte in data), 0

    def get(self, count):
        self.at += count
        return int(self.text[self.at - count:self.at], 2)


def unpack(data):
    """LZS by the letter of protocol.md 5.9, with no line of the server's."""
    bits, out = Bits(data), bytearray()
    while True:
        if bits.get(1) == 0:
            out.append(bits.get(8))
            continue
        offset = bits.get(7) if bits.get(1) else bits.get(11)
        if offset == 0:
            return bytes(out)
        length = bits.get(2)
        if length < 3:
            length += 2
        else:
            more = bits.get(2)
            length = more + 5
            if more == 3:
                length, group = 8, 15
                while group == 15:
                    group = bits.get(4)
                    length += group
        for _ in range(length):
            out.append(out[-offset])


def pack(data):
    """LZS without any match."""
    text = "".join("0" + format(byte, "08b") for byte in data) + "110000000"
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


def tunnel(t, headers=BOTH[:1], user="test"):
    return t.web().must_login(user).open(headers=headers, mtu=1500)


def encodings(answer):
    return answer.header("X-CSTP-Content-Encoding"), answer.header("X-DTLS-Content-Encoding")


def test_off_by_default(t):
    """Checklist 131, protocol 79: nothing is announced, shown or accepted unless configured, whatever the client offers."""
    server = t.server()
    client = t.client().wait()
    t.expect("Content-Encoding" not in client.log(), "no header")
    user = server.user()
    t.expect("CSTP compression" not in user and "DTLS compression" not in user, "nothing in occtl", user)
    t.expect("compression" not in server.occtl("show", "user", "test").stdout, "no line of occtl")
    client.stop()
    raw = tunnel(t, BOTH)
    t.equal(encodings(raw.answer), (None, None), "headers")
    raw.send(raw.DATA, echo_request(raw.address, TEXT * 10))
    t.equal(len(raw.receive_data()), 628, "the answer as it is")
    raw.send(raw.COMPRESSED, pack(echo_request(raw.address, b"x" * 100)))
    t.expect(raw.web.is_closed(), "compressed data without negotiation ends the tunnel")


def test_who_is_offered_what(t):
    """Checklist 131: per host, only what the client lists, in the order of compression-algo-priority."""
    server = t.server(ON, vhosts=[("plain.test", {"compression": "false"})])
    for headers, wanted in ((BOTH, ("oc-lz4", "oc-lz4")), (BOTH[:1], ("oc-lz4", None)), ([], (None, None)),
                            (["X-CSTP-Accept-Encoding: lzs,deflate"], ("lzs", None)),
                            (["X-CSTP-Accept-Encoding: deflate"], (None, None))):
        raw = tunnel(t, headers)
        t.equal(encodings(raw.answer), wanted, "for %s" % headers)
        raw.bye()
    raw = t.web(name="plain.test").must_login().open(headers=BOTH)
    t.equal(encodings(raw.answer), (None, None), "on the host without")
    raw.bye()
    client = t.client(arguments=["--deflate"]).wait()
    t.expect("X-CSTP-Content-Encoding: oc-lz4" in client.log(), "a client that also takes what keeps state gets what does not")
    client.stop()
    client = t.client(arguments=["--no-deflate"]).wait()
    t.expect("Content-Encoding" not in client.log(), "a client that wants none gets none")
    for value, wanted in (("lzs:100", "lzs"), ("lzs:lz4", "lzs"), ("oc-lz4:1", "lzs"), ("LZ4", "oc-lz4")):
        server.write_conf(compression_algo_priority=value)
        server.reloaded()
        wait_for("%s with %s" % (wanted, value),
                 lambda: encodings(t.web().must_login().open(headers=BOTH).answer)[0] == wanted)


def test_bad_priority_is_named(t):
    """config.md 8.3: other forms are a warning and change nothing."""
    server = t.server(dict(ON, **{"compression-algo-priority": "zip:9"}))
    t.expect("invalid compression modstring zip:9; write " in server.log(), "the warning", server.log())
    t.equal(encodings(tunnel(t, BOTH).answer), ("oc-lz4", "oc-lz4"), "the default order")


def echoed(raw, size):
    """The type of the frame that brings the answer to a ping of SIZE bytes, which must be right."""
    raw.send(raw.DATA, echo_request(raw.address, (TEXT * 30)[:size - 28]))
    while True:
        kind, data = raw.receive()
        packet = unpack(data) if kind == raw.COMPRESSED else data
        if packet[0] >> 4 == 4:
            if len(packet) != size or packet[28:] != (TEXT * 30)[:size - 28]:
                raise Failure("the answer differs: %r" % packet)
            return kind


def test_no_compress_limit(t):
    """Checklist 131: packets up to no-compress-limit are sent as they are; values under 64 mean 64."""
    server = t.server(dict(ON, **ALGOS["lzs"], **{"no-compress-limit": 300}))
    raw = tunnel(t)
    t.equal([echoed(raw, size) for size in (300, 301)], [raw.DATA, raw.COMPRESSED], "around 300")
    raw.bye()
    server.write_conf(no_compress_limit=10)
    server.reloaded()
    raw = tunnel(t)
    t.equal([echoed(raw, size) for size in (48, 64)], [raw.DATA] * 2, "up to 64")
    wait_for("65 bytes to be compressed", lambda: echoed(tunnel(t), 100) == raw.COMPRESSED)


def test_inner_bytes_count(t):
    """Checklist 131, protocol.md 5.11: occtl and limits know inner bytes, however small they were on the wire."""
    server = t.server(dict(ON, **{"tx-data-per-sec": 250_000}))
    client = t.client().wait()
    wire, inner = push(t, client, True, compressible)
    t.expect(int(server.user()["TX"]) >= inner, "TX in occtl", server.user()["TX"], inner)
    wire, inner = push(t, client, False, compressible)
    t.expect(int(server.user()["RX"]) >= inner > 2 * wire, "RX in occtl", server.user()["RX"], inner)
    sink = netns_socket(t.net.cli, socket.AF_INET, socket.SOCK_DGRAM)
    sender = netns_socket(t.net.lan, socket.AF_INET, socket.SOCK_DGRAM)
    sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sink.bind((client.ip4, 0))
    before, begin = int(server.user()["TX"]), time.monotonic()
    for number in range(3000):
        sender.sendto(compressible(number), sink.getsockname())
        if number % 100 == 99:
            time.sleep(0.05)
    grown, spent = int(server.user()["TX"]) - before, time.monotonic() - begin
    t.expect(100_000 < grown < 250_000 * (spent + 0.3), "%d bytes in %.1f s at 250 kB/s of inner packets" % (grown, spent))
    sink.close()
    sender.close()


def test_bad_input_ends_only_its_tunnel(t):
    """Protocol 80: what cannot be decompressed ends the tunnel, and nothing else."""
    server = t.server(dict(ON, **ALGOS["lzs"]), users={"test": None, "bad": None})
    client = t.client(dtls=False).wait()
    bits = "0" + format(97, "08b") + "111" + format(1, "06b")
    endless = bits + "1111" + "1111" * 6000
    for what, data in (("no stream", b"abc"), ("nothing", b""), ("an empty result", bytes.fromhex("c000")),
                       ("more than 16384 bytes", int(endless, 2).to_bytes((len(endless) + 7) // 8, "big"))):
        raw = tunnel(t, user="bad")
        raw.send(raw.COMPRESSED, data)
        t.expect(raw.web.is_closed(), what + " ends the tunnel")
        server.wait_no_user("bad")
    t.expect(client.process.poll() is None, "the other client stays")
    must_ping(t.net.cli)
    raw = tunnel(t, user="bad")
    raw.send(raw.COMPRESSED, pack(echo_request(raw.address, b"q" * 1500)))
    raw.send(raw.COMPRESSED, pack(echo_request("198.19.0.250", b"q" * 50)))
    raw.send(raw.COMPRESSED, pack(echo_request(raw.address, b"q" * 50)))
    t.equal(raw.receive_data()[28:], b"q" * 50, "after one beyond the MTU and one of another's the tunnel works")


def test_compressed_traffic_and_the_idle_timer(t):
    """protocol.md 5.7: the packet inside decides whether a session is in use, not its wrapping."""
    t.server(dict(ON, **ALGOS["lzs"], **{"idle-timeout": 3}), users={"test": None, "used": None})
    idle, used = tunnel(t), tunnel(t, user="used")
    packet = bytearray(echo_request(used.address, b"data" * 20))
    packet[9:12] = b"\x11" + (struct.unpack(">H", packet[10:12])[0] - 0x10).to_bytes(2, "big")  # as UDP
    begin, closed = time.monotonic(), False
    while not closed and time.monotonic() - begin < 30:
        used.send(used.COMPRESSED, pack(bytes(packet)))
        with contextlib.suppress(OSError):  # it may have ended by now
            idle.send(idle.COMPRESSED, pack(echo_request(idle.address, b"ping" * 20)))
        frame = idle.receive_control(0.3)
        closed = frame is not None and frame[0] in ("closed", idle.DISCONNECT, idle.TERMINATE)
    t.expect(closed, "pings keep it")
    t.expect(time.monotonic() - begin > 2, "it ended too early")
    t.expect(not used.web.is_closed(0.5), "data does not")


def test_known_after_a_restart_of_main(t):
    """Checklist 131: occtl knows it of tunnels that an earlier main process has made."""
    server = t.server(dict(ON, **ALGOS["lzs"]))
    t.client().wait()
    main = server.roles()["main"]
    os.kill(main, signal.SIGKILL)
    wait_for("another main", lambda: server.roles().get("main") not in (None, main))
    wait_for("occtl to answer", lambda: server.occtl("show", "status", check=False).returncode == 0)
    user = server.user()
    t.equal((user.get("CSTP compression"), user.get("DTLS compression")), ("lzs", "lzs"), "in occtl")
