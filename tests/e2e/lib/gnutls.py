"""A TLS client made of GnuTLS itself, for what Python's library does not do."""
import ctypes
import io
import select

CLIENT = 1 << 1
PEM, DNS, CERTIFICATE, AGAIN = 1, 1, 1, -28


class Datum(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_uint)]


class GnuTls(io.RawIOBase):
    """A stream over SOCKET with PRIORITIES; NAME is the host's, SESSION what session_data() of an earlier one gave.
    handshake() must be called; every failure is a ConnectionError."""

    def __init__(self, socket, priorities, name=None, certificate=None, session=None, flags=0):
        self.socket = socket
        self.lib = ctypes.CDLL("libgnutls.so.30")
        self.session, self.cred = ctypes.c_void_p(), ctypes.c_void_p()
        self._do("gnutls_init", ctypes.byref(self.session), CLIENT | flags)
        self._do("gnutls_priority_set_direct", self.session, priorities.encode(), None)
        self._do("gnutls_certificate_allocate_credentials", ctypes.byref(self.cred))
        if certificate:
            self._do("gnutls_certificate_set_x509_key_file", self.cred, certificate.chain.encode(),
                     certificate.key.encode(), PEM)
        self._do("gnutls_credentials_set", self.session, CERTIFICATE, self.cred)
        if name:
            self.set_name(name)
        if session:
            self._do("gnutls_session_set_data", self.session, session, ctypes.c_size_t(len(session)))
        socket.setblocking(True)
        self.lib.gnutls_transport_set_int2(self.session, socket.fileno(), socket.fileno())

    def _do(self, name, *args):
        code = getattr(self.lib, name)(*args)
        if code < 0:
            raise ConnectionError("%s: %d" % (name, code))
        return code

    def set_name(self, name):
        self._do("gnutls_server_name_set", self.session, DNS, name.encode(), ctypes.c_size_t(len(name)))

    def handshake(self):
        """The first one, or in TLS 1.2 another inside the session; drain() before that."""
        self._do("gnutls_handshake", self.session)
        return self

    def drain(self, quiet=0.2):
        """Throws away what comes, until nothing has for QUIET seconds: in the middle of a second handshake data would
        spoil it."""
        while select.select([self.socket], [], [], quiet)[0]:
            self.readinto(bytearray(65536))
        return self

    @property
    def resumed(self):
        return bool(self.lib.gnutls_session_is_resumed(self.session))

    def session_data(self):
        """What a later connection needs to resume this one; in TLS 1.3 to be asked for after something was read."""
        datum = Datum()
        self._do("gnutls_session_get_data2", self.session, ctypes.byref(datum))
        return ctypes.string_at(datum.data, datum.size)

    def sendall(self, data):
        self._do("gnutls_record_send", self.session, data, ctypes.c_size_t(len(data)))

    def settimeout(self, seconds):
        """Reads wait as long as they have to: tests have a limit of their own."""

    def readable(self):
        return True

    def readinto(self, out):
        room = (ctypes.c_char * len(out)).from_buffer(out)
        while True:
            code = self.lib.gnutls_record_recv(self.session, room, ctypes.c_size_t(len(out)))
            if code != AGAIN:  # which it says after a message without data, too
                break
        if code < 0:
            raise ConnectionError("gnutls_record_recv: %d" % code)
        return code

    def makefile(self, _):
        return io.BufferedReader(self)

    def shutdown(self, how):
        self.socket.shutdown(how)

    def close(self):
        self.socket.close()
        super().close()
