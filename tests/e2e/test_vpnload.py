"""The benchmark's client works as a client does, with this server and with ocserv."""
import re
import signal
import subprocess
import time

from lib.compare import OcservServer
from lib.harness import marks
from lib.net import LAN4, SERVER4
from lib.server import PASSWORD
from lib.traffic import must_ping, transfer, udp_echo
from lib.vpnload import VpnLoad, build


def carries(t, size):
    must_ping(t.net.cli)
    must_ping(t.net.cli, LAN4, count=2, size=1300)
    t.equal(udp_echo(t.net.cli, t.net.lan), 10, "datagrams there and back")
    for down in (True, False):
        transfer(t.net.cli, t.net.lan, size=size, down=down)


@marks(seconds=90)
def test_traffic(t):
    """Issue: a batched client of our own; over DTLS and over TLS it carries packets and leaves as a user does."""
    server = t.server()
    for channel in ("dtls", "tls"):
        client = VpnLoad(t, "--" + channel)
        t.equal(bool(server.user().get("DTLS cipher")), channel == "dtls", "DTLS is used")
        carries(t, 20_000_000 // t.slow)
        start = len(server.log())
        t.equal(client.leave(), 0, "vpnload's status")
        ended = re.search(r"ended sent=(\d+) received=(\d+)", client.log())
        t.expect(ended and int(ended.group(1)) > 100 and int(ended.group(2)) > 100, "its counters", client.log())
        server.wait_log(r"client-disconnect.* reason=176", start=start)
        server.wait_no_user()


@marks(seconds=90)
def test_ciphers(t):
    """Each cipher whose records are sealed in place, and one whose records are left to GnuTLS; TLS 1.3 and 1.2."""
    for cipher in ("AES-128-GCM", "CHACHA20-POLY1305", "AES-256-CBC"):
        for version in ("1.2",) if "CBC" in cipher else ("1.3", "1.2"):
            server = t.server({"match-tls-dtls-ciphers": "true", "dtls-legacy": "false", "tls-priorities":
                               '"NORMAL:-VERS-ALL:+VERS-TLS%s:+VERS-DTLS1.2:-CIPHER-ALL:+%s"' % (version, cipher)})
            for channel in ("dtls", "tls"):
                client = VpnLoad(t, "--" + channel)
                t.expect(cipher in client.log(), "cipher", client.log())
                carries(t, 1_000_000)
                t.equal(client.leave(), 0, "vpnload's status")
                server.wait_no_user()
            server.stop()


@marks(seconds=60)
def test_ocserv(t):
    """Issue: in one run against Debian's ocserv; the client works there, too."""
    server = OcservServer(t)
    t.servers.append(server)
    for channel in ("dtls", "tls"):
        client = VpnLoad(t, "--" + channel)
        carries(t, 5_000_000)
        t.equal(client.leave(), 0, "vpnload's status")
        server.wait_no_user()


def test_dpd(t):
    """Its answers keep the session of a server that asks on both channels; one that is frozen loses it."""
    server = t.server({"dpd": 1})
    client = VpnLoad(t, "--dtls")
    session = server.user()["ID"]
    time.sleep(5)
    t.equal(server.user()["ID"], session, "session after five intervals")
    client.process.send_signal(signal.SIGSTOP)
    server.wait_no_user(seconds=20)
    client.process.send_signal(signal.SIGCONT)
    t.equal(client.process.wait(10 * t.slow), 1, "vpnload's status")
    t.expect(client.log().endswith("vpnload: the server has ended the session\n"), "its last line", client.log())


def test_refusals(t):
    """A wrong password, a wrong user, a port where nobody listens: one line says so, status 1."""
    program = build(t, "vpnload")
    t.server()
    for user, password, where, said in (("test", "wrong", SERVER4, "refused the login"), ("nobody", PASSWORD, SERVER4, "refused the login"),
                                        ("test", PASSWORD, SERVER4 + ":4", "Connection refused")):
        run = subprocess.run(["ip", "netns", "exec", t.net.cli, program, "-u", user, "-p", password, where],
                             capture_output=True, text=True, timeout=60)
        t.equal((run.returncode, run.stderr.count("\n"), run.stdout), (1, 1, ""), "status, lines and output")
        t.expect(said in run.stderr, "the line", run.stderr)
