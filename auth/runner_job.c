/* runner_job.c - what the pool tells a runner and what it hears from it. */
#include <string.h>

#include "auth/runner_pool.h"
#include "base/secret.h"
#include "ipc/msg.h"

/* Copies for a job; one check at the end stands for all. */
struct copier {
	TALLOC_CTX *ctx;
	bool failed;
};

static char *copy(struct copier *c, const char *text)
{
	char *out = talloc_strdup(c->ctx, text ? text : "");

	if (!out) {
		c->failed = true;
		return NULL;
	}
	secret_mark(out); /* one of them is the password */
	return out;
}

static void copy_bytes(struct copier *c, const void *data, size_t len, ProtobufCBinaryData *out)
{
	out->len = len;
	out->data = talloc_memdup(c->ctx, len ? data : "", len ? len : 1);
	if (out->data)
		secret_mark(out->data);
	else
		c->failed = true;
}

static void copy_endpoint(struct copier *c, const struct endpoint *from, Endpoint **out)
{
	*out = talloc(c->ctx, Endpoint);
	if (!*out) {
		c->failed = true;
		return;
	}
	endpoint__init(*out);
	(*out)->port = from->port;
	copy_bytes(c, from->addr.bytes, addr_len(&from->addr), &(*out)->addr);
}

static void copy_options(struct copier *c, const struct backend_pairs *from, RunnerJob *msg)
{
	msg->option = talloc_zero_array(c->ctx, RunnerPair *, (unsigned)from->n);
	for (size_t i = 0; msg->option && i < from->n; i++) {
		RunnerPair *pair = talloc(c->ctx, RunnerPair);

		if (!pair)
			break;
		runner_pair__init(pair);
		pair->key = copy(c, from->item[i].key);
		pair->value = copy(c, from->item[i].value);
		msg->option[msg->n_option++] = pair;
	}
	if (msg->n_option != from->n)
		c->failed = true;
}

static void copy_input(struct copier *c, const struct backend_input *in, RunnerJob *msg)
{
	msg->user = copy(c, in->user);
	msg->has_answer = in->answer != NULL;
	msg->answer = copy(c, in->answer);
	msg->authorization = copy(c, in->authorization);
	copy_bytes(c, in->state, in->state_len, &msg->state);
	msg->moot = in->moot;
	msg->vhost = copy(c, in->vhost);
	msg->sid = copy(c, in->sid);
	msg->user_agent = copy(c, in->user_agent);
	copy_endpoint(c, &in->remote, &msg->remote);
	copy_endpoint(c, &in->local, &msg->local);
}

static void copy_counters(struct copier *c, const struct acct_record *from, RunnerRecord *msg)
{
	msg->counters = talloc(c->ctx, Counters);
	if (!msg->counters) {
		c->failed = true;
		return;
	}
	counters__init(msg->counters);
	msg->counters->rx_bytes = from->rx_bytes;
	msg->counters->rx_packets = from->rx_packets;
	msg->counters->tx_bytes = from->tx_bytes;
	msg->counters->tx_packets = from->tx_packets;
}

/* What a record has beyond the input of a step goes into a message of its own. */
static void copy_record(struct copier *c, const struct acct_record *from, RunnerJob *msg)
{
	struct backend_input in = {
		.user = from->user,
		.vhost = from->vhost,
		.sid = from->sid,
		.user_agent = from->user_agent,
		.remote = from->remote,
		.local = from->local,
	};
	RunnerRecord *rec = talloc(c->ctx, RunnerRecord);

	if (!rec) {
		c->failed = true;
		return;
	}
	copy_input(c, &in, msg);
	runner_record__init(rec);
	rec->kind = (uint32_t)from->kind;
	rec->group = copy(c, from->group);
	copy_bytes(c, from->v4.bytes, addr_len(&from->v4), &rec->v4);
	copy_bytes(c, from->v6.bytes, addr_len(&from->v6), &rec->v6);
	rec->started = from->started;
	rec->seconds = from->seconds;
	rec->delay = from->delay;
	rec->terminate_cause = from->terminate_cause;
	copy_counters(c, from, rec);
	msg->record = rec;
}

enum err job_new(TALLOC_CTX *owner, const struct runner_call *call, struct runner_job **out)
{
	struct runner_job *j = talloc_zero(owner, struct runner_job);
	struct copier c = { .ctx = j };

	if (!j)
		return ERR_NOMEM;
	runner_job__init(&j->msg);
	j->msg.backend = copy(&c, call->backend->name);
	copy_options(&c, call->options, &j->msg);
	j->msg.work = (uint32_t)call->work;
	j->even = call->even;
	if (call->input)
		copy_input(&c, call->input, &j->msg);
	if (call->record)
		copy_record(&c, call->record, &j->msg);
	copy_bytes(&c, call->payload, call->payload_len, &j->msg.payload);
	if (c.failed) {
		talloc_free(j);
		return ERR_NOMEM;
	}
	*out = j;
	return ERR_OK;
}

enum err job_send(struct chan *chan, struct runner_job *j, const struct line *line)
{
	ToRunner top = TO_RUNNER__INIT;
	enum err err;

	top.msg_case = TO_RUNNER__MSG_JOB;
	top.job = &j->msg;
	/* The newest that is kept, not what was when the job was made. */
	j->msg.kept.data = line->keep;
	j->msg.kept.len = line->keep_len;
	err = chan_send(chan, &top.base, NULL, 0);
	j->msg.kept.data = NULL;
	j->msg.kept.len = 0;
	return err;
}

static void on_held(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct runner_job *j = w->data;
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct verdict v;
	enum err err = job_verdict(tmp, j->held, &v);

	(void)loop;
	(void)revents;
	/* The job goes first; what the callback reads stays. */
	talloc_steal(tmp, j->held_ctx);
	job_finish(j, err, err ? NULL : &v);
	talloc_free(tmp);
}

enum err job_hold(struct runner_job *j, const RunnerVerdict *msg)
{
	size_t len = runner_verdict__get_packed_size(msg);
	TALLOC_CTX *ctx = talloc_new(j);
	uint8_t *bytes = talloc_size(ctx, len);
	ProtobufCMessage *copy;
	unsigned ms = msg->delay_ms;
	enum err err;

	if (!bytes) {
		talloc_free(ctx);
		return ERR_NOMEM;
	}
	runner_verdict__pack(msg, bytes);
	err = ipc_unpack(ctx, &runner_verdict__descriptor, bytes, len, &copy);
	if (err) {
		talloc_free(ctx);
		return err;
	}
	j->held_ctx = ctx;
	j->held = (const RunnerVerdict *)(const void *)copy;
	ms = ms < BACKEND_DELAY_MAX_MS ? ms : BACKEND_DELAY_MAX_MS;
	ev_timer_init(&j->hold, on_held, ms / 1000.0, 0);
	j->hold.data = j;
	ev_timer_start(j->loop, &j->hold);
	return ERR_OK;
}

/* A runner has read what clients sent, so it is not believed blindly. */
enum err job_verdict(TALLOC_CTX *ctx, const RunnerVerdict *msg, struct verdict *v)
{
	if (msg->kind >= VERDICT_KINDS || msg->n_group > BACKEND_GROUPS_MAX ||
	    msg->state.len > BACKEND_STATE_MAX || msg->keep.len > BACKEND_KEEP_MAX)
		return ERR_PROTO;
	*v = (struct verdict){ .kind = (enum verdict_kind)msg->kind, .echo = msg->echo };
	v->text = *msg->text ? msg->text : NULL;
	v->state = msg->state.data;
	v->state_len = msg->state.len;
	v->user = *msg->user ? msg->user : NULL;
	v->reason = msg->reason;
	v->payload = msg->payload.data;
	v->payload_len = msg->payload.len;
	v->groups = (struct strv){ msg->group, msg->n_group };
	v->rows.n = msg->n_row;
	v->rows.item = talloc_array(ctx, struct backend_pair, (unsigned)msg->n_row);
	if (!v->rows.item)
		return ERR_NOMEM;
	for (size_t i = 0; i < msg->n_row; i++)
		v->rows.item[i] = (struct backend_pair){ msg->row[i]->key, msg->row[i]->value };
	return ERR_OK;
}
