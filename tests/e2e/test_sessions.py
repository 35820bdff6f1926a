"""How long sessions live, what a cookie is worth, and how many may be there."""
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

from lib.client import authenticate
from lib.harness import marks
from lib.net import SERVER6
from lib.server import PASSWORD
from lib.shell import Failure, wait_for
from lib.traffic import Pinger, must_ping, ping, udp_echo
from lib.web import Tunnel, echo_request


@marks(seconds=90)
def test_cut_network_reconnects_with_the_same_addresses(t):
    """Checklist 134, 190, protocol 61: the network goes away and comes back; inside nothing has changed."""
    server = t.server({"dpd": 2})
    client = t.client(arguments=["--reconnect-timeout", "80"]).wait()
    before = server.user()
    t.net.cut_all()
    client.wait_log("dead peer", 30)
    time.sleep(1)
    t.net.mend()
    client.wait_for("a reconnection", lambda: client.script_calls("reconnect"), 60)
    client.wait_for("pings", lambda: ping(client.netns, count=1), 30)
    after = server.user()
    t.equal((after["IPv4"], after["IPv6"]), (before["IPv4"], before["IPv6"]), "addresses after the reconnection")
    t.equal(after["raw_session_started_at"], before["raw_session_started_at"], "start of the session")
    t.equal(after["Full session"], before["Full session"], "session id")


def test_killed_client_comes_back_with_its_cookie(t):
    """Checklist 139: after a kill the cookie still works, in another process, with the same addresses."""
    server = t.server({"predictable-ips": "false"})
    cookie = authenticate(t)["COOKIE"]
    first = t.client(cookie=cookie).wait()
    addresses = first.ip4, first.ip6
    first.kill()
    server.wait_no_user()
    server.wait_log(r"user disconnected \(reason: unspecified error, rx: \d+, tx: \d+\)")
    second = t.client(cookie=cookie).wait()
    t.equal((second.ip4, second.ip6), addresses, "addresses of the second process")
    must_ping(second.netns)
    second.stop()


def test_reconnect_while_the_old_connection_hangs(t):
    """Checklist 101, protocol 61, 62: the cookie is used again while its first connection seems alive; also with
    max-same-clients = 1."""
    server = t.server({"max-same-clients": 1})
    web = t.web().must_login()
    old = web.open()
    new = t.web(cookies=web.cookies).open()
    t.equal(new.address, old.address, "address after the takeover")
    t.expect(new.answer.header("X-DTLS-App-ID") is None or
             new.answer.header("X-DTLS-App-ID") != old.answer.header("X-DTLS-App-ID"), "the App-ID is the old one")
    t.expect(old.web.is_closed(10), "the old connection stays")
    new.send(Tunnel.DATA, echo_request(new.address, b"after the takeover"))
    packet = new.receive_data()
    t.expect(packet and packet.endswith(b"after the takeover"), "no traffic after the takeover")
    t.equal(len(server.users()), 1, "connections in occtl")
    server.wait_log("disconnecting previous user session due to session reuse")


@marks(seconds=60)
def test_frozen_client_is_replaced_by_another_process(t):
    """Checklist 101: real clients: the first process hangs, the second takes over by cookie."""
    server = t.server()
    cookie = authenticate(t)["COOKIE"]
    first = t.client(cookie=cookie).wait()
    other = t.net.add_client()
    first.freeze()
    second = t.client(cookie=cookie, netns=other).wait()
    t.equal(second.ip4, first.ip4, "address")
    must_ping(other)
    t.equal(server.user()["Remote IP"], "198.18.11.2", "remote address")


@marks(seconds=60)
def test_dpd_removes_a_vanished_client(t):
    """Checklist 134, protocol 76: silence of 3 x dpd frees the session slot; the cookie stays for a while."""
    server = t.server({"dpd": 3}, users={"test": None, "other": None})
    web = t.web().must_login()
    web.open()
    client = t.client(user="other").wait()
    client.freeze()
    server.wait_no_user("other", 40)
    server.wait_no_user("test", 20)
    server.wait_log(r"reason: DPD timeout", 5)
    server.wait_log(r"connection timeout \(DPD\); tearing down connection")
    wait_for("the devices to go", lambda: not server.devices(), 5)
    t.equal(t.web(cookies=web.cookies).connect().status, 200, "status with the cookie after DPD")


@marks(seconds=60)
def test_server_probes_a_silent_client(t):
    """Protocol 76: after 2 x dpd of silence comes the server's own request; an answer keeps the session."""
    server = t.server({"dpd": 2})
    tunnel = t.web().must_login().open()
    start = time.monotonic()
    while time.monotonic() - start < 14:
        frame = tunnel.receive_control(10)
        if frame and frame[0] == Tunnel.DPD_OUT:
            tunnel.send(Tunnel.DPD_RESP, frame[1])
        t.expect(frame and frame[0] != "closed", "no probe or closed: %r" % (frame,))
    t.equal(len(server.users()), 1, "connections after answered probes")


@marks(seconds=90)
def test_idle_timeout(t):
    """Checklist 136, protocol 77: pings do not keep a session; other data does; mobile clients have their own limit."""
    server = t.server({"idle-timeout": 6, "mobile-idle-timeout": 60, "dpd": 60},
                      users={"idle": None, "busy": None, "phone": None})
    idle = t.client(user="idle", dtls=False).wait()
    busy = t.client(user="busy", dtls=False, netns=t.net.add_client()).wait()
    phone = t.web()
    tunnel = phone.must_login("phone").open(headers=["X-AnyConnect-Identifier-Platform: android"])
    t.equal(tunnel.answer.header("X-CSTP-Idle-Timeout"), "60", "idle timeout told to a mobile client")
    pinger = Pinger(idle.netns, directory=t.dir)
    end = time.monotonic() + 50
    while server.users("idle") and time.monotonic() < end:
        t.equal(udp_echo(busy.netns, t.net.lan, count=1), 1, "datagram of the busy client")
        time.sleep(0.2)
    pinger.stop()
    t.expect(not server.users("idle"), "the idle client is still there")
    t.expect(server.users("busy") and server.users("phone"), "a client that is not idle has gone")
    t.expect(time.monotonic() > end - 48, "too early")
    server.wait_log(r"reason: idle timeout")
    server.wait_said("idle timeout reached for process")
    wait_for("occtl's count (admin 12)", lambda: server.occtl_json("show", "status")["Timed out (idle) sessions"] == 1)


@marks(seconds=90)
def test_session_timeout(t):
    """Checklist 137, protocol 60: counted from the login; a reconnection does not extend it; then the cookie dies."""
    server = t.server({"session-timeout": 8})
    web = t.web().must_login()
    start = time.monotonic()
    first = web.open()
    time.sleep(4)
    again = t.web(cookies=web.cookies)
    second = again.open()
    server.user()
    left = int(second.answer.header("X-CSTP-Session-Timeout-Remaining"))
    t.expect(1 <= left <= 5, "time left after 4 of 8 seconds: %d" % left)
    t.equal(second.address, first.address, "address")
    server.wait_no_user("test", 45)
    t.expect(time.monotonic() - start >= 7, "ended too early")
    server.wait_log(r"reason: session timeout")
    server.wait_log(r"session timeout reached for process \(\d+ secs\)")
    t.equal(t.web(cookies=web.cookies).connect().status, 401, "status with the cookie afterwards")


@marks(seconds=60)
def test_session_timeout_without_the_worker(t):
    """Protocol 60: a worker that does not end the tunnel in time, here because it is stopped, is killed."""
    server = t.server({"session-timeout": 2})
    t.web().must_login().open()
    worker = int(server.user()["ID"])
    os.kill(worker, signal.SIGSTOP)
    server.wait_no_user("test", 30)
    server.wait_log(r"reason: session timeout")


def test_persistent_cookies(t):
    """Checklist 140: the cookie survives a normal goodbye."""
    server = t.server({"persistent-cookies": "true"})
    web = t.web().must_login()
    web.open().bye()
    server.wait_no_user()
    t.equal(t.web(cookies=web.cookies).connect().status, 200, "status with the cookie")


def test_goodbye_ends_the_cookie(t):
    """Checklist 139, protocol 58: 0xb0 invalidates it; 0x91 and silence do not."""
    server = t.server()
    for goodbye, status in ((b"\xb0", 401), (b"\x91", 200), (b"", 200)):
        web = t.web().must_login()
        tunnel = web.open()
        tunnel.send(Tunnel.DISCONNECT, goodbye)
        t.expect(tunnel.web.is_closed(), "still open after a goodbye")
        server.wait_no_user()
        again = t.web(cookies=web.cookies)
        t.equal(again.connect().status, status, "status after goodbye %r" % goodbye)
        again.close()
        server.wait_no_user()


def test_cookie_of_a_live_session_does_not_age(t):
    """Checklist 138: cookie-timeout does not touch a session that is connected."""
    server = t.server({"cookie-timeout": 1})
    web = t.web().must_login()
    web.open()
    time.sleep(19)
    t.equal(len(server.users()), 1, "connections")
    t.equal(t.web(cookies=web.cookies).connect().status, 200, "status with the cookie")


def test_predictable_addresses(t):
    """Checklist 95, 96: the same user gets the same addresses again; two users never share one."""
    server = t.server(users={"one": None, "two": None})
    seen = []
    for _ in range(2):
        pair = [t.web().must_login(user).open() for user in ("one", "two")]
        seen.append([(p.address, p.answer.header("X-CSTP-Address-IP6")) for p in pair])
        for tunnel in pair:
            tunnel.bye()
        server.wait_no_user("one")
        server.wait_no_user("two")
    t.equal(seen[1], seen[0], "addresses of the second round")
    t.expect(seen[0][0] != seen[0][1], "shared addresses")


def test_small_pool_is_exhausted(t):
    """Checklist 97: a pool of a few addresses works until the last and then says so; a goodbye frees one."""
    server = t.server({"ipv4-network": "198.19.0.0/29", "ipv6-network": None, "ipv6-subnet-prefix": None,
                       "route": ["198.18.1.0/24"]}, users={})
    for user in ["u%d" % n for n in range(7)]:
        server.passwd(user)
    # Eight addresses without network, broadcast and the server's own: five clients.
    tunnels = [t.web().must_login("u%d" % n).open() for n in range(5)]
    t.equal(len({tunnel.address for tunnel in tunnels}), 5, "distinct addresses")
    answer = t.web().must_login("u5").connect()
    t.expect(answer.status in (401, 503), "status without an address left: %d" % answer.status)
    t.expect(answer.status != 503 or answer.header("X-Reason"), "no reason told")
    tunnels.pop().bye()
    wait_for("the address to be free", lambda: len(server.users()) == 4, 10)
    t.equal(t.web().must_login("u6").connect().status, 200, "status once an address is free")


def test_absent_clients_make_room(t):
    """An address kept for a client that may return goes to one that is here when no other is left."""
    server = t.server({"ipv4-network": "198.19.0.0/30", "ipv6-network": None, "ipv6-subnet-prefix": None,
                       "route": ["198.18.1.0/24"]}, users={"a": None, "b": None})
    first = t.web().must_login("a")
    first.open()
    t.equal(t.web().must_login("b").connect().status, 503, "status while the only address is in use")
    first.close()
    server.wait_no_user("a")
    t.equal(t.web().must_login("b").connect().status, 200, "status once its holder is away")
    server.wait_log("address-reclaimed")


def test_ipv6_pool(t):
    """Checklist 97, 99: a /126 of single addresses."""
    server = t.server({"ipv6-network": "fd00:77::/126", "ipv6-subnet-prefix": 128}, users={"a": None, "b": None, "c": None})
    got = []
    for user in "ab":
        got.append(t.web().must_login(user).open().answer.header("X-CSTP-Address-IP6"))
    t.expect(len(set(got)) == 2 and all(a.endswith("/128") for a in got), "addresses %r" % got)
    t.expect(t.web().must_login("c").connect().status in (200, 401, 503), "the server failed")
    t.expect(server.process.poll() is None, "the server ended")


def test_max_clients(t):
    """Config 8.1: connections beyond max-clients are dropped at once and logged."""
    server = t.server({"max-clients": 2})
    tunnels = [t.web().must_login().open() for _ in range(2)]
    try:
        t.web().login()
        t.expect(False, "a third connection was served")
    except (OSError, Failure) as error:
        if isinstance(error, Failure):
            raise
    server.wait_log(r"reached maximum client limit \(active: 2\)")
    tunnels[0].bye()
    wait_for("one connection to be gone", lambda: len(server.users()) == 1, 10)
    t.web().must_login()


def test_max_same_clients(t):
    """Checklist 85, 142: tunnels count, not logins; per user in its file."""
    server = t.server({"max-same-clients": 2}, start=False,
                      users={"test": None, "single": None})
    server.write_conf(config_per_user=server.dir + "/users")
    server.write_file("users/single", "max-same-clients = 1\n")
    server.start()
    webs = [t.web().must_login() for _ in range(3)]
    webs[0].open()
    webs[1].open()
    answer = webs[2].connect()
    t.expect(answer.status in (401, 503), "status of the third tunnel: %d" % answer.status)
    server.wait_log("user tried to connect more than 2 times")
    t.web().must_login("single").open()
    t.expect(t.web().must_login("single").connect().status in (401, 503), "a second tunnel for single")


@marks(seconds=60)
def test_ban_and_unban(t):
    """Checklist 144, 145, 149, 150, 176: wrong passwords ban an address; time or occtl lifts it."""
    server = t.server({"max-ban-score": 30, "ban-time": 6, "ban-reset-time": 600})
    bad = t.net.add_client_address("198.18.77.7")
    web = t.web(source=bad)
    answer = web.login(password="wrong")
    wait_for("points after one wrong password", lambda: [row for row in server.occtl_json("show", "ip", "ban", "points")
                                                         if row["IP"] == bad and row["Score"] >= 10])
    t.equal(server.occtl_json("show", "ip", "bans"), [], "bans too early")
    while answer.status == 200:
        answer = web.reply([("password", "wrong")], path=web.action(answer))
    server.wait_log(r"added IP '198.18.77.7' \(with score \d+\) to ban list, will be reset at: ")
    refused(t, bad)
    server.wait_log("rejected connection from banned IP: 198.18.77.7")
    t.equal(server.occtl_json("show", "status")["IPs in ban list"], 1, "banned addresses")
    bans = server.occtl_json("show", "ip", "bans")
    t.equal([row["IP"] for row in bans], [bad], "banned addresses")
    t.equal(server.occtl("unban", "ip", "198.18.99.99", check=False).returncode, 1, "unban of an unknown address")
    out = server.occtl("unban", "ip", bad)
    t.expect("IP '198.18.77.7' was unbanned" in out.stdout, "words of unban", out.stdout)
    t.equal(server.occtl_json("show", "ip", "bans"), [], "bans after unban")
    t.web(source=bad).must_login()
    # And once more, waiting for the time to pass.
    guess_until_refused(t.web(source=bad))
    refused(t, bad)
    time.sleep(7)
    t.web(source=bad).must_login()
    t.equal(server.occtl_json("show", "ip", "bans"), [], "bans after their time")


def guess_until_refused(web):
    """Wrong passwords until the login ends."""
    answer = web.login(password="wrong")
    while answer.status == 200:
        answer = web.reply([("password", "wrong")], path=web.action(answer))


def refused(t, source):
    """The server must not speak TLS with SOURCE, as soon as main has heard of the last wrong password."""
    def is_refused():
        try:
            t.web(source=source)
        except OSError:
            return True
        return False

    wait_for("a banned address to be refused", is_refused, 5)


def test_neighbours_are_never_banned(t):
    """Checklist 147: clients on the server's own subnets are counted but not refused."""
    server = t.server({"max-ban-score": 20})
    for _ in range(2):
        guess_until_refused(t.web())
    t.web().must_login()


def test_ipv6_ban_covers_the_64(t):
    """Checklist 148: an IPv6 client is banned by its /64; another /64 is not touched."""
    server = t.server({"max-ban-score": 20})
    for address in ("fd00:aaaa::1", "fd00:aaaa::2", "fd00:bbbb::1"):
        t.net.add_client_address(address)
    try:
        guess_until_refused(t.web(host=SERVER6, source="fd00:aaaa::1"))
    except OSError:
        pass  # banned in the middle of it
    wait_for("the ban", lambda: [row["IP"] for row in server.occtl_json("show", "ip", "bans")] == ["fd00:aaaa::"])
    try:
        t.web(host=SERVER6, source="fd00:aaaa::2")
        t.expect(False, "a neighbour in the banned /64 was served")
    except OSError:
        pass
    t.web(host=SERVER6, source="fd00:bbbb::1").must_login()


def test_rate_limit_changes_no_outcome(t):
    """Checklist 21: rate-limit-ms delays, it does not decide."""
    server = t.server({"rate-limit-ms": 100}, users={"test": None, "locked": None})
    server.passwd("locked", PASSWORD, None, "-l")
    t.web().must_login()
    for user, password in (("test", "wrong"), ("test", ""), ("locked", PASSWORD)):
        t.expect(not t.web().login(user, password).success, "%s got in with %r" % (user, password))


@marks(seconds=90)
def test_many_logins_at_once(t):
    """Checklist 20: two hundred logins, sixteen at a time, none fails by the server's fault."""
    server = t.server({"cookie-timeout": 300})

    def one(_):
        web = t.web(timeout=60)
        web.must_login().open(types="IPv4").bye()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, range(200)))
    server.wait_no_user("test", 20)
    status = server.occtl_json("show", "status")
    t.expect(status["Total sessions"] >= 200, "closed sessions", status)
