/* login_factors.c - the factors of a login, asked one after the other, and what follows from their
 * verdicts.
 *
 * A client that has several to prove does not learn which it has not: after one has failed the
 * others are asked in the same words, with the same work (backend_input.moot), and the refusal
 * comes at the end.  One who steals passwords cannot try them without the codes. */
#include <string.h>

#include "auth/login.h"
#include "base/secret.h"

/* What the factor G is at has asked, and how far its backend is. */
static void forget_question(struct login *g)
{
	TALLOC_FREE(g->talk);
	g->talking = false;
	TALLOC_FREE(g->backend_state);
	g->backend_state_len = 0;
	talloc_free((char *)(uintptr_t)g->prompt);
	g->prompt = NULL;
	g->challenges = 0;
}

void login_forget_factors(struct login *g)
{
	forget_question(g);
	g->factor = 0;
	g->failed_at = NULL;
	talloc_free((char *)(uintptr_t)g->failed_why);
	g->failed_why = NULL;
	TALLOC_FREE(g->granted);
}

/* ---- from one to the next ------------------------------------------------- */

bool login_at_last_factor(const struct login *g, const struct login_policy *policy)
{
	return g->factor + 1 == LOGIN_FACTORS ||
	       !policy->method[g->method].factor[g->factor + 1].backend;
}

void login_left(struct login *g, bool final)
{
	const struct login_policy *policy = login_policy(g);

	if (!g->factor || !policy)
		return;
	g->tries++;
	login_failed(g, policy->points, final);
}

static void next_factor(struct login *g, const struct login_policy *policy)
{
	forget_question(g);
	g->factor++;
	g->state = LOGIN_ASK_SECRET;
	login_submit(g, policy, NULL);
}

/* The factor G is at has failed.  TEXT and REASON as with login_wrong. */
static void failed(struct login *g, const struct login_policy *policy, const char *text,
		   const char *reason)
{
	const struct auth_backend *b = login_backend(g, policy);

	if (login_at_last_factor(g, policy)) {
		login_wrong(g, policy, text, reason);
		return;
	}
	if (!*reason)
		reason = b->front == FRONT_FORM ? "wrong password" : "refused";
	log_info(&g->log, "factor-refused", kv_str("method", b->name), kv_str("reason", reason));
	g->failed_at = b->name;
	g->failed_why = talloc_strdup(g, reason);
	if (g->failed_why)
		next_factor(g, policy);
	else
		login_give_up(g, "Internal error");
}

/* What V grants, until the last factor is proved. */
static enum err keep_grants(struct login *g, const struct verdict *v)
{
	struct verdict *kept = talloc_zero(g, struct verdict);
	struct backend_pairs *rows = &kept->rows;

	g->granted = kept;
	if (!kept)
		return ERR_NOMEM;
	for (size_t i = 0; i < v->groups.n; i++)
		if (strv_add(kept, &kept->groups, v->groups.item[i]))
			return ERR_NOMEM;
	rows->item = talloc_array(kept, struct backend_pair, (unsigned)v->rows.n);
	if (!rows->item)
		return ERR_NOMEM;
	for (; rows->n < v->rows.n; rows->n++) {
		struct backend_pair *row = &rows->item[rows->n];

		row->key = talloc_strdup(kept, v->rows.item[rows->n].key);
		row->value = talloc_strdup(kept, v->rows.item[rows->n].value);
		if (!row->key || !row->value)
			return ERR_NOMEM;
	}
	return ERR_OK;
}

/* The factor G is at is proved.  The group and the certificate are looked at each time: the first
 * time so that no code is used for a login that fails, the last time because the client may have
 * chosen and shown others meanwhile. */
static void proved(struct login *g, const struct login_policy *policy, const struct verdict *v)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	const struct verdict *first = g->factor ? g->granted : v;
	const char *group = "";

	if (!g->factor && v->user)
		login_set_user(g, v->user);
	/* Nobody should accept what does not count any more. */
	if (g->failed_at)
		failed(g, policy, NULL, "");
	else if (!login_agrees(tmp, g, policy, first, &group))
		failed(g, policy, NULL,
		       login_at_last_factor(g, policy) ? "" : "wrong group or certificate");
	else if (login_at_last_factor(g, policy))
		login_grant(g, policy, group, first);
	else if (!keep_grants(g, v))
		next_factor(g, policy);
	else
		login_give_up(g, "Internal error");
	talloc_free(tmp);
}

/* ---- verdicts ------------------------------------------------------------- */

/* Another question.  The input's name changes with the text, so that a client which remembers
 * answers by name does not replay the password as a code (protocol.md 4.7). */
static void ask(struct login *g, const struct login_policy *policy, const struct verdict *v)
{
	const char *text = v->text ? v->text : "Please enter your password.";
	bool repeated = g->prompt && strcmp(g->prompt, text) == 0;

	if (++g->challenges > LOGIN_CHALLENGES) {
		login_say(
			g, LOG_LVL_NOTICE, "too-many-challenges",
			"%s-auth: Access-Challenge with invalid State or Reply-Message, or max number of "
			"password requests exceeded",
			login_backend(g, policy)->name);
		failed(g, policy, NULL, "too many questions");
		return;
	}
	if (!repeated)
		g->counter++;
	else if (v->kind == VERDICT_CHALLENGE)
		login_failed(g, policy->points, false);
	talloc_free((char *)(uintptr_t)g->prompt);
	g->prompt = talloc_strndup(g, text, BACKEND_TEXT_MAX);
	g->state = LOGIN_ASK_SECRET;
	if (g->prompt)
		login_ask_challenge(g, v);
	else
		login_give_up(g, "Internal error");
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

/* A runner has answered.  The host or its method may have left the configuration meanwhile. */
static void on_verdict(void *arg, enum err err, const struct verdict *v)
{
	struct login *g = arg;
	const struct login_policy *policy = login_policy(g);

	g->job = NULL;
	g->talking = g->talk;
	if (!err && (!policy || !login_backend(g, policy)))
		err = ERR_NOT_FOUND;
	if (!err)
		err = keep_state(g, v);
	if (err || v->kind == VERDICT_ERROR) {
		log_err(&g->log, "backend-failed",
			kv_str("reason", err ? err_text(err) : v->reason));
		login_give_up(g, "Internal error");
		return;
	}
	switch (v->kind) {
	case VERDICT_ACCEPT:
		proved(g, policy, v);
		break;
	case VERDICT_PROMPT:
	case VERDICT_CHALLENGE:
		ask(g, policy, v);
		break;
	case VERDICT_HTTP:
		login_invite(g, v->text ? v->text : "", login_has_fallback(g, policy));
		break;
	case VERDICT_REDIRECT:
		login_redirect(g, v->text ? v->text : "/");
		break;
	default:
		failed(g, policy, v->text, v->reason);
		break;
	}
}

void login_submit(struct login *g, const struct login_policy *policy, const char *answer)
{
	const struct login_factor *f = &policy->method[g->method].factor[g->factor];
	struct backend_input in = {
		.user = g->user ? g->user : "",
		.answer = answer,
		.authorization = g->authorization,
		.state = g->backend_state,
		.state_len = g->backend_state_len,
		.moot = g->failed_at,
		.vhost = g->vhost,
		.sid = g->sid,
		.user_agent = g->user_agent,
		.remote = g->remote,
		.local = g->local,
	};
	struct runner_call call = {
		.work = WORK_STEP,
		.backend = f->backend,
		.options = &f->options,
		.input = &in,
		.talk = &g->talk,
		/* PAM delays refusals; the question for a code comes no sooner. */
		.even = !login_at_last_factor(g, policy),
	};
	enum err err;

	/* Its process is gone; another one would take the answer for a password. */
	if (g->talking && !g->talk) {
		log_notice(&g->log, "conversation-lost", kv_str("backend", f->backend->name));
		login_give_up(g, "Authentication failed");
		return;
	}
	err = g->all->ops->run(g->all->arg, g, &call, on_verdict, g, &g->job);
	if (err) {
		log_err(&g->log, "backend-not-asked", kv_err(err));
		login_give_up(g, "Internal error");
	}
}
