/* zygote.c - what main tells the zygote and hears from it. */
#include "main/zygote.h"

#include <sys/wait.h>

#include "base/log.h"
#include "ipc/route.h"
#include "main/reload.h"
#include "main/workers.h"

/* It forks in a millisecond and loads a configuration in some hundred: one that is silent for so
 * long with work to do hangs, and with it every login and every reload. */
static const double patience = 10.0;

/* ---- watching it --------------------------------------------------------- */

static bool has_work(const struct main_ctx *m)
{
	return m->zygote && (m->zygote_owes || (m->zygote_conf >= 0 && !m->zygote_ready));
}

/* Called whenever it was asked for something or has done something. */
static void watch(struct main_ctx *m)
{
	if (has_work(m))
		ev_timer_again(m->loop, &m->zygote_patience);
	else
		ev_timer_stop(m->loop, &m->zygote_patience);
}

static void on_impatient(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct main_ctx *m = w->data;

	(void)revents;
	ev_timer_stop(loop, w);
	log_err(NULL, "zygote-hangs", kv_u64("pid", m->zygote_pid),
		kv_u64("workers-owed", m->zygote_owes));
	zygote_respawn(m);
}

void zygote_init(struct main_ctx *m)
{
	ev_timer_init(&m->zygote_patience, on_impatient, 0, patience);
	m->zygote_patience.data = m;
}

void zygote_deinit(struct main_ctx *m)
{
	ev_timer_stop(m->loop, &m->zygote_patience);
}

/* ---- telling it ---------------------------------------------------------- */

void zygote_send_conf(struct main_ctx *m)
{
	ToZygote top = TO_ZYGOTE__INIT;
	ZygoteConf msg = ZYGOTE_CONF__INIT;

	const int fds[] = { m->zygote_conf, m->zygote_area };

	if (!m->zygote || m->zygote_conf < 0 || m->zygote_area < 0)
		return;
	msg.generation = m->generation;
	msg.verbosity = m->args->verbosity >= 0 ? (uint32_t)m->args->verbosity : m->conf->log_level;
	msg.json = m->sink->json;
	top.msg_case = TO_ZYGOTE__MSG_CONF;
	top.conf = &msg;
	if (chan_send(m->zygote, &top.base, fds, 2))
		log_err(NULL, "configuration-not-sent", kv_str("to", "zygote"));
	watch(m);
}

enum err zygote_spawn(struct main_ctx *m, Spawn *spawn, const int fds[3])
{
	ToZygote top = TO_ZYGOTE__INIT;
	enum err err;

	if (!m->zygote)
		return ERR_CLOSED;
	top.msg_case = TO_ZYGOTE__MSG_SPAWN;
	top.spawn = spawn;
	err = chan_send(m->zygote, &top.base, fds, 3);
	m->zygote_owes += !err;
	/* Later requests do not excuse the first one. */
	if (!ev_is_active(&m->zygote_patience))
		watch(m);
	return err;
}

void zygote_respawn(struct main_ctx *m)
{
	Respawn respawn = RESPAWN__INIT;

	m->zygote_ready = false;
	main_update_accepting(m);
	respawn.role = ROLE__ROLE_ZYGOTE;
	respawn.isolate = m->conf->isolate_workers;
	main_tell_super(m, TO_SUPER__MSG_RESPAWN, &respawn, -1);
}

void zygote_renew(struct main_ctx *m)
{
	m->zygote_ready = false;
	main_update_accepting(m);
	m->zygote_renew = m->zygote && m->zygote_owes;
	if (!m->zygote_renew)
		zygote_respawn(m);
}

/* ---- hearing from it ----------------------------------------------------- */

static enum err on_ready(struct main_ctx *m, void *peer, const ZygoteReady *msg,
			 struct ipc_fds *fds)
{
	(void)peer;
	(void)fds;
	/* An answer about an older configuration changes nothing. */
	m->zygote_ready = msg->generation == m->generation;
	watch(m);
	if (m->zygote_ready)
		reload_on_zygote(m);
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
	if (m->zygote_owes)
		m->zygote_owes--;
	watch(m);
	if (m->zygote_renew && !m->zygote_owes) {
		m->zygote_renew = false;
		zygote_respawn(m);
	}
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
	watch(m);
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
	zygote_respawn(m);
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
	zygote_send_conf(m);
}
