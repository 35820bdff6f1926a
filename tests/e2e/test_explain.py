"""What one user would get and why: sallyportd --print-config --user, occtl show config user."""
import json
import os
import re

import jsonschema

from lib.shell import sh, wait_for
from test_userconf import with_files

SCHEMAS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../doc/occtl.schema.json")


def print_config(t, server, *arguments):
    return sh(t.tools.server, "-c", server.conf_file, "--print-config", *arguments, check=False, timeout=20)


def settings(text):
    """The values and reasons by option, of the form that people read."""
    rows = {}
    for line in text.splitlines():
        match = re.match(r"#?([a-z][a-z0-9_-]+) =(.*?)\s+# (.*)$", line)
        if match:
            rows.setdefault(match.group(1), []).append((match.group(2).strip(), match.group(3)))
    return rows


def line_of(server, path, text):
    """PATH:LINE of the line in PATH that begins with TEXT."""
    with open(path) as lines:
        for number, line in enumerate(lines, 1):
            if line.startswith(text):
                return "%s:%d" % (path, number)
    raise KeyError(text)


def everything(t, start=True):
    """A server with a file of every kind, in which each value comes from somewhere else."""
    server = t.server({"select-group": ["staff", "guests"], "dns": ["198.18.1.53", "198.18.1.54"], "dpd": 44,
                       "mobile-dpd": 0, "idle-timeout": 600, "camouflage_secret": "hush-hush", "key-pin": "hush-pin",
                       "expose-iroutes": "true", "camouflage": "false"},
                      vhosts=[("other.test", {"dpd": 66, "dns": "198.18.1.55"})],
                      users={"test": "staff,guests", "plain": None, "bad": None}, start=False)
    for name, text in {"users/test": "dpd = 22\nno-route = 10.9.9.0/24\nsome-unknown-key = 1\n",
                       "users/far": "iroute = 10.77.0.0/16\n", "users/bad": "dpd = 1\nroute = 10.0.0.0/99\n",
                       "groups/staff": "dns = 10.8.0.53\ndpd = 11\nmtu = 1300\n",
                       "default-user": "keepalive = 99\n"}.items():
        server.write_file(name, text)
    server.write_conf(config_per_user=server.dir + "/users", config_per_group=server.dir + "/groups",
                      default_user_config=server.dir + "/default-user")
    return server.start() if start else server


def check_reasons(t, server, rows, main):
    """ROWS of user test in group staff; MAIN is what the lines of the main file are preceded by."""
    user, group = server.dir + "/users/test", server.dir + "/groups/staff"
    conf = server.conf_file
    for option, wanted in (
            ("dpd", [("22", "user file, %s:1" % user)]), ("mtu", [("1300", "group file, %s:3" % group)]),
            ("dns", [("10.8.0.53", "group file, %s:1" % group)]),
            ("mobile-dpd", [("22", "follows dpd: user file, %s:1" % user)]),
            ("mobile-idle-timeout", [("600", "follows idle-timeout: " + main + line_of(server, conf, "idle-timeout"))]),
            ("route", [("198.18.1.0/255.255.255.0", main + line_of(server, conf, "route = 198")),
                       ("fd00:19::/64", main + line_of(server, conf, "route = fd00")),
                       ("10.77.0.0/255.255.0.0", "iroute of far, %s/users/far:1" % server.dir)]),
            ("no-route", [("10.9.9.0/255.255.255.0", "user file, %s:2" % user)]),
            ("keepalive", [("3600", main + line_of(server, conf, "keepalive"))]),
            ("no-udp", [("false", "default")]), ("hostname", [("", "unset")]), ("banner", [("", "unset")]),
            ("cookie-timeout", [("60", main + line_of(server, conf, "cookie-timeout"))])):
        t.equal(rows.get(option), wanted, option)


def test_print_config_for_a_user(t):
    """Issue point 11: the values of one user with their reasons, without a server and a login."""
    server = everything(t, start=False)
    run = print_config(t, server, "--user", "test")
    t.equal(run.returncode, 0, "status\n" + run.stderr)
    check_reasons(t, server, settings(run.stdout), "configuration file, ")
    for words in ("user 'test' in group 'staff'", "%s/passwd names this group first" % server.dir,
                  "group file: %s/groups/staff" % server.dir, "user file: %s/users/test" % server.dir,
                  "users/test:3: skipping unknown option 'some-unknown-key'"):
        t.expect(words in run.stdout, "%r is missing" % words, run.stdout)
    t.expect("hush" not in run.stdout + run.stderr, "a secret is shown", run.stdout)
    # Another group, no file of either: the default file; another host; no such host.
    rows = settings(print_config(t, server, "--user", "plain", "--group", "guests").stdout)
    t.equal(rows["keepalive"], [("99", "default-user-config, %s/default-user:1" % server.dir)], "default file")
    t.equal([value for value, _ in rows["dns"]], ["198.18.1.53", "198.18.1.54"], "dns of the host")
    run = print_config(t, server, "--user", "plain")
    t.expect("group files exist for: staff" in run.stdout, "group files are not named", run.stdout)
    rows = settings(print_config(t, server, "--user", "plain", "--vhost", "other.test").stdout)
    t.equal([value for value, _ in rows["dns"]], ["198.18.1.53", "198.18.1.54", "198.18.1.55"], "dns of other.test")
    t.equal(rows["dns"][2][1], "configuration file, " + line_of(server, server.conf_file, "dns = 198.18.1.55"), "line")
    run = print_config(t, server, "--user", "test", "--vhost", "nowhere.test")
    t.equal((run.returncode, "no virtual host 'nowhere.test'" in run.stderr), (1, True), "unknown host")
    for wrong in (["--group", "x"], ["--vhost", "x"]):
        t.equal(print_config(t, server, *wrong).returncode, 1, "status of %s alone" % wrong)


def test_a_refused_user(t):
    """Issue point 11: errors in the user's file are those that the login reports."""
    server = everything(t)
    run = print_config(t, server, "--user", "bad")
    t.equal(run.returncode, 1, "status")
    t.equal(t.web().must_login("bad").connect().status, 401, "status of the tunnel request")
    found = server.wait_log(r"users/bad:2: route: [^\n\"]*").group(0)
    t.expect(found in run.stdout and "the session would be refused" in run.stdout, "%r is not shown" % found, run.stdout)
    t.equal(settings(run.stdout), {}, "settings of a refused user")
    run = server.occtl("show", "config", "user", "bad", check=False)
    t.equal((run.returncode, found in run.stdout), (1, True), "occtl\n" + run.stdout)
    t.equal(print_config(t, server, "--user", "../x").returncode, 1, "status of a user with a path")


def test_default_routes(t):
    """Config 13.2: why everything goes through the tunnel."""
    server = with_files(t, {"test": None}, {"users/test": "route = 10.1.0.0/16\nroute = default\n"})
    rows = settings(print_config(t, server, "--user", "test").stdout)
    where = "user file, %s/users/test:2" % server.dir
    t.equal((rows["route"], rows["tunnel-all-dns"]), ([("default", where)],
                                                      [("true", "follows from the default route: " + where)]), "routes")
    server.write_conf(route=None)
    server.write_file("users/test", "dpd = 1\n")
    rows = settings(print_config(t, server, "--user", "test").stdout)
    t.equal(rows["route"], [("default", "no route is set, so everything goes through the tunnel: default")], "no routes")


def test_occtl_show_config(t):
    """Issue point 11: the running configuration, not the file's; JSON as the schema says; what a tunnel then gets."""
    server = everything(t)
    server.write_file("conf", "dpd = 1\n")  # not in force without a reload
    out = server.occtl("show", "config", "user", "test").stdout
    t.equal(settings(out)["dpd"], [("22", "user file, %s/users/test:1" % server.dir)], "dpd")
    t.expect("hush" not in out, "a secret is shown", out)
    rows = {}
    answer = server.occtl_json("show", "config", "user", "test", "group", "staff")
    with open(SCHEMAS) as schemas:
        schema = json.load(schemas)
    jsonschema.validate(answer, {"$ref": "#/$defs/config", "$defs": schema["$defs"]})
    for row in answer["Settings"]:
        rows.setdefault(row["Option"], []).append(row)
    t.equal((answer["Username"], answer["Groupname"], answer["vhost"], answer["Refused"]),
            ("test", "staff", "default", False), "head")
    t.equal([(row["Value"], row["Origin"], row["Line"]) for row in rows["dns"]], [("10.8.0.53", "group file", 1)], "dns")
    t.equal(rows["mobile-dpd"][0]["Rule"], "follows dpd", "rule")
    tunnel = t.web().must_login(group="staff").connect()
    for option, header in (("dpd", "X-CSTP-DPD"), ("dns", "X-CSTP-DNS"), ("keepalive", "X-CSTP-Keepalive"),
                           ("no-route", "X-CSTP-Split-Exclude")):
        t.equal([row["Value"] for row in rows[option]], tunnel.headers(header), "what the tunnel got: " + header)
    t.equal(sorted(row["Value"] for row in rows["route"]), sorted(
            tunnel.headers("X-CSTP-Split-Include") + tunnel.headers("X-CSTP-Split-Include-IP6")), "routes")
    answer = server.occtl_json("show", "config", "user", "test", "vhost", "other.test", "group", "guests")
    t.equal((answer["Groupname"], answer["vhost"]), ("guests", "other.test"), "group and host")
    t.equal(server.occtl("show", "config", "user", "x", "vhost", "no.test", check=False).returncode, 2, "unknown host")
    server.write_file("users/test", "dpd = 23\n")
    t.equal(settings(server.occtl("show", "config", "user", "test").stdout)["dpd"][0][0], "23", "after an edit")
