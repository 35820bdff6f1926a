"""Connect and disconnect scripts: what they are told, what their status does, that a slow one harms nobody."""
import json
import os
import select
import time

from lib.shell import wait_for
from lib.traffic import must_ping

RECORD = """#!/usr/bin/python3
import json, os, sys, time
path = "{dir}/calls/%d-%s-%s" % (time.monotonic_ns(), os.environ.get("REASON"), os.environ.get("USERNAME"))
with open(path + ".new", "w") as out:
    json.dump(dict(os.environ, ARGS=str(len(sys.argv) - 1)), out)
os.rename(path + ".new", path)
{more}
"""


def with_script(t, more="", conf=None, users=None):
    server = t.server(dict(conf or {}), users=users, start=False)
    os.makedirs(server.dir + "/calls")
    script = server.write_file("hook", RECORD.format(dir=server.dir, more=more), 0o755)
    server.write_conf(connect_script=script, disconnect_script=script)
    return server.start()


def calls(server, reason=None):
    found = []
    for name in sorted(os.listdir(server.dir + "/calls")):
        if not name.endswith(".new"):
            with open(server.dir + "/calls/" + name) as call:
                found.append(json.load(call))
    return [call for call in found if reason in (None, call.get("REASON"))]


def test_environment(t):
    """Checklist 153, 157: every variable of both calls; statistics at the end; the host name checked."""
    server = with_script(t, conf={"dns": ["198.18.1.53", "fd00:19::53"], "no-route": ["10.1.2.0/24"],
                                  "select-group": ["staff"]}, users={"test": "staff"})
    client = t.client(dtls=False, arguments=["--local-hostname", "aaa.bbb"]).wait()
    user = server.user()
    up = calls(server, "connect")[0]
    for key, value in (("ID", str(user["ID"])), ("VHOST", "default"), ("USERNAME", "test"), ("GROUPNAME", "staff"),
                       ("DEVICE", user["Device"]), ("IP_REAL", "198.18.0.2"), ("IP_REAL_LOCAL", "198.18.0.1"),
                       ("IP_LOCAL", "198.19.0.1"), ("IP_REMOTE", client.ip4), ("IPV6_LOCAL", "fd00:77::1"),
                       ("IPV6_PREFIX", "128"), ("HOSTNAME", "aaa"), ("REMOTE_HOSTNAME", "aaa"),
                       ("OCSERV_ROUTES", "198.18.1.0/255.255.255.0 fd00:19::/64 "),
                       ("OCSERV_ROUTES4", "198.18.1.0/255.255.255.0 "), ("OCSERV_ROUTES6", "fd00:19::/64 "),
                       ("OCSERV_NO_ROUTES", "10.1.2.0/255.255.255.0 "), ("OCSERV_DNS", "198.18.1.53 fd00:19::53 "),
                       ("OCSERV_DNS4", "198.18.1.53 "), ("OCSERV_DNS6", "fd00:19::53 "), ("ARGS", "0")):
        t.equal(up.get(key), value, key)
    t.expect("Open AnyConnect" in up["USER_AGENT"], "agent", up)
    t.equal(up["IPV6_REMOTE"], client.ip6.split("/")[0], "IPV6_REMOTE")
    t.expect("DEVICE_TYPE" in up and "DEVICE_PLATFORM" in up, "variables that may be empty", up)
    t.expect("STATS_BYTES_IN" not in up, "statistics at connect")
    start = int(user["raw_connected_at"])
    must_ping(client.netns, count=5)
    time.sleep(max(0, start + 2 - time.time()))
    client.stop()
    down = wait_for("the disconnect script", lambda: calls(server, "disconnect"), 5)[0]
    for way in ("up", "down"):
        server.wait_log("executing script %s %s/hook" % (way, server.dir))
    for key in ("ID", "USERNAME", "GROUPNAME", "DEVICE", "IP_REMOTE", "IPV6_REMOTE", "IP_REAL", "VHOST"):
        t.equal(down.get(key), up[key], key + " at the end")
    t.expect(int(down["STATS_BYTES_IN"]) >= 5 * 84 and int(down["STATS_BYTES_OUT"]) >= 5 * 84, "bytes", down)
    t.expect(1 <= int(down["STATS_DURATION"]) <= time.time() - start + 1, "duration", down)


def test_device_of_the_client(t):
    """Admin 10.2: what the client says of its device is in the environment, as it says it."""
    server = with_script(t)
    web = t.web().must_login()
    t.equal(web.connect(headers=["X-AnyConnect-Identifier-Platform: android",
                                 "X-AnyConnect-Identifier-DeviceType: Pixel $(id)"]).status, 200, "status")
    up = calls(server, "connect")[0]
    t.equal((up["DEVICE_PLATFORM"], up["DEVICE_TYPE"]), ("android", "Pixel $(id)"), "device")


def test_default_route_environment(t):
    """Admin 10.2: with a default route the route variables are unset."""
    server = with_script(t, conf={"route": None})
    t.web().must_login().open()
    up = calls(server, "connect")[0]
    t.expect(not [key for key in up if key.startswith("OCSERV_ROUTES")], "route variables", up)


def test_failing_script_refuses(t):
    """Checklist 154: no tunnel, no disconnect script, the addresses are free again."""
    server = with_script(t, more="sys.exit(1 if os.environ['REASON'] == 'connect' else 0)")
    answer = t.web().must_login().connect()
    t.equal(answer.status, 401, "status")
    server.wait_log("user disconnected due to script")
    time.sleep(0.5)
    t.equal(calls(server, "disconnect"), [], "disconnect scripts")
    t.equal(server.users(), [], "users")
    wait_for("the device to go", lambda: not server.devices(), 5)


def test_slow_script_delays_nobody_else(t):
    """Checklist 155: while one user's script sleeps others log in and occtl answers."""
    server = with_script(t, more="while os.environ['USERNAME'] == 'slow' and not os.path.exists(path + '.go'): time.sleep(0.1)",
                         users={"slow": None, "test": None})
    slow = t.web().must_login("slow")
    slow.send("CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: x\r\nCookie: webvpn=%s\r\nX-CSTP-Version: 1\r\n"
              "X-CSTP-Base-MTU: 1500\r\nX-CSTP-Address-Type: IPv4\r\n\r\n" % slow.cookies["webvpn"])
    call = server.dir + "/calls/" + wait_for("the slow script", lambda: [
        name for name in os.listdir(server.dir + "/calls") if name.endswith("-connect-slow")], 5)[0]
    t.web().must_login("test").open()
    server.occtl("show", "users")
    t.expect(not select.select([slow.socket], [], [], 1)[0], "the slow script was not waited for")
    open(call + ".go", "w").close()
    t.equal(slow.read().status, 200, "status of the slow one")


def test_takeover_runs_both_scripts(t):
    """Checklist 158: disconnect of the old connection, then connect of the new one; the addresses stay."""
    server = with_script(t)
    web = t.web().must_login()
    web.open()
    t.web(cookies=web.cookies).open()
    wait_for("three calls", lambda: len(calls(server)) >= 3, 5)
    got = calls(server)
    t.equal([call["REASON"] for call in got], ["connect", "disconnect", "connect"], "order")
    t.equal(len({call["IP_REMOTE"] for call in got}), 1, "addresses")


def test_names_are_not_for_a_shell(t):
    """Checklist 30, 167: odd names reach the script as they are; nothing of them is run."""
    name = "a$(touch hacked);b`id`'\""
    server = with_script(t, users={})
    server.passwd(name)
    web = t.web().must_login(name)
    web.agent = "Open AnyConnect VPN Agent v9 $(touch hacked2)"
    web.open()
    t.equal(calls(server, "connect")[0]["USERNAME"], name, "user name in the script")


def test_host_names(t):
    """Checklist 157: unusable host names are treated as absent."""
    server = with_script(t)
    for name, shown in (("-hello", None), ("hello-", None), ("1234!", None), ("1.2.3.4", None), ("x" * 64, None),
                        ("12345", "12345"), ("12-hello", "12-hello"), ("aaa.bbb", "aaa")):
        web = t.web().must_login()
        web.send("CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: x\r\nCookie: webvpn=%s\r\nX-CSTP-Version: 1\r\n"
                 "X-CSTP-Hostname: %s\r\nX-CSTP-Base-MTU: 1500\r\nX-CSTP-Address-Type: IPv4\r\n\r\n"
                 % (web.cookies["webvpn"], name))
        t.equal(web.read().status, 200, "status with host name " + name)
        t.equal(calls(server, "connect")[-1].get("REMOTE_HOSTNAME") or None, shown, "host name for " + name)
        web.close()
