"""Debian's openconnect as the client of a test."""
import json
import os
import re
import signal
import subprocess

from .net import SERVER4
from .server import PASSWORD
from .shell import PATIENCE, Failure, wait_for

SCRIPT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "vpnc-script")


class Client:
    """One openconnect process.  The constructor starts it; wait() until the tunnel is up."""

    def __init__(self, test, user="test", password=PASSWORD, dtls=True, host=SERVER4, netns=None, cookie=None,
                 arguments=(), stdin=None, pin=None, port=None, environment=None, path=""):
        self.test, self.dtls = test, dtls
        self.netns = netns or test.net.cli
        self.dir = test.new_dir("client")
        self.env_dir, self.log_file = self.dir + "/env", self.dir + "/log"
        os.makedirs(self.env_dir)
        where = "[%s]" % host if ":" in host else host
        command = ["ip", "netns", "exec", self.netns, "openconnect", "--servercert", pin or test.pki.pin,
                   "--script", SCRIPT, "--timestamp", "-v", "--non-inter"]
        if cookie is not None:
            command += ["--cookie-on-stdin"]
            stdin = cookie + "\n"
        else:
            command += ["-u", user, "--passwd-on-stdin"]
            stdin = stdin if stdin is not None else password + "\n"
        command += ([] if dtls else ["--no-dtls"]) + list(arguments)
        command += ["https://%s%s/%s" % (where, ":%d" % port if port else "", path)]
        with open(self.log_file, "w") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, text=True,
                                            env=dict(environment or os.environ, E2E_ENV_DIR=self.env_dir),
                                            start_new_session=True)
        self.process.stdin.write(stdin)
        self.process.stdin.close()
        test.clients.append(self)

    # What happened
    def log(self):
        with open(self.log_file, errors="replace") as log:
            return log.read()

    def script_calls(self, reason):
        """The environments of the script's calls for REASON, in order."""
        calls = []
        for name in sorted(os.listdir(self.env_dir)):
            if name.endswith("-%s.json" % reason):
                with open(os.path.join(self.env_dir, name)) as call:
                    calls.append(json.load(call))
        return calls

    def wait(self, seconds=15):
        """Waits for the tunnel, the DTLS channel too unless it is off; gives itself."""
        self.wait_for("the client to connect", lambda: self.script_calls("connect"), seconds)
        if self.dtls:
            self.wait_dtls(seconds)
        return self

    def wait_again(self, start, seconds=30):
        """Waits for another tunnel, as wait(), told of in the log from offset START on."""
        self.wait_log("Got CONNECT response: HTTP/1.1 200", seconds, start)
        if self.dtls:
            self.wait_dtls(seconds, start)

    def wait_dtls(self, seconds=15, start=0):
        """Waits for the DTLS channel, in the log from offset START on.  Openconnect opens it, then tries which sizes get
        through, and throws away whatever data comes meanwhile ("Received unexpected packet (00) in MTU detection;
        skipping"): only then nothing is lost."""
        self.wait_log(r"(?s)Established DTLS connection.*(MTU after detection|Detected MTU of|in MTU detect loop|declare MTU)",
                      seconds, start)

    def wait_for(self, what, probe, seconds=10):
        def alive():
            value = probe()
            if not value and self.process.poll() is not None:
                value = probe()
                if not value:
                    raise Failure("the client ended (exit %d) before %s" % (self.process.returncode, what))
            return value
        return wait_for(what, alive, seconds * self.test.slow)

    def wait_log(self, pattern, seconds=10, start=0):
        return self.wait_for("%r in the client's log" % pattern,
                             lambda: re.search(pattern, self.log()[start:]), seconds)

    def wait_end(self, seconds=15):
        """Waits until openconnect ends by itself; gives its status."""
        try:
            return self.process.wait(seconds * self.test.slow * PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure("the client does not end")

    @property
    def env(self):
        """What the script was told when the tunnel came up."""
        return self.script_calls("connect")[0]

    @property
    def ip4(self):
        return self.env.get("INTERNAL_IP4_ADDRESS")

    @property
    def ip6(self):
        return self.env.get("INTERNAL_IP6_ADDRESS")

    @property
    def tun(self):
        return self.env["TUNDEV"]

    # What is done to it
    def signal(self, number):
        if self.process.poll() is None:
            self.process.send_signal(number)

    def stop(self, seconds=10):
        """A user's goodbye: the session ends with it."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGINT)
        return self.wait_end(seconds)

    def detach(self, seconds=10):
        """Leaves without a goodbye (SIGHUP): the cookie stays valid."""
        self.signal(signal.SIGHUP)
        return self.wait_end(seconds)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)


def authenticate(test, user="test", password=PASSWORD, host=SERVER4, arguments=()):
    """openconnect --authenticate: gives what it prints as a dict (COOKIE, HOST, FINGERPRINT ...) or None."""
    run = subprocess.run(
        ["ip", "netns", "exec", test.net.cli, "openconnect", "--authenticate", "--servercert", test.pki.pin,
         "--non-inter", "-u", user, "--passwd-on-stdin", *arguments, host],
        input=password + "\n", text=True, capture_output=True, timeout=60)
    test.notes.append("--authenticate: exit %d\n%s%s" % (run.returncode, run.stdout, run.stderr))
    if run.returncode:
        return None
    return dict(re.findall(r"^(\w+)='?(.*?)'?$", run.stdout, re.M))
