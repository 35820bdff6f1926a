/* auth_input.h - what a client says in one step of the login, from XML or from a form body.
 * Pure; used by the worker, which hands it to auth.  protocol.md 4.2, 4.3, 4.6, 4.14. */
#ifndef WIRE_AUTH_INPUT_H
#define WIRE_AUTH_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

#include "base/err.h"

enum {
	AUTH_ANSWERS = 32, /* most fields of one reply */
	AUTH_DEPTH = 32,   /* deepest nesting of elements */
};

enum auth_kind { AUTH_INIT, AUTH_REPLY, AUTH_LOGOUT };

/* capabilities/auth-method */
enum auth_caps {
	AUTH_CAP_SSO = 1,	   /* single-sign-on */
	AUTH_CAP_SSO_V2 = 2,	   /* single-sign-on-v2: embedded browser */
	AUTH_CAP_SSO_EXTERNAL = 4, /* single-sign-on-external-browser */
	AUTH_CAP_MULTIPLE_CERT = 8,
};

/* A child of <auth> but the user name: "password", "secondary_password", "sso-token", ... */
struct auth_answer {
	const char *name;  /* lower case */
	const char *value; /* verbatim; "" is an answer too */
};

/* Text members are NULL when absent, verbatim otherwise (nothing is trimmed). */
struct auth_input {
	enum auth_kind kind;
	const char *username;
	struct auth_answer answer[AUTH_ANSWERS];
	size_t n_answers;
	const char *group;	  /* group-select, group_list: value or label */
	const char *group_access; /* the URL the user typed */
	unsigned caps;		  /* enum auth_caps */
	bool client_cert_fail;
	const char *version;					/* of the client */
	const char *device_id;					/* "linux-64", "win", ... */
	const char *platform_version, *device_type, *unique_id; /* attributes of device-id */
	const char *session_token;
	const char *host_scan_token;
	/* Second certificate (4.16): base64 PKCS#7, base64 signature, its hash ("sha256"...). */
	const char *cert_pkcs7, *cert_signature, *cert_hash;
};

/* Parses a body of LEN bytes: XML when its first non-blank byte is '<', a form otherwise (the
 * Content-Type is not reliable).  *OUT is a child of CTX, all of it is wiped when freed.
 *	ERR_SYNTAX	not well-formed, no config-auth root, or a NUL
 *	ERR_TOO_LONG	nested too deep or too many fields
 *	ERR_PROTO	an entity was declared or is unknown, or a value came twice (user name,
 *			group, the same answer): which one counts is never left to chance
 *	ERR_UNSUPPORTED	a config-auth type that clients do not send */
MUST_USE enum err auth_input_parse(TALLOC_CTX *ctx, const char *body, size_t len,
				   struct auth_input **out);

/* An empty `init`: what GET on a login path means.  Child of CTX, NULL without memory. */
struct auth_input *auth_input_new_init(TALLOC_CTX *ctx);

/* The answer called NAME, NULL without one. */
const char *auth_input_answer(const struct auth_input *in, const char *name);

#endif /* WIRE_AUTH_INPUT_H */
