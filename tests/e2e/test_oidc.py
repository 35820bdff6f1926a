"""Bearer tokens of an OpenID provider (radius.md 6), with keys and signatures like a real one's."""
import threading
import time

from lib.clientcert import Authority
from lib.net import SERVER4
from lib.oidc import Key, Provider, b64, claims, hmac_token, token
from lib.server import timed
from lib.shell import sh, wait_for
from lib.web import INIT


def attempt(t, bearer, scheme="Bearer ", **options):
    """The answer to a login's first request with a token."""
    return t.web(**options).post("/", INIT % ("/", ""), headers=["Authorization: %s%s" % (scheme, bearer)])


def expect_refused(t, server, bearer, reason, what):
    start = len(server.log())
    answer = attempt(t, bearer)
    t.equal(answer.status, 401, "status with " + what)
    t.expect(not answer.headers("WWW-Authenticate"), "a refused token is asked for again", answer.head)
    server.wait_log("ocserv-oidc: " + reason, start=start)
    server.wait_log(r"oidc-auth: error authenticating user '' \(" + reason, start=start)


def expect_accepted(t, bearer, what, **options):
    answer = attempt(t, bearer, **options)
    t.expect(answer.status == 200 and answer.success, "refused: " + what, answer.head, answer.body)
    return answer


def test_tokens_are_asked_for_and_accepted(t):
    """Checklist 195: 401 with WWW-Authenticate: Bearer, then 200 and a cookie for a token of every good algorithm."""
    keys = [Key("rsa", "RS256"), Key("ec", "ES256"), Key("ps", "PS512"), Key("ec3", "ES384"), Key("ec5", "ES512")]
    provider = Provider(t, keys)
    server = t.server({"auth": provider.conf()})
    web = t.web()
    answer = web.init()
    t.equal(answer.lines[0], "HTTP/1.1 401 Unauthorized", "status line without a token")
    t.equal(answer.headers("WWW-Authenticate"), ["Bearer"], "WWW-Authenticate")
    t.equal(answer.header("Content-Length"), "0", "Content-Length")
    t.expect(not answer.headers("X-HTTP-Auth-Support"), "a fallback is offered", answer.head)
    # The same connection goes on, and the token opens a tunnel.
    answer = web.post("/", INIT % ("/", ""), headers=["Authorization: Bearer " + token(keys[0])])
    t.expect(answer.success and web.cookies.get("webvpn"), "no cookie", answer.head)
    web.open()
    t.equal(server.user()["Username"], "test", "user")
    for key in keys[1:]:
        expect_accepted(t, token(key), key.alg)
    expect_accepted(t, token(keys[1], padding="x" * 6000), "a token of 8 KiB")
    t.expect("eyJ" not in server.log(), "a token is in the log")


def test_openconnect_logs_in_with_a_token(t):
    """Checklist 195, protocol 4.18: openconnect --token-mode=oidc opens a tunnel; with a bad token it does not."""
    key = Key("k1", "RS256")
    provider = Provider(t, [key])
    server = t.server({"auth": provider.conf()})
    client = t.client(dtls=False, arguments=["--token-mode=oidc", "--token-secret=" + token(key)]).wait()
    t.equal(server.user()["Username"], "test", "user")
    client.stop()
    server.wait_no_user()
    client = t.client(dtls=False, arguments=["--token-mode=oidc", "--token-secret=" + token(key, aud="other")])
    t.expect(client.wait_end() != 0, "a token for somebody else opened a tunnel")


def test_the_word_bearer_and_its_separator(t):
    """Checklist 195: Bearer in any case, then one character, whichever it is, then the token."""
    key = Key("k1")
    server = t.server({"auth": Provider(t, [key]).conf()})
    for scheme in ("Bearer ", "bearer ", "BEARER=", "Bearer:", "bEaReRx"):
        expect_accepted(t, token(key), scheme, scheme=scheme)
    for scheme in ("Bearer  ", "Bearer"):
        t.equal(attempt(t, token(key), scheme).status, 401, "status with %r" % scheme)
    for scheme in ("Basic ", "Token ", ""):
        answer = attempt(t, token(key), scheme)
        t.equal(answer.headers("WWW-Authenticate"), ["Bearer"], "answer to scheme %r" % scheme)
    t.equal(attempt(t, "").status, 401, "status without a token")
    t.expect(server.roles(), "the server is gone")


def test_claims_that_do_not_suffice(t):
    """Checklist 195, protocol 51: issuer, audience, times, required claims and the user name are held to."""
    key = Key("k1", "RS256")
    server = t.server({"auth": Provider(t, [key]).conf(required_claims=dict(
        iss="https://idp.example", aud="vpn", level=2, groups=["a", "b"]))})
    good = dict(level=2, groups=["a", "b"])
    expect_accepted(t, token(key, **good), "the good token")
    now = claims()["iat"]
    for reason, changes in (
            ("the token lacks the required claim 'iss'", dict(iss="https://evil.example")),
            ("the token lacks the required claim 'iss'", dict(iss=None)),
            ("the token lacks the required claim 'aud'", dict(aud="web")),
            ("the token lacks the required claim 'aud'", dict(aud=["vpn"])),
            ("the token lacks the required claim 'level'", dict(level="2")),
            ("the token lacks the required claim 'level'", dict(level=2.0)),
            ("the token lacks the required claim 'level'", dict(level=True)),
            ("the token lacks the required claim 'groups'", dict(groups=["b", "a"])),
            ("the token has expired", dict(exp=now - 60)),
            ("the token is not valid yet", dict(nbf=now + 300)),
            ("the token was issued in the future", dict(iat=now + 300)),
            ("the token lacks one of the times", dict(exp=None)),
            ("the token lacks one of the times", dict(nbf=None)),
            ("the token lacks one of the times", dict(iat=None)),
            ("the token lacks one of the times", dict(iat=0)),
            ("the token lacks one of the times", dict(exp="%d" % (now + 300))),
            ("the token lacks one of the times", dict(exp=now + 300.5)),
            ("the token has no user name", dict(preferred_username=None)),
            ("the token has no user name", dict(preferred_username="")),
            ("the token has no user name", dict(preferred_username=["test"])),
            ("the user name in the token is too long", dict(preferred_username="u" * 128)),
            ("the user name in the token has control characters", dict(preferred_username="te\nst")),
            ("the user name in the token has control characters", dict(preferred_username="te\u0085st"))):
        expect_refused(t, server, token(key, **{**good, **changes}), reason, str(changes))
    expect_refused(t, server, token(key, body=b"[1]"), "the token's claims are not", "a list for claims")
    expect_refused(t, server, token(key, body=b"rubbish"), "the token's claims are not", "rubbish for claims")


def test_signatures_that_prove_nothing(t):
    """Protocol 51, radius.md 6.3: alg none, HMAC with the public key, tampering, foreign and unnamed keys."""
    key, other, short = Key("k1", "RS256"), Key("k1", "RS256"), Key("short", "RS256", 1024)
    curve = Key("ec", "ES256")
    server = t.server({"auth": Provider(t, [key, short, curve]).conf()})
    good = token(key)
    expect_accepted(t, good, "the good token")
    head, body, signature = good.split(".")
    forged = "%s.%s" % (b64(dict(typ="JWT", alg="none", kid="k1")), body)
    bad_alg = "the token's signature algorithm is not allowed"
    for what, reason, bearer in (
            ("alg none", "the token is not a JWS", forged + "."),
            ("alg none and a signature", bad_alg, forged + "." + signature),
            ("HS256 with the PEM of the key", bad_alg, hmac_token(key, key.pem())),
            ("HS256 with the modulus", bad_alg, hmac_token(key, key.jwk()["n"].encode())),
            ("alg in lower case", bad_alg, token(key, dict(alg="rs256"))),
            ("a key of another type", "the token's algorithm does not fit its key", token(curve, dict(kid="k1"))),
            ("another algorithm of the type", "the token's algorithm does not fit its key",
             token(key, dict(alg="RS512"))),
            ("changed claims", "the token's signature is wrong",
             "%s.%s.%s" % (head, b64(claims(preferred_username="root")), signature)),
            ("no signature", "the token", "%s.%s." % (head, body)),
            ("a cut signature", "the token's signature is wrong", good[:-8]),
            ("the name of a known key", "the token's signature is wrong", token(other)),
            ("a short key", "the provider's key cannot be used", token(short)),
            ("an unknown key", "the token's key is unknown", token(Key("k2", "RS256"))),
            ("no kid", "the token names no key", token(key, dict(kid=None))),
            ("kid that is a number", "the token names no key", token(key, dict(kid=1))),
            ("another type", "the token's type is not JWT", token(key, dict(typ="at+jwt"))),
            ("no type", "the token's type is not JWT", token(key, dict(typ=None))),
            ("a critical extension", "the token demands extensions", token(key, dict(crit=["b64"], b64=False))),
            ("two parts", "the token is not a JWS", "%s.%s" % (head, body)),
            ("four parts", "the token is not a JWS", good + ".x"),
            ("padding within", "the token is not a JWS", "%s.%s.%s" % (head, body[:8] + "=" + body[9:], signature)),
            ("JSON form", "the token is not a JWS",
             b64(dict(protected=head, payload=body, signature=signature))),
            ("a header that is no JSON", "the token is not a JWS", "%s.%s.%s" % (b64(b"{"), body, signature))):
        expect_refused(t, server, bearer, reason, what)
    expect_accepted(t, good, "the good token after all the others")


def test_a_refused_token_counts_for_bans(t):
    """Protocol 4.18: each wrong token gives ban points; a missing one gives none."""
    key = Key("k1")
    server = t.server({"auth": Provider(t, [key]).conf(), "max-ban-score": 30, "ban-reset-time": 60})
    address = t.net.add_client_address("203.0.113.9")
    for _ in range(4):
        t.web(source=address).init()
    for _ in range(3):
        t.equal(attempt(t, token(key, aud="x"), source=address).status, 401, "status of a wrong token")
    wait_for("the ban", lambda: any(row["IP"] == address for row in server.occtl_json("show", "ip", "bans")))


def test_each_host_has_its_own_provider(t):
    """radius.md 12: a token for one host opens no other, though the keys have the same name."""
    one, two = Key("k1"), Key("k1")
    first, second = Provider(t, [one]), Provider(t, [two], port=8444)
    server = t.server({"auth": first.conf()}, start=False)
    server.vhosts = [("two.example", {"auth": second.conf(), "server-cert": t.pki.cert, "server-key": t.pki.key})]
    server.write_conf()
    server.start()
    for _ in range(2):
        expect_accepted(t, token(one), "a token of the first provider")
        expect_accepted(t, token(two), "a token of the second provider", name="two.example")
    t.equal(attempt(t, token(two)).status, 401, "status of the second provider's token on the first host")
    t.equal(attempt(t, token(one), name="two.example").status, 401, "status of the first one's on the second")


def test_a_token_and_a_certificate(t):
    """config.md 6.1: with certificate and token both are needed, for the same user."""
    key, authority = Key("k1"), Authority(t)
    ann, bob = authority.issue("ann"), authority.issue("bob")
    server = t.server({"auth": ["certificate", Provider(t, [key]).conf()], "ca-cert": authority.cert,
                       "cert-user-oid": "2.5.4.3"})

    def login(certificate, user):
        bearer = token(key, preferred_username=user)
        return sh("ip", "netns", "exec", t.net.cli, "openconnect", "--authenticate", "--servercert", t.pki.pin,
                  "--non-inter", "--token-mode=oidc", "--token-secret=" + bearer,
                  *(certificate.arguments if certificate else []), SERVER4, check=False)
    run = login(ann, "ann")
    t.expect("COOKIE=" in run.stdout, "ann with both is refused", run.stdout, run.stderr)
    t.expect("COOKIE=" not in login(bob, "ann").stdout, "ann's token with bob's certificate opens")
    server.wait_log("user 'ann' .* presented a certificate which is for user 'bob'")
    t.expect("COOKIE=" not in login(None, "ann").stdout, "a token without a certificate opens")
    t.expect("COOKIE=" not in sh("ip", "netns", "exec", t.net.cli, "openconnect", "--authenticate", "--servercert",
                                 t.pki.pin, "--non-inter", *ann.arguments, SERVER4, check=False).stdout,
             "a certificate without a token opens")


def test_a_token_brings_no_groups(t):
    """config.md 11: nobody is in a group by a token, so none can be chosen, listed or not."""
    key = Key("k1")
    server = t.server({"auth": Provider(t, [key]).conf(), "select-group": ["staff", "guests"]})
    web = t.web()
    answer = web.post("/", INIT % ("/", ""), headers=["Authorization: Bearer " + token(key, groups=["staff"])])
    t.expect(answer.success, "refused", answer.head)
    web.open()
    t.equal(server.user()["Groupname"], "(none)", "group")
    for group in ("staff", "admins"):
        answer = t.web().post("/", INIT % ("/", "<group-select>%s</group-select>" % group),
                              headers=["Authorization: Bearer " + token(key, groups=["staff"])])
        t.equal(answer.status, 401, "status with group " + group)


def test_rotated_keys(t):
    """Checklist 195, radius.md 6.3: the first token of a new key is refused, the second accepted."""
    old, new = Key("old"), Key("new")
    provider = Provider(t, [old])
    server = t.server({"auth": provider.conf()})
    expect_accepted(t, token(old), "the first key")
    provider.keys = [new]
    expect_refused(t, server, token(new), "the token's key is unknown", "the new key at first")
    expect_accepted(t, token(new), "the new key")
    expect_refused(t, server, token(old), "the token's key is unknown", "the old key")


def test_keys_are_not_loaded_too_often(t):
    """radius.md 6.3, 2: within minimum_jwk_refresh_time unknown keys ask the provider for nothing."""
    old, new = Key("old"), Key("new")
    provider = Provider(t, [old])
    server = t.server({"auth": provider.conf(minimum_jwk_refresh_time=900)})
    for _ in range(5):
        expect_accepted(t, token(old), "the first key")
    t.equal(len(provider.requests), 2, "downloads for five logins: %s" % provider.requests)
    provider.keys = [new]
    for _ in range(3):
        expect_refused(t, server, token(new), "the token's key is unknown", "a new key too early")
    t.equal(len(provider.requests), 2, "downloads: %s" % provider.requests)
    expect_accepted(t, token(old), "the first key, which is what is known")


def test_a_provider_that_comes_later(t):
    """A provider that is away at the start stops nobody but its own users, and only until it is back."""
    key = Key("k1")
    provider = Provider(t, [key], start=False)
    server = t.server({"auth": provider.conf(), "max-ban-score": 20})
    t.equal(attempt(t, token(key)).status, 401, "status without a provider")
    server.wait_log("keys-not-loaded.*ocserv-oidc: .*onnect")
    t.equal(server.occtl_json("show", "ip", "bans", "points"), [], "ban points for the provider's fault")
    provider.start()
    wait_for("the login once the provider is back", lambda: attempt(t, token(key)).success, 12 * t.slow, step=0.5)


def test_providers_that_cannot_be_trusted(t):
    """Downloads over TLS are checked; documents that are no such are refused; nothing of it ends the server."""
    key = Key("k1")
    provider = Provider(t, [key])
    server = t.server({"auth": provider.conf(ca_file=None)})
    start = 0

    def expect_failure(reason, **changes):
        nonlocal start
        start = len(server.log())
        provider.conf(**changes)
        t.equal(attempt(t, token(key)).status, 401, "status with " + reason)
        server.wait_log("ocserv-oidc: .*" + reason, start=start)
    expect_failure("certificate", ca_file=None)
    # By a name, too, which takes the resolver; the certificate has neither of these.
    for host in ("localhost", "127.0.0.1"):
        expect_failure("does not match target", openid_configuration_url="https://%s:%d/x" % (host, provider.port))
    # An https provider cannot send us elsewhere; each failure is remembered for a while, hence the new URLs.
    url = provider.url + "/.well-known/%d"
    for number, (reason, uri) in enumerate((("rotocol", "http://%s:1/jwks" % SERVER4), ("rotocol", "file:///etc/passwd"),
                                            ("no jwks_uri", None), ("no jwks_uri", 5))):
        provider.discovery["jwks_uri"] = uri
        expect_failure(reason, openid_configuration_url=url % number)
    provider.discovery["jwks_uri"] = provider.url + "/jwks"
    provider.mode = "500"
    expect_failure("HTTP status 500", openid_configuration_url=url % 10)
    provider.mode, provider.keys = "serve", []
    expect_failure("no key for signatures", openid_configuration_url=url % 11)
    provider.keys = [key]
    provider.conf(openid_configuration_url=url % 12)
    expect_accepted(t, token(key), "the good token")


def test_bad_configuration_files(t):
    """radius.md 6.1: a missing or bad file is fatal at the start, with a line that says what is wrong."""
    provider = Provider(t, [], start=False)
    for text, changes in (("user_name_claim", dict(user_name_claim=None)),
                          ("required_claims", dict(required_claims=[])),
                          ("required_claims", dict(required_claims=None)),
                          ("openid_configuration_url", dict(openid_configuration_url="ftp://x/")),
                          ("minimum_jwk_refresh_time", dict(minimum_jwk_refresh_time="900")),
                          ("ca_file", dict(ca_file="/does/not/exist"))):
        server = t.server({"auth": provider.conf(**changes)}, start=False)
        server.start(wait=False)
        t.expect(server.process.wait(20 * t.slow) != 0, "it starts with a bad " + text)
        t.expect("oidc.json" in server.log() and text in server.log(), "no word about " + text, server.log())
    server = t.server({"auth": '"oidc[config=/does/not/exist.json]"'}, start=False)
    server.start(wait=False)
    t.expect(server.process.wait(20 * t.slow) != 0, "it starts without the file")
    t.expect("/does/not/exist.json: No such file" in server.log(), "no word about the file", server.log())


def test_tokens_beside_passwords(t):
    """config.md 6.1: a token is an alternative to the form; each client gets in by what it has."""
    key = Key("k1")
    server = t.server({"enable-auth": Provider(t, [key]).conf()})
    expect_accepted(t, token(key, preferred_username="ann"), "a token beside plain")
    t.web().must_login()
    t.client(dtls=False).wait().stop()
    client = t.client(dtls=False, arguments=["--token-mode=oidc", "--token-secret=" + token(key,
                                             preferred_username="bob")]).wait()
    t.equal(server.user("bob")["Username"], "bob", "user of the token")
    client.stop()


def test_a_hanging_provider_delays_only_its_own_users(t):
    """Plain logins on another host are as fast as ever while logins wait for a provider that says nothing."""
    key = Key("k1")
    provider = Provider(t, [key])
    provider.mode = "hang"
    server = t.server({"auth": provider.conf()}, start=False)
    server.vhosts = [("plain.example", {"auth": '"plain[passwd=%s/passwd]"' % server.dir, "server-cert": t.pki.cert,
                                        "server-key": t.pki.key})]
    server.write_conf()
    server.start()

    def ten_logins():
        for _ in range(10):
            t.web(name="plain.example").must_login()
    alone = timed(ten_logins)[0]
    answers = []
    waiting = [threading.Thread(target=lambda: answers.append(attempt(t, token(key), timeout=60))) for _ in range(20)]
    for thread in waiting:
        thread.start()
    wait_for("the provider to be asked", lambda: provider.held, 10 * t.slow)
    beside = timed(ten_logins)[0]
    t.expect(not answers, "nobody waited for the provider", answers)
    t.expect(beside < 2 * alone + 10, "ten plain logins took %.2f s instead of %.2f s" % (beside, alone))
    provider.close()
    for thread in waiting:
        thread.join()
    t.equal([answer.status for answer in answers], [401] * 20, "answers to those who waited")
