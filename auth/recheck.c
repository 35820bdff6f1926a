/* recheck.c - asks a backend about the user of a cookie. */
#include "auth/recheck.h"

#include <string.h>

#include "auth/runner.h"
#include "ipc/msg.h"

/* One question; child of the worker, so that it ends with it. */
struct recheck {
	struct worker *w;
	const OpenSession *msg;
	recheck_done_fn *done;
	struct runner_job *job;
};

/* NULL: a reload has taken the method away, or nobody need be asked. */
static const struct login_method *method_of(const struct login_policy *policy,
					    const struct session *s)
{
	for (size_t i = 0; i < policy->n_methods; i++) {
		const struct auth_backend *b = policy->method[i].backend;

		if (b && b->rechecks && strcmp(b->name, s->backend) == 0)
			return &policy->method[i];
	}
	return NULL;
}

static void on_verdict(void *arg, enum err err, const struct verdict *v)
{
	struct recheck *r = arg;
	struct worker *w = r->w;
	TALLOC_CTX *tmp = talloc_new(NULL);
	enum recheck_answer answer = RECHECK_FAILED;

	if (!err && v->kind == VERDICT_ACCEPT)
		answer = RECHECK_YES;
	else if (!err && v->kind == VERDICT_REJECT)
		answer = RECHECK_NO;
	/* The callback may free the worker. */
	w->recheck = NULL;
	talloc_steal(tmp, r);
	r->done(w, r->msg, answer);
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

bool recheck_begin(struct worker *w, const struct login_policy *policy, const struct session *s,
		   const OpenSession *msg, recheck_done_fn *done)
{
	const struct login_method *m = method_of(policy, s);
	struct backend_input input = { .user = s->user,
				       .vhost = s->vhost,
				       .sid = s->sid,
				       .remote = w->remote,
				       .local = w->local };
	struct runner_call call = { .work = WORK_RECHECK, .input = &input };
	struct recheck *r;
	enum err err;

	TALLOC_FREE(w->recheck);
	if (!m)
		return false;
	r = talloc_zero(w, struct recheck);
	if (!r) {
		done(w, msg, RECHECK_FAILED);
		return true;
	}
	r->w = w;
	r->done = done;
	w->recheck = r;
	call.backend = m->backend;
	call.options = &m->options;
	err = copy_msg(r, msg);
	if (!err)
		err = runner_submit(w->auth->runners, r, &call, on_verdict, r, &r->job);
	if (err) {
		TALLOC_FREE(w->recheck);
		done(w, msg, RECHECK_FAILED);
	}
	return true;
}
