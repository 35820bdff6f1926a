"""A TLS 1.3 client that names another host after the server's HelloRetryRequest; no ordinary library would."""
import ctypes
import io

CLIENT, ANY_ISSUER, TOP_GROUP_ONLY = 1 << 1, 1 << 9, 1 << 11
PEM, DNS, RETRY_REQUEST, AFTERWARDS = 1, 1, 1025, 1
HOOK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p)


class TwoNames(io.RawIOBase):
    """A stream over SOCKET with CERTIFICATE; FIRST and SECOND are the names.  HRR: whether the server asked again, which
    it does because it knows but the second of our groups, PRIORITIES."""

    def __init__(self, socket, certificate, first, second, priorities):
        self.socket, self.hrr = socket, False
        self.lib = ctypes.CDLL("libgnutls.so.30")
        self.session, self.cred = ctypes.c_void_p(), ctypes.c_void_p()
        self._do("gnutls_init", ctypes.byref(self.session), CLIENT | ANY_ISSUER | TOP_GROUP_ONLY)
        self._do("gnutls_priority_set_direct", self.session, priorities.encode(), None)
        self._do("gnutls_certificate_allocate_credentials", ctypes.byref(self.cred))
        self._do("gnutls_certificate_set_x509_key_file", self.cred, certificate.chain.encode(),
                 certificate.key.encode(), PEM)
        self._do("gnutls_credentials_set", self.session, 1, self.cred)
        self._name(first)
        self.hook = HOOK(lambda *_: self._retry(second))
        self.lib.gnutls_handshake_set_hook_function(self.session, RETRY_REQUEST, AFTERWARDS, self.hook)
        socket.setblocking(True)
        self.lib.gnutls_transport_set_int2(self.session, socket.fileno(), socket.fileno())
        self._do("gnutls_handshake", self.session)

    def _do(self, name, *args):
        code = getattr(self.lib, name)(*args)
        if code < 0:
            raise ConnectionError("%s: %d" % (name, code))
        return code

    def _name(self, name):
        self._do("gnutls_server_name_set", self.session, DNS, name.encode(), ctypes.c_size_t(len(name)))

    def _retry(self, name):
        self.hrr = True
        self._name(name)
        return 0

    def sendall(self, data):
        self._do("gnutls_record_send", self.session, data, ctypes.c_size_t(len(data)))

    def readable(self):
        return True

    def readinto(self, out):
        room = (ctypes.c_char * len(out)).from_buffer(out)
        return self._do("gnutls_record_recv", self.session, room, ctypes.c_size_t(len(out)))

    def makefile(self, _):
        return io.BufferedReader(self)

    def shutdown(self, how):
        self.socket.shutdown(how)

    def close(self):
        self.socket.close()
        super().close()
