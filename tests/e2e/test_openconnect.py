"""Debian's openconnect with the switches people use: groups, platforms, agents, proxies of form, odd networks."""
import subprocess

from lib.net import SERVER4
from lib.server import PASSWORD
from lib.shell import sh

from lib.spoken import GROUPS


def environment(client):
    client.wait()
    env = client.env
    client.stop()
    return env


def test_groups_of_openconnect(t):
    """Checklist 69, 79, protocol 30, 31, 4.5: by label, by value in the URL, by the first entry; the second init."""
    server = t.server({**GROUPS, "select-group-by-url": "true"}, users={"test": "staff,guests,admins"})
    for arguments, group in ((["--authgroup", "guests"], "guests"), (["--authgroup", "The <admins>"], "admins"),
                             (["--authgroup", GROUPS["select-group"][0][6:-1]], "staff"),
                             (["--usergroup", "guests"], "guests"),
                             (["--usergroup", "nonsense", "--authgroup", "guests"], "guests"),
                             (["-F", "main:group_list=The <admins>"], "admins"),
                             (["--no-xmlpost", "--authgroup", "guests"], "guests")):
        client = t.client(dtls=False, arguments=arguments).wait()
        t.equal(server.user()["Groupname"], group, "group with %s" % arguments)
        client.stop()
        server.wait_no_user()
    client = t.client(dtls=False, arguments=["--authgroup", "nowhere"])
    t.expect(client.wait_end() != 0, "a group that is not there")


def test_platforms_and_agents(t):
    """Protocol 3.3, checklist 107: --os and --useragent of every kind get a tunnel, with DTLS."""
    t.server({"dtls-legacy": "true"})
    for arguments in (["--os=linux"], ["--os=linux-64"], ["--os=win"], ["--os=mac-intel"], ["--os=android"],
                      ["--os=apple-ios"], ["--useragent=AnyConnect Windows 4.10.01075"],
                      ["--useragent=AnyConnect-compatible OpenConnect VPN Agent v9.21"],
                      ["--useragent=Cisco AnyConnect VPN Agent for Apple iPhone 4"],
                      ["--useragent=Open AnyConnect VPN Agent v3.02"], ["--useragent=x"],
                      ["--useragent=Mozilla/5.0"], ["--no-http-keepalive"], ["--local-hostname=some.name.example"],
                      ["--pfs"], ["--base-mtu=1400"], ["-m", "1300"]):
        client = t.client(arguments=arguments).wait()
        env = client.env
        t.expect(env.get("INTERNAL_IP4_ADDRESS"), "no IPv4 with %s" % arguments, env)
        bare = "v3.02" in arguments[0]
        t.equal(env.get("INTERNAL_IP6_ADDRESS") is None, bare, "IPv6 with %s" % arguments)
        t.expect(1000 < int(env["INTERNAL_IP4_MTU"]) < 1450, "MTU with %s" % arguments, env)
        client.stop()
    env = environment(t.client(dtls=False, arguments=["--disable-ipv6"]))
    t.expect("INTERNAL_IP6_ADDRESS" not in env, "IPv6 although disabled")


def test_a_client_certificate_nobody_asked_for(t):
    """Protocol 1.3, 4.15: with -c openconnect finishes the login on another connection."""
    t.server()
    t.client(dtls=False, arguments=["-c", t.pki.cert, "-k", t.pki.key]).wait().stop()


def run_openconnect(t, *arguments, stdin=""):
    return subprocess.run(["ip", "netns", "exec", t.net.cli, "openconnect", "--servercert", t.pki.pin, *arguments,
                           SERVER4], input=stdin, text=True, capture_output=True, timeout=60)


def test_words_the_user_sees(t):
    """Protocol 4.8, 5.4, checklist 37, 97: messages of wrong passwords, banners and refusals reach the screen."""
    server = t.server({"pre-login-banner": "100% for <members> only", "ipv4-network": "198.19.0.0/30",
                       "ipv6-network": None, "ipv6-subnet-prefix": None, "route": "198.18.1.0/24"},
                      users={"test": None, "other": None})
    run = run_openconnect(t, "--authenticate", "-u", "test", "--passwd-on-stdin", "--non-inter", stdin="wrong\n")
    t.expect(run.returncode != 0 and "Login failed." in run.stderr, "wrong password", run.stdout, run.stderr)
    t.expect("100% for <members> only" in run.stdout + run.stderr, "banner", run.stdout, run.stderr)
    tunnel = t.web().must_login("other").open()
    run = run_openconnect(t, "-u", "test", "--passwd-on-stdin", "--non-inter", "--script", "true",
                          "--reconnect-timeout", "0", stdin=PASSWORD + "\n")
    t.expect(run.returncode != 0 and "No address is available" in run.stdout + run.stderr, "exhausted pool",
             run.stdout, run.stderr)
    tunnel.bye()
    server.wait_no_user("other")
    t.client(dtls=False).wait().stop()


def test_three_wrong_passwords_at_the_prompt(t):
    """Checklist 32, 33: openconnect asks again after a wrong password and takes the right one."""
    t.server()
    script = t.new_dir("prompt") + "/answer"
    with open(script, "w") as out:
        out.write("""import os, pty, sys, time
pid, fd = pty.fork()
if not pid:
    os.execvp(sys.argv[2], sys.argv[2:])
seen, answers = b"", sys.argv[1].split(",")
while True:
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    if not data:
        break
    sys.stdout.buffer.write(data)
    seen += data
    if seen.endswith(b"assword:") and answers:
        os.write(fd, answers.pop(0).encode() + b"\\n")
        seen = b""
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
""")
    for answers, status in (("wrong,wrong," + PASSWORD, 0), ("wrong,wrong,wrong," + PASSWORD, 2)):
        run = sh("ip", "netns", "exec", t.net.cli, "python3", script, answers, "openconnect", "--servercert", t.pki.pin,
                 "--authenticate", "-u", "test", SERVER4, check=False)
        t.equal(run.returncode != 0, status != 0, "status after %s\n%s" % (answers, run.stdout))
        t.equal("COOKIE=" in run.stdout, status == 0, "cookie after " + answers)


def test_cookies_of_authenticate(t):
    """Protocol 4.12: the cookie printed by --authenticate opens a tunnel with nothing else."""
    t.server()
    run = run_openconnect(t, "--authenticate", "-u", "test", "--passwd-on-stdin", "--non-inter", stdin=PASSWORD + "\n")
    cookie = [line.split("=", 1)[1].strip("'") for line in run.stdout.splitlines() if line.startswith("COOKIE=")][0]
    plain = [part.split("=", 1)[1] for part in cookie.split("; ") if part.startswith("webvpn=")][0]
    for text in (cookie, "webvpn=" + plain):
        client = t.client(dtls=False, cookie=text).wait()
        t.expect(client.ip4, "no address with the cookie")
        client.detach()
