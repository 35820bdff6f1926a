"""PAM: real modules in private services, and a module of the tests' own for what those do not do."""
import os
import re
import subprocess
import time

from lib.pam import UNIX, Pam, answer_all, runners
from lib.server import PASSWORD
from lib.shell import wait_for
from lib.spoken import group_of


def conf(service, **options):
    more = "".join(",%s=%s" % (key.replace("_", "-"), value) for key, value in options.items())
    return {"auth": '"pam[service=%s%s]"' % (service, more)}


def test_right_password_opens_a_tunnel(t):
    """Radius.md 7: an account of the machine logs in with openconnect; its name is in occtl."""
    with Pam(t) as pam:
        user = pam.user("ann")
        server = t.server(conf(pam.service(*UNIX)), users={})
        client = t.client(user=user, dtls=False).wait()
        t.equal(server.user(user)["IPv4"], client.ip4, "address in occtl")
        t.equal(client.stop(), 0, "exit status of openconnect")


def test_wrong_unknown_and_empty_are_refused(t):
    """Checklist 191, radius.md 7: wrong, empty and unknown get 401 at once, without a second try; the log says why."""
    with Pam(t) as pam:
        user, blank = pam.user("ann"), pam.user("bob")
        subprocess.run(["passwd", "-q", "-d", blank], check=True)
        server = t.server(conf(pam.service("auth required pam_unix.so nullok", *UNIX[1:])), users={})
        for name, password in ((user, "wrong"), (user, ""), (blank, ""), (pam.prefix + "nobody", PASSWORD),
                               ("a" * 5000, PASSWORD)):
            web = t.web()
            start = time.monotonic()
            answer = web.login(name, password)
            t.equal(answer.lines[0], "HTTP/1.1 401 Authentication failed", "%.20s with %r" % (name, password))
            t.expect("webvpn" not in web.cookies, "a cookie")
            if len(name) < 100:
                t.expect(time.monotonic() - start > 0.9, "the module's delay was left out")
        server.wait_log(r"PAM authenticate error for '%s': Authentication failure" % user)
        status, text = answer_all(t, user, "wrong")
        t.expect(status and "COOKIE" not in text, "openconnect with a wrong password", text)
