/* runner_pool.h - the pool of runners from inside (auth/runner.h).
 *
 *	pool --- line		an auth line: a backend with its options, and what it keeps
 *		  |- lane	its logins;  lane: its accounting records
 *		      |- job	waits in the lane's queue or is under way in a runner
 *		      |- runner	a process; idle, busy, or
 *		          |- talk	held by a conversation with one client
 *
 * Used by auth/runner.c (queues), runner_child.c (processes), runner_talk.c and runner_job.c only.
 */
#ifndef AUTH_RUNNER_POOL_H
#define AUTH_RUNNER_POOL_H

#include <ev.h>
#include <limits.h>

#include "auth/runner.h"
#include "ipc/chan.h"
#include "ipc/runner.pb-c.h"

enum { LANE_LOGIN, LANE_ACCOUNT, LANES };
enum { ARGS_MAX = 16 };

struct line;

/* Jobs that wait for each other and for nobody else. */
struct lane {
	struct line *line;
	unsigned most;	      /* runners at a time */
	struct runner *first; /* those in service */
	unsigned n_runners;   /* of these, the ones that no conversation holds */
	struct runner_job *head, **tail;
	unsigned n_queued;
	struct runner_talk *talk, **talk_tail; /* the one that waits longest first */
	unsigned n_talks;
};

struct line {
	struct runners *pool;
	const struct auth_backend *backend;
	struct backend_pairs options;
	uint8_t *keep; /* NULL: nothing */
	size_t keep_len;
	struct lane lane[LANES];
	ev_timer unused;
	struct line *next, **prev;
};

struct runner {
	struct runners *pool;
	struct lane *lane; /* NULL: out of service, its end is awaited */
	pid_t pid;	   /* 0: it has been reaped */
	struct chan *chan;
	bool busy;
	uint64_t job_id;
	struct runner_job *job;	  /* NULL: idle, or its job was cancelled while it worked */
	struct runner_talk *talk; /* NULL: none */
	ev_timer limit;		  /* of the job, of the wait for the next one, of its end */
	ev_child end;
	struct runner *next, **prev; /* in the lane */
};

struct runner_job {
	struct lane *lane;     /* NULL: the pool is gone */
	struct runner *runner; /* NULL: still queued */
	RunnerJob msg;
	runner_done_fn *done;
	void *arg;
	struct runner_talk **place; /* runner_call.talk */
	bool even;		    /* runner_call.even */
	bool again;		    /* its first runner died on it */
	struct ev_loop *loop;
	ev_timer hold;			 /* the verdict is there, but not to be told yet */
	const RunnerVerdict *held;	 /* NULL: no */
	TALLOC_CTX *held_ctx;		 /* with everything in it; a child of the job */
	struct runner_job *next, **prev; /* in the queue */
};

struct runner_talk {
	struct runner *runner; /* NULL: it is over */
	struct runner_talk **place;
	struct runner_talk *next, **prev; /* in the lane */
};

struct runners {
	struct ev_loop *loop;
	char *folder;
	char *argv[ARGS_MAX + 1];
	struct runner_limits limits;
	struct line *first;
	uint64_t next_id;
	ev_timer kick; /* hands out jobs from the loop: no callback runs inside runner_submit */
};

/* ---- runner.c ---- */

/* Gives waiting jobs of LANE to runners as far as both last. */
void lane_run(struct lane *lane);
void lane_enqueue(struct lane *lane, struct runner_job *j);

/* Ends J with its callback, which may free whatever it likes. */
void job_finish(struct runner_job *j, enum err err, const struct verdict *v);

/* ---- runner_child.c ---- */

/* Starts a runner for LANE; *OUT is idle and a child of the pool. */
MUST_USE enum err runner_start(struct lane *lane, struct runner **out);

/* Hands J to R.  On failure R is in no state to go on: runner_retire() it. */
MUST_USE enum err runner_give(struct runner *r, struct runner_job *j);

/* Takes R out of service: kills it, and ends its job and its conversation with WHY. */
void runner_retire(struct runner *r, enum err why);

/* The same for one that has no job: it may end by itself within a moment. */
void runner_dismiss(struct runner *r);

/* Kills PID and the processes that it started. */
void runner_kill(pid_t pid);

/* ---- runner_talk.c ---- */

/* R's job has asked its client something.  ERR_EXHAUSTED: R cannot be spared. */
MUST_USE enum err talk_asked(struct runner *r);

/* R's conversation, if any, has come to an end; R stays as it is. */
void talk_over(struct runner *r);

/* ---- runner_job.c ---- */

/* The job that CALL describes, a child of OWNER. */
MUST_USE enum err job_new(TALLOC_CTX *owner, const struct runner_call *call,
			  struct runner_job **out);

/* Sends J to a runner that is to find KEEP. */
MUST_USE enum err job_send(struct chan *chan, struct runner_job *j, const struct line *line);

/* Finishes J with MSG when the delay in it is over.  ERR_NOMEM: nothing has changed. */
MUST_USE enum err job_hold(struct runner_job *j, const RunnerVerdict *msg);

/* MSG as a verdict that borrows from it and has children of CTX.  ERR_PROTO: it is none. */
MUST_USE enum err job_verdict(TALLOC_CTX *ctx, const RunnerVerdict *msg, struct verdict *v);

#endif /* AUTH_RUNNER_POOL_H */
