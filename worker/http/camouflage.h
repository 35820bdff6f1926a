/* camouflage.h - a host that shows itself only to those who know its secret (protocol.md 3.7,
 * config.md 8.15).  Used inside worker/http. */
#ifndef WORKER_HTTP_CAMOUFLAGE_H
#define WORKER_HTTP_CAMOUFLAGE_H

#include "worker/http/exchange.h"

/* Whether a request with QUERY (NULL: none) may be served as far as its URL can tell; notes the
 * proof, which holds for the rest of the connection. */
bool camouflage_admits(struct http_dialogue *d, const char *query);

/* What those see who may not: a whole answer that closes.  CTX is for what it is made of. */
void camouflage_page(const struct http_dialogue *d, TALLOC_CTX *ctx, struct buf *b);

/* *SERVED: false when the exchange was answered already, as by a server that knows no VPN. */
MUST_USE enum err camouflage_pass(struct exchange *x, bool *served);

#endif /* WORKER_HTTP_CAMOUFLAGE_H */
