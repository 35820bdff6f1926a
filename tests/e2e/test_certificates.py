"""Client certificates against the real openconnect (radius.md 10, config.md 6.1, protocol.md 2.6, checklist E)."""
import base64
import hmac
import os
import re
import shutil
import signal
import ssl
import struct

from lib.clientcert import EKU_SERVER, UPN, Authority
from lib.harness import marks
from lib.net import GATEWAY4, SERVER4
from lib.server import PASSWORD
from lib.shell import sh, wait_for
from lib.traffic import must_ping
from lib.twonames import TwoNames
from lib.web import Web

CN, UID, EMAIL, OU = "2.5.4.3", "0.9.2342.19200300.100.1.1", "1.2.840.113549.1.9.1", "2.5.4.11"
TLS12 = "NORMAL:-VERS-ALL:+VERS-TLS1.2"


def only(authority, oid=CN, **more):
    """The options of a host that wants a certificate and nothing else."""
    return dict({"auth": "certificate", "ca-cert": authority.cert, "cert-user-oid": oid},
                **{key.replace("_", "-"): value for key, value in more.items()})


def both(server_dir, authority, oid=CN, **more):
    """Password and certificate."""
    return only(authority, oid, **dict({"auth": ["certificate", '"plain[passwd=%s/passwd]"' % server_dir]}, **more))


def login(t, certificate=None, user="test", password=PASSWORD, *arguments):
    """openconnect --authenticate with CERTIFICATE; gives whether it got a cookie, and its words."""
    shown = certificate.arguments if certificate else []
    run = sh("ip", "netns", "exec", t.net.cli, "openconnect", "--authenticate", "--servercert", t.pki.pin, "--non-inter",
             *(["-u", user] if user else []), "--passwd-on-stdin", *shown, *arguments, SERVER4,
             stdin=password + "\n", check=False)
    t.notes.append("openconnect %s: exit %d\n%s%s" % (shown, run.returncode, run.stdout, run.stderr))
    return "COOKIE=" in run.stdout, run.stdout + run.stderr


def spoken(t, certificate=None, tls=None, name=None):
    """A TLS connection of our own with CERTIFICATE."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if tls:
        context.minimum_version = context.maximum_version = tls
    if certificate:
        context.load_cert_chain(certificate.chain, certificate.key)
    web = Web(t, raw=True)
    web.socket = context.wrap_socket(web.socket, server_hostname=name)
    web.file = web.socket.makefile("rb")
    return web


def refused(t, server, certificate, reason, **options):
    """The login fails, and the log says REASON."""
    start = len(server.log())
    got, words = login(t, certificate, **options)
    t.expect(not got, "a cookie although: " + reason, words)
    return server.wait_log(reason, start=start)


def accepted(t, server, certificate, name, **options):
    """A whole session of the certificate's user NAME."""
    client = t.client(dtls=False, arguments=certificate.arguments, **options).wait()
    server.user(name)
    client.stop()
    server.wait_no_user(name)


def test_only_certificates(t):
    """Checklist 55, 56, 112: without, with a wrong and with a good certificate; the name at the OID, or none."""
    authority, other = Authority(t), Authority(t, "other CA")
    server = t.server(only(authority, UID, tls_priorities=None))
    good = authority.issue(subject="/CN=somebody/UID=ann")
    server.wait_log(r"processed 1 CA certificate\(s\)")
    accepted(t, server, good, "ann")
    server.wait_log("client certificate verification succeeded")
    refused(t, server, None, "tls-handshake-failed")
    refused(t, server, other.issue(subject="/CN=x/UID=ann"),
            r"client certificate verification failed: The certificate is NOT trusted.*issuer is unknown")
    refused(t, server, authority.issue(user="ann"), "no username in the certificate; rejecting")
    server.wait_said("cert-user-oid '%s' configured but no username found in certificate; rejecting" % UID)


def test_certificate_and_password(t):
    """Checklist 58, 59, protocol 47, radius 10: both are needed and name the same user, by DN or by mail address."""
    authority, other = Authority(t), Authority(t, "other CA")
    for oid, mine, foreign, user in (
            (UID, {"subject": "/CN=x/UID=test"}, {"subject": "/CN=x/UID=ann"}, "test"),
            ("SAN(rfc822name)", {"user": "x", "san": "DNS:test@e.org,email:test@e.org"},
             {"user": "test@e.org", "san": "email:ann@e.org"}, "test@e.org")):
        server = t.server(start=False, users={user: None})
        server.write_conf(**{k.replace("-", "_"): v for k, v in both(server.dir, authority, oid).items()})
        server.start()
        good = authority.issue(**mine)
        accepted(t, server, good, user, user=user)
        refused(t, server, None, r"presented no certificate; rejecting", user=user)
        server.wait_said("no certificate was found (not required for this session)")
        refused(t, server, authority.issue(**foreign),
                r"user '%s' \(session: \S+\) presented a certificate which is for user 'ann" % user, user=user)
        t.expect("Login failed." in login(t, good, user, "wrong")[1], "words after a wrong password")
        refused(t, server, authority.issue(subject="/CN=test"), "no username in the certificate; rejecting", user=user)
        refused(t, server, other.issue(**mine), "certificate verification failed", user=user)
        web = spoken(t)
        t.equal((web.init().lines[0], web.is_closed()), ("HTTP/1.1 401 No certificate", True), "without a certificate")
        server.stop()


def test_certificate_or_password(t):
    """Checklist 60, 61: either way in; a bad certificate is refused even with the right password."""
    authority, other = Authority(t), Authority(t, "other CA")
    for primary, alternative in (("plain", "certificate"), ("certificate", "plain")):
        server = t.server(start=False)
        lines = {"plain": '"plain[passwd=%s/passwd]"' % server.dir, "certificate": "certificate"}
        server.write_conf(auth=lines[primary], enable_auth=lines[alternative], ca_cert=authority.cert, cert_user_oid=CN)
        server.start()
        start = len(server.log())
        t.client(dtls=False).wait().stop()
        log = server.wait_log(r".*no certificate was found \(not required for this session\)", start=start).group(0)
        t.expect("error" not in log.lower(), "a missing certificate is called an error", log)
        accepted(t, server, authority.issue(user="ann"), "ann")
        refused(t, server, other.issue(user="test"), "certificate verification failed: .*issuer is unknown")
        web = spoken(t, other.issue(user="test"))
        t.equal(web.init().lines[0], "HTTP/1.1 401 No certificate", "answer to a bad certificate")
        web = spoken(t, other.issue(user="test"))
        t.equal(web.reply([("username", "test"), ("password", PASSWORD)]).status, 401, "bad certificate, good password")
        server.stop()


def test_identities(t):
    """Checklist 56, 57, radius 10: names by OID of the DN, mail address and UPN; unusable ones are refused."""
    authority = Authority(t)
    utf8 = "J\u00fcrgen"
    cases = (
        (CN, {"subject": "/CN=first/CN=second"}, "first"),
        (CN, {"subject": "/CN=" + utf8}, utf8),
        (UID, {"subject": "/CN=x/UID=%s+OU=y" % ("u" * 63)}, "u" * 63),
        (UID, {"subject": "/CN=x/UID=" + "u" * 64}, None),
        (EMAIL, {"subject": "/CN=x/emailAddress=a@e.org"}, "a@e.org"),
        ("SAN(rfc822name)", {"user": "x", "san": "DNS:bad.org,email:a@e.org,email:b@e.org"}, "a@e.org"),
        ("SAN(rfc822name)", {"user": "x", "san": "DNS:a.org,URI:http://a@e.org," + UPN % "a@e.org"}, None),
        ("SAN(rfc822name)", {"user": "x"}, None),
        ("SAN(upn)", {"user": "x", "san": "email:c@e.org," + UPN % "ann@corp.test"}, "ann@corp.test"),
        ("SAN(upn)", {"user": "x", "san": "email:c@e.org"}, None),
        ("SAN(rfc822name)", {"user": "x", "san": "DER:3012 8110 616e6e00406576696c2e6f7267000000".replace(" ", "")}, None),
    )
    server = t.server(only(authority, UID))
    for oid, what, user in cases:
        if server.conf["cert-user-oid"] != oid:
            server.stop()
            server.write_conf(cert_user_oid=oid)
            server.start()
        web, start = spoken(t, authority.issue(**what)), len(server.log())
        answer = web.init()
        t.equal(answer.success, user is not None, "success with %s of %s\n%s" % (oid, what, answer.head))
        if user:
            t.equal(web.connect().status, 200, "tunnel of %s" % what)
            server.wait_log("initiating session for user '%s'" % re.escape(user), start=start)
        else:
            t.equal(answer.lines[0], "HTTP/1.1 401 Could not read certificate", "refusal of %s" % what)
            server.wait_log("no username in the certificate; rejecting", start=start)
        web.close()


def test_groups(t):
    """Checklist 74 to 79: groups of the certificate: selected, hidden, foreign, the only one, open, none, by URL."""
    authority = Authority(t)
    ann = authority.issue(subject="/CN=ann/OU=staff/OU=hidden")
    bob, eve = authority.issue(subject="/CN=bob/OU=staff"), authority.issue(subject="/CN=eve/OU=one/OU=two")
    conf = only(authority, CN, cert_group_oid=OU, select_group=["staff[The Staff]", "guests"])
    server = t.server(conf)

    def group_of(certificate, group=None, path="/"):
        """The group of a login, or its last answer."""
        web = spoken(t, certificate)
        answer = web.login(group=group, path=path)
        if not answer.success:
            return answer
        t.equal(web.connect().status, 200, "tunnel")
        name = server.user(re.search("CN=(\\w+)", sh("openssl", "x509", "-noout", "-subject", "-nameopt", "compat", "-in",
                                                     certificate.cert).stdout.replace(" ", "")).group(1))["Groupname"]
        web.close()
        return name
    t.equal(group_of(ann, "staff"), "staff", "a listed group of the certificate")
    server.wait_no_user("ann")
    t.equal(group_of(ann, "The Staff"), "staff", "by its label")
    server.wait_no_user("ann")
    t.equal(group_of(ann, "hidden"), "hidden", "a group that is not listed")
    server.wait_no_user("ann")
    t.equal(group_of(bob), "staff", "the only eligible one")
    server.wait_no_user("bob")
    t.equal(group_of(ann), "staff", "the only listed one of two")
    start = len(server.log())
    t.equal(group_of(ann, "guests").status, 401, "a group that the certificate lacks")
    server.wait_log("user 'ann' requested group 'guests' but is not included on his certificate groups", start=start)
    web = spoken(t, eve)
    answer = web.init()
    t.expect("Please select your group." in answer.body and not answer.success and "webvpn" not in web.cookies,
             "all groups of eve are unlisted: she is asked", answer.body)
    t.expect('value="one"' in answer.body and 'value="two"' in answer.body, "her groups are offered", answer.body)
    t.expect(web.reply([], "<group-select>two</group-select>").success, "the answer to the question")
    for extra, certificate, path, group in ((("--authgroup", "The Staff"), ann, "", "staff"), ((), bob, "", "staff")):
        client = t.client(dtls=False, arguments=certificate.arguments + list(extra)).wait()
        t.equal(server.user("ann" if certificate is ann else "bob")["Groupname"], group, "group with openconnect")
        client.stop()
    server.stop()
    server.write_conf(select_group_by_url="true", default_select_group="NONE", select_group=["staff[The Staff]", "one"])
    server.start()
    t.equal(group_of(eve, path="/one"), "one", "by the URL")
    server.wait_no_user("eve")
    t.equal(group_of(bob, path="/one").status, 401, "a foreign group by the URL")
    t.equal(group_of(bob, "NONE"), "(none)", "the default entry")
    refused(t, server, None, "tls-handshake-failed", user="bob")


def test_reasons(t):
    """Radius 10: expired, not yet valid, of another authority, for servers, revoked: each named in the log."""
    root = Authority(t)
    middle, revoked_middle = Authority(t, "middle", root), Authority(t, "revoked middle", root)
    crl = root.path("crl.pem")
    revoked = root.issue(user="test")
    root.revoke(revoked)
    root.revoke(middle_cert(revoked_middle))
    server = t.server(only(root, CN, crl=root.crl(crl)))
    server.wait_log("loaded CRL: " + crl)
    failed = "client certificate verification failed: "
    for certificate, reason in (
            (root.issue(user="test", start="200101000000Z", end="210101000000Z"), "expired"),
            (root.issue(user="test", start="400101000000Z", end="410101000000Z"), "not yet"),
            (Authority(t, "client CA").issue(user="test"), "NOT trusted"),
            (Authority(t, "x").issue(user="test"), "issuer is unknown"),
            (root.issue(user="test", eku=EKU_SERVER), "purpose"),
            (revoked, "revoked"),
            (revoked_middle.issue(user="test"), "revoked")):
        for tls in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            start = len(server.log())
            try:
                web = spoken(t, certificate, tls)
                answer = web.init()
                t.expect(False, "an answer although it must be: " + reason, answer.head)
            except (ssl.SSLError, ConnectionError):
                pass
            server.wait_log(failed + ".*" + reason, start=start)
        refused(t, server, certificate, failed + ".*" + reason)
    accepted(t, server, middle.issue(user="ann"), "ann")
    accepted(t, server, root.issue(user="ann", eku=None), "ann")
    accepted(t, server, root.issue(user="ann", eku="clientAuth,serverAuth"), "ann")


def middle_cert(authority):
    """The certificate of an authority as something that can be revoked."""
    return type("Revocable", (), {"cert": authority.cert})


def test_crl_replaced_while_running(t):
    """Checklist 62, 63: a new list counts without SIGHUP, PEM and DER, rewritten and renamed; a session stays."""
    authority = Authority(t)
    path = authority.path("crl.pem")
    users = {name: authority.issue(user=name) for name in ("ann", "bob", "cid", "dan")}
    server = t.server(only(authority, CN, crl=authority.crl(path)))
    client = t.client(dtls=False, arguments=users["ann"].arguments).wait()
    server.user("ann")
    for name, form, replace in (("ann", "PEM", True), ("bob", "DER", False)):
        start = len(server.log())
        authority.revoke(users[name])
        authority.crl(path, form, replace)
        server.wait_log("loaded CRL: " + path, 15, start)
        server.wait_log(r"main reloaded generation=", start=start)
        wait_for("the worker processes to know the list", lambda: not login(t, users[name])[0], 5)
        refused(t, server, users[name], "verification failed: .*revoked")
        t.expect(login(t, users["cid"])[0], "a certificate that is not revoked")
    server.user("ann")
    # Broken: the old one stays, one line says so.
    start = len(server.log())
    good, pem = (open(name, "rb").read() for name in (path, authority.crl(authority.path("whole.pem"))))
    for text in (b"nonsense", good[:-20], pem + pem[:100]):
        with open(path, "wb") as out:
            out.write(text)
        server.wait_log(r"error reading the CRL \(%s\) file: not a certificate revocation list" % re.escape(path), 15, start)
        server.wait_log("the previous configuration stays in force", start=start)
        start = len(server.log())
    refused(t, server, users["bob"], "verification failed: .*revoked")
    t.expect(login(t, users["cid"])[0], "a certificate that is not revoked, with a broken list")
    start = len(server.log())
    authority.revoke(users["cid"])
    authority.crl(path)
    server.signal(signal.SIGUSR2)
    server.wait_log("forcing maintenance cycle", start=start)
    server.wait_log(r"main reloaded generation=", 1, start=start)
    wait_for("the list to count", lambda: not login(t, users["cid"])[0], 5)
    # SIGHUP does it, too.
    authority.revoke(users["dan"])
    authority.crl(path, replace=True)
    server.reload()
    wait_for("the list to count", lambda: not login(t, users["dan"])[0], 5)
    server.user("ann")
    client.stop()


def test_keys_and_versions(t):
    """RSA, ECDSA and Ed25519 keys of clients, with TLS 1.2 and 1.3."""
    authority = Authority(t)
    server = t.server(only(authority, CN))
    for kind in ("rsa", "rsa-pss", "ecdsa", "ed25519"):
        certificate = authority.issue(user=kind, kind=kind)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            t.expect(spoken(t, certificate, version).init().success, "%s with %s" % (kind, version))
        if kind != "rsa-pss":
            for arguments in ([], ["--gnutls-priority=" + TLS12]):
                accepted(t, server, certificate, kind) if not arguments else \
                    t.expect(login(t, certificate, "x", "x", *arguments)[0], "openconnect with %s and TLS 1.2" % kind)


def test_cookie_needs_its_certificate(t):
    """Protocol 2.6, 64, config 16.2: CONNECT with the same user's certificate only; a lost tunnel comes back with it."""
    authority = Authority(t)
    ann, bob = authority.issue(user="ann"), authority.issue(user="bob")
    server = t.server(start=False, users={"ann": None})
    server.write_conf(auth='"plain[passwd=%s/passwd]"' % server.dir, enable_auth="certificate", ca_cert=authority.cert,
                      cert_user_oid=CN)
    server.start()
    web = spoken(t, ann)
    t.expect(web.init().success, "login")
    for certificate, reason in ((None, "user 'ann' presented no certificate; rejecting"),
                                (bob, r"user 'ann' \(session: \S+\) presented a certificate which is for user 'bob'; rejecting"),
                                (Authority(t, "x").issue(user="ann"), "user 'ann' presented no certificate; rejecting")):
        other, start = spoken(t, certificate), len(server.log())
        other.cookies = dict(web.cookies)
        t.equal(other.connect().status, 503, "status of CONNECT")
        server.wait_log(reason, start=start)
    for certificate in (ann, authority.issue(user="ann")):
        other = spoken(t, certificate)
        other.cookies = dict(web.cookies)
        t.equal(other.connect().status, 200, "with a certificate of the same user")
        other.close()
        server.wait_no_user("ann")
    t.equal([row["tls_auth_ok"] for row in server.occtl_json("show", "sessions", "all")], [1], "occtl's word (admin 6.11)")
    # A password's session needs none.
    web = spoken(t)
    t.expect(web.login("ann").success, "login by password")
    t.equal(web.connect().status, 200, "tunnel without a certificate")


def test_cisco_client_compat(t):
    """Protocol 2.6, 8, 64: only requested, 401 without; the tunnel opens without; no TLS 1.3."""
    authority = Authority(t)
    server = t.server(only(authority, CN, cisco_client_compat="true", tls_priorities=None))
    web = spoken(t)
    t.equal(web.init().lines[0], "HTTP/1.1 401 No certificate", "without a certificate")
    web = spoken(t, authority.issue(user="ann"))
    t.equal(web.socket.version(), "TLSv1.2", "version")
    t.expect(web.init().success, "login")
    other = spoken(t)
    other.cookies = dict(web.cookies)
    t.equal(other.connect().status, 200, "tunnel without a certificate")
    server.user("ann")
    other.close()
    accepted(t, server, authority.issue(user="bob"), "bob")


def test_hosts_with_other_authorities(t):
    """Checklist 112, config 3.2: the host chosen by SNI decides about authority, method and names."""
    one, two = Authority(t, "one"), Authority(t, "two")
    server = t.server(only(one, CN), start=False)
    server.vhosts += [("two.test", {"ca-cert": two.cert, "cert-user-oid": UID}),
                      ("plain.test", {"auth": '"plain[passwd=%s/passwd]"' % server.dir})]
    server.write_conf()
    server.start()
    a, b = one.issue(subject="/CN=ann/UID=x"), two.issue(subject="/CN=x/UID=bob")
    for certificate, name, good in ((a, None, True), (a, "two.test", False), (b, "two.test", True), (b, None, False)):
        try:
            got = spoken(t, certificate, name=name).init().success
        except (ssl.SSLError, ConnectionError):
            got = False
        t.equal(got, good, "%s on %s" % (certificate.cert, name))
    t.expect(spoken(t, name="plain.test").login().success, "a password on its host")
    t.expect(spoken(t, a, name="plain.test").login().success, "a certificate nobody asked for")
    try:
        t.expect(not spoken(t).login().success, "a password on a host with certificates only")
    except (ssl.SSLError, ConnectionError):
        pass
    # A ticket stays with its host.
    web = spoken(t, a)
    web.init()
    other = spoken(t, b, name="two.test")
    other.cookies = dict(web.cookies)
    t.equal(other.connect().status, 401, "the cookie on another host")


def test_a_name_that_changes_in_the_handshake(t):
    """Protocol 2.5: a client that names another host after HelloRetryRequest meets the rules of one host only: the
    authorities of the first do not count for the second."""
    one, two = Authority(t, "one"), Authority(t, "two")
    server = t.server(only(one, CN, tls_priorities="NORMAL:-GROUP-ALL:+GROUP-SECP256R1"), start=False)
    server.vhosts += [("two.test", {"ca-cert": two.cert, "cert-user-oid": CN})]
    server.write_conf()
    server.start()
    a, b = one.issue(user="ann"), two.issue(user="ann")
    for certificate, first, second, good in (
            (a, "other.test", "other.test", True), (b, "two.test", "two.test", True), (b, "two.test", "other.test", False),
            (a, "two.test", "other.test", True), (a, "other.test", "two.test", False)):
        web, got = Web(t, raw=True), False
        try:
            web.socket = stream = TwoNames(web.socket, certificate, first, second,
                                           "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1")
            t.expect(stream.hrr, "the server did not ask again")
            web.file = stream.makefile("rb")
            got = web.init().success
        except ConnectionError:
            pass
        t.equal(got, good, "%s on %s, then %s" % (certificate.cert, first, second))

def test_no_resumption(t):
    """Protocol 2.7, 10.9: a TLS session is not resumed, so its certificate is verified each time."""
    authority = Authority(t)
    t.server(only(authority, CN))
    certificate = authority.issue(user="ann")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        context.load_cert_chain(certificate.cert, certificate.key)
        session = None
        for _ in range(2):
            web = Web(t, raw=True)
            web.socket = context.wrap_socket(web.socket, session=session)
            web.file = web.socket.makefile("rb")
            t.expect(web.init().success and not web.socket.session_reused, "a full handshake with %s" % version)
            session = web.socket.session


def test_bad_files(t):
    """Config 6.1, 8.3: files and options that cannot work are refused with one line, at start, with -t and on reload."""
    authority = Authority(t)
    server = t.server(only(authority, CN), start=False)
    garbage = server.write_file("garbage", "nonsense\n")
    foreign = Authority(t)
    crl = foreign.crl(server.dir + "/foreign.crl")
    for change, words in (
            ({"ca_cert": garbage}, r"error setting the CA \(%s\) file" % garbage),
            ({"ca_cert": "/nonexistent"}, r"error setting the CA \(/nonexistent\) file: No such file"),
            ({"crl": garbage}, r"error reading the CRL \(%s\) file: not a certificate revocation list" % garbage),
            ({"crl": "/nonexistent"}, r"error reading the CRL \(/nonexistent\) file: No such file"),
            ({"crl": crl}, r"error reading the CRL \(%s\) file: its signature is not that of its issuer" % crl),
            ({"cert_user_oid": None}, "a certificate is requested by the option 'cert-user-oid' is not set"),
            ({"cert_user_oid": "CN"}, "the option 'cert-user-oid' has a unsupported value")):
        old = {key: server.conf.get(key.replace("_", "-")) for key in change}
        server.write_conf(**change)
        for flag in ("-t", "-f"):
            run = sh("ip", "netns", "exec", t.net.srv, t.tools.server, flag, "-c", server.conf_file, check=False, timeout=20)
            t.equal(run.returncode, 1, "status of %s with %s" % (flag, change))
            t.expect(re.search(words, run.stderr), "no %r from %s" % (words, flag), run.stderr)
        server.write_conf(**old)
    mine = server.dir + "/ca.pem"
    shutil.copy(authority.cert, mine)
    server.write_conf(ca_cert=mine)
    server.start()
    t.expect("not implemented yet" not in server.log(), "an option is called unbuilt")
    certificate, start = authority.issue(user="ann"), len(server.log())
    server.write_file("ca.pem", "nonsense\n")
    server.reload()
    server.wait_log(r"error setting the CA \(%s\) file" % mine, start=start)
    server.wait_log("the previous configuration stays in force", start=start)
    t.expect(login(t, certificate)[0], "a login after the bad reload")
    # A good one counts for new connections.
    shutil.copy(foreign.cert, mine)
    start = len(server.log())
    server.reload()
    server.wait_log("main reloaded", start=start)
    wait_for("the new authority to count", lambda: login(t, foreign.issue(user="ann"))[0], 5)
    refused(t, server, certificate, "certificate verification failed")
    # Without the authority nobody gets in, but the server runs.
    server.stop()
    server.write_conf(ca_cert=None)
    server.start()
    refused(t, server, certificate, "certificate verification failed")


def test_multiple_certificates(t):
    """Protocol 4.16, 48: the machine's certificate by TLS, the user's inside the login, with openconnect."""
    authority, other = Authority(t), Authority(t, "other CA")
    middle = Authority(t, "middle", authority)
    crl = authority.path("crl.pem")
    laptop, revoked = authority.issue(user="laptop"), authority.issue(user="ann")
    authority.revoke(revoked)
    server = t.server(only(authority, CN, crl=authority.crl(crl), multiple_cert_auth="true", cert_group_oid=OU))

    def second(certificate):
        return ["--mca-certificate=" + certificate.chain, "--mca-key=" + certificate.key]
    for kind, issuer in (("ecdsa", authority), ("rsa", authority), ("ecdsa", middle)):
        user = issuer.issue(subject="/CN=ann/OU=staff", kind=kind)
        client = t.client(dtls=False, arguments=laptop.arguments + second(user)).wait()
        t.equal(server.user("ann")["Groupname"], "staff", "group of the user's certificate")
        client.stop()
        server.wait_no_user("ann")
    for certificate, reason in (
            (other.issue(user="ann"), "second certificate verification failed: .*issuer is unknown"),
            (revoked, "second certificate verification failed: .*revoked"),
            (authority.issue(user="ann", eku=EKU_SERVER), "second certificate verification failed: .*purpose"),
            (authority.issue(user="ann", start="200101000000Z", end="210101000000Z"),
             "second certificate verification failed: .*expired"),
            (authority.issue(subject="/UID=ann"), "no username found in certificate; rejecting")):
        start = len(server.log())
        t.expect(not login(t, laptop, "x", "x", *second(certificate))[0], "a cookie although: " + reason)
        server.wait_log(reason, start=start)
    refused(t, server, laptop, "the client has no second certificate; rejecting")
    refused(t, server, None, "tls-handshake-failed")
    start = len(server.log())
    t.expect(not login(t, other.issue(user="laptop"), "x", "x", *second(user))[0], "a bad machine")
    server.wait_log("client certificate verification failed", start=start)


MCA_INIT = "<capabilities><auth-method>multiple-cert</auth-method></capabilities>"
MCA_REPLY = """<?xml version="1.0" encoding="UTF-8"?>
<config-auth client="vpn" type="auth-reply" aggregate-auth-version="2"><version who="vpn">v9.01</version>
<device-id>linux-64</device-id><session-token/><session-id/><auth><client-cert-chain cert-store="1M">
<client-cert-sent-via-protocol/></client-cert-chain><client-cert-chain cert-store="1U">
<client-cert cert-format="pkcs7">%s</client-cert>
<client-cert-auth-signature hash-algorithm-chosen="%s">%s</client-cert-auth-signature></client-cert-chain></auth>
</config-auth>"""


def signed(t, certificate, document, algorithm="sha256"):
    """A reply whose signature covers DOCUMENT."""
    stem = os.path.join(t.dir, "mca")
    with open(stem, "w") as out:
        out.write(document)
    sh("openssl", "dgst", "-" + algorithm, "-sign", certificate.key, "-out", stem + ".sig", stem)
    sh("openssl", "crl2pkcs7", "-nocrl", "-certfile", certificate.chain, "-outform", "DER", "-out", stem + ".p7")
    texts = [base64.encodebytes(open(stem + ending, "rb").read()).decode() for ending in (".p7", ".sig")]
    return MCA_REPLY % (texts[0], algorithm, texts[1])


def test_multiple_certificates_replayed(t):
    """Protocol 48, 10.31: a signature counts once, for its own document, over any connection of its login."""
    authority = Authority(t)
    laptop, phone, ann = (authority.issue(user=name) for name in ("laptop", "phone", "ann"))
    server = t.server(only(authority, CN, multiple_cert_auth="true"))

    def asked(certificate=laptop, more=MCA_INIT):
        web = spoken(t, certificate)
        return web, web.init(more=more)
    web, answer = asked()
    t.expect("<multiple-client-cert-request>" in answer.body and "webvpn" not in web.cookies, "the request", answer.body)
    reply = signed(t, ann, answer.body)
    other = spoken(t, laptop)
    other.cookies = dict(web.cookies)
    t.expect(other.post("/auth", reply).success, "the reply over another connection")
    t.equal(other.connect().status, 200, "tunnel")
    server.user("ann")
    third = spoken(t, phone)
    third.cookies = dict(other.cookies)
    t.equal(third.connect().status, 503, "CONNECT with another machine's certificate")
    # The same bytes once more: in the same login, in a new one, and as its first request.
    for again in (web, asked()[0], spoken(t, laptop)):
        t.expect(not again.post("/auth", reply).success, "a replayed reply")
    server.wait_log("the signature is not by one of the certificates, or not of this login")
    first, second = asked(), asked()
    t.expect(first[1].body != second[1].body, "every login has its own number")
    t.equal(first[0].post("/auth", signed(t, ann, second[1].body)).status, 401, "the signature of another login")
    web, answer = asked()
    web.init(more=MCA_INIT)
    t.equal(web.post("/auth", signed(t, ann, answer.body)).status, 401, "an answer to the request before")
    for algorithm in ("sha1", "sha224"):
        web, answer = asked()
        t.equal(web.post("/auth", signed(t, ann, answer.body, algorithm)).status, 401, "hash " + algorithm)
    for algorithm in ("sha256", "sha384", "sha512"):
        web, answer = asked()
        t.expect(web.post("/auth", signed(t, ann, answer.body, algorithm)).success, "hash " + algorithm)
    for broken in (MCA_REPLY % ("AAAA", "sha256", "AAAA"), MCA_REPLY % ("!", "sha256", ""), MCA_REPLY % ("", "sha256", "")):
        t.equal(asked()[0].post("/auth", broken).status, 401, "a malformed reply")
    web, answer = asked()
    t.equal(web.post("/auth", signed(t, laptop, answer.body)).status, 401, "the machine's certificate as the user's")
    server.wait_log("it is the certificate of the TLS connection once more")
    # Machine and user must be of the same login all the way.
    web, answer = asked()
    other = spoken(t, phone)
    other.cookies = dict(web.cookies)
    t.expect(other.post("/auth", signed(t, ann, answer.body)).success, "the machine that shows the reply counts")
    t.equal(other.connect().status, 200, "its tunnel")


def test_multiple_certificates_and_password(t):
    """Protocol 4.16: after the second certificate the login goes on with the password of the same user."""
    authority = Authority(t)
    laptop, ann = authority.issue(user="laptop"), authority.issue(user="ann")
    server = t.server(start=False, users={"ann": None, "bob": None})
    server.write_conf(**{k.replace("-", "_"): v for k, v in both(server.dir, authority, CN, multiple_cert_auth="true").items()})
    server.start()
    second = ["--mca-certificate=" + ann.cert, "--mca-key=" + ann.key]
    t.client(user="ann", dtls=False, arguments=laptop.arguments + second).wait()
    server.user("ann")
    t.expect("Login failed." in login(t, laptop, "bob", PASSWORD, *second)[1], "the password of somebody else")
    t.expect("Login failed." in login(t, laptop, "ann", "wrong", *second)[1], "a wrong password")
    refused(t, server, laptop, "the client has no second certificate; rejecting", user="ann")


def private_memory(pid):
    """KiB that belong to PID alone.  Pages of the shared area count as private while one process alone maps them."""
    total, area = 0, False
    with open("/proc/%d/smaps" % pid) as smaps:
        for line in smaps:
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                area = "sallyport-trust" in line
            elif line.startswith("Private_Dirty:") and not area:
                total += int(line.split()[1])
    return total


def test_large_list(t):
    """Checklist 62: a list of 50,000 revoked certificates works, is read in a moment, and sessions share it."""
    authority = Authority(t)
    ann, bob = authority.issue(user="ann"), authority.issue(user="bob")
    authority.revoke(bob)
    path = authority.path("crl.pem")
    server = t.server(only(authority, CN, crl=authority.crl(path)))
    webs = [spoken(t, ann) for _ in range(2)]
    t.expect(webs[0].init().success, "login with the small list")
    small = private_memory(server.roles()["workers"][0])
    with open(authority.database, "a") as index:
        for i in range(50_000):
            index.write("R\t301122000000Z\t261122000000Z\t4%030d7\tunknown\t/CN=x%d\n" % (i * 7919, i))
    start = len(server.log())
    authority.crl(path, replace=True)
    server.wait_log("loaded CRL", 20, start)
    server.wait_log("main reloaded", 10, start)
    for web in webs:
        web.close()
    wait_for("the old workers to end", lambda: not server.roles()["workers"])
    web = spoken(t, ann)
    t.expect(web.init().success, "login with the large list")
    large = private_memory(server.roles()["workers"][0])
    t.notes.append("private memory of a worker: %d KiB, with the large list %d KiB" % (small, large))
    t.expect(large < small + 100, "the list weighs on each session: %d KiB, before %d KiB" % (large, small))
    refused(t, server, bob, "verification failed: .*revoked")


def test_processes_are_replaced(t):
    """Checklist 62: certificates and lists go on after auth, main and the zygote were killed."""
    authority = Authority(t)
    ann, bob = authority.issue(user="ann"), authority.issue(user="bob")
    path = authority.path("crl.pem")
    server = t.server(only(authority, CN, crl=authority.crl(path)))
    client = t.client(dtls=False, arguments=ann.arguments).wait()
    for role in ("zygote", "auth", "main"):
        os.kill(server.roles()[role], signal.SIGKILL)
        wait_for("logins after the end of " + role, lambda: login(t, ann)[0], 20)
    server.user("ann")
    start = len(server.log())
    authority.revoke(bob)
    authority.crl(path, replace=True)
    server.wait_log("loaded CRL: " + path, 15, start)
    wait_for("the list to count", lambda: not login(t, bob)[0], 10)
    # A list that is broken when auth is started again lets nobody in, and heals by itself.
    good = open(path).read()
    with open(path, "w") as out:
        out.write("nonsense")
    os.kill(server.roles()["auth"], signal.SIGKILL)
    server.wait_log("auth cannot load the running configuration", 15, start)
    with open(path, "w") as out:
        out.write(good)
    wait_for("logins with the repaired list", lambda: login(t, ann)[0], 20)
    t.expect(not login(t, bob)[0], "a revoked certificate")
    server.user("ann")
    client.stop()


@marks(seconds=90)
def test_renegotiation(t):
    """Radius 10, checklist 128: TLS 1.2 renegotiates in the tunnel with the certificate, which is verified once more."""
    authority = Authority(t)
    ann = authority.issue(user="ann")
    server = t.server(only(authority, CN, tls_priorities=TLS12, rekey_time=1))
    client = t.client(dtls=False, arguments=ann.arguments).wait()
    verified = "client certificate verification succeeded"
    before = server.log().count(verified)
    server.wait_log("TLS rehandshake completed", 40)
    t.equal(server.log().count(verified), before + 1, "verifications in the renegotiation")
    must_ping(t.net.cli, GATEWAY4)
    server.user("ann")
    client.stop()


def test_groups_of_both(t):
    """Radius 10, checklist 32, 73: with a password the group must be in both; the second try after a typing error counts."""
    authority = Authority(t)
    ann = authority.issue(subject="/CN=ann/OU=staff/OU=other")
    server = t.server(start=False, users={"ann": "ops,staff"})
    server.write_conf(**{k.replace("-", "_"): v for k, v in both(
        server.dir, authority, CN, cert_group_oid=OU, select_group=["ops", "staff", "other"]).items()})
    server.start()
    for group, good, reason in (("staff", True, "initiating session"), ("ops", False, "he isn't a member of it; rejecting"),
                                ("other", False, "requested group 'other' but is not a member")):
        web, start = spoken(t, ann), len(server.log())
        t.equal(web.login("ann", group=group).success, good, "login in the group " + group)
        if good:
            t.equal(web.connect().status, 200, "tunnel")
            t.equal(server.user("ann")["Groupname"], group, "group")
        server.wait_log(reason, start=start)
        web.close()
    web = spoken(t, ann)
    web.init()
    t.expect("Login failed." in web.reply([("username", "ann"), ("password", "wrong")]).body, "a wrong password")
    t.expect(web.reply([("password", PASSWORD)]).success, "the right one after it")


def test_certificate_password_and_code(t):
    """Checklist 53: password, code and certificate; without a password certificate and code are enough."""
    authority = Authority(t)
    ann, bob, cid = (authority.issue(user=name) for name in ("ann", "bob", "cid"))
    server = t.server(start=False, users={"ann": None, "bob": None})
    secrets = {"ann": b"12345678901234567890", "cid": b"abcdefghijklmnopqrst"}
    otp = server.write_file("otp", "".join("HOTP %s - %s\n" % (n, s.hex()) for n, s in secrets.items()), 0o600)
    with open(server.dir + "/passwd", "a") as passwd:
        passwd.write("cid::\n")
    server.write_conf(**{k.replace("-", "_"): v for k, v in both(server.dir, authority, CN, auth=[
        "certificate", '"plain[passwd=%s/passwd,otp=%s]"' % (server.dir, otp)]).items()})
    server.start()

    def run(user, certificate, password, counter):
        """The dialogue with PASSWORD, if one is asked for, and the code; gives the last answer."""
        web = spoken(t, certificate)
        answer = web.init()
        if answer.status != 200:
            return answer
        code = hotp(secrets[user], counter)
        answer = web.reply([("username", user), ("password", password if password else code)])
        if "OTP" in answer.body:
            answer = web.reply([("secondary_password", code)])
        return answer
    t.expect(run("ann", ann, PASSWORD, 0).success, "all three")
    t.equal(run("ann", None, PASSWORD, 1).lines[0], "HTTP/1.1 401 No certificate", "no certificate")
    start = len(server.log())
    t.expect(not run("ann", bob, PASSWORD, 1).success, "somebody else's certificate")
    server.wait_log("presented a certificate which is for user 'bob'; rejecting", start=start)
    answer = run("cid", cid, None, 0)
    t.expect(answer.success, "certificate and code of a user without a password", answer.head + answer.body)
    t.expect(not run("cid", ann, None, 1).success, "the code with another's certificate")


def hotp(secret, counter):
    """RFC 4226."""
    digest = hmac.new(secret, struct.pack(">Q", counter), "sha1").digest()
    at = digest[19] & 15
    return "%06d" % ((struct.unpack(">I", digest[at:at + 4])[0] & 0x7fffffff) % 1000000)
