"""Per-user and per-group files."""
import os

from lib.net import GATEWAY4
from lib.shell import wait_for
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
    """Checklist 80, 81, 105: the group's file, then the user's on top of it; edits apply at once (91)."""
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
    server.reload()
    import time
    time.sleep(1)
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
    """Checklist 175, config 13.4: iroutes are routed, shown, accepted as sources, and taken back."""
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


def test_refused_route_behind_a_client(t):
    """Config 13.4: a command that fails takes the routes before it back and refuses the session."""
    server = with_files(t, {"test": None}, {"users/test": "iroute = 10.7.0.0/16\niroute = 10.8.1.0/24\n"},
                        {"route-add-cmd": "[ %{RI} != 10.8.1.0/24 ] && touch /var/tmp/%{D}-$ID",
                         "route-del-cmd": "rm /var/tmp/%{D}-$ID && [ %R = 10.7.0.0/255.255.0.0 ]"})
    t.equal(t.web().must_login().connect().status, 401, "status")
    server.wait_log("iroute-refused")
    wait_for("the first route to be taken back",
             lambda: not [name for name in os.listdir("/var/tmp") if name.startswith("vpns")], 5)
