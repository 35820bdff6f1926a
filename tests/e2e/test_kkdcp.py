"""The Kerberos KDC proxy: kinit through the VPN port, and what is refused there."""
import struct

from lib.accounts import Accounts
from lib.kdc import NAME, PASSWORD, REALM, Kdc
from lib.net import LAN4, SERVER4
from lib.server import PASSWORD as VPN_PASSWORD
from lib.shell import sh, wait_for

from test_bans import wait_score

PATH, KDC = "/KdcProxy", "tcp@%s:88" % LAN4
# The example of MS-KKDCP's structure in protocol.md: five bytes of message for EXAMPLE.ORG.
EXAMPLE = bytes.fromhex("301ca00b0409000000056a03020105a10d1b0b4558414d504c452e4f5247")


def world(t, *lines, conf=None, vhosts=(), kdc=True):
    """A KDC that clients cannot reach themselves, and a server with LINES of kkdcp and a name of its own."""
    directory = t.new_dir("pki")
    cert, key = directory + "/cert.pem", directory + "/key.pem"
    t.pki.server_cert(cert, key, NAME)
    t.net.etc(t.net.cli, "hosts", "127.0.0.1 localhost\n%s %s\n" % (SERVER4, NAME))
    made = Kdc(t) if kdc else None
    server = t.server(dict({"kkdcp": list(lines) or ["%s %s %s" % (PATH, REALM, KDC)], "server-cert": cert,
                            "server-key": key}, **(conf or {})), vhosts=vhosts,
                      environment=made and made.server_environment())
    return made, server


def kinit(t, kdc, password=PASSWORD, path=PATH, check=True):
    """A client outside asks for its first ticket; gives the completed process and its environment."""
    conf = kdc.write_conf(["https://%s:443%s" % (NAME, path)], "krb5-outside.conf", anchors=t.pki.ca_cert)
    environment = kdc.client_environment(conf)
    environment["KRB5_TRACE"] = kdc.dir + "/trace"
    run = t.net.run(t.net.cli, "kinit", "test", env=environment, stdin=password + "\n", check=check)
    return run, environment


def message(payload, realm=REALM, hint=None, length=None):
    """A KDC-PROXY-MESSAGE."""
    body = struct.pack(">I", len(payload) if length is None else length) + payload
    inside = der(0xa0, der(0x04, body))
    if realm is not None:
        inside += der(0xa1, der(0x1b, realm.encode()))
    if hint is not None:
        inside += der(0xa2, der(0x02, bytes([hint])))
    return der(0x30, inside)


def der(tag, data):
    n = len(data)
    size = bytes([n]) if n < 128 else bytes([0x80 + (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag]) + size + data


def post(web, body, path=PATH):
    return web.post(path, body, headers=["Content-Type: application/kerberos"], xml=False)


def test_kinit_through_the_server(t):
    """Protocol 98, radius 8: a client that cannot reach the KDC gets its tickets through the VPN port, whether the
    server speaks TCP or UDP with the KDC; the service's ticket, too."""
    for proto in ("tcp", "udp"):
        kdc, server = world(t, "%s %s %s@%s:88" % (PATH, REALM, proto, LAN4))
        direct = kdc.client_environment()
        t.expect(t.net.run(t.net.cli, "kinit", "test", env=direct, stdin=PASSWORD + "\n", check=False).returncode,
                 "the KDC can be reached without the proxy")
        run, environment = kinit(t, kdc)
        t.net.run(t.net.cli, "kvno", "HTTP/" + NAME, env=environment)
        t.expect("HTTP/" + NAME in sh("klist", env=environment).stdout, "no ticket for the service")
        wrong, _ = kinit(t, kdc, "wrong", check=False)
        t.expect(wrong.returncode and "Password incorrect" in wrong.stderr, "a wrong password", wrong.stderr)
        server.stop()
        kdc.stop()


def test_outside_to_inside(t):
    """A client outside gets its first ticket through the server, and openconnect, which fetches the
    service's ticket the same way, logs in with it."""
    kdc, server = world(t)
    Accounts(t).add("test", "staff")
    server.stop()
    server.write_conf(auth='"gssapi[keytab=%s]"' % kdc.keytab)
    server.start()
    environment = kinit(t, kdc)[1]
    client = t.client(host=NAME, dtls=False, environment=environment, pin=t.pki.pin_of(server.conf["server-key"])).wait()
    t.equal(server.user("test")["Groupname"], "staff", "group")
    t.expect("HTTP/" + NAME in sh("klist", env=environment).stdout, "no ticket for the service")
    client.stop()


def test_message_of_the_example_reaches_its_realm_only(t):
    """Protocol 98: the realm is chosen exactly, absent means the first of the path; unknown is 502, and the connection
    goes on to a login afterwards."""
    kdc, server = world(t, "%s %s %s" % (PATH, REALM, KDC), "%s OTHER.TEST tcp@%s:89" % (PATH, LAN4))
    web = t.web()
    request = as_req()
    for realm, status in ((REALM, 200), (None, 200), ("OTHER.TEST", 502), (REALM.lower(), 502), ("NOWHERE", 502)):
        answer = post(web, message(request, realm))
        t.equal((answer.status, answer.header("Content-Type")),
                (status, "application/kerberos" if status == 200 else None), "answer for %s" % realm)
        t.equal(answer.header("Connection"), "Keep-Alive", "connection")
    t.equal(post(web, EXAMPLE).status, 502, "status for the example of the specification")
    server.wait_log('kdc-unknown .*realm="EXAMPLE.ORG"')
    server.wait_log(r"kdc-no-answer .*tcp@198.18.1.2:89: Connection refused")
    web.must_login()


def as_req():
    """An AS-REQ for nobody: KDC-OPTIONS none, realm, and one encryption type."""
    name = lambda kind, *parts: der(0x30, der(0xa0, der(0x02, bytes([kind]))) + der(0xa1, der(0x30, b"".join(
        der(0x1b, part) for part in parts))))
    body = der(0x30, der(0xa0, der(0x03, bytes(5))) + der(0xa1, name(1, b"nobody")) + der(0xa2, der(0x1b, REALM.encode())) +
               der(0xa3, name(2, b"krbtgt", REALM.encode())) + der(0xa5, der(0x18, b"20370101000000Z")) +
               der(0xa7, der(0x02, b"\x01")) + der(0xa8, der(0x30, der(0x02, b"\x12"))))
    return der(0x6a, der(0x30, der(0xa1, der(0x02, b"\x05")) + der(0xa2, der(0x02, b"\x0a")) + der(0xa4, body)))


def test_malformed_requests_are_refused_and_counted(t):
    """Radius 8, config 15: what is no KDC-PROXY-MESSAGE is 400, other methods 405; each request costs its points,
    occtl shows them, and enough of them ban the address."""
    server = world(t, conf={"max-ban-score": 60, "ban-points-connection": 0, "ban-points-kkdcp": 5}, kdc=False)[1]
    address = t.net.add_client_address("198.51.100.7")
    good = message(as_req())
    cases = [b"", b"abc", good[:-1], good + b"\0", message(as_req(), length=3), message(as_req(), realm=""),
             message(b""), message(bytes(66000)), b"\x30\x80" + good[2:]]
    for body in cases:
        web = t.web(source=address)
        answer = post(web, body)
        t.equal((answer.status, answer.body), (400, ""), "answer to %r" % body[:20])
        t.expect(web.is_closed(), "the connection stays open")
    answer = t.web(source=address).get(PATH)
    t.equal((answer.status, answer.header("Allow")), (405, "POST"), "GET")
    wait_score(server, address, 5 * len(cases))
    for _ in range(3):
        t.equal(post(t.web(source=address), good).status, 502, "status without a KDC")
    server.wait_log(r"added IP '198\.51\.100\.7' \(with score 60\) to ban list")


def test_another_kdc_answers_when_one_is_down(t):
    """Several lines for one realm: the next KDC is asked; with none left it is 502 and the log names them all."""
    kdc, server = world(t, "%s %s tcp@%s:89" % (PATH, REALM, LAN4), "%s %s udp@%s:89" % (PATH, REALM, LAN4),
                        "%s %s %s" % (PATH, REALM, KDC))
    kinit(t, kdc)
    kdc.stop()
    t.equal(post(t.web(), message(as_req())).status, 502, "status without any KDC")
    server.wait_log(r"kdc-no-answer .*tcp@198.18.1.2:89: .*, udp@198.18.1.2:89: .*, tcp@198.18.1.2:88: ")
    kdc.start()
    kinit(t, kdc)


def test_the_proxy_belongs_to_its_host(t):
    """Config 8.13: a virtual host has the KDCs of its own lines; elsewhere the path means what it always did."""
    kdc, server = world(t, "/Default %s %s" % (REALM, KDC),
                        vhosts=[("other.e2e.test", {"kkdcp": "%s %s %s" % (PATH, REALM, KDC)})])
    request = message(as_req())
    t.equal(post(t.web(name="other.e2e.test"), request).status, 200, "status at the virtual host")
    t.equal(t.web().get(PATH).status, 404, "GET elsewhere")
    t.expect(post(t.web(), request).header("Content-Type") != "application/kerberos", "the path works elsewhere")
    t.equal(post(t.web(), request, "/Default").status, 200, "status at the default host")


def test_a_silent_kdc_delays_nobody_else(t):
    """Protocol 98: while a KDC does not answer, others log in at once; the client that waits may leave."""
    server = world(t, "%s %s udp@%s:89" % (PATH, REALM, LAN4), kdc=False)[1]
    silent = t.net.socket(t.net.lan, 2, 2)
    silent.bind((LAN4, 89))
    waiting = [t.web() for _ in range(3)]
    for web in waiting:
        body = message(as_req())
        web.send(b"POST %s HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (PATH.encode(), len(body)) + body)
    wait_for("the KDC to be asked", lambda: silent.recv(2000))
    t.expect(silent.recv(2000).startswith(as_req()[:1]), "the datagram is no AS-REQ")
    for _ in range(5):
        t.web().must_login("test", VPN_PASSWORD)
    silent.close()
    server.wait_log("kdc-no-answer .*Connection refused")
