"""RADIUS: logins, challenges, settings from the reply, several servers, against FreeRADIUS."""
from lib.freeradius import FreeRadius, radclient

USERS = """
carol Cleartext-Password := "secret"
	Service-Type = Framed-User,
	Class = "OU=staff;admins"
"""


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
