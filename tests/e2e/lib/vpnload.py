"""vpnload, the benchmark's client, as the client of a test."""
import os
import signal
import subprocess

from .net import SERVER4
from .server import PASSWORD
from .shell import sh, wait_for


def build(t, *programs):
    """Makes the programs of tests/bench, which `make` leaves to `make check` and `make bench`; gives the first one's path."""
    sh("flock", t.tools.builddir, "make", "-s", "-C", t.tools.builddir, *["tests/bench/" + name for name in programs], timeout=300)
    return os.path.join(t.tools.builddir, "tests/bench", programs[0])


class VpnLoad:
    """Our client, connected."""

    def __init__(self, t, *arguments):
        self.log_file = os.path.join(t.new_dir("vpnload"), "log")
        with open(self.log_file, "w") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", t.net.cli, build(t, "vpnload"), "-u", "test", *arguments, SERVER4],
                stdin=subprocess.PIPE, stdout=log, stderr=log, text=True)
        self.process.stdin.write(PASSWORD + "\n")
        self.process.stdin.close()
        self.slow = t.slow
        wait_for("vpnload to connect", lambda: self.process.poll() is not None or "connected " in self.log(), 20 * t.slow)
        t.expect(self.process.poll() is None, "vpnload has ended", self.log())

    def log(self):
        with open(self.log_file) as log:
            return log.read()

    def leave(self):
        """The status of an orderly end."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10 * self.slow)
