"""PAM services and accounts of a test's own; they are the machine's, so they go again whatever happens."""
import os
import subprocess

from .server import PASSWORD
from .shell import Failure, sh

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = "/etc/pam.d"


class Pam:
    """Used with `with`: makes services, users and groups with unique names, and removes them at the end."""

    def __init__(self, test):
        self.test, self.prefix = test, "e2e%d" % os.getpid()
        self.services, self.users, self.groups = [], [], []
        self.dir = test.new_dir("pam")
        os.chmod(self.dir, 0o755)
        self._quiz = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name in self.services:
            os.unlink(os.path.join(FOLDER, name))
        for name in self.users:
            sh("userdel", name, check=False)
        for name in self.groups:
            sh("groupdel", name, check=False)

    def service(self, *lines, name="a"):
        """A file in /etc/pam.d with LINES; gives its name."""
        name = "sallyport-test-%d-%s" % (os.getpid(), name)
        path = os.path.join(FOLDER, name)
        with open(path, "w") as out:
            out.write("\n".join(lines) + "\n")
        if name not in self.services:
            self.services.append(name)
        return name

    def user(self, name, password=PASSWORD, *options):
        """An account of the machine; gives its unique name."""
        name = self.prefix + name
        made = sh("openssl", "passwd", "-6", "-stdin", stdin=password + "\n").stdout.strip()
        sh("useradd", "-M", "-N", "-s", "/usr/sbin/nologin", "-p", made, *options, name)
        self.users.append(name)
        return name

    def group(self, name, gid=None):
        name = self.prefix + name
        sh("groupadd", *(["-g", str(gid)] if gid else []), name)
        self.groups.append(name)
        return name

    def quiz(self):
        """The path of the test module, built from pam_quiz.c."""
        if not self._quiz:
            self._quiz = self.dir + "/pam_quiz.so"
            sh("cc", "-shared", "-fPIC", "-Wall", "-o", self._quiz, HERE + "/pam_quiz.c", "-lpam")
        return self._quiz

    def script(self, name, text):
        """An executable for pam_exec; gives its path."""
        path = os.path.join(self.dir, name)
        with open(path, "w") as out:
            out.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path


UNIX = ("auth required pam_unix.so", "account required pam_unix.so", "password required pam_unix.so sha512")


def runners(server, name="sallyport-runner-pam"):
    """Process ids of the running PAM back ends of SERVER."""
    found = []
    for pid in server.tree():
        try:
            if os.path.basename(os.readlink("/proc/%d/exe" % pid)) == name:
                found.append(pid)
        except OSError:
            pass
    return found


def answer_all(test, user, *answers):
    """openconnect --authenticate that types ANSWERS, the password first; gives (status, all it printed)."""
    run = subprocess.run(
        ["ip", "netns", "exec", test.net.cli, "openconnect", "--authenticate", "--servercert", test.pki.pin,
         "-v", "-u", user, "--passwd-on-stdin", "198.18.0.1"],
        input="\n".join(answers) + "\n", text=True, capture_output=True, timeout=60)
    text = run.stdout + run.stderr
    test.notes.append("openconnect: exit %d\n%s" % (run.returncode, text))
    if "COOKIE=" in text and run.returncode:
        raise Failure("a cookie and exit status %d" % run.returncode)
    return run.returncode, text
