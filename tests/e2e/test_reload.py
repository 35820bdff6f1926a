"""SIGHUP: new sessions get the new file, running ones keep theirs, a bad file changes nothing."""
import os
import re
import shutil
import signal
import ssl
import subprocess
import time

from lib.harness import marks
from lib.server import timed
from lib.shell import sh, wait_for
from lib.traffic import Pinger, Transfer
from lib.web import Tunnel, Web


@marks(seconds=90)
def test_good_file_while_traffic_flows(t):
    """Checklist 67, 177: the transfer goes on, new logins see the new banner and routes, the old session keeps its own."""
    server = t.server({"banner": "old"})
    client = t.client().wait()
    job = Transfer(client.netns, t.net.lan, size=20_000_000, rate=8_000_000)
    job.start()
    pinger = Pinger(client.netns, directory=t.dir)
    time.sleep(0.5)
    server.write_conf(banner="new", route=["198.18.1.0/24", "10.55.0.0/16"])
    server.reloaded()
    t.expect("reloading configuration" in server.log(), "no word in the log")
    answer = t.web().must_login().connect()
    t.equal(answer.header("X-CSTP-Banner"), "new", "banner after the reload")
    t.expect("10.55.0.0/255.255.0.0" in answer.headers("X-CSTP-Split-Include"), "new route", answer.head)
    job.finish()
    got, lost, run = pinger.stop()
    t.expect(run <= 2, "pings lost in the reload: %d, in a row %d" % (lost, run))
    client.stop()


def test_bad_file_changes_nothing(t):
    """Config 5: a broken file is refused with file, line and option; the server goes on with the old one."""
    server = t.server({"banner": "old"})
    client = t.client(dtls=False).wait()
    pinger = Pinger(client.netns, directory=t.dir)
    good = open(server.conf_file).read()
    for bad in ("banner = new\nroute = 10.0.0.0/77\n", "banner = new\nno separator here\n",
                "banner = new\nrekey-method = nonsense\n"):
        start = len(server.log())
        server.write_file("conf", good + bad)
        server.reload()
        line = good.count("\n") + 2
        server.wait_log(r"%s:%d" % (server.conf_file, line), start=start)
        answer = t.web().must_login().connect()
        t.equal(answer.header("X-CSTP-Banner"), "old", "banner after a bad file")
    os.unlink(server.conf_file)
    start = len(server.log())
    server.reload()
    server.wait_log("the previous configuration stays in force", start=start)
    t.web().must_login()
    server.write_conf(banner="newer")
    server.reloaded()
    t.equal(t.web().must_login().connect().header("X-CSTP-Banner"), "newer", "banner after the good file")
    _, lost, run = pinger.stop()
    t.expect(run <= 2, "pings lost: %d" % lost)


def test_reload_by_occtl(t):
    """Checklist 177: occtl reload does what SIGHUP does."""
    server = t.server()
    server.write_conf(banner="by occtl")
    t.equal(server.occtl("reload").stdout, "Server scheduled to reload\n", "words of occtl reload")
    # It answers when the new configuration counts.
    t.equal(t.web().must_login().connect().header("X-CSTP-Banner"), "by occtl", "banner")


def test_occtl_tells_what_is_wrong(t):
    """Admin 6.5: a reload that fails is a failure of occtl reload, with the lines that say why."""
    server = t.server({"banner": "old"})
    key, cert = server.dir + "/other.key", server.dir + "/other.pem"
    t.pki.server_cert(cert, key, "other")
    for text, words in (("rekey-method = nonsense\n", [server.conf_file + ":", "unknown rekey method 'nonsense'"]),
                        ("crl = /no/such/list\nenable-auth = certificate\n[vhost:new.test]\nserver-cert = %s\nserver-key = /no/key\n" % cert,
                         ["/no/key"]),
                        (None, ["cannot read " + server.conf_file, "No such file"])):
        server.write_conf(banner="new")
        good = open(server.conf_file).read()
        if text:
            server.write_file("conf", good + text)
        else:
            os.unlink(server.conf_file)
        run = server.occtl("reload", check=False)
        t.equal((run.returncode, run.stdout), (1, "Error scheduling reload\n"), "occtl reload with %r\n%s" % (text, run.stderr))
        for word in words:
            t.expect(word in run.stderr, "%r is missing for %r" % (word, text), run.stderr)
        t.equal(t.web().must_login().connect().header("X-CSTP-Banner"), "old", "banner")
    server.write_conf(banner="new")
    words = [line for line in server.occtl("reload").stderr.splitlines() if "isolate-workers" not in line]
    t.equal(words, [], "words about a good file")
    t.equal(t.web().must_login().connect().header("X-CSTP-Banner"), "new", "banner")


def test_reloads_at_the_same_time(t):
    """Each of many occtl reload at a time is answered, and the last file counts."""
    server = t.server()
    command = [server.tools.occtl, "-s", server.conf["occtl-socket-file"], "reload"]
    runs = []
    for number in range(10):
        server.write_conf(banner="number %d" % number)
        runs.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    for run in runs:
        t.equal((run.communicate(timeout=30)[0], run.returncode), ("Server scheduled to reload\n", 0), "answer")
    t.equal(t.web().must_login().connect().header("X-CSTP-Banner"), "number 9", "banner")


@marks(sanitizers=False)  # which has a warning of its own
def test_start_only_options_are_named(t):
    """Config 5, 8: a start-only option keeps its value, and one line says that the change needs a restart."""
    server = t.server({"tcp-port": 443, "listen-host": None})
    client = t.client(dtls=False).wait()
    server.write_conf(tcp_port=8443, listen_host="127.0.0.1", auth='"plain[passwd=/other/file]"', banner="both")
    run = server.occtl("reload")
    for words in (": tcp-port: the change needs a restart of the server; until then '443' stays in force",
                  ": listen-host: the change needs a restart of the server",
                  ": auth: the change needs a restart of the server; until then"):
        t.equal(run.stderr.count(words), 1, "times of %r\n%s" % (words, run.stderr))
        t.equal(server.log().count(words), 1, "times of %r in the log" % words)
    t.equal(run.stderr.count("\n"), 3, "lines\n" + run.stderr)
    t.equal(t.web().must_login().connect().header("X-CSTP-Banner"), "both", "banner")
    client.stop()


@marks(seconds=90)
def test_a_zygote_that_hangs_does_not_hold_up_a_reload(t):
    """Config 5: a reload waits for what main has handed over, but not for ever; then logins work again."""
    server = t.server({"banner": "old"})
    zygote = server.roles()["zygote"]
    os.kill(zygote, signal.SIGSTOP)
    lost = Web(t, raw=True)  # handed to the one that hangs
    time.sleep(0.3)
    server.write_conf(banner="new")
    seconds, run = timed(lambda: server.occtl("reload"))
    t.equal(run.returncode, 0, "status\n" + run.stderr)
    t.expect(5 < seconds < 20, "the reload took %.1f s" % seconds)
    server.wait_log("zygote-hangs")
    t.expect(server.roles()["zygote"] != zygote, "the zygote is the same")
    t.equal(t.web().must_login().connect().header("X-CSTP-Banner"), "new", "banner")
    t.equal(lost.socket.recv(1), b"", "the connection that could not be served")


def test_reload_during_the_start(t):
    """Admin 6.5: what occtl says is scheduled happens, also when the server is not yet serving."""
    server = t.server(start=False)
    server.start(wait=False)
    wait_for("the control socket", lambda: os.path.exists(server.conf["occtl-socket-file"]), 10, 0.001)
    server.write_conf(banner="early")
    server.occtl("reload")
    server.wait_ready()
    wait_for("the new banner", lambda: t.web().must_login().connect().header("X-CSTP-Banner") == "early", 5)


def test_cookies_and_sessions_survive_a_reload(t):
    """Config 5: sessions, cookies and bans are kept."""
    server = t.server()
    web = t.web().must_login()
    tunnel = t.web().must_login().open()
    server.write_conf(banner="x")
    server.reloaded()
    t.equal(t.web(cookies=web.cookies).connect().status, 200, "status with the older cookie")
    tunnel.send(Tunnel.DPD_OUT, b"still there")
    t.equal(tunnel.receive_control(), (Tunnel.DPD_RESP, b"still there"), "answer of the old session")


def test_new_certificate(t):
    """Checklist 66, 68: after SIGHUP clients see the new certificate, same key and new key."""
    server = t.server(start=False)
    cert, key = server.dir + "/c.pem", server.dir + "/k.pem"
    shutil.copy(t.pki.cert, cert)
    shutil.copy(t.pki.key, key)
    server.write_conf(server_cert=cert, server_key=key)
    server.start()
    old = t.web().socket.getpeercert(True)
    time.sleep(1.1)  # modification times count in seconds
    t.pki.server_cert(cert, key, "renewed")
    server.reloaded()
    renewed = t.web().socket.getpeercert(True)
    t.expect(renewed != old, "the old certificate is served")
    server.wait_log("reloading server certificates")
    os.unlink(key)
    time.sleep(1.1)
    t.pki.server_cert(cert, key, "rekeyed")
    server.reloaded()
    t.expect(t.web().socket.getpeercert(True) not in (old, renewed), "the old key is used")
    t.web().must_login()


def test_vhost_added_by_reload(t):
    """Checklist 112, 113, 114, 116: hosts by SNI; a new one is usable at once; nothing else changes."""
    server = t.server({"banner": "default"}, vhosts=[("one.test", {"banner": "one", "keepalive": 77})])
    answer = t.web(name="ONE.test").must_login().connect()
    t.equal((answer.header("X-CSTP-Banner"), answer.header("X-CSTP-Keepalive")), ("one", "77"), "host one")
    for name in (None, "unknown.test"):
        t.equal(t.web(name=name).must_login().connect().header("X-CSTP-Banner"), "default", "host for %s" % name)
    web = t.web(name="one.test").must_login()
    t.equal(t.web(name="unknown.test", cookies=web.cookies).connect().status, 401, "cookie of another host")
    other = server.dir + "/two"
    server.vhosts.append(("two.test", {"banner": "two", "auth": '"plain[passwd=%s]"' % other}))
    sh(server.tools.ocpasswd, "-c", other, "only-two", stdin="pw\npw\n")
    server.write_conf()
    server.reloaded()
    t.equal(t.web(name="two.test").must_login("only-two", "pw").connect().header("X-CSTP-Banner"), "two", "new host")
    t.expect(not t.web(name="one.test").login("only-two", "pw").success, "a user of another host got in")
    t.equal(t.web(name="one.test").must_login().connect().header("X-CSTP-Banner"), "one", "host one afterwards")


@marks(sanitizers=False)
def test_isolation_switched_by_reload(t):
    """Config 8.1: isolate-workers is reloadable in both directions; sessions go on."""
    server = t.server({"isolate-workers": "false"})
    first = t.web().must_login().open()
    own = server.user()["ID"]

    def namespace(pid):
        return os.readlink("/proc/%d/ns/net" % pid)
    for isolate in ("true", "false", "true"):
        server.write_conf(isolate_workers=isolate)
        t.equal(server.occtl("reload").returncode, 0, "occtl reload")
        tunnel = t.web().must_login().open()
        other = wait_for("the new session", lambda: [user["ID"] for user in server.users() if user["ID"] != own], 5)[0]
        t.equal(namespace(other) != namespace(server.process.pid), isolate == "true", "a namespace of its own")
        tunnel.bye()
        wait_for("its end", lambda: len(server.users()) == 1, 5)
    first.send(first.DPD_OUT, b"x")
    t.equal(first.receive_control(), (first.DPD_RESP, b"x"), "the first session")


def test_control_socket_switched_by_reload(t):
    """Config 8.1: use-occtl is reloadable; occtl that switches it off still gets its answer."""
    server = t.server()
    path = server.conf["occtl-socket-file"]
    server.write_conf(use_occtl="false")
    t.equal(server.occtl("reload").stdout, "Server scheduled to reload\n", "words")
    wait_for("the socket to go", lambda: not os.path.exists(path), 5)
    server.write_conf(use_occtl="true")
    server.reload()
    wait_for("the socket", lambda: os.path.exists(path), 5)
    server.occtl("show", "status")


@marks(seconds=90)
def test_an_auth_that_hangs_delays_a_reload_but_not_its_answer(t):
    """Config 5: occtl is told in time that auth has not answered; the old file counts until it does, then the new one."""
    server = t.server({"banner": "old"})
    tunnel = t.web().must_login().open()
    auth = server.roles()["auth"]
    os.kill(auth, signal.SIGSTOP)
    server.write_conf(banner="new")
    seconds, run = timed(lambda: server.occtl("reload", check=False))
    t.equal((run.returncode, run.stdout), (1, "Error scheduling reload\n"), "occtl reload")
    t.expect("sallyport-auth has not answered yet" in run.stderr and seconds < 20 * t.slow, "after %.1f s" % seconds, run.stderr)
    tunnel.send(tunnel.DPD_OUT, b"x")
    t.equal(tunnel.receive_control(), (tunnel.DPD_RESP, b"x"), "the tunnel")
    os.kill(auth, signal.SIGCONT)
    wait_for("the new banner", lambda: t.web().must_login().connect().header("X-CSTP-Banner") == "new", 10)
    server.write_conf(banner="newer")
    t.equal(server.occtl("reload").returncode, 0, "the next reload")
    t.equal(t.web().must_login().connect().header("X-CSTP-Banner"), "newer", "banner")


# Option, value before and after a reload, header of CONNECT's answer that shows it, what that says before and after.
SHOWN = (
    ("banner", "old", "new", "X-CSTP-Banner", "old", "new"),
    ("dpd", 61, 62, "X-CSTP-DPD", "61", "62"),
    ("keepalive", 71, 72, "X-CSTP-Keepalive", "71", "72"),
    ("idle-timeout", 810, 820, "X-CSTP-Idle-Timeout", "810", "820"),
    ("session-timeout", 9100, 9200, "X-CSTP-Session-Timeout", "9100", "9200"),
    ("rekey-method", "ssl", "new-tunnel", "X-CSTP-Rekey-Method", "ssl", "new-tunnel"),
    ("default-domain", "old.test", "new.test", "X-CSTP-Default-Domain", "old.test", "new.test"),
    ("dns", "192.0.2.1", "192.0.2.2", "X-CSTP-DNS", "192.0.2.1", "192.0.2.2"),
    ("nbns", "192.0.2.3", "192.0.2.4", "X-CSTP-NBNS", "192.0.2.3", "192.0.2.4"),
    ("split-dns", "old.example", "new.example", "X-CSTP-Split-DNS", "old.example", "new.example"),
    ("route", "10.1.0.0/16", "10.2.0.0/16", "X-CSTP-Split-Include", "10.1.0.0/255.255.0.0", "10.2.0.0/255.255.0.0"),
    ("no-route", "10.3.0.0/16", "10.4.0.0/16", "X-CSTP-Split-Exclude", "10.3.0.0/255.255.0.0", "10.4.0.0/255.255.0.0"),
    ("tunnel-all-dns", "false", "true", "X-CSTP-Tunnel-All-DNS", "false", "true"),
    ("client-bypass-protocol", "false", "true", "X-CSTP-Client-Bypass-Protocol", "false", "true"),
    ("listen-host-is-dyndns", "false", "true", "X-CSTP-DynDNS", None, "true"),
    ("proxy-url", "http://old/pac", "http://new/pac", "X-CSTP-MSIE-Proxy-Pac-URL", "http://old/pac", "http://new/pac"),
    ("custom-header", '"X-Old: 1"', '"X-New: 1"', "X-New", None, "1"),
    ("included-http-headers", "X-Incl: old", "X-Incl: new", "X-Incl", "old", "new"),
    ("ipv4-network", "198.19.0.0/24", "198.19.7.0/25", "X-CSTP-Netmask", "255.255.255.0", "255.255.255.128"),
    ("mtu", 1300, 1290, "X-CSTP-MTU", "1300", "1290"),
)
# Those that are seen elsewhere; what `occtl show config user` says of them is what a session gets.
OF_USERS = {
    "rx-data-per-sec": (10000, 20000), "tx-data-per-sec": (30000, 40000), "max-same-clients": (5, 6),
    "mobile-dpd": (111, 112), "mobile-idle-timeout": (211, 212), "deny-roaming": ("false", "true"),
    "restrict-user-to-routes": ("false", "true"), "restrict-user-to-ports": ("tcp(443)", "udp(53)"),
    "stats-report-time": (301, 302), "cookie-timeout": (601, 602), "persistent-cookies": ("false", "true"),
    "dtls-legacy": ("true", "false"), "no-compress-limit": (257, 258), "compression": ("false", "true"),
    "match-tls-dtls-ciphers": ("false", "true"), "switch-to-tcp-timeout": (31, 32), "predictable-ips": ("true", "false"),
    "default-user-config": ("/dev/null", "/dev/zero"), "append-routes": ("false", "true"),
    "output-buffer": (11, 12), "net-priority": ("0x01", "0x02"),
    "ipv6-subnet-prefix": (127, 128), "ipv6-network": ("fd00:77::/64", "fd00:78::/64"),
}


def test_every_kind_of_option(t):
    """Config 19: after a reload a new session has every new value, as the client sees it; the session
    that was there has none."""
    server = t.server(start=False)
    rows = [("rekey-time", 1000, 5000)]  # sent with some seconds more or less
    rows += [(row[0], row[1], row[2]) for row in SHOWN] + [(name, old, new) for name, (old, new) in OF_USERS.items()]
    server.write_conf(**{name.replace("-", "_"): old for name, old, _ in rows}, device="olds", pre_login_banner="old words",
                      select_group=["old-group"], max_clients=0, network_name=None)
    server.passwd("test", groups="old-group,new-group")
    server.start()

    def seen(which):
        answer = t.web(tls=ssl.TLSVersion.TLSv1_2).must_login().connect()  # which needs rekeying
        t.equal(answer.status, 200, "status\n" + answer.head)
        for name, header, wanted in [(row[0], row[3], row[4 + which]) for row in SHOWN]:
            t.equal(answer.header(header), wanted, "%s of %s %s the reload" % (header, name, ("before", "after")[which]))
        t.expect(abs(int(answer.header("X-CSTP-Rekey-Time")) - rows[0][1 + which]) < 500, "rekey-time", answer.head)
        told = server.occtl("show", "config", "user", "test").stdout
        for name, values in OF_USERS.items():
            t.expect(re.search(r"^%s = %s\s" % (re.escape(name), re.escape(str(values[which]))), told, re.M), "%s is not %s" % (
                name, values[which]), told)
        return answer
    seen(0)
    client = t.client(dtls=False).wait()
    t.equal({device[:4] for device in (user["Device"] for user in server.users())}, {"olds"}, "devices before")
    server.write_conf(**{name.replace("-", "_"): new for name, _, new in rows}, device="news", pre_login_banner="new words",
                      select_group=["new-group"], max_clients=100)
    t.equal([line for line in server.occtl("reload").stderr.splitlines() if "isolate-workers" not in line], [],
            "words of occtl reload")
    seen(1)
    t.expect("new words" in t.web().init().body, "pre-login-banner")
    t.expect("new-group" in t.web().init().body, "select-group")
    t.equal({user["Device"][:4] for user in server.users()}, {"olds", "news"}, "devices after")
    t.equal(client.env["CISCO_BANNER"], "old", "banner of the old session")
    t.equal(client.script_calls("disconnect"), [], "ends of the old session")
    client.stop()


def test_options_of_every_process(t):
    """Config 19: what auth, main and scripts go by is new after a reload, too; a session ends with the script it began with."""
    server = t.server(start=False, users={"test": None, "second": None})
    out = server.dir + "/calls"
    for name in ("old", "new"):
        server.write_file(name, "#!/bin/sh\necho %s $REASON >> %s\n" % (name, out), 0o755)
    server.write_conf(max_same_clients=0, max_clients=0, server_drain_ms=0, connect_script=server.dir + "/old",
                      disconnect_script=server.dir + "/old")
    server.start()
    first = t.web().must_login().open()
    server.write_conf(max_same_clients=1, max_clients=2, server_drain_ms=2000, connect_script=server.dir + "/new",
                      disconnect_script=server.dir + "/new")
    server.occtl("reload")
    web = t.web().must_login()
    t.equal(web.connect().status, 401, "a second tunnel of one user (auth)")
    web.close()
    wait_for("its connection to go", lambda: len(server.occtl_json("show", "users")) == 1, 5)
    second = t.web().must_login("second").open()
    try:
        t.web(timeout=5)
        t.expect(False, "a third connection (main)")
    except OSError:
        pass
    first.bye()
    wait_for("the first to end", lambda: len(server.occtl_json("show", "users")) == 1, 5)
    second.bye()
    wait_for("the scripts", lambda: len(open(out).read().splitlines()) == 4, 5)
    t.equal(open(out).read().splitlines()[:2], ["old connect", "new connect"], "connect scripts")
    t.equal(open(out).read().splitlines()[2:], ["old disconnect", "new disconnect"], "disconnect scripts")
    seconds, _ = timed(server.stop)
    t.expect(seconds >= 2, "the drain took %.1f s" % seconds)
