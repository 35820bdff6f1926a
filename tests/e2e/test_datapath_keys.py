"""New keys while data flows, with records of the server's own and with those of GnuTLS."""
import re
import time

from lib.datapath import TLS12, without
from lib.harness import marks
from lib.traffic import Transfer

RATE = 300_000  # bytes a second, so that transfers are there all the time and leave the machine to others
# openconnect gives a renegotiation up and makes a new connection when data were on their way already.
GIVEN_UP = r"expecting handshake data|Rehandshake failed"


def given_up(client):
    return bool(re.search(GIVEN_UP, client.log()))


def under_load(t, client, due, seconds):
    """Transfers both ways, one after the other, until DUE() and once more after it; each checks what has arrived."""
    end, after = time.monotonic() + seconds * t.slow, False
    while not after:
        after = due()
        t.expect(after or time.monotonic() < end, "the keys did not change in time")
        jobs = [Transfer(client.netns, t.net.lan, size=2 * RATE // t.slow, down=down, rate=RATE // t.slow)
                for down in (True, False)]
        for job in jobs:
            job.start()
        for job in jobs:
            job.finish()


def records(server, channel):
    """Who makes the records, by the log."""
    return server.wait_log(r"%s .*records=\"?(\w+)" % channel).group(1)


def tls(t, own):
    for priorities in (TLS12, None):
        conf = {"rekey-time": 3, "rekey-method": "ssl", "log-level": 3, **without(*([] if own else ["sealing"]))}
        if priorities:
            conf["tls-priorities"] = priorities
        server = t.server(conf)
        client = t.client(dtls=False).wait()
        t.equal(records(server, "tls-tunnel"), "own" if own else "gnutls", "records")
        under_load(t, client, lambda: "rekeyed" in server.log() or given_up(client), 50)
        t.expect(server.log().count("assigning tun device") == 1 or given_up(client), "devices made")
        client.stop()
        server.stop()


def dtls(t, own):
    server = t.server({"rekey-time": 2, "rekey-method": "ssl", "tls-priorities": TLS12, **without(*([] if own else ["sealing"]))})
    client = t.client().wait()
    t.equal(records(server, "dtls-open"), "own" if own else "gnutls", "records")
    under_load(t, client, lambda: "DTLS rekey due" in client.log(), 60)
    t.expect(server.log().count("dtls-open") == 1 or given_up(client), "associations made")
    client.stop()


@marks(seconds=90)
def test_tls_with_own_records(t):
    """Issue, sealing: renegotiations and key updates under load, data intact both ways."""
    tls(t, True)


@marks(seconds=90)
def test_tls_with_gnutls_records(t):
    """Issue, sealing off: the same."""
    tls(t, False)


@marks(seconds=90)
def test_dtls_with_own_records(t):
    """Issue, sealing, protocol 6.10: a renegotiation inside the association under load."""
    dtls(t, True)


@marks(seconds=90)
def test_dtls_with_gnutls_records(t):
    """Issue, sealing off: the same."""
    dtls(t, False)
