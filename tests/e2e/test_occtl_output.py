"""What occtl prints: JSON of every command against the schema, terminals narrow and wide, the pager, places, names that are
meant to do harm, thousands of rows (admin.md 6)."""
import json
import os
import re
import unicodedata

from lib.ctlschema import load, parse
from lib.harness import marks
from lib.server import timed
from lib.shell import sh, wait_for
from lib.terminal import Terminal
from lib.web import short_session

FAR = "198.51.100.7"
PLAIN = {"disconnect user": "user 'test' was disconnected", "disconnect id": "could not disconnect ID '999999'",
         "terminate user": "user 'test' was terminated (session invalidated)", "terminate id": "could not terminate ID '999999'",
         "terminate session": "no session matching 'zzzzzz' was found", "unban ip": "IP '%s' was unbanned" % FAR,
         "reload": "Server scheduled to reload", "stop now": "Server scheduled to stop", "help or ?": "Available Commands"}


def commands(server):
    """(name, argument kind) of every command that help names, as one finds it there."""
    text = server.occtl("help").stdout
    rows = re.findall(r"^ +([a-z ?]+?)(?: \[([A-Z]+)\])?\t\S", text, re.M)
    assert len(rows) == len(text.splitlines()) - 1, text
    return rows


def values_of(web, server):
    """An argument of each kind that means something."""
    return {"NAME": "test", "ID": str(server.user()["ID"]), "SID": short_session(web.cookies["webvpn"]), "IP": FAR, "": None}


def test_json_of_every_command(t):
    """Checklist 168 to 176, admin 6.3 to 6.15: whatever help names is JSON as doc/occtl.schema.json says, with results and
    without, with --debug too; or it is an action, and plain text."""
    server = t.server({"max-ban-score": 10, "ban-points-wrong-password": 10, "ban-points-connection": 0})
    t.net.add_client_address(FAR)
    schema, nothing = load()["commands"], {"NAME": "nobody", "ID": "999999", "SID": "zzzzzz", "": None}
    listed = [row for row in commands(server) if row[0].startswith("show ")]
    t.equal(sorted(name for name, _ in listed), sorted(schema), "commands in help and in doc/occtl.schema.json")

    def show(name, argument, code):
        for option in ((), ("--debug",)):
            run = server.occtl("-j", *option, *name.split(), *([argument] if argument else []), check=False)
            t.equal((run.returncode, run.stderr), (code, ""), "exit code and complaints of " + name)
            values = parse(t, run.stdout, schema[name], name)
            t.equal(len(values), 1, "documents of " + name)
        return values[0]
    listed.remove(("show events", ""))  # see test_occtl_events
    for name, kind in listed:
        value = show(name, nothing[kind], 2 if name in ("show user", "show id") else 0)
        t.expect(value == [] or name in ("show status", "show config user"), "rows out of nothing: " + name, value)
    web = t.web().must_login()
    web.open()
    t.web(source=FAR).login(password="wrong")
    known = values_of(web, server)
    wait_for("the ban", lambda: server.occtl_json("show", "ip", "bans"), 5)
    for name, kind in listed:
        t.expect(show(name, known[kind], 0), "nothing from " + name)
    down = sh(server.tools.occtl, "-j", "-s", t.dir + "/nothing", "show", "users", check=False)
    t.equal((down.returncode, down.stdout), (1, ""), "exit code and output when the server is down")
    actions(t, server, dict(nothing, NAME="test", IP=FAR))


def actions(t, server, arguments):
    """Admin 6.5: plain text even with -j; the exit code goes with the words."""
    rows = [row for row in commands(server) if not row[0].startswith("show ")]
    t.equal(sorted(name for name, _ in rows if name not in ("reset", "exit", "quit")), sorted(PLAIN), "commands that act")
    for name, kind in rows:
        words = name.split(" or ")[0].split() + ([arguments[kind]] if kind else [])
        run = server.occtl("-j", *words, check=False)
        if name in PLAIN:
            good = not re.match("could not|no session", PLAIN[name])
            t.equal((run.stdout.split("\n")[0], run.returncode), (PLAIN[name], 0 if good else 1), name)
            if name.endswith(" user"):
                t.web().must_login().open()  # one for the next of them
        else:
            t.equal((run.stdout, run.returncode), ("", 1), name + " outside the interactive mode")
    server.process.wait(40)


def on_terminal(server, columns, *command, **environment):
    """What COMMAND prints on a terminal."""
    terminal = Terminal([server.tools.occtl, "-s", server.conf["occtl-socket-file"], *command], columns,
                        dict({"OCCTL_PAGER": ""}, **environment))
    text = terminal.to_end()
    terminal.wait()
    return text


def steady(text):
    """TEXT without what changes from second to second."""
    return re.sub(r" +\d+(m:\d\d)?s\b|\d+ bytes/s|TX?: \d+ .*", "", text)


LONG = "someone.with.a.very.long.name@department.example"


def test_narrow_and_wide_terminals(t):
    """Admin 6.9 to 6.14: readable at 80 columns; a wide terminal, -n and a pipe get everything."""
    server = t.server(users={LONG: None}, conf={"banner": '"x"'})
    client = t.client(user=LONG, arguments=["--useragent", "agent " * 30]).wait()
    for command in (("show", "users"), ("show", "sessions", "all"), ("show", "iroutes"), ("show", "user", LONG), ("show", "status"),
                    ("show", "config", "user", LONG), ("show", "session", server.users()[0]["Session"])):
        full = server.occtl(*command).stdout
        narrow = on_terminal(server, 80, *command)
        for line in narrow.splitlines():
            t.expect(line.lstrip().startswith("# ") or len(line.expandtabs()) <= 80, "a line of %d columns" % len(line.expandtabs()), narrow)
        for columns, options in ((250, ()), (80, ("-n",))):
            t.equal(steady(on_terminal(server, columns, *options, *command)), steady(full), "%s at %d" % (command, columns))
        if command[1] == "users":
            t.expect(LONG in full and LONG not in narrow and "\u2026" in narrow, "the long name", narrow)
            t.expect("198.18.0.2" in narrow and client.ip4 in narrow, "addresses are cut", narrow)
            t.expect("~ " in on_terminal(server, 80, *command, LC_ALL="C"), "the mark where UTF-8 is not shown")
        if command[1] in ("user", "config"):
            words = lambda text: re.sub(r"\s+", "", steady(text))
            t.equal(words(narrow), words(full), "words of the record")
            t.expect("agent agent" in narrow or command[1] == "config", "the folded agent", narrow)
    client.stop()


def test_pager(t):
    """Admin 6.7: OCCTL_PAGER, PAGER, less with LESS=FRSX; none when empty, with -n, -j, for actions, and off terminals."""
    server = t.server()
    less = server.write_file("bin/less", '#!/bin/sh\necho "less $LESS"\ncat\n', 0o755)
    path = os.path.dirname(less) + ":" + os.environ["PATH"]

    def shown(*command, **environment):
        # LC_ALL is there anyway: unset variables of ours by an env in between.
        unset = [word for name in ("OCCTL_PAGER", "PAGER") if name not in environment for word in ("-u", name)]
        terminal = Terminal(["/usr/bin/env", *unset, server.tools.occtl, "-s", server.conf["occtl-socket-file"], *command],
                            80, dict({"PATH": path}, **environment))
        text = terminal.to_end()
        terminal.wait()
        return text

    t.expect(shown("show", "status").startswith("less FRSX\n"), "the default pager")
    t.expect(shown("show", "status", PAGER="sed s/^/P:/").startswith("P:"), "PAGER")
    t.expect(shown("show", "status", PAGER="false", OCCTL_PAGER="sed s/^/O:/").startswith("O:"), "OCCTL_PAGER")
    for command, environment in ((("show", "status"), {"PAGER": ""}), (("show", "status"), {"PAGER": "false", "OCCTL_PAGER": ""}),
                                 (("-n", "show", "status"), {}), (("--no-pager", "show", "status"), {}),
                                 (("-j", "show", "status"), {}), (("reload",), {})):
        text = shown(*command, **environment)
        t.expect(text and "less FRSX" not in text, "a pager for %s %s" % (command, environment), text)
    t.expect("less" not in server.occtl("show", "status", env=dict(os.environ, PATH=path)).stdout, "a pager for a pipe")
    t.equal(shown("show", "user", "nobody"), "less FRSX\nuser or ID not found\n", "a pager for a failure")


EVIL = 'evil "\\ \u009b2J\u202e\u2066 \u00e4'


def is_harmless(text):
    """No character of TEXT but the line end and the tab acts on a terminal."""
    return not [c for c in text if unicodedata.category(c) in ("Cc", "Cf") and c not in "\n\t"]


def test_hostile_text(t):
    """Checklist 202, admin 6.6: what clients call themselves neither steers the terminal nor breaks JSON."""
    server = t.server(users={"test": None, "t\u202egro": None})
    web = t.web()
    web.agent = EVIL
    web.must_login("t\u202egro").open()
    number = server.users()[0]["ID"]
    for command in (("show", "users"), ("show", "id", str(number)), ("show", "sessions", "all"), ("show", "iroutes"),
                    ("show", "session", short_session(web.cookies["webvpn"]))):
        for options in ((), ("-j",)):
            out = server.occtl(*options, *command).stdout
            t.expect(is_harmless(out), "%s passes it on" % (command,), ascii(out))
        t.expect("\\u202egro" in out, "the name in JSON", out)
    t.equal(json.loads(server.occtl("-j", "show", "users").stdout)[0]["User-Agent"], EVIL, "the agent in JSON")
    t.expect("\\x9b2J\\u202e\\u2066 \u00e4" in server.occtl("show", "id", str(number)).stdout, "the agent for people")
    warned = server.occtl("terminate", "session", short_session(web.cookies["webvpn"]))
    t.expect("has an active connection" in warned.stderr and is_harmless(warned.stderr), "the warning", ascii(warned.stderr))


MMDB = """use MaxMind::DB::Writer::Tree;
my $tree = MaxMind::DB::Writer::Tree->new(ip_version => 6, record_size => 24, database_type => 'GeoLite2-City',
	languages => ['en'], description => { en => 'test' }, map_key_type_callback =>
	sub { $_[0] =~ /^(country|city|continent|names)$/ ? 'map' : 'utf8_string' },
	remove_reserved_networks => 0);
$tree->insert_network('198.18.0.0/24', { country => { names => { en => 'Germany' } }, city => { names => { en => 'Berlin' } } });
$tree->insert_network('198.18.11.0/24', { country => { names => { en => 'Germany' } }, city => { geoname_id => 'x' } });
$tree->insert_network('fd00:18::/64', { country => { names => { en => 'France' } }, city => { names => { en => 'Lyon' } } });
$tree->insert_network('198.51.100.0/24', { continent => { names => { en => 'Europe' } } });
open my $out, '>:raw', $ARGV[0] or die; $tree->write_tree($out);
"""


def test_places(t):
    """Admin 6.10, 6.11: Location comes from a MaxMind database, which occtl reads; what is not in it is unknown."""
    server = t.server()
    t.net.add_client_address(FAR)
    database = server.dir + "/city.mmdb"
    sh("perl", "-e", MMDB, database)
    webs = [t.web(), t.web(netns=t.net.add_client(), host="198.18.11.1"), t.web(host="fd00:18::1"), t.web(source=FAR)]
    for web in webs:
        web.must_login().open()

    def places(file, *command):
        out = server.occtl("-j", *command, env=dict(os.environ, OCCTL_GEOIP=file))
        return {row["Remote IP"]: row["Location"] for row in json.loads(out.stdout)}, out.stderr
    wanted = {"198.18.0.2": "Germany, Berlin", "198.18.11.2": "Germany", "fd00:18::2": "France, Lyon", FAR: "unknown"}
    for command in (("show", "users"), ("show", "sessions", "all")):
        t.equal(places(database, *command), (wanted, ""), "places in " + " ".join(command))
    record = server.occtl("show", "session", short_session(webs[0].cookies["webvpn"]), env=dict(os.environ, OCCTL_GEOIP=database))
    t.expect("\tRemote IP: 198.18.0.2   Location: Germany, Berlin\n" in record.stdout, "record", record.stdout)
    unknown = dict.fromkeys(wanted, "unknown")
    t.equal(places("", "show", "users"), (unknown, ""), "places without a database")
    for file in (t.dir + "/nothing", server.write_file("broken.mmdb", "\xab\xcd\xefMaxMind.com" * 9)):
        values, words = places(file, "show", "users")
        t.equal(values, unknown, "places from " + file)
        t.expect(file in words and words.count("\n") == 1, "words", words)


@marks(seconds=120)
def test_thousands_of_sessions(t):
    """Admin 6.11: two thousand sessions are listed in full and soon, and main serves others meanwhile."""
    server = t.server(debug=0)
    count = 2000 if t.slow == 1 else 300
    for i in range(count):
        web = web if i % 5 else t.web()  # each login takes three requests of the sixteen of a connection
        web.cookies.clear()
        web.must_login()
        if i % 5 == 4:
            web.close()
    for options in ((), ("-j",)):
        spent, run = timed(lambda: server.occtl(*options, "show", "sessions", "all"))
        t.expect(spent < 8 * t.slow, "%.1f s for %d sessions" % (spent, count))
        rows = json.loads(run.stdout) if options else run.stdout.splitlines()[1:]
        t.equal(len(rows), count, "rows")
    spent, run = timed(lambda: server.occtl("terminate", "user", "test"))
    t.expect(spent < 8 * t.slow, "%.1f s to terminate them" % spent)
    t.equal(server.occtl_json("show", "sessions", "all"), [], "what is left")
