/* runner.c - the pool of runners, seen from the auth process: lanes and their queues. */
#include "auth/runner.h"

#include <string.h>

#include "auth/runner_pool.h"

/* ---- queues --------------------------------------------------------------- */

void lane_enqueue(struct lane *lane, struct runner_job *j)
{
	j->prev = lane->tail;
	*lane->tail = j;
	lane->tail = &j->next;
	lane->n_queued++;
}

static void dequeue(struct runner_job *j)
{
	struct lane *lane = j->lane;

	*j->prev = j->next;
	if (j->next)
		j->next->prev = j->prev;
	else
		lane->tail = j->prev;
	j->next = NULL;
	j->prev = NULL;
	lane->n_queued--;
}

/* A cancelled job that is running lets its runner finish: most work cannot be interrupted without
 * losing the process, and its time limit holds on.  In a conversation the next question would find
 * nobody, and the client could not know what it answers. */
static int job_destroy(struct runner_job *j)
{
	struct runner *r = j->runner;

	if (j->prev)
		dequeue(j);
	if (j->held)
		ev_timer_stop(j->loop, &j->hold);
	if (!r)
		return 0;
	r->job = NULL;
	talloc_free(r->talk);
	return 0;
}

/* J is freed first, because the callback may free its owner or submit the next one. */
void job_finish(struct runner_job *j, enum err err, const struct verdict *v)
{
	runner_done_fn *done = j->done;
	void *arg = j->arg;

	talloc_free(j);
	done(arg, err, v);
}

static struct runner *find_idle(const struct lane *lane)
{
	struct runner *r;

	for (r = lane->first; r && (r->busy || r->talk); r = r->next)
		;
	return r;
}

/* Without any runner the jobs fail: there is nothing whose end would bring them on. */
void lane_run(struct lane *lane)
{
	while (lane->head) {
		struct runner *r = find_idle(lane);
		struct runner_job *j = lane->head;
		enum err err = ERR_OK;

		if (!r && lane->n_runners < lane->most)
			err = runner_start(lane, &r);
		if (!r && (!err || lane->n_runners))
			return;
		dequeue(j);
		if (!r) {
			job_finish(j, err, NULL);
			continue;
		}
		err = runner_give(r, j);
		if (err)
			runner_retire(r, err);
	}
}

/* ---- lines ---------------------------------------------------------------- */

static bool is_used(const struct line *line)
{
	for (unsigned i = 0; i < LANES; i++)
		if (line->lane[i].head || line->lane[i].first)
			return true;
	return false;
}

/* After a reload nobody asks for the lines of the old configuration. */
static void on_unused(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct line *line = w->data;

	(void)loop;
	(void)revents;
	if (!is_used(line))
		talloc_free(line);
}

static int line_destroy(struct line *line)
{
	ev_timer_stop(line->pool->loop, &line->unused);
	*line->prev = line->next;
	if (line->next)
		line->next->prev = line->prev;
	return 0;
}

static enum err copy_pairs(struct line *line, const struct backend_pairs *from)
{
	struct backend_pair *item = talloc_array(line, struct backend_pair, (unsigned)from->n);

	if (!item)
		return ERR_NOMEM;
	for (size_t i = 0; i < from->n; i++) {
		item[i].key = talloc_strdup(item, from->item[i].key);
		item[i].value = talloc_strdup(item, from->item[i].value);
		if (!item[i].key || !item[i].value)
			return ERR_NOMEM;
	}
	line->options = (struct backend_pairs){ item, from->n };
	return ERR_OK;
}

static bool same_pairs(const struct backend_pairs *a, const struct backend_pairs *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->item[i].key, b->item[i].key) != 0 ||
		    strcmp(a->item[i].value, b->item[i].value) != 0)
			return false;
	return true;
}

static struct line *line_new(struct runners *p, const struct runner_call *call)
{
	struct line *line = talloc_zero(p, struct line);

	if (!line)
		return NULL;
	line->pool = p;
	line->backend = call->backend;
	if (copy_pairs(line, call->options)) {
		talloc_free(line);
		return NULL;
	}
	for (unsigned i = 0; i < LANES; i++) {
		struct lane *lane = &line->lane[i];

		lane->line = line;
		lane->most = line->backend->waits ? p->limits.waiting : p->limits.processes;
		lane->tail = &lane->head;
		lane->talk_tail = &lane->talk;
	}
	ev_timer_init(&line->unused, on_unused, 0, (double)p->limits.forget_ms / 1000);
	line->unused.data = line;
	line->next = p->first;
	if (line->next)
		line->next->prev = &line->next;
	line->prev = &p->first;
	p->first = line;
	talloc_set_destructor(line, line_destroy);
	return line;
}

/* Hosts whose auth lines are the same share a line. */
static struct line *line_of(struct runners *p, const struct runner_call *call)
{
	struct line *line = p->first;

	while (line &&
	       (line->backend != call->backend || !same_pairs(&line->options, call->options)))
		line = line->next;
	if (!line)
		line = line_new(p, call);
	if (line)
		ev_timer_again(p->loop, &line->unused);
	return line;
}

/* ---- the pool ------------------------------------------------------------- */

/* A callback may add lines, at the head; they are freed by their timers only. */
static void on_kick(struct ev_loop *loop, ev_timer *w, int revents)
{
	const struct runners *p = w->data;

	(void)loop;
	(void)revents;
	for (struct line *line = p->first; line; line = line->next)
		for (unsigned i = 0; i < LANES; i++)
			lane_run(&line->lane[i]);
}

/* Runners first, as long as the lanes that they leave are there; jobs have other owners and stay,
 * but are never reported. */
static int pool_destroy(struct runners *p)
{
	ev_timer_stop(p->loop, &p->kick);
	for (struct line *line = p->first; line; line = line->next) {
		for (unsigned i = 0; i < LANES; i++) {
			while (line->lane[i].head)
				dequeue(line->lane[i].head);
			while (line->lane[i].first)
				talloc_free(line->lane[i].first);
		}
	}
	return 0;
}

static enum err copy_args(struct runners *p, const char *folder, const char *const *argv)
{
	p->folder = talloc_strdup(p, folder);
	if (!p->folder)
		return ERR_NOMEM;
	for (unsigned n = 0; n < ARGS_MAX && argv[n]; n++) {
		p->argv[n] = talloc_strdup(p, argv[n]);
		if (!p->argv[n])
			return ERR_NOMEM;
	}
	return ERR_OK;
}

enum err runners_new(TALLOC_CTX *ctx, struct ev_loop *loop, const char *folder,
		     const char *const *argv, const struct runner_limits *limits,
		     struct runners **out)
{
	struct runners *p = talloc_zero(ctx, struct runners);
	enum err err = p ? copy_args(p, folder, argv) : ERR_NOMEM;

	if (err) {
		talloc_free(p);
		return err;
	}
	p->loop = loop;
	p->limits = *limits;
	ev_timer_init(&p->kick, on_kick, 0, 0);
	p->kick.data = p;
	talloc_set_destructor(p, pool_destroy);
	*out = p;
	return ERR_OK;
}

/* The next step of a conversation waits for nobody. */
static enum err continue_talk(struct runner_talk *t, struct runner_job *j)
{
	struct runner *r = t->runner;
	enum err err = ERR_STATE;

	if (!r->busy)
		err = runner_give(r, j);
	if (!err)
		return ERR_OK;
	/* Not by way of the job, whose callback would be called from inside runner_submit. */
	talloc_free(j);
	return err;
}

enum err runner_submit(struct runners *p, TALLOC_CTX *owner, const struct runner_call *call,
		       runner_done_fn *done, void *arg, struct runner_job **out)
{
	struct line *line = line_of(p, call);
	struct runner_talk *t = call->talk ? *call->talk : NULL;
	struct runner_job *j;
	struct lane *lane;
	enum err err;

	if (!line)
		return ERR_NOMEM;
	lane = &line->lane[call->work == WORK_ACCOUNT ? LANE_ACCOUNT : LANE_LOGIN];
	if (!t && lane->n_queued >= p->limits.queued)
		return ERR_EXHAUSTED;
	err = job_new(owner, call, &j);
	if (err)
		return err;
	j->lane = lane;
	j->loop = p->loop;
	j->done = done;
	j->arg = arg;
	j->place = call->talk;
	talloc_set_destructor(j, job_destroy);
	if (t) {
		err = continue_talk(t, j);
	} else {
		lane_enqueue(lane, j);
		ev_timer_start(p->loop, &p->kick);
	}
	if (!err)
		*out = j;
	return err;
}

bool runner_abandon(struct runner_job *j, TALLOC_CTX *owner, runner_done_fn *done, void *arg)
{
	if (!j->runner && !j->held) {
		talloc_free(j);
		return false;
	}
	/* What it asks next finds nobody. */
	j->place = NULL;
	if (j->runner)
		talk_over(j->runner);
	j->done = done;
	j->arg = arg;
	talloc_steal(owner, j);
	return true;
}
