"""One test's world, and the run over all tests: each in a process of its own, some at a time."""
import importlib
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback

from .client import Client
from .net import Net, remove_namespaces
from .pki import Pki
from .server import SANITIZER, Server
from .shell import Failure, become_subreaper, descendants, kill_tree, process_name, reap, wait_for
from .web import Web

TAIL = 60  # lines of a log that a failure shows
AGAIN = 3  # more failures than that are no matter of a busy machine


def marks(**what):
    """Marks a test: seconds=N (its limit), alone=True (timing matters: nothing beside it),
    sanitizers=False (needs isolation, or a process without the sanitizers' library)."""
    def mark(function):
        function.__dict__.update(what)
        return function
    return mark


class Test:
    """What a test function gets: network, server, clients, all gone when it ends."""

    def __init__(self, name, prefix, directory, run):
        self.name, self.prefix, self.dir = name, prefix, directory
        self.tools, self.pki = run.tools, run.pki
        self.slow = 4 if run.tools.sanitizers else 1
        self.isolate = not run.tools.sanitizers
        self.net = Net(prefix)
        self.enter_server = []  # a command before the server's
        self.servers, self.clients, self.closables, self.notes = [], [], [], []
        self._dirs = 0

    def new_dir(self, kind):
        self._dirs += 1
        path = os.path.join(self.dir, "%s%d" % (kind, self._dirs))
        os.makedirs(path)
        return path

    def server(self, conf=None, **options):
        """A server with the base file and CONF over it, listening."""
        server = Server.__new__(Server)
        self.servers.append(server)
        server.process = None
        server.__init__(self, conf, **options)
        return server

    def client(self, **options):
        """openconnect, started; see Client."""
        return Client(self, **options)

    def web(self, **options):
        """A TLS connection spoken by hand; see Web."""
        return Web(self, **options)

    def expect(self, condition, text, *details):
        if not condition:
            raise Failure(text + "".join("\n%s" % (detail,) for detail in details))

    def equal(self, got, wanted, what):
        if got != wanted:
            raise Failure("%s: got %r, wanted %r" % (what, got, wanted))

    # The end
    def finish(self):
        """The orderly end: clients, then servers, each with its leftover check."""
        for closable in self.closables:
            closable.close()
        for client in self.clients:
            client.thaw()
            client.kill()
        for server in self.servers:
            server.stop()
            server.check_reports()

        def left():
            # The first process of a pid namespace goes when all others of it were collected, and the orphans are ours.
            reap()
            return [(pid, process_name(pid)) for pid in descendants(os.getpid())]

        try:
            wait_for("the test's processes to end", lambda: not left(), 3)
        except Failure:
            raise Failure("processes left: %s" % left())

    def clean(self):
        """Whatever happened: nothing stays."""
        kill_tree(os.getpid())
        self.net.close()

    def logs(self):
        """The ends of all logs, for a failure."""
        out = []
        for what, things in (("server", self.servers), ("client", self.clients)):
            for i, thing in enumerate(things):
                try:
                    lines = thing.log().splitlines()
                except (OSError, AttributeError):
                    continue
                out.append("---- end of the log of %s %d" % (what, i))
                out += lines[-TAIL:]
        return "\n".join(self.notes + out)


def describe_failure():
    """Where in the tests the current exception comes from, and what it says."""
    kind, value, trace = sys.exc_info()
    if not issubclass(kind, Failure):
        return "%s: %s\n%s" % (kind.__name__, value, traceback.format_exc(limit=-6))
    at = [frame for frame in traceback.extract_tb(trace) if "/test_" in frame.filename] or \
        traceback.extract_tb(trace)
    return "%s:%d: %s\n" % (os.path.basename(at[-1].filename), at[-1].lineno, value)


def run_child(function, test, report):
    """In the test's process: runs it and writes REPORT; the exit status says the verdict."""
    become_subreaper()

    def on_signal(number, _):
        # Only once: cleaning up must not be cut short.
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)
        raise Failure("stopped by signal %d (time limit?)" % number)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    status = 0
    try:
        test.net.open()
        function(test)
        test.finish()
    except BaseException:
        status = 1
        text = describe_failure() + test.logs()
        with open(report, "w") as out:
            out.write(text)
    finally:
        test.clean()
    return status


class Run:
    """All chosen tests."""

    def __init__(self, tools, jobs, keep=False):
        self.tools, self.jobs, self.keep = tools, jobs, keep
        self.dir = tempfile.mkdtemp(prefix="e2e.", dir="/var/tmp")
        os.chmod(self.dir, 0o755)
        self.prefix = "e2e-%d-" % os.getpid()
        self.pki = Pki(self.dir + "/pki").make()
        self.running, self.started, self.passed, self.failed = {}, 0, 0, 0
        self.failures = []  # (name, first line of the failure)
        self.passed_alone = []  # those of them that passed then

    def execute(self, tests):
        become_subreaper()
        beside = [test for test in tests if not getattr(test[1], "alone", False)]
        try:
            self._batch(beside, self.jobs)
            suspects = list(self.failures) if self.jobs > 1 else []
            self._batch([test for test in tests if getattr(test[1], "alone", False)], 1)
            if len(self.failures) <= AGAIN:
                self._again(suspects, dict(beside))
        finally:
            self.clean()
        return self.failed == 0

    def _again(self, suspects, functions):
        """Those that failed beside others once more, with nothing beside them: who passes then is not counted as failed, but
        named.  A sanitizer's report counts whatever was beside it."""
        for name, why in suspects:
            if SANITIZER in why:
                continue
            passed, failed = self.passed, self.failed
            self._batch([(name, functions[name])], 1)
            if self.passed > passed:
                self.failed -= 1
                self.passed_alone.append((name, why))
            else:
                self.failed = failed

    def _batch(self, tests, jobs):
        todo = list(tests)
        while todo or self.running:
            while todo and len(self.running) < jobs:
                self._start(*todo.pop(0))
            self._reap()
            time.sleep(0.05)

    def _start(self, name, function):
        self.started += 1
        prefix = "%s%d" % (self.prefix, self.started)
        directory = os.path.join(self.dir, "%d" % self.started)
        os.makedirs(directory)
        os.chmod(directory, 0o755)
        test = Test(name, prefix, directory, self)
        limit = getattr(function, "seconds", 60) * test.slow * 2  # for a busy machine
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                status = run_child(function, test, directory + "/report")
            finally:
                os._exit(status)
        self.running[pid] = (name, prefix, directory, time.monotonic(), limit)

    def _reap(self):
        for pid in list(self.running):
            name, prefix, directory, start, limit = self.running[pid]
            got, status = os.waitpid(pid, os.WNOHANG)
            spent = time.monotonic() - start
            if got == pid:
                del self.running[pid]
                self._verdict(name, prefix, directory, spent, status)
            elif spent > limit + 30:
                os.kill(pid, signal.SIGKILL)
            elif spent > limit:
                os.kill(pid, signal.SIGTERM)

    def _verdict(self, name, prefix, directory, spent, status):
        if status == 0:
            self.passed += 1
            print("ok   %s (%.1f)" % (name, spent), flush=True)
        else:
            self.failed += 1
            print("FAIL %s (%.1f)" % (name, spent), flush=True)
            try:
                with open(directory + "/report") as report:
                    text = report.read()
            except OSError:
                text = "the test's process died, status %d" % status
            print("     " + text.replace("\n", "\n     "), flush=True)
            self.failures.append((name, text.split("\n")[0]))
            if os.WIFSIGNALED(status):
                # What it could not remove; its processes are ours now.
                self._kill_orphans()
        remove_namespaces(prefix + "-")
        if not self.keep:
            shutil.rmtree(directory, ignore_errors=True)

    def _kill_orphans(self):
        tests = set(self.running)
        theirs = {child for test in tests for child in descendants(test)}
        for pid in descendants(os.getpid()):
            if pid not in tests and pid not in theirs:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass

    def clean(self):
        """Also after an interrupt: the running tests end with all they made."""
        for pid in self.running:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        end = time.monotonic() + 20
        while self.running and time.monotonic() < end:
            for pid in list(self.running):
                if os.waitpid(pid, os.WNOHANG)[0] == pid:
                    del self.running[pid]
            time.sleep(0.05)
        kill_tree(os.getpid())
        remove_namespaces(self.prefix)
        if not self.keep:
            shutil.rmtree(self.dir, ignore_errors=True)


def find_tests(folder, pattern):
    """(name, function) of every test in FOLDER's test_*.py whose name matches PATTERN."""
    found = []
    for file in sorted(os.listdir(folder)):
        if not re.match(r"test_\w+\.py$", file):
            continue
        module = importlib.import_module(file[:-3])
        for name, value in vars(module).items():
            if name.startswith("test_") and callable(value) and value.__module__ == module.__name__:
                full = "%s.%s" % (file[5:-3], name[5:])
                if re.search(pattern, full):
                    found.append((full, value))
    return found


def fail(text):
    print(text, file=sys.stderr)
    print("0 passed, 1 failed")
    sys.exit(1)
