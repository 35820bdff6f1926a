/* login_outcome.c - how a try of a login ends: with a ticket, another try, or a refusal
 * (config.md 6.1 and 11, radius.md 10 and 11). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "auth/login.h"
#include "base/str.h"

enum { MESSAGE = 512 };

void login_say(const struct login *g, enum log_level level, const char *event, const char *fmt, ...)
{
	char text[MESSAGE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	log_event(level, &g->log, event, LOG_KVS(kv_text(text)));
}

/* ---- failure -------------------------------------------------------------- */

/* Of a failure that leaves another try.  Not in the words that log watchers count. */
static void log_try(const struct login *g, const struct auth_backend *b, const char *reason)
{
	login_say(g, LOG_LVL_INFO, "login-try-failed", "%s-auth: try %u of user '%s' failed%s%s%s",
		  b->name, g->tries, g->user ? g->user : "", *reason ? " (" : "", reason,
		  *reason ? ")" : "");
}

/* Log watchers wait for this line.  The factor that failed first is the one to name. */
static void log_final(const struct login *g, const struct auth_backend *b, const char *reason)
{
	const char *name = b ? b->name : "certificate", *why = g->failed_at ? g->failed_why : "";

	login_say(g, LOG_LVL_NOTICE, "login-refused",
		  "%s-auth: error authenticating user '%s'%s%s%s%s%s",
		  g->failed_at ? g->failed_at : name, g->user ? g->user : "",
		  *why || *reason ? " (" : "", why, *why && *reason ? ", " : "", reason,
		  *why || *reason ? ")" : "");
}

void login_wrong(struct login *g, const struct login_policy *policy, const char *text,
		 const char *reason)
{
	const struct auth_backend *b = login_backend(g, policy);
	unsigned limit = b && b->tries < LOGIN_TRIES ? b->tries : LOGIN_TRIES;
	/* After a challenge the backend's conversation is over, there is nothing to try again in;
	 * nor is there behind the first factor. */
	bool final = ++g->tries >= limit || g->challenges || g->factor || !b;

	/* A ticket that was refused does not get better: who has nothing else may go. */
	if (b && b->front == FRONT_HTTP && !login_has_fallback(g, policy))
		final = true;

	login_failed(g, policy->points, final);
	if (final) {
		log_final(g, b, reason);
		login_deny(g, "Authentication failed", text);
		return;
	}
	log_try(g, b, reason);
	if (b->front == FRONT_HTTP) {
		login_invite(g, b->scheme, login_has_fallback(g, policy));
	} else {
		g->state = LOGIN_ASK_SECRET;
		login_ask_password(g, policy, text ? text : "Login failed.");
	}
}

void login_give_up(struct login *g, const char *reason)
{
	login_failed(g, 0, true);
	login_deny(g, reason, NULL);
}

/* ---- success -------------------------------------------------------------- */

static struct session session_of(const struct login *g, const char *group, const struct verdict *v,
				 const struct login_method *m)
{
	/* The pairs of a verdict and the rows of a session are the same two strings. */
	_Static_assert(sizeof(struct session_row) == sizeof(struct backend_pair), "same layout");

	return (struct session){
		.user = g->user,
		.group = group,
		.vhost = g->vhost,
		.user_agent = g->user_agent,
		.remote = g->remote.addr,
		.backend = m->factor[0].backend ? m->factor[0].backend->name : "",
		.tls_auth_ok = m->certificate,
		.cert_user = m->certificate ? g->machine : "",
		.row = v ? (struct session_row *)(void *)v->rows.item : NULL,
		.n_rows = v ? v->rows.n : 0,
	};
}

/* What goes with the success in WWW-Authenticate: the proof that it is us (RFC 4559 5). */
static const char *last_word(const struct login *g, const struct login_policy *policy,
			     const struct verdict *v)
{
	const struct auth_backend *b = login_backend(g, policy);

	return v && b && b->front == FRONT_HTTP ? v->text : NULL;
}

void login_grant(struct login *g, const struct login_policy *policy, const char *group,
		 const struct verdict *v)
{
	const struct logins_ops *ops = g->all->ops;
	struct login_grant grant = {
		.policy = policy,
		.worker = g->worker,
		.cookie = g->cookie,
		.session = session_of(g, group, v, &policy->method[g->method]),
	};

	/* The session is written before the client hears of its cookie. */
	if (ops->grant(g->all->arg, &grant)) {
		login_give_up(g, "Internal error");
		return;
	}
	login_send_ticket(g, group, last_word(g, policy, v));
	login_end(g);
}

void login_finish_certificate(struct login *g, const struct login_policy *policy)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct group_list list = { .n = 0 };
	enum group_choice choice = GROUP_UNSELECTED;
	const char *name = "", *group = "";

	login_groups(tmp, g, policy, &list, &choice, &name);
	switch (group_of_certificate(&list, choice, name, &g->cert_groups, &group)) {
	case GROUP_OK:
		login_grant(g, policy, group, NULL);
		break;
	case GROUP_ASK:
		g->state = LOGIN_ASK_GROUP;
		login_ask_group(g, policy);
		break;
	case GROUP_REFUSE:
		login_say(
			g, LOG_LVL_NOTICE, "group-refused",
			"user '%s' requested group '%s' but is not included on his certificate groups",
			g->user, name);
		login_wrong(g, policy, NULL, "");
		break;
	}
	talloc_free(tmp);
}

/* The certificate part of a login that needed more than it. */
static bool certificate_agrees(const struct login *g, enum group_choice choice, const char *group)
{
	if (strcmp(g->cert_user, g->user) != 0) {
		login_say(
			g, LOG_LVL_INFO, "certificate-mismatch",
			"user '%s' (session: %s) presented a certificate which is for user '%s'; rejecting",
			g->user, g->sid_short, g->cert_user);
		return false;
	}
	if (choice == GROUP_NAMED && g->cert_groups.n && !strv_has(&g->cert_groups, group)) {
		login_say(
			g, LOG_LVL_INFO, "certificate-mismatch",
			"user '%s' (session: %s) presented a certificate from group '%s' but he isn't a "
			"member of it; rejecting",
			g->user, g->sid_short, g->cert_groups.item[0]);
		return false;
	}
	return true;
}

/* The groups of the user (config.md 11): those of the backend, or of the certificate shown beside
 * one that knows none.  The list of the form is only an offer: with nobody to say who is in a
 * group, a client must not choose the one with more rights. */
static const struct strv *memberships(const struct login *g, const struct login_method *m,
				      const struct verdict *v)
{
	static const struct strv none;

	if (m->factor[0].backend->knows_groups)
		return &v->groups;
	return m->certificate ? &g->cert_groups : &none;
}

/* Names go into logs, the environment of scripts and file names, whatever backends think of them.
 */
static bool is_name(const char *text, size_t most)
{
	return strlen(text) <= most && !str_has_control(text);
}

bool login_agrees(TALLOC_CTX *ctx, const struct login *g, const struct login_policy *policy,
		  const struct verdict *v, const char **group)
{
	const struct login_method *m = &policy->method[g->method];
	struct group_list list = { .n = 0 };
	enum group_choice choice = GROUP_UNSELECTED;
	const char *name = "";

	if (!g->user || !*g->user || !is_name(g->user, BACKEND_NAME_MAX)) {
		log_notice(&g->log, "user-name-refused",
			   kv_text("no user name, an overlong one, or one with control "
				   "characters"));
		return false;
	}
	login_groups(ctx, g, policy, &list, &choice, &name);
	if (group_of_member(choice, name, memberships(g, m, v), group) != GROUP_OK) {
		login_say(g, LOG_LVL_NOTICE, "group-refused",
			  "user '%s' requested group '%s' but is not a member", g->user, name);
		return false;
	}
	return is_name(*group, BACKEND_GROUP_MAX) &&
	       (!m->certificate || certificate_agrees(g, choice, *group));
}
