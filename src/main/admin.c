/* admin.c - status, users, disconnect, terminate and the rest of what occtl can ask for. */
#include "main/admin.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "main/ban.h"
#include "main/control.h"
#include "main/explain.h"
#include "main/reload.h"
#include "main/sessions.h"
#include "main/traffic.h"
#include "main/tun.h"
#include "main/workers.h"

/* ---- status -------------------------------------------------------------- */

static uint32_t narrow(uint64_t n)
{
	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static void op_status(void *arg, uint64_t req)
{
	struct main_ctx *m = arg;
	const struct stats *s = &m->stats;
	const struct stats_period *p = &s->now;
	struct control_status out = {
		.main_pid = (pid_t)(m->super_pid ? m->super_pid : (uint32_t)getpid()),
		.auth_pid = (pid_t)m->auth_pid,
		.up_since = m->up_since,
		.stats_since = s->last_reset,
		.active_sessions = narrow(workers_count(m)),
		.banned = narrow(ban_count(m->bans, clock_unix())),
		.total_sessions = s->total_closed,
		.total_auth_failures = s->total_auth_failures,
		.handled = p->closed,
		.session_timeouts = p->timed_out,
		.idle_timeouts = p->idle,
		.errors = p->errors,
		.auth_failures = p->auth_failures,
		.avg_auth_time = narrow(stats_auth_time_avg(s)),
		.max_auth_time = narrow(p->auth_time_max),
		.avg_session_time = narrow(stats_session_time_avg(s)),
		.max_session_time = narrow(p->session_time_max),
		.min_mtu = s->min_mtu,
		.max_mtu = s->max_mtu,
		.rx_bytes = p->rx,
		.tx_bytes = p->tx,
		.keys = reload_keys(m),
	};

	control_reply_status(m->control, req, &out);
	control_done(m->control, req, CTL_RESULT__CTL_OK);
}

/* ---- users --------------------------------------------------------------- */

static enum control_state state_of(const struct worker *w)
{
	if (w->session && w->session->worker == w && w->session->up)
		return CONTROL_CONNECTED;
	if (w->auth_failed)
		return CONTROL_AUTH_FAILED;
	return w->user ? CONTROL_AUTHENTICATING : CONTROL_PRE_AUTH;
}

static void fill_settings(const struct session_conf *c, struct control_user *u)
{
	u->limit_rx = c->rx_data_per_sec;
	u->limit_tx = c->tx_data_per_sec;
	u->dns = &c->dns;
	u->nbns = &c->nbns;
	u->split_dns = &c->split_dns;
	u->routes = &c->route;
	u->no_routes = &c->no_route;
	u->iroutes = &c->iroute;
	u->restrict_to_routes = c->restrict_user_to_routes;
	u->restrict_to_ports = &c->restrict_user_to_ports;
}

static void fill_tunnel(const struct session *s, struct control_user *u)
{
	const struct tun_addrs *a = tun_addrs(s->tun);
	Counters c;

	u->device = tun_name(s->tun);
	u->v4 = a->v4_peer;
	u->v4_server = a->v4_local;
	u->v6 = a->v6_peer;
	u->v6_server = a->v6_local;
	traffic_of_device(s, &c);
	u->rx = c.rx_bytes;
	u->tx = c.tx_bytes;
}

static void fill_session(const struct session *s, struct control_user *u)
{
	u->id = s->id; /* also when the process is gone already */
	u->user = s->user;
	u->group = *s->group ? s->group : NULL;
	u->vhost = s->vhost;
	u->hostname = *s->hostname ? s->hostname : NULL;
	u->connected_at = s->connected_at;
	u->session_started_at = s->started;
	u->sid = s->sid;
	if (*s->user_agent)
		u->user_agent = s->user_agent;
	if (s->conf)
		fill_settings(s->conf, u);
	if (s->tun)
		fill_tunnel(s, u);
}

static void fill_user(const struct worker *w, struct control_user *u)
{
	*u = (struct control_user){
		.id = w->pid,
		.state = state_of(w),
		.user = w->user,
		.group = w->group,
		.vhost = w->vhost ? w->vhost : "default",
		.mtu = w->mtu,
		.remote = w->remote.addr,
		.local = w->local.addr,
		.user_agent = w->user_agent,
		.dpd = w->dpd,
		.keepalive = w->keepalive,
		.connected_at = w->accepted,
		.session_started_at = w->accepted,
		.tls_cipher = w->tls_cipher,
		.dtls_cipher = w->dtls_cipher,
		.cstp_compression = w->cstp_compression,
		.dtls_compression = w->dtls_compression,
	};
	if (w->session && w->session->worker == w)
		fill_session(w->session, u);
}

static bool is_meant(const struct worker *w, const struct control_target *t)
{
	const char *user = w->session ? w->session->user : w->user;

	if (t->id)
		return w->pid == t->id;
	return !t->user || (user && !strcmp(user, t->user));
}

static void op_users(void *arg, uint64_t req, const struct control_target *target)
{
	struct main_ctx *m = arg;
	bool all = !target->user && !target->id, found = all;

	for (const struct worker *w = workers_first(m); w; w = w->next) {
		struct control_user user;

		if (!is_meant(w, target))
			continue;
		found = true;
		fill_user(w, &user);
		control_reply_user(m->control, req, &user);
	}
	control_done(m->control, req, found ? CTL_RESULT__CTL_OK : CTL_RESULT__CTL_NOT_FOUND);
}

void admin_event_connect(const struct worker *w)
{
	struct control *c = w->m->control;
	struct control_user user;

	if (!c || !control_has_listener(c))
		return;
	fill_user(w, &user);
	control_event_connect(c, &user);
}

void admin_event_disconnect(const struct worker *w)
{
	struct control *c = w->m->control;
	int64_t lasted = clock_unix() - w->session->connected_at;
	struct control_user user;

	if (!c || !control_has_listener(c))
		return;
	fill_user(w, &user);
	control_event_disconnect(c, &user, end_reason_text(w->reason),
				 lasted > 0 ? (uint64_t)lasted : 0);
}

/* ---- ending sessions ------------------------------------------------------ */

/* Ends every connection that TARGET means; their number. */
static size_t end_meant(struct main_ctx *m, const struct control_target *target)
{
	size_t n = 0;

	for (struct worker *w = workers_first(m); w; w = w->next) {
		if (!is_meant(w, target))
			continue;
		worker_end(w, END_REASON__END_ADMIN, true, WORKER_PATIENCE_MS);
		n++;
	}
	return n;
}

static void op_disconnect(void *arg, uint64_t req, const struct control_target *target)
{
	struct main_ctx *m = arg;
	bool some = (target->user || target->id) && end_meant(m, target);

	control_done(m->control, req, some ? CTL_RESULT__CTL_OK : CTL_RESULT__CTL_NOT_FOUND);
}

static bool invalidate(struct main_ctx *m, uint64_t req, const char *user, const char *sid)
{
	Invalidate msg = INVALIDATE__INIT;

	msg.request = req;
	if (user)
		msg.user = (char *)(uintptr_t)user;
	if (sid)
		msg.sid = (char *)(uintptr_t)sid;
	return main_tell_auth(m, TO_AUTH__MSG_INVALIDATE, &msg, -1);
}

static void op_terminate(void *arg, uint64_t req, const struct control_target *target)
{
	struct main_ctx *m = arg;
	const char *sid = target->sid;

	if (target->id) {
		const struct worker *w = worker_by_pid(m, target->id);

		sid = w && w->session ? w->session->sid : NULL;
		if (!sid) { /* nobody, or a connection that has no session yet */
			op_disconnect(arg, req, target);
			return;
		}
	}
	/* Auth answers admin_on_invalidated; a session named by its id keeps its connection. */
	if (!invalidate(m, req, target->id ? NULL : target->user, sid)) {
		control_done(m->control, req, CTL_RESULT__CTL_FAILED);
		return;
	}
	/* A connection that is still logging in has no session that auth could find. */
	if ((target->id || target->user) && end_meant(m, target))
		control_reply_acted(m->control, req);
}

void admin_on_invalidated(struct main_ctx *m, const InvalidateResult *msg)
{
	if (!m->control)
		return;
	if (msg->n_ambiguous)
		control_done_sids(m->control, msg->request, CTL_RESULT__CTL_AMBIGUOUS,
				  msg->ambiguous, msg->n_ambiguous);
	else
		control_done_sids(m->control, msg->request,
				  msg->n_sid ? CTL_RESULT__CTL_OK : CTL_RESULT__CTL_NOT_FOUND,
				  msg->sid, msg->n_sid);
}

/* ---- the rest ------------------------------------------------------------- */

static void op_sessions(void *arg, uint64_t req)
{
	struct main_ctx *m = arg;
	ListSessions msg = LIST_SESSIONS__INIT;

	msg.request = req;
	if (!main_tell_auth(m, TO_AUTH__MSG_LIST_SESSIONS, &msg, -1))
		control_done(m->control, req, CTL_RESULT__CTL_FAILED);
}

void admin_on_sessions(struct main_ctx *m, const SessionList *msg)
{
	if (!m->control)
		return;
	control_reply_sessions(m->control, msg->request, msg->session, msg->n_session);
	if (!msg->more)
		control_done(m->control, msg->request, CTL_RESULT__CTL_OK);
}

struct ban_reply {
	struct main_ctx *m;
	uint64_t req;
};

static void reply_ban(void *arg, const struct ban_entry *entry)
{
	const struct ban_reply *r = arg;

	control_reply_ban(r->m->control, r->req, entry);
}

static void op_bans(void *arg, uint64_t req)
{
	struct ban_reply r = { arg, req };

	ban_each(r.m->bans, clock_unix(), reply_ban, &r);
	control_done(r.m->control, req, CTL_RESULT__CTL_OK);
}

static void op_unban(void *arg, uint64_t req, const struct addr *addr)
{
	struct main_ctx *m = arg;
	enum err err = ban_lift(m->bans, addr);

	control_done(m->control, req, err ? CTL_RESULT__CTL_NOT_FOUND : CTL_RESULT__CTL_OK);
}

static void op_reload(void *arg, uint64_t req)
{
	reload_ask(arg, req);
}

static void op_stop(void *arg, uint64_t req)
{
	struct main_ctx *m = arg;

	control_done(m->control, req, CTL_RESULT__CTL_OK);
	main_stop(m, false);
}

const struct control_ops *admin_ops(void)
{
	static const struct control_ops ops = {
		.status = op_status,
		.users = op_users,
		.sessions = op_sessions,
		.bans = op_bans,
		.disconnect = op_disconnect,
		.terminate = op_terminate,
		.unban = op_unban,
		.reload = op_reload,
		.stop = op_stop,
		.config = explain_user,
	};

	return &ops;
}
