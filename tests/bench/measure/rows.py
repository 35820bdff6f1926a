"""What is measured.  Each function gets a running server and gives {figure: value}."""
import json
import re
import statistics
import subprocess
import time

from lib.shell import Failure

from .world import CLIENTS, LAN4, Cost, stop, wait_listening

CHANNELS = {"dtls": True, "tls": False}
DIRECTIONS = {"down": ["-R"], "up": []}
SIZES = (64, 512, 1400)
PORT = 5201
# Packets in the device of a client whose own queue shall not be what is measured (500 by default).
SHORT_QUEUE = 32


class Iperf:
    """An iperf3 server behind the VPN server, and transfers to it."""

    def __init__(self, world):
        self.world = world
        self.process = world.start(world.net.lan, "iperf3", "-s", "-B", LAN4, "-p", PORT)
        wait_listening(world, world.net.lan, PORT)

    def transfer(self, seconds, arguments):
        """(bytes received, seconds) of one TCP transfer."""
        run = self.world.net.run(self.world.net.cli, "iperf3", "-J", "-c", LAN4, "-p", PORT, "-t", seconds, *arguments,
                                 check=False, timeout=seconds + 30)
        try:
            total = json.loads(run.stdout)["end"]["sum_received"]
            return total["bytes"], total["seconds"]
        except (ValueError, KeyError):
            raise Failure("iperf3 failed: " + run.stdout[-500:])

    def close(self):
        stop(self.process)


class Loss:
    """Datagrams that the socket at the end of a channel had no room for, from now on."""

    def __init__(self, world, namespace):
        self.world, self.namespace = world, namespace
        self.before = self._counters()

    def _counters(self):
        text = self.world.net.run(self.namespace, "cat", "/proc/net/snmp").stdout
        names, values = (line.split() for line in text.splitlines() if line.startswith("Udp:"))
        udp_mib = dict(zip(names, values))
        return [int(udp_mib[name]) for name in ("RcvbufErrors", "InDatagrams")]

    def percent(self):
        lost, taken = (now - then for now, then in zip(self._counters(), self.before))
        return 100 * lost / max(lost + taken, 1)


def data(world, subject, options, client="openconnect"):
    """TCP through the tunnel, both ways, on both channels."""
    out = {}
    for channel, dtls in CHANNELS.items():
        tunnel, iperf = CLIENTS[client](world, dtls), Iperf(world)
        out[channel + ".cipher"] = tunnel.cipher
        for direction, arguments in DIRECTIONS.items():
            cost, loss = Cost(subject), Loss(world, world.net.cli if direction == "down" else world.net.srv)
            received, seconds = iperf.transfer(options.seconds, arguments)
            key = "%s.%s." % (channel, direction)
            out[key + "gbit_s"] = received * 8 / seconds / 1e9
            out[key + "cpu_s_per_GB"] = cost.seconds() / (received / 1e9)
            if dtls:
                out[key + "lost_percent"] = loss.percent()
        iperf.close()
        tunnel.close()
    return out


def load(world, subject, options):
    """The same with our own client, which leaves the server to be the bottleneck."""
    return data(world, subject, options, client="vpnload")


def datagrams(world, sender, receiver, address, size, options):
    """Datagrams of SIZE bytes that arrive in the namespace RECEIVER."""
    tool = world.program("udpload")
    sink = world.start(receiver, tool, "receive", address, PORT, stdout=subprocess.PIPE)
    sink.stdout.readline()
    world.net.run(sender, tool, "send", address, PORT, size, int(options.seconds * 1000), options.udp_rate,
                  timeout=options.seconds + 30)
    time.sleep(0.2)  # what is still on its way
    sink.terminate()
    return int(sink.communicate(timeout=10)[0].split()[1])


def udp(world, subject, options):
    """Datagrams over DTLS with our own client: what arrives, and what the server spends on it."""
    out = {}
    tunnel = CLIENTS["vpnload"](world, True)
    net = world.net
    for size in options.sizes:
        for direction in DIRECTIONS:
            ends = (net.lan, net.cli, tunnel.address) if direction == "down" else (net.cli, net.lan, LAN4)
            cost = Cost(subject)
            received = datagrams(world, *ends, size, options)
            key = "%d.%s." % (size, direction)
            out[key + "packets_s"] = received / options.seconds
            out[key + "packets_per_cpu_s"] = received / max(cost.seconds(), 0.01)
    tunnel.close()
    return out


def pings(world, seconds):
    """Round-trip times in ms of pings through the tunnel, fifty a second."""
    run = world.net.run(world.net.cli, "ping", "-n", "-i", "0.02", "-w", max(1, round(seconds)), LAN4, check=False,
                        timeout=seconds + 30)
    times = sorted(float(t) for t in re.findall(r"time=([\d.]+) ms", run.stdout))
    if len(times) < 2:
        raise Failure("no answers to pings: " + run.stdout[-500:])
    return times


def beside_transfer(world, options, arguments):
    """Pings beside a TCP transfer; without ARGUMENTS there is none."""
    job = None
    if arguments is not None:
        job = world.start(world.net.cli, "iperf3", "-c", LAN4, "-p", PORT, "-t", int(options.seconds) + 1, *arguments)
        time.sleep(0.5)  # it is under way
    times = pings(world, options.seconds)
    if job:
        job.wait(options.seconds + 30)
    return times


def latency(world, subject, options):
    """Pings through the tunnel (openconnect, DTLS), idle and beside a TCP transfer."""
    out = {}
    tunnel, iperf = CLIENTS["openconnect"](world, True), Iperf(world)
    for beside, arguments in (("idle", None), ("down", ["-R"]), ("up", []), ("up_short_queue", [])):
        if beside == "up_short_queue":
            world.net.ip(world.net.cli, "link", "set", tunnel.client.tun, "txqueuelen", SHORT_QUEUE)
        times = beside_transfer(world, options, arguments)
        out[beside + ".p50_ms"] = statistics.median(times)
        out[beside + ".p99_ms"] = times[min(len(times) - 1, int(len(times) * 0.99))]
    iperf.close()
    tunnel.close()
    return out
