"""What Active Directory does differently, for a test: a small LDAP server in the test's process.

It knows the matching rules for nested groups and for bits, answers refused binds as Windows does, sends referrals with
every search below the domain, and keeps every filter it was asked for."""
import socket
import ssl
import threading

from .net import SERVER4
from .shell import netns_socket

CHAIN, BITS = "1.2.840.113556.1.4.1941", "1.2.840.113556.1.4.803"
BASE = "DC=corp,DC=example"
NO_USER, WRONG, DISABLED, EXPIRED, MUST_CHANGE, LOCKED = "525", "52e", "533", "532", "773", "775"


def tlv(tag, *parts):
    """BER: a tag, the length, the contents."""
    body = b"".join(parts)
    length = bytes([len(body)]) if len(body) < 128 else b"\x82" + len(body).to_bytes(2, "big")
    return bytes([tag]) + length + body


def text(value, tag=4):
    return tlv(tag, value if isinstance(value, bytes) else value.encode())


def number(value, tag=2):
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def untlv(data):
    """A list of (tag, contents) for what stands in DATA one after the other."""
    out, at = [], 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 128:
            n = length & 127
            length, at = int.from_bytes(data[at:at + n], "big"), at + n
        out.append((tag, data[at:at + length]))
        at += length
    return out


class ActiveDirectory:
    """ldaps:// on 198.18.0.1:3636 in the test's server namespace.  MUTE: it falls silent after so many answers."""

    PORT = 3636

    def __init__(self, test, service, password, mute=None):
        self.mute = mute
        self.entries, self.passwords, self.reasons, self.filters = {}, {service: password}, {}, []
        self.uri = "ldaps://%s:%d" % (SERVER4, self.PORT)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(test.pki.cert, test.pki.key)
        self.listener = netns_socket(test.net.srv)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((SERVER4, self.PORT))
        self.listener.listen(16)
        test.closables.append(self)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def add(self, dn, password=None, **attributes):
        """An entry; each attribute is a text or a list of them.  Gives its DN."""
        self.entries[dn] = {key.lower(): value if isinstance(value, list) else [value]
                            for key, value in attributes.items()}
        if password:
            self.passwords[dn] = password
        return dn

    def groups_of(self, member, deep):
        """DNs of the groups that have MEMBER, or, DEEP, one that has it."""
        found, todo = [], [member]
        while todo:
            one = todo.pop()
            for dn, entry in self.entries.items():
                if one in entry.get("member", []) and dn not in found:
                    found.append(dn)
                    todo += [dn] if deep else []
        return found

    # The protocol
    def _accept(self):
        while True:
            try:
                raw = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw):
        try:
            with self.context.wrap_socket(raw, server_side=True) as connection:
                stream, answers = connection.makefile("rb"), 0
                while True:
                    head = stream.read(2)
                    if len(head) < 2:
                        return
                    n = head[1] & 127
                    length = int.from_bytes(stream.read(n), "big") if head[1] & 128 else n
                    message = untlv(stream.read(length))
                    for answer in self._answer(*message[1]):
                        answers += 1
                        if self.mute is None or answers <= self.mute:
                            connection.sendall(tlv(0x30, tlv(2, message[0][1]), answer))
        except OSError:
            pass

    def _answer(self, tag, body):
        if tag == 0x60:
            return [self._bind(untlv(body))]
        if tag == 0x63:
            return self._search(untlv(body))
        return []

    @staticmethod
    def _result(tag, code, diagnostic=""):
        return tlv(tag, number(code, 10), text(""), text(diagnostic))

    def _bind(self, fields):
        dn, password = fields[1][1].decode(), fields[2][1].decode()
        if not password:
            return self._result(0x61, 0)  # RFC 4513 5.1.2: as it does
        data = NO_USER if dn not in self.passwords else \
            WRONG if self.passwords[dn] != password else self.reasons.get(dn)
        if data is None:
            return self._result(0x61, 0)
        return self._result(0x61, 49, "80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data %s,"
                                      " v4563\0" % data)

    def _search(self, fields):
        base, scope, limit = fields[0][1].decode(), fields[1][1][0], int.from_bytes(fields[3][1], "big")
        wanted = [value.decode().lower() for _, value in untlv(fields[7][1])]
        if not base:
            yield self._entry("", {"supportedcapabilities": ["1.2.840.113556.1.4.800"]}, wanted)
            yield self._result(0x65, 0)
            return
        self.filters.append(self._say(*fields[6]))
        found = [(dn, entry) for dn, entry in self.entries.items()
                 if (dn.lower() == base.lower() if scope == 0 else dn.lower().endswith(base.lower())) and
                 self._match(dn, entry, *fields[6])]
        for dn, entry in found[:limit or None]:
            yield self._entry(dn, dict(entry, memberof=self.groups_of(dn, False)), wanted)
        if scope and base == BASE:
            yield tlv(0x73, text("ldaps://ForestDnsZones.corp.example/DC=ForestDnsZones," + BASE))
        yield self._result(0x65, 4 if limit and len(found) > limit else 0)

    @staticmethod
    def _entry(dn, attributes, wanted):
        return tlv(0x64, text(dn), tlv(0x30, *[
            tlv(0x30, text(name), tlv(0x31, *[text(value) for value in values]))
            for name, values in attributes.items() if values and name in wanted]))

    # Filters
    def _match(self, dn, entry, tag, body):
        if tag in (0xa0, 0xa1):
            results = [self._match(dn, entry, *part) for part in untlv(body)]
            return all(results) if tag == 0xa0 else any(results)
        if tag == 0xa2:
            return not self._match(dn, entry, *untlv(body)[0])
        if tag == 0x87:
            return bool(entry.get(body.decode().lower()))
        parts = {part: value.decode() for part, value in untlv(body)} if tag == 0xa9 else None
        if parts and parts[0x81] == CHAIN:
            if parts[0x82].lower() == "member":
                return dn in self.groups_of(parts[0x83], True)
            return parts[0x83] in self.groups_of(dn, True)
        if parts and parts[0x81] == BITS:
            return any(int(value) & int(parts[0x83]) for value in entry.get(parts[0x82].lower(), []))
        if tag == 0xa3:
            (_, name), (_, value) = untlv(body)
            return value.decode().lower() in [one.lower() for one in entry.get(name.decode().lower(), [])]
        return False

    def _say(self, tag, body):
        """A filter as text, for the record."""
        if tag in (0xa0, 0xa1, 0xa2):
            return "(%s%s)" % ({0xa0: "&", 0xa1: "|", 0xa2: "!"}[tag],
                               "".join(self._say(*part) for part in untlv(body)))
        if tag == 0x87:
            return "(%s=*)" % body.decode()
        if tag == 0xa9:
            parts = {part: value.decode() for part, value in untlv(body)}
            return "(%s:%s:=%s)" % (parts.get(0x82, ""), parts.get(0x81, ""), parts[0x83])
        return "(%s)" % "=".join(value.decode(errors="replace") for _, value in untlv(body))
