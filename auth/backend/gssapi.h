/* gssapi.h - the auth line of the backend `gssapi`, for its halves, and the pure parts of its work.
 */
#ifndef AUTH_BACKEND_GSSAPI_H
#define AUTH_BACKEND_GSSAPI_H

#include "auth/backend/backend.h"

enum { GSSAPI_TOKEN_MAX = 16384 }; /* no header of a request is longer (protocol.md 3.1) */

/* The sub-options of the auth line. */
struct gssapi {
	const char *keytab; /* NULL: the library's default */
	bool need_account;  /* require-local-user-map */
	uint32_t freshness; /* seconds since the user proved who he is; 0: no limit */
	uint32_t gid_min;
};

/* The token of the Authorization header HEADER, "Negotiate BASE64"; *OUT is a child of CTX.
 * ERR_NOT_FOUND: another scheme, or no token; ERR_SYNTAX: not base64; ERR_TOO_LONG. */
MUST_USE enum err gssapi_token(TALLOC_CTX *ctx, const char *header, uint8_t **out, size_t *len);

/* What WWW-Authenticate says: the scheme, and LEN bytes of TOKEN unless there is none.  A child of
 * CTX, NULL without memory. */
char *gssapi_header(TALLOC_CTX *ctx, const void *token, size_t len);

/* The first component of the LEN bytes of PRINCIPAL as Kerberos prints it ("ann/admin@REALM" is
 * "ann"); a child of CTX, NULL when it is empty or has escaped characters. */
char *gssapi_first_component(TALLOC_CTX *ctx, const char *principal, size_t len);

#endif /* AUTH_BACKEND_GSSAPI_H */
