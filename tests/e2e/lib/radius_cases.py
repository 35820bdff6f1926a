"""What the tests about RADIUS have in common: users, stages of a login, and servers that ask."""
from .freeradius import FreeRadius

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


# Three stages after the password, each with a code of its own; FreeRADIUS keeps track by State.
OTP_POLICY = """
		if (&User-Name =~ /^otp/) {
			if (!&State) {
				update control {
					&Cleartext-Password := "secret"
				}
			}
			else {
				update control {
					&Cleartext-Password := &session-state:Tmp-String-0
				}
			}
			update control {
				&Auth-Type := Stages
			}
		}
		if (&User-Name == "blank") {
			update reply {
				&Reply-Message := ""
				&State := 0x1234
			}
			update control {
				&Auth-Type := Challenge
			}
		}
		if (&User-Name == "endless") {
			update reply {
				&Reply-Message := "again %{randstr:nnnnnnnn}"
				&State := 0x1234
			}
			update control {
				&Auth-Type := Challenge
			}
		}
"""
OTP_STAGES = """
		Auth-Type Challenge {
			challenge
		}
		Auth-Type Stages {
			if (&User-Name == "otpsame" && &User-Password == "again") {
				update session-state {
					&Tmp-Integer-0 := 1
					&Tmp-String-0 := "111111"
				}
				update reply {
					&Reply-Message := "Enter code 1"
				}
				challenge
			}
			pap
			if (!&session-state:Tmp-Integer-0) {
				update session-state {
					&Tmp-Integer-0 := 1
					&Tmp-String-0 := "111111"
				}
				update reply {
					&Reply-Message := "Enter"
					&Reply-Message += " code 1"
				}
				challenge
			}
			elsif (&session-state:Tmp-Integer-0 == 1) {
				update session-state {
					&Tmp-Integer-0 := 2
					&Tmp-String-0 := "222222"
				}
				update reply {
					&Reply-Message := "Enter code 2"
				}
				challenge
			}
			elsif (&session-state:Tmp-Integer-0 == 2) {
				update session-state {
					&Tmp-Integer-0 := 3
					&Tmp-String-0 := ""
				}
				update reply {
					&Reply-Message := "Enter nothing, please"
				}
				update reply {
					&Reply-Message := "Enter code 3"
				}
				update session-state {
					&Tmp-String-0 := "333333"
				}
				challenge
			}
			else {
				ok
			}
		}
"""
OTP_REJECT = """
			update reply {
				&Reply-Message := "Your account says no"
			}
"""
# For `post_auth`: replies carry a Message-Authenticator.
SEAL = """
			update reply {
				&Message-Authenticator := 0x00
			}
"""


def otp_radius(t, **options):
    return FreeRadius(t, users=USERS, policy=OTP_POLICY, authenticate=OTP_STAGES, **options)
