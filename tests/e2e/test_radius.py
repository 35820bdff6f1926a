"""RADIUS: logins, challenges, settings from the reply, several servers, against FreeRADIUS."""
from lib.client import authenticate
from lib.freeradius import FreeRadius, radclient
from lib.server import PASSWORD
from lib.web import Web

USERS = """
carol Cleartext-Password := "secret"
	Service-Type = Framed-User,
	Framed-IP-Address = 198.19.0.50,
	Class = "OU=staff;admins",
	Class += "guests",
	Framed-Route = "172.16.0.0/12 198.19.0.1 1",
	Framed-Route += "192.168.1.0/8",
	Framed-Route += "10.9.8.7",
	Framed-IPv6-Prefix = 2001:db8:7::/48,
	Framed-IPv6-Route = "2001:db8:8::/48 :: 1",
	MS-Primary-DNS-Server = 10.8.0.1,
	MS-Secondary-DNS-Server = 10.8.0.2,
	DNS-Server-IPv6-Address = 2001:db8::53,
	DNS-Server-IPv6-Address += 2001:db8::54,
	DNS-Server-IPv6-Address += 2001:db8::55,
	Session-Timeout = 28800,
	Acct-Interim-Interval = 600,
	RP-Upstream-Speed-Limit = 16,
	RP-Downstream-Speed-Limit = 32,
	Idle-Timeout = 77

test Cleartext-Password := "secret"
	Class = "plain"
"""


def auth(conf, more="", method="radius"):
    return '"%s[config=%s%s]"' % (method, conf, more)


def radius_server(t, radius, more="", conf=None, client=None, **options):
    """A VPN server that asks RADIUS."""
    return t.server(dict({"auth": auth(client or radius.client_conf(), more)}, **(conf or {})), users={}, **options)


def test_freeradius_itself(t):
    """The tests' own FreeRADIUS answers and writes down what it was asked."""
    radius = FreeRadius(t, users=USERS)
    text = radclient(radius, "auth", 'User-Name = "carol"\nUser-Password = "secret"\nMessage-Authenticator = 0x00\n')
    t.expect("Access-Accept" in text, "refused", text)
    t.equal(radius.requests()[0]["User-Name"], "carol", "recorded user")
    text = radclient(radius, "auth", 'User-Name = "carol"\nUser-Password = "wrong"')
    t.expect("Access-Reject" in text, "not refused", text)
    text = radclient(radius, "acct", 'User-Name = "carol"\nAcct-Status-Type = Start\nAcct-Session-Id = "a\\"b"',
                     port=radius.acct_port)
    t.expect("Accounting-Response" in text, "no answer", text)
    t.equal(radius.wait_accounting("Start")[0]["Acct-Session-Id"], 'a"b', "session id")


def test_login(t):
    """Checklist 181, 182; radius.md 2: the right password connects; the request has all attributes and no other."""
    radius = FreeRadius(t, users=USERS, require=True)
    server = radius_server(t, radius, ",nas-identifier=vpn1")
    t.expect(authenticate(t, "test", "wrong") is None, "a wrong password gave a cookie")
    t.expect(authenticate(t, "nobody", "secret") is None, "an unknown user got a cookie")
    client = t.client(dtls=False).wait()
    user = server.user()
    t.equal(user["IPv4"], client.ip4, "address in occtl")
    request = radius.requests()[-1]
    wanted = {"User-Name": "test", "User-Password": "secret", "NAS-IP-Address": "198.18.0.1",
              "NAS-Identifier": "vpn1", "Calling-Station-Id": "198.18.0.2", "Acct-Session-Id": user["Full session"],
              "Service-Type": "Authenticate-Only", "NAS-Port-Type": "Async"}
    for name, value in wanted.items():
        t.equal(request.get(name), value, name)
    t.expect("Open AnyConnect VPN Agent" in request["Connect-Info"], "Connect-Info", request)
    t.expect("Message-Authenticator" in request, "no Message-Authenticator", request)
    others = set(request) - set(wanted) - {"Connect-Info", "Message-Authenticator", "Time", "Timestamp", "Packet-Type"}
    t.expect(not others, "further attributes", others, request)
    t.equal(client.stop(), 0, "exit status of openconnect")


def test_settings_of_the_reply(t):
    """Checklist 181, 185, 186; radius.md 3.2: groupconfig=true takes addresses, routes, DNS, limits from the reply."""
    radius = FreeRadius(t, users=USERS)
    server = radius_server(t, radius, ",groupconfig=true", {"dns": "198.18.1.53", "session-timeout": 99}, debug=4)
    client = t.client(user="carol", dtls=False).wait()
    t.equal(client.ip4, "198.19.0.50", "Framed-IP-Address")
    routes = {"%s/%s" % (client.env["CISCO_SPLIT_INC_%d_ADDR" % i], client.env["CISCO_SPLIT_INC_%d_MASKLEN" % i])
              for i in range(int(client.env["CISCO_SPLIT_INC"]))}
    t.equal(routes, {"172.16.0.0/12", "192.0.0.0/8"}, "routes, without the one that has no prefix")
    routes = {"%s/%s" % (client.env["CISCO_IPV6_SPLIT_INC_%d_ADDR" % i],
                         client.env["CISCO_IPV6_SPLIT_INC_%d_MASKLEN" % i])
              for i in range(int(client.env["CISCO_IPV6_SPLIT_INC"]))}
    t.equal(routes, {"2001:db8:7::/48", "2001:db8:8::/48"}, "IPv6 routes")
    t.equal(client.env["INTERNAL_IP4_DNS"].split(), ["10.8.0.1", "10.8.0.2", "2001:db8::53"],
            "name servers for the script (openconnect takes three)")
    row = server.user("carol")
    t.equal((row.get("Limit RX"), row.get("Limit TX")), ("16.0 kB/s", "32.0 kB/s"), "limits in occtl")
    t.expect("2001:db8:7::/48" in row["Routes"], "IPv6 prefix in occtl", row)
    client.stop()
    server.wait_no_user("carol")
    answer = t.web().must_login("carol").connect()
    t.equal(answer.headers("X-CSTP-Split-Include"), ["172.16.0.0/255.240.0.0", "192.168.1.0/255.0.0.0"], "routes")
    t.equal(answer.headers("X-CSTP-DNS"), ["10.8.0.1", "10.8.0.2", "2001:db8::53", "2001:db8::54"],
            "name servers in their order")
    t.equal(answer.header("X-CSTP-Session-Timeout"), "28800", "Session-Timeout")
    server.wait_log("cannot handle more than 2 DNS servers, ignoring additional DNS server from RADIUS: 2001:db8::55")
    server.wait_log(r"ignoring server's attribute \(28,0\) of type 1")
