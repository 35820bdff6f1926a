/* manager.h - what the service manager is told, and when; and the watch over our processes that its
 * watchdog asks for.  Used by the supervisor only.
 *
 * With a watchdog main, auth and the zygote are asked for a word four times in its interval.  The
 * manager is told that we are alive only when all have answered; who has not is given up before the
 * manager would give up all of us, and the tunnels with us.  Without a watchdog only main is asked,
 * twice a minute, for the numbers that `systemctl status` shows; without a manager nobody is. */
#ifndef SUPER_MANAGER_H
#define SUPER_MANAGER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"
#include "ipc/super.pb-c.h"
#include "ipc/types.pb-c.h"

struct manager;

struct manager_ops {
	void (*ask)(void *arg, Role role);   /* sends it a Ping, if it runs */
	void (*hangs)(void *arg, Role role); /* it has not answered in time */
};

/* *OUT is a child of CTX; OPS and ARG are borrowed. */
MUST_USE enum err manager_new(TALLOC_CTX *ctx, struct ev_loop *loop, const struct manager_ops *ops,
			      void *arg, struct manager **out);

/* Main serves: for the first time, or after it was started again. */
void manager_ready(struct manager *m);

/* A reload begins or is over. */
void manager_reload(struct manager *m, bool begins);

/* The service ends, within PATIENCE_MS; a second call changes nothing. */
void manager_stopping(struct manager *m, uint64_t patience_ms);

/* Main has ended: nobody is asked any more. */
void manager_end(struct manager *m);

/* ROLE was started (again), or has answered. */
void manager_started(struct manager *m, Role role);
void manager_answered(struct manager *m, Role role, const Pong *pong);

#endif /* SUPER_MANAGER_H */
