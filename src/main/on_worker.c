/* on_worker.c - what a worker tells main.  Workers face the client and may be hostile: every value
 * is checked here, and what is wrong ends the worker. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "ipc/convert.h"
#include "ipc/route.h"
#include "main/ban.h"
#include "main/connect.h"
#include "main/on_worker.h"
#include "main/proxied.h"
#include "main/restore.h"
#include "main/sessions.h"
#include "main/tun.h"
#include "main/workers.h"

enum {
	FACT_MAX = 512,	  /* bytes kept of a text that a worker tells */
	LOGS_MAX = 1000,  /* lines a second, the rest is dropped */
	OTHERS_MAX = 100, /* other messages a second, more is an attack on us */
	MTU_MIN = 576,
	MTU_MAX = 16384, /* protocol.md 5.5 */
};

/* Replaces a text of the worker; an empty one becomes NULL. */
static void set_fact(struct worker *w, const char **field, const char *text)
{
	talloc_free((void *)(uintptr_t)*field);
	*field = text && *text ? talloc_strndup(w, text, FACT_MAX) : NULL;
}

/* True while W keeps to MOST messages a second, counted in *N. */
static bool within(struct worker *w, unsigned *n, unsigned most)
{
	int64_t now = clock_unix();

	if (now != w->second) {
		w->second = now;
		w->n_logs = w->n_others = 0;
	}
	return ++*n <= most;
}

/* What we say of every event.  A second pair of that name could pass for another connection's, or
 * another process's, with whoever reads the log. */
static bool is_ours(const char *key)
{
	static const char *const ours[] = { "time",    "level", "process", "pid", "event",
					    "session", "user",	"vhost",   "ip" };

	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		if (strcmp(key, ours[i]) == 0)
			return true;
	return false;
}

static bool take_field(const LogField *field, struct kv *kv, struct addr *addr)
{
	*kv = (struct kv){ .key = field->key };
	switch (field->value_case) {
	case LOG_FIELD__VALUE_TEXT:
		*kv = kv_str(field->key, field->text);
		break;
	case LOG_FIELD__VALUE_MESSAGE:
		*kv = kv_str(field->key, field->message);
		kv->type = KV_TEXT;
		break;
	case LOG_FIELD__VALUE_NUMBER:
		*kv = kv_u64(field->key, field->number);
		break;
	case LOG_FIELD__VALUE_DIFFERENCE:
		*kv = kv_i64(field->key, field->difference);
		break;
	case LOG_FIELD__VALUE_ADDR:
		*addr = ipc_addr_read(&field->addr);
		*kv = kv_addr(field->key, addr);
		break;
	default:
		return false;
	}
	return log_is_name(field->key) && !is_ours(field->key);
}

/* The event is the worker's and about its own connection, whatever the worker was made to say. */
static enum err on_log(struct main_ctx *m, struct worker *w, const WorkerLog *msg,
		       struct ipc_fds *fds)
{
	const struct log_origin origin = { "worker", w->pid };
	struct log_ctx ctx = worker_log(w);
	struct kv kv[LOG_FIELDS + 1] = { 0 };
	struct addr addr[LOG_FIELDS];

	(void)m;
	(void)fds;
	if (msg->level > LOG_LVL_TRAFFIC || !log_is_name(msg->event) || msg->n_field > LOG_FIELDS)
		return ERR_PROTO;
	for (size_t i = 0; i < msg->n_field; i++)
		if (!take_field(msg->field[i], &kv[i], &addr[i]))
			return ERR_PROTO;
	if (within(w, &w->n_logs, LOGS_MAX))
		log_event_of(&origin, (enum log_level)msg->level, &ctx, msg->event, kv);
	return ERR_OK;
}

void worker_take_info(struct worker *w, const WorkerInfo *msg)
{
	set_fact(w, &w->user_agent, msg->user_agent);
	set_fact(w, &w->tls_cipher, msg->tls_cipher);
	if (!w->user)
		set_fact(w, &w->vhost, msg->vhost);
}

static enum err on_proxied(struct main_ctx *m, struct worker *w, const Proxied *msg,
			   struct ipc_fds *fds)
{
	(void)m;
	(void)fds;
	return proxied_admit(w, msg);
}

static enum err on_info(struct main_ctx *m, struct worker *w, const WorkerInfo *msg,
			struct ipc_fds *fds)
{
	(void)m;
	(void)fds;
	worker_take_info(w, msg);
	return ERR_OK;
}

void worker_take_facts(struct worker *w, const TunnelFacts *msg)
{
	set_fact(w, &w->dtls_cipher, msg->dtls_cipher);
	set_fact(w, &w->cstp_compression, msg->cstp_compression);
	set_fact(w, &w->dtls_compression, msg->dtls_compression);
	w->dpd = msg->dpd;
	w->keepalive = msg->keepalive;
	if (msg->mtu >= MTU_MIN && msg->mtu <= MTU_MAX) {
		w->mtu = msg->mtu;
		stats_mtu(&w->m->stats, msg->mtu);
	}
	w->udp_remote = ipc_endpoint_read(msg->udp_remote);
	if (w->session && w->udp_remote.addr.family)
		session_set_peer(w->session, &w->udp_remote.addr);
}

static enum err on_facts(struct main_ctx *m, struct worker *w, const TunnelFacts *msg,
			 struct ipc_fds *fds)
{
	(void)m;
	(void)fds;
	worker_take_facts(w, msg);
	return ERR_OK;
}

static enum err on_tunnel_up(struct main_ctx *m, struct worker *w, const TunnelUp *msg,
			     struct ipc_fds *fds)
{
	(void)m;
	(void)msg;
	(void)fds;
	if (!w->session)
		return ERR_STATE;
	connect_up(w->session);
	return ERR_OK;
}

/* admin.md 3.  A service manager or a terminal signals every process of the service; then the end
 * of this session comes with that of all others, perhaps after a drain. */
static enum err on_terminated(struct main_ctx *m, struct worker *w, const Terminated *msg,
			      struct ipc_fds *fds)
{
	struct log_ctx ctx = worker_log(w);

	(void)msg;
	(void)fds;
	if (m->phase == MAIN_STOPPING)
		return ERR_OK;
	log_info(&ctx, "terminated", kv_u64("pid", w->pid));
	worker_end(w, END_REASON__END_SERVER, true, WORKER_PATIENCE_MS);
	return ERR_OK;
}

/* The worker found the path MTU; the device belongs to us, so we set it. */
static enum err on_tun_mtu(struct main_ctx *m, struct worker *w, const TunMtu *msg,
			   struct ipc_fds *fds)
{
	(void)fds;
	if (msg->mtu < MTU_MIN || msg->mtu > MTU_MAX)
		return ERR_RANGE;
	if (!w->session || !w->session->tun)
		return ERR_STATE;
	w->mtu = msg->mtu;
	stats_mtu(&m->stats, msg->mtu);
	if (tun_set_mtu(w->session->tun, msg->mtu))
		log_warn(&w->session->log, "tun-mtu-failed", kv_u64("mtu", msg->mtu));
	return ERR_OK;
}

static enum err on_counters(struct main_ctx *m, struct worker *w, const Counters *msg,
			    struct ipc_fds *fds)
{
	(void)m;
	(void)fds;
	w->counters = ipc_counters(msg);
	return ERR_OK;
}

/* What the end of a connection that never got a tunnel means for its address. */
static void settle_score(struct worker *w, const WorkerEnded *msg)
{
	struct main_ctx *m = w->m;

	if (msg->reason == END_REASON__END_HEALTH_PROBE)
		ban_refund(m->bans, &w->remote.addr, w->charged);
	if (msg->abuse)
		ban_charge(m->bans, &w->remote.addr, BAN_FAULT, m->conf->ban_points_abuse,
			   clock_unix());
	w->charged = 0;
}

static enum err on_ended(struct main_ctx *m, struct worker *w, const WorkerEnded *msg,
			 struct ipc_fds *fds)
{
	(void)m;
	(void)fds;
	if (w->state == WORKER_LOGIN)
		settle_score(w, msg);
	if (!w->ended) { /* else main decided first (protocol.md 5.8) */
		w->reason = msg->reason;
		w->keep = msg->keep_session;
		w->ended = true;
	}
	if (msg->counters) {
		w->counters = ipc_counters(msg->counters);
		w->has_last_counters = true;
	}
	w->state = WORKER_ENDING;
	worker_expect_end(w, WORKER_PATIENCE_MS);
	return ERR_OK;
}

static enum err on_description(struct main_ctx *m, struct worker *w, const Description *msg,
			       struct ipc_fds *fds)
{
	(void)m;
	if (w->described || msg->worker_id != w->id)
		return ERR_PROTO;
	return restore_described(w, msg, ipc_fds_take(fds, 0));
}

enum {
	ANY_STATE = WORKER_LOGIN | WORKER_OPENING | WORKER_OPEN | WORKER_ENDING,
	BEFORE_TUNNEL = WORKER_LOGIN | WORKER_ENDING,
	HAS_TUNNEL = WORKER_OPEN | WORKER_ENDING,
};

#define WORKER_ROUTES(R)                                                                           \
	R(ToMain, log, TO_MAIN__MSG_LOG, FROM_WORKER, ANY_STATE, 0, on_log)                        \
	R(ToMain, proxied, TO_MAIN__MSG_PROXIED, FROM_WORKER, BEFORE_TUNNEL, 0, on_proxied)        \
	R(ToMain, info, TO_MAIN__MSG_INFO, FROM_WORKER, ANY_STATE, 0, on_info)                     \
	R(ToMain, facts, TO_MAIN__MSG_FACTS, FROM_WORKER, HAS_TUNNEL, 0, on_facts)                 \
	R(ToMain, tunnel_up, TO_MAIN__MSG_TUNNEL_UP, FROM_WORKER, HAS_TUNNEL, 0, on_tunnel_up)     \
	R(ToMain, tun_mtu, TO_MAIN__MSG_TUN_MTU, FROM_WORKER, HAS_TUNNEL, 0, on_tun_mtu)           \
	R(ToMain, counters, TO_MAIN__MSG_COUNTERS, FROM_WORKER, HAS_TUNNEL, 0, on_counters)        \
	R(ToMain, terminated, TO_MAIN__MSG_TERMINATED, FROM_WORKER, HAS_TUNNEL, 0, on_terminated)  \
	R(ToMain, ended, TO_MAIN__MSG_ENDED, FROM_WORKER, ANY_STATE, 0, on_ended)                  \
	R(ToMain, description, TO_MAIN__MSG_DESCRIPTION, FROM_WORKER, ANY_STATE, 1, on_description)

ROUTES_DEFINE(worker_routes, WORKER_ROUTES)

void on_worker_message(void *arg, struct chan *chan, const ProtobufCMessage *msg,
		       struct ipc_fds *fds)
{
	struct worker *w = arg;
	struct log_ctx ctx;
	enum err err;

	(void)chan;
	if (ipc_case(msg) != TO_MAIN__MSG_LOG && !within(w, &w->n_others, OTHERS_MAX))
		err = ERR_EXHAUSTED;
	else
		err = route_dispatch(&worker_routes, w->m, w, FROM_WORKER, w->state, msg, fds);
	if (!err)
		return;
	/* Meant for the main that ended; the description that follows says it again. */
	if (err == ERR_DENIED && !w->described)
		return;
	ctx = worker_log(w);
	log_warn(&ctx, "bad-message", kv_str("from", "worker"),
		 kv_str("message", ipc_case_name(msg->descriptor, ipc_case(msg))), kv_err(err));
	worker_kill(w);
}
