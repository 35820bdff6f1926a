"""The `limit` prototype in place of a VPN server and its client: what this machine could do at best.

Its folder (limit.c) is named with --limit; it has fixed keys, and no login.
"""
import os

from lib.net import CLIENT4, SERVER4
from lib.shell import sh, wait_for

from .rows import DIRECTIONS, Iperf
from .world import Cost, cpu_seconds, stop

MODES = ("C", "D", "E2", "F")
TUN, SERVER_IN, CLIENT_IN = "limit", "198.19.0.1", "198.19.0.2"
# As the servers are measured: their cipher and the size of their packets.
KEYS = ("cipher=AES-256-GCM", "mtu=1434")


class Limit:
    """Both ends of the prototype in MODE."""

    def __init__(self, world, program, mode):
        self.world, self.jobs, log = world, [], os.path.join(world.new_dir("limit"), "log")
        with open(log, "w") as out:
            for namespace, role, here, there in ((world.net.srv, "srv", SERVER4, CLIENT4), (world.net.cli, "cli", CLIENT4, SERVER4)):
                self.jobs.append(world.start(namespace, program, role, mode, here, there, TUN, *KEYS, stdout=out, stderr=out))
                wait_for("the prototype's device", lambda: TUN in sh("ip", "-n", namespace, "-br", "link").stdout, 5)

        def ready():
            with open(log) as text:
                return text.read().count("limit: ready") == 2
        wait_for("the prototype to connect", ready, 10)
        for namespace, address in ((world.net.srv, SERVER_IN), (world.net.cli, CLIENT_IN)):
            sh("ip", "-n", namespace, "addr", "add", address + "/24", "dev", TUN)
            sh("ip", "-n", namespace, "link", "set", TUN, "mtu", "1434", "up")
        sh("ip", "-n", world.net.cli, "route", "add", "198.18.1.0/24", "dev", TUN)

    def cpu(self):
        return cpu_seconds(self.jobs[0].pid)

    def close(self):
        for job in reversed(self.jobs):
            stop(job)


def build(world, folder):
    program = os.path.join(world.dir, "limit")
    sh("gcc", "-std=c17", "-O2", "-o", program, os.path.join(folder, "limit.c"), "-lgnutls", timeout=120)
    return program


def limit(world, program, options):
    """Server CPU seconds per GB of each mode, both ways."""
    out = {}
    for mode in MODES:
        ends, iperf = Limit(world, program, mode), Iperf(world)
        for direction, arguments in DIRECTIONS.items():
            cost = Cost(ends)
            received, seconds = iperf.transfer(options.seconds, arguments)
            out["%s.%s.gbit_s" % (mode, direction)] = received * 8 / seconds / 1e9
            out["%s.%s.cpu_s_per_GB" % (mode, direction)] = cost.seconds() / (received / 1e9)
        iperf.close()
        ends.close()
    return out
