/* runner.h - work that may block, in child processes.
 *
 * Auth answers at once or hands the work to a runner: this same program, executed anew, with no key
 * in its memory and one channel.  Runners start when jobs come and end when none come for a while;
 * a few serve all jobs; jobs wait in a bounded queue; a runner that takes too long is killed and
 * its job fails.  Used by auth. */
#ifndef AUTH_RUNNER_H
#define AUTH_RUNNER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "auth/backend/backend.h"
#include "base/err.h"

struct runners;
struct runner_job;

struct runner_limits {
	unsigned processes; /* most runners at once */
	unsigned queued;    /* most jobs that wait */
	uint64_t time_ms;   /* most time for one job */
};

/* One step of a login, or (INPUT NULL) the list of the backend's groups, or (RECHECK) whether the
 * user in INPUT may go on: VERDICT_ACCEPT or VERDICT_REJECT. */
struct runner_call {
	const struct auth_backend *backend;
	const struct backend_pairs *options;
	const struct backend_input *input;
	bool recheck;
};

/* Called once for a job that was not freed before.  V is NULL when ERR is set:
 * ERR_TIMEOUT; ERR_CLOSED: the runner crashed; ERR_SYS: none could be started. */
typedef void runner_done_fn(void *arg, enum err err, const struct verdict *v);

/* A pool that executes ARGV (NULL-terminated, copied) plus the descriptor 3 as its channel.
 * LOOP must be the default loop, which alone reaps children.  *OUT is a child of CTX; freeing it
 * kills the runners. */
MUST_USE enum err runners_new(TALLOC_CTX *ctx, struct ev_loop *loop, const char *const *argv,
			      const struct runner_limits *limits, struct runners **out);

/* Hands CALL to a runner, now or when one is free; everything in it is copied.  *OUT is a child of
 * OWNER; freeing it cancels the job: DONE is not called then.  ERR_EXHAUSTED: too many wait. */
MUST_USE enum err runner_submit(struct runners *r, TALLOC_CTX *owner,
				const struct runner_call *call, runner_done_fn *done, void *arg,
				struct runner_job **out);

/* The other side: answers jobs on the descriptor CHANNEL until it closes.  Returns the exit
 * status of the process. */
int runner_main(int channel);

#endif /* AUTH_RUNNER_H */
