/* runner.c - the pool of runners, seen from the auth process. */
#include "auth/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "ipc/chan.h"
#include "ipc/runner.pb-c.h"

extern char **environ;

enum { CHANNEL_FD = 3, ARGS_MAX = 16 };

/* Seconds that a runner waits for its next job: in a quiet hour nobody pays for its memory. */
static const double idle_time = 30;

struct runner {
	struct runners *pool;
	const struct auth_backend *backend;
	pid_t pid;
	struct chan *chan;
	struct runner_job *job; /* NULL: idle, or its job was cancelled while it worked */
	bool busy;
	uint64_t job_id;
	ev_timer limit; /* of the job, or of the wait for the next one */
	ev_child end;
	struct runner *next, **prev;
};

struct runner_job {
	struct runners *pool;
	struct runner *runner; /* NULL: still queued */
	const struct auth_backend *backend;
	RunnerJob msg;
	runner_done_fn *done;
	void *arg;
	bool again;			 /* its first runner died on it */
	struct runner_job *next, **prev; /* in the queue */
};

struct runners {
	struct ev_loop *loop;
	char *folder;
	char *argv[ARGS_MAX + 1];
	struct runner_limits limits;
	struct runner *first;
	unsigned n_runners, n_queued;
	struct runner_job *head, **tail;
	uint64_t next_id;
	ev_timer kick; /* hands out jobs from the loop: no callback runs inside runner_submit */
};

/* ---- the queue ------------------------------------------------------------ */

static void enqueue(struct runners *p, struct runner_job *j)
{
	j->prev = p->tail;
	*p->tail = j;
	p->tail = &j->next;
	p->n_queued++;
}

static void dequeue(struct runner_job *j)
{
	struct runners *p = j->pool;

	*j->prev = j->next;
	if (j->next)
		j->next->prev = j->prev;
	else
		p->tail = j->prev;
	j->next = NULL;
	j->prev = NULL;
	p->n_queued--;
}

/* A cancelled job that is running lets its runner finish: most work cannot be interrupted without
 * losing the process, and its time limit holds on. */
static int job_destroy(struct runner_job *j)
{
	if (j->prev)
		dequeue(j);
	if (j->runner)
		j->runner->job = NULL;
	return 0;
}

/* Ends J.  It is freed first, because the callback may free its owner or submit the next one. */
static void finish(struct runner_job *j, enum err err, const struct verdict *v)
{
	runner_done_fn *done = j->done;
	void *arg = j->arg;

	talloc_free(j);
	done(arg, err, v);
}

/* ---- one runner ----------------------------------------------------------- */

/* With the pool, or after its process was reaped. */
static int runner_destroy(struct runner *r)
{
	ev_timer_stop(r->pool->loop, &r->limit);
	ev_child_stop(r->pool->loop, &r->end);
	if (r->pid)
		kill(r->pid, SIGKILL);
	return 0;
}

/* Takes R out of service; the process is killed and reaped later. */
static void retire(struct runner *r, enum err why)
{
	struct runner_job *j = r->job;

	if (!r->prev)
		return;
	r->job = NULL;
	*r->prev = r->next;
	if (r->next)
		r->next->prev = r->prev;
	r->prev = NULL;
	r->pool->n_runners--;
	ev_timer_stop(r->pool->loop, &r->limit);
	talloc_free(r->chan);
	r->chan = NULL;
	kill(r->pid, SIGKILL);
	if (!j)
		return;
	/* It may have died before it read the job; a job that kills runners gets no third one. */
	if (why == ERR_CLOSED && !j->again) {
		j->again = true;
		j->runner = NULL;
		enqueue(r->pool, j);
	} else {
		finish(j, why, NULL);
	}
}

static void run_next(struct runners *p);

/* The process was reaped. */
static void on_end(struct ev_loop *loop, ev_child *w, int revents)
{
	struct runner *r = w->data;
	struct runners *p = r->pool;

	(void)loop;
	(void)revents;
	r->pid = 0;
	if (r->chan)
		log_err(NULL, "runner-ended", kv_u64("pid", (uint64_t)w->rpid),
			kv_u64("status", (uint64_t)w->rstatus));
	retire(r, ERR_CLOSED);
	talloc_free(r);
	run_next(p);
}

static void on_limit(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct runner *r = w->data;
	struct runners *p = r->pool;

	(void)loop;
	(void)revents;
	if (r->busy)
		log_warn(NULL, "runner-too-slow", kv_u64("pid", (uint64_t)r->pid));
	retire(r, ERR_TIMEOUT);
	run_next(p);
}

/* The message as a verdict that borrows from it and has children of CTX.  A runner has read what
 * clients sent, so it is not believed blindly. */
static enum err to_verdict(TALLOC_CTX *ctx, const RunnerVerdict *msg, struct verdict *v)
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

static void on_message(void *arg, struct chan *chan, const ProtobufCMessage *top,
		       struct ipc_fds *fds)
{
	struct runner *r = arg;
	const FromRunner *msg = (const FromRunner *)(const void *)top;
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct runners *p = r->pool;
	struct runner_job *j = r->job;
	struct verdict v;

	(void)chan;
	if (msg->msg_case != FROM_RUNNER__MSG_VERDICT || fds->n || !r->busy ||
	    msg->verdict->id != r->job_id || to_verdict(tmp, msg->verdict, &v)) {
		log_err(NULL, "runner-confused", kv_u64("pid", (uint64_t)r->pid));
		retire(r, ERR_PROTO);
	} else {
		r->busy = false;
		ev_timer_stop(p->loop, &r->limit);
		ev_timer_set(&r->limit, idle_time, 0);
		ev_timer_start(p->loop, &r->limit);
		if (j)
			finish(j, ERR_OK, &v);
	}
	talloc_free(tmp);
	run_next(p);
}

static void on_closed(void *arg, struct chan *chan, enum err why)
{
	struct runner *r = arg;
	struct runners *p = r->pool;

	(void)chan;
	log_err(NULL, "runner-lost", kv_u64("pid", (uint64_t)r->pid), kv_err(why));
	retire(r, ERR_CLOSED);
	run_next(p);
}

/* Both ends of the same event, in either order: a runner that dies closes its channel. */
static const struct chan_ops chan_ops = { on_message, on_closed };

/* Opens the program of BACKEND, unless it could be somebody else's: it will run with our rights. */
static int open_program(const struct runners *p, const struct auth_backend *backend)
{
	char path[PATH_MAX];
	struct stat st, self;
	int fd;

	snprintf(path, sizeof path, "%s/sallyport-runner-%s", p->folder, backend->name);
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && stat("/proc/self/exe", &self) == 0 &&
	    (st.st_uid == 0 || st.st_uid == self.st_uid))
		return fd;
	log_err(NULL, "runner-not-found", kv_str("file", path));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Only the channel survives the exec; everything else of ours is close-on-exec. */
static enum err spawn(struct runners *p, const struct auth_backend *backend, int channel,
		      pid_t *pid)
{
	int program = open_program(p, backend);
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char path[64];
	sigset_t none;
	int error;

	if (program < 0)
		return ERR_NOT_FOUND;
	snprintf(path, sizeof path, "/proc/self/fd/%d", program);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&actions, channel, CHANNEL_FD);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	error = posix_spawn(pid, path, &actions, &attr, p->argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	close(program);
	if (!error)
		return ERR_OK;
	log_err(NULL, "runner-not-started", kv_str("reason", strerror(error)));
	return ERR_SYS;
}

static void add(struct runners *p, struct runner *r)
{
	r->next = p->first;
	if (r->next)
		r->next->prev = &r->next;
	r->prev = &p->first;
	p->first = r;
	p->n_runners++;
}

static enum err start_one(struct runners *p, const struct auth_backend *backend)
{
	struct runner *r = talloc_zero(p, struct runner);
	int pair[2];
	enum err err = r ? ipc_pair(pair) : ERR_NOMEM;

	if (err) {
		talloc_free(r);
		return err;
	}
	r->pool = p;
	r->backend = backend;
	err = spawn(p, backend, pair[1], &r->pid);
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
	add(p, r);
	return ERR_OK;
}

/* ---- the pool ------------------------------------------------------------- */

/* The time limit covers the work, not the wait in the queue. */
static void give(struct runner *r, struct runner_job *j)
{
	ToRunner top = TO_RUNNER__INIT;
	enum err err;

	top.msg_case = TO_RUNNER__MSG_JOB;
	top.job = &j->msg;
	dequeue(j);
	j->runner = r;
	j->msg.id = ++r->pool->next_id;
	r->job = j;
	r->job_id = j->msg.id;
	r->busy = true;
	ev_timer_stop(r->pool->loop, &r->limit);
	ev_timer_set(&r->limit, (double)r->pool->limits.time_ms / 1000, 0);
	ev_timer_start(r->pool->loop, &r->limit);
	err = chan_send(r->chan, &top.base, NULL, 0);
	if (err)
		retire(r, err);
}

static struct runner *find_idle(struct runners *p, const struct auth_backend *backend)
{
	struct runner *r;

	for (r = p->first; r && (r->busy || r->backend != backend); r = r->next)
		;
	return r;
}

/* Gives waiting jobs to runners as far as both last.  Without any runner the jobs fail: there is
 * nothing whose end would bring them on. */
static void run_next(struct runners *p)
{
	while (p->head) {
		struct runner *r = find_idle(p, p->head->backend);
		enum err err = ERR_OK;

		if (!r && p->n_runners < p->limits.processes) {
			err = start_one(p, p->head->backend);
			r = err ? NULL : find_idle(p, p->head->backend);
		}
		if (r) {
			give(r, p->head);
		} else if (err && !p->n_runners) {
			finish(p->head, err, NULL);
		} else {
			return;
		}
	}
}

static void on_kick(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	run_next(w->data);
}

static int pool_destroy(struct runners *p)
{
	ev_timer_stop(p->loop, &p->kick);
	return 0;
}

enum err runners_new(TALLOC_CTX *ctx, struct ev_loop *loop, const char *folder,
		     const char *const *argv, const struct runner_limits *limits,
		     struct runners **out)
{
	struct runners *p = talloc_zero(ctx, struct runners);
	unsigned n = 0;

	if (!p)
		return ERR_NOMEM;
	p->loop = loop;
	p->limits = *limits;
	p->tail = &p->head;
	ev_timer_init(&p->kick, on_kick, 0, 0);
	p->kick.data = p;
	talloc_set_destructor(p, pool_destroy);
	p->folder = talloc_strdup(p, folder);
	if (!p->folder) {
		talloc_free(p);
		return ERR_NOMEM;
	}
	for (; n < ARGS_MAX && argv[n]; n++) {
		p->argv[n] = talloc_strdup(p, argv[n]);
		if (!p->argv[n]) {
			talloc_free(p);
			return ERR_NOMEM;
		}
	}
	*out = p;
	return ERR_OK;
}

/* ---- submitting ----------------------------------------------------------- */

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
	if (!out->data)
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
	msg->vhost = copy(c, in->vhost);
	msg->sid = copy(c, in->sid);
	msg->user_agent = copy(c, in->user_agent);
	copy_endpoint(c, &in->remote, &msg->remote);
	copy_endpoint(c, &in->local, &msg->local);
}

enum err runner_submit(struct runners *p, TALLOC_CTX *owner, const struct runner_call *call,
		       runner_done_fn *done, void *arg, struct runner_job **out)
{
	struct runner_job *j;
	struct copier c = { .failed = false };

	if (p->n_queued >= p->limits.queued)
		return ERR_EXHAUSTED;
	j = talloc_zero(owner, struct runner_job);
	if (!j)
		return ERR_NOMEM;
	j->pool = p;
	j->done = done;
	j->arg = arg;
	talloc_set_destructor(j, job_destroy);
	c.ctx = j;
	runner_job__init(&j->msg);
	j->backend = call->backend;
	j->msg.backend = copy(&c, call->backend->name);
	copy_options(&c, call->options, &j->msg);
	j->msg.work = (uint32_t)call->work;
	if (call->input)
		copy_input(&c, call->input, &j->msg);
	if (c.failed) {
		talloc_free(j);
		return ERR_NOMEM;
	}
	enqueue(p, j);
	*out = j;
	ev_timer_start(p->loop, &p->kick);
	return ERR_OK;
}
