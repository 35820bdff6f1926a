"""RADIUS: several servers, servers that do not answer, and who may answer: seals, forgeries, TLS."""
import ssl
import statistics
import threading
import time

from lib.freeradius import DeadServer, Forger, FreeRadius, client_certificate
from lib.harness import marks
from lib.net import SERVER4
from lib.pki import Pki
from lib.radius_cases import OTP_POLICY, OTP_STAGES, SEAL, USERS, auth, otp_radius, radius_server
from lib.server import in_time, timed
from lib.shell import program, wait_for
from lib.web import REPLY


def two_servers(t, **options):
    """Two FreeRADIUS with the same users, ports 1812 and 1822."""
    first = FreeRadius(t, users=USERS, **options)
    second = FreeRadius(t, users=USERS, port=1822, acct_port=1823, **options)
    return first, second


def test_servers_of_hosts(t):
    """Radius.md 1, 12: every virtual host has servers and secrets of its own, in the client file or beside it."""
    first = FreeRadius(t, users='one Cleartext-Password := "secret"\n')
    second = FreeRadius(t, users='two Cleartext-Password := "secret"\n', port=1822, acct_port=1823, secret="other")
    conf = second.client_conf(auth=["%s:%d:other" % (second.address, second.port)], secrets={"192.0.2.1": "wrong"})
    t.server({"auth": auth(first.client_conf(secrets={"localhost": first.secret}))}, users={},
             vhosts=[("two.test", {"auth": auth(conf)})])
    for user, host, good in (("one", None, True), ("two", None, False), ("one", "two.test", False),
                             ("two", "two.test", True)):
        t.equal(t.web(name=host).login(user, "secret").success, good, "%s at %s" % (user, host))


def test_failover_and_dead_time(t):
    """Radius.md 1: the next server takes over, a silent one is left alone for radius_deadtime and then asked again."""
    first, second = two_servers(t)
    conf = first.client_conf(auth=["127.0.0.1:1812", "127.0.0.1:1822"], timeout=1, retries=0,
                             more="radius_deadtime 12")
    server = radius_server(t, first, client=conf)
    t.web().must_login()
    t.equal((len(first.requests()), len(second.requests())), (1, 0), "requests while both serve")
    first.freeze()
    spent, _ = timed(lambda: t.web().must_login())
    t.expect(spent >= 0.9, "the first server was not waited for: %.2f s" % spent)
    dead = time.monotonic()
    server.wait_log(r"no answer from server 127.0.0.1:1812 \(code 1\)")
    for _ in range(3):
        t.web().must_login()
    t.equal(len(second.requests()), 4, "requests of the second server")
    first.thaw()  # and takes what had been sent to it
    time.sleep(max(0, dead + 12.5 - time.monotonic()))
    t.equal(len(first.requests()), 2, "requests of the first server, before and when it fell silent")
    t.web().must_login()
    t.equal((len(first.requests()), len(second.requests())), (3, 4), "requests after the dead time")


def test_closed_port_costs_no_time(t):
    """Radius.md 1, 4.2: a server that is not running is passed over at once; without any server the login fails."""
    first, second = two_servers(t)
    conf = first.client_conf(auth=["127.0.0.1:1812", "127.0.0.1:1822"], timeout=2, retries=5)
    server = radius_server(t, first, client=conf)
    first.stop()
    spent, _ = timed(lambda: t.web().must_login())
    t.expect(spent < 10 * t.slow, "a login beside a closed port took %.2f s" % spent)
    server.wait_log(r"no answer from server 127.0.0.1:1812 \(code -1\): nobody listens at its port")
    # The last one that is left may be about to start: it is tried as often as the client file says.
    second.stop()
    timer = threading.Timer(1, second.start)
    timer.start()
    spent, _ = timed(lambda: t.web().must_login())
    timer.join()
    t.expect(spent > 0.5, "nobody was there to accept")


def test_no_server_at_all(t):
    """Radius.md 4.2: without an answer a login fails like one with a wrong password, with the code in the log."""
    radius = FreeRadius(t, users=USERS, start=False)
    server = radius_server(t, radius, client=radius.client_conf(timeout=1, retries=0))
    web = t.web()
    answer = web.login(password="secret")
    for _ in range(2):
        t.equal(answer.status, 200, "status with tries left")
        answer = web.reply([("password", "secret")], path=web.action(answer))
    t.equal(answer.status, 401, "status after the third")
    server.wait_log(r"no answer from server 127.0.0.1:1812 \(code 1\): nobody listens at its port")
    server.wait_log(r"radius-auth: error authenticating user 'test' \(code 1\)")


def test_challenge_stays_with_its_server(t):
    """Radius.md 4.1: the answer to a challenge goes to the server that asked, also while another is preferred."""
    first = FreeRadius(t, users=USERS, policy=OTP_POLICY, authenticate=OTP_STAGES)
    second = FreeRadius(t, users=USERS, policy=OTP_POLICY, authenticate=OTP_STAGES, port=1822, acct_port=1823)
    conf = first.client_conf(auth=["127.0.0.1:1812", "127.0.0.1:1822"], timeout=1, retries=0)
    radius_server(t, first, client=conf)
    first.stop()
    web = t.web()
    answer = web.reply([("username", "otp"), ("password", "secret")], path=web.action(web.init()))
    first.start()
    for code in ("111111", "222222", "333333"):
        answer = web.reply([("secondary_password", code)], path=web.action(answer))
    t.expect(answer.success, "the login failed", answer.body)
    t.equal((len(first.requests()), len(second.requests())), (0, 4), "requests")


@marks(alone=True)
def test_silent_server_delays_only_its_own(t):
    """Radius.md 4.3: logins on another host are as fast while 30 logins wait for a dead server."""
    DeadServer(t, 1899)
    radius = FreeRadius(t, users=USERS)
    conf = radius.client_conf(auth=["127.0.0.1:1899"], timeout=20, retries=0)
    server = t.server(vhosts=[("slow.test", {"auth": auth(conf)})])

    def logins():
        return statistics.median(timed(lambda: t.web().must_login())[0] for _ in range(50))

    logins()  # warm
    alone = logins()
    waiting = []
    for n in range(30):
        web = t.web(name="slow.test", timeout=60)
        path = web.action(web.init())
        body = REPLY % ("<username>u%d</username><password>x</password>" % n, "")
        web.send("POST %s HTTP/1.1\r\nHost: slow.test\r\nUser-Agent: %s\r\nX-Aggregate-Auth: 1\r\n"
                 "X-Transcend-Version: 1\r\nCookie: webvpncontext=%s\r\nContent-Length: %d\r\n\r\n%s"
                 % (path, web.agent, web.cookies.get("webvpncontext", ""), len(body), body))
        waiting.append(web)
    wait_for("runners that wait for the dead server", lambda: len(
        [pid for pid in server.tree() if "runner" in program(pid) and "radius" in program(pid)]) > 2, 10)
    beside = in_time(logins, alone * 1.5 + 0.02)
    print("     50 logins: median %.1f ms alone, %.1f ms beside a silent RADIUS server" % (alone * 1e3, beside * 1e3))
    t.expect(beside < alone * 1.5 + 0.02, "logins became slower: %.1f ms, alone %.1f ms" % (beside * 1e3, alone * 1e3))
    for web in waiting:
        web.socket.settimeout(0.01)
        try:
            t.expect(not web.socket.recv(1), "a login that waits for the dead server has ended")
        except (TimeoutError, ssl.SSLWantReadError):
            pass


# ---- who may answer ----

def test_message_authenticator_is_sent(t):
    """Radius.md 2: a server that requires Message-Authenticator in requests accepts ours, for logins and challenges."""
    radius = otp_radius(t, require=True)
    radius_server(t, radius)
    t.client(user="otp", dtls=False, stdin="secret\n111111\n222222\n333333\n").wait().stop()
    t.equal(len([r for r in radius.requests("otp") if "Message-Authenticator" in r]), 4, "requests with one")


def test_message_authenticator_is_required(t):
    """RFC 3579: with require-message-authenticator yes a reply without one is no reply; with auto once one was seen."""
    radius = FreeRadius(t, users=USERS, port=1812)
    sealing = FreeRadius(t, users=USERS, port=1822, acct_port=1823, post_auth=SEAL)
    strict = "require-message-authenticator yes"
    server = t.server({"auth": auth(radius.client_conf(timeout=1, retries=0, more=strict))}, users={}, vhosts=[
        ("sealing.test", {"auth": auth(sealing.client_conf(timeout=1, retries=0, more=strict))}),
        ("auto.test", {"auth": auth(sealing.client_conf(timeout=1, retries=0, name="auto.conf"))}),
        ("no.test", {"auth": auth(radius.client_conf(timeout=1, retries=0, name="no.conf",
                                                     more="require-message-authenticator no"))})])
    t.expect(not t.web().login(password="secret").success, "an unsealed reply was taken")
    server.wait_log("had no right Message-Authenticator and were dropped")
    server.wait_log("(?s)radius-not-sealed.*CVE-2024-3596")
    for host in ("sealing.test", "auto.test", "no.test"):
        t.web(name=host).must_login()
    # The server that has proved that it can seal stops doing so.
    sealing.stop()
    plain = FreeRadius(t, users=USERS, port=1822, acct_port=1823)
    t.expect(not t.web(name="auto.test").login(password="secret").success, "a reply that lost its seal was taken")
    plain.stop()


def test_forged_reply(t):
    """CVE-2024-3596: a reply with a wrong Message-Authenticator is dropped, and the right one still taken."""
    radius = FreeRadius(t, users=USERS, post_auth=SEAL, port=1822)
    forger = Forger(t, 1812, 1822)
    radius_server(t, radius, client=radius.client_conf(auth=["127.0.0.1:1812"]))
    t.web().must_login()
    t.equal((forger.forged, forger.passed), (1, 1), "replies")


def test_radsec(t):
    """Radius.md 1: RADIUS over TLS with certificates; a server with another name or of another CA is not spoken to."""
    cert, key = client_certificate(t, "vpn")
    radius = FreeRadius(t, users=USERS, policy=OTP_POLICY, authenticate=OTP_STAGES, address=SERVER4, tls_port=2083)
    tls = "serv-type tls\ntls-ca-file %s\ntls-cert-file %s\ntls-key-file %s"
    good = tls % (t.pki.ca_cert, cert, key)
    foreign = Pki(t.new_dir("other") + "/pki").make()

    def conf(name, host, more):
        return radius.client_conf(auth=["%s:2083" % host], timeout=3, retries=0, name=name, more=more)

    right = auth(conf("good.conf", SERVER4, good))
    server = t.server({"auth": right, "acct": right}, users={}, vhosts=[
        ("name.test", {"auth": auth(conf("name.conf", "127.0.0.1", good))}),
        ("loose.test", {"auth": auth(conf("loose.conf", "127.0.0.1", good + "\ntls-verify-hostname false"))}),
        ("true.test", {"auth": auth(conf("true.conf", "127.0.0.1", good + "\ntls-verify-hostname true"))}),
        ("ca.test", {"auth": auth(conf("ca.conf", SERVER4, tls % (foreign.ca_cert, cert, key)))})])
    t.web().must_login()
    t.expect(not t.web().login("test", "wrong").success, "a wrong password gave a cookie")
    t.client(user="otp", dtls=False, stdin="secret\n111111\n222222\n333333\n").wait().stop()
    t.equal(radius.requests("test")[0]["User-Password"], "secret", "password that arrived")
    t.equal(radius.wait_accounting("Stop", user="otp")[0]["Acct-Terminate-Cause"], "User-Request", "record over TLS")
    for host in ("name.test", "true.test", "ca.test"):
        t.expect(not t.web(name=host).login("test", "secret").success, "logged in by a stranger's word: " + host)
    t.web(name="loose.test").must_login("test", "secret")
    server.wait_log("no answer from server")


def test_server_over_ipv6(t):
    """Radius.md 1: a server with an IPv6 address, its secret in the other file."""
    radius = FreeRadius(t, users=USERS, address="::1", require=True)
    radius_server(t, radius)
    t.web().must_login()
    t.expect(not t.web().login(password="wrong").success, "a wrong password gave a cookie")


def test_radsec_with_a_shared_key(t):
    """Radius.md 1: RADIUS over TLS with a pre-shared key instead of certificates; a wrong key lets nobody in."""
    key = "00112233445566778899aabbccddeeff"
    radius = FreeRadius(t, users=USERS, tls_port=2083, psk=("vpn", key))

    def conf(name, word):
        return radius.client_conf(auth=["127.0.0.1:2083:psk@vpn@%s" % word], timeout=3, retries=0, name=name,
                                  more="serv-type tls")

    t.server({"auth": auth(conf("good.conf", key))}, users={},
             vhosts=[("bad.test", {"auth": auth(conf("bad.conf", "ff" + key[2:]))})])
    t.web().must_login()
    t.expect(not t.web(name="bad.test").login("test", "secret").success, "logged in with a wrong key")


def test_plain_tcp(t):
    """Radius.md 1: serv-type tcp; what it cannot do is said at the start."""
    radius = FreeRadius(t, users=USERS, tcp_port=1832)
    conf = radius.client_conf(auth=["127.0.0.1:1832"], acct=["127.0.0.1:1832"], more="serv-type tcp")
    server = t.server({"auth": auth(conf), "acct": auth(conf)}, users={})
    server.wait_log("Message-Authenticator is neither sent nor checked over plain TCP; use udp or tls")
    t.client(dtls=False).wait().stop()
    radius.wait_accounting("Stop")
    t.expect(not t.web().login("test", "wrong").success, "a wrong password gave a cookie")
