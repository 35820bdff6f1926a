"""doc/occtl-transcript.md: every command of occtl with its real output.  To make it anew:

    OCCTL_TRANSCRIPT=doc/occtl-transcript.md tests/e2e/run -k occtl_transcript
"""
import os
import re
import subprocess

from lib.shell import wait_for
from lib.terminal import Reader
from lib.web import short_session

DOC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../doc/occtl-transcript.md")
FAR = "198.51.100.7"
LONG = 120  # lines of which only the first half is worth reading
INTRO = """# occtl, command by command

What every command prints, taken from a run of the server: `alice` is connected with DTLS and has two networks behind
her, `bob` without; one address is banned. Made by `tests/e2e/test_occtl_transcript.py`, which also checks that no
command is missing here. The keys of the JSON forms are described in `occtl.schema.json`.
"""
PER_USER = "iroute = 10.7.0.0/16\niroute = 10.8.1.0/24\nrx-data-per-sec = 40000\ndns = 10.7.0.53\n"


class Transcript:
    """Sections of commands and what they printed."""

    def __init__(self, server):
        self.server, self.text, self.titles = server, INTRO, []

    def section(self, title):
        self.titles.append(title)
        self.text += "\n## %s\n" % title

    def add(self, command, output, code=0):
        lines = [line.expandtabs().rstrip() for line in output.replace(self.server.dir, "/etc/sallyport").splitlines()]
        if len(lines) > LONG:
            lines[LONG // 2:] = ["[%d more lines]" % (len(lines) - LONG // 2)]
        output = "\n".join(lines)
        self.text += "\n```\n# occtl %s\n%s%s```\n" % (command, output + "\n" if output else "",
                                                       "(exit code %d)\n" % code if code else "")

    def run(self, command, *arguments, json=False):
        words = [*command.split(), *arguments]
        for options in [(), ("-j",)] if json else [()]:
            run = self.server.occtl(*options, *words, check=False)
            self.add(" ".join([*options, *words]), run.stderr + run.stdout, run.returncode)


def follow(server, *options):
    listener = subprocess.Popen([server.tools.occtl, *options, "-s", server.conf["occtl-socket-file"], "show", "events"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    return listener, Reader(listener.stdout.fileno())


def events(t, server, transcript):
    """Somebody comes and goes while two runs listen, one after the other."""
    transcript.section("show events")
    for options in ((), ("-j",)):
        listener, text = follow(server, *options)
        text.until(rb'(?s)quit\n\Z|"bob".*\n\]\n\Z')
        before, text.text = text.text, b""
        t.web().must_login("carol").open().bye()
        text.until(rb"(?s)'carol'.*'carol'.*\n\Z|\"carol\".*\"carol\".*\n\]\n\Z")
        listener.communicate(b"q")
        transcript.add(" ".join([*options, "show events"]), (before + text.text).decode())


def written(text):
    """The commands that TEXT has sections for."""
    return re.findall(r"^## (.*)$", text, re.M)


def test_transcript(t):
    """Admin 6.4: the transcript in doc has every command that help names; the run that makes it works."""
    server = t.server({"max-ban-score": 10, "ban-points-wrong-password": 10, "ban-points-connection": 0, "select-group": ["staff"]},
                      users={"alice": "staff", "bob": "staff", "carol": None}, start=False)
    server.write_file("users/alice", PER_USER)
    server.write_conf(config_per_user=server.dir + "/users")
    server.start()
    t.net.add_client_address(FAR)
    alice = t.client(user="alice", arguments=["--local-hostname", "laptop"]).wait()
    bob = t.client(user="bob", dtls=False, netns=t.net.add_client(), arguments=["--local-hostname", "desktop"]).wait()
    t.web(source=FAR).login("bob", password="wrong")
    unused = t.web().must_login("carol")
    second = t.web().must_login("carol")
    wait_for("the ban", lambda: server.occtl_json("show", "ip", "bans"), 5)
    script = Transcript(server)
    number = lambda user: str(server.user(user)["ID"])
    for command, argument in (("show status", ()), ("show users", ()), ("show user", ["alice"]), ("show id", [number("bob")]),
                              ("show iroutes", ()), ("show ip bans", ()), ("show ip ban points", ()), ("show sessions all", ()),
                              ("show sessions valid", ()), ("show session", [short_session(unused.cookies["webvpn"])]),
                              ("show config user", ["alice"])):
        script.section(command)
        script.run(command, *argument, json=True)
    script.run("show user", "nobody", json=True)
    script.run("--debug show status")
    events(t, server, script)
    for command, arguments in (("unban ip", [FAR]), ("terminate session", [server.user("bob")["Session"]]),
                               ("disconnect id", [number("bob")]), ("disconnect user", ["carol"]),
                               ("terminate id", [number("alice")]), ("terminate user", ["carol"]), ("reload", ()),
                               ("help or ?", ()), ("reset", ()), ("exit", ()), ("stop now", ())):
        script.section(command)
        if command in ("reset", "exit"):
            script.text += "\nOnly in the interactive mode.\n"
            continue
        if command == "disconnect user":
            second.open()
        script.run(command.replace(" or ?", ""), *arguments)
        if command == "help or ?":
            listed = re.findall(r"^ +([a-z ?]+?)(?: \[[A-Z]+\])?\t\S", server.occtl("help").stdout, re.M)
    script.run("show status", json=True)
    server.process.wait(40)
    for client in (alice, bob):
        client.wait_end()
    t.equal(sorted(script.titles), sorted(name for name in listed if name != "quit"), "sections and commands")
    if os.environ.get("OCCTL_TRANSCRIPT"):
        with open(os.environ["OCCTL_TRANSCRIPT"], "w") as out:
            out.write(script.text)
    with open(DOC) as doc:
        t.equal(written(doc.read()), script.titles, "sections of doc/occtl-transcript.md")
