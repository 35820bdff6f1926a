/* runner.h - work that may block, in child processes.
 *
 * Auth answers at once or hands the work to a runner: the program of the backend
 * (sallyport-runner-NAME), with no key in its memory and one channel.  Each auth line has a lane of
 * its own, so that a server that does not answer delays nobody but those who wait for it.  Runners
 * start when jobs come and end when none come for a while; jobs wait in a bounded queue; a runner
 * that takes too long is killed and its job fails.  Used by auth. */
#ifndef AUTH_RUNNER_H
#define AUTH_RUNNER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "auth/backend/work.h"
#include "base/err.h"

struct runners;
struct runner_job;
/* A conversation that a backend holds in one process between the steps of a login. */
struct runner_talk;

struct runner_limits {
	unsigned processes; /* most runners of a lane whose work is computing */
	unsigned waiting;   /* the same where the work is mostly waiting (auth_backend.waits) */
	unsigned talks;	    /* most conversations of a lane that wait for their clients; a further
			       one ends the oldest */
	unsigned queued;    /* most jobs that wait in a lane */
	uint64_t time_ms;   /* most time for one job, or one step of a conversation */
	uint64_t idle_ms;   /* a runner without a job ends: in a quiet hour nobody pays for its
			       memory */
	uint64_t forget_ms; /* what a line keeps outlasts its last job */
};

struct runner_call {
	enum backend_work_kind work;
	const struct auth_backend *backend;
	const struct backend_pairs *options;
	const struct backend_input *input; /* NULL: nothing is needed */
	const struct acct_record *record;  /* WORK_ACCOUNT */
	const uint8_t *payload;		   /* WORK_RELAY */
	size_t payload_len;
	/* Who is accepted waits as long as who is refused: the client must not learn from the time
	 * which it was. */
	bool even;
	/* WORK_STEP of a backend that converses: where the owner keeps the conversation, NULL
	 * before the first question.  The pool sets it, to a child of the job's OWNER, before a
	 * question is handed out, and to NULL when the conversation is over; the place must last
	 * as long as OWNER.  Freeing the conversation, or a job that is a step of it, ends it: the
	 * backend sees ERR_CLOSED. */
	struct runner_talk **talk;
};

/* Called once for a job that was not freed before.  V is NULL when ERR is set:
 * ERR_TIMEOUT; ERR_CLOSED: the runner crashed; ERR_SYS: none could be started. */
typedef void runner_done_fn(void *arg, enum err err, const struct verdict *v);

/* A pool whose runners are the programs FOLDER/sallyport-runner-NAME, executed with ARGV
 * (NULL-terminated, both copied) and the descriptor 3 as their channel; only files of root or of
 * the owner of this program are executed.
 * LOOP must be the default loop, which alone reaps children.  *OUT is a child of CTX; freeing it
 * kills the runners. */
MUST_USE enum err runners_new(TALLOC_CTX *ctx, struct ev_loop *loop, const char *folder,
			      const char *const *argv, const struct runner_limits *limits,
			      struct runners **out);

/* Hands CALL to a runner, now or when one is free; everything in it is copied.  *OUT is a child of
 * OWNER; freeing it cancels the job: DONE is not called then.  ERR_EXHAUSTED: too many wait. */
MUST_USE enum err runner_submit(struct runners *r, TALLOC_CTX *owner,
				const struct runner_call *call, runner_done_fn *done, void *arg,
				struct runner_job **out);

/* Nobody waits for JOB any more, but its outcome still matters: DONE and OWNER take the places of
 * those it was submitted with.  A conversation ends with its step.  A job that no runner has begun
 * is cancelled instead, false. */
bool runner_abandon(struct runner_job *job, TALLOC_CTX *owner, runner_done_fn *done, void *arg);

/* The other side: answers jobs on the descriptor CHANNEL until it closes.  Returns the exit
 * status of the process. */
int runner_main(int channel, const struct backend_work *work);

#endif /* AUTH_RUNNER_H */
