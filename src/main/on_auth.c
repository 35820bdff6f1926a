/* on_auth.c - what auth tells main: configuration loaded, logins, tunnels to open, tickets that
 * died; and answers for occtl. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/convert.h"
#include "ipc/route.h"
#include "main/admin.h"
#include "main/ban.h"
#include "main/connect.h"
#include "main/control.h"
#include "main/ctx.h"
#include "main/proxied.h"
#include "main/reload.h"
#include "main/sessions.h"
#include "main/stats_journal.h"
#include "main/traffic.h"
#include "main/workers.h"

static enum err on_conf_result(struct main_ctx *m, void *peer, const ConfResult *msg,
			       struct ipc_fds *fds)
{
	(void)peer;
	reload_on_result(m, msg, fds->n ? ipc_fds_take(fds, 0) : -1);
	return ERR_OK;
}

static void log_failed_login(const struct addr *ip, const char *user)
{
	char *text = talloc_asprintf(NULL, "failed authentication attempt for user '%s'", user);
	const struct log_ctx ctx = { .user = user, .ip = ip->family ? ip : NULL };

	if (text)
		log_info(&ctx, "login-failed", kv_text(text));
	talloc_free(text);
}

/* Who opened many connections before the ban shall not go on guessing in them: each ends with the
 * first failure after it. */
static void charge_password(struct main_ctx *m, struct worker *w, const struct addr *ip,
			    uint32_t points)
{
	int64_t now = clock_unix();
	bool banned = ban_holds(m->bans, ip, now);

	ban_charge(m->bans, ip, BAN_FAULT, points, now);
	if (banned && w && w->state == WORKER_LOGIN)
		worker_end(w, END_REASON__END_REFUSED, false, WORKER_PATIENCE_MS);
}

static enum err on_login_failed(struct main_ctx *m, void *peer, const LoginFailed *msg,
				struct ipc_fds *fds)
{
	struct worker *w = worker_by_id(m, msg->worker_id);
	struct endpoint remote = ipc_endpoint_read(msg->remote);

	(void)peer;
	(void)fds;
	if (msg->final) {
		stats_login_failed(&m->stats);
		stats_save(m);
	}
	if (msg->final && w)
		w->auth_failed = true;
	if (msg->points && remote.addr.family)
		charge_password(m, w, &remote.addr, msg->points);
	log_failed_login(&remote.addr, msg->user);
	return ERR_OK;
}

static enum err on_charge(struct main_ctx *m, void *peer, const Charge *msg, struct ipc_fds *fds)
{
	struct endpoint remote = ipc_endpoint_read(msg->remote);

	(void)peer;
	(void)fds;
	ban_charge(m->bans, &remote.addr, BAN_FAULT, msg->points, clock_unix());
	return ERR_OK;
}

static enum err on_login_done(struct main_ctx *m, void *peer, const LoginDone *msg,
			      struct ipc_fds *fds)
{
	struct worker *w = worker_by_id(m, msg->worker_id);
	int64_t took;

	(void)peer;
	(void)fds;
	if (!w)
		return ERR_OK;
	w->user = talloc_strdup(w, msg->user);
	w->group = talloc_strdup(w, msg->group);
	w->vhost = talloc_strdup(w, msg->vhost);
	took = clock_unix() - w->accepted;
	stats_login(&m->stats, took > 0 ? (uint64_t)took : 0);
	stats_save(m);
	return ERR_OK;
}

/* The worker ended while auth was looking at its ticket. */
static void refuse_for_nobody(struct main_ctx *m, const SessionOpen *msg)
{
	SessionClosed closed = SESSION_CLOSED__INIT;

	closed.sid = msg->session->sid;
	closed.worker_id = msg->worker_id;
	closed.reason = END_REASON__END_CONNECTION_LOST;
	closed.keep = true;
	closed.refused = true;
	main_tell_auth(m, TO_AUTH__MSG_SESSION_CLOSED, &closed, -1);
}

static enum err on_session_open(struct main_ctx *m, void *peer, const SessionOpen *msg,
				struct ipc_fds *fds)
{
	struct worker *w = worker_by_id(m, msg->worker_id);

	(void)peer;
	(void)fds;
	if (!msg->session)
		return ERR_PROTO;
	if (w && w->state == WORKER_LOGIN)
		connect_open(w, msg);
	else if (!w || !w->session || strcmp(w->session->sid, msg->session->sid) != 0)
		refuse_for_nobody(m, msg);
	/* Else it asks twice, perhaps because auth was restarted: it has this tunnel, or gets it,
	 * and a refusal would be taken for the tunnel's end. */
	return ERR_OK;
}

static enum err on_session_expired(struct main_ctx *m, void *peer, const SessionExpired *msg,
				   struct ipc_fds *fds)
{
	struct session *s = session_by_sid(m, msg->sid);

	(void)peer;
	(void)fds;
	if (s)
		connect_expired(s);
	return ERR_OK;
}

static enum err on_session_list(struct main_ctx *m, void *peer, const SessionList *msg,
				struct ipc_fds *fds)
{
	(void)peer;
	(void)fds;
	admin_on_sessions(m, msg);
	return ERR_OK;
}

static enum err on_invalidated(struct main_ctx *m, void *peer, const InvalidateResult *msg,
			       struct ipc_fds *fds)
{
	(void)peer;
	(void)fds;
	admin_on_invalidated(m, msg);
	return ERR_OK;
}

static enum err on_account_result(struct main_ctx *m, void *peer, const AccountResult *msg,
				  struct ipc_fds *fds)
{
	struct session *s = session_by_sid(m, msg->sid);

	(void)peer;
	(void)fds;
	if (s)
		connect_accounted(s, msg);
	return ERR_OK;
}

static enum err on_ask_traffic(struct main_ctx *m, void *peer, const AskTraffic *msg,
			       struct ipc_fds *fds)
{
	const struct session *s = session_by_sid(m, msg->sid);

	(void)peer;
	(void)fds;
	if (s && s->state == SESSION_OPEN)
		traffic_tell(s);
	return ERR_OK;
}

#define AUTH_ROUTES(R)                                                                             \
	R(ToMain, conf_result, TO_MAIN__MSG_CONF_RESULT, FROM_AUTH, ST_ANY, 1, on_conf_result)     \
	R(ToMain, login_failed, TO_MAIN__MSG_LOGIN_FAILED, FROM_AUTH, ST_ANY, 0, on_login_failed)  \
	R(ToMain, charge, TO_MAIN__MSG_CHARGE, FROM_AUTH, ST_ANY, 0, on_charge)                    \
	R(ToMain, login_done, TO_MAIN__MSG_LOGIN_DONE, FROM_AUTH, ST_ANY, 0, on_login_done)        \
	R(ToMain, session_open, TO_MAIN__MSG_SESSION_OPEN, FROM_AUTH, ST_ANY, 0, on_session_open)  \
	R(ToMain, session_expired, TO_MAIN__MSG_SESSION_EXPIRED, FROM_AUTH, ST_ANY, 0,             \
	  on_session_expired)                                                                      \
	R(ToMain, session_list, TO_MAIN__MSG_SESSION_LIST, FROM_AUTH, ST_ANY, 0, on_session_list)  \
	R(ToMain, invalidate_result, TO_MAIN__MSG_INVALIDATE_RESULT, FROM_AUTH, ST_ANY, 0,         \
	  on_invalidated)                                                                          \
	R(ToMain, account_result, TO_MAIN__MSG_ACCOUNT_RESULT, FROM_AUTH, ST_ANY, 0,               \
	  on_account_result)                                                                       \
	R(ToMain, ask_traffic, TO_MAIN__MSG_ASK_TRAFFIC, FROM_AUTH, ST_ANY, 0, on_ask_traffic)

ROUTES_DEFINE(auth_routes, AUTH_ROUTES)

static void auth_lost(struct main_ctx *m)
{
	TALLOC_FREE(m->auth);
	m->auth_ready = false;
	if (m->control)
		control_auth_lost(m->control);
	main_update_accepting(m);
}

static void on_message(void *arg, struct chan *chan, const ProtobufCMessage *msg,
		       struct ipc_fds *fds)
{
	struct main_ctx *m = arg;
	enum err err = route_dispatch(&auth_routes, m, NULL, FROM_AUTH, ST_ANY, msg, fds);

	(void)chan;
	if (!err)
		return;
	log_err(NULL, "bad-message", kv_str("from", "auth"),
		kv_str("message", ipc_case_name(msg->descriptor, ipc_case(msg))), kv_err(err));
	/* It sees its channel end and, without main, ends; the supervisor starts it again. */
	if (err == ERR_DENIED || err == ERR_PROTO)
		auth_lost(m);
}

static void on_closed(void *arg, struct chan *chan, enum err why)
{
	(void)chan;
	(void)why;
	auth_lost(arg);
}

/* An auth that was started again has its own journal, but not what happened in the meantime. */
static void tell_sessions(struct main_ctx *m)
{
	for (struct session *s = sessions_first(m); s; s = s->next)
		connect_tell_auth(s);
}

void main_peer_auth(struct main_ctx *m, int fd, uint32_t pid)
{
	static const struct chan_ops ops = { on_message, on_closed };

	auth_lost(m);
	if (chan_new(m, m->loop, fd, &to_main__descriptor, &ops, m, &m->auth)) {
		log_err(NULL, "no-channel", kv_str("to", "auth"));
		return;
	}
	m->auth_pid = pid;
	if (m->workers)
		proxied_tell_auth(m);
	reload_send_auth(m);
	if (m->sessions)
		tell_sessions(m);
}
