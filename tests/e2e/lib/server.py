"""The server under test: its configuration, its life, its log, its control tool, and what it must not leave."""
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import time

from .net import POOL4, POOL6
from .shell import PATIENCE, Failure, descendants, process_name, program, sh, wait_for

PASSWORD = "secret"
SANITIZER = "sanitizer report in "  # a failure for which no busy machine is to blame begins so
REPORT = re.compile(r"ERROR: \w*Sanitizer|Sanitizer has encountered|SUMMARY: \w*Sanitizer|: runtime error: ")


def base_conf(directory, pki):
    """What every test's file starts from; tests override by key, None takes a key away."""
    return {
        "auth": '"plain[passwd=%s/passwd]"' % directory,
        "tcp-port": 443,
        "udp-port": 443,
        "run-as-user": "nobody",
        "run-as-group": "nogroup",
        "socket-file": directory + "/sock",
        "use-occtl": "true",
        "occtl-socket-file": directory + "/occtl.sock",
        "pid-file": directory + "/pid",
        "server-cert": pki.cert,
        "server-key": pki.key,
        "isolate-workers": "true",
        "use-utmp": "false",
        "max-clients": 0,
        "max-same-clients": 0,
        "max-ban-score": 0,
        "keepalive": 3600,
        "dpd": 60,
        "try-mtu-discovery": "false",
        "tls-priorities": '"NORMAL:%SERVER_PRECEDENCE:-VERS-TLS1.0:-VERS-TLS1.1"',
        "auth-timeout": 60,
        "cookie-timeout": 60,
        "rekey-method": "ssl",
        "device": "vpns",
        "predictable-ips": "true",
        "ipv4-network": POOL4,
        "ipv6-network": POOL6,
        "ipv6-subnet-prefix": 128,
        "route": ["198.18.1.0/24", "fd00:19::/64"],
    }


def conf_text(conf, vhosts=()):
    """The file for CONF, a dict with a list where a key repeats; VHOSTS is a list of (name, dict)."""
    lines = []
    for section, options in [(None, conf)] + list(vhosts):
        if section:
            lines.append("[vhost:%s]" % section)
        for key, value in options.items():
            for one in value if isinstance(value, list) else [value]:
                if one is not None:
                    lines.append("%s = %s" % (key, one))
    return "\n".join(lines) + "\n"


class Server:
    """One server in the test's server namespace."""

    def __init__(self, test, conf=None, vhosts=(), users=None, start=True, debug=3, arguments=(),
                 environment=None):
        self.test, self.net, self.tools = test, test.net, test.tools
        self.dir = test.new_dir("server")
        os.chmod(self.dir, 0o755)
        self.conf = base_conf(self.dir, test.pki)
        if not test.isolate:
            self.conf["isolate-workers"] = "false"
        self.conf.update(conf or {})
        self.vhosts = list(vhosts)
        self.conf_file, self.log_file = self.dir + "/conf", self.dir + "/log"
        self.debug, self.arguments, self.environment = debug, list(arguments), environment or {}
        self.process = None
        self.write_conf()
        for user, groups in (users if users is not None else {"test": None}).items():
            self.passwd(user, groups=groups)
        if start:
            self.start()

    # Files
    def write_conf(self, **changes):
        """Writes the file, with CHANGES (dashes as underscores) on top from now on."""
        for key, value in changes.items():
            self.conf[key.replace("_", "-")] = value
        # At once, as editors do: a server that reads it just now finds one file or the other.
        os.replace(self.write_file("conf.new", conf_text(self.conf, self.vhosts)), self.conf_file)

    def write_file(self, name, text, mode=0o644):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as out:
            out.write(text)
        os.chmod(path, mode)
        return path

    def passwd(self, user, password=PASSWORD, groups=None, *options):
        arguments = ["-c", self.dir + "/passwd"] + (["-g", groups] if groups else []) + list(options)
        return sh(self.tools.ocpasswd, *arguments, user, stdin="%s\n%s\n" % (password, password))

    # Life
    def start(self, wait=True):
        environment = {name: value for name, value in os.environ.items() if name != "TMPDIR"}  # a service has none
        environment.update(self.environment)
        if self.tools.sanitizers:
            reports = self.dir + "/sanitizer"
            environment["ASAN_OPTIONS"] = "log_path=%s:detect_leaks=1:abort_on_error=0:exitcode=99" % reports
            environment["UBSAN_OPTIONS"] = "log_path=%s:print_stacktrace=1" % reports
            os.chmod(self.dir, 0o777)
        log = open(self.log_file, "a")
        start = log.tell()
        command = ["ip", "netns", "exec", self.net.srv, *self.test.enter_server, self.tools.server, "-f", "-d", str(self.debug),
                   "-c", self.conf_file] + (["--log-stderr"] if self.tools.ours else []) + \
            (["--traceable"] if self.tools.sanitizers else []) + self.arguments
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        env=environment, start_new_session=True)
        log.close()
        if wait:
            self.wait_ready(start=start)
        return self

    def wait_ready(self, seconds=10, said="initialized OpenConnect VPN Server", start=0):
        """Waits until it serves; SAID is what its log says then, after offset START."""
        if not self.tools.ours or self.debug < 2:
            said = None  # it does not say so

        def ready():
            if self.process.poll() is not None:
                raise Failure("the server ended at start, exit %d" % self.process.returncode)
            return self.is_listening() and os.path.exists(self.conf["occtl-socket-file"]) and \
                (said is None or said in self.log()[start:])
        wait_for("the server to listen", ready, seconds * self.test.slow)

    def is_listening(self):
        wanted = ":%04X" % int(self.conf["tcp-port"])
        for table in ("tcp", "tcp6"):
            try:
                with open("/proc/%d/net/%s" % (self.process.pid, table)) as sockets:
                    for line in sockets:
                        fields = line.split()
                        if fields[1].endswith(wanted) and fields[3] == "0A":
                            return True
            except OSError:
                pass
        return False

    def signal(self, number):
        os.kill(self.main_pid(), number)

    def reload(self):
        """Only asks for it; see reloaded()."""
        self.signal(signal.SIGHUP)

    def reloaded(self):
        """A reload by signal, and its end: new connections get the new file."""
        start = len(self.log())
        self.reload()
        self.wait_log("main reloaded generation=", start=start)

    def replaced(self, role, pid):
        """Waits for the process that takes the place of PID, which had ROLE; gives its own id."""
        return wait_for("another " + role, lambda: self.roles().get(role) != pid and self.roles().get(role))

    def stop(self, seconds=15):
        """SIGTERM, then everything of it must be gone."""
        if self.process is None or self.process.poll() is not None:
            return
        tree = descendants(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(seconds * self.test.slow * PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure("the server does not end on SIGTERM")
        if status != 0:
            raise Failure("the server ended with status %d on SIGTERM" % status)
        self.check_gone(tree)

    def check_gone(self, tree):
        """Nothing of the server is left: processes, sockets, devices, pid file."""
        names = {pid: process_name(pid) for pid in tree}
        left = lambda: [pid for pid in tree if program(pid) and process_name(pid) == names[pid]]
        try:
            wait_for("the server's processes to end", lambda: not left(), 5 * self.test.slow)
        except Failure:
            raise Failure("processes left: %s" % [(p, names[p]) for p in left()])
        for path in [self.conf.get("occtl-socket-file"), self.conf.get("pid-file")] + \
                glob.glob(glob.escape(str(self.conf.get("socket-file"))) + "*"):
            if path and os.path.exists(path):
                raise Failure("left behind: " + path)
        wait_for("the tunnel devices to go", lambda: not self.devices(), 5)

    def check_reports(self):
        """No process of the server may have printed a sanitizer's report."""
        for path in glob.glob(self.dir + "/sanitizer*") + [self.log_file]:
            if os.path.exists(path):
                with open(path, errors="replace") as report:
                    text = report.read()
                if REPORT.search(text):
                    at = REPORT.search(text).start()
                    raise Failure(SANITIZER + "%s:\n%s" % (path, text[max(0, at - 200):at + 4000]))

    # Facts
    def devices(self):
        """Names of the tunnel devices."""
        out = sh("ip", "-n", self.net.srv, "-o", "link", "show", check=False).stdout
        return re.findall(r"^\d+: (%s\d+)" % re.escape(str(self.conf["device"])), out, re.M)

    def tree(self):
        """The server's processes, supervisor first."""
        return [self.process.pid] + descendants(self.process.pid)

    def roles(self):
        """Process ids by role: super, main, auth, zygote, workers (empty for a server built differently)."""
        roles = {"super": self.process.pid, "workers": []}
        for pid in descendants(self.process.pid):
            line, name = process_name(pid), program(pid)
            if name == "sallyportd" and "--role=main" in line:
                roles["main"] = pid
            elif name == "sallyport-auth" and "auth" not in roles:
                roles["auth"] = pid
            elif name == "sallyport-worker":
                if "zygote" not in roles:
                    roles["zygote"] = pid
                else:
                    roles["workers"].append(pid)
        return roles

    def main_pid(self):
        """Whom an administrator signals: the process started by hand."""
        return self.process.pid

    def log(self):
        """What it has said so far, in whole lines: one may be on its way."""
        with open(self.log_file, errors="replace") as log:
            text = log.read()
        return text[:text.rfind("\n") + 1]

    def wait_log(self, pattern, seconds=5, start=0):
        """Waits until PATTERN (a regular expression) is in the log from offset START on; gives the match."""
        return wait_for("%r in the server's log" % pattern,
                        lambda: re.search(pattern, self.log()[start:]), seconds * self.test.slow)

    def wait_said(self, text):
        """Waits until TEXT is in the log; what workers say comes by way of main."""
        self.wait_log(re.escape(text))

    # Control tool
    def occtl(self, *arguments, check=True, **options):
        return sh(self.tools.occtl, "-s", self.conf["occtl-socket-file"], *arguments, check=check, **options)

    def occtl_json(self, *arguments, check=True):
        out = self.occtl("-j", *arguments, check=check).stdout
        try:
            return json.loads(out)
        except ValueError as error:
            raise Failure("occtl -j %s gives no JSON (%s):\n%s" % (" ".join(arguments), error, out))

    def users(self, name=None):
        """Connected users as occtl shows them."""
        rows = self.occtl_json("show", "users")
        return [row for row in rows if row.get("State") == "connected" and name in (None, row.get("Username"))]

    def user(self, name="test", seconds=5):
        """The one connection of user NAME."""
        rows = wait_for("occtl to show user " + name, lambda: self.users(name), seconds * self.test.slow)
        if len(rows) != 1:
            raise Failure("%d connections of %s" % (len(rows), name))
        return rows[0]

    def wait_no_user(self, name="test", seconds=10):
        wait_for("user %s to be gone" % name, lambda: not self.users(name), seconds * self.test.slow)


class Tools:
    """The programs under test."""

    def __init__(self, server, builddir=None, sanitizers=False):
        self.server = os.path.abspath(server)
        self.builddir = os.path.abspath(builddir or os.path.join(os.path.dirname(self.server), ".."))
        beside = builddir and os.path.join(builddir, "src") or os.path.dirname(self.server)
        self.sanitizers = sanitizers
        self.ours = os.path.basename(self.server) != "ocserv"
        self.occtl = self._find(beside, "occtl")
        self.ocpasswd = self._find(beside, "ocpasswd")

    def _find(self, folder, name):
        path = os.path.join(folder, name)
        return path if self.ours or os.path.exists(path) else shutil.which(name) or path


def quickest(function, times=3):
    """The least seconds FUNCTION takes of TIMES: a busy machine delays one, what waits for something waits each time."""
    return min(timed(function)[0] for _ in range(times))


def in_time(measure, limit, times=4):
    """What MEASURE gives, which may go on with what it has, once below LIMIT, or the last of TIMES: a busy machine spoils
    one measurement, a difference that is there shows in each."""
    for _ in range(times):
        value = measure()
        if value < limit:
            break
    return value


def timed(function):
    """Seconds FUNCTION takes, and its result."""
    start = time.monotonic()
    value = function()
    return time.monotonic() - start, value
