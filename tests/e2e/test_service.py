"""The server's life as administrators drive it: draining, listeners, logs, scripts of the service (checklist A, N)."""
import os
import shutil
import signal
import subprocess
import time

from lib.harness import marks
from lib.net import SERVER4, SERVER6
from lib.shell import descendants, sh, wait_for
from lib.web import Web

from test_http import client_context


def test_helper_that_does_not_start(t):
    """A start that cannot succeed ends with status 1 and says which program is to blame."""
    server = t.server(start=False)
    tree = t.dir + "/tree"
    for folder in ("src", "auth", "worker"):
        os.makedirs(tree + "/" + folder)
    shutil.copy(server.tools.server, tree + "/src/sallyportd")
    for program in ("auth/sallyport-auth", "worker/sallyport-worker"):
        with open(tree + "/" + program, "w") as f:
            f.write("#!/bin/sh\nexit 1\n")
        os.chmod(tree + "/" + program, 0o755)
    got = subprocess.run(["ip", "netns", "exec", server.net.srv, tree + "/src/sallyportd", "-f", "-c", server.conf_file],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
    t.equal(got.returncode, 1, "status")
    t.expect("does not start; the log says why" in got.stdout, got.stdout)


@marks(seconds=60)
def test_drain(t):
    """Checklist 15, admin 3: no new connections at once, sessions kept for the time, then an orderly end."""
    server = t.server({"server-drain-ms": 4000})
    tunnel = t.web().must_login().open()
    start = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    server.wait_log("stopping new connections")
    try:
        t.web()
        t.expect(False, "a new connection while draining")
    except OSError:
        pass
    tunnel.send(tunnel.DPD_OUT, b"still here")
    t.equal(tunnel.receive_control(), (tunnel.DPD_RESP, b"still here"), "the tunnel while draining")
    server.process.send_signal(signal.SIGTERM)
    status = server.process.wait(40)
    spent = time.monotonic() - start
    t.equal(status, 0, "status")
    t.expect(3.5 < spent < 15, "the end came after %.1f s" % spent)
    for text in ("termination request received; stopping new connections",
                 "termination request received; waiting 4000 ms"):
        t.expect(text in server.log(), text + " is not in the log")


def test_one_address_is_enough(t):
    """Checklist 12: with the IPv4 port taken the server starts on IPv6."""
    server = t.server(start=False)
    taken = t.net.socket(t.net.srv)
    taken.bind(("0.0.0.0", 443))
    taken.listen(1)
    server.start()
    t.web(host=SERVER6).must_login()
    taken.close()


def test_listen_host(t):
    """Config 8.1, checklist 23: TCP and UDP on the addresses they were given."""
    server = t.server({"listen-host": SERVER4, "udp-listen-host": "127.0.0.1"})
    t.web(host=SERVER4).must_login()
    try:
        t.web(host=SERVER6, timeout=3)
        t.expect(False, "IPv6 is served")
    except OSError:
        pass
    client = t.client(dtls=False).wait()
    time.sleep(1)
    t.expect("listening (UDP) on 127.0.0.1:443..." in server.log(), "no UDP on 127.0.0.1", server.log())
    t.expect(not server.user().get("DTLS cipher"), "DTLS on an address without a listener")
    client.stop()


def test_diagnostics_on_stderr(t):
    """Checklist 9: with -f the server stays attached; -d says how much is on stderr, whatever log-level says."""
    for level, some, more in ((0, False, False), (2, True, False), (3, True, True)):
        server = t.server({"log-level": 1}, debug=level)
        t.web().must_login().open().bye()
        server.wait_no_user()
        t.equal(server.process.poll(), None, "the process that was started")
        server.stop()
        t.equal("user logged in" in server.log(), some, "informational messages at level %d" % level)
        t.equal("assigning tun device" in server.log(), more, "debug messages at level %d" % level)


def test_pid_file(t):
    """Checklist 10, admin 2.1: -p wins, no newline, gone after SIGTERM; an impossible one is an error."""
    path = t.dir + "/own.pid"
    server = t.server(arguments=["-p", path])
    with open(path) as pid:
        t.equal(pid.read(), str(server.process.pid), "content of the pid file")
    t.expect(not os.path.exists(server.conf["pid-file"]), "both pid files")
    t.equal(server.log().count("note: skipping 'pid-file' config option\n"), 1, "notes about the option")
    t.equal(os.stat(path).st_mode & 0o007, 0, "what others may do with the pid file")
    server.stop()
    t.expect(not os.path.exists(path), "the pid file stays")
    for background in ((), ("-f",)):
        run = sh("ip", "netns", "exec", t.net.srv, t.tools.server, *background, "-c", server.conf_file, "-p", "/nonexistent/x",
                 check=False, timeout=20)
        t.equal(run.returncode, 1, "status with an impossible pid file %s" % (background,))
        t.expect("cannot open pid file '/nonexistent/x'" in run.stderr, "words", run.stderr)


def test_host_update_script(t):
    """Checklist 156: once per session when the client gives a host name, never without; a reconnection is no new session."""
    server = t.server(start=False)
    out = server.dir + "/calls"
    script = server.write_file("script", "#!/bin/sh\necho \"$REASON $USERNAME $REMOTE_HOSTNAME\" >> %s\n" % out, 0o755)
    server.write_conf(host_update_script=script)
    server.start()
    web = t.web().must_login()
    web.send("CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nCookie: webvpn=%s\r\n\r\n" % web.cookies["webvpn"])
    t.equal(web.read().status, 200, "status without a host name")
    time.sleep(0.5)
    t.expect(not os.path.exists(out), "called without a host name")
    web.close()
    web = t.web().must_login()
    web.open()
    wait_for("the script's call", lambda: os.path.exists(out))
    start = len(server.log())
    t.web(cookies=web.cookies).open()
    server.wait_log("user logged in", start=start)
    time.sleep(0.5)
    with open(out) as calls:
        t.equal(calls.read(), "host-update test e2e\n", "calls")
    server.wait_log("executing script host-update " + script)


SHIFT = """
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
enum { YEARS = 14 };
static const long shift = 365L * 86400 * YEARS;
int clock_gettime(clockid_t clock, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ts);
	if (!r && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		ts->tv_sec += shift;
	return r;
}
time_t time(time_t *out)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	if (out)
		*out = ts.tv_sec;
	return ts.tv_sec;
}
int gettimeofday(struct timeval *tv, void *zone)
{
	struct timespec ts;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &ts);
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}
"""


@marks(sanitizers=False)
def test_beyond_2038(t):
    """Checklist 19: logins, tunnels and occtl's dates when the clock is past January 2038."""
    server = t.server(start=False)
    source, library = server.write_file("shift.c", SHIFT), server.dir + "/shift.so"
    sh("cc", "-shared", "-fPIC", "-o", library, source)
    key, cert = server.dir + "/far-key.pem", server.dir + "/far.pem"
    sh("certtool", "--generate-privkey", "--key-type=ecdsa", "--curve=secp256r1", "--outfile", key)
    template = server.write_file("template", 'cn = "server"\nexpiration_days = 9000\ntls_www_server\nsigning_key\n')
    sh("certtool", "--generate-self-signed", "--load-privkey", key, "--template", template, "--outfile", cert)
    server.write_conf(server_cert=cert, server_key=key, session_timeout=3600)
    server.environment = {"LD_PRELOAD": library}
    server.start()
    client = t.client(pin=t.pki.pin_of(key)).wait()
    year = time.gmtime(time.time() + 365 * 86400 * 14).tm_year
    user = server.user()
    t.expect(str(year) in user["Last connected at"], "connected at", user)
    t.expect(abs(int(user["raw_connected_at"]) - time.time() - 365 * 86400 * 14) < 60, "raw_connected_at", user)
    t.expect(str(year) in server.occtl("show", "status").stdout, "dates of show status", server.occtl("show", "status").stdout)
    client.detach()
    t.client(pin=t.pki.pin_of(key), dtls=False).wait().stop()


SYSLOG = """
import os, socket, subprocess, sys, threading
dev = sys.argv[1]
os.mkdir(dev)
subprocess.check_call(["mount", "-t", "tmpfs", "dev", dev])
os.mkdir(dev + "/net")
for name in ("null", "zero", "random", "urandom", "net/tun"):
    node = os.stat("/dev/" + name)
    os.mknod(dev + "/" + name, node.st_mode, node.st_rdev)
    os.chmod(dev + "/" + name, 0o666)
subprocess.check_call(["mount", "--bind", dev, "/dev"])
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind("/dev/log")
os.chmod("/dev/log", 0o666)
server = subprocess.Popen(sys.argv[2:])
log.settimeout(1)
while server.poll() is None:
    try:
        print("SYSLOG", log.recv(65536).decode(errors="replace"), flush=True)
    except TimeoutError:
        pass
sys.exit(server.returncode)
"""


@marks(sanitizers=False)
def test_syslog(t):
    """Checklist 17, 18: facility daemon unless the file says otherwise; the command line says it last."""
    for facility, arguments, code in ((None, [], 3), ("auth", [], 4), ("auth", ["--syslog-facility=local3"], 19)):
        server = t.server({"syslog-facility": facility}, start=False)
        script, out = server.write_file("syslog.py", SYSLOG), server.dir + "/syslog"
        with open(out, "w") as log:
            server.process = subprocess.Popen(
                ["ip", "netns", "exec", t.net.srv, "unshare", "-m", "python3", script, server.dir + "/dev",
                 t.tools.server, "-f", "--syslog", "-c", server.conf_file] + arguments,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        read = lambda: open(out).read()
        wait_for("the server's word", lambda: "initialized OpenConnect VPN Server" in read(), 20)
        lines = [line for line in read().splitlines() if line.startswith("SYSLOG")]
        t.expect([line for line in lines if "initialized OpenConnect VPN Server" in line], "nothing came to syslog", read())
        for line in lines:
            priority = int(line.split("<")[1].split(">")[0])
            t.equal(priority >> 3, code, "facility in %r" % line)
        os.kill(descendants(server.process.pid)[0], signal.SIGTERM)
        t.equal(server.process.wait(40), 0, "status")


def test_no_connection_is_lost_by_a_reload(t):
    """Checklist 67: what main has accepted and the zygote has not forked yet is served, then the zygote replaced."""
    server = t.server({"banner": "old"})
    zygote = server.roles()["zygote"]
    os.kill(zygote, signal.SIGSTOP)
    web = Web(t, raw=True)
    time.sleep(0.3)
    start = len(server.log())
    server.write_conf(banner="new")
    server.reload()
    server.wait_log("reloaded", start=start)
    time.sleep(0.3)
    os.kill(zygote, signal.SIGCONT)
    web.socket = client_context().wrap_socket(web.socket)
    web.file = web.socket.makefile("rb")
    web.must_login()
    wait_for("the new zygote", lambda: server.roles().get("zygote") not in (None, zygote))
    t.equal(t.web().must_login().connect().header("X-CSTP-Banner"), "new", "banner")
