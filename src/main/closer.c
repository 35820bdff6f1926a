/* closer.c - threads that close. */
#include "main/closer.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

enum {
	THREADS = 8, /* the kernel lets those that wait at a time wait together */
	STACK = 64 * 1024,
};

struct closer {
	int pipe[2]; /* descriptor numbers on their way to a thread */
	unsigned n;
	pthread_t thread[THREADS];
};

static void *run(void *arg)
{
	int from = *(const int *)arg, fd;

	while (read(from, &fd, sizeof fd) == (ssize_t)sizeof fd)
		close(fd);
	return NULL;
}

static int closer_free(struct closer *c)
{
	close(c->pipe[1]);
	for (unsigned i = 0; i < c->n; i++)
		pthread_join(c->thread[i], NULL);
	close(c->pipe[0]);
	return 0;
}

/* Signals are for the loop. */
static void start(struct closer *c)
{
	sigset_t all, old;
	pthread_attr_t attr;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_attr_init(&attr) == 0) {
		(void)pthread_attr_setstacksize(&attr, STACK);
		while (c->n < THREADS &&
		       pthread_create(&c->thread[c->n], &attr, run, &c->pipe[0]) == 0)
			c->n++;
		pthread_attr_destroy(&attr);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

enum err closer_new(TALLOC_CTX *ctx, struct closer **out)
{
	struct closer *c = talloc_zero(ctx, struct closer);

	if (!c)
		return ERR_NOMEM;
	if (pipe2(c->pipe, O_CLOEXEC) < 0) {
		talloc_free(c);
		return ERR_SYS;
	}
	/* Our end must not block: a full pipe means that closing here is no slower. */
	(void)fcntl(c->pipe[1], F_SETFL, O_NONBLOCK);
	talloc_set_destructor(c, closer_free);
	start(c);
	if (!c->n) {
		talloc_free(c);
		return ERR_SYS;
	}
	*out = c;
	return ERR_OK;
}

void closer_close(struct closer *c, int fd)
{
	if (write(c->pipe[1], &fd, sizeof fd) != (ssize_t)sizeof fd)
		close(fd);
}
