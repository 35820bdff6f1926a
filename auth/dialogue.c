/* dialogue.c - how one login proceeds from step to step.
 *
 *	init ----> choose a method ----> certificate alone: group known? ----> ticket
 *	             |        |                                  no: ASK_GROUP
 *	             |        HTTP front: 401 with its scheme, until a header comes
 *	             form front: ASK_USER
 *	             a second certificate is needed: ASK_CERT, before either
 *	reply ---> submit to a runner ---> ACCEPT: group and certificate agree? --> ticket
 *	                                   PROMPT, CHALLENGE: ASK_SECRET, counted
 *	                                   REJECT: ASK_SECRET again, or the end
 *
 * Nothing here knows a particular method: what differs is in struct auth_backend, and the rules of
 * config.md 6.1 and 11, protocol.md 4.5 to 4.8 and radius.md 4, 10 and 11 are the same for all. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "auth/login.h"
#include "auth/second_cert.h"
#include "base/secret.h"

enum { MESSAGE = 512 };

/* One of the texts that log watchers match (admin.md 4.3). */
__attribute__((format(printf, 4, 5))) static void say(const struct login *g, enum log_level level,
						      const char *event, const char *fmt, ...)
{
	char text[MESSAGE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	log_event(level, &g->log, event, LOG_KVS(kv_text(text)));
}

/* NULL when the certificate alone is enough. */
static const struct auth_backend *backend_of(const struct login *g,
					     const struct login_policy *policy)
{
	return policy->method[g->method].backend;
}

static void set_user(struct login *g, const char *user)
{
	talloc_free((char *)(uintptr_t)g->user);
	g->user = talloc_strdup(g, user);
	g->log.user = g->user;
}

/* ---- choosing a method ---------------------------------------------------- */

static bool has_scheme(const struct login *g, const char *scheme)
{
	return strncasecmp(g->authorization, scheme, strlen(scheme)) == 0;
}

/* How well M suits what the client can do (config.md 6.1); 0: not at all. */
static unsigned suits(const struct login *g, const struct login_method *m)
{
	const struct auth_backend *b = m->backend;

	if (m->missing || (m->certificate && !g->cert_ok))
		return 0;
	if (!b)
		return 5; /* the certificate alone */
	if (b->front == FRONT_FORM)
		return 2;
	if (b->scheme_by_invitation && !g->http_auth)
		return 0;
	if (has_scheme(g, b->scheme))
		return 4; /* what it has sent is what it wants */
	return g->http_auth ? 3 : 1;
}

/* The most convenient of the methods that the client can use, the primary first among equals.
 * False: none, which means that each wants a certificate. */
static bool choose_method(struct login *g, const struct login_policy *policy)
{
	unsigned best = 0;

	for (size_t i = 0; i < policy->n_methods; i++) {
		unsigned s = suits(g, &policy->method[i]);

		if (s > best) {
			best = s;
			g->method = i;
		}
	}
	return best;
}

/* Whether a client that cannot negotiate should try again without (protocol.md 4.17): something
 * else is left that does not need an invitation. */
static bool has_fallback(const struct login *g, const struct login_policy *policy)
{
	for (size_t i = 0; i < policy->n_methods; i++) {
		const struct login_method *m = &policy->method[i];

		if (i != g->method && suits(g, m) &&
		    !(m->backend && m->backend->scheme_by_invitation))
			return true;
	}
	return false;
}

/* ---- the end of a try ----------------------------------------------------- */

/* Log watchers wait for this line; earlier failures of a login are told to main only. */
static void log_final(const struct login *g, const struct auth_backend *b, const char *reason)
{
	say(g, LOG_LVL_NOTICE, "login-refused", "%s-auth: error authenticating user '%s'%s%s%s",
	    b ? b->name : "certificate", g->user ? g->user : "", *reason ? " (" : "", reason,
	    *reason ? ")" : "");
}

/* A wrong answer: another try, or the end.  TEXT is what the client is told, NULL for our words. */
static void wrong(struct login *g, const struct login_policy *policy, const char *text,
		  const char *reason)
{
	const struct auth_backend *b = backend_of(g, policy);
	unsigned limit = b && b->tries < LOGIN_TRIES ? b->tries : LOGIN_TRIES;
	/* After a challenge the backend's conversation is over, there is nothing to try again in.
	 */
	bool final = ++g->tries >= limit || g->challenges || !b;

	/* A ticket that was refused does not get better: who has nothing else may go. */
	if (b && b->front == FRONT_HTTP && !has_fallback(g, policy))
		final = true;

	login_failed(g, policy->points, final);
	if (final) {
		log_final(g, b, reason);
		login_deny(g, "Authentication failed", text);
	} else if (b->front == FRONT_HTTP) {
		login_invite(g, b->scheme, has_fallback(g, policy));
	} else {
		g->state = LOGIN_ASK_SECRET;
		login_ask_password(g, policy, text ? text : "Login failed.");
	}
}

/* The login cannot go on, for a reason that is no wrong password. */
static void give_up(struct login *g, const char *reason)
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
		.backend = m->backend ? m->backend->name : "",
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
	const struct auth_backend *b = backend_of(g, policy);

	return v && b && b->front == FRONT_HTTP ? v->text : NULL;
}

/* The session is written before the client hears of its cookie. */
static void grant(struct login *g, const struct login_policy *policy, const char *group,
		  const struct verdict *v)
{
	const struct logins_ops *ops = g->all->ops;
	struct login_grant grant = {
		.policy = policy,
		.worker = g->worker,
		.cookie = g->cookie,
		.session = session_of(g, group, v, &policy->method[g->method]),
	};

	if (ops->grant(g->all->arg, &grant)) {
		give_up(g, "Internal error");
		return;
	}
	login_send_ticket(g, group, last_word(g, policy, v));
	login_end(g);
}

/* Only a certificate: nothing is asked unless the group is open (checklist 74 to 77). */
static void finish_certificate(struct login *g, const struct login_policy *policy)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct group_list list = { .n = 0 };
	enum group_choice choice = GROUP_UNSELECTED;
	const char *name = "", *group = "";

	login_groups(tmp, g, policy, &list, &choice, &name);
	switch (group_of_certificate(&list, choice, name, &g->cert_groups, &group)) {
	case GROUP_OK:
		grant(g, policy, group, NULL);
		break;
	case GROUP_ASK:
		g->state = LOGIN_ASK_GROUP;
		login_ask_group(g, policy);
		break;
	case GROUP_REFUSE:
		say(g, LOG_LVL_NOTICE, "group-refused",
		    "user '%s' requested group '%s' but is not included on his certificate groups",
		    g->user, name);
		wrong(g, policy, NULL, "");
		break;
	}
	talloc_free(tmp);
}

/* The certificate part of a login that needed more than it. */
static bool certificate_agrees(const struct login *g, enum group_choice choice, const char *group)
{
	if (strcmp(g->cert_user, g->user) != 0) {
		say(g, LOG_LVL_INFO, "certificate-mismatch",
		    "user '%s' (session: %s) presented a certificate which is for user '%s'; rejecting",
		    g->user, g->sid_short, g->cert_user);
		return false;
	}
	if (choice == GROUP_NAMED && g->cert_groups.n && !strv_has(&g->cert_groups, group)) {
		say(g, LOG_LVL_INFO, "certificate-mismatch",
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

	if (m->backend->knows_groups)
		return &v->groups;
	return m->certificate ? &g->cert_groups : &none;
}

/* The backend is content.  What may still stand against the login looks to the client like a wrong
 * password, so that it cannot find out groups or other people's passwords one by one. */
static void accepted(struct login *g, const struct login_policy *policy, const struct verdict *v)
{
	const struct login_method *m = &policy->method[g->method];
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct group_list list = { .n = 0 };
	enum group_choice choice = GROUP_UNSELECTED;
	const char *name = "", *group = "";
	bool ok;

	if (v->user)
		set_user(g, v->user);
	login_groups(tmp, g, policy, &list, &choice, &name);
	ok = group_of_member(choice, name, memberships(g, m, v), &group) == GROUP_OK;
	if (!ok)
		say(g, LOG_LVL_NOTICE, "group-refused",
		    "user '%s' requested group '%s' but is not a member", g->user, name);
	ok = ok && g->user && *g->user && strlen(g->user) <= BACKEND_NAME_MAX &&
	     strlen(group) <= BACKEND_GROUP_MAX;
	if (ok && (!m->certificate || certificate_agrees(g, choice, group)))
		grant(g, policy, group, v);
	else
		wrong(g, policy, NULL, "");
	talloc_free(tmp);
}

/* ---- the backend ---------------------------------------------------------- */

/* Another question.  The input's name changes with the text, so that a client which remembers
 * answers by name does not replay the password as a code (protocol.md 4.7). */
static void ask(struct login *g, const struct login_policy *policy, const struct verdict *v)
{
	const char *text = v->text ? v->text : "Please enter your password.";
	bool repeated = g->prompt && strcmp(g->prompt, text) == 0;

	if (++g->challenges > LOGIN_CHALLENGES) {
		say(g, LOG_LVL_NOTICE, "too-many-challenges",
		    "%s-auth: Access-Challenge with invalid State or Reply-Message, or max number of "
		    "password requests exceeded",
		    backend_of(g, policy)->name);
		wrong(g, policy, NULL, "");
		return;
	}
	if (!repeated)
		g->counter++;
	else if (v->kind == VERDICT_CHALLENGE)
		login_failed(g, policy->points, false);
	talloc_free((char *)(uintptr_t)g->prompt);
	g->prompt = talloc_strndup(g, text, BACKEND_TEXT_MAX);
	g->state = LOGIN_ASK_SECRET;
	login_ask_challenge(g, v);
}

/* RADIUS State, a PAM conversation's handle: opaque here, and never shown to the client. */
static enum err keep_state(struct login *g, const struct verdict *v)
{
	TALLOC_FREE(g->backend_state);
	g->backend_state_len = v->state_len;
	if (!v->state_len)
		return ERR_OK;
	g->backend_state = talloc_memdup(g, v->state, v->state_len);
	return g->backend_state ? ERR_OK : ERR_NOMEM;
}

/* A runner has answered.  The host may have left the configuration meanwhile. */
static void on_verdict(void *arg, enum err err, const struct verdict *v)
{
	struct login *g = arg;
	const struct login_policy *policy = login_policy(g);

	g->job = NULL;
	g->talking = g->talk;
	if (!err && !policy)
		err = ERR_NOT_FOUND;
	if (!err)
		err = keep_state(g, v);
	if (err || v->kind == VERDICT_ERROR) {
		log_err(&g->log, "backend-failed",
			kv_str("reason", err ? err_text(err) : v->reason));
		give_up(g, "Internal error");
		return;
	}
	switch (v->kind) {
	case VERDICT_ACCEPT:
		accepted(g, policy, v);
		break;
	case VERDICT_PROMPT:
	case VERDICT_CHALLENGE:
		ask(g, policy, v);
		break;
	case VERDICT_HTTP:
		login_invite(g, v->text ? v->text : "", has_fallback(g, policy));
		break;
	case VERDICT_REDIRECT:
		login_redirect(g, v->text ? v->text : "/");
		break;
	default:
		wrong(g, policy, v->text, v->reason);
		break;
	}
}

static void submit(struct login *g, const struct login_policy *policy, const char *answer)
{
	const struct login_method *m = &policy->method[g->method];
	struct backend_input in = {
		.user = g->user ? g->user : "",
		.answer = answer,
		.authorization = g->authorization,
		.state = g->backend_state,
		.state_len = g->backend_state_len,
		.vhost = g->vhost,
		.sid = g->sid,
		.user_agent = g->user_agent,
		.remote = g->remote,
		.local = g->local,
	};
	struct runner_call call = {
		.work = WORK_STEP,
		.backend = m->backend,
		.options = &m->options,
		.input = &in,
		.talk = &g->talk,
	};
	enum err err;

	/* Its process is gone; another one would take the answer for a password. */
	if (g->talking && !g->talk) {
		log_notice(&g->log, "conversation-lost", kv_str("backend", m->backend->name));
		give_up(g, "Authentication failed");
		return;
	}
	err = g->all->ops->run(g->all->arg, g, &call, on_verdict, g, &g->job);
	if (err) {
		log_err(&g->log, "backend-not-asked", kv_err(err));
		give_up(g, "Internal error");
	}
}

/* ---- the first step ------------------------------------------------------- */

/* Where the list of groups comes from (auto-select-group): the chosen method, or the first that
 * has one; NULL: none is wanted, or there is nobody to ask, or the answer is known. */
static const struct login_method *lister(const struct login *g, const struct login_policy *policy)
{
	const struct login_method *m = &policy->method[g->method];

	if (!policy->auto_groups || g->groups_known)
		return NULL;
	if (m->backend->lists_groups)
		return m;
	for (m = policy->method; m < policy->method + policy->n_methods; m++)
		if (m->backend && m->backend->lists_groups)
			return m;
	return NULL;
}

static void start(struct login *g, const struct login_policy *policy);

static void on_groups(void *arg, enum err err, const struct verdict *v)
{
	struct login *g = arg;
	const struct login_policy *policy = login_policy(g);

	g->job = NULL;
	g->groups_known = true;
	if (!err && v->kind != VERDICT_ACCEPT)
		err = ERR_STATE;
	for (size_t i = 0; !err && i < v->groups.n; i++)
		err = strv_add(g, &g->auto_groups, v->groups.item[i]);
	/* Without the list a login still works, with the user's first group. */
	if (err)
		log_err(&g->log, "groups-unknown", kv_err(err));
	if (policy && g->method < policy->n_methods && backend_of(g, policy))
		start(g, policy);
	else
		give_up(g, "Internal error");
}

static void ask_groups(struct login *g, const struct login_method *m)
{
	struct runner_call call = {
		.work = WORK_GROUPS,
		.backend = m->backend,
		.options = &m->options,
	};

	if (g->all->ops->run(g->all->arg, g, &call, on_groups, g, &g->job))
		give_up(g, "Internal error");
}

/* The first question of the chosen backend, or its first step when the answer came along. */
static void start(struct login *g, const struct login_policy *policy)
{
	const struct auth_backend *b = backend_of(g, policy);
	bool can_submit = b->front == FRONT_HTTP && has_scheme(g, b->scheme);
	const struct login_method *list = lister(g, policy);

	g->state = b->front == FRONT_FORM ? LOGIN_ASK_USER : LOGIN_FRESH;
	if (list && (b->front == FRONT_FORM || can_submit))
		ask_groups(g, list);
	else if (can_submit)
		submit(g, policy, NULL);
	else if (b->front == FRONT_HTTP)
		login_invite(g, b->scheme, has_fallback(g, policy));
	else
		login_ask_user(g, policy);
}

/* Forgets how far the dialogue was, but not how often it failed (protocol.md 4.1). */
static void reset(struct login *g)
{
	TALLOC_FREE(g->talk);
	g->talking = false;
	TALLOC_FREE(g->backend_state);
	g->backend_state_len = 0;
	talloc_free((char *)(uintptr_t)g->prompt);
	g->prompt = NULL;
	talloc_free((char *)(uintptr_t)g->user);
	g->user = NULL;
	g->log.user = NULL;
	g->challenges = 0;
	g->counter = 0;
	g->state = LOGIN_FRESH;
}

/* No method suits the client: it lacks a certificate, or the patience for HTTP authentication. */
static void refuse_unsuited(struct login *g, const struct login_policy *policy)
{
	for (size_t i = 0; i < policy->n_methods; i++) {
		const struct login_method *m = &policy->method[i];

		if (m->missing || (m->certificate && !g->cert_ok))
			continue;
		say(g, LOG_LVL_INFO, "no-http-authentication",
		    "the client does not offer HTTP authentication, and there is no other method; "
		    "rejecting");
		give_up(g, "Authentication failed");
		return;
	}
	say(g, LOG_LVL_INFO, "no-certificate", "user '%s' presented no certificate; rejecting", "");
	give_up(g, "No certificate");
}

/* Picks the method.  False: the login is over. */
static bool begin(struct login *g, const struct login_policy *policy)
{
	reset(g);
	if (!choose_method(g, policy)) {
		if (policy->method[0].missing) {
			say(g, LOG_LVL_ERR, "auth-method-missing",
			    "this host's authentication method is not implemented yet");
			give_up(g, "Authentication failed");
			return false;
		}
		refuse_unsuited(g, policy);
		return false;
	}
	if (policy->method[g->method].certificate && !*g->cert_user) {
		say(g, LOG_LVL_INFO, "no-username", "no username in the certificate; rejecting");
		give_up(g, "Could not read certificate");
		return false;
	}
	return true;
}

/* The next token of a negotiation whose context a runner holds; the client repeats the rest of its
 * request (protocol.md 4.17). */
static bool goes_on(const struct login *g, const struct login_policy *policy)
{
	const struct auth_backend *b =
		g->talk && g->method < policy->n_methods ? backend_of(g, policy) : NULL;

	return b && b->front == FRONT_HTTP && has_scheme(g, b->scheme) &&
	       suits(g, &policy->method[g->method]);
}

static void on_init(struct login *g, const struct login_policy *policy, const Step *msg)
{
	const struct auth_backend *b;

	if (goes_on(g, policy) && !second_cert_wanted(g, policy)) {
		submit(g, policy, NULL);
		return;
	}
	if (!begin(g, policy))
		return;
	if (second_cert_wanted(g, policy)) {
		second_cert_ask(g, msg);
		return;
	}
	b = backend_of(g, policy);
	if (!b) {
		set_user(g, g->cert_user);
		finish_certificate(g, policy);
	} else {
		start(g, policy);
	}
}

/* ---- replies -------------------------------------------------------------- */

/* The first of several wins, as with every duplicate (protocol.md 10, 29). */
static const char *answer_named(const Step *msg, const char *name)
{
	for (size_t i = 0; i < msg->n_answer; i++)
		if (strcmp(msg->answer[i]->name, name) == 0)
			return msg->answer[i]->value;
	return NULL;
}

/* The answer to the one question that is open.  Clients may send it under the name of the first
 * form, and old ones send an empty secondary_password along (protocol.md 4.6, 4.14). */
static const char *answer_of(const struct login *g, const Step *msg)
{
	const char *first = g->counter ? "secondary_password" : "password";
	const char *second = g->counter ? "password" : "secondary_password";
	const char *text = answer_named(msg, first);

	if (!text)
		text = answer_named(msg, second);
	return text;
}

/* The user may be named, or named anew after a typing error, until a backend has taken the name
 * into a conversation. */
static bool take_user(struct login *g, const struct login_policy *policy, const Step *msg)
{
	if (g->challenges)
		return true;
	if (msg->has_username && *msg->username)
		set_user(g, msg->username);
	else if (!g->user && policy->method[g->method].certificate)
		set_user(g, g->cert_user);
	return g->user;
}

static void on_password_reply(struct login *g, const struct login_policy *policy, const Step *msg)
{
	const char *answer;

	if (!take_user(g, policy, msg)) {
		start(g, policy);
		return;
	}
	answer = answer_of(g, msg);
	if (answer) {
		submit(g, policy, answer);
	} else if (g->state == LOGIN_ASK_SECRET) {
		give_up(g, "No password");
	} else {
		g->state = LOGIN_ASK_SECRET;
		login_ask_password(g, policy, NULL);
	}
}

static void on_reply(struct login *g, const struct login_policy *policy, const Step *msg)
{
	const struct auth_backend *b;

	if (g->state == LOGIN_ASK_CERT) {
		if (second_cert_reply(g, msg))
			on_init(g, policy, msg);
		return;
	}
	/* A first request may hold the answers already; after a restart of this process one does.
	 */
	if (g->state == LOGIN_FRESH && !begin(g, policy))
		return;
	/* Another connection may lack the certificate that the method was chosen for; and a reload
	 * may have changed the methods. */
	b = g->method < policy->n_methods ? backend_of(g, policy) : NULL;
	if (b && b->front == FRONT_FORM && (!policy->method[g->method].certificate || g->cert_ok) &&
	    !second_cert_wanted(g, policy))
		on_password_reply(g, policy, msg);
	else
		on_init(g, policy, msg);
}

/* compat-checklist 60: not even the right password makes up for a certificate that did not verify.
 * The worker has said why it did not. */
static bool shows_bad_certificate(const struct login *g, const struct login_policy *policy)
{
	bool asked = false;

	for (size_t i = 0; i < policy->n_methods; i++)
		asked |= policy->method[i].certificate;
	return asked && g->cert_bad;
}

void login_advance(struct login *g, const struct login_policy *policy, const Step *msg)
{
	if (shows_bad_certificate(g, policy)) {
		say(g, LOG_LVL_INFO, "bad-certificate",
		    "user '%s' presented a certificate that did not verify; rejecting",
		    g->user ? g->user : "");
		give_up(g, "No certificate");
		return;
	}
	if (msg->kind == STEP_KIND__STEP_REPLY)
		on_reply(g, policy, msg);
	else
		on_init(g, policy, msg);
}
