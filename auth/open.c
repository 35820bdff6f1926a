/* open.c - a session's tunnel, from the request of a worker to main. */
#include "auth/open.h"

#include <string.h>

#include "auth/account.h"
#include "auth/recheck.h"
#include "base/clock.h"
#include "conf/pack.h"
#include "ipc/convert.h"

enum {
	OPENING = 60, /* seconds that accounting and hooks may take while a tunnel opens */
};

struct log_ctx session_log(const struct session *s, char sid_short[TICKET_SHORT + 1])
{
	str_copy(sid_short, TICKET_SHORT + 1, s->sid);
	return (struct log_ctx){ sid_short, s->user, s->vhost, &s->remote };
}

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

struct session *session_find(const struct worker *w, const char *vhost,
			     const ProtobufCBinaryData *cookie)
{
	struct session *s = store_by_cookie(w->auth->store, cookie->data, cookie->len);

	return s && strcmp(s->vhost, vhost) == 0 && !is_over(s, clock_unix()) ? s : NULL;
}

void session_bad_cookie(const struct worker *w, const char *vhost)
{
	struct log_ctx log = { .vhost = vhost, .ip = &w->remote.addr };

	log_warn(&log, "bad-cookie", kv_text("failed cookie authentication attempt"));
	/* A cookie cannot be guessed, but whoever tries shall not do so for ever. */
	worker_charge(w, w->auth->hosts->conf->ban_points_wrong_cookie);
}

static struct session *find(struct worker *w, const OpenSession *msg)
{
	struct session *s = session_find(w, msg->vhost, &msg->cookie);

	if (!s)
		session_bad_cookie(w, msg->vhost);
	return s;
}

/* Who shows the wrong certificate may have stolen the cookie (admin.md 4.3). */
static void log_certificate(const struct session *s, const OpenSession *msg)
{
	char sid_short[TICKET_SHORT + 1];
	struct log_ctx log = session_log(s, sid_short);
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
	    (msg->cert_ok && strcmp(msg->cert_user, s->cert_user) == 0))
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

/* Files of the group and the user, then what the backend granted, then what is behind others. */
static enum err read_rows(TALLOC_CTX *ctx, const struct session *s, const struct host *host,
			  struct conf_report *report, struct conf_rows *rows)
{
	enum err err = conf_user_rows(ctx, host->conf, s->user, s->group, report, NULL, rows);

	for (size_t i = 0; !err && i < s->n_rows; i++) {
		struct conf_row row = { .option = s->row[i].option,
					.value = s->row[i].value,
					.file = "" };

		err = conf_rows_add(ctx, rows, &row);
	}
	return err ? err : conf_exposed_add(ctx, host->conf, &host->exposed, s->user, rows);
}

/* The rows of the session and the settings that they and the host amount to. */
static enum err settings(TALLOC_CTX *ctx, const struct session *s, const struct host *host,
			 struct conf_rows *rows, struct session_conf **out)
{
	struct conf_report *report = conf_report_new(ctx);
	char sid_short[TICKET_SHORT + 1];
	struct log_ctx log = session_log(s, sid_short);
	enum err err = report ? read_rows(ctx, s, host, report, rows) : ERR_NOMEM;

	if (!err)
		err = conf_session_new(ctx, host->conf, rows, report, out);
	if (report)
		log_report(&log, report);
	if (err)
		log_err(&log, "session-refused", kv_err(err));
	return err;
}

/* Main checks limits, takes addresses and answers the worker itself. */
static enum err ask_main(struct worker *w, const struct session *s, const OpenSession *msg,
			 const struct conf_rows *rows, bool account)
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
	open.account = account;
	if (!err)
		err = main_tell(w->auth, TO_MAIN__MSG_SESSION_OPEN, &open);
	talloc_free(tmp);
	return err;
}

static void log_opening(const struct session *s)
{
	char sid_short[TICKET_SHORT + 1];
	struct log_ctx log = session_log(s, sid_short);
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
	bool account = false;
	enum err err;

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
	err = accounts_begin(w, s, conf->stats_report_time, &account);
	if (err) {
		log_err(&log, "not-accounted", kv_err(err));
		refuse(w, 401, "Cookie is not acceptable");
	} else if (ask_main(w, s, msg, rows, account)) {
		refuse(w, 503, "Service Unavailable");
	}
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
	else if (settings(tmp, s, host, &rows, &conf))
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
		session_expire(w->auth, s, END_REASON__END_ADMIN);
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
