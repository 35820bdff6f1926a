"""The XML profile for Cisco's clients, and the folder it may lie in (config.md 8.13, 8.1)."""
import base64
import hashlib
import os
import re
import subprocess

from lib.client import SCRIPT
from lib.server import PASSWORD
from lib.shell import wait_for
from lib.spoken import ANYCONNECT
from test_cli import server_run

PROFILE = ('<?xml version="1.0" encoding="UTF-8"?>\n<AnyConnectProfile xmlns="http://schemas.xmlsoap.org/encoding/">'
           '%s</AnyConnectProfile>\n')
STRANGE = base64.b64encode(b"x" * 32).decode()
PATHS = ("/profiles/profile.xml", "/profiles/x.xml", "/profiles", "/profiles/", "/profiles/x.xml:4443",
         "/profiles%2Fx.xml", "/profiles%2fx.xml:4443", "/profiles%2Fprofile.xml:443", "/CACHE/stc/profiles/x.xml",
         "/profiles/../../etc/passwd", "/profiles/x.xml?a=b")


def sha1(text):
    return hashlib.sha1(text.encode()).hexdigest().upper()


def announced(answer):
    """The hash in the document, which must be that of the cookie."""
    cookie = [value for value in answer.headers("Set-Cookie") if value.startswith("webvpnc=bu:")][0]
    in_cookie = re.search(r"&fu:profiles%2Fprofile.xml&fh:([0-9A-F]{40});", cookie)
    in_text = re.search(r"<uri>/profiles/profile.xml</uri><hash type=\"sha1\">([0-9A-F]{40})</hash>",
                        answer.body.replace("\n", ""))
    if not in_cookie and not in_text:
        return None
    assert in_cookie and in_text and in_cookie.group(1) == in_text.group(1), (cookie, answer.body)
    return in_text.group(1)


def test_profile_is_announced_and_served(t):
    """Protocol 23, 45, 10.36: to who has the cookie, by any name below /profiles; 404 to others, and no other file."""
    text = PROFILE % ("Müller & \u20ac " + "x" * 30000)
    server = t.server(start=False)
    server.write_conf(user_profile=server.write_file("profile", text, 0o600))
    server.start()
    web = t.web()
    web.agent = ANYCONNECT
    answer = web.login()
    t.equal(announced(answer), sha1(text), "the hash")
    cookie = {"webvpn": web.cookies["webvpn"]}
    for path in PATHS:
        for connection in (web, t.web(cookies=cookie)):
            got = connection.get(path)
            t.equal((got.status, got.header("Content-Type")), (200, "text/xml"), path)
            t.equal(sha1(got.body), sha1(text), "the bytes of " + path)
        for cookies in ({}, {"webvpn": STRANGE}, {"webvpn": "x"}, {"webvpncontext": STRANGE}):
            other = t.web(cookies=cookies)
            t.equal(other.get(path).lines[0], "HTTP/1.1 404 Not found", "%s with %s" % (path, cookies))
            t.expect(other.is_closed(), "stays open")
    for path in ("/profilesx", "/profiles.xml", "/CACHE/stc/profile", "/profile/x", "/profiles%2"):
        t.equal(t.web(cookies=cookie).get(path).status, 404, path)
    tunnel = t.web(cookies=cookie).open()
    t.equal(t.web(cookies=cookie).get("/profiles/x").status, 200, "while the tunnel is up")
    tunnel.bye()
    wait_for("the end of the session", lambda: t.web(cookies=cookie).get("/profiles/x").status == 404)


def test_openconnect_fetches_the_profile(t):
    """Protocol 23, 45: Debian's openconnect --xmlconfig compares the hash and fetches it, from another port, too."""
    text = PROFILE % "fetched"
    for port in (443, 4443):
        server = t.server({"tcp-port": port, "udp-port": 0}, start=False)
        server.write_conf(user_profile=server.write_file("profile", text))
        server.start()
        folder = t.new_dir("xml")
        path = folder + "/got.xml"
        with open(path, "w") as out:
            out.write("old")
        run = subprocess.run(["ip", "netns", "exec", t.net.cli, "openconnect", "--servercert", t.pki.pin, "--script",
                              SCRIPT, "--non-inter", "-u", "test", "--passwd-on-stdin", "--xmlconfig", path, "-v",
                              "--authenticate", "https://198.18.0.1:%d" % port],
                             input=PASSWORD + "\n", text=True, capture_output=True, timeout=60)
        t.notes.append(run.stdout + run.stderr)
        t.equal(run.returncode, 0, "status")
        with open(path) as got:
            t.equal(got.read(), text, "what the client has now")
        server.stop()


def test_no_profile_no_word(t):
    """Protocol 4.10, 23: without the option nothing is announced and nothing served."""
    t.server()
    web = t.web()
    answer = web.login()
    t.equal(announced(answer), None, "the hash")
    t.expect("<config " not in answer.body and "fu:" not in answer.head, "a profile", answer.body)
    for path in PATHS:
        t.equal(t.web(cookies=web.cookies).get(path).status, 404, path)


def test_profiles_of_users_groups_and_hosts(t):
    """Config 8.13, 10.1, protocol 45: the user's file before the group's before the host's, each with its own hash."""
    server = t.server(start=False, users={"ann": "staff", "bob": "staff", "eve": None, "tom": None})
    texts = {name: PROFILE % (name * 15000) for name in ("host", "staff", "ann", "vhost")}
    files = {name: server.write_file("p-" + name, text[-65536:], 0o600) for name, text in texts.items()}
    server.write_file("users/ann", "user-profile = %s\n" % files["ann"])
    server.write_file("users/tom", "user-profile = %s\n" % (server.dir + "/nothing"))
    server.write_file("groups/staff", "user-profile = %s\n" % files["staff"])
    server.write_conf(user_profile=files["host"], config_per_user=server.dir + "/users",
                      config_per_group=server.dir + "/groups")
    server.vhosts = [("second.test", {"user-profile": files["vhost"]}), ("third.test", {"banner": "x"})]
    server.write_conf()
    server.start()
    for user, name, want in (("ann", None, "ann"), ("bob", None, "staff"), ("eve", None, "host"), ("tom", None, None),
                             ("eve", "second.test", "vhost"), ("eve", "third.test", "host"),
                             ("ann", "second.test", "ann")):
        web = t.web(name=name)
        answer = web.login(user)
        t.expect(answer.success, "login of " + user, answer.body)
        text = texts[want][-65536:] if want else None
        t.equal(announced(answer), sha1(text) if want else None, "%s at %s" % (user, name))
        got = t.web(name=name, cookies=web.cookies).get("/profiles/profile.xml")
        t.equal((got.status, got.body) if want else got.status, (200, text) if want else 404, "%s at %s" % (user, name))
        t.equal(t.web(name="second.test" if name is None else None, cookies=web.cookies).get("/profiles/x").status, 404,
                "the cookie at another host")
    server.wait_said("profile-not-read")


def test_profile_is_read_again_at_reload(t):
    """Config 8.13, 5: with a reload, not before; a file that went away keeps the settings that run."""
    server = t.server(start=False)
    path = server.write_file("profile", PROFILE % "one")
    server.write_conf(user_profile=path)
    server.start()
    cookies = t.web().must_login().cookies
    server.write_file("profile", PROFILE % "two")
    t.equal(t.web(cookies=cookies).get("/profiles/x").body, PROFILE % "one", "before the reload")
    server.reload()
    wait_for("the second one", lambda: t.web(cookies=cookies).get("/profiles/x").body == PROFILE % "two")
    web = t.web()
    t.equal(announced(web.login()), sha1(PROFILE % "two"), "the hash after the reload")
    os.unlink(path)
    server.reload()
    wait_for("an error in the log", lambda: "cannot open file '%s'" % path in server.log())
    t.equal(t.web(cookies=cookies).get("/profiles/x").body, PROFILE % "two", "after a failed reload")


def test_bad_profiles_are_refused(t):
    """Config 8.13: a file that cannot be opened, is too long or is no file is fatal, with its name."""
    server = t.server(start=False)
    for path, text in ((server.dir + "/nothing", "cannot open file '%s/nothing'" % server.dir),
                       (server.write_file("long", "x" * 65537), "'%s/long' is too long" % server.dir),
                       (server.dir, "cannot open file '%s'" % server.dir)):
        server.write_conf(user_profile=path)
        run = server_run(t, server, "-t", "-c", server.conf_file)
        t.equal(run.returncode, 1, "status of " + path)
        t.expect(text in run.stderr, "words", run.stderr)
    server.write_conf(user_profile=server.write_file("fits", "x" * 65536))
    t.equal(server_run(t, server, "-t", "-c", server.conf_file).returncode, 0, "status of the longest")


def test_chroot_dir(t):
    """Config 8.1, 8.13: the folder must exist; profiles may lie below it; it is the root of workers without another."""
    server = t.server(start=False)
    for path, why in ((server.dir + "/nothing", "No such file or directory"), (server.conf_file, "Not a directory")):
        server.write_conf(chroot_dir=path)
        run = server_run(t, server, "-t", "-c", server.conf_file)
        t.equal(run.returncode, 1, "status of " + path)
        t.expect("cannot use '%s' as chroot-dir: %s" % (path, why) in run.stderr, "words", run.stderr)
    jail = t.new_dir("jail")
    os.makedirs(jail + "/etc/vpn")
    with open(jail + "/etc/vpn/p.xml", "w") as out:
        out.write(PROFILE % "inside")
    server.write_conf(chroot_dir=jail, user_profile="/etc/vpn/p.xml", isolate_workers="false")
    t.equal(server_run(t, server, "-t", "-c", server.conf_file).returncode, 0, "status with a profile below the folder")
    if t.tools.sanitizers:
        return  # the leak check of a worker needs /proc
    server.start()
    web = t.web().must_login()
    t.equal(web.get("/profiles/x").body, PROFILE % "inside", "the profile below the folder")
    roots = {os.path.realpath(os.readlink("/proc/%d/root" % pid)) for pid in server.roles()["workers"]}
    t.equal(roots, {os.path.realpath(jail)}, "roots of the workers")
    web.open()
    server.stop()
    server.write_conf(isolate_workers="true")
    server.start()
    web = t.web().must_login()
    t.equal(web.get("/profiles/x").body, PROFILE % "inside", "the profile, isolated")
    for pid in server.roles()["workers"]:
        t.equal(os.listdir("/proc/%d/root/" % pid), [], "what an isolated worker sees")
    web.open()
