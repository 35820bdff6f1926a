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
#include "base/log.h"
#include "conf/conf.h"
#include "ipc/auth.pb-c.h"
#include "ipc/chan.h"
#include "ipc/main.pb-c.h"
#include "ipc/super.pb-c.h"
#include "main/main.h"
#include "main/stats.h"

struct ban_table;
struct closer;
struct control;
struct crl_watch;
struct firewall;
struct hooks;
struct lease_table;
struct linger_list;
struct listeners;
struct netlink;
struct reload;
struct restore;
struct sessions;
struct steer;
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
	struct crl_watch *crls;
	struct restore *restore; /* NULL unless descriptions are awaited */

	struct lease_table *leases;
	struct ban_table *bans;
	struct netlink *nl;
	struct closer *closer; /* of TUN devices */
	struct hooks *hooks;
	struct firewall *firewall;
	struct linger_list *linger; /* rules of devices that are about to go */
	struct control *control;    /* NULL without use-occtl */

	bool auth_ready;   /* has loaded the running configuration */
	bool zygote_ready; /* can make workers of the running configuration */
	bool zygote_renew; /* it is to be replaced once it has forked all that it was asked for */
	unsigned zygote_owes; /* workers it was asked for and has not told of */
	int zygote_conf; /* memfd with the packed WorkerConf; -1: auth has not sent certificates */
	int zygote_area; /* memfd with what its spans name; -1 likewise */
	ev_signal on_signal[5];
	ev_timer upkeep, stopping, zygote_patience;
	bool draining, stop_fast; /* MAIN_STOPPING: sessions still go on; nobody waits for us */
	struct log_sink *sink;
};

/* The parts: journal, tables, sockets, in the order they need each other.  FDS of an earlier
 * instance (restore.h) are used where there are any.  False: it was said why, main cannot serve. */
bool main_set_up(struct main_ctx *m);

/* Logs from now on where, how much and in which form the configuration says. */
void main_set_up_log(struct main_ctx *m);

/* Opens or closes occtl's socket as a new configuration wants. */
void main_update_control(struct main_ctx *m);

/* Accepts connections exactly while somebody can serve them; called after every change.  The first
 * time makes the supervisor count us as started. */
void main_update_accepting(struct main_ctx *m);

/* Orderly stop, from a signal, the supervisor or occtl; a second call changes nothing.
 * FAST: the supervisor is gone, so nobody waits for us. */
void main_stop(struct main_ctx *m, bool fast);

/* While stopping: a worker or a hook has ended, perhaps the last one. */
void main_stop_check(struct main_ctx *m);

/* The start failed: tells the supervisor and ends. */
void main_fail(struct main_ctx *m, const char *reason);

/* Periodic upkeep at once (SIGUSR2). */
void main_maintain(struct main_ctx *m);

/* Sends to the supervisor, auth, the zygote; FD is borrowed, -1: none.  Without the receiver or
 * with a full queue the message is lost and that is logged: what must survive a restart is told
 * again when the peer returns.  FIELD is the message of the oneof's KIND.  True when it was sent.
 */
bool main_tell_super(struct main_ctx *m, ToSuper__MsgCase kind, void *field, int fd);
bool main_tell_auth(struct main_ctx *m, ToAuth__MsgCase kind, void *field, int fd);

/* Hands FD (borrowed) to the supervisor's store with a NOTE that comes back with it (NULL: none),
 * or has the store forget it. */
void main_keep_fd(struct main_ctx *m, FdKind kind, uint64_t id, int fd,
		  const ProtobufCBinaryData *note);
void main_drop_fd(struct main_ctx *m, FdKind kind, uint64_t id);

/* Channels to a (new) process; FD is taken. */
void main_peer_auth(struct main_ctx *m, int fd, uint32_t pid);
void main_peer_zygote(struct main_ctx *m, int fd, uint32_t pid);
MUST_USE enum err main_open_super(struct main_ctx *m);

#endif /* MAIN_CTX_H */
