/* loop.c - readiness to the data path. */
#include "worker/loop.h"

#include "base/clock.h"

enum { SLOT_TUN, SLOT_TCP, SLOT_UDP, SLOT_UDP_NEW, SLOTS };

/* One descriptor of the path and the bits its readiness stands for. */
struct slot {
	ev_io io;
	unsigned in, out;
};

struct loop {
	struct ev_loop *ev;
	struct path *path;
	struct slot slot[SLOTS];
	ev_prepare before_wait;
	ev_timer timer;
	uint64_t deadline; /* what the timer is set to */
	unsigned ready;	   /* gathered in this wake-up */
	enum path_end end;
};

static void on_ready(struct ev_loop *ev, ev_io *io, int revents)
{
	struct slot *s = (struct slot *)(void *)io;
	struct loop *l = io->data;

	(void)ev;
	l->ready |= (revents & EV_READ ? s->in : 0) | (revents & EV_WRITE ? s->out : 0);
}

/* Only wakes the loop; before_wait looks at the clock itself. */
static void on_timer(struct ev_loop *ev, ev_timer *timer, int revents)
{
	(void)ev;
	(void)timer;
	(void)revents;
}

static void watch(struct loop *l, struct slot *s, int fd, unsigned ready)
{
	int events = (ready & s->in ? EV_READ : 0) | (ready & s->out ? EV_WRITE : 0);

	if (fd < 0)
		events = 0;
	if (ev_is_active(&s->io) && s->io.fd == fd &&
	    (s->io.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(l->ev, &s->io);
	if (!events)
		return;
	ev_io_set(&s->io, fd, events);
	ev_io_start(l->ev, &s->io);
}

static void set_timer(struct loop *l, uint64_t deadline, uint64_t now)
{
	if (deadline == l->deadline && ev_is_active(&l->timer))
		return;
	l->deadline = deadline;
	ev_timer_stop(l->ev, &l->timer);
	if (deadline == UINT64_MAX)
		return;
	ev_timer_set(&l->timer, deadline > now ? (double)(deadline - now) / 1000 : 0., 0.);
	ev_timer_start(l->ev, &l->timer);
}

static void watch_all(struct loop *l, const struct path_wants *want, uint64_t now)
{
	watch(l, &l->slot[SLOT_TUN], want->tun, want->ready);
	watch(l, &l->slot[SLOT_TCP], want->tcp, want->ready);
	watch(l, &l->slot[SLOT_UDP], want->udp, want->ready);
	watch(l, &l->slot[SLOT_UDP_NEW], want->udp_new, want->ready);
	set_timer(l, want->deadline, now);
}

static void before_wait(struct ev_loop *ev, ev_prepare *prepare, int revents)
{
	struct loop *l = prepare->data;
	uint64_t now = clock_ms();
	struct path_wants want;

	(void)revents;
	path_wants(l->path, &want);
	if (l->ready || now >= want.deadline) {
		unsigned ready = l->ready;
		l->ready = 0;
		l->end = path_step(l->path, ready, now);
		path_wants(l->path, &want);
	}
	if (l->end)
		ev_break(ev, EVBREAK_ALL);
	watch_all(l, &want, now);
}

static int loop_free(struct loop *l)
{
	for (unsigned i = 0; i < SLOTS; i++)
		ev_io_stop(l->ev, &l->slot[i].io);
	ev_prepare_stop(l->ev, &l->before_wait);
	ev_timer_stop(l->ev, &l->timer);
	ev_loop_destroy(l->ev);
	return 0;
}

enum err loop_new(TALLOC_CTX *ctx, struct loop **out)
{
	static const unsigned in[] = { PATH_TUN_IN, PATH_TCP_IN, PATH_UDP_IN, PATH_UDP_NEW_IN };
	static const unsigned outs[] = { 0, PATH_TCP_OUT, PATH_UDP_OUT, 0 };
	struct loop *l = talloc_zero(ctx, struct loop);

	if (!l)
		return ERR_NOMEM;
	/* poll: a handful of descriptors whose wanted events change all the time, and no further
	 * descriptor of its own. */
	l->ev = ev_loop_new(EVBACKEND_POLL | EVFLAG_NOENV);
	if (!l->ev) {
		talloc_free(l);
		return ERR_NOMEM;
	}
	for (unsigned i = 0; i < SLOTS; i++) {
		l->slot[i].in = in[i];
		l->slot[i].out = outs[i];
		ev_io_init(&l->slot[i].io, on_ready, -1, 0);
		l->slot[i].io.data = l;
	}
	ev_prepare_init(&l->before_wait, before_wait);
	l->before_wait.data = l;
	ev_timer_init(&l->timer, on_timer, 0., 0.);
	talloc_set_destructor(l, loop_free);
	*out = l;
	return ERR_OK;
}

struct ev_loop *loop_ev(struct loop *l)
{
	return l->ev;
}

enum path_end loop_run(struct loop *l, struct path *path)
{
	l->path = path;
	l->end = PATH_END_NONE;
	ev_prepare_start(l->ev, &l->before_wait);
	ev_run(l->ev, 0);
	return l->end;
}

void loop_stop(struct loop *l)
{
	ev_break(l->ev, EVBREAK_ALL);
}
