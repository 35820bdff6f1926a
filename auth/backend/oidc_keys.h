/* oidc_keys.h - a provider's signing keys: reading its documents, and keeping the keys between
 * logins.  Pure.  Used by the runner of `oidc`. */
#ifndef AUTH_BACKEND_OIDC_KEYS_H
#define AUTH_BACKEND_OIDC_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/backend/oidc_token.h"

enum {
	OIDC_RETRY = 5, /* most seconds after a failed download, as long as there are no keys */
	OIDC_RETRY_LATER = 60,	    /* the same where there are some */
	OIDC_AGE_MAX = 24 * 3600,   /* keys of this age are loaded again before they are used */
	OIDC_DOCUMENT_MAX = 262144, /* bytes of a document that is downloaded */
};

struct oidc_keys {
	int64_t loaded;	     /* UNIX time of the last good download; 0: none */
	int64_t failed;	     /* of the last one that failed since; 0: none */
	struct json_t *keys; /* an array of JWKs, public members only */
};

/* No keys yet.  A child of CTX, NULL without memory. */
struct oidc_keys *oidc_keys_new(TALLOC_CTX *ctx);

/* Reads the LEN bytes of a discovery document.  *JWKS_URI is a child of CTX.
 * ERR_SYNTAX: *WHY (static) says what is wrong. */
MUST_USE enum err oidc_discovery_parse(TALLOC_CTX *ctx, const char *text, size_t len,
				       const char **jwks_uri, const char **why);

/* Replaces the keys of K by the ones of the LEN bytes of a JWKS that can sign tokens for us.
 * ERR_SYNTAX: *WHY (static) says what is wrong, and K is unchanged. */
MUST_USE enum err oidc_jwks_parse(struct oidc_keys *k, const char *text, size_t len,
				  const char **why);

/* K as bytes for struct verdict's `keep`, and back.  URL names the provider: keys of another one
 * are not taken.  *OUT is a child of CTX.
 * ERR_TOO_LONG: more than BACKEND_KEEP_MAX.  ERR_SYNTAX: nothing that can be used. */
MUST_USE enum err oidc_keys_pack(TALLOC_CTX *ctx, const struct oidc_keys *k, const char *url,
				 const uint8_t **out, size_t *len);
MUST_USE enum err oidc_keys_unpack(TALLOC_CTX *ctx, const uint8_t *data, size_t len,
				   const char *url, struct oidc_keys **out);

/* The key called KID that may sign with ALG; NULL: none.  *KNOWN: there is a key of that name.
 * Borrowed from K. */
const struct json_t *oidc_keys_find(const struct oidc_keys *k, const char *kid,
				    const struct oidc_alg *alg, bool *known);

/* Whether there is nothing at NOW to check a token with, or what there is has aged. */
bool oidc_keys_are_old(const struct oidc_keys *k, const struct oidc *conf, int64_t now);

/* Whether another download may be tried at NOW (radius.md 6.3, 2). */
bool oidc_keys_may_load(const struct oidc_keys *k, const struct oidc *conf, int64_t now);

#endif /* AUTH_BACKEND_OIDC_KEYS_H */
