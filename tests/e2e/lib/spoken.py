"""Pieces of the dialogue for tests that speak it by hand."""
import hashlib
import re
import ssl
import time
from xml.sax.saxutils import unescape

B64 = r"[A-Za-z0-9+/]{43}="
ANYCONNECT = "AnyConnect Windows 4.10.01075"


def sha1_of(web):
    """The SHA-1 of the certificate this connection was shown."""
    return hashlib.sha1(web.socket.getpeercert(True)).hexdigest().upper()


def pairs(answer):
    """The head as (name, value), in order."""
    return [tuple(line.split(": ", 1)) for line in answer.lines[1:] if line]


def xml_init(inside):
    return '<?xml version="1.0" encoding="UTF-8"?>\n<config-auth client="vpn" type="init">%s</config-auth>' % inside


def xml_reply(inside, more=""):
    return '<?xml version="1.0"?><config-auth client="vpn" type="auth-reply"><auth>%s</auth>%s</config-auth>' % (
        inside, more)


def wrong_login(t, user, **options):
    web = t.web(**options)
    web.init()
    start = time.monotonic()
    answer = web.reply([("username", user), ("password", "wrong")])
    return web, answer, time.monotonic() - start


GROUPS = {"select-group": ["staff[Staff & \u041f\u0435\u0440\u0441\u043e\u043d\u0430\u043b]", "guests", "admins[The <admins>]"]}


def options_of(answer):
    """The entries of the group list: (value, label, selected)."""
    return [(unescape(v, {"&quot;": '"'}), unescape(label), bool(s)) for s, v, label in
            re.findall(r'<option( selected="true")? value="([^"]*)">([^<]*)</option>', answer.body)]


def select(group):
    return "<group-select>%s</group-select>" % group


def group_of(t, web):
    """The group of WEB's session: by a header with the variable."""
    return web.connect().header("X-Group")


DTLS = ["X-DTLS-Master-Secret: " + "ab" * 48, "X-DTLS-CipherSuite: PSK-NEGOTIATE:OC-DTLS1_2-AES256-GCM:AES128-SHA"]


def last_alert(web):
    """What TLS says behind the last answer."""
    web.socket.settimeout(5)
    try:
        return web.file.read(1)
    except ssl.SSLError as error:
        return str(error).lower()
