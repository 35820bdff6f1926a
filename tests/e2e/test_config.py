"""The configuration file held to config.md 2, 3, 6, 8, 9, 13, 14: what is taken, what is refused, in which words."""
import os
import re

from lib.server import conf_text
from lib.shell import sh


def check(t, server, path, flag="-t"):
    return sh("ip", "netns", "exec", t.net.srv, t.tools.server, flag, "-c", path, check=False, timeout=20)


class Base:
    """A good file to which one piece is added."""

    def __init__(self, t, **changes):
        self.t, self.server = t, t.server(start=False)
        self.conf = dict(self.server.conf)
        self.conf.update({key.replace("_", "-"): value for key, value in changes.items()})
        self.good = conf_text(self.conf)
        self.first = self.good.count("\n") + 1

    def run(self, text, flag="-t"):
        return check(self.t, self.server, self.server.write_file("case", self.good + text), flag)

    def effective(self, text, option, section=None):
        """The value(s) --print-config shows for OPTION."""
        run = self.run(text, "--print-config")
        self.t.equal(run.returncode, 0, "status of --print-config for %r\n%s" % (text, run.stderr))
        parts = re.split(r"^\[vhost:(.*)\]$", run.stdout, flags=re.M)
        body = parts[0] if section is None else dict(zip(parts[1::2], parts[2::2]))[section]
        return re.findall(r"^\s*%s = (.*?)\s*(?:\s# [^#]*)?$" % re.escape(option), body, re.M)

    def refused(self, text, *words, line=0):
        """TEXT must be refused, in WORDS, at the LINE-th of its lines (None: nowhere in particular)."""
        run = self.run(text)
        self.t.equal(run.returncode, 1, "status for %r\n%s" % (text, run.stderr))
        for word in words:
            self.t.expect(word in run.stderr, "%r is missing for %r" % (word, text), run.stderr)
        if line is not None:
            where = "case:%d" % (self.first + line)
            self.t.expect(re.search(re.escape(where) + r"\b", run.stderr), "%s is missing for %r" % (where, text),
                          run.stderr)

    def accepted(self, text, *words):
        run = self.run(text)
        self.t.equal(run.returncode, 0, "status for %r\n%s" % (text, run.stderr))
        for word in words:
            self.t.expect(word in run.stderr, "%r is missing for %r" % (word, text), run.stderr)
        return run


def test_grammar(t):
    """Config 2, checklist 206, 207, 210: comments, separators, continuation, sections, long lines, BOM."""
    base = Base(t, route=None, dpd=None)
    for text, option, wanted in (
            ("dpd = 90# x\n", "dpd", ["90"]), ("dpd = 91 # x\n", "dpd", ["91"]), ("dpd=92", "dpd", ["92"]),
            ("dpd : 93  \r\n", "dpd", ["93"]), ("dpd = 1\ndpd = 95\n", "dpd", ["95"]),
            ("; dpd = 1\n# dpd = 2\n\t# dpd = 3\ndpd = 96\n", "dpd", ["96"]), ("dpd =\n", "dpd", ["0"]),
            ("dpd = 12abc\n", "dpd", ["12"]), ("dpd = abc\n", "dpd", ["0"]), ("dpd = \"97\"\n", "dpd", ["97"]),
            ("route = 10.0.0.0/8\n\n  10.1.0.0/16\n\t10.2.0.0/16\n", "route",
             ["10.0.0.0/255.0.0.0", "10.1.0.0/255.255.0.0", "10.2.0.0/255.255.0.0"]),
            ("banner = a;b # c\n", "banner", ["a;b"]), ("banner = \"\"x\" y\"\n", "banner", ["x\" y"])):
        t.equal(base.effective(text, option), wanted, "%s of %r" % (option, text))
    base.refused("nothing\n", line=0)
    base.refused("dpd = 5\n[vhost:x\n", line=1)
    base.refused("banner = %s\n" % ("x" * 2100), line=0)
    base.accepted("banner = %s\n" % ("x" * 256))
    base.refused("banner = %s\n" % ("x" * 257), "banner size is too long", line=0)
    bom = base.server.write_file("bom", "\ufeff" + base.good)
    t.equal(check(t, base.server, bom).returncode, 0, "status with a BOM")
    run = base.accepted("pre-login-banner = %s\n" % ("%" * 1500))
    t.equal(run.stderr.count("error"), 0, "errors")
    headers = 'included-http-headers = Clear-Site-Data: "cache","cookies"\nincluded-http-headers = X: "a;b"  # no\n'
    t.equal(base.effective(headers, "included-http-headers")[0], 'Clear-Site-Data: "cache","cookies"', "raw value")


def test_booleans_and_odd_numbers(t):
    """Config 2.1, checklist 209: what counts as true; odd ones warn and keep their meaning."""
    base = Base(t, predictable_ips=None)
    for text, wanted in (("true", "true"), ("YES", "true"), ("True", "true"), ("1", "false"), ("on", "false"),
                         ("no", "false"), ("false", "false")):
        t.equal(base.effective("predictable-ips = %s\n" % text, "predictable-ips"), [wanted], text)
    for text in ("predictable-ips = on\n", "dpd = ten\n", "keepalive = 12x\n"):
        base.accepted(text, "warning", "case:%d" % base.first)


def test_unknown_and_old_names(t):
    """Config 2.2, 8.16, checklist 3, 209, 211: warned of, noted, refused."""
    base = Base(t, isolate_workers=None)
    base.accepted("no-such = 1\n", "skipping unknown option 'no-such'")
    base.accepted("DPD = 1\n", "skipping unknown option 'DPD'")
    base.accepted("cgroup = cpuset:x\n", "skipping unknown option 'cgroup'")
    base.accepted("[strange]\ntcp-port = x\n", "skipping unknown section 'strange'")
    base.accepted("min-reauth-time = 5\n", "'min-reauth-time' was replaced by 'ban-time'")
    base.accepted("use-seccomp = true\n", "'use-seccomp' was replaced by 'isolate-workers'")
    base.accepted("use-dbus = true\n", "'use-dbus' was replaced by 'use-occtl'")
    base.accepted("use-dbus = no\nuse-dbus = false\n")
    base.accepted("session-control = true\n", "the option 'session-control' is deprecated")
    base.accepted("always-require-cert = true\n")
    base.accepted("always-require-cert = false\ndtls-legacy = true\n",
                  "'always-require-cert' was replaced by 'cisco-client-compat'")
    base.refused("listen-clear-file = /x\n", "the 'listen-clear-file' option was removed")
    t.equal(base.effective("min-reauth-time = 5\n", "ban-time"), ["5"], "ban-time by its old name")
    t.equal(base.effective("use-seccomp = true\n", "isolate-workers"), ["true"], "isolate-workers by its old name")


def test_values_that_refuse_to_start(t):
    """Checklist 208, 213, config 8, 9: each with its line, its option and its words."""
    base = Base(t, route=None, rekey_method=None)
    for text, *words in (
            ("rekey-method = magic\n", "unknown rekey method 'magic'", "rekey-method"),
            ("syslog-facility = moon\n", "unknown syslog facility", "moon"),
            ("dns = local\n", "the 'local' DNS keyword is no longer supported"),
            ("restrict-user-to-ports = tcp(443),\n", "restrict-user-to-ports"),
            ("restrict-user-to-ports = tcp(443\n", "restrict-user-to-ports"),
            ("restrict-user-to-ports = ipx(443)\n", "unknown protocol on restrict-user-to-ports"),
            ("restrict-user-to-ports = !(tcp(443)\n", "restrict-user-to-ports"),
            ("restrict-user-to-ports = !tcp(443)\n", "restrict-user-to-ports"),
            ("kkdcp = /x REALM sctp@1.2.3.4:88\n", "kkdcp"), ("kkdcp = /x REALM\n", "kkdcp"),
            ("kkdcp = /x REALM tcp@1.2.3.4:99999\n", "kkdcp"),
            ("ipv6-subnet-prefix = 64\n", "the subnet prefix (64) cannot be smaller or equal to network's (64)"),
            ("ipv6-subnet-prefix = 129\n", "invalid IPv6 subnet prefix: 129"),
            ("ipv6-prefix = 5\n", "invalid IPv6 prefix: 5"),
            ("match-tls-dtls-ciphers = true\n", "match-tls-dtls-ciphers"),
            ("cisco-svc-client-compat = true\nudp-port = 4443\n", "cisco-svc-client-compat", "requires udp-port = 443"),
            ("server-cert = /nonexistent\nserver-key = /nonexistent\n", "/nonexistent"),
            ("tls-priorities = NONSENSE\n", "tls-priorities"), ("run-as-user = nosuchuser\n", "nosuchuser"),
            ("run-as-group = nosuchgroup\n", "nosuchgroup"),
            ("auth = \"magic\"\n", "unknown or unsupported auth method: magic")):
        base.refused(text, *words, line=None)
    for good in ("restrict-user-to-ports = TCP (443) , udp( 53 ),icmp(),ICMPv6( ) ,sctp(1), esp()\n",
                 "restrict-user-to-ports = ! ( tcp(443) , udp(53) )\n", "restrict-user-to-ports = \"tcp(99999)\"\n",
                 "kkdcp = /x REALM udp@127.0.0.1:88\nkkdcp = /x OTHER tcp@[::1]:88\n",
                 "match-tls-dtls-ciphers = true\ndtls-legacy = false\n",
                 "cisco-svc-client-compat = true\n", "rekey-method = ssl\n", "rekey-method = new-tunnel\n",
                 "ipv4-netmask = 255.255.255.0\n"):
        base.accepted(good)
    # One more server-cert than server-key.
    base.refused("server-cert = %s\n" % t.pki.cert, "the specified number of keys doesn't match the certificates",
                 line=None)
    base.refused("server-key = /nonexistent-key\nserver-cert = %s\n" % t.pki.cert, "/nonexistent-key", line=None)


def test_routes(t):
    """Config 13.1, checklist 106, 111, 205: what a route may look like, in every list."""
    base = Base(t, route=None)
    for name in ("route", "no-route"):
        for bad in ("10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/24; id", "10.0.0.0/24 `id`", "10.0.0.0/",
                    "10.0.0.0/255.0.255.0", "10.0.0.0/24x", "300.0.0.0/8", "10.0.0/8", "Default", "default/24",
                    "2001:db8::", "2001:db8::/129", "2001:db8::/ffff::", "x/24", "/24", "$(id)/24", "::/x",
                    "10.0.0.0/24,10.1.0.0/24", "10.0.0.0/0x18"):
            base.refused("%s = %s\n" % (name, bad), "%s" % name)
    for good, shown in (("10.0.0.0/24", "10.0.0.0/255.255.255.0"), ("10.0.0.0/255.255.255.0",) * 2,
                        ("2001:db8::/32", "2001:db8::/32"), ("192.168.5.1/24", "192.168.5.1/255.255.255.0"),
                        ("10.0.0.0/32", "10.0.0.0/255.255.255.255")):
        t.equal(base.effective("route = %s\n" % good, "route"), [shown], good)
    for good in ("default", "0.0.0.0/0", "::/0"):
        base.accepted("route = %s\n" % good)


def test_authentication_lines(t):
    """Config 6.1, checklist 5, 6, 7: which methods go together, and the words when they do not."""
    base = Base(t, auth=None)
    plain = "plain[passwd=%s/passwd]" % base.server.dir
    for text in ('auth = "pam"\nauth = "%s"\n', 'auth = "%s"\nauth = "radius[config=/x]"\n',
                 'auth = "%s"\nauth = "oidc[config=/x]"\n'):
        text = text.replace("%s", plain)
        run = base.run(text)
        t.equal(run.returncode, 1, "status for %r" % text)
        t.expect("cannot mix multiple authentication methods" in run.stderr or "unsupported auth method" in run.stderr,
                 "words for %r" % text, run.stderr)
    for text in ('auth = "%s"\nenable-auth = "radius[config=/x]"\n', 'auth = "%s"\nenable-auth = "pam"\n',
                 'auth = "%s"\nenable-auth = "plain[passwd=/y]"\n'):
        run = base.run(text.replace("%s", plain))
        t.equal(run.returncode, 1, "status for %r" % text)
        t.expect("cannot mix multiple password authentication methods" in run.stderr or
                 "unsupported auth method" in run.stderr, "words for %r" % text, run.stderr)
    base.accepted('auth = "%s"\n' % plain, "note: vhost:default: setting 'plain' as primary authentication method",
                  "note: setting 'file' as supplemental config option")
    base.accepted("auth = PLAIN[passwd=%s/passwd]\n" % base.server.dir)
    base.refused('auth = "certificate"\n', "cert-user-oid", line=None)
    base.refused('auth = "certificate"\ncert-user-oid = x\n', "cert-user-oid", line=None)
    base.refused('auth = "plain"\n', "plain: no password or OTP file specified", line=None)


def test_hosts(t):
    """Config 3, checklist 116, 118: names, inheritance of scalars and lists, options that are not for a host."""
    base = Base(t, route=["10.0.0.0/8"], dns="1.1.1.1", keepalive=11)
    base.refused("[vhost:]\nkeepalive = 1\n", "virtual host name is illegal", line=0)
    base.refused("[vhost:  ]\nkeepalive = 1\n", "virtual host name is illegal", line=0)
    for option in ("tcp-port = 1", "max-clients = 1", "device = x", "run-as-user = nobody", "ban-time = 4",
                   "connect-script = /x", "isolate-workers = true", "dtls-psk = true", "socket-file = /x"):
        base.refused("[vhost:a.test]\nkeepalive = 1\n%s\n" % option,
                     "'%s' cannot be set inside a virtual host section" % option.split()[0], line=2)
    base.accepted("[vhost:a.test]\nkeepalive = 1\n", "adding virtual host: a.test")
    base.accepted("[vhost:b\u00fccher.example]\nkeepalive = 1\n",
                  "virtual host name 'b\u00fccher.example' was canonicalized to 'xn--bcher-kva.example'")
    run = base.accepted("[vhost:empty.test]\n")
    t.expect("empty.test" not in run.stderr, "a section without keys makes a host", run.stderr)
    both = "[vhost:a.test]\nkeepalive = 22\nroute = 10.1.0.0/16\ndns = 2.2.2.2\n[vhost:b.test]\ndpd = 7\n"
    for section, option, wanted in (("a.test", "keepalive", ["22"]), ("b.test", "dpd", ["7"]),
                                    (None, "keepalive", ["11"])):
        t.equal(base.effective(both, option, section), wanted, "%s of %s" % (option, section))


def test_compat_implications(t):
    """Config 8.14, 9, checklist 209: what cisco-client-compat turns on, and says."""
    base = Base(t, tls_priorities=None)
    run = base.accepted("cisco-client-compat = true\ndtls-legacy = false\n",
                        "the cisco-client-compat option implies select-group-by-url = true; enabling")
    t.expect("dtls-legacy" in run.stderr, "no note on dtls-legacy", run.stderr)
    for option in ("select-group-by-url", "dtls-legacy"):
        t.equal(base.effective("cisco-client-compat = true\n", option), ["true"], option)
    t.expect(base.effective("cisco-client-compat = true\n", "tls-priorities")[0].endswith(":-VERS-TLS1.3"),
             "TLS 1.3 in compat mode")
    t.equal(base.effective("mobile-dpd = 0\ndpd = 44\n", "mobile-dpd"), ["44"], "mobile-dpd 0")
    t.equal(base.effective("idle-timeout = 55\n", "mobile-idle-timeout"), ["55"], "mobile-idle-timeout unset")
    t.equal(base.effective("no-compress-limit = 10\n", "no-compress-limit"), ["64"], "no-compress-limit")
    t.equal(base.effective("ipv4-network = 10.1.0.0/16\n", "ipv4-network"), ["10.1.0.0/16"], "pool")


def test_check_leaves_nothing(t):
    """Checklist 1, 2: -t opens no socket, writes no file, even of a running server; a bad file is all told in one run."""
    server = t.server()
    before, roles = sorted(os.listdir(server.dir)), server.roles()
    for _ in range(3):
        t.equal(check(t, server, server.conf_file).returncode, 0, "status beside a running server")
    t.equal(sorted(os.listdir(server.dir)), before, "files")
    t.equal(server.roles(), roles, "processes")
    base = Base(t)
    run = base.run("rekey-method = magic\nroute = x\nno separator\nbanner = %s\ndns = local\n" % ("y" * 300))
    t.equal(run.returncode, 1, "status")
    for line in range(5):
        t.expect("case:%d" % (base.first + line) in run.stderr, "line %d is not named" % (line + 1), run.stderr)


SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SAMPLES = (os.path.join(SOURCE, "doc/sallyport.conf.sample"), "/etc/ocserv/ocserv.conf")
ASSIGNMENT = re.compile(r"#?([a-z0-9_-]+) = (.*)")
# Lines that are no values: placeholders, and files that only the author has.
PLACEHOLDERS = re.compile(r"\[IP\|HOSTNAME\]|SERVER-PATH|profile\.xml")


def sample_lines(path):
    """The assignments of a sample, commented out or not, each once."""
    with open(path) as sample:
        matches = [ASSIGNMENT.match(line) for line in sample]
    return sorted({(m.group(1), m.group(2).strip()) for m in matches if m and not PLACEHOLDERS.search(m.group(0))})


def test_every_line_of_the_samples(t):
    """Checklist 119: each option of our sample and of ocserv's, on or off there, is accepted and implemented."""
    base = Base(t, cert_user_oid="2.5.4.3")
    beside = {"match-tls-dtls-ciphers": "dtls-legacy = false\n", "multiple-cert-auth": "enable-auth = certificate\n",
              "cisco-svc-client-compat": "udp-port = 0\n", "ipv6-subnet-prefix": "ipv6-network = fd05::/48\n"}
    without = {"auth": "auth", "server-cert": "server-cert", "server-key": "server-key"}
    for path in SAMPLES:
        lines = sample_lines(path)
        t.expect(len(lines) > 90, "%s has %d lines only" % (path, len(lines)))
        for option, value in lines:
            # A second method or key would not go with the first one.
            kept = [line for line in base.good.splitlines(True)
                    if not line.startswith(without.get(option, "?") + " ")]
            value = base.server.dir if option == "chroot-dir" else value  # it must exist
            text = "".join(kept) + beside.get(option, "") + "%s = %s\n" % (option, value)
            run = check(t, base.server, base.server.write_file("case", text), "--print-config")
            where = "%s of %s" % ((option, value), path)
            if option in ("run-as-user", "run-as-group") and "unknown" in run.stderr:
                continue  # the package's own user
            t.equal(run.returncode, 0, "status for %s\n%s" % (where, run.stderr))
            said = [line for line in run.stderr.splitlines() if line.startswith("warning") and
                    not any(known in line for known in ("cannot read", "cannot run", "isolation"))]
            per_user = any("belongs into per-user and per-group files" in line for line in said)
            t.equal(said if not per_user and option not in ("cgroup", "isolate-workers", "listen-proxy-from") else [], [],
                    "warnings for " + where)


def test_ocservs_own_file(t):
    """Checklist 119: the file that Debian's ocserv installs starts the server, with nothing but keys and paths added."""
    server = t.server(start=False)
    with open(SAMPLES[1]) as sample:
        text = sample.read()
    text = re.sub(r"passwd=/etc/ocserv/passwd", "passwd=%s/passwd" % server.dir, text)
    for option, value in (("run-as-user", "nobody"), ("run-as-group", "nogroup"), ("chroot-dir", None),
                          ("socket-file", server.dir + "/sock"), ("pid-file", server.dir + "/pid")):
        text = re.sub(r"(?m)^%s = .*$" % option, "%s = %s" % (option, value) if value else "", text)
    text = "server-cert = %s\nserver-key = %s\nocctl-socket-file = %s/occtl.sock\n" % (
        t.pki.cert, t.pki.key, server.dir) + text + "isolate-workers = %s\n" % str(t.isolate).lower()
    server.write_file("conf", text)
    run = check(t, server, server.conf_file)
    t.equal(run.returncode, 0, "status of -t\n" + run.stderr)
    t.expect("unknown option" not in run.stderr, "an option is not known", run.stderr)
    server.start()
    t.equal(t.web().must_login().connect().status, 200, "status of the tunnel")


def test_printed_file_means_the_same(t):
    """--print-config of what --print-config printed is the same text."""
    base = Base(t, banner='"100% \\"of\\" #1; x"', select_group=["a[A b]", "c"],
                included_http_headers='X-A: "b"; c', custom_header="X-User: %{U}")
    first = base.run("[vhost:a.test]\nkeepalive = 5\nroute = 10.0.0.0/8\n", "--print-config")
    t.equal(first.returncode, 0, "status\n" + first.stderr)
    again = check(t, base.server, base.server.write_file("again", first.stdout), "--print-config")
    t.equal(again.returncode, 0, "status of the printed file\n" + again.stderr)
    strip = lambda text: [re.sub(r"\s+#.*", "", line).strip() for line in text.splitlines()]
    t.equal(strip(again.stdout), strip(first.stdout), "the second printing")
