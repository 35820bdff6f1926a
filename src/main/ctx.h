/* ctx.h - everything main knows, in one place; and what its parts ask of each other.
 * There is no state outside of struct main_ctx. */
#ifndef MAIN_CTX_H
#define MAIN_CTX_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"
#include "base/journal.h"
#include "conf/conf.h"
#include "ipc/auth.pb-c.h"
#include "ipc/chan.h"
#include "ipc/main.pb-c.h"
#include "ipc/super.pb-c.h"
#include "main/main.h"
#include "main/stats.h"

struct ban_table;
struct control;
struct hooks;
struct lease_pool;
struct listeners;
struct reload;
struct restore;
struct sessions;
struct steer;
struct tun_ctl;
struct workers;

/* Who sends a message (route.h). */
enum main_sender { FROM_SUPER = 1, FROM_ZYGOTE = 2, FROM_AUTH = 4, FROM_WORKER = 8 };

/* Every message of a sender that has no states of its own is allowed at any time. */
enum { ST_ANY = 0xffff };

enum main_phase {
	MAIN_STARTING, /* until auth and the zygote have the configuration for the first time */
	MAIN_SERVING,
	MAIN_STOPPING,
};

struct main_ctx {
	struct ev_loop *loop;
	const struct main_args *args;
	enum main_phase phase;
	int exit_status;
	bool restarted;	  /* an earlier instance of main ended; we take over its workers */
	int64_t up_since; /* UNIX time the server started */
	uint32_t super_pid, auth_pid, zygote_pid;
	struct chan *super, *auth, *zygote; /* NULL while the process is being started again */

	/* The running configuration.  Sessions hold a talloc reference to the one they began with,
	 * so it is given up with talloc_unlink, never freed. */
	struct conf *conf;
	uint64_t generation; /* counts configurations handed out */

	struct journal *journal;
	struct stats stats;
	struct listeners *listen;
	struct steer *steer;
	struct workers *workers;
	struct sessions *sessions;
	struct reload *reload;
	struct restore *restore; /* NULL unless descriptions are awaited */

	struct lease_pool *leases;
	struct ban_table *bans;
	struct tun_ctl *tun;
	struct hooks *hooks;
	struct control *control; /* NULL without use-occtl */
};

/* Orderly stop, from a signal, the supervisor or occtl; a second call changes nothing.
 * FAST: the supervisor is gone, so nobody waits for us. */
void main_stop(struct main_ctx *m, bool fast);

/* Reads the configuration file again and applies it to new sessions; findings go to the log.
 * The result comes later, the running configuration stays until then. */
void main_reload(struct main_ctx *m);

/* Periodic upkeep at once (SIGUSR2). */
void main_maintain(struct main_ctx *m);

/* Sends to the supervisor, auth, the zygote.  Without the receiver or with a full queue the message
 * is lost and that is logged: what must survive a restart is told again when the peer returns. */
void main_tell_super(struct main_ctx *m, ToSuper__MsgCase kind, void *field, int fd);
void main_tell_auth(struct main_ctx *m, ToAuth__MsgCase kind, void *field, int fd);

/* Hands FD (borrowed) to the supervisor's store, or takes it back out of it. */
void main_keep_fd(struct main_ctx *m, FdKind kind, uint64_t id, int fd, const void *note,
		  size_t note_len);
void main_drop_fd(struct main_ctx *m, FdKind kind, uint64_t id);

#endif /* MAIN_CTX_H */
