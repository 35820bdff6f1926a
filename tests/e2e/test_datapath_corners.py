"""The data path where the network is unkind: small and shrinking MTUs, devices without offloads, full queues, a client that
stops reading; and what must go on beside a saturating transfer."""
import re
import time

from lib.datapath import FEATURES, TLS12, Endless, worker_memory, without
from lib.harness import marks
from lib.net import LAN4, LAN6, SERVER4, SERVER6
from lib.shell import wait_for
from lib.traffic import Pinger, Transfer, must_ping, ping, transfer
from lib.web import Tunnel
from lib.wire import FOREIGN4, FOREIGN6, Wire, mixed


def outer_mtu(t, mtu):
    t.net.ip(t.net.cli, "link", "set", "tosrv", "mtu", mtu)
    t.net.ip(t.net.srv, "link", "set", "tocli", "mtu", mtu)


def both_ways(t, client, size=2_000_000, address=LAN4):
    jobs = [Transfer(client.netns, t.net.lan, address, size=size // t.slow, down=down) for down in (True, False)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.finish()


def shrinking(t, *off):
    """The path's MTU falls while packets of the old size are on their way, and sockets refuse them."""
    for discovery, host in (("true", SERVER4), ("false", SERVER4), ("true", SERVER6)):
        server = t.server(dict(without(*off), **{"try-mtu-discovery": discovery}))
        outer_mtu(t, 1500)
        client = t.client(host=host).wait()
        must_ping(client.netns)
        jobs = [Endless(client, t.net.lan, down=down) for down in (True, False)]
        for job in jobs:
            job.wait_progress(500_000)
        outer_mtu(t, 1350)
        for job in jobs:
            job.wait_progress(500_000)
            job.end()
        if discovery == "true":
            link = int(server.wait_log(r"mtu-lowered.* link=(\d+)").group(1))
            t.expect(1280 <= link <= 1350, "link MTU %d" % link)
            # Less than IPv6 needs inside is left by IPv6 outside: packets of these last bytes take the TLS channel.
            most = link - 28 - 37 - 1 if host == SERVER4 else 1280
            t.expect(int(server.user()["MTU"]) <= most, "MTU of the session", server.user())
        must_ping(client.netns, size=1300)
        both_ways(t, client, 500_000, LAN6)
        client.stop()
        server.stop()


@marks(seconds=90)
def test_path_mtu_falls_in_mid_flow(t):
    """MTU change in mid-flow, EMSGSIZE: with discovery the MTU follows, without it packets are fragmented."""
    shrinking(t)


@marks(seconds=90)
def test_path_mtu_falls_in_mid_flow_plain(t):
    """The same one packet at a time."""
    shrinking(t, *FEATURES)


@marks(seconds=60)
def test_tiny_mtus(t):
    """Inner MTUs of 576 and of 1280 with IPv6: all corners of packets in these sizes, and files."""
    t.server()
    outer_mtu(t, 1346)
    client = t.client().wait()
    t.equal(client.env["INTERNAL_IP4_MTU"], "1280", "MTU that just carries IPv6")
    six, wire = client.ip6.split("/")[0], Wire(t, client)
    wire.up(mixed(client.ip4, FOREIGN4, six, FOREIGN6, 1200))
    wire.down(mixed(FOREIGN4, client.ip4, FOREIGN6, six, 1200))
    for address in (LAN4, LAN6):
        both_ways(t, client, 1_000_000, address)
    # Smaller than any MTU we announce: devices of others' configuration.
    t.net.ip(client.netns, "link", "set", client.tun, "mtu", 576)
    t.net.ip(t.net.srv, "link", "set", "vpns0", "mtu", 576)
    both_ways(t, client, 500_000)
    must_ping(client.netns, size=548, extra=["-M", "do"])
    must_ping(client.netns, size=4000)


@marks(seconds=60)
def test_devices_without_offloads(t):
    """An outer device that cannot segment UDP, cannot checksum, and merges what it receives, in mid-session."""
    t.server()
    client = t.client().wait()
    for changes in (["tx-udp-segmentation", "off"], ["tx", "off"], ["tx", "on", "gso", "off"], ["gro", "on", "gso", "on"]):
        for name, device in ((t.net.srv, "tocli"), (client.netns, "tosrv")):
            t.net.run(name, "ethtool", "-K", device, *changes)
        for address in (LAN4, LAN6):
            both_ways(t, client, 1_000_000, address)
    must_ping(client.netns)


def corners_beside(t, *off):
    server = t.server(without(*off), users={"udp": None, "tcp": None})
    for user, dtls in (("udp", True), ("tcp", False)):
        client = t.client(user=user, dtls=dtls).wait()
        jobs = [Endless(client, t.net.lan, address, down=down) for address in (LAN4, LAN6) for down in (True, False)]
        wire, six = Wire(t, client, lossy=True), client.ip6.split("/")[0]
        for job in jobs:
            job.wait_progress(200_000)
        wire.up(mixed(client.ip4, FOREIGN4, six, FOREIGN6, 1300))
        wire.down(mixed(FOREIGN4, client.ip4, FOREIGN6, six, 1300))
        for job in jobs:
            job.end()
        client.stop()
        server.wait_no_user(user)


@marks(seconds=90)
def test_corners_beside_transfers(t):
    """Packets of all corners among the batches of four saturating transfers: unharmed, and each flow in order."""
    corners_beside(t)


@marks(seconds=90)
def test_corners_beside_transfers_plain(t):
    """The same one packet at a time."""
    corners_beside(t, *FEATURES)


@marks(seconds=60)
def test_full_queue_of_the_device(t):
    """The outer device takes 20 Mbit/s and queues a few packets: it loses some, and the transfers go on."""
    t.server(users={"udp": None, "tcp": None})
    clients = [t.client(user="udp").wait(), t.client(user="tcp", dtls=False).wait()]
    t.net.run(t.net.srv, "tc", "qdisc", "add", "dev", "tocli", "root", "tbf", "rate", "20mbit", "burst", "10k", "limit", "15k")
    for client in clients:
        must_ping(client.netns)
    jobs = [Transfer(t.net.cli, t.net.lan, size=1_500_000, down=True) for _ in range(2)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.finish()
    both_ways(t, clients[0], 500_000, LAN6)


def flooded(t, device, address):
    """Sends datagrams to ADDRESS in the tunnel; whether the queue of its device was full, because nobody reads it."""
    dropped = lambda: int(t.net.run(t.net.srv, "cat", "/sys/class/net/%s/statistics/tx_dropped" % device).stdout)
    before = dropped()
    with t.net.socket(t.net.lan, 2, 2) as sock:
        for _ in range(700):
            sock.sendto(b"x" * 1300, (address, 9))
    time.sleep(0.1)
    return dropped() > before + 600


@marks(seconds=60)
def test_client_stopped_in_a_download(t):
    """A full TCP socket: the TUN is not read, memory stays bounded, the others notice nothing; then it goes on."""
    server = t.server(users={"test": None, "other": None})
    client = t.client(dtls=False).wait()
    worker = int(server.user()["ID"])
    other = t.client(user="other", netns=t.net.add_client(), host="198.18.11.1", dtls=False).wait()
    jobs = [Endless(client, t.net.lan, down=True) for _ in range(4)]
    for job in jobs:
        job.wait_progress(1_000_000)
    memory, pinger = worker_memory(worker), Pinger(other.netns, directory=t.dir)
    client.freeze()
    wait_for("the TUN not to be read any more", lambda: flooded(t, server.user()["Device"], client.ip4))
    transfer(other.netns, t.net.lan, size=2_000_000, down=True)
    t.expect(worker_memory(worker) < memory + 2_000_000, "memory before and with a stuck client", memory, worker_memory(worker))
    client.thaw()
    for job in jobs:
        job.wait_progress(500_000)
        job.end()
    got, lost, run = pinger.stop()
    t.expect(got >= 10 and run <= 5, "the other client: %d answers, %d lost, %d in a row" % (got, lost, run))
    must_ping(client.netns)


@marks(seconds=60)
def test_control_in_a_full_channel(t):
    """A question asked while the TCP channel is full is answered after what is in it, not left out."""
    server = t.server()
    tunnel = t.web().must_login().open(types="IPv4")
    tunnel.web.socket.setsockopt(1, 8, 4096)  # SO_RCVBUF: so that it fills soon
    wait_for("the channel to be full", lambda: flooded(t, server.user()["Device"], tunnel.address))
    tunnel.send(Tunnel.DPD_OUT, b"still there?")
    time.sleep(0.3)
    t.equal(tunnel.receive_control(10), (Tunnel.DPD_RESP, b"still there?"), "answer in a full channel")
    tunnel.bye()


def beside(t, dtls, *off):
    """Both directions saturated for some seconds: pings of this session and of another, and DPD, go on."""
    server = t.server(dict(without(*off), **{"dpd": 2}), users={"test": None, "other": None})
    client = t.client(dtls=dtls).wait()
    other = t.client(user="other", dtls=dtls, netns=t.net.add_client(), host="198.18.11.1").wait()
    jobs = [Endless(client, t.net.lan, down=down) for down in (True, False)]
    pingers = [Pinger(each.netns, directory=t.dir) for each in (client, other)]
    time.sleep(7)  # more than three times DPD
    for job in jobs:
        job.end()
        t.expect(job.longest < 1 * t.slow, "a transfer stood still for %.2f s" % job.longest)
    for pinger, name in zip(pingers, ("the busy client", "the other client")):
        got, lost, run = pinger.stop()
        times = sorted(pinger.times())
        t.notes.append("%s: %d pings, %d lost, median %.1f ms, longest %.1f ms" % (name, got, lost, times[len(times) // 2], times[-1]))
        t.expect(got > 30 and run <= 5 and times[len(times) // 2] < 500 * t.slow, t.notes[-1])
    t.expect("dead" not in client.log().lower() and not client.script_calls("reconnect"), "DPD gave the session up")
    t.expect("udp-state" not in server.log() or "inactive" not in server.log(), "DTLS was given up")


@marks(seconds=60)
def test_beside_a_transfer_over_dtls(t):
    """No session starves its own or another's control traffic, over DTLS."""
    beside(t, True)


@marks(seconds=60)
def test_beside_a_transfer_over_tls(t):
    """The same over TLS."""
    beside(t, False)


def soon_to_rekey(t, server, dtls=True):
    """A client with a short interval, which the server draws from half a minute; and when it is up."""
    while True:
        client = t.client(dtls=dtls).wait()
        since, seconds = time.monotonic(), int(re.search(r"X-CSTP-Rekey-Time: (\d+)", client.log()).group(1))
        if seconds <= 9:
            return client, since + seconds
        client.stop()
        server.wait_no_user()


def rekey(t, channel, method="ssl", off=()):
    """Keys change in the middle of transfers both ways: no byte is lost or changed, nothing stands still for long."""
    server = t.server({"rekey-time": 2, "rekey-method": method, "tls-priorities": TLS12, **without(*off)})
    client, due = soon_to_rekey(t, server, dtls=channel == "DTLS")
    due += 10 if channel == "DTLS" and method == "ssl" else 0  # protocol.md 5.3
    associations = server.log().count("dtls-open")
    time.sleep(max(0, due - 1 - time.monotonic()))
    jobs = [Endless(client, t.net.lan, down=down) for down in (True, False)]
    client.wait_log(channel + " rekey due" if method == "ssl" else "CSTP rekey due", 10)
    if method == "new-tunnel":
        client.wait_for("a new tunnel", lambda: client.script_calls("reconnect"))
    keys_changed(t, server, client, jobs, 4 if method == "new-tunnel" else 1, off)
    if method == "ssl" and not gave_up(client):
        t.equal(server.log().count("dtls-open"), associations, "associations")


def key_update(t, off):
    """Of some sessions, the second update of that whose first comes first."""
    server = t.server(dict({"rekey-time": 1}, **without(*off)), users={"user%d" % n: None for n in range(6)})
    clients = [t.client(user="user%d" % n, dtls=False, netns=t.net.add_client(), host="198.18.%d.1" % (11 + n)) for n in range(6)]
    for client in clients:
        client.wait()
    began = time.monotonic()
    first = int(server.wait_log(r'rekeyed session=\S+ user="user(\d)".*channel="tls1.3"', 35).group(1))
    took = time.monotonic() - began
    for n, client in enumerate(clients):
        if n != first:
            client.stop()
    time.sleep(max(0, took - 1.5))
    jobs = [Endless(clients[first], t.net.lan, down=down) for down in (True, False)]
    wait_for("another update", lambda: server.log().count("rekeyed session") >= 2, 10 * t.slow)
    keys_changed(t, server, clients[first], jobs, 1, off)


def gave_up(client):
    """openconnect makes a new tunnel when data that was on its way crosses its hello at the wrong moment."""
    return re.search("expecting handshake data|Rehandshake failed", client.log())


def keys_changed(t, server, client, jobs, most, off):
    most = 4 if gave_up(client) else most
    for job in jobs:
        job.wait_progress(2_000_000)
        job.end()
        t.expect(job.longest < most * t.slow, "a transfer stood still for %.2f s" % job.longest)
    t.equal(len(server.users()), 1, "sessions")
    records = re.findall(r'(?:dtls-open|tls-tunnel).*records="(\w+)"', server.log())
    t.equal(set(records), {"gnutls" if off else "own"}, "who seals")
    must_ping(client.netns)


def define(name, doc, function):
    def test(t):
        function(t)
    test.__doc__ = doc
    globals()["test_%s_under_load" % name] = marks(seconds=90)(test)


define("new_tunnel", "The client comes with a new tunnel and a new DTLS association while data flows.",
       lambda t: rekey(t, "DTLS", "new-tunnel"))
for suffix, who, out in (("", "records of our own", ()), ("_gnutls", "those of GnuTLS", ("sealing",))):
    define("renegotiation" + suffix, "Rekey in the middle of a batch: TLS 1.2 is renegotiated, with %s." % who,
           lambda t, out=out: rekey(t, "CSTP", off=out))
    define("dtls_renegotiation" + suffix, "Protocol 6.10: the DTLS association is renegotiated, with %s." % who,
           lambda t, out=out: rekey(t, "DTLS", off=out))
    define("key_update" + suffix, "TLS 1.3 key updates in the middle of a batch, with %s." % who,
           lambda t, out=out: key_update(t, out))


@marks(seconds=90)
def test_switch_over_under_load(t):
    """UDP is cut in the middle of saturating transfers, which go on over TLS without losing a byte."""
    server = t.server({"dpd": 3, "switch-to-tcp-timeout": 2})
    client = t.client().wait()
    jobs = [Endless(client, t.net.lan, down=down) for down in (True, False)]
    for job in jobs:
        job.wait_progress(500_000)
    t.net.cut_udp(443)
    for job in jobs:
        job.wait_progress(2_000_000, 30)
    t.net.mend()
    # What the client still sends over UDP counts as a sign of life: the channel may be used again at any time.
    for job in jobs:
        job.wait_progress(500_000)
        job.end()
    must_ping(client.netns)
    t.equal(len(server.users()), 1, "sessions")


def test_idle_in_batches(t):
    """A transfer keeps a session from being idle, pings do not."""
    server = t.server({"idle-timeout": 3})
    client = t.client().wait()
    job = Endless(client, t.net.lan, down=True)
    time.sleep(5)
    t.equal(len(server.users()), 1, "a session with a transfer")
    job.end()
    pinger = Pinger(client.netns, directory=t.dir)
    server.wait_log("reason: idle timeout", 10)
    pinger.process.kill()
    pinger.process.wait()
