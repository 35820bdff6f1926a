"""What goes with server certificates: stapled OCSP responses, Diffie-Hellman parameters, pins, warnings about dates and
names, replacement on disk (config.md 5, 8.3; protocol.md 2.4)."""
import os
import re
import ssl
import time

from lib.harness import marks
from lib.shell import sh, wait_for
from lib.staple import Authority, new_key
from lib.traffic import Pinger

from test_cli import server_run
from test_tunnel import TLS12


def s_client(t, *arguments, name=None):
    """What OpenSSL's client sees of a handshake."""
    where = ["-connect", "198.18.0.1:443"] + (["-servername", name] if name else ["-noservername"])
    return t.net.run(t.net.cli, "openssl", "s_client", *where, *arguments, check=False, stdin="", timeout=20).stdout


def stapled(t, *arguments, **options):
    """Whether the server staples a good response."""
    out = s_client(t, "-status", *arguments, **options)
    t.expect("OCSP response: no response sent" in out or "OCSP Response Status: successful" in out, "no handshake", out)
    return "Cert Status: good" in out


def gnutls_client(t, priorities, *arguments):
    """What gnutls-cli says after a handshake with PRIORITIES; None when there was none."""
    run = t.net.run(t.net.cli, "gnutls-cli", "--insecure", "--priority", priorities, "-p", "443", "--print-cert", *arguments,
                    "198.18.0.1", check=False, stdin="", timeout=20)
    return run.stdout if "Handshake was completed" in run.stdout else None


def check(t, server):
    """Errors, warnings and status of -t."""
    return server_run(t, server, "-t", "-c", server.conf_file)


def test_clients_with_few_signatures(t):
    """Protocol 2.4, checklist 65: of four certificates each client gets the one whose signatures it knows."""
    server = t.server(start=False)
    ca = Authority(server.dir)
    made = {kind: ca.issue(kind) for kind in ("rsa", "ecdsa", "ed25519")}
    server.write_conf(server_cert=[m[1] for m in made.values()], server_key=[m[2] for m in made.values()])
    server.start()
    for kind, names in (("rsa", "RSA-PSS-RSAE-SHA256"), ("rsa", "RSA-SHA256"), ("ecdsa", "ECDSA-SECP256R1-SHA256"),
                        ("ecdsa", "ECDSA-SHA256"), ("ed25519", "EDDSA-ED25519")):
        for version in ("TLS1.2", "TLS1.3"):
            if (version == "TLS1.3") == (names in ("RSA-SHA256", "ECDSA-SHA256")):
                continue  # signatures of the other version
            out = gnutls_client(t, "NORMAL:-VERS-ALL:+VERS-%s:-SIGN-ALL:+SIGN-%s" % (version, names))
            with open(made[kind][1]) as pem:
                t.expect(out and pem.read().strip() in out, "%s with %s" % (names, version), out)


def test_staple(t):
    """Config 8.3: ocsp-response is stapled to the certificate it is about, with TLS 1.2 and 1.3, and read again by a
    reload; openconnect's logins work with it."""
    server = t.server(start=False)
    ca = Authority(server.dir)
    rsa, ecdsa = ca.issue("rsa"), ca.issue("ecdsa")
    path = ca.respond(server.dir + "/ocsp.der", ecdsa[0])
    server.write_conf(server_cert=[rsa[1], ecdsa[1]], server_key=[rsa[2], ecdsa[2]], ocsp_response=path)
    t.equal((check(t, server).returncode, "OCSP" in check(t, server).stderr), (0, False), "words of -t")
    server.start()
    for version in ("-tls1_2", "-tls1_3"):
        t.expect(stapled(t, version, "-sigalgs", "ecdsa_secp256r1_sha256"), "not stapled to ECDSA, " + version)
        t.expect(not stapled(t, version, "-sigalgs", "rsa_pss_rsae_sha256"), "stapled to RSA, " + version)
    t.client(dtls=False, pin=t.pki.pin_of(rsa[2])).wait().stop()
    ca.respond(path, rsa[0])
    server.reload()
    wait_for("the new response", lambda: stapled(t, "-sigalgs", "rsa_pss_rsae_sha256"))
    t.expect(not stapled(t, "-sigalgs", "ecdsa_secp256r1_sha256"), "the old response is stapled")
    ca.respond(path, rsa[0], end=2 / 86400)
    server.reload()
    wait_for("the response to expire", lambda: not stapled(t, "-sigalgs", "rsa_pss_rsae_sha256"))


def test_staple_of_a_vhost(t):
    """Config 3.2, 8.3: a host has a response of its own."""
    server = t.server(start=False)
    ca = Authority(server.dir)
    one, two = ca.issue(), ca.issue(name="two.test")
    server.write_conf(server_cert=one[1], server_key=one[2])
    server.vhosts.append(("two.test", {"server-cert": two[1], "server-key": two[2],
                                       "ocsp-response": ca.respond(server.dir + "/two.der", two[0])}))
    server.write_conf()
    server.start()
    t.expect(stapled(t, name="two.test") and not stapled(t), "the response is not that host's alone")


def test_bad_staples(t):
    """Config 8.3: a response that cannot be read, is none, is too old or another's is named; the server serves without."""
    server = t.server(start=False)
    ca = Authority(server.dir)
    mine, other = ca.issue(), ca.issue()
    path = server.dir + "/ocsp.der"
    server.write_conf(server_cert=mine[1], server_key=mine[2], ocsp_response=path)
    half = open(ca.respond(server.dir + "/good.der", mine[0]), "rb").read()[:100]

    def write_half():
        with open(path, "wb") as out:
            out.write(half)
    said = []
    for make, words in ((lambda: None, "error: cannot open file %s" % path),
                        (write_half, r"error: .*%s.*not an OCSP response in DER" % path),
                        (lambda: ca.refuse(path), r"error: .*%s.*responder answered with an error" % path),
                        (lambda: ca.respond(path, other[0]), "warning: .*%s.* none of the certificates" % path),
                        (lambda: ca.respond(path, mine[0], -3, -1), "warning: .*%s.* has expired" % path)):
        make()
        run = check(t, server)
        t.equal(run.returncode, 0, "status of -t with " + words)
        t.expect(re.search(words, run.stderr), words, run.stderr)
        said.append(run.stderr)
    server.start()
    t.expect(not stapled(t), "an expired response is stapled")
    ca.respond(path, mine[0])
    server.reload()
    wait_for("the good response", lambda: stapled(t))
    write_half()
    server.reload()
    server.wait_log("not an OCSP response in DER")
    t.web().must_login()


def test_dh_params(t):
    """Config 8.3: dh-params are used for DHE of TLS 1.2; a file that cannot be used is fatal, with -t too."""
    server = t.server(start=False)
    ca = Authority(server.dir)
    rsa = ca.issue("rsa")
    path = server.write_file("dh.pem", sh("certtool", "--get-dh-params", "--bits", "3072").stdout)
    server.write_conf(server_cert=rsa[1], server_key=rsa[2], dh_params=path)
    server.vhosts.append(("two.test", {"keepalive": 77}))
    server.write_conf()
    server.start()
    dhe = ("-tls1_2", "-cipher", "DHE+aRSA:!ECDHE:@SECLEVEL=1")
    for name in (None, "two.test"):
        t.expect("Server Temp Key: DH, 3072 bits" in s_client(t, *dhe, name=name), "other parameters for %s" % name,
                 s_client(t, *dhe, name=name))
    server.stop()
    server.write_conf(dh_params=None)
    server.start()
    t.expect("Server Temp Key: DH, 2048 bits" in s_client(t, *dhe), "other parameters are built in", s_client(t, *dhe))
    server.stop()
    for text, words in ((None, "error: cannot open file '%s/nothing'" % server.dir),
                        ("nonsense\n", "error: .*bad-dh.*PEM of PKCS#3")):
        bad = server.write_file("bad-dh", text) if text else server.dir + "/nothing"
        server.write_conf(dh_params=bad)
        for flag in ("-t", "-f"):
            run = server_run(t, server, flag, "-c", server.conf_file)
            t.equal(run.returncode, 1, "status of %s" % flag)
            t.expect(re.search(words, run.stderr), words, run.stderr)


def test_warnings(t):
    """Config 3.1, 8.3: expired, soon to expire, not yet valid, without key encipherment, other name: warned of, not fatal."""
    server = t.server(start=False)
    ca = Authority(server.dir)
    for options, words in (({"begin": -9, "end": -2}, "warning: the certificate '%s' has expired"),
                           ({"end": 5}, "warning: the certificate '%s' expires in [45] days"),
                           ({"begin": 3}, "warning: the certificate '%s' is not yet valid"),
                           ({"kind": "rsa", "encipherment": False}, "warning: .*'%s' lacks key encipherment"),
                           ({"end": 16}, None), ({"kind": "rsa"}, None), ({"encipherment": False}, None)):
        _, cert, key = ca.issue(**options)
        server.write_conf(server_cert=cert, server_key=key)
        run = check(t, server)
        t.equal(run.returncode, 0, "status with %s" % options)
        t.expect(re.search(words % cert, run.stderr) if words else cert not in run.stderr, words, run.stderr)
    server.start()
    t.web().must_login()
    server.stop()
    wrong, right = ca.issue(name="other.test"), ca.issue(name="two.test")
    for made, is_said in ((wrong, True), (right, False)):
        server.vhosts = [("two.test", {"server-cert": made[1], "server-key": made[2]})]
        server.write_conf()
        run = check(t, server)
        t.equal(run.returncode, 0, "status with a certificate of another name")
        t.equal("The DN certificate's name doesn't match for vhost two.test" in run.stderr, is_said, "warning of a name")


def pins(server):
    """Vhost and pin of every key that the log tells."""
    return re.findall(r"key-loaded (?:vhost=(\S+) )?.*(pin-sha256:\S+=)", server.log())


def test_pins(t):
    """Protocol 2.4: the pin of each key is in the log at start and after a reload that changed it, and in occtl show status;
    openconnect accepts it."""
    server = t.server(start=False)
    ca = Authority(server.dir)
    rsa, ecdsa, two = ca.issue("rsa"), ca.issue("ecdsa", end=40), ca.issue("ed25519", name="two.test")
    server.vhosts.append(("two.test", {"server-cert": two[1], "server-key": two[2]}))
    server.write_conf(server_cert=[rsa[1], ecdsa[1]], server_key=[rsa[2], ecdsa[2]])
    server.start()
    wanted = [("default", "RSA-2048", t.pki.pin_of(rsa[2])), ("default", "ECDSA-P256", t.pki.pin_of(ecdsa[2])),
              ("two.test", "Ed25519", t.pki.pin_of(two[2]))]

    def shown():
        return [(key["vhost"], key["algorithm"], key["pin"]) for key in server.occtl_json("show", "status")["Server keys"]]
    t.equal(shown(), wanted, "keys that occtl shows")
    t.equal([pin for _, pin in pins(server)], [pin for _, _, pin in wanted], "pins in the log")
    end = server.occtl_json("show", "status")["Server keys"][1]["not_after"]
    t.expect(abs(end - time.time() - 40 * 86400) < 90000, "expiry", end)
    text = server.occtl("show", "status").stdout
    for vhost, _, pin in wanted:
        t.expect("\n\tKey of %s: %s\n" % (vhost, pin) in text.split("\nCurrent")[0] + "\n", "line of " + pin, text)
    server.reload()
    server.wait_log("reloaded")
    t.equal(len(pins(server)), 3, "pins in the log after a reload that changed nothing")
    new = ca.issue("ecdsa", label="ecdsa2")  # in place of the second
    t.equal(new[1], ecdsa[1], "path")
    server.reload()
    wanted[1] = ("default", "ECDSA-P256", t.pki.pin_of(new[2]))
    wait_for("the new key", lambda: shown() == wanted)
    t.equal([pin for _, pin in pins(server)][3:], [wanted[1][2]], "pins in the log after the reload")
    t.client(dtls=False, pin=wanted[0][2]).wait().stop()
    os.kill(server.roles()["auth"], 9)
    wait_for("the keys with another auth", lambda: len(pins(server)) == 7)
    t.equal(shown(), wanted, "keys with another auth")


def test_replaced_on_disk(t):
    """Config 5, checklist 66-68, 114: certificate and key replaced and SIGHUP, for the default host and for another one: new
    logins get them, sessions stay; a replacement that does not work keeps the old one and says why."""
    server = t.server(start=False)
    ca = Authority(server.dir, "intermediate", issuer=Authority(server.dir, "root"))
    made = [ca.issue(label="one"), ca.issue(name="two.test", label="two")]
    server.vhosts.append(("two.test", {"server-cert": made[1][1], "server-key": made[1][2]}))
    server.write_conf(server_cert=made[0][1], server_key=made[0][2])
    server.start()
    tunnels = [t.web(name=name, tls=None).must_login().open() for name in (None, "two.test")]

    def serves(name, cert):
        return ca.pem(cert).decode() == ssl.DER_cert_to_PEM_cert(t.web(name=name).socket.getpeercert(True))
    new = [ca.issue("rsa", label="one"), ca.issue("ed25519", name="two.test", label="two")]
    server.reload()
    for name, made in ((None, new[0]), ("two.test", new[1])):
        wait_for("the new certificate of %s" % name, lambda name=name, made=made: serves(name, made[0]))
        t.web(name=name).must_login().open().bye()
    texts = {path: open(path).read() for made in new for path in made[1:]}
    other = ca.issue(name="other")
    whole = texts[new[1][1]]
    for path, text, words in (
            (new[1][2], open(other[2]).read(), "private key '%s' does not belong to the certificate '%s'" %
             (new[1][2], new[1][1])),
            (new[1][1], None, "cannot open file '%s'" % new[1][1]),
            (new[1][2], texts[new[1][2]][:60], "'%s': the file breaks off" % new[1][2]),
            (new[1][1], whole[:-200], "'%s': the file breaks off" % new[1][1])):
        start = len(server.log())
        os.unlink(path)
        if text:
            server.write_file(os.path.basename(path), text)
        server.reload()
        server.wait_log(re.escape(words), start=start)
        server.wait_log("the previous configuration stays in force", start=start)
        t.expect(serves("two.test", new[1][0]) and serves(None, new[0][0]), "another certificate after " + words)
        t.web(name="two.test").must_login()
        said = server.occtl("reload", check=False)
        t.expect(said.returncode == 1 and words in said.stderr + said.stdout, "what occtl reload says", said)
        server.write_file(os.path.basename(path), texts[path])
    server.occtl("reload")
    for tunnel in tunnels:
        tunnel.send(tunnel.DPD_OUT, b"still there")
        t.equal(tunnel.receive_control(), (tunnel.DPD_RESP, b"still there"), "answer of an old session")


@marks(seconds=90)
def test_session_outlives_its_key(t):
    """Config 5, checklist 66: a TLS 1.2 session that renegotiates after its key was replaced shows what it began with, twice
    replaced, and goes on."""
    server = t.server({"rekey-time": 3, "tls-priorities": TLS12}, start=False)
    ca = Authority(server.dir)
    old = ca.issue("rsa", label="one")
    server.write_conf(server_cert=old[1], server_key=old[2])
    server.start()
    client = t.client(dtls=False, pin=t.pki.pin_of(old[2])).wait()
    pinger = Pinger(client.netns, directory=t.dir)
    for kind in ("ecdsa", "rsa"):
        new = ca.issue(kind, label="one")
        server.occtl("reload")
    start = len(server.log())
    server.wait_log("TLS rehandshake completed", 40, start=start)
    t.client(dtls=False, netns=t.net.add_client(), pin=t.pki.pin_of(new[2])).wait().stop()
    got, lost, _ = pinger.stop()
    t.expect(got and lost <= 2, "pings lost: %d of %d" % (lost, got))
    t.equal(len(client.script_calls("connect")), 1, "connections of the old session")


def test_many_hosts(t):
    """Config 3: eight hundred hosts, each with a certificate of its own and its chain: more than fits into a message."""
    server = t.server(start=False)
    ca = Authority(server.dir, "intermediate", issuer=Authority(server.dir, "root"))
    key, aliases = new_key("rsa"), ["an-alias-of-every-host-%d.test" % i for i in range(30)]
    made = [ca.issue("rsa", name="h%d.test" % i, key=key, aliases=aliases) for i in range(800)]
    with open(made[0][1]) as pem:
        t.expect(len(pem.read()) * len(made) > 2 * 768 * 1024, "size of the chains")
    server.vhosts = [("h%d.test" % i, {"server-cert": one[1], "server-key": one[2]}) for i, one in enumerate(made)]
    server.write_conf()
    server.start()
    for i in (0, 400, 799):
        out = s_client(t, "-showcerts", name="h%d.test" % i)
        with open(made[i][1]) as pem:
            chain = re.findall("-----BEGIN.*?-----END CERTIFICATE-----", pem.read(), re.S)
        t.equal(re.findall("-----BEGIN.*?-----END CERTIFICATE-----", out, re.S)[:2], chain, "chain of host %d" % i)
    t.equal(len(server.occtl_json("show", "status")["Server keys"]), 801, "keys that occtl shows")
