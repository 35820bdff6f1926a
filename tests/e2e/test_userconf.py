"""Per-user and per-group files."""
import os
import re
import time

from lib.net import GATEWAY4, LAN4, LAN6
from lib.shell import wait_for
from lib.spoken import options_of
from lib.traffic import must_ping


def with_files(t, users, files, conf=None):
    """A server with config-per-user and -group; FILES maps users/NAME or groups/NAME to text."""
    server = t.server(dict(conf or {}), users=users, start=False)
    for folder in ("users", "groups"):
        os.makedirs(server.dir + "/" + folder)
    for name, text in files.items():
        server.write_file(name, text)
    server.write_conf(config_per_user=server.dir + "/users", config_per_group=server.dir + "/groups")
    return server.start()


def test_user_file(t):
    """Checklist 83, 84, 88: values of the user's file replace the host's, in headers and occtl."""
    server = with_files(t, {"test": None, "plain": None}, {"users/test": """
route = 10.7.0.0/16
no-route = 10.7.7.0/24
dns = 10.7.0.53
split-dns = user.test
dpd = 44
keepalive = 55
hostname = given
idle-timeout = 666
session-timeout = 777
mtu = 1300
ipv4-network = 198.19.0.0/24
no-udp = true
tunnel-all-dns = true
some-unknown-key = 1
"""}, {"dns": ["198.18.1.53"], "split-dns": ["host.test"]})
    answer = t.web().must_login().connect(headers=["X-DTLS-Master-Secret: " + "ab" * 48,
                                                   "X-DTLS-CipherSuite: PSK-NEGOTIATE"])
    for name, value in (("X-CSTP-Split-Include", ["10.7.0.0/255.255.0.0"]), ("X-CSTP-DNS", ["10.7.0.53"]),
                        ("X-CSTP-Split-Exclude", ["10.7.7.0/255.255.255.0"]), ("X-CSTP-Split-DNS", ["user.test"]),
                        ("X-CSTP-DPD", ["44"]), ("X-CSTP-Keepalive", ["55"]), ("X-CSTP-Hostname", ["given"]),
                        ("X-CSTP-Idle-Timeout", ["666"]), ("X-CSTP-Session-Timeout", ["777"]),
                        ("X-CSTP-Netmask", ["255.255.255.0"]), ("X-CSTP-Tunnel-All-DNS", ["true"]),
                        ("X-DTLS-Port", []), ("X-CSTP-Split-Include-IP6", [])):
        t.equal(answer.headers(name), value, name)
    t.expect(int(answer.header("X-CSTP-MTU")) <= 1300, "MTU", answer.head)
    server.wait_log("skipping unknown option 'some-unknown-key'")
    t.equal(server.user()["DPD"], "44", "DPD in occtl")
    answer = t.web().must_login("plain").connect()
    t.equal(answer.headers("X-CSTP-DNS"), ["198.18.1.53"], "DNS of a user without a file")


def test_group_file(t):
    """Checklist 80, 81, 91, 105: the group's file, then the user's on top of it; edits apply at once."""
    server = with_files(t, {"test": "staff", "other": None}, {
        "groups/staff": "route = 10.8.0.0/16\nno-route = 10.8.8.0/24\ndns = 10.8.0.53\ndpd = 11\n",
        "users/test": "route = 10.9.0.0/16\ndpd = 22\n"}, {"select-group": ["staff"]})
    answer = t.web().must_login(group="staff").connect()
    t.equal(answer.headers("X-CSTP-Split-Include"), ["10.8.0.0/255.255.0.0", "10.9.0.0/255.255.0.0"], "routes")
    t.equal(answer.headers("X-CSTP-Split-Exclude"), ["10.8.8.0/255.255.255.0"], "exclusions")
    t.equal((answer.headers("X-CSTP-DNS"), answer.header("X-CSTP-DPD")), (["10.8.0.53"], "22"), "DNS and DPD")
    t.equal(t.web().must_login("other").connect().headers("X-CSTP-Split-Include"), ["198.18.1.0/255.255.255.0"],
            "routes of a user outside the group")
    server.write_file("users/test", "dpd = 33\n")
    t.equal(t.web().must_login(group="staff").connect().header("X-CSTP-DPD"), "33", "DPD after editing the file")
    os.unlink(server.dir + "/users/test")
    t.equal(t.web().must_login(group="staff").connect().header("X-CSTP-DPD"), "11", "DPD without the file")


def test_edits_count_for_old_cookies(t):
    """Checklist 85, 91, config 10.2: a reconnect with its old cookie gets the file as it is now; its own limit holds."""
    server = with_files(t, {"test": None}, {"users/test": "dpd = 33\nmax-same-clients = 1\n"})
    web = t.web().must_login()
    t.equal(web.connect().header("X-CSTP-DPD"), "33", "DPD")
    t.equal(t.web().must_login().connect().status, 401, "status of a second tunnel")
    server.write_file("users/test", "dpd = 34\n")
    t.equal(t.web().connect(cookie=web.cookies["webvpn"]).header("X-CSTP-DPD"), "34", "DPD with the old cookie")
    t.equal(t.web().must_login().connect().status, 200, "status of a second tunnel after the limit is gone")


def test_append_routes(t):
    """Checklist 86: the host's routes come in addition."""
    with_files(t, {"test": None}, {"users/test": "route = 10.9.0.0/16\n"}, {"append-routes": "true"})
    answer = t.web().must_login().connect()
    t.equal(set(answer.headers("X-CSTP-Split-Include")), {"198.18.1.0/255.255.255.0", "10.9.0.0/255.255.0.0"}, "routes")


def test_many_routes(t):
    """Checklist 104: 256 routes are 256 headers; a real client takes them."""
    with_files(t, {"test": None}, {"users/test": "".join("route = 10.%d.0.0/16\n" % n for n in range(256))})
    t.equal(len(t.web().must_login().connect().headers("X-CSTP-Split-Include")), 256, "number of headers")
    client = t.client(dtls=False).wait()
    t.equal(client.env["CISCO_SPLIT_INC"], "256", "number of routes in the script")


def test_explicit_addresses(t):
    """Checklist 89: exactly that address; an illegal or a taken one refuses."""
    server = with_files(t, {"test": None, "twin": None, "bad": None, "worse": None}, {
        "users/test": "explicit-ipv4 = 198.19.0.77\nexplicit-ipv6 = fd00:77::77\n",
        "users/twin": "explicit-ipv4 = 198.19.0.77\n",
        "users/bad": "explicit-ipv4 = 198.19.0.0\n", "users/worse": "explicit-ipv4 = 198.19.0.1\n"})
    client = t.client(dtls=False).wait()
    t.equal((client.ip4, server.user()["IPv6"]), ("198.19.0.77", "fd00:77::77"), "addresses")
    must_ping(client.netns)
    for user in ("twin", "bad", "worse"):
        t.expect(t.web().must_login(user).connect().status in (401, 503), user + " got a tunnel")


def test_broken_files_refuse(t):
    """Checklist 82, 93, 94: errors name file and line; no path tricks; the server goes on."""
    server = with_files(t, {"test": "../../secret", "syntax": None, "badroute": None, "link": None, "..": None}, {
        "users/syntax": "dpd = 3\nno separator\n", "users/badroute": "route = 10.0.0.0/99\n"},
        {"select-group": ["../../secret"]})
    os.symlink("/etc/passwd", server.dir + "/users/link")
    for user, line in (("syntax", 2), ("badroute", 1)):
        answer = t.web().must_login(user).connect()
        t.equal(answer.status, 401, "status for " + user)
        server.wait_log(r"users/%s:%d" % (user, line))
    web = t.web()
    if web.login("test", group="../../secret").success:
        t.equal(web.connect().status, 401, "status for a group with a path")
    t.equal(t.web().must_login("link").connect().status, 200, "a symbolic link counts as missing")
    web = t.web()
    if web.login("..").success:
        t.equal(web.connect().status, 401, "status for a user named ..")
    t.equal([row["Username"] for row in server.users()], ["link"], "users")


def test_default_files(t):
    """Config 10.2: default-user-config replaces a missing file; a missing default refuses."""
    server = with_files(t, {"test": None}, {"default": "dpd = 99\n"})
    server.write_conf(default_user_config=server.dir + "/default")
    server.reloaded()
    t.equal(t.web().must_login().connect().header("X-CSTP-DPD"), "99", "DPD of the default file")
    os.unlink(server.dir + "/default")
    t.equal(t.web().must_login().connect().status, 401, "status with the default file gone")


def test_udp_on_for_one_user(t):
    """Checklist 87: no-udp = false in the file of one user of a host without UDP."""
    server = with_files(t, {"test": None}, {"users/test": "no-udp = false\n"}, {"no-udp": "true"})
    t.client().wait()
    t.expect(server.user().get("DTLS cipher"), "no DTLS")


ROUTES = {"route-add-cmd": "ip route add %{RI} dev %{D}", "route-del-cmd": "ip route del %{RI} dev %{D}"}


def routes_to_device(t):
    return [line for line in t.net.ip(t.net.srv, "route").stdout.splitlines() if "10.7." in line or "10.8." in line]


def test_networks_behind_a_client(t):
    """Checklist 109, 175, 214, config 13.4: iroutes are routed, shown, accepted as sources, and taken back."""
    server = with_files(t, {"test": None}, {"users/test": "iroute = 10.7.0.0/16\niroute = 10.8.1.0/24\n"}, ROUTES)
    client = t.client(dtls=False).wait()
    device = server.user()["Device"]
    t.equal(sorted(" ".join(line.split()[:3]) for line in routes_to_device(t)),
            ["10.7.0.0/16 dev " + device, "10.8.1.0/24 dev " + device], "routes of the machine")
    rows = server.occtl_json("show", "iroutes")
    t.equal((rows[0]["Username"], rows[0]["iRoutes"]), ("test", ["10.7.0.0/255.255.0.0", "10.8.1.0/255.255.255.0"]), "occtl")
    t.expect("10.8.1.0/255.255.255.0" in server.occtl("show", "iroutes").stdout, "occtl's table")
    t.net.ip(client.netns, "addr", "add", "10.7.0.1/32", "dev", "lo")
    must_ping(client.netns, GATEWAY4, extra=["-I", "10.7.0.1"])
    client.stop()
    wait_for("the routes to go", lambda: not routes_to_device(t), 5)


def test_networks_behind_a_client_without_commands(t):
    """Config 13.4, 8.7: without route-add-cmd the server adds the routes itself, a network moves to the
    router that comes later, and nothing of the machine's own routes is touched."""
    server = with_files(t, {"one": None, "two": None, "bad": None, "all": None}, {
        "users/one": "iroute = 10.7.0.0/16\niroute = 10.8.1.0/24\niroute = fd00:7::/48\n", "users/two": "iroute = 10.7.0.0/16\n",
        "users/bad": "iroute = 10.9.0.0/16\niroute = 198.18.1.0/24\n", "users/all": "iroute = 0.0.0.0/0\n"}, {})
    own = t.net.ip(t.net.srv, "route").stdout.splitlines()
    one = t.client(user="one", dtls=False).wait()
    device = server.user("one")["Device"]
    t.equal(sorted(line.split()[0] for line in routes_to_device(t) if device in line), ["10.7.0.0/16", "10.8.1.0/24"], "IPv4")
    t.expect("fd00:7::/48 dev " + device in t.net.ip(t.net.srv, "-6", "route").stdout, "IPv6")
    t.net.ip(one.netns, "addr", "add", "10.7.0.1/32", "dev", "lo")
    must_ping(one.netns, GATEWAY4, extra=["-I", "10.7.0.1"])

    two = t.client(user="two", dtls=False, netns=t.net.add_client()).wait()
    later = server.user("two")["Device"]
    t.equal([line.split()[:3] for line in routes_to_device(t) if "10.7." in line], [["10.7.0.0/16", "dev", later]], "moved")
    server.wait_log('iroute-moved .*user="two".* from="one"')
    for user in ("bad", "all"):
        t.equal(t.web().must_login(user).connect().status, 401, "status of " + user)
    server.wait_log("iroute-refused.*198.18.1.0")
    t.expect("10.9.0.0" not in t.net.ip(t.net.srv, "route").stdout, "what was added before is there still")
    one.stop()
    wait_for("the routes to go", lambda: not [line for line in routes_to_device(t) if device in line], 5)
    t.equal([line.split()[2] for line in routes_to_device(t)], [later], "the other one's")
    two.stop()
    wait_for("all to go", lambda: not routes_to_device(t), 5)
    t.equal([line for line in own if line not in t.net.ip(t.net.srv, "route").stdout.splitlines()], [], "routes that were there")


def test_refused_route_behind_a_client(t):
    """Checklist 109, config 13.4: a command that fails takes the routes before it back and refuses the session."""
    server = with_files(t, {"test": None}, {"users/test": "iroute = 10.7.0.0/16\niroute = 10.8.1.0/24\n"},
                        {"route-add-cmd": "[ %%{RI} != 10.8.1.0/24 ] && touch %s/%%{D}-$ID" % t.dir,
                         "route-del-cmd": "rm %s/%%{D}-$ID && [ %%R = 10.7.0.0/255.255.0.0 ]" % t.dir})
    t.equal(t.web().must_login().connect().status, 401, "status")
    server.wait_log("iroute-refused")
    wait_for("the first route to be taken back",
             lambda: not [name for name in os.listdir(t.dir) if name.startswith("vpns")], 5)


def test_every_key_of_a_file(t):
    """Config 10.1: each key replaces the host's value, in the headers, towards the other side and back to default."""
    server = with_files(t, {"test": None, "back": None}, {"users/test": """
nbns = 10.7.0.54
ipv6-dns = fd00:7::53
mobile-dpd = 71
mobile-idle-timeout = 72
client-bypass-protocol = true
ipv4-network = 198.19.0.128
ipv4-netmask = 255.255.255.128
ipv6-network = fd00:77:0:0:8000::/65
ipv6-subnet-prefix = 112
route = default
no-route = 10.9.0.0/255.255.0.0
stats-report-time = 30
net-priority = 3
rx-data-per-sec = 100000
tx-data-per-sec = 200000
""", "users/back": "tunnel-all-dns = false\nclient-bypass-protocol = false\nidle-timeout = 0\nmobile-idle-timeout = 0\n"
                   "session-timeout = 0\n"},
        {"nbns": "198.18.1.54", "dns": "198.18.1.53", "mobile-dpd": 1800, "mobile-idle-timeout": 2400, "idle-timeout": 1200,
         "session-timeout": 86400, "client-bypass-protocol": "false", "tunnel-all-dns": "true"})
    web = t.web().must_login()
    answer = web.connect(headers=["X-AnyConnect-Identifier-Platform: apple-ios"])
    t.equal(answer.status, 200, "status")
    for name, value in (("X-CSTP-NBNS", ["10.7.0.54"]), ("X-CSTP-DPD", ["71"]), ("X-CSTP-Idle-Timeout", ["72"]),
                        ("X-CSTP-Client-Bypass-Protocol", ["true"]), ("X-CSTP-Netmask", ["255.255.255.128"]),
                        ("X-CSTP-Split-Include", []), ("X-CSTP-Split-Exclude", ["10.9.0.0/255.255.0.0"]),
                        ("X-CSTP-Tunnel-All-DNS", ["true"])):
        t.equal(answer.headers(name), value, name)
    t.expect("fd00:7::53" in answer.head and "198.18.1.53" not in answer.head, "DNS", answer.head)
    t.expect(int(answer.header("X-CSTP-Address").split(".")[3]) > 129, "IPv4 address", answer.head)
    t.expect((answer.header("X-CSTP-Address-IP6") or "").endswith("/112"), "IPv6 block", answer.head)
    user = server.user()
    t.equal((user["RX"] is not None, user.get("Limit RX"), user.get("Limit TX")), (True, "100.0 kB/s", "200.0 kB/s"),
            "limits in occtl")
    answer = t.web().must_login("back").connect(headers=["X-AnyConnect-Identifier-Platform: apple-ios"])
    for name, value in (("X-CSTP-Tunnel-All-DNS", "false"), ("X-CSTP-Client-Bypass-Protocol", "false"),
                        ("X-CSTP-Idle-Timeout", "none"), ("X-CSTP-Session-Timeout", "none")):
        t.equal(answer.header(name), value, name + " set back")


def test_lists_of_both_files(t):
    """Config 10.2, 10.3: lists of the user's file follow the group's, scalars overwrite; the host's lists are gone, its
    scalars stay; what one file leaves out comes from the next below."""
    with_files(t, {"test": "staff", "bare": "staff"}, {
        "groups/staff": "dns = 10.8.0.53\nsplit-dns = group.test\nnbns = 10.8.0.54\nkeepalive = 81\ndpd = 82\n",
        "users/test": "dns = 10.9.0.53\nsplit-dns = user.test\ndpd = 92\n"},
        {"dns": "198.18.1.53", "split-dns": ["host.test"], "nbns": "198.18.1.54", "dpd": 60, "keepalive": 3600,
         "idle-timeout": 1200, "no-route": "10.1.0.0/16"})
    for user, wanted in (("test", {"X-CSTP-DNS": ["10.8.0.53", "10.9.0.53"], "X-CSTP-NBNS": ["10.8.0.54"],
                                   "X-CSTP-Split-DNS": ["group.test", "user.test"], "X-CSTP-DPD": ["92"],
                                   "X-CSTP-Keepalive": ["81"], "X-CSTP-Idle-Timeout": ["1200"],
                                   "X-CSTP-Split-Exclude": ["10.1.0.0/255.255.0.0"]}),
                         ("bare", {"X-CSTP-DNS": ["10.8.0.53"], "X-CSTP-DPD": ["82"]})):
        answer = t.web().must_login(user, group="staff").connect()
        for name, value in wanted.items():
            t.equal(answer.headers(name), value, "%s of %s" % (name, user))


def test_default_group_file(t):
    """Config 10.2: it stands for a missing file of a group, also for a link, never below an existing one, and not
    without the folder or the group."""
    server = with_files(t, {"test": "staff", "other": "guests", "third": "linked", "lone": None}, {
        "default-group": "dpd = 99\nkeepalive = 98\n", "groups/staff": "dpd = 11\n"},
        {"dpd": 60, "keepalive": 3600})
    os.symlink(server.dir + "/groups/staff", server.dir + "/groups/linked")
    server.write_conf(default_group_config=server.dir + "/default-group")
    server.stop()
    server.start()
    for user, dpd, keepalive in (("test", "11", "3600"), ("other", "99", "98"), ("third", "99", "98"),
                                 ("lone", "60", "3600")):
        answer = t.web().must_login(user).connect()
        t.equal((answer.header("X-CSTP-DPD"), answer.header("X-CSTP-Keepalive")), (dpd, keepalive), user)
    os.unlink(server.dir + "/default-group")
    t.equal(t.web().must_login("other").connect().status, 401, "status with the default file gone")
    server.wait_log("%s/default-group: [^\n]*cannot read the default file" % server.dir)
    t.equal(t.web().must_login("test").connect().status, 200, "status of a group with a file")
    server.write_conf(config_per_group=None)
    server.stop()
    server.start()
    t.equal(t.web().must_login("other").connect().header("X-CSTP-DPD"), "60", "DPD without the folder")


def test_every_fault_refuses_and_names_itself(t):
    """Checklist 93, config 10.2: bad values in user and group files, each logged at error level with file and line; the
    login itself works, no session stays open, and a repaired file works with the same cookie."""
    faults = {"port": "restrict-user-to-ports = tcp(\n", "noroute": "dpd = 1\nno-route = 10.0.0.0/24;x\n",
              "iroute": "# one\n\niroute = Default\n", "mask": "route = 10.0.0.0/255.0.255.0\n",
              "v6": "ipv6-network = fd00::/64\nipv6-subnet-prefix = 48\n", "addr": "explicit-ipv4 = fd00::1\n",
              "bare": "dpd\n"}
    lines = {"noroute": 2, "iroute": 3, "v6": 2}
    users = {name: None for name in faults}
    users["member"] = "broken"
    server = with_files(t, users, dict({"users/" + name: text for name, text in faults.items()},
                                       **{"groups/broken": "keepalive = 1\nroute = nowhere\n"}))
    for name in list(faults) + ["member"]:
        web = t.web().must_login(name)
        t.equal(web.connect().status, 401, "status for " + name)
        where = "groups/broken:2" if name == "member" else "users/%s:%d" % (name, lines.get(name, 1))
        server.wait_log(where + ": ")
        if name == "noroute":
            server.write_file("users/noroute", "dpd = 33\n")
            t.equal(t.web().connect(cookie=web.cookies["webvpn"]).header("X-CSTP-DPD"), "33", "DPD after the repair")
    t.equal([row["Username"] for row in server.users()], ["noroute"], "users")
    t.expect("new user session" not in server.log().split("session-refused")[0], "a session was opened")


def test_ignored_lines(t):
    """Checklist 92, config 10.1: sections and their keys, unknown keys and those of the server alone change nothing."""
    server = with_files(t, {"test": None}, {
        "users/test": "dpd = 44\ntcp-port = 1\nbanner = x\nwhatever = 2\n[vhost:a]\ndpd = 55\n"})
    t.equal(t.web().must_login().connect().header("X-CSTP-DPD"), "44", "DPD")
    for text in ("unknown option 'tcp-port'", "unknown option 'banner'", "unknown option 'whatever'",
                 "skipping unknown section"):
        server.wait_log("users/test:[^\n]*" + text)


def test_names_stay_in_their_folder(t):
    """Checklist 82, protocol 10.14: names of users and groups with paths, dots, NUL, line breaks and great length read
    no other file, and no tunnel opens with them; a harmless odd name is a file name like any other."""
    groups = ["../secret", "/etc/passwd", ".", "..", "sub/file"]
    users = {"test": ",".join(groups), "a b;c": None, ".": None, "..": None, "sub/file": None, "/etc/passwd": None,
             "../secret": None}
    server = with_files(t, users, {"users/a b;c": "dpd = 44\n", "secret": "dpd = 66\n", "users/sub/file": "dpd = 77\n",
                                   "groups/sub/file": "dpd = 77\n"}, {"select-group": groups + ["staff"]})
    t.equal(t.web().must_login("a b;c").connect().header("X-CSTP-DPD"), "44", "DPD of an odd name")
    for user, group in [(user, None) for user in (".", "..", "sub/file", "/etc/passwd", "../secret")] + \
            [("test", group) for group in groups]:
        web = t.web()
        if web.login(user, group=group).success:
            t.equal(web.connect().status, 401, "status of %s in %s" % (user, group))
    server.wait_log("refusing the name of a file")
    for body in ("username=a%00b&password=x", "username=test&password=secret&group_list=staff%00",
                 "username=" + "a" * 5000 + "&password=x", "username=te%0ast&password=x"):
        web = t.web()
        try:
            web.get("/", xml=False)
            t.expect(not web.post("/auth", body, xml=False).success, "%r logged in" % body[:40])
        except OSError:
            pass
    t.equal([row["Username"] for row in server.users()], ["a b;c"], "users")


def test_group_by_url_has_its_settings(t):
    """Checklist 79, 80: the group of the URL brings its DNS, routes and exclusions; GROUPNAME and occtl tell it."""
    server = with_files(t, {"test": "staff,guests"}, {
        "groups/guests": "route = 10.8.0.0/16\nno-route = 10.8.8.0/24\ndns = 10.8.0.53\n"},
        {"select-group": ["staff", "guests[The guests]"], "select-group-by-url": "true"})
    script = server.write_file("hook", "#!/bin/sh\necho \"$GROUPNAME\" > %s/group\n" % server.dir, 0o755)
    server.write_conf(connect_script=script)
    server.stop()
    server.start()
    client = t.client(dtls=False, path="guests").wait()
    t.equal((client.env["CISCO_SPLIT_INC_0_ADDR"], client.env["CISCO_SPLIT_EXC_0_ADDR"], client.env["INTERNAL_IP4_DNS"]),
            ("10.8.0.0", "10.8.8.0", "10.8.0.53"), "settings the client got")
    with open(server.dir + "/group") as group:
        t.equal(group.read(), "guests\n", "GROUPNAME")
    t.equal(server.user()["Groupname"], "guests", "group in occtl")
    client.stop()
    server.wait_no_user()
    for path, dns in (("/guests", ["10.8.0.53"]), ("/The%20guests", ["10.8.0.53"]), ("/staff", [])):
        tunnel = t.web().must_login(path=path).open()
        t.equal(tunnel.answer.headers("X-CSTP-DNS"), dns, "DNS by " + path)
        tunnel.bye()


def test_hosts_have_their_own_files(t):
    """Config 8.12, 3.2: folders and group lists belong to a host; others inherit them, and add to the list."""
    server = t.server({"select-group": ["staff"]}, users={"test": "staff"}, start=False)
    for folder, dpd in (("one", 11), ("two", 22)):
        server.write_file(folder + "/test", "dpd = %d\n" % dpd)
    server.conf["config-per-user"] = server.dir + "/one"
    server.vhosts = [("own.test", {"config-per-user": server.dir + "/two", "select-group": "other"}),
                     ("same.test", {"keepalive": 77})]
    server.write_conf()
    server.start()
    for name, dpd, groups in ((None, "11", ["staff"]), ("own.test", "22", ["staff", "other"]), ("same.test", "11", ["staff"])):
        web = t.web(name=name)
        t.equal([value for value, _, _ in options_of(web.init())], groups, "groups of %s" % name)
        t.equal(t.web(name=name).must_login().connect().header("X-CSTP-DPD"), dpd, "DPD of %s" % name)


def test_limits_of_the_group_list(t):
    """Config 8.12: 96 groups at most, the rest is ignored; a name of 64 bytes is warned about."""
    server = t.server({"select-group": ["g%03d[Group %d]" % (n, n) for n in range(100)]}, users={"test": "g007,g098"})
    t.equal([value for value, _, _ in options_of(t.web().init())], ["g%03d" % n for n in range(96)], "entries")
    t.web().must_login(group="Group 7")
    t.web().must_login(group="g098")  # his, though not shown
    server.write_conf(**{"select-group": ["x" * 63, "y" * 64]})
    server.stop()
    server.start()
    log = server.log()
    t.expect("'select-group' entry '%s' is 64 bytes or longer" % ("y" * 64) in log and "'%s' is" % ("x" * 63) not in log,
             "the warning", log)


def test_networks_behind_others_are_exposed(t):
    """Config 8.10, 10.3 (expose-iroutes): everybody else gets them behind his own routes or the host's, their owner does
    not, and a default route stays one; a malformed one is fatal at load, also for a reload and for -t."""
    files = {"users/one": "iroute = 10.7.0.0/16\niroute = fd00:7::/48\n", "users/two": "iroute = 10.8.0.0/16\n",
             "users/own": "route = 10.9.0.0/16\n", "users/all": "route = default\n", "users/broken": "no separator\n"}
    server = with_files(t, {name: None for name in ("one", "own", "all", "none")}, files,
                        dict(ROUTES, **{"route": ["198.18.1.0/24"]}))
    server.stop()
    os.symlink(server.write_file("elsewhere", "iroute = 10.66.0.0/16\n"), server.dir + "/users/link")  # no regular file
    for append, of_own in (("false", []), ("true", ["198.18.1.0/255.255.255.0"])):
        server.write_conf(expose_iroutes="true", append_routes=append)
        server.start()
        for user, routes in (("none", {"198.18.1.0/255.255.255.0", "10.7.0.0/255.255.0.0", "10.8.0.0/255.255.0.0"}),
                             ("one", {"198.18.1.0/255.255.255.0", "10.8.0.0/255.255.0.0"}),
                             ("own", {"10.9.0.0/255.255.0.0", "10.7.0.0/255.255.0.0", "10.8.0.0/255.255.0.0"} |
                              set(of_own)), ("all", set())):
            answer = t.web().must_login(user).connect()
            got = answer.headers("X-CSTP-Split-Include")
            t.equal(len(got), len(set(got)), "routes of %s, none twice: %s" % (user, got))
            t.equal({route for route in got if ":" not in route}, routes, "routes of %s" % user)
            t.equal("fd00:7::/48" in answer.head, user in ("none", "own"), "IPv6 route of %s" % user)
        server.stop()
    server.write_file("users/two", "iroute = 10.8.0.0/16\niroute = 10.8/16\n")
    for arguments in ([], ["-t"]):
        run = t.net.run(t.net.srv, t.tools.server, "-f", "-c", server.conf_file, *arguments, check=False)
        t.equal(run.returncode, 1, "exit code with a malformed iroute %s" % arguments)
        t.expect("users/two:2" in run.stderr and "10.8/16" in run.stderr, "words", run.stderr)
    server.write_file("users/two", "iroute = 10.8.0.0/16\n")
    server.start()
    server.write_file("users/two", "iroute = 10.8/16\n")
    server.reload()
    server.wait_log("users/two:1")
    t.expect("10.8.0.0/255.255.0.0" in t.web().must_login("none").connect().head, "the old list serves on")


def test_ping_leases(t):
    """Checklist 98, config 8.8: an address at which somebody answers is given to nobody, of either family; without an
    answer the connection is as ever, half a second later; a client that goes meanwhile leaves nothing."""
    server = t.server({"ping-leases": "true", "cookie-timeout": 1}, users={"test": None, "other": None})
    client = t.client(dtls=False).wait()
    mine = server.user()
    client.stop()
    server.wait_log("addresses-released")
    # Somebody behind the server has the address that the user would get again.
    t.net.ip(t.net.lan, "addr", "add", mine["IPv4"] + "/32", "dev", "lo")
    t.net.ip(t.net.lan, "addr", "add", mine["IPv6"] + "/128", "dev", "lo", "nodad")
    t.net.ip(t.net.srv, "route", "add", mine["IPv4"] + "/32", "via", LAN4)
    t.net.ip(t.net.srv, "-6", "route", "add", mine["IPv6"] + "/128", "via", LAN6)
    again = t.client(dtls=False).wait()
    t.expect(again.ip4 != mine["IPv4"], "IPv4 is the stranger's", again.ip4)
    t.expect(again.ip6.split("/")[0] != mine["IPv6"], "IPv6 is the stranger's", again.ip6)
    for family in ("IPv4", "IPv6"):
        server.wait_log("address-in-use .*address=%s" % re.escape(mine[family]))
    must_ping(again.netns, GATEWAY4)

    web = t.web().must_login("other")
    web.send("CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: server\r\nCookie: webvpn=%s\r\nX-CSTP-Version: 1\r\n"
             "X-CSTP-Address-Type: IPv4\r\n\r\n" % web.cookies["webvpn"])
    time.sleep(0.1)
    web.close()
    time.sleep(1)
    t.equal([user["Username"] for user in server.users()], ["test"], "users")
    t.equal(t.web().must_login("other").connect().status, 200, "another attempt")
