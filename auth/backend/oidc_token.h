/* oidc_token.h - what a bearer token says (RFC 7515, 7519; radius.md 6.2, 6.3).  Pure; the
 * signature between the two parsers here is auth/backend/oidc_jws.h's.  Used by the runner of
 * `oidc`. */
#ifndef AUTH_BACKEND_OIDC_TOKEN_H
#define AUTH_BACKEND_OIDC_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/backend/oidc.h"

/* How a signature is made, and which keys may make it. */
struct oidc_alg {
	const char *name; /* as in "alg" */
	const char *kty;  /* of the key */
	const char *crv;  /* of an EC key, else NULL */
};

/* The algorithm called NAME, if we accept it; NULL: none.  Only public-key ones are known here, so
 * a token that is not signed, or signed with our copy of a public key as a password, has none. */
const struct oidc_alg *oidc_alg_find(const char *name);

/* The protected header of a token. */
struct oidc_header {
	const struct oidc_alg *alg;
	const char *kid;
};

/* The token in the value of an Authorization header: after "Bearer" in any case and one character,
 * whichever it is.  NULL: none.  Borrowed from AUTHORIZATION. */
const char *oidc_bearer(const char *authorization);

/* Whether LEN bytes of TEXT are base64 as JWS and JWK have it (RFC 7515 2: alphabet of URLs, no
 * padding), and not empty.  libcjose ends the process on some texts that are not. */
bool oidc_is_base64url(const char *text, size_t len);

/* Reads the header of the compact JWS TOKEN.  OUT's strings are children of CTX.
 * ERR_CREDENTIALS: *WHY (static) says why the token is refused. */
MUST_USE enum err oidc_header_parse(TALLOC_CTX *ctx, const char *token, struct oidc_header *out,
				    const char **why);

/* Checks the LEN bytes of claims at JSON, whose signature was good, against CONF at the UNIX time
 * NOW.  *USER, a child of CTX, is the user name.  ERR_CREDENTIALS: *WHY (static or a child of CTX)
 * says why the token is refused. */
MUST_USE enum err oidc_claims_check(TALLOC_CTX *ctx, const char *json, size_t len,
				    const struct oidc *conf, int64_t now, const char **user,
				    const char **why);

#endif /* AUTH_BACKEND_OIDC_TOKEN_H */
