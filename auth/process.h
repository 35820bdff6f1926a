/* process.h - everything the auth process knows, in one place; there is no state outside of it.
 * Used by auth.c and the files that handle messages. */
#ifndef AUTH_PROCESS_H
#define AUTH_PROCESS_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "auth/hosts.h"
#include "auth/logins.h"
#include "auth/runner.h"
#include "auth/store/store.h"
#include "base/addr.h"
#include "base/journal.h"
#include "base/log.h"
#include "ipc/auth.pb-c.h"
#include "ipc/chan.h"
#include "ipc/main.pb-c.h"
#include "ipc/worker.pb-c.h"

/* Who sends a message (route.h). */
enum auth_sender { AUTH_FROM_SUPER = 1, AUTH_FROM_MAIN = 2, AUTH_FROM_WORKER = 4 };

/* What the process can do; main and workers are only heard when the phase lets them. */
enum auth_phase {
	AUTH_RESTORING = 1, /* the supervisor hands back what it kept */
	AUTH_WAITING = 2,   /* no configuration yet: workers have to wait */
	AUTH_SERVING = 4,
	AUTH_ANY = 7,
};

enum { WORKER_BUCKETS = 512 };

/* A worker, as far as auth deals with it. */
struct worker {
	struct auth *auth;
	uint64_t id;
	int fd;			       /* of a channel not opened yet; -1 */
	struct chan *chan;	       /* NULL: not opened yet */
	bool restored;		       /* an earlier instance of auth talked to it */
	struct endpoint remote, local; /* as announced, or behind a PROXY header */
	bool remote_known;	       /* that header was read, if there is one */
	struct runner_job *relay;      /* a message on its way to a KDC; NULL: none */
	struct resume_wait *find;      /* waits for remote_known; NULL: none */
	struct recheck *recheck;       /* under way for its tunnel; NULL: none */
	struct signing *signing;       /* asked of a token; NULL: none */
	struct hosts *hosts; /* that its certificates came from, as far as we know; referenced */
	unsigned budget;     /* requests it may still make now, see on_worker.c */
	uint64_t budget_ms;  /* clock_ms when that was true */
	struct worker *next, **prev; /* in its bucket */
};

struct accounting;
struct resume_keys;
struct resume_wait;

struct auth {
	struct ev_loop *loop;
	enum auth_phase phase;
	struct chan *super, *main; /* main: NULL while it is being started again */
	struct journal *journal;
	struct store *store;
	struct runners *runners;
	struct logins *logins;
	struct hosts *hosts, *previous; /* NULL: none */
	struct worker *worker[WORKER_BUCKETS];
	struct accounting *accounts;
	struct resume_keys *tickets; /* of TLS sessions, for HOSTS; NULL: none */
	ev_timer tick;		     /* expiry, once a second */
	bool stopping;	  /* the supervisor has said goodbye: records are sent, then we end */
	double stop_by;	  /* ev_now, at the latest */
	ev_timer give_up; /* the same if nothing moves */
};

/* ---- on_super.c ---- */

/* Opens the channel to the supervisor on FD (taken). */
MUST_USE enum err super_open(struct auth *a, int fd);

/* ---- on_main.c ---- */

/* The channel to main is FD (taken); an older one is closed. */
MUST_USE enum err main_open(struct auth *a, int fd);

/* Sends FIELD of kind CASE to main.  ERR_CLOSED without main: main asks again when it is back. */
enum err main_tell(struct auth *a, ToMain__MsgCase kind, void *field);

/* The same with a descriptor, which is borrowed; -1: none. */
enum err main_tell_fd(struct auth *a, ToMain__MsgCase kind, void *field, int fd);

/* ---- on_worker.c ---- */

/* Adds the worker of MSG with auth's end FD (taken) of its channel, unless it is known; opens the
 * channel once there is a configuration. */
MUST_USE enum err worker_add(struct auth *a, const WorkerNew *msg, int fd, bool restored);

/* Opens every channel that had to wait. */
void workers_open(struct auth *a);

/* NULL: no such worker. */
struct worker *worker_by_id(const struct auth *a, uint64_t id);

void worker_forget(struct worker *w);

/* Sends one message; a worker that does not read is cut off. */
void worker_tell(struct worker *w, ToWorker__MsgCase kind, void *field);

/* Charges W's client POINTS of a ban. */
void worker_charge(const struct worker *w, uint32_t points);

/* How logins reach everything else. */
extern const struct logins_ops worker_logins_ops;

#endif /* AUTH_PROCESS_H */
