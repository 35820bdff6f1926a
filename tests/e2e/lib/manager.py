"""A service manager's end of sd_notify(3): the socket that NOTIFY_SOCKET names, read by the test."""
import os
import socket
import threading
import time

from .shell import Failure, wait_for


class Manager:
    """The socket; environment() goes to the service."""

    def __init__(self, test, watchdog=None):
        self.path = test.new_dir("manager") + "/notify"
        self.watchdog = watchdog
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o666)
        self.slow = test.slow
        self.said = []  # (time it came, dict of the lines)
        threading.Thread(target=self._read, daemon=True).start()
        test.closables.append(self)

    def environment(self):
        environment = {"NOTIFY_SOCKET": self.path}
        if self.watchdog:
            environment["WATCHDOG_USEC"] = str(int(self.watchdog * 1e6))
        return environment

    def _read(self):
        try:
            while True:
                text = self.socket.recv(65536).decode()
                self.said.append((time.monotonic(), dict(line.split("=", 1) for line in text.splitlines())))
        except (OSError, ValueError):
            pass

    def since(self, start, key=None):
        """(time, lines) said after START (time.monotonic()), only those with KEY."""
        return [(when, lines) for when, lines in list(self.said) if when > start and (key is None or key in lines)]

    def wait(self, key, seconds=10, start=0):
        """The first (time, lines) with KEY after START."""
        return wait_for("%s from the service" % key, lambda: self.since(start, key), seconds * self.slow)[0]

    def expect_silence(self, key, seconds, start):
        """KEY must not be said for SECONDS after START."""
        time.sleep(max(0, start + seconds - time.monotonic()))
        said = self.since(start, key)
        if said:
            raise Failure("%s was said %.1f s after it should have stopped" % (key, said[0][0] - start))

    def close(self):
        self.socket.close()
