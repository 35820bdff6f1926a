"""Sockets that the service manager opened: systemd's protocol, with its own tool and by hand for what that cannot."""
import os
import re
import socket
import subprocess

from lib.harness import marks
from lib.machine import boot
from lib.manager import Manager
from lib.net import SERVER4, SERVER6
from lib.shell import wait_for
from lib.traffic import must_ping

V6ONLY = (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM


def socket_of_systemd(t, kind, address, port, netns=None):
    """As systemd makes it: one for both families unless an IPv4 address is named, SO_REUSEADDR, blocking."""
    family = socket.AF_INET if "." in address else socket.AF_INET6
    made = t.net.socket(netns or t.net.srv, family, kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(*V6ONLY, 0 if address == "::" else 1)
    made.bind((address, port))
    if kind == TCP:
        made.listen(128)
    return made


def start_with(t, server, sockets, before=(), environment=None):
    """The server as systemd starts it: SOCKETS as descriptors 3 and up; BEFORE is a command before its own."""
    # First out of the way: descriptors may be each other's numbers.
    high = " ".join("%d<&%d" % (100 + i, made.fileno()) for i, made in enumerate(sockets))
    back = " ".join("%d<&%d %d<&-" % (3 + i, 100 + i, 100 + i) for i in range(len(sockets)))
    wrapper = server.write_file("wrapper", "#!/bin/bash\nexec %s\nexec %s\nexport LISTEN_FDS=%d LISTEN_PID=$$\nexec \"$@\"\n" % (
        high, back, len(sockets)), 0o755)
    with open(server.log_file, "a") as log:
        server.process = subprocess.Popen(
            ["ip", "netns", "exec", t.net.srv, wrapper, *before, t.tools.server, "-f", "-d", "3", "-c", server.conf_file,
             "--log-stderr"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            pass_fds=[made.fileno() for made in sockets], env=dict(os.environ, **(environment or {})))
    server.wait_log("initialized OpenConnect VPN Server", 20)
    for made in sockets:
        made.close()


def must_connect(t, server, host, port):
    """A client at HOST has a tunnel, DTLS and pings."""
    client = t.client(host=host, port=port).wait()
    t.expect(server.user().get("DTLS cipher") not in (None, "", "(no-dtls)"), "no DTLS to " + host, server.user())
    must_ping(client.netns)
    client.stop()
    server.wait_no_user()


@marks(sanitizers=False)
def test_one_socket_for_both_families(t):
    """Checklist 24, admin 2.2: ListenStream=PORT and ListenDatagram=PORT, as unit files have it; TCP and DTLS over
    IPv4 and IPv6; tcp-port and udp-port are only what clients are told; main may be killed."""
    server = t.server({"tcp-port": 443, "udp-port": 8443}, start=False)
    start_with(t, server, [socket_of_systemd(t, kind, "::", 8443) for kind in (TCP, UDP)])
    t.expect("listening on 2 systemd sockets..." in server.log(), "words", server.log())
    t.expect("listening (" not in server.log(), "it listens by itself as well", server.log())
    must_connect(t, server, SERVER4, 8443)
    must_connect(t, server, SERVER6, 8443)
    try:
        t.web(port=443, timeout=3)
        t.expect(False, "the configured port is served as well")
    except OSError:
        pass
    os.kill(server.roles()["main"], 9)
    server.wait_log("taken-over", 10)
    must_connect(t, server, SERVER4, 8443)


@marks(sanitizers=False)
def test_several_sockets(t):
    """Checklist 24: two ports and both families each, TCP and UDP; a descriptor that is neither is closed."""
    server = t.server({"tcp-port": 8443, "udp-port": 8443}, start=False)
    made = [socket_of_systemd(t, kind, "0.0.0.0", port) for port in (8443, 9443) for kind in (UDP, TCP)]
    made += [socket_of_systemd(t, kind, SERVER6, 8443) for kind in (TCP, UDP)]
    stray = t.net.socket(t.net.srv, socket.AF_UNIX, socket.SOCK_SEQPACKET)
    start_with(t, server, made + [stray])
    t.expect("listening on 6 systemd sockets..." in server.log(), "words", server.log())
    must_connect(t, server, SERVER4, 8443)
    must_connect(t, server, SERVER6, 8443)
    t.web(port=9443).must_login()


@marks(sanitizers=False)
def test_no_privilege_to_bind(t):
    """Checklist 24: without the right to bind to port 443 the server serves what it was given."""
    server = t.server(start=False)
    start_with(t, server, [socket_of_systemd(t, TCP, "::", 443)], ["setpriv", "--bounding-set", "-net_bind_service"])
    t.web().must_login().open().bye()


@marks(sanitizers=False)
def test_socket_of_another_namespace(t):
    """Checklist 22, 24: systemd's NetworkNamespacePath= for sockets: DTLS goes where the listener is."""
    outer = t.net.add_client()
    t.net.ip(t.net.cli, "route", "add", "198.18.11.0/24", "via", "198.18.0.1")
    server = t.server(start=False)
    start_with(t, server, [socket_of_systemd(t, kind, "::", 443, outer) for kind in (TCP, UDP)])
    must_connect(t, server, "198.18.11.2", 443)


@marks(sanitizers=False)
def test_systemd_socket_activate(t):
    """Checklist 24: systemd's own tool hands over two TCP sockets with the first connection, which is served."""
    server = t.server(start=False)
    with open(server.log_file, "a") as log:
        server.process = subprocess.Popen(
            ["ip", "netns", "exec", t.net.srv, "systemd-socket-activate", "-l", "0.0.0.0:443", "-l", "[::1]:443",
             t.tools.server, "-f", "-d", "3", "-c", server.conf_file, "--log-stderr"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    server.wait_log("Listening on", 10)
    t.web().must_login().open().bye()
    t.expect("listening on 2 systemd sockets..." in server.log(), "words", server.log())
    t.expect("X-DTLS" not in t.web().must_login().connect().head, "DTLS is offered without a UDP socket")


def unit(t, name):
    with open(os.path.join(t.tools.builddir, "contrib/systemd", name) if name.endswith(".service")
              else os.path.join(os.path.dirname(__file__), "../../contrib/systemd", name)) as file:
        return file.read()


@marks(sanitizers=False)
def test_units(t):
    """Our units are what systemd understands; the names in them exist."""
    folder = t.new_dir("units")
    for name in ("sallyport.service", "sallyport.socket"):
        text = re.sub(r"^(ExecStart=)\S*/sallyportd", r"\1" + t.tools.server, unit(t, name), flags=re.M)
        with open(os.path.join(folder, name), "w") as out:
            out.write(text)
    run = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
                          folder + "/sallyport.service", folder + "/sallyport.socket"],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    t.equal((run.returncode, [line for line in run.stdout.splitlines() if "sallyport" in line]), (0, []), "systemd-analyze")


@marks(sanitizers=False)
def test_capabilities_of_our_unit_are_enough(t):
    """With the unit's bounding set everything works: both channels, scripts, users, a reload, the end."""
    names = re.findall(r"^CapabilityBoundingSet=(.*)$", unit(t, "sallyport.service"), re.M)
    wanted = ",".join("+" + name[4:].lower() for line in names for name in line.split())
    server = t.server(start=False)
    out = server.dir + "/calls"
    server.write_conf(connect_script=server.write_file("script", "#!/bin/sh\necho $REASON >> %s\n" % out, 0o755))
    manager = Manager(t, watchdog=4)
    t.enter_server = ["setpriv", "--bounding-set", "-all," + wanted]
    server.environment = manager.environment()
    server.start()
    client = t.client().wait()
    must_ping(client.netns)
    wait_for("the script's call", lambda: os.path.exists(out))
    server.occtl("reload")
    manager.wait("WATCHDOG")
    os.kill(server.user()["ID"], 15)
    client.wait_end(20)
    server.wait_no_user()


@marks(sanitizers=False)
def test_unit_of_ocserv(t):
    """Admin 2.2: the unit that comes with ocserv (Type=simple, pid file, HUP to reload) works unchanged."""
    server = t.server({"pid-file": None, "banner": "old"}, start=False)
    pid_file = server.dir + "/ocserv.pid"
    command = "%s --foreground --pid-file %s --config %s --log-stderr" % (t.tools.server, pid_file, server.conf_file)
    with open(server.log_file, "a") as log:
        server.process = subprocess.Popen(["ip", "netns", "exec", t.net.srv, *command.split()], stdin=subprocess.DEVNULL,
                                          stdout=log, stderr=log, start_new_session=True)
    server.conf["pid-file"] = pid_file
    server.wait_ready(said=None)
    with open(pid_file) as pid:
        main = int(pid.read())
    t.equal(main, server.process.pid, "the pid file names the process that systemd knows")
    server.write_conf(banner="new", pid_file=None)
    subprocess.run(["/bin/kill", "-HUP", str(main)], check=True)
    wait_for("the new banner", lambda: t.web().must_login().connect().header("X-CSTP-Banner") == "new", 5)
    subprocess.run(["/bin/kill", "-TERM", str(main)], check=True)
    t.equal(server.process.wait(40), 0, "status")
    t.expect(not os.path.exists(pid_file), "the pid file stays")


# Each line that begins with "== " is looked for below.
MACHINE = """
ip link set lo up
ip netns add cli
ip link add name tocli type veth peer name tosrv netns cli
ip addr add 198.18.0.1/24 dev tocli
ip link set tocli up
ip -n cli addr add 198.18.0.2/24 dev tosrv
ip -n cli link set tosrv up
ip -n cli link set lo up
show() { systemctl show --value -p $1 sallyport; }
until_true() { for i in $(seq 400); do eval "$1" && return; sleep 0.1; done; echo "never: $1"; exit 1; }
session() {
	echo secret | ip netns exec cli openconnect --servercert %(pin)s -u test --passwd-on-stdin --script /bin/true --non-inter -v \\
		https://198.18.0.1/ > /out/client.$1 2>&1 &
	until_true "grep -q 'Established DTLS' /out/client.$1"
	echo "== $1 $(show ActiveState) $(show SubState) $(%(occtl)s show users | grep -c ' test ') users"
	sed -i 's/^banner = .*/banner = new/' %(conf)s
	systemctl reload sallyport && echo "== $1 reloaded"
	until_true 'grep -q "reloaded generation=2" /out/log'
	kill -STOP $(pgrep -o sallyport-auth)
	until_true 'grep -q "super hangs process=.auth" /out/log'
	until_true 'grep -q "auth-restarted" /out/log'
	sleep 2
	echo "== $1 $(show ActiveState) $(show NRestarts) restarts $(%(occtl)s show users | grep -c ' test ') users"
	until_true '[ "$(show StatusText)" = "Serving: 1 session, 1 connection." ]'
	systemctl stop sallyport
	wait
	grep -q "the server ends the session" /out/client.$1 && echo "== $1 client told"
	echo "== $1 $(show ActiveState) $(show Result) $(show ExecMainStatus)"
	mv /out/log /out/log.$1
}
systemctl start sallyport
session alone
systemctl start sallyport.socket
systemctl start sallyport
session socket
"""


@marks(sanitizers=False, seconds=90)
def test_under_a_real_systemd(t):
    """Admin 2.2: our units on a booted systemd, with all they forbid: DTLS, scripts, reload, an auth that hangs,
    the end; alone and with the sockets of sallyport.socket."""
    server = t.server(start=False)
    out = "/out/calls"
    server.write_conf(connect_script=server.write_file("script", "#!/bin/sh\necho $REASON >> %s\n" % out, 0o755),
                      disconnect_script=server.dir + "/script", banner="old", pid_file=None)
    service = re.sub(r"^(ExecStart=)\S*/sallyportd", r"\1%s --debug 3 --config %s" % (t.tools.server, server.conf_file),
                     unit(t, "sallyport.service"), flags=re.M)
    more = "[Unit]\nDefaultDependencies=no\nAfter=\nWants=\n[Service]\nStandardOutput=append:/out/log\n" \
           "StandardError=append:/out/log\nWatchdogSec=8\n"
    # The unit has a /tmp of its own, and the test's files are there.
    folders = [os.path.dirname(t.dir), t.tools.builddir]
    more += "BindPaths=%s\n" % " ".join(folders)
    script = MACHINE % {"pin": t.pki.pin, "conf": server.conf_file,
                        "occtl": "%s -s %s" % (t.tools.occtl, server.conf["occtl-socket-file"])}
    folder = boot(t, {"sallyport.service": service, "sallyport.socket": unit(t, "sallyport.socket"),
                      "sallyport.service.d/test.conf": more, "sallyport.socket.d/test.conf": "[Unit]\nDefaultDependencies=no\n"},
                  script, folders)
    with open(folder + "/script.log") as log:
        told = re.findall(r"^== (.*)$", log.read(), re.M)
    wanted = ["active running 1 users", "reloaded", "active 0 restarts 1 users", "client told", "inactive success 0"]
    t.equal(told, ["%s %s" % (which, words) for which in ("alone", "socket") for words in wanted], "what the machine says")
    with open(folder + "/log.socket") as log:
        t.expect("listening on 2 systemd sockets..." in log.read(), "no sockets of systemd")
    with open(folder + "/calls") as calls:
        t.equal(calls.read().split(), ["connect", "disconnect"] * 2, "scripts")
