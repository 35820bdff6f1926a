"""Login records as who(1) and last(1) read them."""
import os
import re
import signal

from lib.harness import marks
from lib.net import SERVER6
from lib.shell import sh, wait_for

# `ip netns exec` has made mounts of our own: /run and /var/log are private from here on, but for the namespaces.
ENTER = ('mkdir -p "$0/run/netns" "$0/log" && : > "$0/run/utmp" && : > "$0/log/wtmp" && mount --rbind /run/netns "$0/run/netns" && '
         'mount --rbind "$0/run" /run && mount --bind "$0/log" /var/log && exec "$@"')


def recorded(t, conf):
    """A server whose login records go to files of the test; it and their names."""
    folder = t.new_dir("utmp")
    t.enter_server = ["sh", "-c", ENTER, folder]
    return t.server(conf, users={"test": None, "other": None}), folder + "/run/utmp", folder + "/log/wtmp"


def who(utmp):
    """(user, line, host) of those who(1) shows."""
    return sorted(re.findall(r"^(\S+)\s+(\S+)\s.*\((.*)\)$", sh("who", utmp).stdout, re.M))


def last(wtmp):
    """The lines of last(1), newest first, without the one that says when the file begins."""
    return [line for line in sh("last", "-w", "-i", "-f", wtmp).stdout.splitlines() if line and "begins" not in line]


@marks(sanitizers=False)
def test_records(t):
    """Checklist 159, admin 10.4: who shows user, device and client while connected, last shows when it ended, over IPv6
    and after a restart of main, too."""
    server, utmp, wtmp = recorded(t, {"use-utmp": "true"})
    first = t.web().must_login().open()
    second = t.web(host=SERVER6).must_login("other").open()
    devices = {name: server.user(name)["Device"] for name in ("test", "other")}
    t.equal(who(utmp), [("other", devices["other"], "fd00:18::2"), ("test", devices["test"], "198.18.0.2")], "who")
    lines = last(wtmp)
    t.equal([line.split()[:3] for line in lines],
            [["other", devices["other"], "fd00:18::2"], ["test", devices["test"], "198.18.0.2"]], "last")
    first.bye()
    wait_for("the first to be gone from who", lambda: [row[0] for row in who(utmp)] == ["other"], 5)
    wait_for("the end in last", lambda: [line for line in last(wtmp) if re.match(r"test .* - \d\d:\d\d +\(00:0\d\)$", line)], 5)
    main = server.roles()["main"]
    os.kill(main, signal.SIGKILL)
    server.wait_log("taken-over", 10)
    second.bye()
    wait_for("the second to be gone from who", lambda: who(utmp) == [], 5)
    t.equal(len(last(wtmp)), 2, "lines of last")


@marks(sanitizers=False)
def test_switched_by_reload(t):
    """Checklist 159, config 8.1: without use-utmp nothing is written; a reload counts for new sessions, and a record that
    was begun is ended."""
    server, utmp, wtmp = recorded(t, {"use-utmp": "false"})
    before = t.web().must_login("other").open()
    t.equal((who(utmp), last(wtmp)), ([], []), "records without use-utmp")
    server.write_conf(use_utmp="true")
    server.occtl("reload")
    during = t.web().must_login().open()
    wait_for("the record", lambda: [row[0] for row in who(utmp)] == ["test"], 5)
    server.write_conf(use_utmp="false")
    server.occtl("reload")
    for tunnel in (before, during):
        tunnel.bye()
    wait_for("the record's end", lambda: who(utmp) == [], 5)
    t.equal([line.split()[0] for line in last(wtmp)], ["test"], "users in last")
    wait_for("the end in last", lambda: re.search(r" - \d\d:\d\d +\(00:0\d\)$", "".join(last(wtmp))), 5)
