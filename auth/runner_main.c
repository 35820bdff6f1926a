/* runner_main.c - the loop of a runner: takes one job after the other from its channel, may block
 * in each.
 *
 * It inherits auth's sandbox, knows nothing but the job at hand, and forgets that with its answer:
 * each job has a talloc context of its own, and messages are wiped when they are freed. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "auth/runner.h"
#include "base/log.h"
#include "ipc/convert.h"
#include "ipc/msg.h"
#include "ipc/runner.pb-c.h"

static struct backend_input input_of(const RunnerJob *job)
{
	return (struct backend_input){
		.user = job->user,
		.answer = job->has_answer ? job->answer : NULL,
		.authorization = *job->authorization ? job->authorization : NULL,
		.state = job->state.data,
		.state_len = job->state.len,
		.vhost = job->vhost,
		.sid = job->sid,
		.user_agent = job->user_agent,
		.remote = ipc_endpoint_read(job->remote),
		.local = ipc_endpoint_read(job->local),
		.kept = job->kept.data,
		.kept_len = job->kept.len,
	};
}

static enum err recheck(TALLOC_CTX *ctx, const struct backend_work *b, const void *conf,
			const struct backend_input *in, struct verdict *v)
{
	bool allowed = false;
	enum err err = b->allows ? b->allows(ctx, conf, in, &allowed) : ERR_UNSUPPORTED;

	v->kind = allowed ? VERDICT_ACCEPT : VERDICT_REJECT;
	return err;
}

static enum err list_groups(TALLOC_CTX *ctx, const struct backend_work *b, const void *conf,
			    const struct backend_input *in, struct verdict *v)
{
	v->kind = VERDICT_ACCEPT;
	return b->groups ? b->groups(ctx, conf, in, &v->groups) : ERR_UNSUPPORTED;
}

static enum err account(TALLOC_CTX *ctx, const struct backend_work *b, const void *conf,
			const struct backend_input *in, const RunnerJob *job, struct verdict *v)
{
	const RunnerRecord *msg = job->record;
	struct acct_record rec = {
		.sid = in->sid,
		.user = in->user,
		.vhost = in->vhost,
		.user_agent = in->user_agent,
		.remote = in->remote,
		.local = in->local,
	};

	if (!msg || !b->account)
		return ERR_UNSUPPORTED;
	rec.kind = (enum acct_kind)msg->kind;
	rec.group = msg->group;
	rec.v4 = ipc_addr_read(&msg->v4);
	rec.v6 = ipc_addr_read(&msg->v6);
	rec.started = msg->started;
	rec.seconds = msg->seconds;
	rec.delay = msg->delay;
	rec.terminate_cause = msg->terminate_cause;
	if (msg->counters) {
		rec.rx_bytes = msg->counters->rx_bytes;
		rec.rx_packets = msg->counters->rx_packets;
		rec.tx_bytes = msg->counters->tx_bytes;
		rec.tx_packets = msg->counters->tx_packets;
	}
	return b->account(ctx, conf, in, &rec, v);
}

static enum err work(TALLOC_CTX *ctx, const struct backend_work *b, const void *conf,
		     const RunnerJob *job, struct verdict *v)
{
	struct backend_input in = input_of(job);

	switch (job->work) {
	case WORK_STEP:
		return b->step ? b->step(ctx, conf, &in, v) : ERR_UNSUPPORTED;
	case WORK_GROUPS:
		return list_groups(ctx, b, conf, &in, v);
	case WORK_RECHECK:
		return recheck(ctx, b, conf, &in, v);
	case WORK_ACCOUNT:
		return account(ctx, b, conf, &in, job, v);
	case WORK_RELAY:
		return b->relay ? b->relay(ctx, conf, job->payload.data, job->payload.len, v)
				: ERR_UNSUPPORTED;
	default:
		return ERR_UNSUPPORTED;
	}
}

/* Options are parsed for every job: that costs nothing beside the work, and keeps runners free of
 * state that a reload would have to reach. */
static enum err run(TALLOC_CTX *ctx, const struct backend_work *b, const RunnerJob *job,
		    struct verdict *v)
{
	struct backend_pairs options = { .n = 0 };
	const char *why = "";
	void *conf = NULL;
	enum err err;

	options.item = talloc_array(ctx, struct backend_pair, (unsigned)job->n_option);
	if (!options.item)
		return ERR_NOMEM;
	for (; options.n < job->n_option; options.n++)
		options.item[options.n] = (struct backend_pair){ job->option[options.n]->key,
								 job->option[options.n]->value };
	err = b->traits->open(ctx, &options, &conf, &why);
	if (err) {
		log_err(NULL, "backend-unusable", kv_text(why));
		return err;
	}
	return work(ctx, b, conf, job, v);
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
	msg.has_keep = v->keep != NULL;
	msg.keep.data = (uint8_t *)(uintptr_t)v->keep;
	msg.keep.len = v->keep_len;
	msg.payload.data = (uint8_t *)(uintptr_t)v->payload;
	msg.payload.len = v->payload_len;
	top.msg_case = FROM_RUNNER__MSG_VERDICT;
	top.verdict = &msg;
	/* One job is under way at a time, so there is always room for its verdict. */
	return ipc_send(channel, &top.base, NULL, 0);
}

static enum err one_job(TALLOC_CTX *ctx, int channel, const struct backend_work *b)
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
	err = run(ctx, b, job, &v);
	/* Half a verdict must not be taken for one. */
	if (err)
		v = (struct verdict){ .kind = VERDICT_ERROR, .reason = err_text(err) };
	return reply(ctx, channel, job->id, &v);
}

int runner_main(int channel, const struct backend_work *b)
{
	struct pollfd p = { .fd = channel, .events = POLLIN };
	enum err err = ERR_OK;

	while (!err || err == ERR_AGAIN) {
		TALLOC_CTX *ctx = talloc_new(NULL);

		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return 1;
		err = one_job(ctx, channel, b);
		talloc_free(ctx);
	}
	return err == ERR_CLOSED ? 0 : 1;
}
