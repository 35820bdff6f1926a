/* hooks.h - runs scripts as children, outside the loop, bounded in number and time.
 * Used by main only. */
#ifndef MAIN_HOOKS_H
#define MAIN_HOOKS_H

#include <ev.h>
#include <talloc.h>

#include "base/err.h"

struct hooks;
struct hook;

enum {
	HOOKS_RUNNING = 32,   /* scripts at once; more wait in line */
	HOOKS_WAITING = 8192, /* longest line */
	HOOK_SECONDS = 60,    /* default time limit */
};

/* One script to run.  Everything is copied. */
struct hook_job {
	const char *const *argv; /* NULL-terminated; argv[0] is the file (no PATH search) */
	char *const *env;	 /* hook_env_build; NULL: empty */
	const char *key; /* jobs of one key run one after another, in order; NULL: no order */
	double limit;	 /* seconds; 0: HOOK_SECONDS.  Then the whole process group is killed */
	/* STATUS as waitpid gives it (0: success); -1: could not be started.  HOOK is freed after
	 * the call.  May be NULL. */
	void (*done)(void *arg, struct hook *hook, int status);
	void *arg;
};

/* LOOP must not be libev's default loop, which reaps every child by itself.  *OUT is a child of
 * CTX; freeing it kills the scripts that still run. */
MUST_USE enum err hooks_new(TALLOC_CTX *ctx, struct ev_loop *loop, struct hooks **out);

/* Runs JOB or puts it in line.  *OUT (may be NULL) belongs to HOOKS.  ERR_EXHAUSTED: the line is
 * full; ERR_NOMEM. */
MUST_USE enum err hooks_run(struct hooks *h, const struct hook_job *job, struct hook **out);

/* The owner of DONE's argument goes away: the script runs to its end, DONE is not called. */
void hook_forget(struct hook *hook);

/* Scripts that run or wait; main's orderly stop waits for 0. */
size_t hooks_pending(const struct hooks *h);

#endif /* MAIN_HOOKS_H */
