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

/* One piece of work.  A conversation is one, too: it takes further jobs from the channel, each of
 * which answers a question. */
struct piece {
	int channel;
	const struct backend_work *backend;
	const RunnerJob *job; /* the newest */
	TALLOC_CTX *answer;   /* of that, when it is not the first; or NULL */
	bool abandoned;	      /* nobody wants to know what comes of it */
};

static struct backend_input input_of(const RunnerJob *job)
{
	return (struct backend_input){
		.user = job->user,
		.answer = job->has_answer ? job->answer : NULL,
		.authorization = *job->authorization ? job->authorization : NULL,
		.state = job->state.data,
		.state_len = job->state.len,
		.moot = job->moot,
		.vhost = job->vhost,
		.sid = job->sid,
		.user_agent = job->user_agent,
		.remote = ipc_endpoint_read(job->remote),
		.local = ipc_endpoint_read(job->local),
		.kept = job->kept.data,
		.kept_len = job->kept.len,
	};
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

static enum err reply(TALLOC_CTX *ctx, const struct piece *p, const struct verdict *v, bool asks)
{
	FromRunner top = FROM_RUNNER__INIT;
	RunnerVerdict msg = RUNNER_VERDICT__INIT;
	enum err err = rows_to_msg(ctx, &v->rows, &msg);

	if (err)
		return err;
	msg.id = p->job->id;
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
	msg.asks = asks;
	msg.delay_ms = v->delay_ms;
	top.msg_case = FROM_RUNNER__MSG_VERDICT;
	top.verdict = &msg;
	/* One job is under way at a time, so there is always room for its verdict. */
	return ipc_send(p->channel, &top.base, NULL, 0);
}

/* Waits for the next job, which is a child of CTX. */
static enum err next_job(TALLOC_CTX *ctx, int channel, const RunnerJob **out)
{
	struct pollfd wait = { .fd = channel, .events = POLLIN };
	enum err err = ERR_AGAIN;
	ProtobufCMessage *top;
	struct ipc_fds fds;

	while (err == ERR_AGAIN) {
		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			return ERR_SYS;
		err = ipc_recv(ctx, channel, &to_runner__descriptor, &top, &fds);
	}
	if (err)
		return err;
	ipc_fds_close(&fds);
	if (ipc_case(top) != TO_RUNNER__MSG_JOB)
		return ERR_PROTO;
	*out = ((const ToRunner *)(const void *)top)->job;
	return ERR_OK;
}

/* backend_input.ask.  The channel is only closed on a runner in use when its client has gone. */
static enum err ask(void *arg, const struct verdict *question, struct backend_input *in)
{
	struct piece *p = arg;
	TALLOC_CTX *ctx = talloc_new(NULL);
	enum err err = p->abandoned ? ERR_CLOSED : reply(ctx, p, question, true);

	if (!err)
		err = next_job(ctx, p->channel, &p->job);
	if (err) {
		p->abandoned = true;
		talloc_free(ctx);
		return ERR_CLOSED;
	}
	talloc_free(p->answer);
	p->answer = ctx;
	*in = input_of(p->job);
	in->ask = ask;
	in->ask_arg = p;
	return ERR_OK;
}

static enum err recheck(TALLOC_CTX *ctx, const struct backend_work *b, const void *conf,
			const struct backend_input *in, struct verdict *v)
{
	return b->allows ? b->allows(ctx, conf, in, v) : ERR_UNSUPPORTED;
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

static enum err work(TALLOC_CTX *ctx, struct piece *p, const void *conf, struct verdict *v)
{
	const struct backend_work *b = p->backend;
	const RunnerJob *job = p->job;
	struct backend_input in = input_of(job);

	in.ask = ask;
	in.ask_arg = p;
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
static enum err run(TALLOC_CTX *ctx, struct piece *p, struct verdict *v)
{
	struct backend_pairs options = { .n = 0 };
	const RunnerJob *job = p->job;
	const char *why = "";
	void *conf = NULL;
	enum err err;

	options.item = talloc_array(ctx, struct backend_pair, (unsigned)job->n_option);
	if (!options.item)
		return ERR_NOMEM;
	for (; options.n < job->n_option; options.n++)
		options.item[options.n] = (struct backend_pair){ job->option[options.n]->key,
								 job->option[options.n]->value };
	err = p->backend->traits->open(ctx, &options, &conf, &why);
	if (err) {
		log_err(NULL, "backend-unusable", kv_text(why));
		return err;
	}
	return work(ctx, p, conf, v);
}

static enum err one_piece(TALLOC_CTX *ctx, int channel, const struct backend_work *b)
{
	struct piece p = { .channel = channel, .backend = b };
	struct verdict v = { .kind = VERDICT_REJECT };
	enum err err = next_job(ctx, channel, &p.job);

	if (err)
		return err;
	err = run(ctx, &p, &v);
	/* Half a verdict must not be taken for one. */
	if (err)
		v = (struct verdict){ .kind = VERDICT_ERROR, .reason = err_text(err) };
	err = p.abandoned ? ERR_CLOSED : reply(ctx, &p, &v, false);
	talloc_free(p.answer);
	return err;
}

int runner_main(int channel, const struct backend_work *b)
{
	enum err err = ERR_OK;

	while (!err) {
		TALLOC_CTX *ctx = talloc_new(NULL);

		err = one_piece(ctx, channel, b);
		talloc_free(ctx);
	}
	return err == ERR_CLOSED ? 0 : 1;
}
