/* oidc_fetch.h - downloads from a provider, with libcurl.  Used by the runner of `oidc`. */
#ifndef AUTH_BACKEND_OIDC_FETCH_H
#define AUTH_BACKEND_OIDC_FETCH_H

#include "auth/backend/oidc.h"
#include "base/buf.h"

/* Gets what is at URL into OUT, blocking for at most some seconds.  What CONF says of whom to trust
 * applies; a provider whose own URL is https is never asked in another way.
 * ERR_TIMEOUT, ERR_TLS, ERR_TOO_LONG, ERR_SYS: *WHY (a child of CTX) says what happened. */
MUST_USE enum err oidc_fetch(TALLOC_CTX *ctx, const struct oidc *conf, const char *url,
			     struct buf *out, const char **why);

#endif /* AUTH_BACKEND_OIDC_FETCH_H */
