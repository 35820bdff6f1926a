"""Packets: both channels, both families, all kinds of negotiation, and what the client is told."""
import re
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor

from lib.harness import marks
from lib.net import CLIENT4, GATEWAY4, LAN4, LAN6, SERVER6
from lib.shell import wait_for
from lib.traffic import Pinger, Transfer, must_ping, ping, transfer, udp_echo
from lib.web import Tunnel, echo_request

TLS12 = '"NORMAL:%SERVER_PRECEDENCE:-VERS-ALL:+VERS-TLS1.2:+VERS-DTLS1.2:+VERS-DTLS1.0:+VERS-DTLS0.9"'


def everything_passes(t, client, size=50_000_000):
    """Pings of both sizes, datagrams, and SIZE bytes both ways, over IPv4 and IPv6."""
    for address in (LAN4, LAN6):
        must_ping(client.netns, address)
        must_ping(client.netns, address, count=2, size=1300)
        t.equal(udp_echo(client.netns, t.net.lan, address), 10, "datagrams to %s and back" % address)
        for down in (True, False):
            transfer(client.netns, t.net.lan, address, size=size if address == LAN4 else size // 5, down=down,
                     seconds=120)


@marks(seconds=120)
def test_traffic_over_dtls(t):
    """Checklist 120: ICMP, UDP and 50 MB of TCP both ways, IPv4 and IPv6 inside, over DTLS."""
    server = t.server()
    client = t.client().wait()
    t.expect("PSK" in server.user()["DTLS cipher"], "not the PSK negotiation", server.user())
    server.wait_log("setting up DTLS-PSK connection")
    everything_passes(t, client, 50_000_000 // t.slow)
    user = server.user()
    t.expect(int(user["RX"]) > 10_000_000 and int(user["TX"]) > 10_000_000, "counters", user)
    client.stop()


@marks(seconds=120)
def test_traffic_over_tls(t):
    """Checklist 120: the same over TLS alone."""
    server = t.server()
    client = t.client(dtls=False).wait()
    t.expect(not server.user().get("DTLS cipher"), "DTLS is shown for a client without it")
    everything_passes(t, client, 50_000_000 // t.slow)
    client.stop()


@marks(seconds=90)
def test_ipv6_outside(t):
    """Checklist 99, 120: both channels over IPv6."""
    server = t.server()
    client = t.client(host=SERVER6).wait()
    t.equal(server.user()["Remote IP"], "fd00:18::2", "remote address")
    everything_passes(t, client, 5_000_000)
    t.expect(int(client.env["INTERNAL_IP4_MTU"]) <= 1414, "MTU with IPv6 outside", client.env["INTERNAL_IP4_MTU"])
    client.stop()
    client = t.client(host=SERVER6, dtls=False).wait()
    everything_passes(t, client, 5_000_000)


@marks(seconds=90)
def test_tls12(t):
    """Checklist 125: PSK-NEGOTIATE over TLS 1.2; and TLS alone."""
    server = t.server({"tls-priorities": TLS12})
    client = t.client().wait()
    user = server.user()
    t.expect("TLS1.2" in user["TLS ciphersuite"] and "PSK" in user["DTLS cipher"], "ciphers", user)
    everything_passes(t, client, 5_000_000)
    client.stop()
    client = t.client(dtls=False).wait()
    everything_passes(t, client, 5_000_000)


@marks(seconds=90)
def test_legacy_dtls(t):
    """Checklist 126: each negotiable cipher of the old method; occtl shows it; without a common one no DTLS."""
    server = t.server({"dtls-legacy": "true"})
    for offer, shown in (("OC-DTLS1_2-AES256-GCM", "DTLS1.2"), ("OC-DTLS1_2-AES128-GCM", "AES-128-GCM"),
                         ("AES256-SHA", "AES-256-CBC"), ("AES128-SHA", "AES-128-CBC")):
        client = t.client(arguments=["--dtls-ciphers", offer, "--dtls12-ciphers", "NONE"]).wait()
        t.expect(shown in server.user()["DTLS cipher"], "cipher for " + offer, server.user())
        must_ping(client.netns)
        transfer(client.netns, t.net.lan, size=2_000_000, down=True)
        client.stop()
        server.wait_no_user()
    t.equal(server.log().count("setting up legacy DTLS (resumption) connection"), 4, "lines in the log")
    client = t.client(dtls=False, arguments=["--dtls-ciphers", "NONE", "--dtls12-ciphers", "NONE"]).wait()
    must_ping(client.netns)
    t.expect(not server.user().get("DTLS cipher"), "DTLS without a common cipher")


def test_legacy_dtls12_list(t):
    """Checklist 126, protocol 87: names of X-DTLS12-CipherSuite; PSK switched off in the server."""
    server = t.server({"dtls-psk": "false"})
    for offer in ("AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256"):
        client = t.client(arguments=["--dtls12-ciphers", offer]).wait()
        t.expect("PSK" not in server.user()["DTLS cipher"], "PSK although off", server.user())
        must_ping(client.netns)
        client.stop()
        server.wait_no_user()


def test_psk_without_legacy(t):
    """Checklist 125: dtls-legacy off, and match-tls-dtls-ciphers."""
    server = t.server({"dtls-legacy": "false", "match-tls-dtls-ciphers": "true"})
    client = t.client().wait()
    user = server.user()
    suite = user["TLS ciphersuite"].rsplit("-(", 1)[1]
    t.expect(suite in user["DTLS cipher"], "the ciphers do not match", user)
    must_ping(client.netns)


def test_no_udp(t):
    """Checklist 87, protocol 94: no-udp, and udp-port 0: no X-DTLS headers and a working tunnel."""
    for conf in ({"no-udp": "true"}, {"udp-port": 0}):
        server = t.server(conf)
        tunnel = t.web().must_login().open(headers=["X-DTLS-Master-Secret: " + "ab" * 48,
                                                   "X-DTLS-CipherSuite: PSK-NEGOTIATE:AES128-SHA"])
        t.expect("X-DTLS" not in tunnel.answer.head, "X-DTLS headers", tunnel.answer.head)
        tunnel.bye()
        client = t.client(dtls=False).wait()
        must_ping(client.netns)
        client.stop()
        server.stop()


def test_split_tunnel(t):
    """Checklist 106, 120, protocol 70: routes, exclusions, name servers and domains reach the script."""
    t.server({"route": ["198.18.1.0/24", "10.1.0.0/255.255.0.0", "fd00:19::/64"], "no-route": ["10.1.5.0/24"],
              "dns": ["198.18.1.53", "fd00:19::53"], "nbns": ["198.18.1.54"], "split-dns": ["one.test", "two.test"],
              "default-domain": "corp.test other.test"})
    web = t.web().must_login()
    answer = web.connect()
    t.equal(answer.headers("X-CSTP-Split-Include"), ["198.18.1.0/255.255.255.0", "10.1.0.0/255.255.0.0"], "includes")
    t.equal(answer.headers("X-CSTP-Split-Include-IP6"), ["fd00:19::/64"], "IPv6 includes")
    t.equal(answer.headers("X-CSTP-Split-Exclude"), ["10.1.5.0/255.255.255.0"], "excludes")
    t.equal(answer.headers("X-CSTP-Split-DNS"), ["one.test", "two.test"], "split DNS")
    t.equal(answer.headers("X-CSTP-Tunnel-All-DNS"), ["false"], "tunnel all DNS")
    t.equal(answer.headers("X-CSTP-DNS"), ["198.18.1.53", "fd00:19::53"], "DNS")
    Tunnel(web, answer).bye()
    client = t.client(dtls=False).wait()
    env = client.env
    t.equal(env["CISCO_SPLIT_INC"], "2", "number of includes")
    includes = {(env["CISCO_SPLIT_INC_%d_ADDR" % i], env["CISCO_SPLIT_INC_%d_MASK" % i]) for i in (0, 1)}
    t.equal(includes, {("198.18.1.0", "255.255.255.0"), ("10.1.0.0", "255.255.0.0")}, "includes in the script")
    t.equal(env["CISCO_SPLIT_EXC_0_ADDR"], "10.1.5.0", "exclude")
    t.equal(env["CISCO_IPV6_SPLIT_INC_0_ADDR"], "fd00:19::", "IPv6 include")
    servers = env["INTERNAL_IP4_DNS"].split() + env.get("INTERNAL_IP6_DNS", "").split()
    t.equal(servers, ["198.18.1.53", "fd00:19::53"], "name servers")
    t.equal(env["INTERNAL_IP4_NBNS"].split(), ["198.18.1.54"], "WINS servers")
    t.equal(env["CISCO_DEF_DOMAIN"], "corp.test other.test", "domain")
    t.equal(sorted(env["CISCO_SPLIT_DNS"].split(",")), ["one.test", "two.test"], "split DNS")
    must_ping(client.netns)
    # What is not in the list does not go through the tunnel.
    t.expect("dev tosrv" in t.net.ip(client.netns, "route", "get", "198.18.0.1").stdout, "server through the tunnel")


def test_full_tunnel(t):
    """Checklist 103, 108: no route means a default route; no-route is still sent."""
    t.server({"route": None, "no-route": ["10.9.0.0/16"], "dns": ["198.18.1.53"]})
    web = t.web().must_login()
    answer = web.connect()
    t.equal(answer.headers("X-CSTP-Split-Include"), [], "includes")
    t.equal(answer.headers("X-CSTP-Split-Exclude"), ["10.9.0.0/255.255.0.0"], "excludes")
    t.equal(answer.headers("X-CSTP-Tunnel-All-DNS"), ["true"], "tunnel all DNS")
    Tunnel(web, answer).bye()
    client = t.client().wait()
    t.expect("CISCO_SPLIT_INC" not in client.env, "includes in the script")
    t.expect(client.tun in t.net.ip(client.netns, "route", "get", "203.0.113.1").stdout, "no default route")
    must_ping(client.netns, LAN4)
    must_ping(client.netns, GATEWAY4)


def test_route_default_keyword(t):
    """Checklist 103: route = default clears the others."""
    t.server({"route": ["198.18.1.0/24", "default"]})
    answer = t.web().must_login().connect()
    t.equal(answer.headers("X-CSTP-Split-Include"), [], "includes")
    t.equal(answer.headers("X-CSTP-Tunnel-All-DNS"), ["true"], "tunnel all DNS")


def test_connect_headers(t):
    """Checklist 110, protocol 66, 67, 72, 84, 88: what every answer to CONNECT says, case and values."""
    t.server({"keepalive": 300, "dpd": 33, "idle-timeout": 1200, "session-timeout": 86400, "rekey-time": 3600,
              "custom-header": '"X-Mine: %{U}-%{G}"', "client-bypass-protocol": None})
    answer = t.web().must_login().connect(headers=["X-DTLS-Master-Secret: " + "AB" * 48,
                                                   "X-DTLS-CipherSuite: PSK-NEGOTIATE:AES128-SHA"])
    t.expect(answer.lines[0].startswith("HTTP/1.1 200 "), "status line", answer.lines[0])
    one = dict(line.split(": ", 1) for line in answer.lines[1:] if ": " in line)
    for name, value in (("X-CSTP-Version", "1"), ("X-CSTP-DPD", "33"), ("X-CSTP-Keepalive", "300"),
                        ("X-CSTP-Idle-Timeout", "1200"), ("X-CSTP-Session-Timeout", "86400"),
                        ("X-CSTP-Rekey-Method", "ssl"), ("X-CSTP-License", "accept"), ("X-CSTP-Hostname", "e2e"),
                        ("X-CSTP-Client-Bypass-Protocol", "false"), ("X-CSTP-Disconnected-Timeout", "none"),
                        ("X-DTLS-DPD", "33"), ("X-DTLS-Port", "443"), ("X-DTLS-CipherSuite", "PSK-NEGOTIATE"),
                        ("X-CSTP-Netmask", "255.255.255.0"), ("X-Mine", "test-")):
        t.equal(one.get(name), value, name)
    t.expect(86300 <= int(one["X-CSTP-Session-Timeout-Remaining"]) <= 86400, "time left", one)
    t.expect(len(bytes.fromhex(one["X-DTLS-App-ID"])) == 32, "App-ID", one)
    t.expect(one["X-CSTP-Address"].startswith("198.19.0."), "address", one)
    t.expect(one["X-CSTP-Address-IP6"].endswith("/128"), "IPv6 address", one)
    # TLS 1.3 with method ssl: the server updates its keys by itself (checklist 129).
    t.equal(one["X-CSTP-Rekey-Time"], "31536000", "rekey time with TLS 1.3")
    answer = t.web(tls=ssl.TLSVersion.TLSv1_2).must_login().connect()
    t.expect(abs(int(answer.header("X-CSTP-Rekey-Time")) - 3600) <= 30, "rekey time with TLS 1.2", answer.head)


def test_families(t):
    """Checklist 102, protocol 68: a client for IPv4 only gets no IPv6; the old agent neither."""
    t.server()
    answer = t.web().must_login().connect(types="IPv4")
    t.expect("IP6" not in answer.head and answer.header("X-CSTP-Address"), "IPv6 for an IPv4 client", answer.head)
    old = t.web()
    old.agent = "Open AnyConnect VPN Agent v3.20"
    answer = old.must_login().connect()
    t.expect("IP6" not in answer.head, "IPv6 for the old agent", answer.head)
    answer = t.web().must_login().connect(types="IPv6")
    t.expect(answer.header("X-CSTP-Address-IP6") and not answer.header("X-CSTP-Address"), "IPv4 unasked", answer.head)


def test_mtu_values(t):
    """Checklist 130, protocol 83, 95: 1434 on a 1500 byte link; senseless values are ignored."""
    server = t.server()
    client = t.client().wait()
    t.equal(client.env["INTERNAL_IP4_MTU"], "1434", "MTU over IPv4")
    t.equal(server.user()["MTU"], "1434", "MTU in occtl")
    must_ping(client.netns, LAN4, size=1434 - 28, extra=["-M", "do"])
    must_ping(client.netns, LAN6, size=1434 - 48)
    client.stop()
    dtls = ["X-DTLS-Master-Secret: " + "ab" * 48, "X-DTLS-CipherSuite: PSK-NEGOTIATE"]
    for base in ("0", "1", "500", "-1", "4294967295", "text", "20000"):
        answer = t.web().must_login().connect(mtu=base, headers=dtls)
        mtu, link = int(answer.header("X-CSTP-MTU")), int(answer.header("X-CSTP-Base-MTU"))
        t.expect(800 <= mtu < link <= 1500, "MTU for base %s: %d of %d" % (base, mtu, link))
    answer = t.web().must_login().connect(mtu=1400, headers=dtls)
    t.equal(answer.header("X-CSTP-MTU"), "1334", "MTU on a 1400 byte link")
    answer = t.web().must_login().connect(mtu=1280, headers=dtls)
    t.expect(not answer.header("X-CSTP-Address-IP6"), "IPv6 below its smallest MTU (protocol 69)", answer.head)
    t.web().must_login()


def test_mtu_option(t):
    """Config 8.8: the option mtu caps the tunnel's MTU."""
    t.server({"mtu": 1300})
    client = t.client().wait()
    t.expect(int(client.env["INTERNAL_IP4_MTU"]) <= 1300, "MTU", client.env["INTERNAL_IP4_MTU"])
    transfer(client.netns, t.net.lan, size=1_000_000, down=True)


def test_mtu_discovery_on_a_narrow_path(t):
    """Checklist 133: a path narrower than both ends believe still carries everything."""
    t.server({"try-mtu-discovery": "true"})
    t.net.ip(t.net.cli, "link", "set", "tosrv", "mtu", 1400)
    t.net.ip(t.net.srv, "link", "set", "tocli", "mtu", 1400)
    client = t.client().wait()
    must_ping(client.netns)
    for down in (True, False):
        transfer(client.netns, t.net.lan, size=2_000_000, down=down)


@marks(seconds=150)
def test_udp_cut_and_mended_while_data_flows(t):
    """Checklist 134, protocol 92: UDP gone: the transfer goes on over TLS; UDP back: DTLS carries it again.

    The client tries UDP again once a minute, which is why this test is the slowest."""
    server = t.server({"dpd": 3, "switch-to-tcp-timeout": 2})
    client = t.client().wait()
    job = Transfer(client.netns, t.net.lan, size=50_000_000, seconds=140, rate=500_000)
    job.start()
    time.sleep(1.5)
    t.net.cut_udp(443)
    time.sleep(1)
    before = job.done
    client.wait_for("data over TLS while UDP is cut", lambda: job.done > before + 1_000_000, 40)
    t.net.mend()
    start = udp_bytes(t)
    client.wait_for("DTLS to carry data again", lambda: udp_bytes(t) > start + 1_000_000, 80)
    t.expect(server.user().get("DTLS cipher"), "occtl shows no DTLS", server.user())
    job.rate = None
    job.finish()


def udp_bytes(t):
    """Bytes of UDP datagrams that reached the server's port, counted by a rule made on first use."""
    out = t.net.run(t.net.srv, "nft", "list", "table", "inet", "count", check=False).stdout
    if not out:
        t.net.nft(t.net.srv, "table inet count { chain in { type filter hook input priority 0; udp dport 443 counter; }\n }")
        return 0
    return int(re.search(r"bytes (\d+)", out).group(1))


@marks(seconds=90)
def test_udp_never_works(t):
    """UDP blocked from the start: the tunnel works over TLS."""
    server = t.server()
    t.net.cut_udp(443)
    client = t.client(dtls=False, arguments=["--dtls-ciphers", "PSK-NEGOTIATE"]).wait()
    must_ping(client.netns)
    transfer(client.netns, t.net.lan, size=2_000_000, down=True)


def test_stray_datagrams(t):
    """Checklist 123, 124: nonsense on the DTLS port and a repeated hello disturb nobody."""
    server = t.server()
    capture = HelloCapture(t)
    client = t.client().wait()
    hello = capture.first_hello()
    pinger = Pinger(client.netns, directory=t.dir)
    stray = t.net.socket(t.net.cli, socket.AF_INET, socket.SOCK_DGRAM)
    for data in (b"", b"\0", b"\x16" * 12, b"\x16\xfe\xff" + b"\0" * 200, bytes(range(256)) * 5, hello, hello, hello,
                 hello[:60], hello[:27] + b"\0" * 32 + hello[59:]):
        stray.sendto(data, ("198.18.0.1", 443))
        time.sleep(0.05)
    pinger.wait(11)
    stray.close()
    got, lost, _ = pinger.stop()
    t.expect(got > 10 and lost <= 1, "pings answered %d, lost %d" % (got, lost))
    must_ping(client.netns)
    t.expect(server.user().get("DTLS cipher"), "DTLS has gone")


class HelloCapture:
    """Sees the datagrams of the client on its way out, to play the first hello again."""

    def __init__(self, t):
        self.socket = t.net.socket(t.net.cli, socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
        self.socket.bind(("tosrv", 3))
        self.socket.settimeout(20)

    def first_hello(self):
        while True:
            packet = self.socket.recv(65536)
            if len(packet) > 100 and packet[9] == 17 and packet[28] == 22 and packet[41] == 1:
                self.socket.close()
                return packet[28:]


@marks(seconds=90)
def test_roaming_of_the_udp_channel(t):
    """Protocol 91: the UDP source changes (NAT rebinding) and the tunnel moves with it."""
    server = t.server()
    client = t.client(arguments=["--dtls-local-port=4444"]).wait()
    must_ping(client.netns)
    pinger = Pinger(client.netns, directory=t.dir)
    pinger.wait(3)
    # Stateless translation of the client's port, both ways, from now on.
    t.net.nft(t.net.cli, """table ip rebind {
        chain out { type filter hook output priority -300; udp sport 4444 notrack udp sport set 5555; }
        chain in { type filter hook prerouting priority -300; udp dport 5555 notrack udp dport set 4444; }
    }""")
    time.sleep(2)
    pinger.wait(20)
    got, lost, run = pinger.stop()
    t.expect(got > 20 and run <= 10, "pings answered %d, lost %d, in a row %d" % (got, lost, run))
    start = udp_bytes(t)
    transfer(client.netns, t.net.lan, size=2_000_000)
    t.expect(udp_bytes(t) > start + 1_000_000, "the data did not use UDP after the change")


@marks(seconds=120)
def test_roaming_of_the_whole_client(t):
    """Checklist 141: the client comes from another address, keeps its own inside, both channels work again."""
    server = t.server({"dpd": 2})
    t.net.add_client_address("198.18.77.7")
    client = t.client(arguments=["--reconnect-timeout", "60"]).wait()
    address = client.ip4
    t.net.use_source("198.18.77.7")
    t.net.ip(t.net.cli, "addr", "del", CLIENT4 + "/24", "dev", "tosrv")
    t.net.ip(t.net.cli, "addr", "add", "198.18.0.9/24", "dev", "tosrv")
    t.net.ip(t.net.srv, "route", "replace", "198.18.77.7/32", "via", "198.18.0.9")
    t.net.use_source("198.18.77.7")
    client.wait_for("a new connection", lambda: client.script_calls("reconnect"), 60)
    client.wait_for("pings", lambda: ping(client.netns, count=1), 30)
    user = server.user()
    t.equal(user["Remote IP"], "198.18.77.7", "remote address after roaming")
    t.equal(user["IPv4"], address, "inner address after roaming")


@marks(seconds=60)
def test_deny_roaming(t):
    """Checklist 141: with deny-roaming the cookie is worth nothing from another address."""
    t.server({"deny-roaming": "true"})
    other = t.net.add_client_address("198.18.77.7")
    web = t.web().must_login()
    t.equal(t.web(source=other).connect(cookie=web.cookies["webvpn"]).status, 401, "status from elsewhere")
    t.equal(t.web().connect(cookie=web.cookies["webvpn"]).status, 200, "status from home")


@marks(seconds=90)
def test_rekey(t):
    """Checklist 128, 129, protocol 11, 12: keys change while data flows, on the same device, with TLS 1.2 and 1.3."""
    for priorities, message, unwanted in (
            (TLS12, "TLS rehandshake completed", "TLS 1.3 session keys refreshed"),
            (None, r"TLS 1.3 session keys refreshed \(rekey\)", "TLS rehandshake completed")):
        conf = {"rekey-time": 3, "rekey-method": "ssl"}
        if priorities:
            conf["tls-priorities"] = priorities
        server = t.server(conf)
        client = t.client(dtls=False).wait()
        pinger = Pinger(client.netns, directory=t.dir)
        server.wait_log(message, 40)
        time.sleep(1)
        got, lost, _ = pinger.stop()
        t.expect(lost <= 2, "pings lost in the rekey: %d of %d" % (lost, got))
        t.expect(unwanted not in server.log(), "unwanted: " + unwanted)
        t.equal(server.log().count("assigning tun device"), 1, "devices made")
        client.stop()
        server.stop()


def test_priorities_without_a_cipher_for_dtls(t):
    """Protocol 6.2: with CBC ciphers alone no DTLS is offered that could not come up, but the one of AnyConnect."""
    cbc = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-CBC:+AES-128-CBC"
    for legacy in ("false", "true"):
        server = t.server({"tls-priorities": cbc, "dtls-legacy": legacy})
        client = t.client(dtls=legacy == "true").wait()
        must_ping(client.netns)
        t.equal("dtls-open" in server.log(), legacy == "true", "DTLS")
        t.expect("dtls-setup-failed" not in server.log() and "PSK-NEGOTIATE" not in client.log().partition("Got CONNECT")[2],
                 "what was offered\n" + client.log())
        client.stop()
        server.stop()


def test_clients_without_newer_extensions(t):
    """Protocol 86: neither extended master secret nor encrypt-then-MAC is required, of either channel."""
    server = t.server({"tls-priorities": TLS12, "dtls-legacy": "true"})
    for without, offer in (("", ()), ("-AES-256-GCM:-AES-128-GCM:-CHACHA20-POLY1305:-AES-128-CCM:-AES-256-CCM:",
                                      ("--dtls-ciphers", "AES128-SHA", "--dtls12-ciphers", "NONE"))):
        client = t.client(arguments=["--gnutls-priority", "NORMAL:-VERS-TLS-ALL:+VERS-TLS1.2:%s%%NO_SESSION_HASH:%%NO_ETM"
                                     % without, *offer]).wait()
        must_ping(client.netns)
        t.expect(server.user()["DTLS cipher"], "no DTLS", server.user())
        t.equal("CBC" in server.user()["TLS ciphersuite"], bool(offer), "a cipher with a MAC of its own")
        client.stop()
        server.wait_no_user()


@marks(seconds=90)
def test_rekey_by_new_tunnel(t):
    """Protocol 2.8: rekey-method new-tunnel: the client comes again with its cookie and keeps its address."""
    server = t.server({"rekey-time": 5, "rekey-method": "new-tunnel"})
    client = t.client().wait()
    first = server.user()
    t.equal(client.env["INTERNAL_IP4_ADDRESS"], first["IPv4"], "address")
    client.wait_for("a reconnection", lambda: client.script_calls("reconnect"), 50)
    client.wait_for("pings", lambda: ping(client.netns, count=1), 20)
    t.equal(server.user()["IPv4"], first["IPv4"], "address after the rekey")


def test_keepalive_and_dpd_frames(t):
    """Protocol 75, 74: DPD is answered with its payload, keepalive is not, bad magic ends the tunnel."""
    t.server()
    tunnel = t.web().must_login().open()
    tunnel.send(Tunnel.KEEPALIVE)
    tunnel.send(Tunnel.DPD_OUT, b"payload")
    t.equal(tunnel.receive_control(), (Tunnel.DPD_RESP, b"payload"), "answer to a DPD request")
    tunnel.send(Tunnel.DPD_OUT)
    t.equal(tunnel.receive_control(), (Tunnel.DPD_RESP, b""), "answer to an empty DPD request")
    # Frames may arrive in one record or in pieces.
    frame = b"STF\x01\x00\x02\x03\x00ab"
    tunnel.web.send(frame + frame)
    t.equal([tunnel.receive_control(), tunnel.receive_control()], [(Tunnel.DPD_RESP, b"ab")] * 2, "answers to two frames at once")
    tunnel.web.send(frame[:5])
    time.sleep(0.1)
    tunnel.web.send(frame[5:])
    t.equal(tunnel.receive_control(), (Tunnel.DPD_RESP, b"ab"), "answer to a frame in pieces")
    tunnel.send(99, b"unknown")
    tunnel.send(Tunnel.DATA)
    tunnel.send(Tunnel.DATA, b"\x00junk")
    tunnel.send(Tunnel.DATA, echo_request(tunnel.address, b"alive"))
    packet = tunnel.receive_data()
    t.expect(packet and packet.endswith(b"alive"), "no answer after odd frames")
    tunnel.web.send(b"XXXX\x00\x00\x00\x00")
    t.expect(tunnel.web.is_closed(), "bad magic does not end the tunnel")


@marks(seconds=60)
def test_client_that_stops_reading(t):
    """Checklist 135, protocol 81: it is disconnected in about 20 s and harms nobody else."""
    server = t.server(users={"test": None, "other": None})
    stuck = t.web().must_login().open()
    other = t.client(user="other", dtls=False).wait()
    stuck.web.socket.setsockopt(1, 8, 4096)  # SO_RCVBUF: so that it fills soon
    pinger = Pinger(other.netns, directory=t.dir)
    flood = t.net.socket(t.net.lan, 2, 2)  # UDP towards the stuck client
    end = time.monotonic() + 40
    while server.users("test") and time.monotonic() < end:
        for _ in range(2000):
            try:
                flood.sendto(b"x" * 1300, (stuck.address, 9))
            except OSError:
                pass
        time.sleep(0.3)
    flood.close()
    t.expect(not server.users("test"), "the client that does not read is still there")
    got, lost, run = pinger.stop()
    t.expect(run <= 10, "the other client lost %d pings in a row" % run)


@marks(seconds=120)
def test_fifty_clients_see_only_their_own(t):
    """Checklist 96, protocol 82: fifty tunnels at once, distinct addresses, each gets its own answers, forged sources vanish."""
    users = {"user%d" % n: None for n in range(50)}
    server = t.server(users={})
    server.passwd("user0")
    with open(server.dir + "/passwd") as line:
        hash_part = line.read().strip().split(":", 1)[1]
    with open(server.dir + "/passwd", "w") as out:
        out.writelines("%s:%s\n" % (user, hash_part) for user in users)
    with ThreadPoolExecutor(10) as pool:
        tunnels = list(pool.map(lambda user: t.web(timeout=60).must_login(user).open(types="IPv4"), users))
    addresses = {tunnel.address for tunnel in tunnels}
    t.equal(len(addresses), 50, "distinct addresses")
    t.expect(not addresses & {"198.19.0.0", "198.19.0.1", "198.19.0.255"}, "a reserved address was given")
    t.equal(len(server.users()), 50, "users in occtl")
    for n, tunnel in enumerate(tunnels):
        tunnel.send(Tunnel.DATA, echo_request(tunnel.address, b"own-%d." % n))
        victim = tunnels[(n + 1) % 50]
        tunnel.send(Tunnel.DATA, echo_request(victim.address, b"forged-%d." % n))
        tunnel.send(Tunnel.DATA, echo_request(LAN4, b"forged-%d." % n))
    for n, tunnel in enumerate(tunnels):
        packet = tunnel.receive_data()
        t.expect(packet and packet.endswith(b"own-%d." % n), "client %d got %r" % (n, packet))
    for n, tunnel in enumerate(tunnels):
        packet = tunnel.receive_data(0.02)
        t.expect(packet is None, "client %d also got %r" % (n, packet))
    # They may talk to each other, by their own addresses.
    tunnels[0].send(Tunnel.DATA, echo_request(tunnels[0].address, b"hello", tunnels[1].address))
    packet = tunnels[1].receive_data()
    t.expect(packet and packet.endswith(b"hello"), "no packet from client to client")
    for tunnel in tunnels:
        tunnel.bye()
    server.wait_no_user(None, 20)
    wait_for("the devices to go", lambda: not server.devices(), 10)
