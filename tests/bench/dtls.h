/* dtls.h - the client's side of the DTLS channel: PSK-NEGOTIATE.  Used by vpnload.
 * protocol.md 6.2. */
#ifndef BENCH_DTLS_H
#define BENCH_DTLS_H

#include <talloc.h>

#include <gnutls/gnutls.h>

#include "base/err.h"
#include "tests/bench/login.h"

/* An established channel; freeing it closes the socket and forgets the session. */
struct dtls {
	gnutls_session_t s;
	gnutls_psk_client_credentials_t cred;
	int fd;
};

/* Shakes hands with the server of L, at most for some seconds.  GRANT has an App-ID.  *OUT is a
 * child of CTX; its transport is the bare socket.  Errors leave a line in l->why. */
MUST_USE enum err dtls_new(TALLOC_CTX *ctx, struct login *l, const struct login_grant *grant,
			   struct dtls **out);

#endif /* BENCH_DTLS_H */
