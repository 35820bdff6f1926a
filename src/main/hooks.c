/* hooks.c - children that run scripts.
 *
 * A hook waits in line, runs, and is reported.  Its end is seen through a pidfd, so that no SIGCHLD
 * handler is needed and other children of this process are nobody's business here. */
#include "main/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

enum { FIRST_CLOSED = 3 }; /* standard descriptors stay, everything else is ours alone */

struct hook {
	struct hooks *hooks;
	char **argv, **env;
	const char *key;
	const struct hook *after; /* the one before us with the same key; NULL: may run */
	double limit;
	void (*done)(void *arg, struct hook *hook, int status);
	void *arg;
	pid_t pid; /* 0: waits in line */
	int status;
	ev_io exited;
	ev_timer timer;
	struct hook *next;
};

struct hooks {
	struct ev_loop *loop;
	struct hook *first; /* in order of arrival, running ones included */
	struct hook **tail;
	size_t n, running;
	ev_prepare starter; /* starts what waits, outside of the callers' stack */
};

static void stop_watching(struct hook *k)
{
	if (!k->pid)
		return;
	ev_io_stop(k->hooks->loop, &k->exited);
	ev_timer_stop(k->hooks->loop, &k->timer);
	if (k->exited.fd >= 0)
		close(k->exited.fd);
}

static void unlink_hook(struct hook *k)
{
	struct hooks *h = k->hooks;
	struct hook **p = &h->first;

	while (*p != k)
		p = &(*p)->next;
	*p = k->next;
	if (h->tail == &k->next)
		h->tail = p;
	for (struct hook *other = h->first; other; other = other->next)
		if (other->after == k)
			other->after = NULL;
	h->n--;
	h->running -= k->pid != 0;
}

/* Takes K out of the line and tells its owner. */
static void finish(struct hook *k, int status)
{
	stop_watching(k);
	unlink_hook(k);
	k->pid = 0;
	if (k->done)
		k->done(k->arg, k, status);
	if (k->hooks->n)
		ev_prepare_start(k->hooks->loop, &k->hooks->starter);
	talloc_free(k);
}

static void on_exited(struct ev_loop *loop, ev_io *w, int revents)
{
	struct hook *k = w->data;
	int status;
	pid_t got;

	(void)loop;
	(void)revents;
	got = waitpid(k->pid, &status, WNOHANG);
	if (got == 0 || (got < 0 && errno == EINTR))
		return;
	finish(k, got == k->pid ? status : -1);
}

/* The script and what it started: they have a process group of their own. */
static void on_timeout(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct hook *k = w->data;

	(void)loop;
	(void)revents;
	log_warn(NULL, "hook-timeout", kv_str("file", k->argv[0]), kv_u64("pid", (uint64_t)k->pid));
	kill(-k->pid, SIGKILL);
}

/* Standard input is empty and output goes to our stderr (admin.md 10.1). */
static int spawn_with(struct hook *k, posix_spawn_file_actions_t *fa, posix_spawnattr_t *attr)
{
	char *no_env[] = { NULL };
	sigset_t none, all;
	int err;

	sigemptyset(&none);
	sigfillset(&all);
	err = posix_spawn_file_actions_addopen(fa, 0, "/dev/null", O_RDONLY, 0);
	if (!err)
		err = posix_spawn_file_actions_adddup2(fa, 2, 1);
	if (!err)
		err = posix_spawn_file_actions_addclosefrom_np(fa, FIRST_CLOSED);
	if (!err)
		err = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP |
							     POSIX_SPAWN_SETSIGMASK |
							     POSIX_SPAWN_SETSIGDEF);
	if (!err)
		err = posix_spawnattr_setsigmask(attr, &none);
	if (!err)
		err = posix_spawnattr_setsigdefault(attr, &all);
	if (!err)
		err = posix_spawn(&k->pid, k->argv[0], fa, attr, k->argv, k->env ? k->env : no_env);
	return err;
}

/* posix_spawn shares our memory until the exec, so its cost does not grow with main's tables. */
static bool spawn(struct hook *k)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int err = posix_spawn_file_actions_init(&fa), fd;

	if (!err) {
		err = posix_spawnattr_init(&attr);
		if (!err) {
			err = spawn_with(k, &fa, &attr);
			posix_spawnattr_destroy(&attr);
		}
		posix_spawn_file_actions_destroy(&fa);
	}
	if (err) {
		k->pid = 0;
		log_err(NULL, "hook-not-started", kv_str("file", k->argv[0]),
			kv_str("reason", strerror(err)));
		return false;
	}
	fd = pidfd_open(k->pid, 0);
	if (fd < 0) { /* out of descriptors: without this one we could not see the end */
		log_err(NULL, "hook-not-watched", kv_str("reason", strerror(errno)));
		kill(-k->pid, SIGKILL);
		waitpid(k->pid, &k->status, 0);
		k->pid = 0;
		return false;
	}
	ev_io_init(&k->exited, on_exited, fd, EV_READ);
	return true;
}

static void start(struct hook *k)
{
	struct hooks *h = k->hooks;

	if (!spawn(k)) {
		finish(k, -1);
		return;
	}
	h->running++;
	k->exited.data = k->timer.data = k;
	ev_io_start(h->loop, &k->exited);
	/* The loop's clock may be old after long work; a limit must not begin in the past. */
	ev_now_update(h->loop);
	ev_timer_init(&k->timer, on_timeout, k->limit, 0);
	ev_timer_start(h->loop, &k->timer);
}

/* Starts what may run.  A hook that cannot be started is reported and freed at once, so the walk
 * begins anew after each; those that run stand at the front, there are few of them. */
static void on_prepare(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct hooks *h = w->data;
	struct hook *k = h->first;

	(void)revents;
	ev_prepare_stop(loop, w);
	while (k && h->running < HOOKS_RUNNING) {
		if (k->pid || k->after) {
			k = k->next;
		} else {
			start(k);
			k = h->first;
		}
	}
}

/* The last one with KEY in the line. */
static const struct hook *last_of(const struct hooks *h, const char *key)
{
	const struct hook *last = NULL;

	for (const struct hook *k = h->first; k && key; k = k->next)
		if (k->key && strcmp(k->key, key) == 0)
			last = k;
	return last;
}

static int hooks_destroy(struct hooks *h)
{
	ev_prepare_stop(h->loop, &h->starter);
	for (struct hook *k = h->first; k; k = k->next) {
		stop_watching(k);
		if (k->pid)
			kill(-k->pid, SIGKILL);
	}
	return 0;
}

enum err hooks_new(TALLOC_CTX *ctx, struct ev_loop *loop, struct hooks **out)
{
	struct hooks *h;

	if (ev_is_default_loop(loop))
		fatal_bug("hooks on libev's default loop, which reaps their children");
	h = talloc_zero(ctx, struct hooks);
	if (!h)
		return ERR_NOMEM;
	h->loop = loop;
	h->tail = &h->first;
	ev_prepare_init(&h->starter, on_prepare);
	h->starter.data = h;
	talloc_set_destructor(h, hooks_destroy);
	*out = h;
	return ERR_OK;
}

/* A NULL-terminated copy of V, child of CTX; NULL without memory. */
static char **copy_vector(TALLOC_CTX *ctx, const char *const *v)
{
	unsigned n = 0;
	char **copy;

	while (v[n])
		n++;
	copy = talloc_zero_array(ctx, char *, n + 1);
	for (unsigned i = 0; copy && i < n; i++) {
		copy[i] = talloc_strdup(copy, v[i]);
		if (!copy[i])
			return NULL;
	}
	return copy;
}

static bool copy_job(struct hook *k, const struct hook_job *job)
{
	k->argv = copy_vector(k, job->argv);
	if (!k->argv)
		return false;
	if (job->env) {
		k->env = copy_vector(k, (const char *const *)job->env);
		if (!k->env)
			return false;
	}
	if (job->key) {
		k->key = talloc_strdup(k, job->key);
		if (!k->key)
			return false;
	}
	k->limit = job->limit > 0 ? job->limit : HOOK_SECONDS;
	k->done = job->done;
	k->arg = job->arg;
	return true;
}

enum err hooks_run(struct hooks *h, const struct hook_job *job, struct hook **out)
{
	struct hook *k;

	if (h->n >= HOOKS_WAITING)
		return ERR_EXHAUSTED;
	k = talloc_zero(h, struct hook);
	if (!k || !copy_job(k, job)) {
		talloc_free(k);
		return ERR_NOMEM;
	}
	k->hooks = h;
	k->after = last_of(h, k->key);
	*h->tail = k;
	h->tail = &k->next;
	h->n++;
	ev_prepare_start(h->loop, &h->starter);
	if (out)
		*out = k;
	return ERR_OK;
}

void hook_forget(struct hook *hook)
{
	hook->done = NULL;
}

size_t hooks_pending(const struct hooks *h)
{
	return h->n;
}
