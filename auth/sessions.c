/* sessions.c - sessions from their login to their end.
 *
 * A session's cookie is in one of three conditions (protocol.md 4.12):
 *
 *	waiting   no tunnel; dies at `expires`
 *	in use    `worker` has its tunnel; `expires` is 0
 *	dead      forgotten; main hears SessionExpired and releases addresses
 *
 * Main says when tunnels open and end, and whether the client may come back.  Auth alone decides
 * whether a cookie is acceptable. */
#include <string.h>

#include "auth/account.h"
#include "auth/open.h"
#include "base/clock.h"
#include "ipc/convert.h"

enum {
	OVERDUE = 15, /* seconds a tunnel may outlive its session-timeout before we end it */
};

/* Seconds that a cookie lives on once its tunnel is gone. */
static int64_t lifetime(const struct auth *a, const struct session *s)
{
	const struct host *h = a->hosts ? hosts_find(a->hosts, s->vhost) : NULL;

	return (h ? (int64_t)h->conf->cookie_timeout : 0) + COOKIE_SLACK;
}

static void tell_expired(struct auth *a, const char *sid)
{
	SessionExpired msg = SESSION_EXPIRED__INIT;

	msg.sid = (char *)(uintptr_t)sid;
	(void)main_tell(a, TO_MAIN__MSG_SESSION_EXPIRED, &msg);
}

static const char *reason_word(EndReason reason)
{
	const ProtobufCEnumValue *v =
		protobuf_c_enum_descriptor_get_value(&end_reason__descriptor, (int)reason);

	if (reason == END_REASON__END_UNSPECIFIED)
		return "cookie expired";
	return v ? v->name + strlen("END_") : "unknown";
}

/* For auditors: who came in how, and when the cookie stopped being worth anything. */
static void log_login(const struct session *s)
{
	char sid[TICKET_SHORT + 1];
	const struct log_ctx log = session_log(s, sid);

	log_info(&log, "login", kv_str("group", s->group),
		 kv_str("method", *s->backend ? s->backend : "certificate"),
		 kv_str("certificate", s->cert_user), kv_str("agent", s->user_agent));
}

static void log_over(const struct session *s, EndReason reason)
{
	char sid[TICKET_SHORT + 1];
	const struct log_ctx log = session_log(s, sid);

	log_info(&log, "session-over", kv_str("reason", reason_word(reason)),
		 kv_i64("seconds", clock_unix() - s->started));
}

void session_expire(struct auth *a, struct session *s, EndReason reason)
{
	log_over(s, reason);
	tell_expired(a, s->sid);
	/* First: after a crash in the middle of this the account is ended all the same. */
	accounts_over(a, s->sid, reason);
	store_forget(a->store, s);
}

/* ---- login ---------------------------------------------------------------- */

enum err session_begin(struct auth *a, const struct login_grant *grant)
{
	struct session init = grant->session, *s;
	LoginDone done = LOGIN_DONE__INIT;
	enum err err;

	init.started = clock_unix();
	init.expires = init.started + grant->policy->lifetime + COOKIE_SLACK;
	err = store_add(a->store, grant->cookie, &init, &s);
	if (err)
		return err;
	done.worker_id = grant->worker;
	done.user = (char *)(uintptr_t)s->user;
	done.group = (char *)(uintptr_t)s->group;
	done.vhost = (char *)(uintptr_t)s->vhost;
	done.sid = s->sid;
	(void)main_tell(a, TO_MAIN__MSG_LOGIN_DONE, &done);
	log_login(s);
	return ERR_OK;
}

/* ---- what main says ------------------------------------------------------- */

void session_opened(struct auth *a, const SessionOpened *msg)
{
	struct session *s = store_by_sid(a->store, msg->sid);

	if (!s) {
		tell_expired(a, msg->sid);
		return;
	}
	accounts_opened(a, msg);
	s->worker = msg->worker_id;
	s->opened = true;
	s->expires = 0;
	s->opening = 0;
	store_save(a->store, s);
}

/* The cookie lives on for a while: the client may come back with it. */
static void keep(struct auth *a, struct session *s, int64_t now)
{
	s->worker = 0;
	s->expires = now + lifetime(a, s);
	store_save(a->store, s);
}

static bool is_persistent(const struct auth *a, const struct session *s, EndReason reason)
{
	const struct host *h = a->hosts ? hosts_find(a->hosts, s->vhost) : NULL;

	return reason == END_REASON__END_USER && h && h->conf->persistent_cookies;
}

/* False: a newer connection has taken the session over, or this one never got it. */
static bool had_tunnel(const struct session *s, const SessionClosed *msg)
{
	return s->worker ? s->worker == msg->worker_id : !msg->refused;
}

static void tunnel_closed(struct auth *a, struct session *s, const SessionClosed *msg)
{
	bool kept = msg->keep || is_persistent(a, s, msg->reason);

	accounts_closed(a, msg, kept);
	if (kept)
		keep(a, s, clock_unix());
	else
		session_expire(a, s, msg->reason);
}

void session_closed(struct auth *a, const SessionClosed *msg)
{
	struct session *s = store_by_sid(a->store, msg->sid);

	if (!s) {
		/* The account of a session that is over waits for these numbers. */
		accounts_closed(a, msg, false);
		tell_expired(a, msg->sid);
		return;
	}
	if (msg->refused)
		s->opening = 0;
	if (had_tunnel(s, msg))
		tunnel_closed(a, s, msg);
	else
		store_save(a->store, s);
}

/* ---- other ends ----------------------------------------------------------- */

void session_logout(struct auth *a, const Logout *msg)
{
	struct session *s = store_by_cookie(a->store, msg->cookie.data, msg->cookie.len);

	if (s)
		session_expire(a, s, END_REASON__END_USER);
}

void sessions_expire(struct auth *a, int64_t now)
{
	struct session *next;

	for (struct session *s = store_first(a->store); s; s = next) {
		next = s->next;
		if (s->expires && now >= s->expires && now >= s->opening)
			session_expire(a, s, END_REASON__END_UNSPECIFIED);
		else if (s->deadline && now >= s->deadline + OVERDUE)
			session_expire(a, s, END_REASON__END_SESSION_TIMEOUT);
	}
}

void sessions_reconcile(struct auth *a)
{
	for (struct session *s = store_first(a->store); s; s = s->next) {
		if (s->worker && !worker_by_id(a, s->worker)) {
			accounts_lost(a, s);
			keep(a, s, clock_unix());
		}
	}
}
