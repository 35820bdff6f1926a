"""Scores per address: what costs points, who is refused, who is spared, how it ends (config.md 15)."""
import os
import re
import ssl
import time

from lib.net import CLIENT4, SERVER6
from lib.radius_cases import otp_radius, radius_server
from lib.shell import wait_for
from lib.web import Web

FAR, OTHER = "198.51.100.7", "198.51.100.8"
FAR6, NEAR6, OTHER6 = "2001:db8:1:2::7", "2001:db8:1:2:3::8", "2001:db8:1:3::7"
NO_COOKIE = "A" * 43 + "="


def scores(server):
    return {row["IP"]: int(row["Score"]) for row in server.occtl_json("show", "ip", "ban", "points")}


def wait_score(server, address, points):
    wait_for("%s to have %d points" % (address, points), lambda: scores(server).get(address) == points, 3)


def is_refused(t, source, **options):
    """Whether a connection from SOURCE is closed without TLS."""
    try:
        t.web(source=source, **options)
    except OSError:
        return True
    return False


def must_be_refused(t, source):
    """Soon: a login's answer is not held back until its failure is counted."""
    wait_for("%s to be refused" % source, lambda: is_refused(t, source), 3)


def serve(t, **conf):
    """A server that bans at 50 points, and clients off its own subnets."""
    options = {"max-ban-score": 50, "ban-points-connection": 0}
    options.update({key.replace("_", "-"): value for key, value in conf.items()})
    server = t.server(options)
    for address in (FAR, OTHER):
        t.net.add_client_address(address)
    return server


def fail_login(t, source, times=1, **options):
    for _ in range(times):
        t.expect(not t.web(source=source, **options).login(password="wrong").success, "logged in")


def test_wrong_passwords(t):
    """Checklist 144, 150, protocol 56: each costs its points, a success takes none back, the crossing is logged and
    shown, and the connection that follows is closed before TLS."""
    server = serve(t, ban_points_wrong_password=20, ban_points_connection=1)
    web = t.web(source=FAR)
    web.init()
    for _ in range(2):
        web.reply([("username", "test"), ("password", "wrong")])
    wait_score(server, FAR, 41)
    server.wait_log(r"added 20 points \(total 41\) for IP '198\.51\.100\.7' to ban list")
    t.equal(server.occtl_json("show", "ip", "bans"), [], "bans below the threshold")
    t.web(source=FAR).must_login()
    wait_score(server, FAR, 42)
    fail_login(t, FAR)
    server.wait_log(r"added IP '198\.51\.100\.7' \(with score 63\) to ban list, will be reset at: \w{3} \w{3} [ \d]\d "
                    r"\d\d:\d\d:\d\d \d{4}")
    must_be_refused(t, FAR)
    server.wait_log("rejected connection from banned IP: 198.51.100.7")
    t.equal(server.occtl_json("show", "status")["IPs in ban list"], 1, "bans in the status")
    row = server.occtl_json("show", "ip", "bans")[0]
    t.equal((row["IP"], row["Score"] >= 63, sorted(row)), (FAR, True, ["IP", "Score", "Since", "_Since"]), "row")
    t.expect(re.search(r"^ *IP +score +expires\n *198\.51\.100\.7 +\d+ +20\d\d-\d\d-\d\d \d\d:\d\d \(.*\)$",
                       server.occtl("show", "ip", "bans").stdout, re.M), "table", server.occtl("show", "ip", "bans").stdout)
    t.expect(re.search(r"^ *IP +score\n *198\.51\.100\.7 +\d+$", server.occtl("show", "ip", "ban", "points").stdout, re.M),
             "table of points")
    t.expect(not is_refused(t, OTHER), "another address is refused, too")


def test_wrong_cookies(t):
    """Wrong cookies score, well-formed or not; a good one costs nothing."""
    server = serve(t, ban_points_wrong_cookie=20)
    good = t.web(source=FAR).must_login()
    t.equal(good.connect().status, 200, "status with a good cookie")
    for n, cookie in enumerate((NO_COOKIE, "B" * 43 + "=", "C" * 43 + "=")):
        t.equal(t.web(source=FAR).connect(cookie=cookie).status, 401, "status of wrong cookie %d" % (n + 1))
    server.wait_log(r"added IP '198\.51\.100\.7' \(with score 60\)")
    must_be_refused(t, FAR)


def garbage(t, data, tls=False):
    """What comes back for DATA, sent from FAR."""
    web = Web(t, source=FAR, raw=not tls)
    try:
        web.send(data)
        web.is_closed()
    except OSError:
        pass


def test_protocol_abuse(t):
    """Bytes that are neither TLS nor HTTP score; a client without a common version or cipher does not."""
    server = serve(t, ban_points_abuse=7, max_ban_score=1000)
    expected = 0
    for data, tls in ((b"GET / HTTP/1.0\r\n\r\n", False), (b"SSH-2.0-OpenSSH_9.2\r\n", False), (b"\x17\x03\x03\0\x10" + b"x" * 16, False),
                      (b"\x16\x03\x01\xff\xff" + b"x" * 70000, False), (b"no http at all\r\n\r\n", True),
                      (b"GET / HTTP/1.1\r\nbad header\r\n\r\n", True),
                      (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 20000 + b"\r\n\r\n", True),
                      (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", True)):
        garbage(t, data, tls)
        expected += 7
        wait_score(server, FAR, expected)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    web = Web(t, source=FAR, raw=True)
    try:
        context.wrap_socket(web.socket)
        t.expect(False, "TLS 1.1 was accepted")
    except OSError:
        pass
    t.equal(t.web(source=FAR).get("/nothing").status, 404, "status of an unknown path")
    t.web(source=FAR).must_login()
    time.sleep(0.3)
    t.equal(scores(server), {FAR: expected}, "scores")


def test_probes_cost_nothing(t):
    """Protocol 9: connections closed without a byte or after the handshake leave no points; one that asks costs."""
    server = serve(t, ban_points_connection=5)
    for _ in range(4):
        Web(t, source=FAR, raw=True).close()
        t.web(source=FAR).close()
        wait_for("no points", lambda: not scores(server), 3)
    t.web(source=FAR).get("/")
    wait_score(server, FAR, 5)


def test_ipv6_by_prefix(t):
    """Checklist 148: a /64 is one client, shown with its host part zero; the next /64 is another."""
    server = serve(t)
    for address in (FAR6, NEAR6, OTHER6):
        t.net.add_client_address(address)
    fail_login(t, FAR6, 3, host=SERVER6)
    wait_score(server, "2001:db8:1:2::", 30)
    fail_login(t, NEAR6, 2, host=SERVER6)
    server.wait_log(r"added IP '2001:db8:1:2::' \(with score 50\)")
    for address, refused in ((FAR6, True), (NEAR6, True), (OTHER6, False)):
        t.equal(is_refused(t, address, host=SERVER6), refused, "refusal of " + address)
    t.equal([row["IP"] for row in server.occtl_json("show", "ip", "bans")], ["2001:db8:1:2::"], "bans")
    server.occtl("unban", "ip", NEAR6)
    t.expect(not is_refused(t, FAR6, host=SERVER6), "still banned")


def test_own_subnet(t):
    """Checklist 147: the server's own subnets are never refused nor charged for connections; failures count and show."""
    server = serve(t, ban_points_connection=10)
    for _ in range(6):
        t.web().get("/")
    t.equal(scores(server), {}, "points of neighbours for connections")
    fail_login(t, None, 5)
    wait_score(server, CLIENT4, 50)
    t.equal([row["IP"] for row in server.occtl_json("show", "ip", "bans")], [CLIENT4], "bans")
    t.web().must_login()


def test_exempt(t):
    """Ban-exempt addresses, IPv4 and IPv6, get no points and are never refused; a reload exempts at once and
    forgets what they had."""
    server = serve(t, ban_exempt=["198.51.100.8", "2001:db8:1:3::/64"], ban_points_connection=10)
    t.net.add_client_address(OTHER6)
    fail_login(t, OTHER, 6)
    fail_login(t, OTHER6, 6, host=SERVER6)
    t.equal(scores(server), {}, "points of exempt addresses")
    t.web(source=OTHER).must_login()
    fail_login(t, FAR, 2)
    must_be_refused(t, FAR)
    server.write_conf(**{"ban-exempt": "198.51.100.0/24"})
    server.reload()
    wait_for("the reload", lambda: not is_refused(t, FAR), 10)
    t.equal(scores(server), {}, "points after the reload")
    t.web(source=FAR).must_login()


def test_unban(t):
    """Checklist 149, 176: lifts the ban, keeps the entry with 0, logs it; an unlisted address exits 1."""
    server = serve(t)
    fail_login(t, FAR, 5)
    must_be_refused(t, FAR)
    t.equal(server.occtl("unban", "ip", OTHER, check=False).returncode, 1, "exit code for an unlisted address")
    t.equal(server.occtl("unban", "ip", FAR).returncode, 0, "exit code")
    server.wait_log("unbanning IP '198.51.100.7'")
    t.equal((server.occtl_json("show", "ip", "bans"), scores(server)), ([], {FAR: 0}), "lists")
    t.web(source=FAR).must_login()


def test_end_of_a_ban(t):
    """Checklist 145, 146: after ban-time the lists are empty of it, the score starts at 0, and the client logs in; more
    attempts meanwhile do not extend it.  A score below the threshold is forgotten after ban-reset-time."""
    server = serve(t, ban_time=3, ban_reset_time=8, ban_points_connection=1)
    fail_login(t, OTHER)
    start = time.monotonic()
    fail_login(t, FAR, 5)
    server.wait_log("added IP '198.51.100.7'")
    while is_refused(t, FAR):
        t.expect(time.monotonic() - start < 15, "attempts extend the ban")
        time.sleep(0.2)
    t.expect(time.monotonic() - start > 1.5, "the ban was too short")
    t.equal(server.occtl_json("show", "ip", "bans"), [], "bans")
    t.web(source=FAR).must_login()
    t.expect(scores(server)[FAR] < 5, "the score did not restart", scores(server))
    wait_for("the other score to be forgotten", lambda: not scores(server).get(OTHER))


def test_survives_main(t):
    """Promise 3: a main that is started again knows bans and scores."""
    server = serve(t)
    fail_login(t, FAR, 5)
    fail_login(t, OTHER, 2)
    wait_score(server, OTHER, 20)
    old = server.roles()["main"]
    os.kill(old, 9)
    wait_for("main to be started again", lambda: server.roles().get("main") not in (None, old), 10)
    wait_for("occtl to answer", lambda: server.occtl("show", "status", check=False).returncode == 0, 10)
    t.equal(scores(server), {FAR: 50, OTHER: 20}, "scores")
    must_be_refused(t, FAR)
    t.web(source=OTHER).must_login()


def test_off(t):
    """Config 15: max-ban-score = 0 keeps no scores; switched on by a reload it does."""
    server = serve(t, max_ban_score=0, ban_points_connection=1)
    fail_login(t, FAR, 6)
    t.equal(scores(server), {}, "scores")
    server.write_conf(**{"max-ban-score": 25, "ban-points-wrong-password": 13})
    server.reload()
    wait_for("scores", lambda: t.web(source=OTHER).get("/") and scores(server), 10)
    fail_login(t, FAR, 2)
    must_be_refused(t, FAR)


def test_open_connections_of_a_banned_address(t):
    """Connections from before a ban are no reserve for more guesses: each ends with its first failure after it; one with a
    good password goes on, and so does a tunnel."""
    server = serve(t, max_ban_score=20)
    tunnel = t.web(source=FAR).must_login().open()
    reserve = [t.web(source=FAR) for _ in range(3)]
    for web in reserve:
        web.init()
    fail_login(t, FAR, 2)
    server.wait_log("added IP '198.51.100.7'")
    for web in reserve[:2]:
        try:
            t.expect(not web.reply([("username", "test"), ("password", "wrong")]).success, "logged in")
        except OSError:
            pass
        t.expect(web.is_closed(), "a connection of a banned address goes on guessing")
    t.expect(reserve[2].reply([("username", "test"), ("password", "secret")]).success, "the right password was refused")
    tunnel.send(tunnel.DPD_OUT, b"x")
    t.equal(tunnel.receive_control(), (tunnel.DPD_RESP, b"x"), "answer in the tunnel")


def test_challenges_are_no_failures(t):
    """Checklist 152, config 15: different challenges in a row cost nothing, the seventeenth ends the login as one
    failure; the same one again costs each time and leads to a ban (151)."""
    radius = otp_radius(t)
    server = radius_server(t, radius, conf={"max-ban-score": 50, "ban-points-wrong-password": 10, "ban-points-connection": 0})
    t.net.add_client_address(FAR)
    web = t.web(source=FAR)
    answer = web.reply([("username", "endless"), ("password", "x")], path=web.action(web.init()))
    for n in range(15):
        t.equal(answer.status, 200, "status of challenge %d" % (n + 1))
        if n == 8:  # a connection has a limit of requests
            web = t.web(source=FAR, cookies=web.cookies)
        answer = web.reply([("secondary_password", "x")], path=web.action(answer))
    t.equal(scores(server), {}, "scores after 15 answers")
    t.equal(web.reply([("secondary_password", "x")], path=web.action(answer)).status, 401, "status after the last")
    wait_score(server, FAR, 10)
    web = t.web(source=FAR)
    answer = web.reply([("username", "otpsame"), ("password", "secret")], path=web.action(web.init()))
    for _ in range(4):
        t.equal(answer.status, 200, "status while the same question comes again")
        answer = web.reply([("secondary_password", "again")], path=web.action(answer))
    server.wait_log(r"added IP '198\.51\.100\.7' \(with score 50\) to ban list")
    must_be_refused(t, FAR)
