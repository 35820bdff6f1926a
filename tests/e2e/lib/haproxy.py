"""Debian's HAProxy in front of the server (mode tcp), and PROXY headers written by hand."""
import ipaddress
import os
import socket
import struct

from .net import SERVER4, SERVER6
from .service import Service

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
CONF = """global
    stats socket %(dir)s/stats mode 600
defaults
    mode tcp
    timeout connect 5s
    timeout client 5m
    timeout server 5m
    timeout check 20s
frontend vpn
%(binds)s
    default_backend vpn
backend vpn
    server one %(to)s %(options)s
"""


# The server's part of it: another TCP port, while datagrams come directly.
BEHIND = {"tcp-port": 4443}


class HAProxy(Service):
    """HAProxy on the server's machine, where clients look for the server, in front of port 4443.
    OPTIONS end its server line: send-proxy, send-proxy-v2, check ..."""

    NAME = "HAProxy"

    def __init__(self, test, options=""):
        super().__init__(test, "haproxy")
        self.stats = self.dir + "/stats"
        binds = ["%s:443" % SERVER4, "[%s]:443" % SERVER6]
        with open(self.dir + "/conf", "w") as conf:
            conf.write(CONF % {"dir": self.dir, "to": "127.0.0.1:4443", "options": options,
                               "binds": "\n".join("    bind " + bind for bind in binds)})
        test.closables.append(self)
        self.start()

    def start(self):
        self.launch("haproxy", "-db", "-f", self.dir + "/conf")
        return self.wait_serving(lambda: os.path.exists(self.stats) and self.ask("show info"))

    def ask(self, command):
        """An answer of its control socket; "" while there is none."""
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(5)
                s.connect(self.stats)
                s.sendall(command.encode() + b"\n")
                return b"".join(iter(lambda: s.recv(65536), b"")).decode()
        except OSError:
            return ""

    def server_state(self):
        """What its health checks found: UP, DOWN, "no check", and the last check's result."""
        lines = [line.split(",") for line in self.ask("show stat").splitlines()]
        names = lines[0]
        row = [line for line in lines if line[1:2] == ["one"]][0]
        return row[names.index("status")], row[names.index("check_status")]

    def stop(self):
        super().stop()
        if os.path.exists(self.stats):
            os.unlink(self.stats)


def v1(source, destination="198.18.0.1", sport=40000, dport=443):
    family = "TCP6" if ":" in source else "TCP4"
    return ("PROXY %s %s %s %d %d\r\n" % (family, source, destination, sport, dport)).encode()


def v2(source=None, destination="198.18.0.1", sport=40000, dport=443, tlvs=b"", command=1):
    """SOURCE None: an address family of "unspecified"."""
    family, body = 0, b""
    if source:
        family = 0x21 if ":" in source else 0x11
        body = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed + \
            struct.pack(">HH", sport, dport) + tlvs
    return SIGNATURE + bytes([0x20 | command, family]) + struct.pack(">H", len(body)) + body


def tlv(kind, value):
    return struct.pack(">BH", kind, len(value)) + value
