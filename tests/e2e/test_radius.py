"""RADIUS: logins, challenges, groups and settings from the reply, against FreeRADIUS."""
import re

from lib.client import authenticate
from lib.freeradius import FreeRadius, radclient
from lib.net import CLIENT6, SERVER6
from lib.radius_cases import OTP_REJECT, USERS, auth, otp_radius, radius_server
from lib.shell import wait_for


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


def test_challenge_rounds(t):
    """Checklist 188; radius.md 4.1: password, then three stages; labels count up, State is kept, one session id."""
    radius = otp_radius(t)
    radius_server(t, radius)
    client = t.client(user="otp", dtls=False, stdin="secret\n111111\n222222\n333333\n").wait()
    for stage in (1, 2, 3):
        t.expect("Enter code %d" % stage in client.log(), "message of stage %d" % stage, client.log())
    requests = radius.requests("otp")
    t.equal([r["User-Password"] for r in requests], ["secret", "111111", "222222", "333333"], "answers")
    t.expect("State" not in requests[0] and all("State" in r for r in requests[1:]), "State", requests)
    t.equal(len({r["Acct-Session-Id"] for r in requests}), 1, "session ids")
    client.stop()
    web = t.web()
    answer = web.reply([("username", "otp"), ("password", "secret")], path=web.action(web.init()))
    for stage, code in ((1, "111111"), (2, "222222"), (3, "333333")):
        t.expect('name="secondary_password"' in answer.body and 'label="Password%d:"' % stage in answer.body,
                 "form of stage %d" % stage, answer.body)
        t.expect("Enter code %d" % stage in answer.body, "text of stage %d" % stage, answer.body)
        answer = web.reply([("secondary_password", code)], path=web.action(answer))
    t.expect(answer.success, "not accepted", answer.body)


def test_challenge_refused(t):
    """Checklist 152, 188; radius.md 4.1, 4.2: a wrong or empty answer ends the login, and so do broken challenges."""
    radius = otp_radius(t)
    server = radius_server(t, radius, conf={"max-ban-score": 80})
    for codes in (["999999"], [""], ["111111", "111111"], ["111111", ""]):
        web = t.web()
        answer = web.reply([("username", "otp"), ("password", "secret")], path=web.action(web.init()))
        for code in codes:
            t.equal(answer.status, 200, "status before %r" % codes)
            answer = web.reply([("secondary_password", code)], path=web.action(answer))
        t.equal(answer.status, 401, "status after %r" % codes)
    server.wait_log(r"radius-auth: error authenticating user 'otp' \(code 2\)")
    t.equal(radius.requests("otp")[-1]["User-Password"], "", "an empty answer is sent as an empty password")
    web = t.web()
    answer = web.reply([("username", "blank"), ("password", "x")], path=web.action(web.init()))
    t.equal(answer.status, 401, "status after a challenge without text")
    source = t.net.add_client_address("198.51.100.7")
    web = t.web(source=source)
    answer = web.reply([("username", "endless"), ("password", "x")], path=web.action(web.init()))
    rounds = 0
    while answer.status == 200 and rounds < 20:
        rounds += 1
        if rounds == 8:  # a connection has a limit of requests, a login has not
            web = t.web(cookies=web.cookies, source=source)
        answer = web.reply([("secondary_password", "x")], path=web.action(answer))
    t.equal((answer.status, rounds), (401, 16), "status and number of challenges")
    t.equal(len(re.findall("Access-Challenge with invalid State or Reply-Message, or max number of password "
                           "requests exceeded", server.log())), 2, "lines in the log")
    t.equal(server.occtl_json("show", "ip", "bans"), [], "bans after many different challenges")
    t.equal(t.web(source=source).init().status, 200, "status of another login from there")


def test_challenge_repeated_is_scored(t):
    """Checklist 151; radius.md 4.1: a challenge with the same text keeps its number and counts as a failed try."""
    radius = otp_radius(t)
    server = radius_server(t, radius, conf={"max-ban-score": 40, "ban-points-wrong-password": 10,
                                            "ban-points-connection": 0, "min-reauth-time": 30})
    source = t.net.add_client_address("198.51.100.7")
    web = t.web(source=source)
    answer = web.reply([("username", "otpsame"), ("password", "secret")], path=web.action(web.init()))
    for _ in range(4):
        t.expect('label="Password1:"' in answer.body, "number of the question", answer.body)
        answer = web.reply([("secondary_password", "again")], path=web.action(answer))
    wait_for("the points", lambda: any(row["IP"] == source and row["Score"] >= 40
                                       for row in server.occtl_json("show", "ip", "bans", "points")))


def test_reject_message_and_tries(t):
    """Radius.md 4.2: the Reply-Message of a refusal is shown; three tries in total, then 401; each is a request."""
    radius = FreeRadius(t, users=USERS, reject=OTP_REJECT)
    server = radius_server(t, radius)
    def first_try(web):
        return web.reply([("username", "test"), ("password", "wrong")], path=web.action(web.init()))

    web = t.web()
    answer = first_try(web)
    t.expect("Your account says no" in answer.body, "no Reply-Message", answer.body)
    for _ in range(2):
        t.equal(answer.status, 200, "status with tries left")
        answer = web.reply([("password", "wrong")], path=web.action(answer))
    t.equal(answer.status, 401, "status after the third")
    t.equal(len(radius.requests("test")), 3, "requests")
    server.wait_log(r"radius-auth: error authenticating user 'test' \(code 2\)")
    web = t.web()
    answer = first_try(web)
    answer = web.reply([("password", "secret")], path=web.action(answer))
    t.expect(answer.success, "the right password at the second try was refused", answer.body)


GROUPS = """
semi Cleartext-Password := "secret"
	Class = "OU=staff;admins",
	Class += "OU=ops,dev"

comma Cleartext-Password := "secret"
	Class = "OU=staff,admins",
	Class += "one;name"

none Cleartext-Password := "secret"

login Cleartext-Password := "secret"
	Service-Type = Login-User

many Cleartext-Password := "secret"
""" + "\tClass = \"OU=" + ";".join("g%d" % n for n in range(60)) + "\"" + "".join(
    ",\n\tClass += \"OU=%s\"" % ";".join("h%d-%d" % (k, n) for n in range(34)) for k in range(15)) + "\n"


def test_class_groups(t):
    """Checklist 187; radius.md 3.3: groups of all Class attributes, the first is the default, both separators."""
    radius = FreeRadius(t, users=GROUPS)
    conf = radius.client_conf()
    server = t.server({"auth": auth(conf), "select-group": ["staff", "guests[Guest network]"]}, users={},
                      vhosts=[("comma.test", {"auth": auth(conf, ",group-separator=comma")})], debug=4)
    for user, group, host, wanted in (
            ("semi", None, None, "staff"), ("semi", "admins", None, "admins"), ("semi", "ops,dev", None, "ops,dev"),
            ("comma", None, None, "staff,admins"), ("comma", "one;name", None, "one;name"),
            ("comma", None, "comma.test", "staff"), ("comma", "admins", "comma.test", "admins"),
            ("comma", "one;name", "comma.test", "one;name"), ("many", "h10-33", None, "h10-33")):
        web = t.web(name=host).must_login(user, "secret", group=group)
        tunnel = web.open()
        t.equal(server.user(user)["Groupname"], wanted, "group of %s who chose %s" % (user, group))
        tunnel.bye()
        server.wait_no_user(user)
    for user, group in (("semi", "guests"), ("semi", "nothing"), ("semi", "ops"), ("comma", "admins"),
                        ("none", "staff"), ("many", "h14-33")):
        t.expect(not t.web().login(user, "secret", group=group).success, "%s got in as %s" % (user, group))
    server.wait_log("requested group 'guests' but is not a member")
    server.wait_log("more than 512 groups")
    tunnel = t.web().must_login("none", "secret").open()
    t.equal(server.user("none")["Groupname"], "(none)", "group of a user without any")
    tunnel.bye()
    client = t.client(user="semi", dtls=False, arguments=["--authgroup", "staff"]).wait()
    t.equal(server.user("semi")["Groupname"], "staff", "group chosen with openconnect")
    client.stop()
    web = t.web()
    answer = web.login("login", "secret")
    for _ in range(2):
        t.equal(answer.status, 200, "status with tries left")
        answer = web.reply([("password", "secret")], path=web.action(answer))
    t.equal(answer.status, 401, "a Service-Type other than Framed")
    server.wait_log(r"error authenticating user 'login' \(unknown radius service type\)")


ADDRESSES = """
pool Cleartext-Password := "secret"
	Framed-IP-Address = 255.255.255.254,
	Session-Timeout = 0

masked Cleartext-Password := "secret"
	Framed-IP-Address = 198.19.0.77,
	Framed-IP-Netmask = 255.255.255.255,
	Framed-IPv6-Address = 2001:db8:5::10

block Cleartext-Password := "secret"
	Delegated-IPv6-Prefix = 2001:db8:6::/56

both Cleartext-Password := "secret"
	Framed-IPv6-Address = 2001:db8:9:7::9,
	Delegated-IPv6-Prefix = 2001:db8:9::/48

inside Cleartext-Password := "secret"
	Framed-IPv6-Address = fd00:77::99

badroute Cleartext-Password := "secret"
	Framed-Route = "10.0.0.0/33 1"
"""


def test_addresses_of_the_reply(t):
    """Radius.md 3.2: mask for the client, IPv6 address with a /64, delegated block, "from the pool", bad route."""
    radius = FreeRadius(t, users=ADDRESSES)
    server = radius_server(t, radius, ",groupconfig=true", {"session-timeout": 99})

    def connect(user):
        return t.web().must_login(user).connect()

    answer = connect("pool")
    t.equal(answer.header("X-CSTP-Netmask"), "255.255.255.0", "mask of the pool")
    t.expect((answer.header("X-CSTP-Address") or "").startswith("198.19.0."), "address of the pool", answer.head)
    t.equal(answer.header("X-CSTP-Session-Timeout"), "99", "the host's session-timeout, as zero changes nothing")
    t.equal(answer.headers("X-CSTP-Split-Include"), ["198.18.1.0/255.255.255.0"], "the host's routes")
    answer = connect("masked")
    t.equal((answer.header("X-CSTP-Address"), answer.header("X-CSTP-Netmask")), ("198.19.0.77", "255.255.255.255"),
            "address and mask")
    t.equal(answer.header("X-CSTP-Address-IP6"), "2001:db8:5::10/64", "IPv6 address")
    t.equal(connect("block").header("X-CSTP-Address-IP6"), "2001:db8:6::1/56", "delegated block")
    t.equal(connect("inside").header("X-CSTP-Address-IP6"), "fd00:77::99/128", "address of the host's pool")
    answer = connect("badroute")
    t.equal(answer.status, 401, "status with a malformed route")
    server.wait_log(r"Route '10.0.0.0/33' is malformed")
    client = t.client(user="both", dtls=False).wait()
    t.equal(client.env.get("INTERNAL_IP6_NETMASK"), "2001:db8:9:7::9/48", "address in the delegated block")


def test_attributes_stay_out_without_groupconfig(t):
    """Radius.md 5.3: without groupconfig only Class counts, and per-user files do."""
    radius = FreeRadius(t, users=USERS)
    server = radius_server(t, radius, start=False)
    server.write_file("users/carol", "dns = 10.7.0.53\n")
    server.write_file("groups/staff", "route = 10.7.0.0/16\n")
    server.write_conf(config_per_user=server.dir + "/users", config_per_group=server.dir + "/groups")
    server.start()
    answer = t.web().must_login("carol").connect()
    t.expect(answer.header("X-CSTP-Address") != "198.19.0.50", "Framed-IP-Address was taken", answer.head)
    t.equal(answer.headers("X-CSTP-DNS"), ["10.7.0.53"], "DNS of the user's file")
    t.equal(answer.headers("X-CSTP-Split-Include"), ["10.7.0.0/255.255.0.0"], "routes of the group's file")


def test_ipv6_client_and_realm(t):
    """Radius.md 1, 2: NAS-IPv6-Address for a client over IPv6, default realm, the client file's identifier."""
    radius = FreeRadius(t, users=USERS.replace("test Clear", "test@example.org Clear"))
    conf = radius.client_conf(more="nas-identifier from-file")
    text = open(conf).read().replace("default_realm", "default_realm example.org")
    radius.write("client.conf", text)
    radius_server(t, radius, client=conf)
    web = t.web(host=SERVER6)
    web.must_login()
    request = radius.requests()[-1]
    for name, value in (("User-Name", "test@example.org"), ("NAS-IPv6-Address", SERVER6),
                        ("Calling-Station-Id", CLIENT6), ("NAS-Identifier", "from-file")):
        t.equal(request.get(name), value, name)
    t.expect("NAS-IP-Address" not in request, "both addresses", request)


def test_client_file_faults(t):
    """Radius.md 1: faults of the client file end the start with one line; unknown keywords are told and tolerated."""
    radius = FreeRadius(t, users=USERS)
    good = open(radius.client_conf()).read()
    for name, text, said in (
            ("missing", None, "radius initialization error: .*missing.conf: No such file"),
            ("dictionary", good.replace("/etc/radcli/dictionary", "/nonexistent/dictionary"),
             "error reading the radius dictionary: /nonexistent/dictionary: No such file"),
            ("nodict", good.replace("dictionary ", "#"), "no dictionary is named; write dictionary FILE"),
            ("noserver", re.sub("(?m)^(auth|acct)server.*$", "", good), "no server is named; write authserver"),
            ("timeout", good.replace("radius_timeout 2", "radius_timeout soon"), "line 7: radius_timeout is 'soon'"),
            ("port", good.replace(":1812", ":99999"), "line 2: a server is not HOST, HOST:PORT or HOST:PORT:SECRET"),
            ("secret", re.sub("(?m)^servers .*$", "", good), "a server has no secret; write HOST:PORT:SECRET"),
            ("tls", good + "serv-type tls\n", "TLS needs tls-ca-file"),
            ("noacct", re.sub("(?m)^acctserver.*$", "", good), "no server is named for accounting; write acctserver")):
        path = "%s/%s.conf" % (radius.dir, name)
        if text:
            radius.write(name + ".conf", text)
        server = t.server({"auth": auth(path), "acct": auth(path)}, users={}, start=False)
        server.start(wait=False)
        t.equal(server.process.wait(20 * t.slow) != 0, True, "exit status with " + name)
        server.wait_log(said)
    radius.write("more.conf", good + "made_up_keyword 1\nlogin_tries 4\nseqfile /var/run/radius.seq\n"
                  "mapfile /etc/none\nissue /etc/none\nauth_order radius,local\n")
    server = radius_server(t, radius, client=radius.dir + "/more.conf")
    server.wait_log('radius-keyword-ignored .*keyword="made_up_keyword"')
    t.expect("login_tries" not in server.log(), "a relic was told about")
    t.web().must_login()


def test_many_routes(t):
    """Radius.md 3.2: as many routes as one reply can hold become routes of the session."""
    routes = ["10.%d.%d.0/24" % (n // 200, n % 200) for n in range(280)]
    radius = FreeRadius(t, users='many Cleartext-Password := "secret"\n\tService-Type = Framed-User' + "".join(
        ',\n\tFramed-Route += "%s"' % route for route in routes) + "\n")
    radius_server(t, radius, ",groupconfig=true")
    answer = t.web().must_login("many").connect()
    t.equal(len(answer.headers("X-CSTP-Split-Include")), len(routes), "routes in the tunnel's headers")


def test_session_id_everywhere(t):
    """Checklist 182: one session id in the Access-Request, all accounting records and occtl, over a reconnect, too."""
    radius = FreeRadius(t, users=USERS)
    conf = radius.client_conf()
    server = t.server({"auth": auth(conf), "acct": auth(conf)}, users={})
    web = t.web().must_login()
    web.open()
    sid = server.user()["Full session"]
    again = t.web(cookies=web.cookies)
    again.open().bye()
    radius.wait_accounting("Stop")
    t.equal({row["Acct-Session-Id"] for row in radius.requests() + radius.accounting()}, {sid}, "session ids")


def test_client_file_changes_count_at_once(t):
    """Radius.md 1: the client file is read for every login, so a new server needs no restart; a broken one lets
    nobody in, and a reload says what is wrong with it."""
    radius = FreeRadius(t, users=USERS, port=1822, acct_port=1823)
    conf = radius.client_conf(auth=["127.0.0.1:1812"], timeout=1, retries=0)
    server = radius_server(t, radius, client=conf)
    t.expect(not t.web().login().success, "a login without a server")
    good = open(conf).read().replace(":1812", ":1822")
    radius.write("client.conf", good)
    t.web().must_login()
    radius.write("client.conf", good + "radius_timeout soon\n")
    t.expect(not t.web().login().success, "a login with a broken client file")
    server.wait_log("radius initialization error: .*radius_timeout is 'soon'")
    server.reload()
    server.wait_log("(?s)radius_timeout is 'soon'.*radius_timeout is 'soon'")
    radius.write("client.conf", good)
    t.web().must_login()
