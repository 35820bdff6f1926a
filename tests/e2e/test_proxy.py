"""Clients that come through a TCP proxy, with and without PROXY headers (protocol.md §7)."""
import json
import os
import re
import socket
import ssl
import time

from lib.clientcert import Authority
from lib.freeradius import FreeRadius
from lib.haproxy import BEHIND, HAProxy, tlv, v1, v2
from lib.net import CLIENT4, SERVER4, SERVER6
from lib.shell import wait_for
from lib.traffic import must_ping
from lib.web import Tunnel, Web
from test_bans import must_be_refused, scores, wait_score

PROXY = {"listen-proxy-proto": "true"}
FAR, OTHER = "198.51.100.7", "198.51.100.8"


def tls_over(web, name=None):
    """TLS on the connection WEB has, after a header was sent on it by hand."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    web.begin_tls(context, name)
    return web


def through(t, header, **options):
    """A TLS connection to the server itself, behind HEADER; OSError when it is refused."""
    web = Web(t, raw=True, **options)
    web.send(header)
    return tls_over(web)


def is_refused(t, header, **options):
    try:
        through(t, header, **options)
    except OSError:
        return True
    return False


def test_haproxy_without_headers(t):
    """Checklist 121: traffic works through HAProxy without PROXY headers; its restart wedges nothing."""
    server = t.server(BEHIND)
    proxy = HAProxy(t)
    client = t.client(arguments=["--reconnect-timeout", "60"]).wait()
    must_ping(client.netns, count=3)
    t.equal(server.user()["Remote IP"], "127.0.0.1", "address without a header")
    mark = len(client.log())
    proxy.stop()
    proxy.start()
    client.wait_again(mark)
    must_ping(client.netns, count=3)
    t.equal(server.user()["IPv4"], client.ip4, "address after the restart")
    t.web().must_login()


def with_hook(t, conf):
    """A server whose connect script notes its environment."""
    server = t.server(dict(conf, **BEHIND), start=False)
    script = server.write_file("hook", """#!/usr/bin/python3
import json, os
with open("%s/env-" + os.environ["REASON"], "w") as out:
    json.dump(dict(os.environ), out)
""" % server.dir, 0o755)
    server.write_conf(connect_script=script)
    return server.start()


def connect_through_haproxy(t, option):
    server = with_hook(t, dict(PROXY, **{"deny-roaming": "true"}))
    HAProxy(t, option)
    client = t.client().wait()
    must_ping(client.netns, count=3)
    user = server.user()
    t.equal((user["Remote IP"], user["Local Device IP"]), (CLIENT4, SERVER4), "addresses in occtl")
    t.expect(user.get("DTLS cipher"), "no DTLS beside the proxy", user)
    with open(server.dir + "/env-connect") as env:
        env = json.load(env)
    t.equal((env["IP_REAL"], env["IP_REAL_LOCAL"]), (CLIENT4, SERVER4), "the script's IP_REAL, IP_REAL_LOCAL")
    server.wait_log(r"ip=%s[^\n]*new user session" % re.escape(CLIENT4))
    session = server.occtl_json("show", "sessions", "all")[0]
    t.equal(session["Remote IP"], CLIENT4, "address of the session, as auth has it")
    client.stop()
    server.wait_no_user()


def test_haproxy_v1(t):
    """Checklist 122: a real client through HAProxy with version 1 headers; DTLS comes directly and is steered to it,
    although deny-roaming lets no other address have it."""
    connect_through_haproxy(t, "send-proxy")


def test_haproxy_v2(t):
    """Checklist 122: the same with version 2 headers, checksum and unique id included."""
    connect_through_haproxy(t, "send-proxy-v2 proxy-v2-options crc32c,unique-id")


def test_haproxy_ipv6(t):
    """Checklist 122, 212: an IPv6 client of a proxy that reaches the server over IPv4."""
    for option in ("send-proxy", "send-proxy-v2"):
        server = t.server(dict(PROXY, **BEHIND))
        proxy = HAProxy(t, option)
        tunnel = t.web(host=SERVER6).must_login().open()
        t.equal((server.user()["Remote IP"], server.user()["Local Device IP"]), ("fd00:18::2", SERVER6), "addresses")
        tunnel.bye()
        proxy.stop()
        server.stop()


def test_real_client_is_banned(t):
    """Checklist 122, 16: wrong passwords through HAProxy are charged to the client; its next connection is closed
    before TLS, while another client of the same proxy gets in."""
    server = t.server(dict(PROXY, **BEHIND, **{"max-ban-score": 50}))
    HAProxy(t, "send-proxy-v2")
    for address in (FAR, OTHER):
        t.net.add_client_address(address)
    t.expect(not t.web(source=FAR).login(password="wrong").success, "logged in")
    wait_score(server, FAR, 11)
    for _ in range(4):
        t.web(source=FAR).login(password="wrong")
    server.wait_log(r"added IP '198\.51\.100\.7' \(with score \d+\) to ban list")
    must_be_refused(t, FAR)
    server.wait_log(r"rejected connection from banned IP: 198\.51\.100\.7")
    t.equal([row["IP"] for row in server.occtl_json("show", "ip", "bans")], [FAR], "bans")
    t.web(source=OTHER).must_login()
    server.occtl("unban", "ip", FAR)
    t.web(source=FAR).must_login()


def test_health_checks_are_quiet(t):
    """Protocol 9, 96: checks of HAProxy with and without check-send-proxy, of both versions; no points, no lines."""
    server = t.server(dict(PROXY, **BEHIND, **{"max-ban-score": 10}), debug=0)
    mark = len(server.log())
    for options in ("send-proxy", "send-proxy-v2", "send-proxy check-send-proxy", "send-proxy-v2 check-send-proxy"):
        proxy = HAProxy(t, options + " check inter 100ms")
        wait_for("checks by HAProxy with " + options, lambda: proxy.server_state()[0] == "UP", 10)
        time.sleep(1)
        t.equal(proxy.server_state()[0], "UP", "HAProxy's verdict")
        proxy.stop()
    proxy = HAProxy(t, "send-proxy-v2 check-send-proxy check-ssl verify none check inter 100ms")
    time.sleep(1)
    # While another check is under way it puts "* " before the last one's result.
    t.expect(proxy.server_state() in (("UP", "L6OK"), ("UP", "* L6OK")), "HAProxy's verdict with TLS", proxy.server_state())
    wait_for("the last check to end", lambda: len(server.occtl_json("show", "users")) < 3, 5)
    t.expect(not server.occtl_json("show", "ip", "bans"), "a health checker was banned")
    proxy.stop()
    wait_for("the checks' points to be taken back", lambda: not scores(server), 5)
    t.equal(server.log()[mark:].replace("\n", ""), "", "log of the checks at -d 0")


def test_headers_by_hand(t):
    """Checklist 212, protocol 96: every form of header, whole and byte by byte; TLS right behind it."""
    server = t.server(PROXY)
    for header, address in ((v1("203.0.113.9"), "203.0.113.9"), (v2("203.0.113.9"), "203.0.113.9"),
                            (v1("2001:db8::9", "2001:db8::1"), "2001:db8::9"),
                            (v2("2001:db8::9", "2001:db8::1"), "2001:db8::9"),
                            (v1("::ffff:203.0.113.9", "::ffff:198.18.0.1"), "203.0.113.9"),
                            (b"PROXY UNKNOWN\r\n", CLIENT4), (b"PROXY UNKNOWN ::1 ::1 1 2\r\n", CLIENT4),
                            (v2(), CLIENT4), (v2(command=0), CLIENT4),
                            (v2("203.0.113.9", tlvs=tlv(5, b"id") + tlv(4, b"\0" * 300)), "203.0.113.9")):
        for pieces in (1, 0):
            web = Web(t, raw=True)
            web.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for part in [header] if pieces else [header[i:i + 1] for i in range(min(len(header), 60))] + [header[60:]]:
                web.send(part)
                time.sleep(0 if pieces else 0.002)
            tunnel = tls_over(web).must_login().open()
            t.equal(server.user()["Remote IP"], address, "address by %r" % header)
            tunnel.bye()
            server.wait_no_user()


def test_bad_headers_are_refused(t):
    """Checklist 212: wrong addresses, ports, lengths, checksums and no header at all close the connection, and the
    server goes on; nobody is charged."""
    server = t.server(dict(PROXY, **{"max-ban-score": 10}))
    good = v2("203.0.113.9")
    for header in (b"", b"PROXY TCP4 1.2.3.400 1.2.3.4 1 2\r\n", b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
                   b"PROXY TCP4 1.2.3.4 1.2.3.4 x 2\r\n", b"PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
                   b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", b"PROXY " + b"x" * 200, b"GET / HTTP/1.1\r\n\r\n",
                   good[:12] + b"\x31" + good[13:], good[:12] + b"\x22" + good[13:],
                   good[:14] + b"\0\x05" + good[16:], good[:14] + b"\xff\xff" + good[16:],
                   v2("203.0.113.9", tlvs=b"\x04\x00\x09x"), v2("203.0.113.9", tlvs=tlv(3, b"abcd"))):
        t.expect(is_refused(t, header), "accepted %r" % header)
    server.wait_log("proxy-header-refused")
    t.equal(scores(server), {}, "scores")
    through(t, v1("203.0.113.9")).must_login()
    wait_for("the points of a good one", lambda: scores(server) == {"203.0.113.9": 1})
    # Checks by the proxy itself may go as far as they like; guesses cost all the same.
    t.net.add_client_address(FAR)
    for header in (v2(command=0), b"PROXY UNKNOWN\r\n"):
        t.equal(through(t, header, source=FAR).get("/").status, 200, "status for the proxy itself")
    t.equal(set(scores(server)), {"203.0.113.9"}, "scores after checks")
    t.expect(not through(t, v2(command=0), source=FAR).login(password="wrong").success, "logged in")
    wait_score(server, FAR, 10)
    t.expect(is_refused(t, v2(command=0), source=FAR), "guesses without an address are free")


def test_late_header(t):
    """Protocol §7: the header has to come in time; who begins one and leaves, or sends one and leaves, is quiet."""
    server = t.server(dict(PROXY, **{"auth-timeout": 2, "max-ban-score": 10}), debug=1)
    silent, half = t.web(raw=True), t.web(raw=True)
    half.send(v2("203.0.113.9")[:20])
    mark = len(server.log())
    for data in (v2("203.0.113.9")[:14], v2("203.0.113.9"), v2(command=0), v1("203.0.113.9")):
        web = Web(t, raw=True)
        web.send(data)
        web.close()
    t.expect(silent.is_closed(10) and half.is_closed(10), "a connection without a header stays open")
    t.expect(not re.search("warn|err|refused", server.log()[mark:]), "noise", server.log()[mark:])
    wait_for("points of probes to be taken back", lambda: not scores(server), 5)


def test_only_named_proxies(t):
    """Protocol §7: with listen-proxy-from other peers cannot claim addresses."""
    server = t.server(dict(PROXY, **{"listen-proxy-from": ["198.51.100.8", "2001:db8::/32"]}))
    t.net.add_client_address(OTHER)
    t.expect(is_refused(t, v1("203.0.113.9")), "a header from anybody is believed")
    server.wait_log("no-proxy")
    through(t, v1("203.0.113.9"), source=OTHER).must_login()
    server.write_conf(listen_proxy_from=None)
    server.reload()
    wait_for("the reload", lambda: not is_refused(t, v1("203.0.113.9")), 10)


def test_switched_on_by_reload(t):
    """Config 8.1: reloadable in both directions; sessions go on."""
    server = t.server()
    tunnel = t.web().must_login().open()
    server.write_conf(**{"listen-proxy-proto": "true"})
    server.reload()
    wait_for("headers to be expected", lambda: not is_refused(t, v1("203.0.113.9")), 10)
    t.expect(is_refused(t, b""), "a connection without header is accepted")
    tunnel.send(Tunnel.DPD_OUT, b"x")
    t.equal(tunnel.receive_control(), (Tunnel.DPD_RESP, b"x"), "answer in the old tunnel")
    server.write_conf(**{"listen-proxy-proto": "false"})
    server.reload()
    wait_for("headers to be refused", lambda: not is_refused(t, b""), 10)
    t.expect(is_refused(t, v1("203.0.113.9")), "a header is accepted without listen-proxy-proto")


def test_roaming_is_the_clients(t):
    """Protocol §7, checklist 141: deny-roaming compares real addresses, not the proxy's."""
    t.server(dict(PROXY, **{"deny-roaming": "true"}))
    web = through(t, v1("203.0.113.9")).must_login()
    cookie = web.cookies["webvpn"]
    t.expect(through(t, v1("203.0.113.10")).connect(cookie=cookie).status != 200, "roamed through the same proxy")
    t.equal(through(t, v1("203.0.113.9")).connect(cookie=cookie).status, 200, "status from the same address")


def test_mtu_is_not_the_proxys(t):
    """Protocol 7: datagrams do not go the proxy's way, so its MTU is none of theirs; without a proxy it is."""
    t.net.ip(t.net.srv, "link", "set", "tocli", "mtu", "1300")
    for conf, header, mtu in (({}, b"", 1300), (PROXY, v1("203.0.113.9"), 1500)):
        server = t.server(conf)
        answer = through(t, header).must_login().connect(mtu=1500)
        t.equal(int(answer.header("X-CSTP-Base-MTU")), mtu, "base MTU with %s" % conf)
        server.stop()


def test_radius_hears_of_the_real_client(t):
    """Config 8.1: Calling-Station-Id and NAS-IP-Address are those of the header, IPv4 and IPv6."""
    radius = FreeRadius(t, users='test Cleartext-Password := "secret"\n')
    t.server(dict(PROXY, **{"auth": '"radius[config=%s]"' % radius.client_conf()}), users={})
    for client, server, name in (("203.0.113.9", "192.0.2.1", "NAS-IP-Address"),
                                 ("2001:db8::9", "2001:db8::1", "NAS-IPv6-Address")):
        through(t, v2(client, server)).must_login()
        request = radius.requests()[-1]
        t.equal((request["Calling-Station-Id"], request.get(name)), (client, server), "addresses in the request")


def test_client_certificate_through_haproxy(t):
    """Protocol 97: TLS passes through, so the client's own certificate counts, with the address and whatever other
    records HAProxy writes; who has none gets no further by the proxy's word."""
    authority = Authority(t)
    server = t.server(dict(PROXY, **BEHIND, **{"auth": "certificate", "ca-cert": authority.cert, "cert-user-oid": "2.5.4.3"}))
    HAProxy(t, "send-proxy-v2-ssl-cn proxy-v2-options ssl,cert-cn,authority,crc32c,unique-id")
    client = t.client(user="ann", arguments=authority.issue(user="ann").arguments).wait()
    user = server.user("ann")
    t.equal((user["Remote IP"], bool(user.get("DTLS cipher"))), (CLIENT4, True), "address, and DTLS beside the proxy")
    client.stop()
    try:
        t.expect(not t.web().init().success, "logged in without a certificate")
    except OSError:
        pass
    server.wait_log("tls-handshake-failed[^\\n]*ip=%s" % re.escape(CLIENT4))


def test_name_by_proxy_is_no_identity(t):
    """Protocol 97: a verified CN in the header counts for nothing where the TLS is ours; no password, no login."""
    t.server(PROXY)
    ssl_tlv = tlv(0x20, b"\x07\0\0\0\0" + tlv(0x21, b"TLSv1.3") + tlv(0x22, b"test"))
    web = through(t, v2("203.0.113.9", tlvs=ssl_tlv + tlv(2, b"other.name")))
    answer = web.init()
    t.expect(not answer.success and 'type="password"' in answer.body or 'name="username"' in answer.body,
             "logged in by the proxy's word", answer.body)
    web.must_login()


def test_addresses_survive_restarts(t):
    """A main and an auth that are started again know the clients' own addresses: in occtl, and for charges."""
    server = t.server(dict(PROXY, **{"max-ban-score": 100}))
    tunnel = through(t, v1("203.0.113.9")).must_login().open()
    login = through(t, v1("203.0.113.10"))
    login.init()
    for role in ("main", "auth"):
        old = server.roles()[role]
        os.kill(old, 9)
        wait_for(role + " to be started again", lambda: server.roles().get(role) not in (None, old), 10)
    wait_for("occtl to answer", lambda: server.occtl("show", "users", check=False).returncode == 0, 10)
    wait_for("the addresses of both", lambda: {row["Remote IP"] for row in server.occtl_json("show", "users")} ==
             {"203.0.113.9", "203.0.113.10"}, 10)
    login.login(password="wrong")
    wait_for("the charge", lambda: scores(server).get("203.0.113.10", 0) >= 10, 5)
    t.equal(set(scores(server)), {"203.0.113.9", "203.0.113.10"}, "who has points")
    tunnel.bye()
