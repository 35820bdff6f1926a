/* oidc_jws.h - signatures of bearer tokens, with libcjose.  Used by the runner of `oidc`. */
#ifndef AUTH_BACKEND_OIDC_JWS_H
#define AUTH_BACKEND_OIDC_JWS_H

#include <stddef.h>

#include "auth/backend/oidc_token.h"

/* Checks the signature of the compact JWS TOKEN with KEY, a JWK that fits the algorithm in TOKEN's
 * header.  *CLAIMS, a child of CTX, are the *LEN bytes that were signed.
 * ERR_CREDENTIALS: *WHY (static) says why not. */
MUST_USE enum err oidc_jws_verify(TALLOC_CTX *ctx, const char *token, const struct json_t *key,
				  char **claims, size_t *len, const char **why);

#endif /* AUTH_BACKEND_OIDC_JWS_H */
