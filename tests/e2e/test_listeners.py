"""Where the server listens, and what it does when there is too much to accept."""
import os
import signal
import time

from lib.harness import marks
from lib.shell import sh, wait_for
from lib.traffic import must_ping


def outer_namespace(t):
    """A namespace beside the server's own which the client reaches; gives its name and its address."""
    name = t.net.add_client()
    t.net.ip(t.net.cli, "route", "add", "198.18.11.0/24", "via", "198.18.0.1")
    return name, "198.18.11.2"


def listening(netns, port=443):
    """TCP and UDP sockets with PORT in namespace NETNS, as ss(8) shows them."""
    out = sh("ip", "netns", "exec", netns, "ss", "-Hntul").stdout
    return sorted({line.split()[0] for line in out.splitlines() if line.split()[4].endswith(":%d" % port)})


def test_listen_netns(t):
    """Checklist 22: TCP and UDP live in the named namespace, the connected UDP sockets too; devices and scripts do
    not; main may be killed."""
    outer, address = outer_namespace(t)
    server = t.server({"listen-netns": outer}, start=False)
    out = server.dir + "/where"
    server.write_conf(connect_script=server.write_file("script", "#!/bin/sh\nreadlink /proc/self/ns/net >> %s\n" % out, 0o755))
    server.start(wait=False)
    server.wait_log("initialized OpenConnect VPN Server", 20)
    t.equal((listening(outer), listening(t.net.srv)), (["tcp", "udp"], []), "listeners there and here")
    client = t.client(host=address).wait()
    t.expect(server.user().get("DTLS cipher") not in (None, "", "(no-dtls)"), "no DTLS", server.user())
    must_ping(client.netns)
    t.equal(len(server.devices()), 1, "TUN devices in the server's own namespace")
    own = os.readlink("/proc/%d/ns/net" % server.process.pid)
    with open(out) as where:
        t.equal(where.read().strip(), own, "namespace of the script")
    roles = server.roles()
    for role in ("main", "auth"):  # whose children speak to RADIUS and others
        t.equal(os.readlink("/proc/%d/ns/net" % roles[role]), own, "namespace of " + role)
    client.stop()
    server.wait_no_user()
    main = server.roles()["main"]
    os.kill(main, signal.SIGKILL)
    wait_for("a new main", lambda: server.roles().get("main") not in (None, main))
    server.wait_log("taken-over", 10)
    client = t.client(host=address).wait()
    must_ping(client.netns)
    t.expect(server.user().get("DTLS cipher"), "no DTLS after main was started again", server.user())
    client.stop()


def test_bans_in_another_namespace(t):
    """Config 15, 8.1: the subnets that bans spare are those clients come in by, not the server's own."""
    outer, address = outer_namespace(t)
    server = t.server({"listen-netns": outer, "max-ban-score": 3, "ban-points-connection": 1}, start=False)
    server.start(wait=False)
    server.wait_log("initialized OpenConnect VPN Server", 20)
    for _ in range(5):  # the address is in a subnet of the server's own namespace
        try:
            t.web(host=address)
        except OSError:
            break
    server.wait_log("rejected connection from banned IP: 198.18.0.2")
    near = t.web(netns=outer, host=address).must_login()
    for _ in range(5):  # and this one in one of the listeners'
        near = t.web(netns=outer, host=address).must_login()
    near.open().bye()


def test_listen_netns_that_is_not_there(t):
    """Config 8.1: a namespace that cannot be entered is fatal, and the line says which one."""
    server = t.server({"listen-netns": "no-such-namespace"}, start=False)
    run = sh("ip", "netns", "exec", t.net.srv, server.tools.server, "-f", "-c", server.conf_file, check=False, timeout=30)
    t.equal(run.returncode, 1, "status\n" + run.stderr)
    t.expect("error: listen-netns: cannot enter the network namespace 'no-such-namespace': No such file" in run.stderr,
             "words", run.stderr)
    t.expect(not os.path.exists(server.conf["pid-file"]), "a pid file is left")


@marks(seconds=90, sanitizers=False)
def test_rate_limit(t):
    """Config 8.1: rate-limit-ms pauses accepting only while more than half of what the login holds is under way."""
    server = t.server({"rate-limit-ms": 300})
    t.web().must_login()
    said = 'msg="delaying accepts for 300 ms"'
    t.expect(said not in server.log(), "a pause without a reason")
    waiting = []
    for _ in range(515):
        one = t.net.socket(t.net.cli)
        one.connect(("198.18.0.1", 443))
        waiting.append(one)
    wait_for("the pause", lambda: server.log().count(said) >= 2, 20)
    start = time.monotonic()
    t.web().must_login()  # in the end everybody is served
    t.expect(time.monotonic() - start < 30, "a login took %.1f s" % (time.monotonic() - start))
    for one in waiting:
        one.close()
