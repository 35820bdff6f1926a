"""Debian's ocserv and this server with ocserv's own sample file, side by side; doc/comparison-with-ocserv.md."""
import os

from lib.compare import OcservServer, observe, rows_of, version_of_ocserv

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOCUMENT = os.path.join(SOURCE, "doc/comparison-with-ocserv.md")
# Set to a file: the test writes the document there and compares nothing.
WRITE = os.environ.get("E2E_WRITE_COMPARISON")

# Why a row differs.  A difference that is not here fails the test.
SECURITY = "the security headers are on every response, as a scanner expects of an HTTPS server"
WHY = dict.fromkeys(("Cache-Control", "Clear-Site-Data", "Content-Security-Policy", "Cross-Origin-Embedder-Policy",
                     "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Pragma", "Referrer-Policy",
                     "Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options",
                     "X-Permitted-Cross-Domain-Policies", "X-XSS-Protection"), SECURITY)
WHY.update({
    "X-CSTP-Server-Name": "no product and no version for those who look for them",
    "Limit RX": "the unit is written as in all other places",
    "Limit TX": "ocserv's JSON leaves it out",
})

HEAD = """# Comparison with ocserv

What the same clients get from Debian's ocserv %s and from Sallyport, both with the sample
configuration that Debian's package installs as /etc/ocserv/ocserv.conf. Keys, users and paths of
sockets are those of the test; some lines that are commented out there are switched on so that there
is more to compare. `tests/e2e/test_comparison.py` connects a client spoken by hand and Debian's
openconnect to both, writes these tables and fails on a difference that is not explained here.
Values that are new each time stand in parentheses; "same" is the value of the first column.
"""


def cell(value):
    return "–" if value is None else "`%s`" % value.replace("|", "\\|") if value else "(empty)"


def table_text(title, rows):
    out = ["", "## " + title, "", "| | ocserv | Sallyport | why |", "| --- | --- | --- | --- |"]
    for name, theirs, ours in rows:
        out.append("| %s | %s | %s | %s |" % (name, cell(theirs), "same" if ours == theirs else cell(ours),
                                              "" if ours == theirs else WHY.get(name, "")))
    return "\n".join(out) + "\n"


def test_what_clients_get(t):
    """Issue: a side-by-side comparison, and every difference has its reason."""
    servers = []
    for make in (lambda: OcservServer(t, start=False), lambda: t.server(start=False)):
        server = make()
        if server not in t.servers:
            t.servers.append(server)
        servers.append(observe(t, server))
    text = HEAD % version_of_ocserv()
    unexplained = []
    for title in servers[0]:
        rows = rows_of(servers[0][title], servers[1][title])
        text += table_text(title, rows)
        unexplained += ["%s: %s, %r and %r" % ((title,) + row) for row in rows if row[1] != row[2] and row[0] not in WHY]
    if WRITE:
        with open(WRITE, "w") as out:
            out.write(text)
        return
    t.equal(unexplained, [], "differences without a reason")
    with open(DOCUMENT) as document:
        t.equal(document.read(), text, "doc/comparison-with-ocserv.md (E2E_WRITE_COMPARISON=FILE writes it)")
