/* oidc.h - the configuration of the backend `oidc` (radius.md 6.1), for its two halves. */
#ifndef AUTH_BACKEND_OIDC_H
#define AUTH_BACKEND_OIDC_H

#include <stddef.h>
#include <stdint.h>

#include "auth/backend/backend.h"

struct json_t; /* of <jansson.h> */

enum {
	OIDC_CONF_MAX = 64 * 1024, /* bytes of the configuration file */
	OIDC_REFRESH_DEFAULT = 900,
	OIDC_SKEW_MAX = 60, /* protocol.md 4.18 */
};

/* The JSON file of the auth line. */
struct oidc {
	const char *url;	 /* of the discovery document */
	const char *user_claim;	 /* claim that holds the user name */
	const char *ca_file;	 /* whom downloads trust instead of the system's store; NULL */
	int64_t refresh;	 /* least seconds between two downloads of keys */
	int64_t skew;		 /* seconds by which the provider's clock may differ */
	struct json_t *required; /* an object: claims a token must have, and their values */
};

/* Reads the LEN bytes of the JSON document TEXT.  Pure.  *OUT is a child of CTX.
 * ERR_CONF: *WHY (static or a child of CTX) says what is wrong. */
MUST_USE enum err oidc_conf_parse(TALLOC_CTX *ctx, const char *text, size_t len, struct oidc **out,
				  const char **why);

#endif /* AUTH_BACKEND_OIDC_H */
