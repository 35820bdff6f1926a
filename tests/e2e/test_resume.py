"""TLS sessions that are resumed with tickets (protocol.md 2.7): of the same client, at the same host, for a while."""
import base64
import hashlib
import os
import re
import signal
import ssl
import time

from lib.clientcert import Authority
from lib.gnutls import GnuTls
from lib.harness import marks
from lib.haproxy import v2
from lib.net import SERVER4
from lib.shell import wait_for
from lib.twonames import ANY_ISSUER, TwoNames
from lib.web import Web

from test_http import client_context
from test_keys import Maker

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
FAR, OTHER = "198.51.100.7", "198.51.100.8"


class Resumer:
    """A client that keeps its session from one connection to the next."""

    def __init__(self, t, version, certificate=None, name=None):
        self.t, self.name, self.session = t, name, None
        self.context = client_context(tls=version)
        if certificate:
            self.context.load_cert_chain(certificate.chain, certificate.key)

    def open(self, source=None, name=None, header=None):
        """A connection that offers the session we have."""
        web = Web(self.t, raw=True, source=source)
        if header:
            web.send(header)
        web.socket = self.context.wrap_socket(web.socket, server_hostname=name or self.name, session=self.session)
        web.file = web.socket.makefile("rb")
        return web

    def visit(self, keep=True, **options):
        """Opens one, asks for a page, keeps the session unless told otherwise; whether it was resumed."""
        web = self.open(**options)
        web.init()
        if keep:
            self.session = web.socket.session
        reused = web.socket.session_reused
        web.close()
        return reused

    def must_start(self, **options):
        """The first connection of all."""
        self.t.expect(not self.visit(**options), "resumed without a session")
        self.t.expect(self.session.has_ticket, "no ticket from the server")
        return self


def test_within_the_window(t):
    """Checklist 127: TLS 1.2 and 1.3 resume; login, tunnel and what is announced are as in a full handshake."""
    server = t.server()
    sha1 = hashlib.sha1(ssl.PEM_cert_to_DER_cert(open(t.pki.cert).read())).hexdigest().upper()
    for version in VERSIONS:
        client = Resumer(t, version).must_start()
        t.expect(client.visit(), "first resumption with %s" % version)
        t.expect(client.visit(), "resumption of what was resumed with %s" % version)
        web = client.open()
        web.must_login()
        t.expect(web.socket.session_reused, "login over a resumed session")
        t.expect(sha1 in web.cookies["webvpnc"], "the certificate's hash", web.cookies)
        tunnel = web.open()
        tunnel.send(tunnel.DPD_OUT)
        t.equal(tunnel.receive_control()[0], tunnel.DPD_RESP, "answer through the tunnel")
        tunnel.bye()
        server.wait_no_user()


def test_two_certificates(t):
    """Protocol 2.4, 2.7: of two certificates, webvpnc names the one that the first handshake showed."""
    server = t.server(start=False)
    maker = Maker(t, server)
    pairs = [maker.make("rsa", "--bits", "2048"), maker.make("ecdsa", "--curve=secp256r1")]
    server.write_conf(server_cert=[p[0] for p in pairs], server_key=[p[1] for p in pairs])
    server.start()
    for suite in ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"):
        client = Resumer(t, ssl.TLSVersion.TLSv1_2)
        client.context.set_ciphers(suite)
        shown = client.open().socket.getpeercert(True)
        client.must_start()
        web = client.open().must_login()
        t.expect(web.socket.session_reused, "resumed with " + suite)
        t.expect(hashlib.sha1(shown).hexdigest().upper() in web.cookies["webvpnc"], "hash with " + suite, web.cookies)


def test_not_from_another_address(t):
    """Protocol 5, 10.9: from another address the ticket is a miss, not an error; from the old one it still counts."""
    t.server()
    for address in (FAR, OTHER):
        t.net.add_client_address(address)
    for version in VERSIONS:
        client = Resumer(t, version).must_start(source=FAR)
        t.expect(not client.visit(keep=False, source=OTHER), "resumed from another address with %s" % version)
        t.expect(client.visit(source=FAR), "resumed from the same address with %s" % version)


def test_not_at_another_host(t):
    """Protocol 5, 2.5: at another host, or at the default one, the ticket is a miss."""
    t.server(vhosts=[("one.example", {"banner": "1"}), ("two.example", {"banner": "2"})])
    for version in VERSIONS:
        client = Resumer(t, version, name="one.example").must_start()
        for name in ("two.example", "unknown.example"):
            t.expect(not client.visit(keep=False, name=name), "resumed at %s with %s" % (name, version))
        t.expect(client.visit(), "resumed at the same host with %s" % version)


def test_hosts_that_want_no_tickets(t):
    """Protocol 2.7: %NO_TICKETS in tls-priorities turns resumption off, %NO_TICKETS_TLS12 for TLS 1.2 only."""
    t.server(vhosts=[("none.example", {"tls-priorities": '"NORMAL:%NO_TICKETS_TLS12:%NO_TICKETS"'}),
                     ("some.example", {"tls-priorities": '"NORMAL:%NO_TICKETS_TLS12"'})])
    for version, name, works in ((VERSIONS[0], "none.example", False), (VERSIONS[1], "none.example", False),
                                 (VERSIONS[0], "some.example", False), (VERSIONS[1], "some.example", True)):
        client = Resumer(t, version, name=name)
        client.visit()
        t.equal((client.session.has_ticket, client.visit()), (works, works), "%s with %s" % (name, version))


def test_host_without_tls13(t):
    """Protocol 2.5, 2.7: a host with fewer versions than the default one; a ticket of another version is a miss."""
    t.server(vhosts=[("old.example", {"tls-priorities": '"NORMAL:-VERS-TLS1.3"'})])
    for version in (None, ssl.TLSVersion.TLSv1_2):
        client = Resumer(t, version, name="old.example").must_start()
        t.expect(client.visit(), "resumed, offering %s" % version)
        web = client.open().must_login()
        t.equal(web.socket.version(), "TLSv1.2", "version of the host")
    client = Resumer(t, ssl.TLSVersion.TLSv1_2).must_start()
    client.context.maximum_version = ssl.TLSVersion.TLSv1_3
    web = client.open().must_login()
    t.equal(web.socket.version(), "TLSv1.3", "version with a ticket of TLS 1.2")
    t.expect(not web.socket.session_reused, "a ticket of TLS 1.2 resumed with TLS 1.3")


@marks(seconds=90)
def test_hosts_with_certificates_do_not_resume(t):
    """Protocol 10.9, 10.38, 2.6: who wants certificates sees one in each handshake; a revoked one does not get in."""
    ca = Authority(t)
    ann, crl = ca.issue("test"), ca.crl(t.dir + "/crl.pem")
    options = {"auth": "certificate", "ca-cert": ca.cert, "crl": crl, "cert-user-oid": "2.5.4.3"}
    server = t.server({"cisco-client-compat": "false"}, vhosts=[
        ("only.example", options), ("maybe.example", dict(options, **{"enable-auth": "plain[passwd=%s]" % "/nowhere"}))])
    clients = [Resumer(t, version, ann, name) for version in VERSIONS for name in ("only.example", "maybe.example")]
    for client in clients:
        for _ in range(2):
            t.expect(not client.visit(), "resumed at %s" % client.name)
        client.open().login(user="")
    ca.revoke(ann)
    ca.crl(crl, replace=True)
    start = len(server.log())
    server.reload()
    server.wait_log("main reloaded", 10, start)
    for client in clients:
        try:
            web = client.open()
            answer = web.init()
            t.expect(answer.status == 401 and not web.socket.session_reused, "revoked, at " + client.name, answer.head)
        except OSError:
            pass  # an alert, where nothing but a certificate counts


def test_a_session_is_no_certificate(t):
    """Protocol 10.9, 2.6: who offers the session of a client with a certificate, names another host and shows none is
    nobody.  With tickets GnuTLS 3.7.9 would take the certificate out of the ticket, and the handshake for verified."""
    ca = Authority(t)
    t.server({"auth": "certificate", "enable-auth": '"plain[passwd=/nowhere]"', "ca-cert": ca.cert, "cert-user-oid": "2.5.4.3"})

    def visit(name, certificate, session=None):
        return offer(t, lambda socket: GnuTls(socket, "NORMAL:-VERS-ALL:+VERS-TLS1.2", name, certificate, session,
                                              ANY_ISSUER if certificate else 0).handshake())
    ann = visit("a.example", ca.issue("test"))
    t.expect(ann.init().success, "login with the certificate")
    for name in ("a.example", "b.example"):
        thief = visit(name, None, ann.socket.session_data())
        t.expect(not thief.socket.resumed and not thief.init().success, "login with the session of another, at " + name)


def offer(t, make):
    """A connection over the stream that MAKE makes of a socket, with one request; None when the server refuses it."""
    web = Web(t, raw=True)
    try:
        web.socket = make(web.socket)
        web.file = web.socket.makefile("rb")
        web.init()
    except ConnectionError:
        return None
    return web


def test_a_name_that_changes_in_the_handshake(t):
    """Protocol 5, 2.5: who offers a session and names another host after HelloRetryRequest is refused."""
    t.server({"tls-priorities": "NORMAL:-GROUP-ALL:+GROUP-SECP256R1"},
             vhosts=[("one.example", {"banner": "1"}), ("two.example", {"banner": "2"})])
    groups = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1"

    def visit(first, second, session=None):
        return offer(t, lambda socket: TwoNames(socket, None, first, second, groups, session))
    web = visit("one.example", "one.example")
    session = web.socket.session_data()
    again = visit("one.example", "one.example", session)
    t.expect(again.socket.hrr and again.socket.resumed, "resumed after HelloRetryRequest")
    t.expect(visit("one.example", "two.example", session) is None, "another host after HelloRetryRequest")
    t.expect(visit("two.example", "two.example").socket.hrr, "the other host by itself")


def test_renegotiation(t):
    """Protocol 12, 2.7, 2.8: a session of TLS 1.2 that was resumed renegotiates in its tunnel, as any other."""
    server = t.server({"rekey-time": 2, "rekey-method": "ssl", "ipv6-network": None})

    def visit(session=None):
        return offer(t, lambda socket: GnuTls(socket, "NORMAL:-VERS-ALL:+VERS-TLS1.2", session=session).handshake())
    web = visit(visit().socket.session_data())
    t.expect(web.socket.resumed, "resumed")
    tunnel = web.must_login().open()
    time.sleep(int(tunnel.answer.header("X-CSTP-Rekey-Time")) / 2 + 0.5)
    web.socket.drain().handshake()
    server.wait_log("TLS rehandshake completed")
    tunnel.send(tunnel.DPD_OUT)
    t.equal(tunnel.receive_control()[0], tunnel.DPD_RESP, "answer with the new keys")
    start = len(server.log())
    try:
        web.socket.drain().handshake()
    except ConnectionError:
        pass
    server.wait_log("rekey-refused.*too soon", start=start)


def edit_time(path):
    """The client of openssl believes that the session in the file PATH began just now."""
    text = open(path).read()
    der = base64.b64decode(re.search(r"-----BEGIN[^\n]*\n(.*)-----END", text, re.S).group(1))
    at = re.search(rb"\xa1\x06\x02\x04(....)\xa2", der, re.S)
    der = der[:at.start(1)] + int(time.time()).to_bytes(4, "big") + der[at.end(1):]
    body = base64.encodebytes(der).decode()
    with open(path, "w") as out:
        out.write("-----BEGIN SSL SESSION PARAMETERS-----\n%s-----END SSL SESSION PARAMETERS-----\n" % body)


def s_client(t, *arguments):
    """openssl s_client with one request; its words."""
    return t.net.run(t.net.cli, "sh", "-c", "printf 'GET / HTTP/1.1\\r\\nHost: s\\r\\nConnection: close\\r\\n\\r\\n' | "
                     "openssl s_client -ign_eof -connect %s:443 %s 2>&1" % (SERVER4, " ".join(arguments)), check=False).stdout


def test_after_the_window(t):
    """Checklist 127, protocol 2.7: after cookie-timeout a ticket is a miss, whatever the client thinks of its age."""
    t.server({"cookie-timeout": 8})
    files = {version: "%s/session-%s" % (t.dir, version) for version in ("-tls1_2", "-tls1_3")}
    for version, path in files.items():
        t.expect("\nNew, TLS" in s_client(t, version, "-sess_out", path), "new session")
    began = time.time()
    for version, path in files.items():
        t.expect("\nReused, TLS" in s_client(t, version, "-sess_in", path), "reused with " + version)
    time.sleep(max(0, began + 10 - time.time()))
    for version, path in files.items():
        edit_time(path)
        said = s_client(t, version, "-sess_in", path)
        t.expect("\nNew, TLS" in said and "HTTP/1.1 200" in said, "new after the window with " + version, said)


def test_lifetime_is_not_extended(t):
    """Protocol 2.7: resuming again and again does not carry a session beyond the window of its full handshake."""
    t.server({"cookie-timeout": 3})
    clients = [Resumer(t, version).must_start() for version in VERSIONS]
    began = time.time()
    resumed, full = {client: [] for client in clients}, {client: began for client in clients}
    while time.time() < began + 6:
        for client in clients:
            now = time.time()
            try:
                resumed[client].append(client.visit())
                full[client] = full[client] if resumed[client][-1] else now
            except ssl.SSLError:  # the library expires a ticket in the middle of a handshake, at one of two full seconds
                t.expect(now - full[client] > 1.5, "a handshake fails %.1f s after the full one" % (now - full[client]))
                client.session = None
        time.sleep(0.25)
    for client in clients:
        t.expect(resumed[client][0] and not all(resumed[client]), "a full handshake now and then", resumed[client])
        t.expect(resumed[client][-4:].count(True) >= 2, "and it resumes again", resumed[client])


def test_not_after_a_reload(t):
    """Protocol 2.7: tickets from before a reload are misses, since the host may want something else now."""
    server = t.server()
    clients = [Resumer(t, version).must_start() for version in VERSIONS]
    start = len(server.log())
    server.reload()
    server.wait_log("main reloaded", 10, start)
    for client in clients:
        t.expect(not client.visit(), "resumed after a reload")
        t.expect(client.visit(), "resumed after a new start")


def test_auth_killed_in_between(t):
    """Protocol 2.7: keys die with their process; clients do a full handshake then."""
    server = t.server()
    clients = [Resumer(t, version).must_start() for version in VERSIONS]
    old = server.roles()["auth"]
    os.kill(old, signal.SIGKILL)
    wait_for("auth to be back", lambda: server.roles().get("auth") not in (None, old), 10)
    for client in clients:
        client.visit()
        t.expect(client.visit(), "resumed with the new process's keys")
        client.open().must_login()


def test_behind_a_proxy(t):
    """Protocol 2.7, section 7: the address that counts is the one in the PROXY header."""
    t.server({"listen-proxy-proto": "true"})
    for version in VERSIONS:
        mine, theirs = v2(FAR, SERVER4), v2(OTHER, SERVER4)
        client = Resumer(t, version).must_start(header=mine)
        t.expect(not client.visit(keep=False, header=theirs), "resumed for another client of the proxy")
        t.expect(client.visit(header=mine), "resumed for the same client of the proxy")


def test_clients_of_both_libraries(t):
    """Checklist 127: gnutls-cli --resume and openssl s_client -reconnect, TLS 1.2 and 1.3."""
    t.server()
    for version in ("1.2", "1.3"):
        said = t.net.run(t.net.cli, "sh", "-c", "sleep 1 | gnutls-cli --insecure --resume --priority "
                         "NORMAL:-VERS-ALL:+VERS-TLS%s -p 443 %s 2>&1" % (version, SERVER4), check=False).stdout
        t.expect("*** This is a resumed session" in said, "gnutls-cli with TLS " + version, said)
    said = s_client(t, "-tls1_2", "-reconnect")
    t.equal(said.count("\nReused, TLSv1.2"), 5, "openssl -reconnect:\n" + said)
    path = t.dir + "/session"
    s_client(t, "-tls1_3", "-sess_out", path)
    t.expect("\nReused, TLSv1.3" in s_client(t, "-tls1_3", "-sess_in", path), "openssl with TLS 1.3")
