/* on_zygote.c - what the zygote tells main: ready, forked, reaped. */
#include <sys/wait.h>

#include "base/log.h"
#include "ipc/route.h"
#include "main/ctx.h"
#include "main/reload.h"
#include "main/workers.h"

static enum err on_ready(struct main_ctx *m, void *peer, const ZygoteReady *msg,
			 struct ipc_fds *fds)
{
	(void)peer;
	(void)fds;
	/* An answer about an older configuration changes nothing. */
	m->zygote_ready = msg->generation == m->generation;
	main_update_accepting(m);
	return ERR_OK;
}

static enum err on_spawned(struct main_ctx *m, void *peer, const WorkerSpawned *msg,
			   struct ipc_fds *fds)
{
	struct worker *w = worker_by_id(m, msg->worker_id);

	(void)peer;
	(void)fds;
	/* Otherwise it has ended already, or the zygote could not fork. */
	if (w && msg->pid)
		worker_set_pid(w, msg->pid);
	worker_zygote_did(m);
	return ERR_OK;
}

static enum err on_exited(struct main_ctx *m, void *peer, const WorkerExited *msg,
			  struct ipc_fds *fds)
{
	(void)peer;
	(void)fds;
	worker_exited(m, msg->pid, msg->status);
	return ERR_OK;
}

#define ZYGOTE_ROUTES(R)                                                                           \
	R(ToMain, zygote_ready, TO_MAIN__MSG_ZYGOTE_READY, FROM_ZYGOTE, ST_ANY, 0, on_ready)       \
	R(ToMain, worker_spawned, TO_MAIN__MSG_WORKER_SPAWNED, FROM_ZYGOTE, ST_ANY, 0, on_spawned) \
	R(ToMain, worker_exited, TO_MAIN__MSG_WORKER_EXITED, FROM_ZYGOTE, ST_ANY, 0, on_exited)

ROUTES_DEFINE(zygote_routes, ZYGOTE_ROUTES)

static void zygote_lost(struct main_ctx *m)
{
	TALLOC_FREE(m->zygote);
	m->zygote_ready = false;
	m->zygote_renew = false;
	m->zygote_owes = 0;
	main_update_accepting(m);
}

static void on_message(void *arg, struct chan *chan, const ProtobufCMessage *msg,
		       struct ipc_fds *fds)
{
	struct main_ctx *m = arg;
	enum err err = route_dispatch(&zygote_routes, m, NULL, FROM_ZYGOTE, ST_ANY, msg, fds);

	(void)chan;
	if (!err)
		return;
	log_err(NULL, "bad-message", kv_str("from", "zygote"),
		kv_str("message", ipc_case_name(msg->descriptor, ipc_case(msg))), kv_err(err));
	worker_respawn_zygote(m);
}

static void on_closed(void *arg, struct chan *chan, enum err why)
{
	(void)chan;
	(void)why;
	zygote_lost(arg);
}

void main_peer_zygote(struct main_ctx *m, int fd, uint32_t pid)
{
	static const struct chan_ops ops = { on_message, on_closed };

	zygote_lost(m);
	if (chan_new(m, m->loop, fd, &to_main__descriptor, &ops, m, &m->zygote)) {
		log_err(NULL, "no-channel", kv_str("to", "zygote"));
		return;
	}
	m->zygote_pid = pid;
	reload_send_zygote(m);
}
