/* child.h - the supervised processes: start, channel, end.  Used by the supervisor only. */
#ifndef SUPER_CHILD_H
#define SUPER_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include <ev.h>
#include <talloc.h>

#include "base/err.h"
#include "ipc/chan.h"
#include "ipc/types.pb-c.h"

/* One of main, auth, zygote. */
struct child {
	Role role;
	pid_t pid;	   /* 0: not running */
	struct chan *chan; /* NULL: not running */
	uint64_t started;  /* clock_ms of the last start */
	unsigned starts;   /* how often it was started */
};

/* Starts PROGRAM (open for fexecve) with ARGV plus "--channel=3", whose other end becomes C->chan
 * with OPS and ARG.  ARGV[0] is the process title.  The child dies with this process by DEATH. */
MUST_USE enum err child_start(struct child *c, struct ev_loop *loop, TALLOC_CTX *ctx, int program,
			      char *const argv[], int death, const struct chan_ops *ops, void *arg);

/* Forgets the process after it ended: closes its channel. */
void child_ended(struct child *c);

#endif /* SUPER_CHILD_H */
