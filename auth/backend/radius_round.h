/* radius_round.h - one request to the servers of a list, one after the other, until one answers
 * (radius.md 1); may block.  Used by radius.c and radius_acct.c. */
#ifndef AUTH_BACKEND_RADIUS_ROUND_H
#define AUTH_BACKEND_RADIUS_ROUND_H

#include <talloc.h>

#include "auth/backend/radius.h"
#include "auth/backend/radius_client.h"
#include "base/err.h"
#include "base/log.h"

struct radius_round {
	const struct radius *line;
	const struct backend_input *in; /* sid, kept */
	const struct radius_attrs *request;
	const char *first; /* name of the server to begin with, or NULL */
	bool accounting;
};

/* Asks.  *OUT is the answer of *SERVER, or the last failure; what is to be remembered is put into
 * V->keep.  Everything is a child of CTX.  An error is this machine's. */
MUST_USE enum err radius_round(TALLOC_CTX *ctx, const struct radius_round *round,
			       struct radius_answer *out, const struct radius_server **server,
			       struct verdict *v);

/* Logs a message of radius.md, with the session, user and host that IN is about. */
__attribute__((format(printf, 4, 5))) void radius_say(const struct backend_input *in,
						      enum log_level level, const char *event,
						      const char *fmt, ...);

/* Adds NAS-IP-Address or NAS-IPv6-Address, NAS-Identifier, Calling-Station-Id and Acct-Session-Id,
 * which all requests have in common. */
void radius_add_common(struct radius_attrs *a, const struct radius *line,
		       const struct backend_input *in);

#endif /* AUTH_BACKEND_RADIUS_ROUND_H */
