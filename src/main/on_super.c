/* on_super.c - what the supervisor tells main: what was kept, start, who the others are, signals.
 */
#include <unistd.h>

#include "base/log.h"
#include "ipc/route.h"
#include "main/ctx.h"
#include "main/reload.h"
#include "main/restore.h"
#include "main/sessions.h"
#include "main/stop.h"
#include "main/workers.h"

static enum err on_fd_restored(struct main_ctx *m, void *peer, const FdRestored *msg,
			       struct ipc_fds *fds)
{
	int fd = ipc_fds_take(fds, 0);

	(void)peer;
	return fd < 0 ? ERR_PROTO : restore_add(m->restore, msg, fd);
}

static enum err on_start(struct main_ctx *m, void *peer, const Start *msg, struct ipc_fds *fds)
{
	(void)peer;
	(void)fds;
	m->restarted = msg->restarted;
	m->up_since = msg->up_since;
	m->super_pid = msg->super_pid;
	stats_init(&m->stats, m->up_since);
	(void)main_set_up(m);
	return ERR_OK;
}

static enum err on_peer(struct main_ctx *m, void *peer, const Peer *msg, struct ipc_fds *fds)
{
	int fd = ipc_fds_take(fds, 0);

	(void)peer;
	if (fd < 0)
		return ERR_PROTO;
	if (msg->role == ROLE__ROLE_AUTH) {
		main_peer_auth(m, fd, msg->pid);
	} else if (msg->role == ROLE__ROLE_ZYGOTE) {
		main_peer_zygote(m, fd, msg->pid);
	} else {
		close(fd);
		return ERR_PROTO;
	}
	return ERR_OK;
}

static enum err on_reload(struct main_ctx *m, void *peer, const Reload *msg, struct ipc_fds *fds)
{
	(void)peer;
	(void)msg;
	(void)fds;
	main_reload(m);
	return ERR_OK;
}

static enum err on_stop(struct main_ctx *m, void *peer, const Stop *msg, struct ipc_fds *fds)
{
	(void)peer;
	(void)msg;
	(void)fds;
	main_stop(m, false);
	return ERR_OK;
}

static enum err on_maintain(struct main_ctx *m, void *peer, const Maintain *msg,
			    struct ipc_fds *fds)
{
	(void)peer;
	(void)msg;
	(void)fds;
	log_info(NULL, "maintenance", kv_text("forcing maintenance cycle"));
	main_maintain(m);
	return ERR_OK;
}

static uint32_t narrow(size_t n)
{
	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static enum err on_ping(struct main_ctx *m, void *peer, const Ping *msg, struct ipc_fds *fds)
{
	Pong pong = PONG__INIT;

	(void)peer;
	(void)msg;
	(void)fds;
	pong.sessions = m->sessions ? narrow(sessions_open_count(m)) : 0;
	pong.connections = m->workers ? narrow(workers_count(m)) : 0;
	main_tell_super(m, TO_SUPER__MSG_PONG, &pong, -1);
	return ERR_OK;
}

/* A worker of an earlier zygote, which the supervisor adopted. */
static enum err on_worker_exited(struct main_ctx *m, void *peer, const WorkerExited *msg,
				 struct ipc_fds *fds)
{
	(void)peer;
	(void)fds;
	worker_exited(m, msg->pid, msg->status);
	return ERR_OK;
}

#define SUPER_ROUTES(R)                                                                            \
	R(ToMain, fd_restored, TO_MAIN__MSG_FD_RESTORED, FROM_SUPER, ST_ANY, 1, on_fd_restored)    \
	R(ToMain, start, TO_MAIN__MSG_START, FROM_SUPER, ST_ANY, 0, on_start)                      \
	R(ToMain, peer, TO_MAIN__MSG_PEER, FROM_SUPER, ST_ANY, 1, on_peer)                         \
	R(ToMain, reload, TO_MAIN__MSG_RELOAD, FROM_SUPER, ST_ANY, 0, on_reload)                   \
	R(ToMain, stop, TO_MAIN__MSG_STOP, FROM_SUPER, ST_ANY, 0, on_stop)                         \
	R(ToMain, maintain, TO_MAIN__MSG_MAINTAIN, FROM_SUPER, ST_ANY, 0, on_maintain)             \
	R(ToMain, ping, TO_MAIN__MSG_PING, FROM_SUPER, ST_ANY, 0, on_ping)                         \
	R(ToMain, worker_exited, TO_MAIN__MSG_WORKER_EXITED, FROM_SUPER, ST_ANY, 0,                \
	  on_worker_exited)

ROUTES_DEFINE(super_routes, SUPER_ROUTES)

static void on_message(void *arg, struct chan *chan, const ProtobufCMessage *msg,
		       struct ipc_fds *fds)
{
	struct main_ctx *m = arg;
	enum err err = route_dispatch(&super_routes, m, NULL, FROM_SUPER, ST_ANY, msg, fds);

	(void)chan;
	/* Nobody stands above the supervisor; a message we do not know is only logged. */
	if (err)
		log_err(NULL, "bad-message", kv_str("from", "supervisor"),
			kv_str("message", ipc_case_name(msg->descriptor, ipc_case(msg))),
			kv_err(err));
}

static void on_closed(void *arg, struct chan *chan, enum err why)
{
	struct main_ctx *m = arg;

	(void)why;
	talloc_free(chan);
	m->super = NULL;
	main_stop(m, true);
}

enum err main_open_super(struct main_ctx *m)
{
	static const struct chan_ops ops = { on_message, on_closed };

	return chan_new(m, m->loop, m->args->channel, &to_main__descriptor, &ops, m, &m->super);
}
