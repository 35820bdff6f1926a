/* recheck.c - asks the backends of a login about the user of a cookie, all at the same time. */
#include "auth/recheck.h"

#include <string.h>

#include "auth/runner.h"
#include "ipc/msg.h"

/* One question; child of the worker, so that it ends with it. */
struct recheck {
	struct worker *w;
	const OpenSession *msg;
	recheck_done_fn *done;
	unsigned waiting; /* for so many backends */
	enum recheck_answer answer;
};

/* NULL: a reload has taken the method away. */
static const struct login_method *method_of(const struct login_policy *policy,
					    const struct session *s)
{
	for (size_t i = 0; i < policy->n_methods; i++) {
		const struct auth_backend *b = policy->method[i].factor[0].backend;

		if (b && strcmp(b->name, s->backend) == 0)
			return &policy->method[i];
	}
	return NULL;
}

static void on_verdict(void *arg, enum err err, const struct verdict *v)
{
	struct recheck *r = arg;
	struct worker *w = r->w;
	TALLOC_CTX *tmp;

	if (!err && v->kind == VERDICT_REJECT)
		r->answer = RECHECK_NO;
	else if ((err || v->kind != VERDICT_ACCEPT) && r->answer == RECHECK_YES)
		r->answer = RECHECK_FAILED;
	if (--r->waiting)
		return;
	/* The callback may free the worker. */
	tmp = talloc_new(NULL);
	w->recheck = NULL;
	talloc_steal(tmp, r);
	r->done(w, r->msg, r->answer);
	talloc_free(tmp);
}

static enum err copy_msg(struct recheck *r, const OpenSession *msg)
{
	size_t len = open_session__get_packed_size(msg);
	uint8_t *bytes = talloc_size(r, len);
	ProtobufCMessage *copy;
	enum err err;

	if (!bytes)
		return ERR_NOMEM;
	secret_mark(bytes);
	open_session__pack(msg, bytes);
	err = ipc_unpack(r, &open_session__descriptor, bytes, len, &copy);
	if (!err)
		r->msg = (const OpenSession *)(const void *)copy;
	return err;
}

static enum err ask(struct recheck *r, const struct login_factor *f, const struct session *s)
{
	struct backend_input input = { .user = s->user,
				       .vhost = s->vhost,
				       .sid = s->sid,
				       .remote = r->w->remote,
				       .local = r->w->local };
	struct runner_call call = {
		.work = WORK_RECHECK, .backend = f->backend, .options = &f->options, .input = &input
	};
	struct runner_job *job; /* ends with R */
	enum err err = runner_submit(r->w->auth->runners, r, &call, on_verdict, r, &job);

	r->waiting += !err;
	return err;
}

static bool can_say(const struct login_factor *f)
{
	return f->backend && f->backend->rechecks;
}

static enum err ask_all(struct recheck *r, const struct login_method *m, const struct session *s,
			const OpenSession *msg)
{
	enum err err = copy_msg(r, msg);

	for (size_t i = 0; !err && i < LOGIN_FACTORS; i++)
		if (can_say(&m->factor[i]))
			err = ask(r, &m->factor[i], s);
	return err;
}

static bool anybody_can_say(const struct login_method *m)
{
	bool any = false;

	for (size_t i = 0; i < LOGIN_FACTORS; i++)
		any |= can_say(&m->factor[i]);
	return any;
}

bool recheck_begin(struct worker *w, const struct login_policy *policy, const struct session *s,
		   const OpenSession *msg, recheck_done_fn *done)
{
	const struct login_method *m = method_of(policy, s);
	struct recheck *r;

	TALLOC_FREE(w->recheck);
	if (!m || !anybody_can_say(m))
		return false;
	r = talloc_zero(w, struct recheck);
	if (!r) {
		done(w, msg, RECHECK_FAILED);
		return true;
	}
	r->w = w;
	r->done = done;
	r->answer = RECHECK_YES;
	w->recheck = r;
	if (ask_all(r, m, s, msg)) {
		TALLOC_FREE(w->recheck);
		done(w, msg, RECHECK_FAILED);
	}
	return true;
}
