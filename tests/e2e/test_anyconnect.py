"""Cisco's client as far as its requests are known (protocol.md §9): every request on a connection of its own."""
from lib.server import PASSWORD
from lib.spoken import ANYCONNECT, sha1_of
from lib.web import Tunnel

INIT = """<?xml version="1.0" encoding="UTF-8"?>
<config-auth client="vpn" type="init" aggregate-auth-version="2">
<version who="vpn">4.10.01075</version>
<device-id computer-name="PC" device-type="x" platform-version="10.0.19042 " unique-id="AA" unique-id-global="BB">win</device-id>
<mac-address-list>
<mac-address public-interface="true">00-0c-29-00-00-01</mac-address></mac-address-list>
<group-access>https://198.18.0.1</group-access>
<capabilities>
<auth-method>single-sign-on</auth-method>
<auth-method>single-sign-on-v2</auth-method></capabilities>
</config-auth>"""

REPLY = """<?xml version="1.0" encoding="UTF-8"?>
<config-auth client="vpn" type="auth-reply" aggregate-auth-version="2">
<version who="vpn">4.10.01075</version>
<device-id computer-name="PC">win</device-id>
<mac-address-list>
<mac-address public-interface="true">00-0c-29-00-00-01</mac-address></mac-address-list>
<session-token></session-token>
<session-id></session-id>
<opaque is-for="sg"></opaque>
<auth>
<username>test</username>
<password>%s</password></auth>
<group-select>%s</group-select>
</config-auth>"""

CONNECT = ["X-CSTP-Protocol: Copyright (c) 2004 Cisco Systems, Inc.", "X-CSTP-Local-Address-IP4: 192.0.2.9",
           "X-CSTP-Remote-Address-IP4: 198.18.0.1", "X-CSTP-Accept-Encoding: lzs,deflate",
           "X-DTLS-Master-Secret: " + "AB" * 48, "X-DTLS-Accept-Encoding: lzs", "X-DTLS-Header-Pad-Length: 0",
           "X-DTLS12-CipherSuite: ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:AES256-SHA",
           "X-DTLS-CipherSuite: DHE-RSA-AES256-SHA:AES128-SHA:AES256-SHA"]


def test_a_session_of_anyconnect(t):
    """Protocol 1.3, 4.10, 4.11, 5.8, §9: init, reply, downloads, tunnel, a network change, the end."""
    server = t.server({"cisco-client-compat": "true", "tls-priorities": None, "select-group": ["staff", "guests"],
                       "banner": "Welcome", "dns": ["198.18.1.2", "fd00:19::2"]}, users={"test": "staff"})
    cookies, hashes = {}, set()

    def request(method, path, body=None):
        web = t.web(cookies=cookies)
        web.agent = ANYCONNECT
        answer = web.request(method, path, body)
        hashes.add(sha1_of(web))
        cookies.clear()
        cookies.update(web.cookies)
        web.close()
        return answer
    t.expect('type="auth-request"' in request("POST", "/", INIT).body, "no form")
    answer = request("POST", "/auth", REPLY % ("wrong", "staff"))
    t.expect("Login failed" in answer.body and '<error id="16"' in answer.body, "the wrong password", answer.body)
    answer = request("POST", "/auth", REPLY % (PASSWORD, "staff"))
    t.expect('type="complete"' in answer.body and "<banner>Welcome</banner>" in answer.body, "no success", answer.body)
    t.equal(hashes, {cookies["webvpnc"].split("sh:")[1]}, "hash of the certificate")
    for path, status in (("/CACHE/stc/profiles/x.xml", 404), ("/1/index.html", 200), ("/1/binaries/update.txt", 200),
                         ("/+CSCOT+/translation-table?textdomain=AnyConnect&type=manifest", 200),
                         ("/1/VPNManifest.xml", 200)):
        t.equal(request("GET", path).status, status, "status of " + path)
    address = None
    for reason in (b"\x91reconnecting", b"\x70local error", b"\xb0user"):
        web = t.web()
        web.agent = ANYCONNECT
        answer = web.connect(cookie=cookies["webvpn"], headers=CONNECT)
        t.equal(answer.status, 200, "status before %r" % reason)
        for name, value in (("X-DTLS12-CipherSuite", "ECDHE-RSA-AES256-GCM-SHA384"), ("X-CSTP-License", "accept"),
                            ("X-CSTP-DNS-IP6", "fd00:19::2"), ("X-DTLS-CipherSuite", None), ("X-DTLS-App-ID", None),
                            ("X-CSTP-Content-Encoding", None), ("X-DTLS-Content-Encoding", None)):
            t.equal(answer.header(name), value, name)
        t.expect(address in (None, answer.header("X-CSTP-Address")), "another address", answer.head)
        address = answer.header("X-CSTP-Address")
        Tunnel(web, answer).send(Tunnel.DISCONNECT, reason)
        t.expect(web.is_closed(), "the connection stays open after %r" % reason)
    server.wait_log("auth session-over")
    t.equal(t.web().connect(cookie=cookies["webvpn"]).status, 401, "status after the user's goodbye")
