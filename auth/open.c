/* open.c - sessions after their login: tunnels, expiry, logout, lists.
 *
 * A session's cookie is in one of three conditions (protocol.md 4.12):
 *
 *	waiting   no tunnel; dies at `expires`
 *	in use    `worker` has its tunnel; `expires` is 0
 *	dead      forgotten; main hears SessionExpired and releases addresses
 *
 * Main says when tunnels open and end, and whether the client may come back.  Auth alone decides
 * whether a cookie is acceptable. */
#include "auth/open.h"

#include <string.h>

#include "auth/accounting/accounting.h"
#include "auth/recheck.h"
#include "base/clock.h"
#include "conf/pack.h"
#include "ipc/convert.h"

enum {
	LIST_PART = 400, /* sessions in one message of a list */
	OPENING = 60,	 /* seconds that hooks may take while a tunnel opens */
	OVERDUE = 15,	 /* seconds a tunnel may outlive its session-timeout before we end it */
};

static struct log_ctx log_of(const struct session *s, char sid_short[TICKET_SHORT + 1])
{
	str_copy(sid_short, TICKET_SHORT + 1, s->sid);
	return (struct log_ctx){ sid_short, s->user, s->vhost, &s->remote };
}

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

/* The logical session is over, whatever its tunnels did. */
static void forget(struct auth *a, struct session *s, EndReason reason)
{
	if (s->opened)
		accounting_stop(s, reason, clock_unix());
	store_forget(a->store, s);
}

/* The same, told to main, which may still hold addresses or even a tunnel. */
static void expire(struct auth *a, struct session *s, EndReason reason)
{
	tell_expired(a, s->sid);
	forget(a, s, reason);
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
	return ERR_OK;
}

/* ---- opening a tunnel ----------------------------------------------------- */

static void refuse(struct worker *w, uint32_t status, const char *reason)
{
	OpenRefused msg = OPEN_REFUSED__INIT;

	msg.status = status;
	msg.reason = (char *)(uintptr_t)reason;
	worker_tell(w, TO_WORKER__MSG_OPEN_REFUSED, &msg);
}

/* The timer comes once a second only; a cookie is checked to the second. */
static bool is_over(const struct session *s, int64_t now)
{
	return (s->expires && now >= s->expires) || (s->deadline && now >= s->deadline);
}

/* A cookie cannot be guessed, but whoever tries shall not do so for ever. */
static void charge(const struct worker *w)
{
	Charge msg = CHARGE__INIT;
	Endpoint remote = ipc_endpoint(&w->remote);

	msg.remote = &remote;
	msg.points = w->auth->hosts->conf->ban_points_wrong_cookie;
	(void)main_tell(w->auth, TO_MAIN__MSG_CHARGE, &msg);
}

/* The session that MSG's cookie stands for on this host; NULL: the cookie is not acceptable. */
static struct session *find(struct worker *w, const OpenSession *msg)
{
	struct log_ctx log = { .vhost = msg->vhost, .ip = &w->remote.addr };
	struct session *s = store_by_cookie(w->auth->store, msg->cookie.data, msg->cookie.len);

	if (s && strcmp(s->vhost, msg->vhost) == 0 && !is_over(s, clock_unix()))
		return s;
	log_warn(&log, "bad-cookie", kv_text("failed cookie authentication attempt"));
	charge(w);
	return NULL;
}

/* Who shows the wrong certificate may have stolen the cookie (admin.md 4.3). */
static void log_certificate(const struct session *s, const OpenSession *msg)
{
	char sid_short[TICKET_SHORT + 1];
	struct log_ctx log = log_of(s, sid_short);
	char *text;

	if (msg->cert_ok)
		text = talloc_asprintf(NULL,
				       "user '%s' (session: %s) presented a certificate which is "
				       "for user '%s'; rejecting",
				       s->user, sid_short, msg->cert_user);
	else
		text = talloc_asprintf(NULL, "user '%s' presented no certificate; rejecting",
				       s->user);
	if (text)
		log_info(&log, "certificate-mismatch", kv_text(text));
	talloc_free(text);
}

/* Protocol.md 2.6: AnyConnect shows its certificate at the login only. */
static bool certificate_ok(const struct session *s, const struct host_conf *host,
			   const OpenSession *msg)
{
	if (!s->tls_auth_ok || host->cisco_client_compat ||
	    (msg->cert_ok && strcmp(msg->cert_user, s->user) == 0))
		return true;
	log_certificate(s, msg);
	return false;
}

/* What is wrong with the files of a user is for the administrator, the client learns nothing. */
static void log_report(const struct log_ctx *log, const struct conf_report *report)
{
	for (size_t i = 0; i < report->n; i++) {
		char *text = conf_problem_text(NULL, &report->item[i]);
		enum log_level level =
			report->item[i].severity == CONF_ERROR ? LOG_LVL_ERR : LOG_LVL_INFO;

		if (text)
			log_event(level, log, "user-config", LOG_KVS(kv_text(text)));
		talloc_free(text);
	}
}

/* Files of the group and the user, then what the backend granted. */
static enum err read_rows(TALLOC_CTX *ctx, const struct session *s, const struct host_conf *host,
			  struct conf_report *report, struct conf_rows *rows)
{
	enum err err = conf_user_rows(ctx, host, s->user, s->group, report, rows);

	for (size_t i = 0; !err && i < s->n_rows; i++) {
		struct conf_row row = { .option = s->row[i].option,
					.value = s->row[i].value,
					.file = "" };

		err = conf_rows_add(ctx, rows, &row);
	}
	return err;
}

/* The rows of the session and the settings that they and the host amount to. */
static enum err settings(TALLOC_CTX *ctx, const struct session *s, const struct host_conf *host,
			 struct conf_rows *rows, struct session_conf **out)
{
	struct conf_report *report = conf_report_new(ctx);
	char sid_short[TICKET_SHORT + 1];
	struct log_ctx log = log_of(s, sid_short);
	enum err err = report ? read_rows(ctx, s, host, report, rows) : ERR_NOMEM;

	if (!err)
		err = conf_session_new(ctx, host, rows, report, out);
	if (report)
		log_report(&log, report);
	if (err)
		log_err(&log, "session-refused", kv_err(err));
	return err;
}

/* Main checks limits, takes addresses and answers the worker itself. */
static enum err ask_main(struct worker *w, const struct session *s, const OpenSession *msg,
			 const struct conf_rows *rows)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	SessionOpen open = SESSION_OPEN__INIT;
	Session session = SESSION__INIT;
	Endpoint remote = ipc_endpoint(&w->remote);
	enum err err = conf_rows_to_msg(tmp, rows, &open.row, &open.n_row);

	session.sid = (char *)(uintptr_t)s->sid;
	session.user = (char *)(uintptr_t)s->user;
	session.group = (char *)(uintptr_t)s->group;
	session.vhost = (char *)(uintptr_t)s->vhost;
	session.started = s->started;
	session.user_agent = *msg->user_agent ? msg->user_agent : (char *)(uintptr_t)s->user_agent;
	session.hostname = msg->hostname;
	session.device_type = msg->device_type;
	session.device_platform = msg->device_platform;
	session.mobile = msg->mobile;
	session.remote = &remote;
	open.worker_id = w->id;
	open.session = &session;
	open.want_v4 = msg->want_v4;
	open.want_v6 = msg->want_v6;
	open.deadline = s->deadline;
	if (!err)
		err = main_tell(w->auth, TO_MAIN__MSG_SESSION_OPEN, &open);
	talloc_free(tmp);
	return err;
}

static void log_opening(const struct session *s)
{
	char sid_short[TICKET_SHORT + 1];
	struct log_ctx log = log_of(s, sid_short);
	char *text = talloc_asprintf(NULL, "initiating session for user '%s' (session: %s)",
				     s->user, sid_short);

	if (text)
		log_info(&log, "session-opening", kv_text(text));
	talloc_free(text);
}

/* Everything is known; the last checks need the user's own settings. */
static void open_with(struct worker *w, struct session *s, const OpenSession *msg,
		      const struct conf_rows *rows, const struct session_conf *conf)
{
	struct log_ctx log = { .user = s->user, .vhost = s->vhost, .ip = &w->remote.addr };
	int64_t now = clock_unix();

	/* The cookie was good when it was shown; it must not expire before main has answered.  A
	 * refused attempt lengthens no life. */
	s->opening = now + OPENING;
	/* Measured from the login, never from a reconnect (protocol.md 4.12). */
	s->deadline = conf->session_timeout ? s->started + conf->session_timeout : 0;
	store_save(w->auth->store, s);
	if (is_over(s, now) || (conf->deny_roaming && !addr_equal(&s->remote, &w->remote.addr))) {
		log_warn(&log, "bad-cookie", kv_text("failed cookie authentication attempt"));
		refuse(w, 401, "Cookie is not acceptable");
		return;
	}
	log_opening(s);
	if (ask_main(w, s, msg, rows))
		refuse(w, 503, "Service Unavailable");
}

static void open_now(struct worker *w, const OpenSession *msg)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	const struct host *host = hosts_find(w->auth->hosts, msg->vhost);
	struct session *s = host ? find(w, msg) : NULL;
	struct conf_rows rows = { .n = 0 };
	struct session_conf *conf = NULL;

	if (!s)
		refuse(w, 401, "Cookie is not acceptable");
	else if (!certificate_ok(s, host->conf, msg))
		refuse(w, 503, "Service Unavailable");
	else if (settings(tmp, s, host->conf, &rows, &conf))
		refuse(w, 401, "Cookie is not acceptable");
	else
		open_with(w, s, msg, &rows, conf);
	talloc_free(tmp);
}

/* Protocol.md 4.12: whoever was locked or removed since the login has lost the session for good. */
static void on_recheck(struct worker *w, const OpenSession *msg, enum recheck_answer answer)
{
	struct session *s = store_by_cookie(w->auth->store, msg->cookie.data, msg->cookie.len);
	struct log_ctx log = { .vhost = msg->vhost, .ip = &w->remote.addr };

	if (answer == RECHECK_YES) {
		open_now(w, msg);
		return;
	}
	if (answer == RECHECK_NO && s) {
		log.user = s->user;
		log_warn(&log, "bad-cookie", kv_text("failed cookie authentication attempt"),
			 kv_str("reason", "the user was locked or removed"));
		expire(w->auth, s, END_REASON__END_ADMIN);
	}
	refuse(w, answer == RECHECK_NO ? 401 : 503,
	       answer == RECHECK_NO ? "Cookie is not acceptable" : "Server error");
}

void session_open(struct worker *w, const OpenSession *msg)
{
	const struct host *host = hosts_find(w->auth->hosts, msg->vhost);
	const struct session *s = host ? find(w, msg) : NULL;

	if (!s)
		refuse(w, 401, "Cookie is not acceptable");
	else if (!recheck_begin(w, &host->policy, s, msg, on_recheck))
		open_now(w, msg);
}

/* ---- what main says ------------------------------------------------------- */

void session_opened(struct auth *a, const SessionOpened *msg)
{
	struct session *s = store_by_sid(a->store, msg->sid);
	struct addr v4 = ipc_addr_read(&msg->v4), v6 = ipc_addr_read(&msg->v6);

	if (!s) {
		tell_expired(a, msg->sid);
		return;
	}
	if (!s->opened)
		accounting_start(s, &v4, &v6);
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

void session_closed(struct auth *a, const SessionClosed *msg)
{
	struct session *s = store_by_sid(a->store, msg->sid);
	int64_t now = clock_unix();

	if (!s) {
		tell_expired(a, msg->sid);
		return;
	}
	if (msg->counters)
		accounting_count(s, msg->counters->rx_bytes, msg->counters->tx_bytes);
	/* A newer connection has taken the session over, or this one never got it. */
	if (msg->refused)
		s->opening = 0;
	if (s->worker != msg->worker_id && (s->worker || msg->refused)) {
		store_save(a->store, s);
		return;
	}
	if (msg->keep || is_persistent(a, s, msg->reason)) {
		if (!msg->refused)
			accounting_interim(s, now);
		keep(a, s, now);
	} else {
		expire(a, s, msg->reason);
	}
}

/* ---- other ends ----------------------------------------------------------- */

void session_logout(struct auth *a, const Logout *msg)
{
	struct session *s = store_by_cookie(a->store, msg->cookie.data, msg->cookie.len);

	if (s)
		expire(a, s, END_REASON__END_USER);
}

void sessions_expire(struct auth *a, int64_t now)
{
	struct session *next;

	for (struct session *s = store_first(a->store); s; s = next) {
		next = s->next;
		if (s->expires && now >= s->expires && now >= s->opening)
			expire(a, s, END_REASON__END_CONNECTION_LOST);
		else if (s->deadline && now >= s->deadline + OVERDUE)
			expire(a, s, END_REASON__END_SESSION_TIMEOUT);
	}
}

void sessions_reconcile(struct auth *a)
{
	for (struct session *s = store_first(a->store); s; s = s->next)
		if (s->worker && !worker_by_id(a, s->worker))
			keep(a, s, clock_unix());
}

/* ---- occtl ---------------------------------------------------------------- */

struct matches {
	TALLOC_CTX *ctx;
	char **sid;
	size_t n;
	enum err err;
};

static void add_match(struct matches *m, const struct session *s)
{
	char **sid = talloc_realloc(m->ctx, m->sid, char *, (unsigned)m->n + 1);

	if (sid)
		sid[m->n] = talloc_strdup(sid, s->sid);
	if (!sid || !sid[m->n]) {
		m->err = ERR_NOMEM;
		return;
	}
	m->sid = sid;
	m->n++;
}

/* An empty question means nobody, not everybody. */
static bool is_meant(const struct session *s, const Invalidate *msg)
{
	if (*msg->user)
		return strcmp(s->user, msg->user) == 0;
	return *msg->sid && str_starts(s->sid, msg->sid);
}

void session_invalidate(struct auth *a, const Invalidate *msg)
{
	InvalidateResult result = INVALIDATE_RESULT__INIT;
	struct matches m = { .ctx = talloc_new(NULL) };

	for (struct session *s = store_first(a->store); s; s = s->next)
		if (is_meant(s, msg))
			add_match(&m, s);
	result.request = msg->request;
	if (!*msg->user && m.n > 1) {
		result.ambiguous = m.sid;
		result.n_ambiguous = m.n;
	} else {
		result.sid = m.sid;
		result.n_sid = m.n;
	}
	/* The answer first: main ends the tunnels with the reason it has for them. */
	(void)main_tell(a, TO_MAIN__MSG_INVALIDATE_RESULT, &result);
	for (size_t i = 0; i < result.n_sid; i++) {
		struct session *s = store_by_sid(a->store, result.sid[i]);

		if (s)
			expire(a, s, END_REASON__END_ADMIN);
	}
	talloc_free(m.ctx);
}

/* A list under way, sent in parts because a message has a limit. */
struct list {
	struct auth *a;
	TALLOC_CTX *ctx; /* of the part */
	SessionList msg;
	SessionRow *row[LIST_PART];
};

static void send_part(struct list *l, bool more)
{
	l->msg.session = l->row;
	l->msg.more = more;
	(void)main_tell(l->a, TO_MAIN__MSG_SESSION_LIST, &l->msg);
	l->msg.n_session = 0;
	talloc_free_children(l->ctx);
}

/* A new row of the list; NULL without memory. */
static SessionRow *add_row(struct list *l, const struct addr *remote)
{
	SessionRow *row;
	Endpoint *ep;

	if (l->msg.n_session == LIST_PART)
		send_part(l, true);
	row = talloc(l->ctx, SessionRow);
	ep = talloc(l->ctx, Endpoint);
	if (!row || !ep)
		return NULL;
	session_row__init(row);
	row->session = talloc(l->ctx, Session);
	if (!row->session)
		return NULL;
	session__init(row->session);
	endpoint__init(ep);
	ep->addr = ipc_addr(remote);
	row->session->remote = ep;
	l->row[l->msg.n_session++] = row;
	return row;
}

/* Strings are lent: the part is packed before the session can change. */
static void list_session(struct list *l, const struct session *s)
{
	SessionRow *row = add_row(l, &s->remote);

	if (!row)
		return;
	row->session->sid = (char *)(uintptr_t)s->sid;
	row->session->user = (char *)(uintptr_t)s->user;
	row->session->group = (char *)(uintptr_t)s->group;
	row->session->vhost = (char *)(uintptr_t)s->vhost;
	row->session->user_agent = (char *)(uintptr_t)s->user_agent;
	row->session->started = s->started;
	row->created = s->started;
	row->expires = s->expires;
	row->state = (char *)(uintptr_t) "authenticated";
	row->is_open = s->opened;
	row->tls_auth_ok = s->tls_auth_ok;
	row->in_use = s->worker != 0;
}

static void list_login(void *arg, const struct login_info *info)
{
	SessionRow *row = add_row(arg, info->remote);

	if (!row)
		return;
	row->session->sid = (char *)(uintptr_t)info->sid;
	row->session->user = (char *)(uintptr_t)info->user;
	row->session->vhost = (char *)(uintptr_t)info->vhost;
	row->session->user_agent = (char *)(uintptr_t)info->user_agent;
	row->session->started = info->created;
	row->created = info->created;
	row->expires = info->expires;
	row->state = (char *)(uintptr_t)info->state;
	row->tls_auth_ok = info->tls_auth_ok;
}

void session_list(struct auth *a, const ListSessions *msg)
{
	struct list *l = talloc_zero(NULL, struct list);

	if (!l)
		return;
	l->a = a;
	l->ctx = talloc_new(l);
	session_list__init(&l->msg);
	l->msg.request = msg->request;
	for (const struct session *s = store_first(a->store); s; s = s->next)
		list_session(l, s);
	logins_each(a->logins, list_login, l);
	send_part(l, false);
	talloc_free(l);
}
