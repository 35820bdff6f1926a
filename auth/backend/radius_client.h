/* radius_client.h - one request to one RADIUS server by radcli, and its answer; may block for as
 * long as the tries take.  Used by the backend `radius`.
 *
 * The library runs in a child process of the runner: it never gives back what a TLS session needs,
 * its connecting has no time limit, and what it parses came over the network. */
#ifndef AUTH_BACKEND_RADIUS_CLIENT_H
#define AUTH_BACKEND_RADIUS_CLIENT_H

#include <stdbool.h>
#include <talloc.h>

#include "auth/backend/radius_attrs.h"
#include "auth/backend/radius_conf.h"
#include "base/err.h"

/* The codes of the library, which administrators know from the log. */
enum radius_code {
	RADIUS_BAD_ID = -3,
	RADIUS_BAD_REPLY = -2,
	RADIUS_FAILED = -1,
	RADIUS_OK = 0, /* Access-Accept, Accounting-Response */
	RADIUS_TIMEOUT = 1,
	RADIUS_REJECT = 2,
	RADIUS_CHALLENGE = 3,
};

/* Has the server answered, whatever it said? */
static inline bool radius_answered(enum radius_code code)
{
	return code == RADIUS_OK || code == RADIUS_REJECT || code == RADIUS_CHALLENGE;
}

/* Borrowed for the call. */
struct radius_query {
	const struct radius_conf *conf;
	const struct radius_server *server;
	const struct radius_attrs *request;
	const char *token; /* the Acct-Session-Id in REQUEST */
	bool accounting;
	bool seal_needed;	   /* drop replies without Message-Authenticator */
	bool patient;		   /* try all tries even where nobody listens */
	unsigned timeout, retries; /* seconds a try; tries after the first */
};

struct radius_answer {
	enum radius_code code;
	struct radius_attrs reply;
	bool sealed;	  /* it had a right Message-Authenticator */
	unsigned dropped; /* replies thrown away for a wrong or missing one */
	const char *why;  /* no answer: static text, or NULL when there is no more to say */
};

/* Asks; what the answer holds is a child of CTX.  An error is this machine's, not the server's. */
MUST_USE enum err radius_ask(TALLOC_CTX *ctx, const struct radius_query *q,
			     struct radius_answer *out);

#endif /* AUTH_BACKEND_RADIUS_CLIENT_H */
