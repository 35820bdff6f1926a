/* runner_main.c - a runner: takes one job after the other from its channel, may block in each.
 *
 * It inherits auth's sandbox, knows nothing but the job at hand, and forgets that with its answer:
 * each job has a talloc context of its own, and messages are wiped when they are freed. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "auth/runner.h"
#include "base/log.h"
#include "ipc/msg.h"
#include "ipc/runner.pb-c.h"

static struct endpoint endpoint_of(const Endpoint *msg)
{
	struct endpoint ep = { .port = 0 };

	if (!msg)
		return ep;
	if (msg->addr.len == 4 || msg->addr.len == 16) {
		ep.addr.family = msg->addr.len == 4 ? AF_INET : AF_INET6;
		memcpy(ep.addr.bytes, msg->addr.data, msg->addr.len);
	}
	ep.port = (uint16_t)msg->port;
	return ep;
}

/* One step of a login. */
static enum err step(TALLOC_CTX *ctx, const struct auth_backend *b, const void *conf,
		     const RunnerJob *job, struct verdict *v)
{
	struct backend_input in = {
		.user = job->user,
		.answer = job->has_answer ? job->answer : NULL,
		.authorization = *job->authorization ? job->authorization : NULL,
		.state = job->state.data,
		.state_len = job->state.len,
		.vhost = job->vhost,
		.sid = job->sid,
		.user_agent = job->user_agent,
		.remote = endpoint_of(job->remote),
		.local = endpoint_of(job->local),
	};

	return b->step(ctx, conf, &in, v);
}

static enum err recheck(TALLOC_CTX *ctx, const struct auth_backend *b, const void *conf,
			const RunnerJob *job, struct verdict *v)
{
	bool allowed = false;
	enum err err = b->allows ? b->allows(ctx, conf, job->user, &allowed) : ERR_UNSUPPORTED;

	v->kind = allowed ? VERDICT_ACCEPT : VERDICT_REJECT;
	return err;
}

/* Options are parsed for every job: that costs nothing beside the work, and keeps runners free of
 * state that a reload would have to reach. */
static enum err run(TALLOC_CTX *ctx, const RunnerJob *job, struct verdict *v)
{
	const struct auth_backend *b = backend_find(job->backend);
	struct backend_pairs options = { .n = 0 };
	const char *why = "";
	void *conf = NULL;
	enum err err;

	if (!b)
		return ERR_UNSUPPORTED;
	options.item = talloc_array(ctx, struct backend_pair, (unsigned)job->n_option);
	if (!options.item)
		return ERR_NOMEM;
	for (; options.n < job->n_option; options.n++)
		options.item[options.n] = (struct backend_pair){ job->option[options.n]->key,
								 job->option[options.n]->value };
	err = b->open(ctx, &options, &conf, &why);
	if (err) {
		log_err(NULL, "backend-unusable", kv_text(why));
		return err;
	}
	if (job->recheck)
		return recheck(ctx, b, conf, job, v);
	if (!job->list_groups)
		return step(ctx, b, conf, job, v);
	v->kind = VERDICT_ACCEPT;
	return b->groups ? b->groups(ctx, conf, &v->groups) : ERR_UNSUPPORTED;
}

static enum err rows_to_msg(TALLOC_CTX *ctx, const struct backend_pairs *rows, RunnerVerdict *msg)
{
	RunnerPair *pair = talloc_array(ctx, RunnerPair, (unsigned)rows->n);

	msg->row = talloc_array(ctx, RunnerPair *, (unsigned)rows->n);
	if (!pair || !msg->row)
		return ERR_NOMEM;
	for (size_t i = 0; i < rows->n; i++) {
		runner_pair__init(&pair[i]);
		/* Packing only reads them. */
		pair[i].key = (char *)(uintptr_t)rows->item[i].key;
		pair[i].value = (char *)(uintptr_t)rows->item[i].value;
		msg->row[i] = &pair[i];
	}
	msg->n_row = rows->n;
	return ERR_OK;
}

/* Messages have no const and no NULL; one that is sent is only read. */
static char *text_of(const char *text)
{
	return (char *)(uintptr_t)(text ? text : "");
}

static enum err reply(TALLOC_CTX *ctx, int channel, uint64_t id, const struct verdict *v)
{
	FromRunner top = FROM_RUNNER__INIT;
	RunnerVerdict msg = RUNNER_VERDICT__INIT;
	enum err err = rows_to_msg(ctx, &v->rows, &msg);

	if (err)
		return err;
	msg.id = id;
	msg.kind = (uint32_t)v->kind;
	msg.text = text_of(v->text);
	msg.echo = v->echo;
	msg.state.data = (uint8_t *)(uintptr_t)v->state;
	msg.state.len = v->state_len;
	msg.user = text_of(v->user);
	msg.group = v->groups.item;
	msg.n_group = v->groups.n;
	msg.reason = text_of(v->reason);
	top.msg_case = FROM_RUNNER__MSG_VERDICT;
	top.verdict = &msg;
	/* One job is under way at a time, so there is always room for its verdict. */
	return ipc_send(channel, &top.base, NULL, 0);
}

static enum err one_job(TALLOC_CTX *ctx, int channel)
{
	ProtobufCMessage *top;
	const RunnerJob *job;
	struct ipc_fds fds;
	struct verdict v = { .kind = VERDICT_REJECT };
	enum err err = ipc_recv(ctx, channel, &to_runner__descriptor, &top, &fds);

	if (err)
		return err;
	ipc_fds_close(&fds);
	if (ipc_case(top) != TO_RUNNER__MSG_JOB)
		return ERR_PROTO;
	job = ((const ToRunner *)(const void *)top)->job;
	err = run(ctx, job, &v);
	/* Half a verdict must not be taken for one. */
	if (err)
		v = (struct verdict){ .kind = VERDICT_ERROR, .reason = err_text(err) };
	return reply(ctx, channel, job->id, &v);
}

int runner_main(int channel)
{
	struct pollfd p = { .fd = channel, .events = POLLIN };
	enum err err = ERR_OK;

	while (!err || err == ERR_AGAIN) {
		TALLOC_CTX *ctx = talloc_new(NULL);

		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return 1;
		err = one_job(ctx, channel);
		talloc_free(ctx);
	}
	return err == ERR_CLOSED ? 0 : 1;
}
