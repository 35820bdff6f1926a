"""contrib/quickstart: what a stranger runs first."""
import os
import re
import signal
import subprocess

from lib.harness import marks
from lib.shell import Failure, descendants, sh, wait_for
from lib.traffic import ping

QUICKSTART = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../contrib/quickstart")


class Quickstart:
    """One run of the script in the server's namespace, on the build under test; looks like a Server to the harness."""

    def __init__(self, t, directory, *arguments):
        self.t, self.dir, self.log_file = t, directory, directory + "-log"
        with open(self.log_file, "w") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", t.net.srv, "bash", QUICKSTART, "--dir", directory, *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        t.servers.append(self)

    def log(self):
        with open(self.log_file) as log:
            return log.read()

    def wait_log(self, pattern, seconds=60):
        def found():
            match = re.search(pattern, self.log())
            if not match and self.process.poll() is not None:
                raise Failure("quickstart ended, exit %d" % self.process.returncode)
            return match
        return wait_for(pattern, found, seconds)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)

    def check_reports(self):
        pass


@marks(seconds=180, sanitizers=False)
def test_from_nothing_to_a_ping(t):
    """Certificates, user, configuration, NAT; the printed command connects; twice is harmless."""
    directory = t.dir + "/quick"
    os.mkdir(directory)
    os.symlink(t.tools.builddir, directory + "/build")  # built already: make has nothing to do
    run = Quickstart(t, directory, "--port", "4443", "--nat")
    command = run.wait_log(r"sudo openconnect --user=(\S+) --servercert=(\S+) https://(\S+):4443/", 120)
    password = run.wait_log(r"password: (\S+)").group(1)
    run.wait_log("initialized OpenConnect VPN Server")
    user, pin, host = command.groups()
    client = t.client(user=user, password=password, pin=pin, host=host, port=4443).wait()
    # The host behind the server knows no way to the pool: only translated packets are answered.
    t.equal(ping(client.netns), 3, "pings answered through the translation")
    out = sh(t.tools.occtl, "-s", directory + "/occtl.socket", "show", "users").stdout
    t.expect(user in out and "connected" in out, "occtl", out)
    client.stop()
    run.stop()
    t.expect("sallyport" not in t.net.run(t.net.srv, "nft", "list", "tables").stdout, "the translation is left")
    t.expect(not [pid for pid in descendants(os.getpid())], "processes left")
    certificate = open(directory + "/etc/cert.pem").read()
    again = Quickstart(t, directory, "--port", "4444")
    again.wait_log("initialized OpenConnect VPN Server", 120)
    t.equal(again.wait_log(r"--servercert=(\S+)").group(1), pin, "pin of the second run")
    t.equal(open(directory + "/etc/cert.pem").read(), certificate, "certificate of the second run")
    t.client(user=user, password=password, pin=pin, host=host, port=4444, dtls=False).wait()
    sh("bash", QUICKSTART, "--help")
