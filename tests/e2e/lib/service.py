"""The life of a real service that a test needs: started in a namespace, asked whether it serves, stopped by its id."""
import signal
import subprocess

from .shell import Failure, wait_for


class Service:
    """A process of the test's own with a folder for its files; subclasses say how it is started in start()."""

    NAME = "the service"

    def __init__(self, test, folder, netns=None):
        self.test, self.netns = test, netns or test.net.srv
        self.dir = test.new_dir(folder)
        self.log_file, self.log_start, self.process = self.dir + "/log", 0, None

    def launch(self, *command, env=None):
        """Starts COMMAND in the namespace; what it prints is its log."""
        with open(self.log_file, "a") as log:
            self.log_start = log.tell()
            self.process = subprocess.Popen(["ip", "netns", "exec", self.netns, *command], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env=env, start_new_session=True)

    def wait_serving(self, probe, seconds=10):
        """Waits until PROBE gives something true; the service's end is a failure."""
        def ready():
            if self.process.poll() is not None:
                raise Failure("%s ended at start:\n%s" % (self.NAME, self.log()[self.log_start:][-3000:]))
            return probe()
        wait_for(self.NAME + " to serve", ready, seconds * self.test.slow)
        return self

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """Ends it; whoever asks it is refused by the kernel until start()."""
        if not self.is_running():
            return
        self.thaw()
        self.process.terminate()
        try:
            self.process.wait(10 * self.test.slow)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self):
        self.stop()

    def freeze(self):
        """It answers nothing any more, until thaw()."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def log(self):
        """What it has printed so far."""
        try:
            with open(self.log_file, errors="replace") as log:
                return log.read()
        except OSError:
            return ""
