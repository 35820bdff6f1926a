/* profile.h - the XML profile: announced with the login's success, fetched with its cookie
 * (protocol.md 3.4, 4.10, 4.11).  Used inside worker/http. */
#ifndef WORKER_HTTP_PROFILE_H
#define WORKER_HTTP_PROFILE_H

#include "worker/http/exchange.h"

/* What a client is told about it; name and uri are NULL when there is none. */
struct profile_note {
	const char *name, *uri;
	char sha1[41]; /* upper-case hex */
};

/* The profile that goes with the answer A, which has a ticket. */
void profile_announce(const struct exchange *x, const struct login_answer *a,
		      struct profile_note *out);

/* Whether PATH asks for a profile, by whatever name. */
bool profile_is_path(const char *path);

/* Answers such a GET. */
MUST_USE enum err profile_handle(struct exchange *x);

#endif /* WORKER_HTTP_PROFILE_H */
