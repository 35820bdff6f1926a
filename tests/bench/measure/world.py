"""Where everything is measured: three namespaces, the servers one after the other, clients, and CPU time."""
import os
import re
import shutil
import subprocess
import tempfile
import time

from lib.client import Client
from lib.net import LAN4, SERVER4, Net
from lib.pki import Pki
from lib.server import Server, Tools
from lib.shell import Failure, descendants, sh, wait_for

USER = "bench"
OCSERV = "/usr/sbin/ocserv"
HZ = os.sysconf("SC_CLK_TCK")
# One file for both servers: no limits, no rekeying and no probing in the middle of a measurement.
CONF = {
    "dpd": 3600, "mobile-dpd": 3600, "cookie-timeout": 300, "auth-timeout": 240, "rekey-time": 172800,
    "rate-limit-ms": 0, "tls-priorities": '"NORMAL:%SERVER_PRECEDENCE"', "device": "bvpn", "predictable-ips": "false",
    "ipv4-network": "198.19.0.0/16", "ipv6-network": None, "ipv6-subnet-prefix": None, "route": "198.18.1.0/24",
    "cisco-client-compat": "true", "dtls-legacy": "true",
}
NEEDED = {"ip": "iproute2", "iperf3": "iperf3", "ping": "iputils-ping", "openconnect": "openconnect", "certtool": "gnutls-bin",
          "gnuplot": "gnuplot-nox", OCSERV: "ocserv"}


BUILT = ("src/sallyportd", "src/ocpasswd", "tests/bench/vpnload", "tests/bench/udpload")


def missing_programs(builddir):
    """What of BUILT is not there."""
    return [name for name in BUILT if not os.access(os.path.join(builddir, name), os.X_OK)]


def missing_packages(commands):
    """Debian's names of the packages that are not there."""
    return sorted({NEEDED[name] for name in commands if not shutil.which(name)})


class World:
    """The network and the folder of a run; what tests/e2e/lib's servers and clients expect of a test."""

    def __init__(self, builddir, prefix):
        self.builddir = os.path.abspath(builddir)
        self.dir = tempfile.mkdtemp(prefix="bench.", dir="/var/tmp")
        os.chmod(self.dir, 0o755)
        self.net = Net(prefix)
        self.ours = Tools(os.path.join(self.builddir, "src/sallyportd"), self.builddir)
        self.pki = self.tools = None
        self.slow, self.isolate, self.enter_server, self.clients, self.jobs = 1, True, [], [], []
        self._dirs = 0

    def __enter__(self):
        try:
            self.pki = Pki(self.dir + "/pki").make()
            self.net.open()
            sh("ip", "-n", self.net.lan, "route", "replace", "198.19.0.0/16", "via", "198.18.1.1")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for job in self.jobs + [client.process for client in self.clients]:
            stop(job)
        self.net.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def new_dir(self, kind):
        self._dirs += 1
        path = os.path.join(self.dir, "%s%d" % (kind, self._dirs))
        os.makedirs(path)
        return path

    def program(self, name):
        """A program of the build that only the benchmark uses."""
        return os.path.join(self.builddir, "tests/bench", name)

    def start(self, namespace, *command, **options):
        """A process in NAMESPACE that is ended with the run, if not before."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
        job = subprocess.Popen(["ip", "netns", "exec", namespace, *map(str, command)], text=True, **options)
        self.jobs.append(job)
        return job


def stop(job):
    """Ends a process of ours: politely, then not."""
    if job.poll() is not None:
        return
    job.terminate()
    try:
        job.wait(10)
    except subprocess.TimeoutExpired:
        job.kill()
        job.wait()


class Subject:
    """One server while it runs: `with Subject(world, "ours") as server`."""

    def __init__(self, world, name):
        self.world, self.name = world, name
        world.tools = world.ours if name == "ours" else Tools(OCSERV)
        self.server = Server(world, CONF, users={}, start=False, debug=1)
        self.server.passwd(USER)

    def __enter__(self):
        self.world.tools = self.server.tools
        self.server.start()
        return self

    def __exit__(self, *_):
        stop(self.server.process)

    def cpu(self):
        """User and system seconds of all its processes, and of those they have collected."""
        return cpu_seconds(self.server.process.pid)

    def memory(self):
        """Proportional set size of all its processes, KiB."""
        return sum(pss(pid) for pid in [self.server.process.pid] + descendants(self.server.process.pid))


def cpu_seconds(root):
    ticks = 0
    for pid in [root] + descendants(root):
        try:
            with open("/proc/%d/stat" % pid) as stat:
                ticks += sum(int(n) for n in stat.read().rpartition(")")[2].split()[11:15])
        except OSError:
            pass
    return ticks / HZ


def pss(pid):
    try:
        with open("/proc/%d/smaps_rollup" % pid) as rollup:
            return int(re.search(r"(?m)^Pss:\s+(\d+)", rollup.read()).group(1))
    except (OSError, AttributeError):
        return 0


class OpenConnect:
    """The stock client, connected."""

    def __init__(self, world, dtls):
        self.client = Client(world, user=USER, dtls=dtls).wait()
        self.process = self.client.process
        text = self.client.log()
        found = re.search(r"DTLS connection \(using GnuTLS\)\. Ciphersuite (\S+)" if dtls else r"ciphersuite (\S+)", text)
        self.cipher = found.group(1).rstrip(".") if found else "?"
        time.sleep(0.3)  # its probes of the MTU

    def close(self):
        self.client.stop()


class VpnLoad:
    """Our batched client, connected."""

    def __init__(self, world, dtls):
        log = os.path.join(world.new_dir("vpnload"), "log")
        with open(log, "w") as out:
            self.process = world.start(world.net.cli, world.program("vpnload"), "-u", USER, "-p", "secret",
                                       "--dtls" if dtls else "--tls", SERVER4, stdout=out, stderr=out)

        def connected():
            with open(log) as text:
                said = text.read()
            if self.process.poll() is not None:
                raise Failure("vpnload: " + said)
            return re.search(r"connected .*address=(\S+) mtu=(\d+) .*cipher=(\S+)", said)
        found = wait_for("vpnload to connect", connected, 20)
        self.address, self.mtu, self.cipher = found.group(1), int(found.group(2)), found.group(3)

    def close(self):
        self.process.terminate()
        if self.process.wait(10):
            raise Failure("vpnload has ended with status %d" % self.process.returncode)


CLIENTS = {"openconnect": OpenConnect, "vpnload": VpnLoad}


class Cost:
    """CPU seconds of SUBJECTS (objects with cpu()) between start and stop."""

    def __init__(self, subject):
        self.subject, self.before = subject, subject.cpu()

    def seconds(self):
        return self.subject.cpu() - self.before


def wait_listening(world, namespace, port):
    wanted = ":%d " % port
    wait_for("port %d" % port, lambda: wanted in world.net.run(namespace, "ss", "-Hltn").stdout, 5)


__all__ = ["CLIENTS", "LAN4", "Cost", "Subject", "World", "cpu_seconds", "missing_packages", "missing_programs", "stop", "wait_listening"]
