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
 * Where there is a second factor, the first one's ACCEPT and REJECT both lead to its question, and
 * what was refused is told after its answer.
 *
 * Nothing here knows a particular method: what differs is in struct auth_backend, and the rules of
 * config.md 6.1 and 11, protocol.md 4.5 to 4.8 and radius.md 4, 10 and 11 are the same for all. */
#include <string.h>

#include "auth/login.h"
#include "auth/second_cert.h"

void login_set_user(struct login *g, const char *user)
{
	talloc_free((char *)(uintptr_t)g->user);
	g->user = talloc_strdup(g, user);
	g->log.user = g->user;
}

/* ---- the first step ------------------------------------------------------- */

static bool lists_groups(const struct login_method *m)
{
	return m->factor[0].backend && m->factor[0].backend->lists_groups;
}

/* Where the list of groups comes from (auto-select-group): the chosen method, or the first that
 * has one; NULL: none is wanted, or there is nobody to ask, or the answer is known. */
static const struct login_factor *lister(const struct login *g, const struct login_policy *policy)
{
	const struct login_method *m = &policy->method[g->method];

	if (!policy->auto_groups || g->groups_known)
		return NULL;
	if (lists_groups(m))
		return &m->factor[0];
	for (m = policy->method; m < policy->method + policy->n_methods; m++)
		if (lists_groups(m))
			return &m->factor[0];
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
	if (policy && login_backend(g, policy))
		start(g, policy);
	else
		login_give_up(g, "Internal error");
}

static void ask_groups(struct login *g, const struct login_factor *f)
{
	struct runner_call call = {
		.work = WORK_GROUPS,
		.backend = f->backend,
		.options = &f->options,
	};

	if (g->all->ops->run(g->all->arg, g, &call, on_groups, g, &g->job))
		login_give_up(g, "Internal error");
}

/* The first question of the chosen backend, or its first step when the answer came along. */
static void start(struct login *g, const struct login_policy *policy)
{
	const struct auth_backend *b = login_backend(g, policy);
	bool can_submit = b->front == FRONT_HTTP && login_has_scheme(g, b->scheme);
	const struct login_factor *list = lister(g, policy);

	g->state = b->front == FRONT_FORM ? LOGIN_ASK_USER : LOGIN_FRESH;
	if (list && (b->front == FRONT_FORM || can_submit))
		ask_groups(g, list);
	else if (can_submit)
		login_submit(g, policy, NULL);
	else if (b->front == FRONT_HTTP)
		login_invite(g, b->scheme, login_has_fallback(g, policy));
	else
		login_ask_user(g, policy);
}

/* Forgets how far the dialogue was, but not how often it failed (protocol.md 4.1). */
static void reset(struct login *g)
{
	login_left(g, false);
	login_forget_factors(g);
	talloc_free((char *)(uintptr_t)g->user);
	g->user = NULL;
	g->log.user = NULL;
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
		login_say(
			g, LOG_LVL_INFO, "no-http-authentication",
			"the client does not offer HTTP authentication, and there is no other method; "
			"rejecting");
		login_give_up(g, "Authentication failed");
		return;
	}
	login_say(g, LOG_LVL_INFO, "no-certificate",
		  "user '%s' presented no certificate; rejecting", "");
	login_give_up(g, "No certificate");
}

/* Picks the method.  False: the login is over. */
static bool begin(struct login *g, const struct login_policy *policy)
{
	reset(g);
	if (!login_choose(g, policy)) {
		if (policy->method[0].missing) {
			login_say(g, LOG_LVL_ERR, "auth-method-missing",
				  "this host's authentication method is not in this build");
			login_give_up(g, "Authentication failed");
			return false;
		}
		refuse_unsuited(g, policy);
		return false;
	}
	if (policy->method[g->method].certificate && !*g->cert_user) {
		login_say(g, LOG_LVL_INFO, "no-username",
			  "no username in the certificate; rejecting");
		login_give_up(g, "Could not read certificate");
		return false;
	}
	return true;
}

/* The next token of a negotiation whose context a runner holds; the client repeats the rest of its
 * request (protocol.md 4.17). */
static bool goes_on(const struct login *g, const struct login_policy *policy)
{
	const struct auth_backend *b = g->talk ? login_backend(g, policy) : NULL;

	return b && b->front == FRONT_HTTP && login_has_scheme(g, b->scheme) &&
	       login_suits(g, &policy->method[g->method]);
}

static void on_init(struct login *g, const struct login_policy *policy, const Step *msg)
{
	const struct auth_backend *b;

	if (goes_on(g, policy) && !second_cert_wanted(g, policy)) {
		login_submit(g, policy, NULL);
		return;
	}
	if (!begin(g, policy))
		return;
	if (second_cert_wanted(g, policy)) {
		second_cert_ask(g, msg);
		return;
	}
	b = login_backend(g, policy);
	if (!b) {
		login_set_user(g, g->cert_user);
		login_finish_certificate(g, policy);
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
 * into a conversation, or the first factor has said who it is. */
static bool take_user(struct login *g, const struct login_policy *policy, const Step *msg)
{
	if (g->challenges || g->factor)
		return true;
	if (msg->has_username && *msg->username)
		login_set_user(g, msg->username);
	else if (!g->user && policy->method[g->method].certificate)
		login_set_user(g, g->cert_user);
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
		login_submit(g, policy, answer);
	} else if (g->state == LOGIN_ASK_SECRET) {
		login_give_up(g, "No password");
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
	b = login_backend(g, policy);
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
		login_say(g, LOG_LVL_INFO, "bad-certificate",
			  "user '%s' presented a certificate that did not verify; rejecting",
			  g->user ? g->user : "");
		login_give_up(g, "No certificate");
		return;
	}
	if (msg->kind == STEP_KIND__STEP_REPLY)
		on_reply(g, policy, msg);
	else
		on_init(g, policy, msg);
}
