/* login_factors.c - what the backend of a login is asked and what follows from its verdict. */
#include <string.h>

#include "auth/login.h"
#include "base/secret.h"

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
		login_wrong(g, policy, NULL, "");
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
		login_give_up(g, "Internal error");
		return;
	}
	switch (v->kind) {
	case VERDICT_ACCEPT:
		login_accepted(g, policy, v);
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
		login_wrong(g, policy, v->text, v->reason);
		break;
	}
}

void login_submit(struct login *g, const struct login_policy *policy, const char *answer)
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
		login_give_up(g, "Authentication failed");
		return;
	}
	err = g->all->ops->run(g->all->arg, g, &call, on_verdict, g, &g->job);
	if (err) {
		log_err(&g->log, "backend-not-asked", kv_err(err));
		login_give_up(g, "Internal error");
	}
}
