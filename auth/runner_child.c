/* runner_child.c - the processes of the pool: how they start, answer and end. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/runner_pool.h"
#include "auth/spawn.h"
#include "base/log.h"
#include "base/secret.h"

enum { CHILDREN_DEPTH = 4, CHILDREN_TEXT = 1024 };

/* Seconds for a dismissed runner to unwind what it was doing; libraries tidy up in it. */
static const double grace = 2;

/* ---- the end of one ------------------------------------------------------- */

/* Programs that a PAM module started would go on without us, and hang for as long as what they
 * wait for.  Without the file of the kernel (CONFIG_PROC_CHILDREN) they do. */
static void kill_children(pid_t pid, unsigned depth)
{
	char path[64], text[CHILDREN_TEXT];
	size_t len = 0;
	char *rest = text;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
	f = depth ? fopen(path, "re") : NULL;
	if (f) {
		len = fread(text, 1, sizeof text - 1, f);
		fclose(f);
	}
	/* Each number ends with a blank.  The last one of a list that does not fit would be cut to
	 * another process's. */
	while (len && text[len - 1] != ' ')
		len--;
	text[len] = '\0';
	for (char *word; (word = strsep(&rest, " ")) != NULL;) {
		pid_t child = (pid_t)strtol(word, NULL, 10);

		if (child <= 1)
			continue;
		kill_children(child, depth - 1);
		kill(child, SIGKILL);
	}
}

void runner_kill(pid_t pid)
{
	/* Stopped, it cannot start another one meanwhile. */
	kill(pid, SIGSTOP);
	kill_children(pid, CHILDREN_DEPTH);
	kill(pid, SIGKILL);
}

/* Takes R out of its lane; the caller sees to its end. */
static void leave(struct runner *r)
{
	talk_over(r);
	*r->prev = r->next;
	if (r->next)
		r->next->prev = r->prev;
	r->prev = NULL;
	r->lane->n_runners--;
	r->lane = NULL;
	r->busy = false;
	ev_timer_stop(r->pool->loop, &r->limit);
	talloc_free(r->chan);
	r->chan = NULL;
}

/* With the pool, or after its process was reaped. */
static int runner_destroy(struct runner *r)
{
	ev_child_stop(r->pool->loop, &r->end);
	if (r->lane)
		leave(r);
	ev_timer_stop(r->pool->loop, &r->limit);
	if (r->job)
		r->job->runner = NULL;
	if (r->pid)
		runner_kill(r->pid);
	return 0;
}

static void wait_for(struct runner *r, double seconds)
{
	ev_timer_stop(r->pool->loop, &r->limit);
	ev_timer_set(&r->limit, seconds, 0);
	ev_timer_start(r->pool->loop, &r->limit);
}

void runner_dismiss(struct runner *r)
{
	leave(r);
	wait_for(r, grace);
}

void runner_retire(struct runner *r, enum err why)
{
	struct lane *lane = r->lane;
	struct runner_job *j = r->job;
	bool talked = r->talk;

	if (!lane)
		return;
	r->job = NULL;
	leave(r);
	if (r->pid)
		runner_kill(r->pid);
	if (!j)
		return;
	j->runner = NULL;
	/* It may have died before it read the job; a job that kills runners gets no third one.  The
	 * next one would know nothing of a conversation. */
	if (why == ERR_CLOSED && !j->again && !talked) {
		j->again = true;
		lane_enqueue(lane, j);
	} else {
		job_finish(j, why, NULL);
	}
}

/* The process was reaped. */
static void on_end(struct ev_loop *loop, ev_child *w, int revents)
{
	struct runner *r = w->data;
	struct lane *lane = r->lane;

	(void)loop;
	(void)revents;
	r->pid = 0;
	if (lane)
		log_err(NULL, "runner-ended", kv_u64("pid", (uint64_t)w->rpid),
			kv_u64("status", (uint64_t)w->rstatus));
	runner_retire(r, ERR_CLOSED);
	talloc_free(r);
	if (lane)
		lane_run(lane);
}

static void on_limit(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct runner *r = w->data;
	struct lane *lane = r->lane;

	(void)loop;
	(void)revents;
	if (!lane) {
		if (r->pid)
			runner_kill(r->pid);
	} else if (r->busy) {
		log_warn(NULL, "runner-too-slow", kv_u64("pid", (uint64_t)r->pid),
			 kv_str("backend", lane->line->backend->name));
		runner_retire(r, ERR_TIMEOUT);
		lane_run(lane);
	} else {
		runner_dismiss(r);
	}
}

/* ---- messages ------------------------------------------------------------- */

/* What all runners of the line shall find from now on. */
static void keep(struct line *line, const RunnerVerdict *msg)
{
	uint8_t *copy;

	if (!msg->has_keep)
		return;
	copy = talloc_memdup(line, msg->keep.len ? msg->keep.data : (const uint8_t *)"",
			     msg->keep.len ? msg->keep.len : 1);
	if (!copy)
		return; /* what was kept is old, but not wrong */
	secret_mark(copy);
	talloc_free(line->keep);
	line->keep = copy;
	line->keep_len = msg->keep.len;
}

/* R has done its job; there may be as many others already as there may be. */
static void release(struct runner *r)
{
	if (r->lane->n_runners > r->lane->most)
		runner_dismiss(r);
	else
		wait_for(r, (double)r->pool->limits.idle_ms / 1000);
}

/* A question in the middle of a job: what counts against a time limit now is the login's. */
static void asked(struct runner *r, const struct verdict *v)
{
	struct runner_job *j = r->job;
	enum err err = talk_asked(r);

	ev_timer_stop(r->pool->loop, &r->limit);
	r->job = NULL;
	if (j)
		j->runner = NULL;
	if (err)
		runner_dismiss(r);
	if (j)
		job_finish(j, err, err ? NULL : v);
}

static bool is_late(const struct runner_job *j, const struct verdict *v)
{
	return v->kind == VERDICT_REJECT || (j->even && v->kind == VERDICT_ACCEPT);
}

static void answered(struct runner *r, const RunnerVerdict *msg, const struct verdict *v)
{
	struct runner_job *j = r->job;

	talk_over(r);
	r->job = NULL;
	if (j)
		j->runner = NULL;
	release(r);
	if (!j || (is_late(j, v) && msg->delay_ms && !job_hold(j, msg)))
		return;
	job_finish(j, ERR_OK, v);
}

static void on_message(void *arg, struct chan *chan, const ProtobufCMessage *top,
		       struct ipc_fds *fds)
{
	struct runner *r = arg;
	const FromRunner *msg = (const FromRunner *)(const void *)top;
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct lane *lane = r->lane;
	struct verdict v;

	(void)chan;
	if (msg->msg_case != FROM_RUNNER__MSG_VERDICT || fds->n || !r->busy ||
	    msg->verdict->id != r->job_id || job_verdict(tmp, msg->verdict, &v) ||
	    (msg->verdict->asks && !lane->line->backend->converses)) {
		log_err(NULL, "runner-confused", kv_u64("pid", (uint64_t)r->pid));
		runner_retire(r, ERR_PROTO);
	} else {
		r->busy = false;
		keep(lane->line, msg->verdict);
		if (msg->verdict->asks)
			asked(r, &v);
		else
			answered(r, msg->verdict, &v);
	}
	talloc_free(tmp);
	lane_run(lane);
}

static void on_closed(void *arg, struct chan *chan, enum err why)
{
	struct runner *r = arg;
	struct lane *lane = r->lane;

	(void)chan;
	log_err(NULL, "runner-lost", kv_u64("pid", (uint64_t)r->pid), kv_err(why));
	runner_retire(r, ERR_CLOSED);
	lane_run(lane);
}

/* Both ends of the same event, in either order: a runner that dies closes its channel. */
static const struct chan_ops chan_ops = { on_message, on_closed };

/* The time limit covers the work, not the wait in the queue. */
enum err runner_give(struct runner *r, struct runner_job *j)
{
	j->runner = r;
	j->msg.id = ++r->pool->next_id;
	r->job = j;
	r->job_id = j->msg.id;
	r->busy = true;
	wait_for(r, (double)r->pool->limits.time_ms / 1000);
	return job_send(r->chan, j, r->lane->line);
}

/* ---- the start of one ----------------------------------------------------- */

static enum err spawn(struct runners *p, const struct auth_backend *backend, int channel,
		      pid_t *pid)
{
	char name[NAME_MAX];

	snprintf(name, sizeof name, "sallyport-runner-%s", backend->name);
	return spawn_program(p->folder, name, p->argv, channel, pid);
}

static void join(struct runner *r, struct lane *lane)
{
	r->lane = lane;
	r->next = lane->first;
	if (r->next)
		r->next->prev = &r->next;
	r->prev = &lane->first;
	lane->first = r;
	lane->n_runners++;
}

enum err runner_start(struct lane *lane, struct runner **out)
{
	struct runners *p = lane->line->pool;
	struct runner *r = talloc_zero(p, struct runner);
	int pair[2];
	enum err err = r ? ipc_pair(pair) : ERR_NOMEM;

	if (err) {
		talloc_free(r);
		return err;
	}
	r->pool = p;
	err = spawn(p, lane->line->backend, pair[1], &r->pid);
	close(pair[1]);
	ev_init(&r->limit, on_limit);
	ev_child_init(&r->end, on_end, r->pid, 0);
	r->limit.data = r;
	r->end.data = r;
	talloc_set_destructor(r, runner_destroy);
	if (err)
		close(pair[0]);
	else
		err = chan_new(r, p->loop, pair[0], &from_runner__descriptor, &chan_ops, r,
			       &r->chan);
	if (err) {
		talloc_free(r);
		return err;
	}
	ev_child_start(p->loop, &r->end);
	join(r, lane);
	*out = r;
	return ERR_OK;
}
