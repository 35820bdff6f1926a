"""The rows of protocol.md 9 and 3.3 that a server can influence, each spoken by hand as that client speaks."""
import re
import ssl

from lib.server import PASSWORD
from lib.spoken import ANYCONNECT, DTLS
from lib.web import Tunnel, Web
from test_http import client_context

CONF = {"dns": ["198.18.1.2", "fd00:19::2"], "dpd": 90, "mobile-dpd": 1800, "idle-timeout": 1200,
        "mobile-idle-timeout": 2400, "dtls-legacy": "true"}
APPLE = "Cisco AnyConnect VPN Agent for Apple iPhone 4.10.05095"
# Agent, further headers; and whether it gets IPv6 servers by their own name, the iOS route, mobile timers.
CLIENTS = (
    ("Open AnyConnect VPN Agent v9.01", (), False, False, False),
    ("Open AnyConnect VPN Agent v8.20", ("X-AnyConnect-Platform: linux-64",), False, False, False),
    ("Open AnyConnect VPN Agent v7.08", ("X-AnyConnect-Platform: win",), False, False, False),
    ("Open AnyConnect VPN Agent v10.0", (), False, False, False),
    ("AnyConnect-compatible OpenConnect VPN Agent v9.21",
     ("X-CSTP-Protocol: Copyright (c) 2004 Cisco Systems, Inc.",), False, False, False),
    ("OpenConnect VPN Agent (NetworkManager) 1.2.8", (), False, False, False),
    ("OpenConnect VPN Agent (Android) v1.30",
     ("X-AnyConnect-Identifier-Platform: android", "X-AnyConnect-Identifier-DeviceType: Pixel"), False, False, True),
    ("OpenConnect VPN Agent (iOS)", ("X-AnyConnect-Identifier-Platform: apple-ios",), False, True, True),
    ("Open AnyConnect VPN Agent v8.20", ("X-AnyConnect-Platform: apple-ios",), False, True, True),
    (ANYCONNECT, ("X-AnyConnect-Platform: win", "X-DTLS-Header-Pad-Length: 0", "X-CSTP-TCP-Keepalive: false"),
     True, False, False),
    ("AnyConnect Darwin_i386 5.1.2.42", ("X-AnyConnect-Platform: mac-intel",), True, False, False),
    (APPLE, ("X-CSTP-License: mobile",), True, True, True),
    (ANYCONNECT, ("X-AnyConnect-Identifier-Platform: apple-ios", "X-CSTP-License: mobile"), True, True, True),
    ("AnyConnect Android 4.10.01075", ("X-AnyConnect-Identifier-Platform: android", "X-CSTP-License: mobile"),
     True, False, True),
    ("Clavister OneConnect VPN", (), False, False, False),
    ("AnyLink Secure Client 1.0", (), False, False, False),
    ("something else", (), False, False, False),
)


def test_each_client_gets_its_answer(t):
    """Protocol 3.3, 71, 72, §9, checklist 107: names of IPv6 servers, the iOS route, mobile timers, the license."""
    t.server(CONF)
    for agent, headers, dns6, ios, mobile in CLIENTS:
        web = t.web()
        web.agent = agent
        answer = web.must_login().connect(headers=headers)
        what = "%s %s: " % (agent, headers)
        t.equal(answer.status, 200, what + "status")
        t.equal(answer.headers("X-CSTP-DNS-IP6" if dns6 else "X-CSTP-DNS")[-1:], ["fd00:19::2"], what + "IPv6 server")
        t.equal(answer.header("X-CSTP-DNS-IP6") is not None, dns6, what + "X-CSTP-DNS-IP6")
        t.equal(answer.headers("X-CSTP-Split-Include-IP6").count("2000::/3"), int(ios), what + "2000::/3")
        t.equal((answer.header("X-CSTP-DPD"), answer.header("X-CSTP-Idle-Timeout")),
                ("1800", "2400") if mobile else ("90", "1200"), what + "timers")
        t.equal(answer.header("X-CSTP-License"), "accept", what + "license")
        t.expect(answer.header("X-CSTP-Address-IP6"), what + "no IPv6")
        Tunnel(web, answer).bye()


def test_ios_route_follows_ipv6(t):
    """Protocol 5.3, checklist 107: with the default route as well; not without IPv6, or to who cannot take it."""
    server = t.server(dict(CONF, route="default"))
    for ipv6, types, wanted in ((True, "IPv6,IPv4", ["2000::/3"]), (False, "IPv6,IPv4", []), (True, "IPv4", [])):
        web = t.web().must_login()
        web.agent = APPLE
        answer = web.connect(ipv6=ipv6, types=types)
        t.equal(answer.headers("X-CSTP-Split-Include-IP6"), wanted, "%s %s" % (ipv6, types))
        t.equal(answer.headers("X-CSTP-Split-Include"), [], "IPv4 includes")
        web.close()
    server.stop()


def test_openconnect_three(t):
    """Protocol 4.2, §9, checklist 102: the bare document, the password form by its own id, no IPv6 routes, no servers."""
    t.server(CONF)
    web = t.web()
    web.agent = "Open AnyConnect VPN Agent v3.20"
    answer = web.get("/", xml=False)
    t.expect(re.match(r"<\?xml[^>]*\?>\s*<auth id=", answer.body), "not a bare document", answer.body)
    answer = web.post("/auth", "username=test", xml=False)
    t.expect('<auth id="passwd">' in answer.body, "the password form", answer.body)
    answer = web.post("/auth", "password=" + PASSWORD, xml=False)
    t.expect('id="success"' in answer.body and "config-auth" not in answer.body, "success", answer.body)
    answer = web.connect()
    t.equal(answer.status, 200, "status")
    for text in ("IP6", "fd00:"):
        t.expect(text not in answer.head, text + " for openconnect 3", answer.head)


def test_openconnect_eight(t):
    """Protocol 3.2, 20, §9: XML whose type says form, without the version attribute, with the platform's own header."""
    server = t.server(CONF)
    web = t.web()
    web.agent = "Open AnyConnect VPN Agent v8.10"
    kind = ["Content-Type: application/x-www-form-urlencoded", "X-AnyConnect-Platform: linux-64"]
    body = ('<?xml version="1.0" encoding="UTF-8"?>\n<config-auth client="vpn" type="%s">'
            '<version who="vpn">v8.10</version><device-id>linux-64</device-id>%s</config-auth>')
    answer = web.post("/", body % ("init", "<group-access>https://server</group-access>"), headers=kind)
    t.expect('type="auth-request"' in answer.body, "no form", answer.body)
    answer = web.post("/auth", body % ("auth-reply", "<auth><username>test</username><password>%s</password></auth>"
                                       % PASSWORD), headers=kind)
    t.expect(answer.success, "no success", answer.body)
    t.equal(web.connect(headers=["X-AnyConnect-Platform: linux-64"]).status, 200, "tunnel")
    t.equal(server.user()["Username"], "test", "user")


def test_a_phone_that_sleeps(t):
    """Protocol 4.12, 58, §9: mobile clients close TCP without a word, or pause, and come back to the same addresses."""
    server = t.server(CONF)
    web = t.web().must_login()
    cookie, seen = web.cookies["webvpn"], set()
    for end in (None, b"\x91pause", b"", None):
        web = t.web()
        web.agent = APPLE
        answer = web.connect(cookie=cookie, headers=["X-AnyConnect-Identifier-Platform: apple-ios"])
        t.equal(answer.status, 200, "status after %r" % end)
        seen.add((answer.header("X-CSTP-Address"), answer.header("X-CSTP-Address-IP6")))
        if end is not None:
            Tunnel(web, answer).send(Tunnel.DISCONNECT, end)
            t.expect(web.is_closed(), "stays open after %r" % end)
        web.close()
    t.equal(len(seen), 1, "addresses: %s" % seen)
    server.wait_log(r"user disconnected \(reason: anyconnect client disconnected, rx: \d+, tx: \d+\)")


def test_desks_of_cisco(t):
    """Protocol 87, §9: AnyConnect gets legacy DTLS, with FIPS no ChaCha20 and no 3DES, and the port of UDP."""
    t.server(CONF)
    secret = "X-DTLS-Master-Secret: " + "AB" * 48
    for headers, name, wanted in (
            (["X-DTLS12-CipherSuite: ECDHE-RSA-AES256-GCM-SHA384:AES256-SHA", "X-DTLS-CipherSuite: AES256-SHA"],
             "X-DTLS12-CipherSuite", "ECDHE-RSA-AES256-GCM-SHA384"),
            (["X-DTLS-CipherSuite: DHE-RSA-AES256-SHA:AES128-SHA"], "X-DTLS-CipherSuite", "AES128-SHA"),
            (["X-CSTP-FIPS-Mode: enabled", "X-DTLS-CipherSuite: OC2-DTLS1_2-CHACHA20-POLY1305:DES-CBC3-SHA:AES256-SHA"],
             "X-DTLS-CipherSuite", "AES256-SHA"),
            (["X-CSTP-FIPS-Mode: enabled", "X-DTLS-CipherSuite: OC2-DTLS1_2-CHACHA20-POLY1305:DES-CBC3-SHA"],
             "X-DTLS-Port", None)):
        web = t.web().must_login()
        web.agent = ANYCONNECT
        answer = web.connect(headers=[secret] + headers)
        t.equal(answer.header(name), wanted, "%s for %s" % (name, headers))
        t.equal(answer.header("X-DTLS-Port"), "443" if wanted else None, "port for %s" % headers)
        t.equal(answer.header("X-DTLS-App-ID"), None, "App-ID for %s" % headers)
        web.close()


def test_cipher_of_a_phone(t):
    """Protocol 4.22, §9, checklist 196: an IP phone has one cipher, that of its TLS session, or no DTLS."""
    t.server({"cisco-svc-client-compat": "true"})
    cookie = t.web().must_login().cookies["webvpn"]
    lists = ["X-DTLS-Master-Secret: " + "ab" * 48, "X-DTLS-CipherSuite: AES256-SHA:AES128-SHA",
             "X-DTLS12-CipherSuite: AES128-GCM-SHA256"]
    for tls, name, wanted in (("AES128-SHA", "X-DTLS-CipherSuite", "AES128-SHA"),
                              ("AES256-SHA", "X-DTLS-CipherSuite", "AES256-SHA"),
                              ("AES256-GCM-SHA384", "X-DTLS-Port", None)):
        web = Web(t, raw=True)
        web.begin_tls(client_context(tls=ssl.TLSVersion.TLSv1_2, ciphers="ECDHE-ECDSA-%s:@SECLEVEL=0" % tls))
        web.agent = "Cisco SVC IPPhone Client v1.0 (1.0)"
        answer = web.connect(cookie=cookie, headers=lists)
        t.equal(answer.status, 200, "status with " + tls)
        t.equal(answer.header(name), wanted, "%s with %s" % (name, tls))
        t.equal(answer.header("X-DTLS12-CipherSuite"), None, "another cipher with " + tls)
        web.close()


def test_tunnel_through_a_proxy(t):
    """Protocol §9, 94: openconnect behind a proxy sends nothing about DTLS and gets nothing; the MTU stays the same."""
    t.server(CONF)
    web = t.web().must_login()
    without = web.connect()
    t.expect("X-DTLS" not in without.head, "DTLS is announced", without.head)
    web = t.web().must_login()
    t.equal(without.header("X-CSTP-MTU"), web.connect(headers=DTLS).header("X-CSTP-MTU"), "MTU")


def test_groups_by_label_in_the_url(t):
    """Protocol 3.9, checklist 79: name or label, GET and POST, decoded, with a slash behind; reserved paths win."""
    t.server({"select-group": ["staff[The Staff]", "svc", "1", "profiles"], "select-group-by-url": "true",
              "custom-header": "X-Group: %{G}"}, users={"test": "guests,staff"})
    for path in ("/staff", "/staff/", "/The%20Staff", "/The%20Staff/?x=y", "/%73taff"):
        t.equal(t.web().must_login(path=path).connect().header("X-Group"), "staff", "POST " + path)
        web = t.web()
        t.equal(web.get(path, xml=False).status, 200, "GET " + path)
        web.post("/auth", "username=test&password=" + PASSWORD, xml=False)
        t.equal(web.connect().header("X-Group"), "staff", "GET " + path)
    for path in ("/svc", "/profiles", "/The+Staff", "/staff/x", "/the%20staff", "/staff%00"):
        t.equal(t.web().get(path).status, 404, "GET " + path)
    t.equal(t.web().get("/1/index.html").body, "<html></html>", "a reserved path")
