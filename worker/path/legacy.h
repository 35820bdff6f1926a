/* legacy.h - sets up a DTLS server session for the old "resumption" whose key came in an HTTP
 * header.  Used by assoc.c.  protocol.md 6.4. */
#ifndef WORKER_PATH_LEGACY_H
#define WORKER_PATH_LEGACY_H

#include <gnutls/gnutls.h>

#include "base/err.h"
#include "worker/path/path.h"

/* Priorities, master secret and session id of DTLS for the session S; CERT is borrowed. */
MUST_USE enum err legacy_setup(gnutls_session_t s, const struct path_dtls *dtls,
			       gnutls_certificate_credentials_t cert);

#endif /* WORKER_PATH_LEGACY_H */
