/* kkdcp.h - the way to the KDC for clients outside (protocol.md 8).  Used inside worker/http. */
#ifndef WORKER_HTTP_KKDCP_H
#define WORKER_HTTP_KKDCP_H

#include "worker/http/exchange.h"

/* Whether the host has a KDC at exactly this path. */
bool kkdcp_has(const struct host_conf *host, const char *path);

/* Answers a request for such a path. */
MUST_USE enum err kkdcp_handle(struct exchange *x);

#endif /* WORKER_HTTP_KKDCP_H */
