/* connect.h - CONNECT: from the ticket to the answer that configures the client (protocol.md 5).
 * Used inside worker/http. */
#ifndef WORKER_HTTP_CONNECT_H
#define WORKER_HTTP_CONNECT_H

#include "worker/http/exchange.h"

/* Answers a CONNECT of the tunnel path: sets X->plan, or refuses. */
MUST_USE enum err connect_handle(struct exchange *x);

/* Whether REQ has any webvpn cookie: a malformed one is a bad cookie, not a missing one (5.2). */
bool connect_has_ticket(const struct http_request *req);

/* What the configuration, the client and the path make of a granted tunnel, without the answer.
 * Pure but for the fuzz of the rekey time; for tests. */
void connect_plan(const struct http_dialogue *d, const struct http_client *client,
		  const struct cstp_request *want, struct tunnel_grant *grant,
		  struct tunnel_plan *out);

#endif /* WORKER_HTTP_CONNECT_H */
