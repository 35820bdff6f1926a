/* netns.h - sockets in another network namespace than our own (listen-netns, config.md 8.1).
 * Used by main only, by the thread of its loop. */
#ifndef MAIN_NETNS_H
#define MAIN_NETNS_H

#include <talloc.h>

#include "base/err.h"

struct netns; /* NULL everywhere stands for our own */

/* The namespace that `ip netns` calls NAME.  *OUT is a child of CTX.  ERR_SYS (errno): there is
 * none, or it cannot be entered. */
MUST_USE enum err netns_by_name(TALLOC_CTX *ctx, const char *name, struct netns **out);

/* The namespace that the socket FD belongs to: a listener that was handed to us, from an earlier
 * main or from systemd, need not be in ours.  *OUT is a child of CTX, or NULL.  ERR_SYS (errno). */
MUST_USE enum err netns_of_socket(TALLOC_CTX *ctx, int fd, struct netns **out);

/* Enters NS for this thread, and goes back.  Everything opened in between belongs to NS.
 * netns_enter: ERR_SYS (errno), then nothing has changed; netns_leave does not fail. */
MUST_USE enum err netns_enter(const struct netns *ns);
void netns_leave(const struct netns *ns);

/* As socket(2), in NS. */
int netns_socket(const struct netns *ns, int family, int type, int protocol);

#endif /* MAIN_NETNS_H */
