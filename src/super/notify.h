/* notify.h - telling the service manager how we are: sd_notify(3)'s protocol, which is lines of
 * text in a datagram (doc/design.md says why not its library).  Used by the supervisor only.
 *
 * Without a manager (no NOTIFY_SOCKET) nothing is sent. */
#ifndef SUPER_NOTIFY_H
#define SUPER_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <talloc.h>

#include "base/err.h"

struct notify;

/* Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment, for they are not our
 * children's.  *OUT is a child of CTX. */
MUST_USE enum err notify_new(TALLOC_CTX *ctx, struct notify **out);

/* Somebody listens. */
bool notify_is_on(const struct notify *n);

/* Within how many microseconds the manager wants to hear from us; 0: it does not mind. */
uint64_t notify_watchdog(const struct notify *n);

/* A login can succeed; also the end of a reload, however it went. */
void notify_ready(struct notify *n);

/* A reload begins. */
void notify_reloading(struct notify *n);

/* We are ending, which may take PATIENCE_MS. */
void notify_stopping(struct notify *n, uint64_t patience_ms);

/* All processes answer. */
void notify_alive(struct notify *n);

/* What `systemctl status` shows; sent only when it differs from what was sent last. */
void notify_sessions(struct notify *n, uint32_t sessions, uint32_t connections);

/* The address that NOTIFY_SOCKET names: a path, or an abstract name after '@'.  Pure.
 * ERR_UNSUPPORTED, ERR_TOO_LONG. */
MUST_USE enum err notify_address(const char *name, struct sockaddr_un *out, socklen_t *len);

#endif /* SUPER_NOTIFY_H */
