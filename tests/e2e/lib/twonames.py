"""A TLS 1.3 client that names another host after the server's HelloRetryRequest; no ordinary library would."""
import ctypes

from .gnutls import GnuTls

ANY_ISSUER, TOP_GROUP_ONLY = 1 << 9, 1 << 11
RETRY_REQUEST, AFTERWARDS = 1025, 1
HOOK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p)


class TwoNames(GnuTls):
    """A stream over SOCKET with CERTIFICATE; FIRST and SECOND are the names.  HRR: whether the server asked again, which
    it does because it knows but the second of our groups, PRIORITIES."""

    def __init__(self, socket, certificate, first, second, priorities, session=None):
        super().__init__(socket, priorities, first, certificate, session, ANY_ISSUER | TOP_GROUP_ONLY)
        self.hrr = False
        self.hook = HOOK(lambda *_: self._retry(second))
        self.lib.gnutls_handshake_set_hook_function(self.session, RETRY_REQUEST, AFTERWARDS, self.hook)
        self.handshake()

    def _retry(self, name):
        self.hrr = True
        self.set_name(name)
        return 0
