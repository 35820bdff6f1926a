/* listen.h - TCP and UDP listeners, and the accept loop with its limits.  Used by main only. */
#ifndef MAIN_LISTEN_H
#define MAIN_LISTEN_H

#include <stdbool.h>

#include "main/ctx.h"

/* Opens the sockets of the configuration, or takes those that were restored.  UDP is optional.
 * False: it was said why (main_fail). */
bool listen_open(struct main_ctx *m);

/* The network namespace the listeners are in, borrowed; NULL: our own. */
const struct netns *listen_netns(const struct main_ctx *m);

/* Watches the TCP listeners, or leaves new connections in the kernel's queue. */
void listen_accept(struct main_ctx *m, bool on);

/* Closes all listeners, here and at the supervisor. */
void listen_close(struct main_ctx *m);

/* A UDP listener exists, so that DTLS may be offered. */
bool listen_has_udp(const struct main_ctx *m);

#endif /* MAIN_LISTEN_H */
