"""Keys outside of files: PKCS#11 tokens (SoftHSM) and TPMs (config.md 8.3).  Their modules run in a process of their own, so
that one that hangs or crashes costs its own handshakes and nothing else."""
import os
import re
import signal
import ssl
import time

from lib.harness import marks
from lib.shell import descendants, process_name, program, sh, wait_for
from lib.softhsm import PIN, Token
from lib.staple import Authority
from lib.swtpm import Tpm

from test_cli import server_run
from test_keys import handshake
from test_material import check


def token_process(server):
    """The process that uses tokens; None while it is being started again."""
    found = [pid for pid in descendants(server.process.pid) if program(pid) == "sallyport-token"]
    return found[0] if len(found) == 1 else None


def make(t, kinds=("rsa",), **options):
    """A server with keys of KINDS on a token; gives it, the token, and certificates with their files and URLs."""
    token = Token(t.new_dir("token"))
    server = t.server(start=False, environment=token.environment, **options)
    ca = Authority(server.dir)
    made = [ca.issue(kind) for kind in kinds]
    urls = [token.put("key%d" % i, *one[1:]) for i, one in enumerate(made)]
    os.environ.update(token.environment)  # for -t
    return server, token, made, urls


def serves(t, cert, **options):
    return Authority.pem(cert).decode() == ssl.DER_cert_to_PEM_cert(handshake(t, **options)[0])


def test_keys_on_a_token(t):
    """Config 8.3: certificates and keys by PKCS#11 URL, RSA and ECDSA, TLS 1.2 with key transport and 1.3; with key-pin,
    pin-file and pin-value; a certificate in a file beside a key on a token."""
    server, token, made, urls = make(t, ("rsa", "ecdsa"))
    pin = server.write_file("pin", token.pin + "\nsecond line\n", 0o600)
    for options, keys in (({"key_pin": token.pin}, [u[1] for u in urls]),
                          ({"key_pin": None, "pin_file": pin}, [u[1] for u in urls]),
                          ({"pin_file": None}, [u[1] + "?pin-value=" + token.pin for u in urls])):
        server.write_conf(server_cert=[urls[0][0], made[1][1]], server_key=keys, **options)
        server.start()
        t.expect(serves(t, made[1][0], tls=ssl.TLSVersion.TLSv1_2, ciphers="ECDHE+ECDSA"), "ECDSA")
        for ciphers in ("ECDHE+aRSA", "kRSA:@SECLEVEL=1"):
            t.expect(serves(t, made[0][0], tls=ssl.TLSVersion.TLSv1_2, ciphers=ciphers), ciphers)
        t.web(tls=ssl.TLSVersion.TLSv1_3).must_login()
        t.client(dtls=False, pin=t.pki.pin_of(made[0][2])).wait().stop()
        t.expect(token.pin not in server.log(), "the PIN is in the log")
        server.stop()


def test_faults_of_tokens(t):
    """Config 8.3: wrong PIN, no PIN, no such object: one line that names it, without the PIN; nothing is started."""
    server, token, made, urls = make(t)
    for options, key, words in (({"key_pin": "1111"}, urls[0][1], "'%s': its token refuses the PIN" % urls[0][1]),
                                ({"key_pin": None}, urls[0][1], "'%s': its token wants a PIN" % urls[0][1]),
                                ({}, urls[0][1] + "?pin-value=1111", "'%s?pin-value=...': its token refuses the PIN" % urls[0][1]),
                                ({"key_pin": token.pin}, urls[0][1].replace("key0", "nokey"), "no token has such a private key"),
                                ({}, "pkcs11:nonsense", "'pkcs11:nonsense': ")):
        server.write_conf(server_cert=made[0][1], server_key=key, **options)
        run = check(t, server)
        t.equal(run.returncode, 1, "status with " + key)
        t.equal([line for line in run.stderr.splitlines() if words in line and line.startswith("error: ")],
                [line for line in run.stderr.splitlines() if line.startswith("error: ")], words)
        shown = run.stderr + server_run(t, server, "--print-config", "-c", server.conf_file).stdout
        t.expect("1111" not in shown, "the PIN is shown", shown)
    left = [pid for pid in descendants(os.getpid()) if program(pid) == "sallyport-token"]
    t.equal(left, [], "processes that -t left")
    server.write_conf(server_cert=urls[0][0].replace("key0", "nokey"), server_key=urls[0][1])
    t.expect("no token has such a certificate" in check(t, server).stderr, "certificate", check(t, server).stderr)
    other = Authority(server.dir).issue()
    server.write_conf(server_cert=other[1])
    t.expect("does not belong to the certificate" in check(t, server).stderr, "pair", check(t, server).stderr)
    server.vhosts = [("a.test", {"keepalive": 77}), ("b.test", {"keepalive": 78})]
    server.write_conf(server_cert=made[0][1], key_pin="1111")
    server.conf["server-key"] = urls[0][1]
    errors = check(t, server).stderr
    t.equal(errors.count("error: "), 1, "lines of a wrong PIN that other hosts inherit\n" + errors)
    server.vhosts[0][1].update({"server-cert": made[0][1], "server-key": urls[0][1] + ";id=%00"})
    server.write_conf()
    errors = check(t, server).stderr
    t.equal((errors.count("refuses the PIN"), errors.count("not tried")), (1, 1), "attempts with a wrong PIN\n" + errors)


def test_processes_come_back(t):
    """Design: auth killed and started again, and the process of the token killed: the next login works."""
    server, token, made, urls = make(t)
    server.write_conf(server_cert=made[0][1], server_key=urls[0][1], key_pin=token.pin)
    server.start()
    tunnel = t.web().must_login().open()
    for role in ("token", "auth", "token"):
        time.sleep(1)  # one start a second at most
        pid = wait_for("the process of " + role, lambda: token_process(server) if role == "token" else server.roles().get("auth"))
        os.kill(pid, signal.SIGKILL)
        if role == "auth":
            server.replaced("auth", pid)
        t.web().must_login()
    tunnel.send(tunnel.DPD_OUT, b"still there")
    t.equal(tunnel.receive_control(), (tunnel.DPD_RESP, b"still there"), "answer of the old session")
    t.client(dtls=False, pin=t.pki.pin_of(made[0][2])).wait().stop()


@marks(seconds=90)
def test_token_that_hangs(t):
    """Design: a token that does not answer delays its own handshakes only; after ten seconds it is started again."""
    token_host = "token.test"
    server, token, made, urls = make(t)
    server.vhosts = [(token_host, {"server-cert": made[0][1], "server-key": urls[0][1], "key-pin": token.pin})]
    server.write_conf()
    server.start()
    t.web(name=token_host).must_login()
    pid = token_process(server)
    os.kill(pid, signal.SIGSTOP)
    start = time.monotonic()
    waiting = t.web(raw=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    waiting.socket.settimeout(0.5)
    try:
        waiting.begin_tls(context, token_host)
        t.expect(False, "a handshake without the token's signature")
    except OSError:
        pass  # no answer in half a second
    for _ in range(3):
        t.web().must_login()
    # The token has ten seconds, and then the log tells.
    t.expect("token-too-slow" not in server.log(), "another host had to wait", time.monotonic() - start)
    server.wait_log("token-too-slow", seconds=15)
    t.web(name=token_host).must_login()
    t.expect(token_process(server) not in (None, pid), "the same process")


@marks(seconds=90)
def test_module_that_hangs_at_start(t):
    """Design: a module that never comes back from its initialization gives an error; -t does the same."""
    server, token, made, urls = make(t)
    server.write_conf(server_cert=made[0][1], server_key=urls[0][1], key_pin=token.pin)
    server.start()
    good = open(token.conf).read()
    os.unlink(token.conf)
    os.mkfifo(token.conf)  # which the module opens
    start = time.monotonic()
    said = server.occtl("reload", check=False)
    t.expect(said.returncode == 1 and "'%s': its token does not answer" % urls[0][1] in said.stderr + said.stdout,
             "words of occtl reload", said)
    t.expect(time.monotonic() - start < 40, "it took %.1f s" % (time.monotonic() - start))
    server.wait_log("the previous configuration stays in force")
    t.web().must_login()
    os.unlink(token.conf)
    with open(token.conf, "w") as conf:
        conf.write(good)
    server.write_conf(banner="new")
    server.reload()
    wait_for("the new file", lambda: t.web().must_login().connect().header("X-CSTP-Banner") == "new")


@marks(seconds=90)
def test_token_that_is_away_when_auth_restarts(t):
    """Design: auth that was killed while its token is away tries again until it is back; tunnels stay."""
    server, token, made, urls = make(t)
    server.write_conf(server_cert=made[0][1], server_key=urls[0][1], key_pin=token.pin)
    server.start()
    tunnel = t.web().must_login().open()
    os.rename(token.dir + "/tokens", token.dir + "/away")
    os.makedirs(token.dir + "/tokens")
    os.kill(server.roles()["auth"], signal.SIGKILL)
    server.wait_log("keys-lost.*tries again")
    os.rmdir(token.dir + "/tokens")
    os.rename(token.dir + "/away", token.dir + "/tokens")
    server.wait_log("key-loaded(?s:.*)key-loaded", seconds=15)
    wait_for("logins", lambda: t.web().must_login())
    tunnel.send(tunnel.DPD_OUT, b"still there")
    t.equal(tunnel.receive_control(), (tunnel.DPD_RESP, b"still there"), "answer of the old session")


def test_workers_and_auth_have_no_module(t):
    """Config 8.3: keys of tokens are used in their own process: no PKCS#11 module is in auth or in a worker."""
    server, token, made, urls = make(t)
    server.write_conf(server_cert=made[0][1], server_key=urls[0][1], key_pin=token.pin)
    server.start()
    t.web().must_login()
    roles = server.roles()
    for pid, is_there in ((token_process(server), True), (roles["auth"], False), (roles["zygote"], False)):
        with open("/proc/%d/maps" % pid) as maps:
            t.equal("softhsm" in maps.read(), is_there, "module in %s" % process_name(pid))


def test_tpm_keys(t):
    """Config 8.3: keys of a TPM, which Debian's GnuTLS cannot use, are refused with one line that says so; srk-pin is no
    unknown or unfinished option."""
    server = t.server({"srk-pin": "1234", "srk-pin-file": None}, start=False)
    _, cert, _ = Authority(server.dir).issue()
    blob = server.write_file("tpm.pem", "-----BEGIN TSS2 PRIVATE KEY-----\nMAA=\n-----END TSS2 PRIVATE KEY-----\n")
    for key in ("tpmkey:uuid=7f468c16-cb7f-11e1-824d-b3a4f4b20343;storage=user", blob):
        server.write_conf(server_cert=cert, server_key=key)
        run = check(t, server)
        t.equal(run.returncode, 1, "status with " + key)
        errors = [line for line in run.stderr.splitlines() if line.startswith("error: ")]
        t.equal(errors, ["error: error loading the private key '%s': it is a key of a TPM, and this GnuTLS was built without "
                         "TPM support" % key], "errors")
        t.expect("not implemented" not in run.stderr, "a warning", run.stderr)
    server.write_conf(srk_pin=None, srk_pin_file=server.dir + "/nothing", server_key=blob)
    t.expect("cannot open file '%s/nothing'" % server.dir in check(t, server).stderr, "srk-pin-file", check(t, server).stderr)


def test_key_in_a_tpm_by_pkcs11(t):
    """Config 8.3: a TPM 2.0 key through its PKCS#11 module, which needs no TPM support of GnuTLS."""
    tpm = Tpm(t)
    server = t.server(start=False, environment=tpm.environment)
    cert = tpm.certify(t.pki.ca_cert, t.pki.ca_key, server.dir + "/tpm.pem")
    server.write_conf(server_cert=cert, server_key=tpm.url, key_pin=PIN)
    server.start()
    t.client(dtls=False, pin=server.occtl_json("show", "status")["Server keys"][0]["pin"]).wait().stop()
    os.kill(server.roles()["auth"], signal.SIGKILL)
    server.wait_log('restarted process="sallyport-auth"')  # who comes in the moment between is turned away
    with open(cert) as pem:
        t.equal(ssl.DER_cert_to_PEM_cert(handshake(t)[0]), pem.read(), "certificate with another auth")


def test_feature_list(t):
    """Admin 2: the version's feature list has PKCS#11."""
    t.expect(re.search("Compiled with:.*PKCS#11", sh(t.tools.server, "-v").stderr), "PKCS#11 is not named")
