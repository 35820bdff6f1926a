"""The network of one test: client(s) --- server --- host behind it, a namespace each.

              198.18.0.2                198.18.0.1  198.18.1.1              198.18.1.2
              fd00:18::2                fd00:18::1  fd00:19::1              fd00:19::2
    cli  tosrv ------------------ tocli   srv   tolan ----------------- tosrv   lan

The tunnel's pools are 198.19.0.0/24 and fd00:77::/64; the host behind the server routes them to it.
"""
import ipaddress
import os
import shutil

from .shell import netns_socket, sh

SERVER4, CLIENT4, GATEWAY4, LAN4 = "198.18.0.1", "198.18.0.2", "198.18.1.1", "198.18.1.2"
SERVER6, CLIENT6, GATEWAY6, LAN6 = "fd00:18::1", "fd00:18::2", "fd00:19::1", "fd00:19::2"
POOL4, POOL6 = "198.19.0.0/24", "fd00:77::/64"
NETNS_ETC = "/etc/netns"


class Net:
    """Makes the namespaces; close() removes them with everything in them."""

    def __init__(self, prefix):
        self.srv, self.cli, self.lan = (prefix + "-" + name for name in ("srv", "cli", "lan"))
        self.all = []
        self._prefix, self._extra = prefix, 0

    def open(self):
        for name in (self.srv, self.cli, self.lan):
            self._add(name)
        self._veth(self.srv, "tocli", SERVER4, SERVER6, self.cli, "tosrv", CLIENT4, CLIENT6)
        self._veth(self.srv, "tolan", GATEWAY4, GATEWAY6, self.lan, "tosrv", LAN4, LAN6)
        for pool, via in ((POOL4, GATEWAY4), (POOL6, GATEWAY6)):
            sh("ip", "-n", self.lan, "route", "add", pool, "via", via)
        self.sysctl(self.srv, "net/ipv4/ip_forward", 1)
        self.sysctl(self.srv, "net/ipv6/conf/all/forwarding", 1)
        return self

    def _add(self, name):
        sh("ip", "netns", "add", name)
        self.all.append(name)
        # No waiting for duplicate address detection: the addresses are usable at once.
        # And no packets of the kernel's own into tunnels, at a time of its choice: tests count what they send.
        for key in ("all", "default"):
            for what, value in (("accept_dad", 0), ("router_solicitations", 0), ("mldv2_unsolicited_report_interval", 1)):
                self.sysctl(name, "net/ipv6/conf/%s/%s" % (key, what), value)
        sh("ip", "-n", name, "link", "set", "lo", "up")

    def _veth(self, one, one_if, one4, one6, two, two_if, two4, two6):
        sh("ip", "-n", one, "link", "add", one_if, "type", "veth", "peer", "name", two_if, "netns", two)
        for name, device, v4, v6 in ((one, one_if, one4, one6), (two, two_if, two4, two6)):
            sh("ip", "-n", name, "addr", "add", v4 + "/24", "dev", device)
            sh("ip", "-n", name, "addr", "add", v6 + "/64", "dev", device, "nodad")
            sh("ip", "-n", name, "link", "set", device, "up")

    def sysctl(self, name, key, value):
        self.run(name, "sh", "-c", "echo %s > /proc/sys/%s" % (value, key))

    def run(self, name, *command, **options):
        return sh("ip", "netns", "exec", name, *command, **options)

    def ip(self, name, *arguments, **options):
        return sh("ip", "-n", name, *arguments, **options)

    def etc(self, name, file, text):
        """Commands started in namespace NAME find TEXT as /etc/FILE, which must exist: `ip netns exec` mounts it."""
        folder = os.path.join(NETNS_ETC, name)
        os.makedirs(folder, mode=0o755, exist_ok=True)
        path = os.path.join(folder, file)
        with open(path, "w") as out:
            out.write(text)
        os.chmod(path, 0o644)

    def nft(self, name, rules):
        return self.run(name, "nft", "-f", "-", stdin=rules)

    def socket(self, name, *arguments):
        return netns_socket(name, *arguments)

    def add_client_address(self, address):
        """Another address of the client, off the server's own subnet (those are never banned)."""
        length = 32 if ipaddress.ip_address(address).version == 4 else 128
        via = CLIENT4 if length == 32 else CLIENT6
        options = ["nodad"] if length == 128 else []
        self.ip(self.cli, "addr", "add", "%s/%d" % (address, length), "dev", "lo", *options)
        self.ip(self.srv, "route", "replace", "%s/%d" % (address, length), "via", via)
        return address

    def use_source(self, address):
        """The client speaks to the server from ADDRESS (one of its own) from now on."""
        if ipaddress.ip_address(address).version == 4:
            self.ip(self.cli, "route", "replace", SERVER4 + "/32", "dev", "tosrv", "src", address)
        else:
            self.ip(self.cli, "route", "replace", SERVER6 + "/128", "dev", "tosrv", "src", address)

    def add_client(self):
        """Another client namespace, on a subnet of its own; gives its name."""
        self._extra += 1
        n, name = self._extra, "%s-cli%d" % (self._prefix, self._extra)
        self._add(name)
        self._veth(self.srv, "tocli%d" % n, "198.18.%d.1" % (10 + n), "fd00:18:%d::1" % n,
                   name, "tosrv", "198.18.%d.2" % (10 + n), "fd00:18:%d::2" % n)
        self.ip(name, "route", "add", "default", "via", "198.18.%d.1" % (10 + n))
        self.ip(name, "-6", "route", "add", "default", "via", "fd00:18:%d::1" % n)
        return name

    # Cutting and mending the way between client and server.
    def cut_udp(self, port):
        self._cut("udp dport %d" % port, "udp sport %d" % port)

    def cut_all(self):
        """Packets vanish; nobody is told (a cable pulled behind the next router)."""
        self._cut('iifname "tocli*"', 'oifname "tocli*"')

    def _cut(self, incoming, outgoing):
        self.nft(self.srv, """table inet cut {
            chain in { type filter hook input priority -10; %s drop; }
            chain out { type filter hook output priority -10; %s drop; }
        }""" % (incoming, outgoing))

    def mend(self):
        self.run(self.srv, "nft", "delete", "table", "inet", "cut")

    def close(self):
        for name in self.all:
            sh("ip", "netns", "del", name, check=False)
            shutil.rmtree(os.path.join(NETNS_ETC, name), ignore_errors=True)


def remove_namespaces(prefix):
    """For what a killed test left: every namespace whose name starts with PREFIX."""
    for line in sh("ip", "netns", "list").stdout.splitlines():
        name = line.split(" ")[0]
        if name.startswith(prefix):
            sh("ip", "netns", "del", name, check=False)
            shutil.rmtree(os.path.join(NETNS_ETC, name), ignore_errors=True)
