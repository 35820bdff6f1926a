"""Accounting: the records of sessions as a real FreeRADIUS writes them down, and acct = "pam"."""
import json
import os
import signal
import struct
import time

from lib.datapath import device_counters, only_own
from lib.freeradius import DeadServer, FreeRadius
from lib.harness import marks
from lib.net import CLIENT4, LAN4, SERVER4
from lib.pam import Pam
from lib.shell import sh, wait_for
from lib.traffic import must_ping, transfer
from lib.web import Tunnel, echo_request

AGENT = "Open AnyConnect VPN Agent v9.01"


def accounted(t, conf=None, radius=None, client=None, **options):
    """A FreeRADIUS, and a server with passwords of its own that keeps its accounts there."""
    radius = radius or FreeRadius(t)
    client = client or radius.client_conf(timeout=1, retries=1)
    server = t.server(dict({"acct": '"radius[config=%s,nas-identifier=vpn7]"' % client,
                            "cookie-timeout": 1}, **(conf or {})), **options)
    return radius, server


def kinds(radius, user="test"):
    return [row["Acct-Status-Type"] for row in radius.accounting(user)]


def one_stop(radius, user="test", seconds=10):
    """The records of USER's only session, which must be one Start, any Interims, one Stop, all of one id."""
    radius.wait_accounting("Stop", 1, seconds, user)
    rows = radius.accounting(user)
    got = [row["Acct-Status-Type"] for row in rows]
    assert got[0] == "Start" and got[-1] == "Stop" and set(got[1:-1]) <= {"Interim-Update"}, got
    assert len({row["Acct-Session-Id"] for row in rows}) == 1, rows
    return rows


def device(server, number=0):
    """The kernel's counters of a tunnel device: what came from the client and what went to it."""
    name = server.devices()[number]
    link = json.loads(sh("ip", "-n", server.net.srv, "-s", "-j", "link", "show", name).stdout)[0]["stats64"]
    return link["rx"]["bytes"], link["rx"]["packets"], link["tx"]["bytes"], link["tx"]["packets"]


def traffic(row):
    """The same of a record."""
    return (int(row["Acct-Input-Octets"]), int(row["Acct-Input-Packets"]), int(row["Acct-Output-Octets"]),
            int(row["Acct-Output-Packets"]))


def pings(tunnel, count, size=100):
    """COUNT echo requests and their answers through a tunnel spoken by hand."""
    for i in range(count):
        tunnel.send(Tunnel.DATA, echo_request(tunnel.address, b"x" * (size - 28), LAN4, i))
        assert tunnel.receive_data(5), "no answer"


def test_records_of_a_session(t):
    """Radius.md 5.2: every attribute of Start and Stop, octets and packets as the client's kernel counted them."""
    radius, server = accounted(t)
    only_own(t, t.net.cli)
    client = t.client(dtls=False).wait()
    start = radius.wait_accounting("Start")[0]
    user = server.user()
    for name, value in {
            "User-Name": "test", "NAS-Identifier": "vpn7", "NAS-IP-Address": SERVER4, "Calling-Station-Id": CLIENT4,
            "Service-Type": "Framed-User", "Framed-Protocol": "PPP", "Acct-Authentic": "RADIUS",
            "Framed-IP-Address": client.ip4, "Framed-IPv6-Address": client.ip6.split("/")[0],
            "Acct-Session-Id": user["Full session"]}.items():
        t.equal(start.get(name), value, name + " of the Start")
    t.expect("AnyConnect" in start["Connect-Info"], "no user agent", start)
    t.expect("Acct-Session-Time" not in start and "Acct-Input-Octets" not in start, "the Start counts", start)
    must_ping(client.netns, count=5, size=972)
    transfer(client.netns, t.net.lan, size=3_000_000, down=True)
    transfer(client.netns, t.net.lan, size=1_000_000)
    time.sleep(0.5)
    (of_packets, of_bytes), (to_packets, to_bytes) = reversed(device_counters(client.netns, client.tun))
    counted, before = (of_bytes, of_packets, to_bytes, to_packets), time.time()
    client.stop()
    rows = one_stop(radius)
    stop = rows[-1]
    t.equal(kinds(radius), ["Start", "Stop"], "records")
    t.expect(counted[0] >= 1_000_000 and counted[2] >= 3_000_000, "the device has counted too little", counted)
    t.equal(traffic(stop), counted, "octets and packets")
    for name, value in {
            "Acct-Terminate-Cause": "User-Request", "User-Name": "test", "NAS-Identifier": "vpn7",
            "Framed-IP-Address": client.ip4, "Acct-Input-Gigawords": "0", "Acct-Output-Gigawords": "0",
            "Acct-Session-Id": user["Full session"]}.items():
        t.equal(stop.get(name), value, name + " of the Stop")
    ended = user["raw_session_started_at"] + int(stop["Acct-Session-Time"])
    t.expect(before - 2 <= ended <= stop["Time"] + 1, "Acct-Session-Time", stop, user, before)
    server.wait_log(r"accounting-stop .*cause=1 ")


@marks(seconds=90)
def test_reconnects_are_one_session(t):
    """Checklist 189, 190: over reconnects with one cookie one Start, one Stop, one id, the time from the login on."""
    radius, server = accounted(t, {"cookie-timeout": 30})
    login = [time.time()]
    web = t.web().must_login()
    login.append(time.time())
    total = 0
    for i in range(3):
        other = t.web(cookies=web.cookies)
        tunnel = other.open()
        pings(tunnel, 4 + i)
        total += 4 + i
        user = server.user()
        if i:
            t.equal(user["raw_session_started_at"], started, "raw_session_started_at")
            t.expect(user["raw_connected_at"] > connected, "raw_connected_at does not move", user)
        started, connected = user["raw_session_started_at"], user["raw_connected_at"]
        if i < 2:
            other.close()  # lost, without a goodbye
            server.wait_no_user()
            rows = radius.wait_accounting("Interim-Update", i + 1)
            t.expect(int(rows[-1]["Acct-Input-Octets"]) >= 100 * total, "octets of interim %d" % i, rows[-1])
            time.sleep(1.2)
    counted, before = device(server), time.time()
    tunnel.bye()
    stop = one_stop(radius)[-1]
    t.equal(kinds(radius), ["Start", "Interim-Update", "Interim-Update", "Stop"], "records")
    t.expect(int(stop["Acct-Input-Octets"]) >= 100 * total > counted[0] - 100, "octets over all tunnels", stop, counted)
    t.equal(int(stop["Acct-Input-Packets"]), total, "packets from the client")
    spent = int(stop["Acct-Session-Time"])
    t.expect(login[0] - 1 <= started <= login[1] and before - 2 <= started + spent <= stop["Time"] + 1,
             "Acct-Session-Time is not from the login on", stop, started, login, before)
    t.equal(stop["Acct-Terminate-Cause"], "User-Request", "cause")


def test_takeover_is_one_session(t):
    """Checklist 189, protocol.md 4.12: a connection that replaces another keeps the account, and the device's sums."""
    radius, server = accounted(t)
    web = t.web().must_login()
    first = web.open()
    pings(first, 5)
    other = t.web(cookies=web.cookies)
    second = other.open()
    pings(second, 7)
    second.bye()
    rows = one_stop(radius)
    t.equal(int(rows[-1]["Acct-Input-Packets"]), 12, "packets from the client")
    t.equal(int(rows[-1]["Acct-Input-Octets"]), 1200, "octets from the client")


@marks(seconds=120)
def test_terminate_causes(t):
    """Checklist 184, radius.md 5.1 and 5.2: each cause, at once or when the cookie has expired; times of the tunnel."""
    users = ("bye", "admin", "terminated", "idle", "limit", "dpd", "lost", "pause")
    radius, server = accounted(t, {"acct": None, "cookie-timeout": 2, "dpd": 600}, users={u: None for u in users},
                               start=False)
    client = radius.client_conf(timeout=1, retries=1)
    os.makedirs(server.dir + "/users")
    for user, text in {"idle": "idle-timeout = 2\n", "limit": "session-timeout = 3\n", "dpd": "dpd = 2\n"}.items():
        server.write_file("users/" + user, text)
    server.write_conf(acct='"radius[config=%s]"' % client, config_per_user=server.dir + "/users")
    server.start()
    tunnels = {user: t.web().must_login(user).open() for user in users}
    tunnels["lost"].web.close()
    tunnels["bye"].bye()
    tunnels["pause"].send(Tunnel.DISCONNECT, b"\x91")
    server.occtl("disconnect", "user", "admin")
    server.occtl("terminate", "user", "terminated")
    for user, cause in (("bye", "User-Request"), ("admin", "Admin-Reset"), ("terminated", "Admin-Reset"),
                        ("limit", "Session-Timeout")):
        stop = one_stop(radius, user, 10)[-1]
        t.equal(stop["Acct-Terminate-Cause"], cause, user)
    ended = server.wait_log(r"reason: idle timeout", 10) and time.time()
    t.equal(kinds(radius, "lost"), ["Start", "Interim-Update"], "the lost client may still come back; records")
    for user, cause in (("idle", "Idle-Timeout"), ("lost", "Lost-Service"), ("pause", "Lost-Service"),
                        ("dpd", "Lost-Carrier")):
        rows = one_stop(radius, user, 50)
        t.equal(rows[-1]["Acct-Terminate-Cause"], cause, user)
        t.equal([row["Acct-Status-Type"] for row in rows], ["Start", "Interim-Update", "Stop"], "records of " + user)
        t.equal(rows[-1].get("Acct-Session-Time"), rows[1].get("Acct-Session-Time"), "time after the last activity")
        if user == "idle":
            t.expect(rows[-1]["Time"] - ended >= 12, "the Stop came before the cookie had expired", rows[-1])


def test_interims(t):
    """Checklist 183, radius.md 5.1: live counters every stats-report-time; the user's own interval; none without the option."""
    radius, server = accounted(t, users={"test": None, "slow": None}, start=False)
    os.makedirs(server.dir + "/users")
    server.write_file("users/slow", "stats-report-time = 0\n")
    server.write_conf(stats_report_time=2, config_per_user=server.dir + "/users")
    server.start()
    slow, tunnel = t.web().must_login("slow").open(), t.web().must_login().open()
    pings(tunnel, 3)
    first = radius.wait_accounting("Interim-Update", 1, 10)[0]
    t.equal(traffic(first)[:2], (300, 3), "octets and packets of the first interim")
    pings(tunnel, 4)
    rows = radius.wait_accounting("Interim-Update", 3, 12)
    t.equal(traffic(rows[2])[:2], (700, 7), "octets and packets of the third interim")
    t.expect(all(1 <= b["Time"] - a["Time"] <= 4 for a, b in zip(rows, rows[1:])), "interval", rows)
    t.expect(int(rows[2]["Acct-Session-Time"]) > int(rows[0]["Acct-Session-Time"]), "session time", rows)
    t.equal(rows[2]["Framed-IP-Address"], tunnel.address, "address in an interim")
    tunnel.bye()
    t.equal(traffic(one_stop(radius)[-1])[:2], (700, 7), "the Stop")
    slow.bye()
    one_stop(radius, "slow")
    t.equal(kinds(radius, "slow"), ["Start", "Stop"], "records of a user whose interval is 0")


def test_interval_of_the_reply(t):
    """Radius.md 3.2: Acct-Interim-Interval of the Access-Accept overrides stats-report-time; checklist 182: one id everywhere."""
    radius = FreeRadius(t, users='test Cleartext-Password := "secret"\n\tAcct-Interim-Interval = 2\n')
    client = radius.client_conf(timeout=1)
    radius, server = accounted(t, {"auth": '"radius[config=%s,groupconfig=true]"' % client, "stats-report-time": 3600},
                               radius, client, users={})
    tunnel = t.web().must_login().open()
    radius.wait_accounting("Interim-Update", 2, 10)
    full = server.user()["Full session"]
    tunnel.bye()
    rows = one_stop(radius)
    t.equal({row["Acct-Session-Id"] for row in rows + radius.requests("test")}, {full}, "session ids")


def test_no_start_no_tunnel(t):
    """Radius.md 5.1: without an answer to the Start CONNECT gets 401; the cookie works once there is one; one Start."""
    radius, server = accounted(t, {"cookie-timeout": 60})
    radius.stop()
    web = t.web().must_login()
    answer = web.connect()
    t.equal(answer.lines[0], "HTTP/1.1 401 Cookie is not acceptable", "status line")
    server.wait_log(r"radius-auth: radius_open_session: -?[1-9]")
    t.equal(server.users(), [], "users")
    t.expect(not server.devices(), "a device was made", server.devices())
    radius.start()
    again = t.web(cookies=web.cookies)
    again.open().bye()
    one_stop(radius)
    t.equal(kinds(radius), ["Start", "Stop"], "records")


def ask_tunnel(web, host="server"):
    """CONNECT without waiting for the answer."""
    web.send("CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nCookie: webvpn=%s\r\n"
             "X-CSTP-Version: 1\r\nX-CSTP-Base-MTU: 1500\r\nX-CSTP-Address-Type: IPv4\r\n\r\n"
             % (host, AGENT, web.cookies["webvpn"]))


@marks(seconds=90)
def test_started_but_never_opened(t):
    """Radius.md 5.1: a client that leaves during its Start, or whom a script refuses: a Stop when the cookie expires."""
    radius, server = accounted(t, start=False, users={"gone": None, "denied": None, "back": None})
    deny = server.write_file("deny", '#!/bin/sh\n[ "$USERNAME" != denied ]\n', 0o755)
    server.write_conf(connect_script=deny)
    server.start()
    webs = {user: t.web().must_login(user) for user in ("gone", "denied", "back")}
    t.equal(webs["denied"].connect().status, 401, "status of the refused one")
    radius.freeze()
    for user in ("gone", "back"):
        ask_tunnel(webs[user])
        time.sleep(0.2)
        webs[user].close()
    again = t.web(cookies=webs["back"].cookies)
    ask_tunnel(again)
    time.sleep(0.2)
    radius.thaw()
    answer = again.read()
    t.equal(answer.status, 200, "status of the one who came back")
    Tunnel(again, answer).bye()
    t.equal([row["Acct-Status-Type"] for row in one_stop(radius, "back")], ["Start", "Stop"], "records of who came back")
    for user in ("gone", "denied"):
        rows = one_stop(radius, user, 30)
        t.equal([row["Acct-Status-Type"] for row in rows], ["Start", "Stop"], "records of " + user)
        t.equal(rows[-1]["Acct-Terminate-Cause"], "Lost-Service", "cause of " + user)
        t.expect("Acct-Session-Time" not in rows[-1], "session time without a session", rows[-1])


def test_silent_server_delays_its_own_logins_only(t):
    """Logins of another host are as fast as ever while an accounting server does not answer."""
    dead = DeadServer(t, 1813)
    radius = FreeRadius(t, start=False)
    client = radius.client_conf(acct=["127.0.0.1:1813"], timeout=3, retries=2)
    server = t.server(users={"test": None}, vhosts=[("slow.test", {
        "auth": None, "acct": '"radius[config=%s]"' % client, "server-cert": t.pki.cert, "server-key": t.pki.key})],
        start=False)
    server.vhosts[0][1]["auth"] = server.conf["auth"]
    server.write_conf()
    server.start()
    waiting = [t.web(name="slow.test").must_login() for _ in range(6)]
    for web in waiting:
        ask_tunnel(web, "slow.test")
    wait_for("the Starts to be sent", lambda: dead.count() >= 1, 5)
    start = time.monotonic()
    for _ in range(10):
        t.web().must_login().open().bye()
    spent = time.monotonic() - start
    t.expect(spent < 8 * t.slow, "10 logins took %.1f s" % spent)
    t.equal([web.read().status for web in waiting], [401] * 6, "statuses without an answer")


def test_worker_killed(t):
    """Kill -9 of the worker: the traffic until then is counted, and there is one Start and one Stop."""
    radius, server = accounted(t)
    tunnel = t.web().must_login().open()
    pings(tunnel, 9)
    os.kill(server.user()["ID"], signal.SIGKILL)
    rows = one_stop(radius, seconds=40)
    t.equal(traffic(rows[-1])[:2], (900, 9), "octets and packets")
    t.expect(traffic(rows[-1])[3] >= 9, "packets to the client", rows[-1])
    t.equal(rows[-1]["Acct-Terminate-Cause"], "User-Error", "cause")


def test_server_stopped(t):
    """SIGTERM sends the Stop of every session, with Admin-Reset, before the service has ended."""
    radius, server = accounted(t, {"cookie-timeout": 300}, users={"test": None, "gone": None, "many": None})
    gone = t.web().must_login("gone")
    gone.open()
    gone.close()
    server.wait_no_user("gone")
    tunnel = t.web().must_login().open()
    many = [t.web().must_login("many").open() for _ in range(20)]
    pings(tunnel, 3)
    server.stop()
    for user in ("test", "gone"):
        rows = one_stop(radius, user, 1)
        t.equal(rows[-1]["Acct-Terminate-Cause"], "Admin-Reset", user)
    t.equal(traffic(one_stop(radius)[-1])[:2], (300, 3), "octets and packets")
    stops = [row["Acct-Session-Id"] for row in radius.accounting("many") if row["Acct-Status-Type"] == "Stop"]
    t.equal((len(stops), len(set(stops))), (len(many), len(many)), "Stops of many sessions")


def test_server_stopped_while_radius_is_away(t):
    """A stop waits for seconds, not for ever; what it gives up is in the log with session and kind."""
    radius, server = accounted(t)
    tunnel = t.web().must_login().open()
    full = server.user()["Full session"]
    radius.freeze()
    start = time.monotonic()
    server.stop(40)
    t.expect(time.monotonic() - start < 20 * t.slow, "the stop took %.1f s" % (time.monotonic() - start))
    t.expect(tunnel.receive_control(2)[0] in (Tunnel.DISCONNECT, Tunnel.TERMINATE), "no word to the client")
    server.wait_log(r'accounting-dropped .*record="stop" sid="%s"' % full.replace("+", r"\+"))
    radius.thaw()


def test_supervisor_killed(t):
    """Even kill -9 of the whole service's supervisor leaves no session open in the accounts."""
    radius, server = accounted(t, {"cookie-timeout": 300})
    tunnel = t.web().must_login().open()
    pings(tunnel, 3)
    server.process.kill()
    server.process.wait()
    stop = one_stop(radius)[-1]
    t.equal((stop["Acct-Terminate-Cause"], traffic(stop)[:2]), ("Admin-Reset", (300, 3)), "cause, octets and packets")


def killed(t, role):
    """ROLE is killed during a session, and again while it waits for its client: one Start, one Stop, all octets."""
    radius, server = accounted(t, {"cookie-timeout": 30, "stats-report-time": 1})
    web = t.web().must_login()
    tunnel = web.open()
    pings(tunnel, 5)
    radius.wait_accounting("Interim-Update", 1, 10)
    os.kill(server.roles()[role], signal.SIGKILL)
    pings(tunnel, 6)
    known = len(radius.accounting())
    wait_for("interims after the kill", lambda: len(radius.accounting()) > known + 1, 10)
    web.close()
    server.wait_no_user()
    count = len(radius.wait_accounting("Interim-Update", 2, 10))
    pid = server.roles()[role]
    os.kill(pid, signal.SIGKILL)
    server.replaced(role, pid)
    time.sleep(1)
    other = t.web(cookies=web.cookies)
    last = other.open()
    pings(last, 7)
    last.bye()
    rows = one_stop(radius)
    t.equal(traffic(rows[-1])[:2], (1800, 18), "octets and packets over all")
    t.expect(len(rows) >= count + 2, "interims", rows)
    sums = [traffic(row) for row in rows[1:]]
    t.equal(sums, sorted(sums), "sums in their order")


@marks(alone=True, seconds=90)
def test_auth_killed(t):
    """Kill -9 of auth changes no account: exactly one Start and one Stop, and right numbers."""
    killed(t, "auth")


@marks(alone=True, seconds=90)
def test_main_killed(t):
    """The same for main."""
    killed(t, "main")


@marks(alone=True, seconds=90)
def test_auth_killed_with_records_waiting(t):
    """A Stop that nobody has taken yet survives kill -9 of auth, and comes once."""
    radius, server = accounted(t)
    tunnel = t.web().must_login().open()
    pings(tunnel, 4)
    radius.stop()
    tunnel.bye()
    server.wait_log(r"radius-auth: radius_close_session: -?[1-9]", 10)
    os.kill(server.roles()["auth"], signal.SIGKILL)
    time.sleep(1)
    radius.start()
    stop = one_stop(radius, seconds=20)[-1]
    t.equal(traffic(stop)[:2], (400, 4), "octets and packets")
    t.expect(int(stop["Acct-Delay-Time"]) >= 1, "no delay in a late record", stop)


def killed_at_the_goodbye(t, role):
    """ROLE dies, and the user says goodbye before it is there again."""
    radius, server = accounted(t)
    web = t.web().must_login()
    first = web.open()
    pings(first, 3)
    tunnel = t.web(cookies=web.cookies).open()
    pings(tunnel, 8)
    os.kill(server.roles()[role], signal.SIGKILL)
    tunnel.bye()
    stop = one_stop(radius)[-1]
    t.equal(stop["Acct-Terminate-Cause"], "User-Request", "cause")
    return stop


@marks(alone=True)
def test_auth_killed_at_the_goodbye(t):
    """A session that ends while there is no auth has its Stop with all octets as soon as there is one."""
    stop = killed_at_the_goodbye(t, "auth")
    t.equal(traffic(stop)[:2], (1100, 11), "octets and packets")


@marks(alone=True)
def test_main_killed_at_the_goodbye(t):
    """The same without main, whose device went with the worker: the worker's last word counts."""
    stop = killed_at_the_goodbye(t, "main")
    t.expect(traffic(stop)[:2] >= (800, 8), "octets and packets", stop)


@marks(alone=True, seconds=90)
def test_many_rows_survive_auth(t):
    """Radius.md 3.2: a session with more granted rows than a slot of the journal holds is known after kill -9 of auth."""
    routes = "".join('\tFramed-Route += "10.%d.%d.0/24",\n' % (i // 250, i % 250) for i in range(60))
    radius = FreeRadius(t, users='test Cleartext-Password := "secret"\n%s\tClass = "staff"\n' % routes)
    client = radius.client_conf(timeout=1)
    radius, server = accounted(t, {"auth": '"radius[config=%s,groupconfig=true]"' % client}, radius, client, users={})
    web = t.web().must_login()
    os.kill(server.roles()["auth"], signal.SIGKILL)
    server.wait_log('restarted process="sallyport-auth"')
    answer = t.web(cookies=web.cookies).connect()
    t.equal(answer.status, 200, "status with the cookie")
    t.equal(len(answer.headers("X-CSTP-Split-Include")), 60, "routes")


@marks(alone=True, seconds=90)
def test_killed_while_the_start_is_under_way(t):
    """Auth or main dies between the Start and the tunnel: the client gets its tunnel, the account its end."""
    for role in ("auth", "main"):
        radius, server = accounted(t, radius=FreeRadius(t))
        web = t.web().must_login()
        radius.freeze()
        ask_tunnel(web)
        time.sleep(0.4)
        os.kill(server.roles()[role], signal.SIGKILL)
        time.sleep(0.2)
        radius.thaw()
        answer = web.read()
        t.equal(answer.status, 200, "status after killing " + role)
        Tunnel(web, answer).bye()
        radius.wait_accounting("Stop")
        rows = radius.accounting("test")
        t.equal(len({row["Acct-Session-Id"] for row in rows}), 1, "session ids")
        t.equal([row["Acct-Status-Type"] for row in rows].count("Stop"), 1, "Stops after killing " + role)
        server.stop()
        radius.stop()


@marks(seconds=90)
def test_radius_away_for_a_while(t):
    """What happened while the server was away arrives later, once, with its delay and its own numbers."""
    radius, server = accounted(t, {"stats-report-time": 1, "cookie-timeout": 60},
                               users={user: None for user in ("one", "two", "test")})
    one, two, stays = (t.web().must_login(user).open() for user in ("one", "two", "test"))
    pings(one, 1)
    pings(two, 2)
    radius.wait_accounting("Interim-Update", 1, 10, "test")
    radius.stop()
    one.bye()
    two.bye()
    pings(stays, 3)
    server.wait_log(r"radius-auth: radius_(open|close)_session: -?[1-9]", 10)
    server.wait_log(r'accounting-failed .*next="tried again"', 10)
    time.sleep(2)
    radius.start()
    for user, count in (("one", 1), ("two", 2)):
        stop = one_stop(radius, user, 30)[-1]
        t.equal(traffic(stop)[:2], (100 * count, count), "octets and packets of " + user)
        t.expect(int(stop.get("Acct-Delay-Time", 0)) >= 1, "no delay in the late Stop of " + user, stop)
    rows = wait_for("interims again", lambda: radius.accounting("test")[2:], 30)
    stays.bye()
    late = one_stop(radius)[-1]
    t.equal(traffic(late)[:2], (300, 3), "octets and packets of who stayed")
    t.expect(rows, "no interim")
    time.sleep(1)
    for user in ("one", "two", "test"):
        t.equal(kinds(radius, user).count("Stop"), 1, "Stops of " + user)
        t.equal(kinds(radius, user).count("Start"), 1, "Starts of " + user)


def test_pam(t):
    """Checklist 193, radius.md 7: a failing account phase refuses the tunnel, not the login; occtl does not list him."""
    with Pam(t) as pam:
        deny = pam.script("deny", '[ "$PAM_USER" = good ] && [ ! -e %s/closed ]\n' % pam.dir)
        path = "/etc/pam.d/ocserv"
        kept = open(path).read() if os.path.exists(path) else None
        try:
            with open(path, "w") as out:
                out.write("auth required pam_deny.so\naccount required pam_exec.so quiet %s\n" % deny)
            server = t.server({"acct": '"pam"'}, users={"good": None, "bad": None})
            web = t.web().must_login("bad")
            answer = web.connect()
            t.equal(answer.lines[0], "HTTP/1.1 401 Cookie is not acceptable", "status line")
            server.wait_log(r"PAM-acct account error: \S")
            t.equal(server.users(), [], "users")
            t.equal(t.web(cookies=web.cookies).connect().status, 401, "status the next time")
            client = t.client(user="good", dtls=False).wait()
            must_ping(client.netns)
            client.stop()
            web = t.web().must_login("good")
            web.open()
            web.close()
            server.wait_no_user("good")
            open(pam.dir + "/closed", "w").close()
            t.equal(t.web(cookies=web.cookies).connect().status, 401, "status once the account is closed")
            os.unlink(pam.dir + "/closed")
            t.equal(t.web(cookies=web.cookies).connect().status, 200, "status once it is open again")
        finally:
            os.unlink(path)
            if kept is not None:
                with open(path, "w") as out:
                    out.write(kept)


def test_hosts_have_accounts_of_their_own(t):
    """Config.md 6.3: a host without acct has the default host's; another server for another host."""
    radius, other = FreeRadius(t), FreeRadius(t, port=1912, acct_port=1913)
    client, second = radius.client_conf(timeout=1), other.client_conf(timeout=1)
    keys = {"server-cert": t.pki.cert, "server-key": t.pki.key}
    radius, server = accounted(t, {}, radius, client, start=False)
    server.vhosts = [("same.test", dict(keys)), ("other.test", dict(keys, acct='"radius[config=%s]"' % second))]
    for _, options in server.vhosts:
        options["auth"] = server.conf["auth"]
    server.write_conf()
    server.start()
    for name in (None, "same.test", "other.test"):
        t.web(name=name).must_login().open().bye()
    radius.wait_accounting("Stop", 2)
    other.wait_accounting("Stop", 1)
    t.equal((len(radius.accounting()), len(other.accounting())), (4, 2), "records of the two servers")


def test_faults_of_the_option(t):
    """Config.md 6.3: an unknown method, a wrong sub-option or a missing file name end the start with their names."""
    server = t.server(start=False)
    for value, words in (("tacacs", ": unknown or unsupported accounting method: tacacs"),
                         ("radius[nas-identifier=x]", "No radius configuration specified"),
                         ("radius[config=/x,colour=red]", "unknown option 'colour'")):
        server.write_conf(acct='"%s"' % value)
        run = sh(server.tools.server, "-t", "-c", server.conf_file, check=False)
        t.expect(run.returncode == 1 and words in run.stdout + run.stderr, value, run.stdout, run.stderr)
    server.write_conf(acct='"pam"')
    run = sh(server.tools.server, "-t", "-c", server.conf_file, check=False)
    t.expect("setting 'pam' as accounting method" in run.stdout + run.stderr, "no note", run.stderr)


@marks(seconds=120, sanitizers=False)
def test_more_than_four_gigabytes(t):
    """Radius.md 5.2: what does not fit into 32 bits of octets is in the gigawords."""
    radius, server = accounted(t)
    tunnel = t.web().must_login().open(mtu=16384)
    size = 15000
    packet = echo_request(tunnel.address, b"x" * (size - 28), "203.0.113.1")
    frame = b"STF\x01" + struct.pack(">HBB", size, Tunnel.DATA, 0) + packet
    for _ in range(2**32 // (64 * size) + 1):
        tunnel.web.send(frame * 64)
    counted = wait_for("the device to count it", lambda: (device(server)[0] >> 32) and device(server), 10)
    tunnel.bye()
    stop = one_stop(radius)[-1]
    t.equal((stop["Acct-Input-Gigawords"], int(stop["Acct-Input-Octets"])), ("1", counted[0] - 2**32), "octets")
