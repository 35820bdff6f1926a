/* workers.h - one worker per accepted connection: its channel, its facts, its end.
 * Used by main. */
#ifndef MAIN_WORKERS_H
#define MAIN_WORKERS_H

#include "base/addr.h"
#include "base/log.h"
#include "ipc/worker.pb-c.h"
#include "main/ctx.h"
#include "main/index.h"

struct session;
struct worker;

/* Bits, for the route table. */
enum worker_state {
	WORKER_LOGIN = 1,   /* TLS and login dialogue; no session attached */
	WORKER_OPENING = 2, /* a tunnel was asked for; hooks run */
	WORKER_OPEN = 4,    /* has its Tunnel message, perhaps not yet answered the client */
	WORKER_ENDING = 8,  /* told to end, or said that it does */
};

struct worker {
	struct main_ctx *m;
	uint64_t id;
	uint32_t pid; /* 0 until the zygote tells */
	enum worker_state state;
	struct chan *chan;
	struct session *session;       /* whose tunnel this is; NULL before and after */
	struct endpoint remote, local; /* of the client's TCP connection, or as PROXY said */
	bool proxy, proxied;	       /* a PROXY header comes first; it has come */
	uint32_t charged;	       /* ban points for the connection, that a probe gets back */
	int64_t accepted;	       /* UNIX time */
	bool described;		       /* false after a restart of main until the worker answered */

	/* Facts for occtl; strings are children of the worker or NULL. */
	const char *user, *group, *vhost;
	bool auth_failed;
	const char *user_agent, *tls_cipher;
	const char *dtls_cipher, *cstp_compression, *dtls_compression;
	uint32_t mtu, dpd, keepalive;
	struct endpoint udp_remote; /* family 0: no DTLS */

	/* How it ended: the first reason counts (protocol.md 5.8). */
	bool ended, keep, killed;
	EndReason reason;
	bool has_last_counters;
	Counters counters;	   /* what it says its tunnel has carried */
	int64_t second;		   /* UNIX time that these are counted in */
	unsigned n_logs, n_others; /* messages */
	ev_timer patience;	   /* kills a worker that does not end when told to */
	struct index_node by_id, by_pid;
	struct worker *next, **prev;
};

enum {
	WORKER_PATIENCE_MS = 5000, /* for a worker that was told to end, or says it does */
	WORKER_KEY = 'W',	   /* first byte of its journal records */
};

MUST_USE enum err workers_new(struct main_ctx *m, struct workers **out);

/* Makes a worker for the accepted socket FD (borrowed): channels to it, copies of their ends at
 * the supervisor, word to auth and to the zygote. */
MUST_USE enum err worker_start(struct main_ctx *m, int fd, const struct endpoint *remote,
			       const struct endpoint *local);

/* After a restart of main: the worker whose channel end is FD (taken); NOTE is what worker_start
 * had the supervisor keep with it. */
MUST_USE enum err worker_adopt(struct main_ctx *m, uint64_t id, int fd,
			       const ProtobufCBinaryData *note);

/* What the supervisor keeps of W for a main that is started again: called when addresses change. */
void worker_keep(struct worker *w);

/* Tells the worker to end, once: the first reason stays.  It is killed when it has not ended within
 * PATIENCE_MS; 0: somebody else sees to that. */
void worker_end(struct worker *w, EndReason reason, bool tell_client, unsigned patience_ms);

/* It says that it ends: it is killed when it has not done so within PATIENCE_MS. */
void worker_expect_end(struct worker *w, unsigned patience_ms);

/* The worker broke the protocol between us: it is killed, its session ends with an error. */
void worker_kill(struct worker *w);

/* Answers a tunnel request with an HTTP STATUS. */
void worker_refuse(struct worker *w, uint32_t status, const char *reason);

/* Sends one message; a worker that does not read is killed. */
void worker_tell(struct worker *w, ToWorker__MsgCase kind, void *field, int fd);

/* The process PID has ended with STATUS (waitpid). */
void worker_exited(struct main_ctx *m, uint32_t pid, uint32_t status);

/* The zygote told which process serves W; it is written to the journal. */
void worker_set_pid(struct worker *w, uint32_t pid);

/* Takes back a record of the journal.  False: it is not one of ours. */
bool worker_restore(struct main_ctx *m, const uint8_t key[JOURNAL_KEY], const void *value,
		    size_t len);

/* Ends logins that take longer than auth-timeout, and tunnels longer than session-timeout, whose
 * worker did not notice, or does not want to. */
void workers_check_time(struct main_ctx *m);

struct worker *worker_by_id(const struct main_ctx *m, uint64_t id);
struct worker *worker_by_pid(const struct main_ctx *m, uint32_t pid);

/* All workers: for (w = workers_first(m); w; w = w->next).  Ending one does not free it at once. */
struct worker *workers_first(const struct main_ctx *m);
size_t workers_count(const struct main_ctx *m);
size_t workers_in_login(const struct main_ctx *m);

/* What `occtl show users` prints: connected, authenticating, pre-auth, auth failed. */
const char *worker_state_text(const struct worker *w);

/* Leads each log line about W. */
struct log_ctx worker_log(const struct worker *w);

#endif /* MAIN_WORKERS_H */
