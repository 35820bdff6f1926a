"""output-buffer and net-priority: what the sockets have and what the packets carry (config.md 8.11)."""
import re
import socket
import struct

from lib.net import SERVER6
from lib.shell import netns_socket
from lib.traffic import must_ping, transfer

ETH_P_ALL = 3


class Sniffer:
    """The TOS bytes of packets that come to the client from the server's port 443."""

    def __init__(self, t):
        self.socket = netns_socket(t.net.cli, socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(("tosrv", ETH_P_ALL))
        self.socket.setblocking(False)
        t.closables.append(self)

    def close(self):
        self.socket.close()

    def take(self):
        """{(protocol, byte): packets} since the last call, but for TCP's bare acknowledgements."""
        seen = {}
        while True:
            try:
                packet = self.socket.recv(2048)
            except BlockingIOError:
                return seen
            version = packet[0] >> 4
            if version == 4:
                tos, protocol, inner = packet[1], packet[9], packet[(packet[0] & 15) * 4:]
            elif version == 6:
                tos, protocol, inner = struct.unpack(">I", packet[:4])[0] >> 20 & 255, packet[6], packet[40:]
            if version in (4, 6) and protocol in (6, 17) and inner[:2] == struct.pack(">H", 443):
                seen[protocol, tos] = seen.get((protocol, tos), 0) + 1


def tos_of_traffic(t, client):
    """The TOS bytes of what the tunnel of CLIENT carries: {protocol: {bytes}}."""
    client.wait()
    sniffer = Sniffer(t)
    must_ping(t.net.cli, count=5)
    seen = sniffer.take()
    t.expect(sum(seen.values()) >= 5, "packets of the tunnel", seen)
    return {protocol: {tos for p, tos in seen if p == protocol} for protocol, _ in seen}


def test_tos_of_both_channels(t):
    """config.md 8.11: net-priority = 0xNN is the TOS byte of TCP and UDP packets; a user's file overrides it."""
    server = t.server({"net-priority": "0x48"}, start=False, users={"test": None, "own": None})
    server.write_file("users/own", "net-priority = 0x20\n")
    server.write_conf(config_per_user=server.dir + "/users")
    server.start()
    t.equal(tos_of_traffic(t, t.client(dtls=False)), {6: {0x48}}, "TLS")
    t.clients[-1].stop()
    t.equal(tos_of_traffic(t, t.client()), {17: {0x48}}, "DTLS")
    t.clients[-1].stop()
    t.equal(tos_of_traffic(t, t.client(user="own")), {17: {0x20}}, "DTLS of a user with his own")


def test_traffic_class_of_ipv6(t):
    """config.md 8.11: over IPv6 the byte is the traffic class."""
    t.server({"net-priority": "0x88"})
    t.equal(tos_of_traffic(t, t.client(host=SERVER6, dtls=False)), {6: {0x88}}, "TLS")
    t.clients[-1].stop()
    t.equal(tos_of_traffic(t, t.client(host=SERVER6)), {17: {0x88}}, "DTLS")


def counters(t):
    """{(protocol, priority): packets} that left the server's port 443."""
    rules = t.net.run(t.net.srv, "nft", "list", "table", "inet", "prio").stdout
    return {(m.group(1), int(m.group(2))): int(m.group(3)) for m in
            re.finditer(r"(tcp|udp) sport 443 meta priority (?:0:|:)?(\d+) counter packets (\d+)", rules)}


def test_socket_priority(t):
    """config.md 8.11: net-priority = 0 to 6 is the priority of the sockets, which the packets carry to the device."""
    lines = "".join("%s sport 443 meta priority 0:%d counter\n" % (p, n) for p in ("tcp", "udp") for n in (2, 5))
    t.net.nft(t.net.srv, "table inet prio { chain out { type filter hook output priority 0;\n%s}\n}\n" % lines)
    server = t.server({"net-priority": 5}, start=False, users={"test": None, "own": None})
    server.write_conf(config_per_user=server.dir + "/users")
    server.write_file("users/own", "net-priority = 2\n")
    server.start()
    for user, priority in (("test", 5), ("own", 2)):
        for dtls in (False, True):
            t.client(user=user, dtls=dtls).wait()
            before = counters(t)
            must_ping(t.net.cli, count=5)
            after = counters(t)
            grown = {key for key in after if after[key] - before[key] >= 5}
            t.equal(grown, {("udp" if dtls else "tcp", priority)}, "priority of %s's packets" % user)
            t.clients[-1].stop()


def test_bad_priority_is_named(t):
    """config.md 8.11: another value has no effect and is not refused; the start says what would be right."""
    server = t.server({"net-priority": "9"})
    t.expect("'9' has no effect; write 0 to 6, or 0xNN for a TOS byte" in server.log(), "the warning", server.log())
    t.equal(tos_of_traffic(t, t.client()), {17: {0}}, "no effect")
    t.clients[-1].stop()
    server.write_file("users/test", "net-priority = high\n")
    server.write_conf(net_priority="0x48", config_per_user=server.dir + "/users")
    server.reloaded()
    t.equal(tos_of_traffic(t, t.client()), {17: {0x48}}, "the host's stays")
    server.wait_log("'high' has no effect; write 0 to 6, or 0xNN")


def send_buffers(t, client):
    """(TCP, UDP) send buffers of the client's sockets, as the kernel counts them: twice what was asked for."""
    client.wait()

    def size(kind):
        out = t.net.run(t.net.srv, "ss", "-Hnm", kind, "state", "connected", "sport", "=", ":443").stdout
        return [int(n) for n in re.findall(r"skmem:\(r\d+,rb\d+,t\d+,tb(\d+)", out)]
    tcp, udp = size("-t"), size("-u")
    t.equal((len(tcp), len(udp)), (1, 1), "sockets of the client")
    return tcp[0], udp[0]


def test_output_buffer(t):
    """config.md 8.11: the send buffer in multiples of the link MTU; UDP never more than 2048 bytes."""
    server = t.server({"output-buffer": 20})
    t.equal(send_buffers(t, t.client()), (2 * 20 * 1500, 4608), "buffers; the kernel gives UDP no less than that")
    must_ping(t.net.cli, size=1300)
    t.clients[-1].stop()
    server.write_conf(output_buffer=None)
    server.reloaded()
    tcp, udp = send_buffers(t, t.client())
    t.expect(tcp != 60000 and udp > 1 << 20, "the defaults without the option", (tcp, udp))


def test_smallest_output_buffer(t):
    """config.md 8.11: bulk traffic passes with room for one packet only, too, on both channels."""
    t.server({"output-buffer": 1})
    for dtls in (False, True):
        t.client(dtls=dtls).wait()
        spent = transfer(t.net.cli, t.net.lan, size=10_000_000, down=True).duration
        t.expect(spent < 10 * t.slow, "10 MB in %.1f s" % spent)
        t.clients[-1].stop()
