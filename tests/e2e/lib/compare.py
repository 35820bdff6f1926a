"""Two servers with one configuration: what the same clients get from each, as rows of a table."""
import re

from .server import Server, Tools, conf_text
from .shell import sh

OCSERV, OCSERV_CONF = "/usr/sbin/ocserv", "/etc/ocserv/ocserv.conf"

# Lines of ocserv's sample that are commented out there, so that more is compared.
MORE = ("ipv6-network", "nbns", "split-dns", "no-route", "idle-timeout", "session-timeout", "mobile-idle-timeout",
        "banner", "pre-login-banner", "custom-header", "tunnel-all-dns", "rx-data-per-sec", "tx-data-per-sec",
        "stats-report-time", "default-select-group")
# What differs from one run to the next, by name, and what stands for it.
VOLATILE = {"X-CSTP-Address": "(from the pool)", "X-CSTP-Address-IP6": "(from the pool)", "IPv4": "(from the pool)",
            "IPv6": "(from the pool)", "INTERNAL_IP4_ADDRESS": "(from the pool)", "X-DTLS-App-ID": "(random)",
            "INTERNAL_IP6_ADDRESS": "(from the pool)", "INTERNAL_IP6_NETMASK": "(from the pool)",
            "X-CSTP-Rekey-Time": "(172800, moved by some seconds)", "X-DTLS-Rekey-Time": "(172800, moved by some seconds)",
            "X-CSTP-Session-Timeout-Remaining": "(86400, less what has passed)"}
# What openconnect makes of the headers; CISCO_CSTP_OPTIONS and the like are the headers once more.
ENVIRONMENT = re.compile(r"^(?!CISCO_\w+_OPTIONS)(CISCO_|INTERNAL_|IDLE_TIMEOUT)")
# Keys of occtl that tell when, from where and which connection.
SKIPPED_KEYS = re.compile(r"^(ID|Session|Full session|Last connected|_|raw_|RX|TX|Average|Connected|Device$|Remote IP)")


class OcservServer(Server):
    """Debian's ocserv in the test's network."""

    def __init__(self, test, **options):
        self.others = Tools(OCSERV)
        ours, test.tools = test.tools, self.others
        try:
            super().__init__(test, **options)
        finally:
            test.tools = ours

    def roles(self):
        return {"super": self.process.pid, "workers": []}


def sample_text(server):
    """ocserv's sample for SERVER's folder, keys and user, with MORE."""
    with open(OCSERV_CONF) as sample:
        text = sample.read()
    text = text.replace("passwd=/etc/ocserv/passwd", "passwd=%s/passwd" % server.dir)
    for option, value in (("run-as-user", "nobody"), ("run-as-group", "nogroup"), ("chroot-dir", None),
                          ("socket-file", server.dir + "/sock"), ("pid-file", server.dir + "/pid"),
                          ("isolate-workers", str(server.test.isolate).lower())):
        text = re.sub(r"(?m)^%s = .*$" % option, "%s = %s" % (option, value) if value else "", text)
    for option in MORE:
        text = re.sub(r"(?m)^#(%s = )" % option, r"\1", text, count=1)
    keys = {key: server.conf[key] for key in ("server-cert", "server-key", "occtl-socket-file")}
    return conf_text(keys) + text


def stable(rows):
    """ROWS without what is another value each time, in order of their names."""
    return {name: VOLATILE.get(name, flat(rows[name])) for name in sorted(rows)}


def flat(value):
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)


def observe(t, server):
    """What clients get from SERVER: {table: {name: value}}."""
    server.write_file("conf", sample_text(server))
    server.start()
    web = t.web()
    answer = web.must_login().connect(headers=["X-DTLS-Master-Secret: " + "ab" * 48,
                                               "X-DTLS12-CipherSuite: OC-DTLS1_2-AES256-GCM",
                                               "X-DTLS-CipherSuite: PSK-NEGOTIATE:OC-DTLS1_2-AES256-GCM"])
    headers = {"(status)": answer.head.splitlines()[0]}
    for line in answer.head.splitlines()[1:]:
        name, _, value = line.partition(": ")
        headers.setdefault(name, []).append(value)
    headers.pop("", None)
    web.close()
    server.wait_no_user()
    client = t.client(arguments=["--local-hostname", "laptop"]).wait()
    tables = {"Headers of the tunnel's response": stable(headers),
              "Environment of the client's script": stable({
                  name: value for name, value in client.env.items() if ENVIRONMENT.match(name)}),
              "occtl -j show user": stable({
                  name: value for name, value in server.user().items() if not SKIPPED_KEYS.match(name)})}
    client.stop()
    server.stop()
    return tables


def version_of_ocserv():
    """As it tells itself; Debian's revisions change nothing here."""
    return re.search(r"\d+(\.\d+)+", sh(OCSERV, "--version", check=False).stderr).group(0)


def rows_of(one, other):
    """(name, value of ONE, value of OTHER) for every name of either."""
    names = list(one) + [name for name in other if name not in one]
    return [(name, one.get(name), other.get(name)) for name in names]
