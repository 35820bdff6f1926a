/* fuzz_auth_step.c - whole login dialogues: the steps that hostile workers send in any order, and
 * what backends may answer.  Input: records of a tag byte, a length byte and that many bytes; the
 * tag says whether they are a Step message or a verdict's text. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "auth/logins.h"
#include "base/log.h"
#include "ipc/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORKERS = 3 }; /* numbered from 1 as main does */

static const struct auth_backend password = {
	.name = "plain", .front = FRONT_FORM, .knows_groups = true, .tries = 3, .lists_groups = true
};
static const struct auth_backend negotiate = { .name = "gssapi",
					       .front = FRONT_HTTP,
					       .scheme = "Negotiate",
					       .scheme_by_invitation = true,
					       .tries = 3 };
/* Asks for codes behind either. */
static const struct auth_backend codes = { .name = "codes", .front = FRONT_FORM, .tries = 3 };

struct rig {
	struct login_policy policy;
	struct login_method method[3];
	int64_t now;
	runner_done_fn *done;
	void *done_arg;
	struct runner_job *job;
	unsigned owed[WORKERS + 1]; /* answers that are due */
	/* Of the newest step of a backend. */
	const struct auth_backend *asked;
	bool moot;
	bool accepted; /* the last verdict */
};

static const struct login_policy *ops_policy(void *arg, const char *vhost)
{
	(void)vhost;
	return &((struct rig *)arg)->policy;
}

static int64_t ops_now(void *arg)
{
	return ((struct rig *)arg)->now;
}

/* Stands for a job of the pool. */
struct job {
	struct rig *rig;
};

static int forget_job(struct job *j)
{
	j->rig->job = NULL;
	return 0;
}

static enum err ops_run(void *arg, TALLOC_CTX *owner, const struct runner_call *call,
			runner_done_fn *done, void *done_arg, struct runner_job **job)
{
	struct rig *r = arg;
	struct job *j;

	if (r->job)
		return ERR_EXHAUSTED;
	r->asked = call->backend;
	r->moot = call->input && call->input->moot;
	j = talloc(owner, struct job);
	j->rig = r;
	talloc_set_destructor(j, forget_job);
	r->done = done;
	r->done_arg = done_arg;
	r->job = *job = (struct runner_job *)(void *)j;
	return ERR_OK;
}

/* The job goes on for a new owner. */
static bool ops_abandon(void *arg, struct runner_job *job, TALLOC_CTX *owner, runner_done_fn *done,
			void *done_arg)
{
	struct rig *r = arg;

	talloc_steal(owner, job);
	r->done = done;
	r->done_arg = done_arg;
	return true;
}

static void ops_answer(void *arg, uint64_t worker, const StepResult *result)
{
	struct rig *r = arg;

	if (worker > WORKERS || !r->owed[worker] || !protobuf_c_message_check(&result->base))
		abort();
	r->owed[worker] = 0;
}

static void ops_failed(void *arg, uint64_t worker, const struct endpoint *remote, const char *user,
		       uint32_t points, bool final)
{
	(void)arg;
	(void)remote;
	(void)worker;
	(void)points;
	(void) final;
	if (!user)
		abort();
}

static enum err ops_grant(void *arg, const struct login_grant *grant)
{
	const struct rig *r = arg;

	/* A second factor is asked last, and for nothing once another has failed. */
	if (r->method[0].factor[1].backend && *grant->session.backend &&
	    (r->asked != &codes || r->moot || !r->accepted))
		abort();
	if (!*grant->session.user || strlen(grant->session.group) > BACKEND_GROUP_MAX)
		abort();
	return ERR_OK;
}

static const struct logins_ops ops = {
	.policy = ops_policy,
	.now = ops_now,
	.run = ops_run,
	.abandon = ops_abandon,
	.answer = ops_answer,
	.failed = ops_failed,
	.grant = ops_grant,
};

static void quiet(void *arg, enum log_level level, const char *text)
{
	(void)arg;
	(void)level;
	(void)text;
}

static void configure(struct rig *r, uint8_t how)
{
	static const struct group_entry groups[] = { { "staff", "Staff" }, { "guests", "G" } };

	r->method[0] = (struct login_method){ .certificate = how & 1,
					      .factor = { { .backend = &password } } };
	r->method[1] = (struct login_method){ .factor = { { .backend = &negotiate } } };
	r->method[2] = (struct login_method){ .certificate = true };
	if (how >> 6 & 1)
		r->method[0].factor[1].backend = r->method[1].factor[1].backend = &codes;
	r->policy = (struct login_policy){ .vhost = "default",
					   .method = r->method,
					   .n_methods = 1 + (size_t)(how >> 1 & 1) * 2,
					   .groups = { groups, how >> 2 & 1 ? 2 : 0,
						       how >> 3 & 1 ? "none" : NULL },
					   .auto_groups = how >> 4 & 1,
					   .group_by_url = how >> 5 & 1,
					   .lifetime = 300,
					   .points = 10 };
}

static void step(struct rig *r, struct logins *l, uint8_t tag, const uint8_t *data, size_t len)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct login_peer peer = { .worker = 1 + tag % WORKERS };
	ProtobufCMessage *msg;

	if (!ipc_unpack(tmp, &step__descriptor, data, len, &msg)) {
		Step *s = (Step *)(void *)msg;

		r->owed[peer.worker] = 1;
		logins_step(l, &peer, s);
	}
	talloc_free(tmp);
}

static void verdict(struct rig *r, uint8_t tag, const uint8_t *data, size_t len)
{
	char text[256], *names[] = { text };
	struct verdict v = { .kind = tag % VERDICT_KINDS, .text = text, .reason = text };

	memcpy(text, data, len);
	text[len] = '\0';
	if (tag & 64)
		v.user = text;
	if (tag & 32)
		v.groups = (struct strv){ names, 1 };
	v.state = data;
	v.state_len = len;
	if (!r->job)
		return;
	r->accepted = v.kind == VERDICT_ACCEPT;
	talloc_free(r->job);
	r->done(r->done_arg, ERR_OK, &v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct log_sink sink = { .write = quiet,
					      .max = LOG_LVL_ERR,
					      .process = "fuzz" };
	struct rig *r = talloc_zero(NULL, struct rig);
	struct logins *l;

	log_set_sink(&sink);
	if (!size || logins_new(r, &ops, r, &l)) {
		talloc_free(r);
		return 0;
	}
	configure(r, data[0]);
	for (data++, size--; size >= 2 && size >= 2u + data[1];) {
		uint8_t tag = data[0], len = data[1];

		if (tag < 128)
			step(r, l, tag, data + 2, len);
		else if (tag < 240)
			verdict(r, tag, data + 2, len);
		else if (tag < 250)
			logins_worker_gone(l, 1 + tag % WORKERS);
		else
			r->now += 100;
		logins_expire(l);
		data += 2u + len;
		size -= 2u + len;
	}
	talloc_free(r);
	return 0;
}
