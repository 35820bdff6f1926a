"""Command lines without a client: -t, --print-config, messages for bad files, ocpasswd, occtl's neighbours."""
import os
import re

from lib.server import PASSWORD, conf_text
from lib.shell import sh
from lib.terminal import Terminal


def server_run(t, server, *arguments):
    return sh("ip", "netns", "exec", t.net.srv, server.tools.server, *arguments, check=False, timeout=20)


def test_good_file_passes_the_check(t):
    """Checklist 1: -t on a valid file exits 0, opens nothing, leaves nothing."""
    server = t.server(start=False)
    before = sorted(os.listdir(server.dir))
    for flag in ("-t", "--test-config"):
        run = server_run(t, server, flag, "-c", server.conf_file)
        t.equal(run.returncode, 0, "status of %s\n%s" % (flag, run.stderr))
    t.equal(sorted(os.listdir(server.dir)), before, "files")


def test_smallest_file(t):
    """Config 9: the smallest accepted file."""
    server = t.server(start=False)
    keep = ("auth", "tcp-port", "socket-file", "server-cert", "server-key", "device")
    text = conf_text({key: server.conf[key] for key in keep}) + "ipv4-network = 192.168.99.0/24\n"
    path = server.write_file("small", text)
    run = server_run(t, server, "-t", "-c", path)
    t.equal(run.returncode, 0, "status\n" + run.stderr)


def test_unknown_option_warns(t):
    """Checklist 3, 211: unknown options and sections are warnings."""
    server = t.server({"no-such-option": "1"}, start=False)
    with open(server.conf_file, "a") as conf:
        conf.write("[strange]\nkey = value\n")
    run = server_run(t, server, "-t", "-c", server.conf_file)
    t.equal(run.returncode, 0, "status\n" + run.stderr)
    t.expect("skipping unknown option 'no-such-option'" in run.stderr, "no warning", run.stderr)
    t.expect("skipping unknown section 'strange'" in run.stderr, "no warning", run.stderr)


def test_bad_files(t):
    """Checklist 2, 5, 11, 111, 118, 204, 208: each error names file, line and option, and ends with 1."""
    server = t.server(start=False)
    good = conf_text(server.conf)
    line = good.count("\n") + 1
    for text, words in (
            ("no separator\n", []), ("[vhost:\n", []), ("route = 10.0.0.0\n", ["route", "missing a /prefix"]),
            ("route = 10.0.0.0/24; id\n", ["route"]), ("route = Default\n", ["route"]),
            ("route = 10.0.0.0/255.0.255.0\n", ["route", "netmask"]), ("no-route = 10.0.0.0/33\n", ["no-route"]),
            ("rekey-method = magic\n", ["rekey-method", "unknown rekey method 'magic'"]),
            ("syslog-facility = moon\n", ["unknown syslog facility"]),
            ("banner = %s\n" % ("x" * 300), ["banner size is too long"]), ("dns = local\n", ["local"]),
            ("listen-clear-file = /x\n", ["listen-clear-file"]),
            ("restrict-user-to-ports = \"tcp(443),\"\n", ["restrict-user-to-ports"]),
            ("[vhost:a.test]\ntcp-port = 1\n", ["'tcp-port' cannot be set inside a virtual host section"]),
            ("auth = \"pam\"\n", ["you cannot mix"]), ("run-as-user = no-such-user\n", ["unknown user"])):
        path = server.write_file("bad", good + text)
        run = server_run(t, server, "-t", "-c", path)
        t.equal(run.returncode, 1, "status for %r\n%s" % (text, run.stderr))
        where = line + text.count("\n") - 1
        t.expect(re.search(r"bad:%d\b" % where, run.stderr) or text.startswith(("auth", "run-as")),
                 "no file:line for %r" % text, run.stderr)
        for word in words:
            t.expect(word in run.stderr, "%r missing for %r" % (word, text), run.stderr)


def test_methods_that_let_nobody_in_are_told(t):
    """What a method needs and does not find is named by -t, though it may come later and is no reason not to start."""
    server = t.server(start=False)
    for conf, words in (({"auth": '"plain[passwd=/no/passwd]"'}, "file=\"/no/passwd\" reason=\"No such file"),
                        ({"auth": '"plain[otp=/no/otp]"'}, "file=\"/no/otp\" reason=\"No such file"),
                        ({"auth": '"pam[service=no-such-service]"'}, "service=\"no-such-service\" msg=\"there is no"),
                        ({"auth": "certificate", "cert-user-oid": "2.5.4.3"}, "no client certificate can be verified"),
                        ({"cert-group-oid": "OU"}, "'OU' is no OID, so no certificate has a group"),
                        ({"config-per-user": "/no/users"}, "config-per-user: cannot read '/no/users': No such file"),
                        ({"default-group-config": "/no/group"}, "sessions that need it are refused")):
        path = server.write_file("method", conf_text(dict(server.conf, **conf)))
        run = server_run(t, server, "-t", "-c", path)
        t.equal(run.returncode, 0, "status\n" + run.stderr)
        t.expect(words in run.stderr, "not told: " + words, run.stderr)
    path = server.write_file("method", conf_text(dict(server.conf, auth="gssapi")))
    run = server_run(t, server, "-t", "-c", path)
    t.equal("gssapi-keytab" in run.stderr, not os.path.exists("/etc/krb5.keytab"), "words about the usual keytab")
    run = server_run(t, server, "-t", "-c", server.conf_file)
    t.expect("plain-file" not in run.stderr, "told without a reason", run.stderr)


def test_all_errors_in_one_run(t):
    """Checklist 2 as we do it: one run reports all errors of a file."""
    server = t.server(start=False)
    path = server.write_file("bad", conf_text(server.conf) + "route = 10.0.0.0/99\nbanner = ok\nrekey-method = magic\n")
    run = server_run(t, server, "-t", "-c", path)
    t.expect("10.0.0.0/99" in run.stderr and "magic" in run.stderr, "not both errors", run.stderr)


def test_missing_options(t):
    """Config 9: what must be there, and the words for it."""
    server = t.server(start=False)
    for key, words in (("auth", "the 'auth' configuration option was not specified"),
                       ("socket-file", "the 'socket-file' configuration option must be specified"),
                       ("tcp-port", "the tcp-port option is mandatory"),
                       ("server-cert", "the 'server-cert' and 'server-key' configuration options must be specified"),
                       ("device", "the 'device' configuration option must be specified")):
        conf = dict(server.conf)
        del conf[key]
        run = server_run(t, server, "-t", "-c", server.write_file("bad", conf_text(conf)))
        t.equal(run.returncode, 1, "status without %s\n%s" % (key, run.stderr))
        t.expect(words in run.stderr, "words without " + key, run.stderr)
    conf = dict(server.conf, **{"ipv4-network": None, "ipv6-network": None, "ipv6-subnet-prefix": None})
    run = server_run(t, server, "-t", "-c", server.write_file("bad", conf_text(conf)))
    t.expect(run.returncode == 1 and "no ipv4-network or ipv6-network options set" in run.stderr, "pools", run.stderr)
    run = server_run(t, server, "-t", "-c", "/nothing/here")
    t.equal(run.returncode, 1, "status for a missing file")
    t.expect("cannot access config file: /nothing/here" in run.stderr, "words", run.stderr)


def test_lenient_values(t):
    """Checklist 206, 207, 209, 210: comments, quotes, odd numbers and booleans, old names, no final newline."""
    server = t.server(start=False)
    text = conf_text(server.conf) + (
        "dpd = 90# x\nkeepalive = 12abc   # a comment\npredictable-ips = on\nuse-seccomp = true\nuse-dbus = false\n"
        "min-reauth-time = 5\n\tbanner = \"x;y\"  \nsession-control = true\nbanner = \"a \"b\" c\"")
    run = server_run(t, server, "-t", "-c", server.write_file("odd", text))
    t.equal(run.returncode, 0, "status\n" + run.stderr)
    t.expect("'min-reauth-time' was replaced by 'ban-time'" in run.stderr, "note for an old name", run.stderr)
    server.write_file("conf", text)
    server.start()
    answer = t.web().must_login().connect()
    t.equal(answer.header("X-CSTP-Banner"), 'a "b" c', "banner")
    t.equal((answer.header("X-CSTP-DPD"), answer.header("X-CSTP-Keepalive")), ("90", "12"), "numbers")


def test_print_config(t):
    """--print-config shows every option with its effective value, hosts too, and is itself a valid file."""
    server = t.server({"dpd": 77}, vhosts=[("one.test", {"keepalive": 88})], start=False)
    run = server_run(t, server, "--print-config", "-c", server.conf_file)
    t.equal(run.returncode, 0, "status\n" + run.stderr)
    t.expect(re.search(r"^\s*dpd = 77\b", run.stdout, re.M), "dpd", run.stdout)
    t.expect("cookie-timeout = 60" in run.stdout and "[vhost:one.test]" in run.stdout, "options", run.stdout)
    t.expect(re.search(r"\[vhost:one.test\].*keepalive = 88", run.stdout, re.S), "option of the host", run.stdout)
    t.expect(re.search(r"max-ban-score = 0", run.stdout), "option", run.stdout)
    again = server_run(t, server, "-t", "-c", server.write_file("printed", run.stdout))
    t.equal(again.returncode, 0, "status of the printed file\n" + again.stderr)


def test_command_line(t):
    """Checklist 4, 18, admin 2: version, help, bad arguments."""
    server = t.server(start=False)
    run = server_run(t, server, "-v")
    t.equal(run.returncode, 0, "status of -v")
    t.expect(re.match(r"OpenConnect VPN Server \d[\d.]*\n\nCompiled with: seccomp, oath, radius, gssapi, PAM, PKCS#11, AnyConnect, "
                      r"oidc_auth\nGnuTLS version: \d[\d.]*\n", run.stderr), "version", run.stderr)
    for word in ("seccomp", "oath", "radius", "gssapi", "PAM", "oidc_auth"):
        t.expect(re.search(r"Compiled with:.*\b%s\b" % word, run.stderr), "no %s among the features" % word, run.stderr)
    t.equal(server_run(t, server, "-h").returncode, 0, "status of -h")
    run = server_run(t, server, "-t", "-c", server.conf_file, "extra")
    t.equal(run.returncode, 1, "status with an extra argument")
    t.expect("no additional command line options are allowed" in run.stderr, "words", run.stderr)
    t.equal(server_run(t, server, "-t", "-c", server.conf_file, "--no-such-option").returncode, 1, "unknown option")
    t.equal(server_run(t, server, "-t", "-c", server.conf_file, "--syslog-facility=moon").returncode, 1, "facility")
    for arguments in (("-d3", "-ex"), ("-d", "3", "-s"), ("--debug=3", "--log-stderr", "--traceable", "--no-chdir"),
                      ("--debug", "3", "--syslog", "--syslog-facility", "local7", "--pid-file", server.dir + "/other")):
        t.equal(server_run(t, server, "-t", "-c", server.conf_file, *arguments).returncode, 0, "status with %s" % (arguments,))
    user = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
    run = sh(*user, server.tools.server, "-f", "-c", server.conf_file, check=False, timeout=20)
    t.expect(run.returncode == 1 and "This server requires root access to operate." in run.stderr, "without root", run)
    run = sh(*user, server.tools.server, "-t", "-c", server.conf_file, check=False, timeout=20)
    t.expect("requires root access" not in run.stderr, "-t without root", run)
    t.expect("error: cannot open file '%s': Permission denied" % t.pki.key in run.stderr, "why a file cannot be opened", run)


def test_port_taken(t):
    """Checklist 12: no TCP address to listen on is an error and leaves nothing."""
    server = t.server(start=False)
    taken = t.net.socket(t.net.srv)
    six = t.net.socket(t.net.srv, 10)
    for sock, address in ((taken, ("0.0.0.0", 443)), (six, ("::", 443, 0, 0))):
        if sock is six:
            sock.setsockopt(41, 26, 1)
        sock.bind(address)
        sock.listen(1)
    run = server_run(t, server, "-f", "-c", server.conf_file)
    taken.close()
    six.close()
    t.equal(run.returncode, 1, "status\n" + run.stderr)
    t.expect("Could not listen to any TCP ports" in run.stderr, "words", run.stderr)
    t.expect(not os.path.exists(server.dir + "/pid"), "a pid file is left")


def passwd_lines(path):
    with open(path) as lines:
        return lines.read().splitlines()


def test_ocpasswd_set(t):
    """Checklist 40, 41, 44, 48: create, groups, replace in place, mode of the file."""
    path, tool = t.dir + "/pw", t.tools.ocpasswd
    for user, options in (("a", []), ("b", ["-g", "one,two"]), ("c", [])):
        sh(tool, "-c", path, *options, user, stdin=PASSWORD + "\n")
    lines = passwd_lines(path)
    t.expect(re.match(r"a:\*:\$5\$[^:$]{16}\$", lines[0]), "first line", lines)
    t.expect(lines[1].startswith("b:one,two:$5$") and lines[2].startswith("c:*:"), "lines", lines)
    t.equal(os.stat(path).st_mode & 0o777, 0o600, "mode")
    sh(tool, "--passwd", path, "b", stdin="another\n")
    now = passwd_lines(path)
    t.expect(now[0] == lines[0] and now[2] == lines[2] and now[1].startswith("b:*:") and now[1] != lines[1],
             "replaced in place", lines, now)
    t.expect(not os.path.exists(path + ".tmp"), "temporary file left")


def test_ocpasswd_lock_delete(t):
    """Checklist 42, 43: lock twice, unlock once; delete takes one line; unknown users change nothing."""
    path, tool = t.dir + "/pw", t.tools.ocpasswd
    for user in ("a", "b"):
        sh(tool, "-c", path, user, stdin=PASSWORD + "\n")
    lines = passwd_lines(path)
    sh(tool, "-c", path, "-l", "a")
    sh(tool, "-c", path, "--lock", "a")
    t.equal(passwd_lines(path)[0], lines[0].replace("a:*:", "a:*:!"), "locked line")
    sh(tool, "-c", path, "-u", "a")
    t.equal(passwd_lines(path), lines, "unlocked")
    for flag in ("-l", "-u", "-d"):
        sh(tool, "-c", path, flag, "nobody")
        t.equal(passwd_lines(path), lines, flag + " of an unknown user")
    sh(tool, "-c", path, "-d", "a")
    t.equal(passwd_lines(path), lines[1:], "deleted")
    run = sh(tool, "-c", t.dir + "/none", "-d", "a", check=False)
    t.equal(run.returncode, 1, "delete in a missing file")
    t.expect("Cannot open '%s/none' for reading" % t.dir in run.stderr, "words", run.stderr)


def test_ocpasswd_errors(t):
    """Checklist 45, 46, 47: empty password, a left lock file, wrong arguments."""
    path, tool = t.dir + "/pw", t.tools.ocpasswd
    sh(tool, "-c", path, "a", stdin=PASSWORD + "\n")
    lines = passwd_lines(path)
    for text in ("\n", ""):
        run = sh(tool, "-c", path, "a", stdin=text, check=False)
        t.equal(run.returncode, 1, "status for an empty password")
        t.expect("Please specify a password" in run.stderr, "words", run.stderr)
    open(path + ".tmp", "w").close()
    for arguments, stdin in ((["a"], "x\n"), (["-l", "a"], None), (["-d", "a"], None)):
        run = sh(tool, "-c", path, *arguments, stdin=stdin, check=False)
        t.equal(run.returncode, 1, "status with a lock file")
        t.expect("is locked" in run.stderr, "words", run.stderr)
    os.unlink(path + ".tmp")
    t.equal(passwd_lines(path), lines, "file")
    for arguments, words in (([], "Usage: "), (["a", "b"], "Usage: "), (["-d", "-l", "a"], "Usage: "),
                             (["-l", "-u", "a"], "Usage: "), (["--nonsense", "a"], "Usage: "), (["a:b"], "colons"),
                             (["-c", path, "a"], "-c option cannot be specified multiple time"),
                             (["-g", "x", "-g", "y", "a"], "-g option cannot be specified multiple time")):
        run = sh(tool, "-c", path, *arguments, check=False, stdin="x\n")
        t.equal(run.returncode, 1, "status of %r" % arguments)
        t.expect(words in run.stderr, "words for %r" % arguments, run.stderr)
    t.equal(passwd_lines(path), lines, "file after wrong arguments")


def test_ocpasswd_on_a_terminal(t):
    """Checklist 40, admin 7: it prompts twice, shows nothing of the password, and lets no difference pass; lines without a
    colon go, others stay as they are."""
    path, tool = t.dir + "/pw", t.tools.ocpasswd
    with open(path, "w") as file:
        file.write("line without\nother:*:!x:more\n")
    for second, words, status in ((b"hidden2", "Passwords do not match", 1), (b"hidden1", "", 0)):
        terminal = Terminal([tool, "-c", path, "a"])
        terminal.until(rb"^Enter password: $")
        os.write(terminal.fd, b"hidden1\n")
        terminal.until(rb"\nRe-enter password: $")
        os.write(terminal.fd, second + b"\n")
        text = terminal.to_end()
        t.equal(terminal.wait(), status, "status")
        t.expect(words in text and "hidden" not in text, "words", text)
        t.equal(len(passwd_lines(path)), 2, "lines")
    lines = passwd_lines(path)
    t.equal(lines[0], "other:*:!x:more", "another's line")
    hash_ = lines[1].split(":")[2]
    t.equal(sh("perl", "-e", "print crypt('hidden1', $ARGV[0])", hash_).stdout, hash_, "hash")
