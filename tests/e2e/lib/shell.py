"""Commands, waiting, sockets in other network namespaces, and the tree of our processes."""
import ctypes
import os
import signal
import socket
import subprocess
import threading
import time

CLONE_NEWNET = 0x40000000
PR_SET_CHILD_SUBREAPER = 36
LIBC = ctypes.CDLL(None, use_errno=True)
PATIENCE = 4  # how much longer things may take on a machine that has other work


class Failure(AssertionError):
    """A test's expectation that did not hold; its text is what a reader needs."""


def sh(*command, check=True, stdin=None, timeout=60, env=None):
    """Runs COMMAND and gives the completed process, output as text; TIMEOUT is as for wait_for."""
    run = subprocess.run([str(c) for c in command], text=True, input=stdin, timeout=timeout * PATIENCE, env=env,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, errors="replace",
                         stdin=None if stdin is not None else subprocess.DEVNULL)
    if check and run.returncode:
        raise Failure("%s: exit %d\n%s%s" % (" ".join(map(str, command)), run.returncode, run.stdout, run.stderr))
    return run


def wait_for(what, probe, seconds=10.0, step=0.05):
    """Calls PROBE until it gives something true, and gives that; WHAT names it in the failure.

    SECONDS are those of an idle machine, with some room; a busy one may take PATIENCE times as long, which costs nothing
    when the thing happens.  A test whose point is that something comes soon measures it itself."""
    seconds *= PATIENCE
    end = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure("waited %.1f s in vain for %s" % (seconds, what))
        time.sleep(step)


def become_subreaper():
    """Every process that loses its parent below us becomes our child, so that none can hide."""
    if LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "PR_SET_CHILD_SUBREAPER")


def _parents():
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name) as stat:
                    fields = stat.read().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z":
                parents[int(name)] = int(fields[1])
    return parents


def descendants(root):
    """Process ids below ROOT, parents first; zombies left out."""
    children = {}
    for pid, parent in _parents().items():
        children.setdefault(parent, []).append(pid)
    found, todo = [], [root]
    while todo:
        below = sorted(children.get(todo.pop(0), []))
        found += below
        todo += below
    return found


def process_name(pid):
    """The program PID runs and its arguments, for messages and for telling our processes apart."""
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as cmdline:
            return cmdline.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def program(pid):
    """The base name of the executable of PID; empty when it has gone."""
    try:
        return os.path.basename(os.readlink("/proc/%d/exe" % pid)).replace(" (deleted)", "")
    except OSError:
        return ""


def kill_tree(root):
    """Kills everything below ROOT (not ROOT); new children may appear meanwhile, hence the rounds."""
    for _ in range(50):
        below = descendants(root)
        for pid in below:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        reap()
        if not below:
            return
        time.sleep(0.05)


def reap():
    """Collects children that have ended, whoever started them."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def in_netns(name, function):
    """FUNCTION's result, called by a thread inside network namespace NAME."""
    box = {}

    def enter():
        try:
            fd = os.open("/run/netns/" + name, os.O_RDONLY | os.O_CLOEXEC)
            try:
                if LIBC.setns(fd, CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns " + name)
            finally:
                os.close(fd)
            box["value"] = function()
        except BaseException as error:  # handed to the caller below
            box["error"] = error

    thread = threading.Thread(target=enter, daemon=True)
    thread.start()
    thread.join()
    if "error" in box:
        raise box["error"]
    return box["value"]


def netns_socket(name, family=socket.AF_INET, kind=socket.SOCK_STREAM, proto=0):
    """A socket that belongs to namespace NAME; usable from any thread."""
    return in_netns(name, lambda: socket.socket(family, kind, proto))
