"""restrict-user-to-routes and restrict-user-to-ports: what gets through, what does not, what is left."""
import ctypes
import os
import re
import signal
import time

from lib.net import LAN4, LAN6
from lib.reach import FAR4, FAR6, LOST, OPEN, REJECTED, Reach
from lib.shell import Failure, wait_for

PIDFD_GETFD = 438
TABLE = re.compile(r"sallyport_[0-9a-f]{8}$", re.M)


def ruleset(t):
    return t.net.run(t.net.srv, "nft", "list", "ruleset").stdout


def restricted(t, conf, **options):
    """A server, its client, and what that reaches."""
    server = t.server(dict(conf), **options)
    client = t.client(dtls=False).wait()
    reach = Reach(t, client)
    t.closables.append(reach)
    return server, client, reach


def check(t, got):
    """GOT is a list of (what, verdict, wanted verdict)."""
    wrong = ["%s: %s, wanted %s" % row for row in got if row[1] != row[2]]
    if wrong:
        raise Failure("\n".join(wrong) + "\n" + ruleset(t))


def test_routes(t):
    """Checklist 160, config 14.1: only the routes without the no-routes, both families; the rest is rejected, not dropped."""
    _, client, reach = restricted(t, {"restrict-user-to-routes": "true",
                                      "no-route": ["198.18.1.128/25", "fd00:19::8000/113"]})
    t.net.ip(t.net.lan, "addr", "add", "198.18.1.200/24", "dev", "tosrv")
    t.net.ip(t.net.lan, "addr", "add", "fd00:19::8001/64", "dev", "tosrv", "nodad")
    for address in ("198.18.1.200/32", "fd00:19::8001/128"):
        t.net.ip(client.netns, "-6" if ":" in address else "-4", "route", "replace", address, "dev", client.tun)
    got = []
    for address, wanted in ((LAN4, OPEN), (LAN6, OPEN), (FAR4, REJECTED), (FAR6, REJECTED), ("198.18.1.200", REJECTED),
                            ("fd00:19::8001", REJECTED)):
        got += [("tcp " + address, reach.tcp(1234, address), wanted), ("udp " + address, reach.udp(1234, address), wanted),
                ("icmp " + address, reach.icmp(address), wanted)]
    check(t, got)


def test_only_listed_ports(t):
    """Checklist 161, config 14.2: a plain list opens what is in it, whatever the destination, and nothing else."""
    _, _, reach = restricted(t, {"restrict-user-to-ports": "tcp(443), UDP( 1001 ), sctp(80), icmp()"})
    check(t, [
        ("listed tcp", reach.tcp(443), OPEN), ("tcp elsewhere", reach.tcp(443, FAR4), OPEN),
        ("tcp by IPv6", reach.tcp(443, LAN6), OPEN), ("other tcp", reach.tcp(444), REJECTED),
        ("other tcp by IPv6", reach.tcp(444, LAN6), REJECTED), ("listed udp", reach.udp(1001), OPEN),
        ("listed udp in fragments", reach.udp(1001, size=4000), OPEN),
        ("listed udp in fragments by IPv6", reach.udp(1001, LAN6, size=4000), OPEN),
        ("tcp port by udp", reach.udp(443), REJECTED), ("udp port by tcp", reach.tcp(1001), REJECTED),
        ("listed sctp", reach.sctp(80), OPEN), ("other sctp", reach.sctp(81), LOST),
        ("icmp", reach.icmp(), OPEN), ("icmpv6, which is another", reach.icmp(LAN6), REJECTED)])


def test_icmp_unlisted(t):
    """Checklist 161: without icmp() in a plain list nothing answers; icmpv6() is listed for itself."""
    _, _, reach = restricted(t, {"restrict-user-to-ports": "icmpv6(), tcp(99999)"})
    check(t, [("icmp", reach.icmp(), REJECTED), ("icmpv6", reach.icmp(LAN6), OPEN), ("tcp", reach.tcp(443), REJECTED)])


def test_all_but_listed_ports(t):
    """Checklist 161: !(...) blocks what is in it and nothing else."""
    _, _, reach = restricted(t, {"restrict-user-to-ports": "!(tcp(443), udp(1001), sctp(80), icmp())"})
    check(t, [
        ("listed tcp", reach.tcp(443), REJECTED), ("by IPv6", reach.tcp(443, LAN6), REJECTED),
        ("other tcp", reach.tcp(444), OPEN), ("elsewhere", reach.tcp(444, FAR4), OPEN),
        ("listed udp", reach.udp(1001), REJECTED), ("other udp", reach.udp(1002), OPEN),
        ("listed sctp", reach.sctp(80), LOST), ("other sctp", reach.sctp(81), OPEN),
        ("icmp", reach.icmp(), REJECTED), ("icmpv6", reach.icmp(LAN6), OPEN)])


def test_ports_and_routes(t):
    """Checklist 162: both conditions must hold, with a plain list; names are looked up all the same."""
    _, _, reach = restricted(t, {"restrict-user-to-routes": "true", "restrict-user-to-ports": "tcp(443), icmp()",
                                 "dns": [FAR4, FAR6]})
    check(t, [
        ("allowed port, allowed route", reach.tcp(443), OPEN), ("by IPv6", reach.tcp(443, LAN6), OPEN),
        ("allowed port, another destination", reach.tcp(443, FAR4), REJECTED),
        ("by IPv6", reach.tcp(443, FAR6), REJECTED),
        ("blocked port, allowed route", reach.tcp(444), REJECTED), ("blocked both", reach.tcp(444, FAR4), REJECTED),
        ("icmp to a route", reach.icmp(), OPEN), ("icmp elsewhere", reach.icmp(FAR4), REJECTED),
        ("DNS by udp", reach.udp(53, FAR4), OPEN), ("DNS by tcp", reach.tcp(53, FAR4), OPEN),
        ("DNS by udp and IPv6", reach.udp(53, FAR6), OPEN), ("DNS by tcp and IPv6", reach.tcp(53, FAR6), OPEN),
        ("DNS elsewhere", reach.udp(53), REJECTED), ("DNS server, another port", reach.udp(54, FAR4), REJECTED)])


def test_denied_ports_and_routes(t):
    """Checklist 162: the same with !(...)."""
    _, _, reach = restricted(t, {"restrict-user-to-routes": "true", "restrict-user-to-ports": "!(tcp(443))"})
    check(t, [
        ("other port, allowed route", reach.tcp(444), OPEN), ("denied port, allowed route", reach.tcp(443), REJECTED),
        ("other port, another destination", reach.tcp(444, FAR4), REJECTED), ("icmp", reach.icmp(), OPEN),
        ("icmp elsewhere", reach.icmp(FAR4), REJECTED)])


def test_default_route(t):
    """Checklist 163, config 14.1: no routes and no no-routes allow everything; with a no-route everything but that."""
    server, client, reach = restricted(t, {"restrict-user-to-routes": "true", "route": None})
    check(t, [("tcp", reach.tcp(443), OPEN), ("elsewhere", reach.tcp(443, FAR4), OPEN), ("icmp", reach.icmp(FAR6), OPEN)])
    client.stop()
    server.wait_no_user()
    server.write_conf(no_route="198.18.2.0/24")
    server.reload()
    server.wait_log("main reloaded", 10)
    client = t.client(dtls=False).wait()
    reach = Reach(t, client)
    check(t, [("tcp", reach.tcp(1443), OPEN), ("the no-route", reach.tcp(1443, FAR4), REJECTED),
              ("by IPv6", reach.tcp(1443, FAR6), OPEN)])
    reach.close()


def table(t):
    """The server's own table as nft lists it; empty when there is none."""
    found = [name for name in tables(t) if TABLE.search(name)]
    t.expect(len(found) < 2, "tables of one server", found)
    return t.net.run(t.net.srv, "nft", "list", "table", "inet", found[0]).stdout if found else ""


def tables(t):
    return [line.split()[-1] for line in t.net.run(t.net.srv, "nft", "list", "tables").stdout.splitlines()]


def wait_no_rules(t, device="vpns0"):
    wait_for("the session's rules to go", lambda: device not in table(t), 5 * t.slow)


def test_long_lists(t):
    """Checklist 161, 162: lists that go into sets mean the same; overlapping and repeated items do no harm."""
    ports = ["tcp(%d)" % port for port in range(2000, 2040)] + ["tcp(2000)", "icmp()"]
    routes = ["198.18.%d.0/24" % n for n in range(100, 120)] + ["198.18.1.0/24", "198.18.1.2/32", "198.18.0.0/23"]
    routes6 = ["fd00:%d::/64" % n for n in range(100, 120)] + ["fd00:19::/64"]
    noroutes = ["198.18.2.%d/32" % n for n in range(100, 120)] + ["198.18.1.200/32"]
    _, client, reach = restricted(t, {"restrict-user-to-routes": "true", "restrict-user-to-ports": ", ".join(ports),
                                      "route": routes + routes6, "no-route": noroutes})
    t.net.ip(t.net.lan, "addr", "add", "198.18.1.200/24", "dev", "tosrv")
    t.net.ip(client.netns, "route", "replace", "198.18.1.200/32", "dev", client.tun)
    t.expect("set allow_vpns0" in table(t) and "set routes4_vpns0" in table(t), "no sets", table(t))
    check(t, [("listed", reach.tcp(2039), OPEN), ("by IPv6", reach.tcp(2000, LAN6), OPEN),
              ("elsewhere", reach.tcp(2039, FAR4), REJECTED), ("by IPv6", reach.tcp(2039, FAR6), REJECTED),
              ("no-route", reach.tcp(2039, "198.18.1.200"), REJECTED), ("not listed", reach.tcp(2040), REJECTED),
              ("icmp", reach.icmp(), OPEN)])
    client.stop()
    wait_no_rules(t)


def test_established_replies(t):
    """Admin 11, rule 1: a connection that the host behind the server began is subject to the rules in one direction only."""
    _, client, reach = restricted(t, {"restrict-user-to-ports": "tcp(443)"})
    back = Reach.__new__(Reach)
    back.net, back.client, back.target, back.slow, back._listeners = t.net, t.net.lan, client.netns, t.slow, {}
    t.closables.append(back)
    t.net.run(t.net.srv, "nft", "-f", "-", stdin="""table inet seen { chain c {
        type filter hook postrouting priority 0
        oifname "vpns0" tcp dport 80 counter
    }\n}\n""")
    check(t, [("to the client, its answers are not listed", back.tcp(80, client.ip4, 2), LOST),
              ("the other way", reach.tcp(443), OPEN)])
    t.expect("packets 0" not in t.net.run(t.net.srv, "nft", "list", "table", "inet", "seen").stdout, "nothing reached the client")


def test_iroute(t):
    """Config 13.4, 14: what comes from a network behind the client is its session's traffic, too."""
    server = t.server({"restrict-user-to-routes": "true", "route-add-cmd": "ip route add %{RI} dev %{D}",
                       "route-del-cmd": "ip route del %{RI} dev %{D}"}, start=False)
    os.makedirs(server.dir + "/users")
    server.write_file("users/test", "iroute = 10.77.0.0/24\n")
    server.write_conf(config_per_user=server.dir + "/users")
    server.start()
    client = t.client(dtls=False).wait()
    reach = Reach(t, client)
    t.net.ip(t.net.lan, "route", "add", "10.77.0.0/24", "via", "198.18.1.1")
    t.net.ip(client.netns, "addr", "add", "10.77.0.1/24", "dev", "lo")
    for net in ("198.18.1.0/24", "198.18.2.0/24"):
        t.net.ip(client.netns, "route", "replace", net, "dev", client.tun, "src", "10.77.0.1")
    check(t, [("to a route", reach.tcp(80), OPEN), ("elsewhere", reach.tcp(80, FAR4), REJECTED)])
    reach.close()


def test_per_user(t):
    """Checklist 90: values of users' files; two sessions at a time have each its own rules, others none."""
    server = t.server(users={"only": None, "no": None, "free": None}, start=False)
    os.makedirs(server.dir + "/users")
    server.write_file("users/only", "restrict-user-to-ports = tcp(443)\n")
    server.write_file("users/no", "restrict-user-to-ports = !(tcp(443))\n")
    server.write_conf(config_per_user=server.dir + "/users")
    server.start()
    got, clients = [], {}
    for user, on_443, on_444 in (("only", OPEN, REJECTED), ("no", REJECTED, OPEN), ("free", OPEN, OPEN)):
        netns = t.net.cli if not clients else t.net.add_client()
        clients[user] = t.client(user=user, dtls=False, netns=netns).wait()
    for user, on_443, on_444 in (("only", OPEN, REJECTED), ("no", REJECTED, OPEN), ("free", OPEN, OPEN)):
        reach = Reach(t, clients[user])
        got += [(user + " 443", reach.tcp(443), on_443), (user + " 444", reach.tcp(444), on_444)]
        reach.close()
    check(t, got)
    # One of them goes, the other's rules stay.
    clients["only"].stop()
    wait_no_rules(t, '"vpns0"')
    reach = Reach(t, clients["no"])
    check(t, [("443", reach.tcp(443), REJECTED), ("444", reach.tcp(444), OPEN)])
    reach.close()


def test_nothing_is_left(t):
    """Checklist 164: no rule of a session after disconnect, takeover or a refusal; no table after the server's end."""
    server, client, _ = restricted(t, {"restrict-user-to-ports": "tcp(443), icmp()"})
    t.expect("vpns0" in table(t), "no rules", ruleset(t))
    client.stop()
    wait_no_rules(t)
    web = t.web().must_login()
    first = web.open()
    t.web(cookies=web.cookies).open()
    t.equal(table(t).count("jump session_"), 1, "rules after a takeover")
    first.web.close()
    t.expect("session_" in table(t), "the rules of the tunnel that took over")
    server.stop()
    t.equal(tables(t), [], "tables after the end")


def test_rules_outlive_a_device_that_is_kept(t):
    """A worker that says goodbye and keeps its device stays restricted: the rules go after the device."""
    server, client, _ = restricted(t, {"restrict-user-to-ports": "tcp(443)"})
    worker = server.roles()["workers"][0]
    tun = [int(fd) for fd in os.listdir("/proc/%d/fd" % worker) if os.readlink("/proc/%d/fd/%s" % (worker, fd)) == "/dev/net/tun"]
    kept = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, os.pidfd_open(worker), tun[0], 0)
    t.expect(kept >= 0, "no copy of the device's descriptor")
    client.stop()
    server.wait_no_user()
    wait_for("the worker to end", lambda: not server.roles()["workers"], 5)
    time.sleep(0.3)
    t.expect("vpns0" in table(t), "the rules went before the device")
    # Others are not disturbed by that.
    other = t.client(dtls=False).wait()
    t.equal(table(t).count("jump session_"), 2, "rules of both devices")
    other.stop()
    wait_no_rules(t, '"vpns1"')
    os.close(kept)
    wait_no_rules(t)


def test_failing_script(t):
    """Checklist 154, 160: the configured script runs with the restriction's variables; a refused session has no rules."""
    server = t.server({"restrict-user-to-ports": "!(tcp(443), icmp())", "restrict-user-to-routes": "true"}, start=False)
    script = server.write_file("hook", """#!/bin/sh
nft list ruleset > %(dir)s/rules
env > %(dir)s/env-$REASON
exit 1
""" % {"dir": server.dir}, 0o755)
    server.write_conf(connect_script=script, disconnect_script=script)
    server.start()
    t.equal(t.web().must_login().connect().status, 401, "status")
    with open(server.dir + "/rules") as rules, open(server.dir + "/env-connect") as env:
        t.expect("session_vpns0" in rules.read(), "the rules came after the script")
        env = env.read()
    for line in ("OCSERV_RESTRICT_TO_ROUTES=1", "OCSERV_DENY_PORTS=tcp 443 icmp all "):
        t.expect(line in env.splitlines(), "not in the environment: " + line, env)
    t.expect("OCSERV_NEXT_SCRIPT" not in env, "OCSERV_NEXT_SCRIPT without a helper")
    wait_no_rules(t)


def test_refused_without_rules(t):
    """Admin 11: when the rules cannot be made there is no session."""
    # Not a name that rules can be made for.
    server = t.server({"restrict-user-to-ports": "tcp(443)", "device": 'v"p'})
    t.equal(t.web().must_login().connect().status, 401, "status")
    server.wait_log("firewall-refused")
    t.equal(server.users(), [], "users")
    wait_for("the device to go", lambda: not server.devices(), 5)


def test_main_killed(t):
    """Design 1.3: rules of a tunnel stay when main is killed and go with it; those of tunnels that ended go at once."""
    server, client, reach = restricted(t, {"restrict-user-to-ports": "tcp(443)"}, users={"test": None, "other": None})
    other = t.client(user="other", dtls=False, netns=t.net.add_client()).wait()
    roles, pid = server.roles(), server.user("other")["ID"]
    t.equal(len(roles["workers"]), 2, "workers")
    os.kill(roles["main"], signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)  # main never hears of it
    os.kill(roles["main"], signal.SIGKILL)
    check(t, [("before main is back", reach.tcp(444), REJECTED), ("listed", reach.tcp(443), OPEN)])
    server.wait_log("taken-over", 10)
    check(t, [("after", reach.tcp(444), REJECTED), ("listed", reach.tcp(443), OPEN)])
    other.kill()
    wait_no_rules(t, '"vpns1"')
    t.expect('"vpns0"' in table(t), "rules of the living", ruleset(t))
    server.reload()
    check(t, [("after a reload", reach.tcp(444), REJECTED)])
    client.stop()
    wait_no_rules(t, '"vpns0"')


def test_server_killed(t):
    """Rules that a killed server left are gone after the next start, even if that has no restriction."""
    server, client, _ = restricted(t, {"restrict-user-to-ports": "tcp(443)"})
    roles = server.roles()
    for pid in [roles["main"], roles["super"]]:
        os.kill(pid, signal.SIGSTOP)
    for pid in [roles["super"], roles["main"]]:
        os.kill(pid, signal.SIGKILL)
    server.process.wait()
    t.expect("vpns0" in table(t), "nothing was left, the test shows nothing", ruleset(t))
    wait_for("the devices to go", lambda: not server.devices(), 5)
    client.kill()
    server.write_conf(restrict_user_to_ports=None)
    server.start()
    t.equal(table(t), "", "the stale table")


def test_two_servers(t):
    """Servers of one machine have each its own table, and a start leaves the other's alone."""
    server, client, reach = restricted(t, {"restrict-user-to-ports": "tcp(443)"})
    other = t.server({"restrict-user-to-ports": "tcp(443)", "tcp-port": 4443, "udp-port": 0, "device": "other",
                      "ipv4-network": "198.19.1.0/24", "ipv6-network": None})
    check(t, [("444", reach.tcp(444), REJECTED), ("443", reach.tcp(443), OPEN)])
    t.web(port=4443).must_login().open()
    t.equal(len(tables(t)), 2, "tables")
    other.stop()
    check(t, [("444", reach.tcp(444), REJECTED), ("443", reach.tcp(443), OPEN)])
    t.equal(len(tables(t)), 1, "tables")


def test_flushed_ruleset(t):
    """Somebody's `nft flush ruleset` opens everything for a moment only, also when main was started again before."""
    server, _, reach = restricted(t, {"restrict-user-to-ports": "tcp(443)"}, users={"test": None, "next": None})
    t.web().must_login("next").open()
    for _ in range(2):
        t.net.run(t.net.srv, "nft", "flush", "ruleset")
        wait_for("all sessions' rules", lambda: table(t).count("jump session_") == 2, 5 * t.slow)
        check(t, [("444", reach.tcp(444), REJECTED), ("443", reach.tcp(443), OPEN)])
        before = len(server.log())
        os.kill(server.roles()["main"], signal.SIGKILL)
        server.wait_log("taken-over", 10, before)
    t.expect(server.log().count("firewall-lost") >= 2, "no words of it in the log")


def test_flushed_without_main(t):
    """Rules that somebody removed while main was down are made again by the one that takes over."""
    server, _, reach = restricted(t, {"restrict-user-to-ports": "tcp(443)"})
    main = server.roles()["main"]
    os.kill(main, signal.SIGSTOP)
    t.net.run(t.net.srv, "nft", "flush", "ruleset")
    os.kill(main, signal.SIGKILL)
    server.wait_log("taken-over", 10)
    wait_for("the session's rules", lambda: "jump session_vpns0" in table(t), 5 * t.slow)
    check(t, [("444", reach.tcp(444), REJECTED), ("443", reach.tcp(443), OPEN)])


def test_flushed_before_the_worker_answers(t):
    """Main was started again and knows the user's settings from the worker only: the rules are his, not the host's."""
    server = t.server(start=False)
    os.makedirs(server.dir + "/users")
    server.write_file("users/test", "restrict-user-to-ports = tcp(443)\n")
    server.write_conf(config_per_user=server.dir + "/users")
    server.start()
    reach = Reach(t, t.client(dtls=False).wait())
    t.closables.append(reach)
    roles = server.roles()
    os.kill(roles["workers"][0], signal.SIGSTOP)
    os.kill(roles["main"], signal.SIGKILL)
    server.wait_log("taken-over", 10)
    t.net.run(t.net.srv, "nft", "flush", "ruleset")
    server.wait_log("firewall-lost")
    os.kill(roles["workers"][0], signal.SIGCONT)
    wait_for("the rules", lambda: "vpns0" in table(t), 5 * t.slow)
    check(t, [("444", reach.tcp(444), REJECTED), ("443", reach.tcp(443), OPEN)])


def test_helper_instead(t):
    """Checklist 160, admin 11: OCSERV_FW_SCRIPT runs in the script's place, is told it, and the server makes no rules."""
    server = t.server({"restrict-user-to-routes": "true"}, users={"test": None}, start=False)
    helper = server.write_file("helper", "#!/bin/sh\nenv > %s/helper-$REASON\nexec \"$OCSERV_NEXT_SCRIPT\"\n" % server.dir, 0o755)
    script = server.write_file("hook", "#!/bin/sh\ntouch %s/hook-$REASON\n" % server.dir, 0o755)
    server.write_conf(connect_script=script, disconnect_script=script)
    server.environment["OCSERV_FW_SCRIPT"] = helper
    server.start()
    client = t.client(dtls=False).wait()
    t.equal(table(t), "", "rules of the server")
    client.stop()
    for name in ("helper-connect", "hook-connect", "helper-disconnect", "hook-disconnect"):
        wait_for(name, lambda: os.path.exists(server.dir + "/" + name), 5)
    with open(server.dir + "/helper-connect") as env:
        t.expect("OCSERV_NEXT_SCRIPT=" + script in env.read().splitlines(), "OCSERV_NEXT_SCRIPT")


def test_our_helper_as_the_helper(t):
    """Checklist 160 to 164: sallyport-fw as OCSERV_FW_SCRIPT does what the server would."""
    server, client, reach = restricted(
        t, {"restrict-user-to-routes": "true", "restrict-user-to-ports": "tcp(443)"}, environment={"OCSERV_FW_SCRIPT": program(t)})
    t.expect("session_vpns0" in ruleset(t) and not table(t), "whose rules", ruleset(t))
    check(t, [("both", reach.tcp(443), OPEN), ("port", reach.tcp(444), REJECTED), ("route", reach.tcp(443, FAR4), REJECTED)])
    client.stop()
    wait_for("its rules to go", lambda: "vpns0" not in ruleset(t), 5)


def program(t):
    return t.tools.builddir + "/src/sallyport-fw"


def helper(t, *arguments, **environment):
    return t.net.run(t.net.srv, "env", "-i", "PATH=" + os.environ["PATH"],
                     *["%s=%s" % pair for pair in environment.items()], program(t), *arguments, check=False)


def test_helper_by_hand(t):
    """Checklist 164, 165, 166: rules made and removed; --removeall; another REASON; masks, good and bad."""
    base = {"DEVICE": "vpns9", "OCSERV_RESTRICT_TO_ROUTES": "1"}
    made = helper(t, REASON="connect", OCSERV_ROUTES="10.11.0.0/255.255.0.0 ", OCSERV_NO_ROUTES="10.11.5.0/255.255.255.0 ", **base)
    t.equal(made.returncode, 0, "connect: " + made.stderr)
    for rule in ("ip daddr 10.11.5.0/24 reject", "ip daddr 10.11.0.0/16 accept"):
        t.expect(rule in ruleset(t), "not there: " + rule, ruleset(t))
    before = ruleset(t)
    for reason in ("host-update", "", "Connect"):
        run = helper(t, REASON=reason, **base)
        t.expect(run.returncode == 1 and run.stderr, "REASON=%r: %d %s" % (reason, run.returncode, run.stderr))
    for name, value in (("OCSERV_ROUTES", "10.0.0.0/255.0.255.0 "), ("OCSERV_ROUTES", "10.0.0.0/8;id "), ("OCSERV_ROUTES", "x"),
                        ("OCSERV_NO_ROUTES", "10.0.0.0/33"), ("OCSERV_DNS", "$(id)"), ("OCSERV_ALLOW_PORTS", "tcp"),
                        ("OCSERV_ALLOW_PORTS", "tcp 1; tcp 2"), ("OCSERV_DENY_PORTS", "icmp 1"), ("DEVICE", "vpns0; id"), ("DEVICE", "")):
        run = helper(t, **dict(dict(base, REASON="connect"), **{name: value}))
        t.expect(run.returncode == 1 and name in run.stderr, "%s=%s: %d %s" % (name, value, run.returncode, run.stderr))
    t.equal(ruleset(t), before, "rules after what had to change nothing")
    t.equal(helper(t, REASON="disconnect", **base).returncode, 0, "disconnect")
    t.expect("vpns9" not in ruleset(t), "left", ruleset(t))
    helper(t, REASON="connect", OCSERV_DENY_PORTS="tcp 443 icmp all ", DEVICE="a")
    t.net.nft(t.net.srv, "table inet sallyport_12345678 { }\ntable inet mine { }\n")
    t.equal(helper(t, "--removeall").returncode, 0, "--removeall")
    t.equal(tables(t), ["mine"], "tables")


def test_helper_runs_the_next_script(t):
    """Admin 11: OCSERV_NEXT_SCRIPT runs afterwards by /bin/sh, its failure is the helper's and leaves no rules."""
    folder = t.new_dir("next script; touch hacked")
    for status in (0, 7):
        script = "%s/do it $(touch hacked)" % folder
        with open(script, "w") as out:
            out.write("#!/bin/sh\nnft list ruleset > '%s/rules'\nexit %d\n" % (folder, status))
        os.chmod(script, 0o755)
        run = helper(t, REASON="connect", DEVICE="vpns9", OCSERV_ALLOW_PORTS="tcp 443 ", OCSERV_NEXT_SCRIPT=script)
        t.equal(run.returncode, status, "status: " + run.stderr)
        with open(folder + "/rules") as rules:
            t.expect("tcp dport 443 accept" in rules.read(), "no rules when the script ran")
        t.equal("vpns9" in ruleset(t), status == 0, "rules afterwards")
    t.equal(helper(t, REASON="disconnect", DEVICE="vpns9", OCSERV_NEXT_SCRIPT=script).returncode, 7, "status at the end")
    t.expect(not os.path.exists("hacked") and sorted(os.listdir(folder)) == sorted([os.path.basename(script), "rules"]), "run by a shell")


def test_metacharacters_in_routes(t):
    """Checklist 167: a route with anything but a network is refused with the file, so nothing of it reaches nft or a shell."""
    for route in ("10.0.0.0/8;id", "10.0.0.0/8 } }", "$(id)/8", "fd00::/8`id`"):
        server = t.server({"restrict-user-to-routes": "true", "route": [route]}, start=False)
        run = t.net.run(t.net.srv, t.tools.server, "-t", "-c", server.conf_file, check=False)
        t.expect(run.returncode != 0 and "route" in run.stderr, "accepted: " + route, run.stderr)
        server.process = None
