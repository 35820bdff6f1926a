/* tunnel.h - the tunnel phase of a worker: data path, channels and loop put together, and what its
 * end means for the session.  Used by the worker. */
#ifndef WORKER_TUNNEL_H
#define WORKER_TUNNEL_H

#include "worker/path/path.h"
#include "worker/worker.h"

/* Answers the client's CONNECT with PLAN and carries packets until an end, which is then in
 * w->ending; w->tunnel stays for its counters.  An error is an end of its own. */
MUST_USE enum err tunnel_run(struct worker *w, struct tunnel_plan *plan);

/* A datagram of the client, which may be overwritten, on a socket of its own (taken). */
void tunnel_udp(struct tunnel *t, int fd, const struct endpoint *peer, bool hello,
		uint8_t *datagram, size_t len);

int tunnel_tun_fd(const struct tunnel *t); /* borrowed */
const struct path_counters *tunnel_counters(const struct tunnel *t);

/* The path's end in the server's words. */
EndReason tunnel_end_reason(enum path_end end);

/* Whether the ticket stays usable for cookie-timeout (protocol.md 4.12, 5.8).  `persistent-cookies`
 * is applied by auth. */
bool tunnel_end_keeps(EndReason reason, bool tell_client);

#endif /* WORKER_TUNNEL_H */
