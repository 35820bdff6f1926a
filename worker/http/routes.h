/* routes.h - which path is answered by whom (protocol.md 3.4).  Used inside worker/http. */
#ifndef WORKER_HTTP_ROUTES_H
#define WORKER_HTTP_ROUTES_H

#include "worker/http/exchange.h"

enum { GROUP_NAME_MAX = 63 };

/* Answers X->req. */
MUST_USE enum err route_request(struct exchange *x);

/* PATH as the name of a group (protocol.md 3.9): decoded, without slashes around it; "" when it
 * cannot be one or is a login path. */
void route_group_of(const char *path, char out[GROUP_NAME_MAX + 1]);

/* The fixed document at PATH, NULL when there is none. */
struct canned {
	const char *path, *type, *body;
};
const struct canned *route_canned(const char *path);

#endif /* WORKER_HTTP_ROUTES_H */
