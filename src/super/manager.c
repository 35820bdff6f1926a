/* manager.c - rounds of questions to our processes, and words to the service manager. */
#include "super/manager.h"

#include "super/notify.h"

static const double status_every = 30.0; /* seconds, without a watchdog */
enum { ROUNDS = 4 };			 /* in the watchdog's interval */

struct manager {
	const struct manager_ops *ops;
	void *arg;
	struct ev_loop *loop;
	struct notify *notify;
	ev_timer round;
	unsigned waiting; /* bits of the roles that owe an answer */
	bool stopping;
};

static const Role watched[] = { ROLE__ROLE_MAIN, ROLE__ROLE_AUTH, ROLE__ROLE_ZYGOTE };

static unsigned bit(Role role)
{
	return 1u << role;
}

/* The roles that are asked in each round; main is the first. */
static unsigned n_asked(const struct manager *m)
{
	return notify_watchdog(m->notify) ? sizeof watched / sizeof watched[0] : 1;
}

static void on_round(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct manager *m = w->data;
	unsigned late = m->waiting;

	(void)loop;
	(void)revents;
	for (unsigned i = 0; i < n_asked(m); i++)
		m->waiting |= bit(watched[i]);
	for (unsigned i = 0; i < n_asked(m); i++) {
		/* The next one in its place is asked when it has been started. */
		if (late & bit(watched[i]) && notify_watchdog(m->notify))
			m->ops->hangs(m->arg, watched[i]);
		else
			m->ops->ask(m->arg, watched[i]);
	}
}

static int manager_free(struct manager *m)
{
	ev_timer_stop(m->loop, &m->round);
	return 0;
}

enum err manager_new(TALLOC_CTX *ctx, struct ev_loop *loop, const struct manager_ops *ops,
		     void *arg, struct manager **out)
{
	struct manager *m = talloc_zero(ctx, struct manager);
	enum err err = m ? notify_new(m, &m->notify) : ERR_NOMEM;
	double every;

	if (err) {
		talloc_free(m);
		return err;
	}
	m->ops = ops;
	m->arg = arg;
	m->loop = loop;
	every = (double)notify_watchdog(m->notify) / 1e6 / ROUNDS;
	ev_timer_init(&m->round, on_round, 0, every > 0 ? every : status_every);
	m->round.data = m;
	talloc_set_destructor(m, manager_free);
	*out = m;
	return ERR_OK;
}

void manager_ready(struct manager *m)
{
	if (m->stopping || !notify_is_on(m->notify))
		return;
	notify_ready(m->notify);
	if (ev_is_active(&m->round))
		return;
	ev_timer_again(m->loop, &m->round);
	m->ops->ask(m->arg, ROLE__ROLE_MAIN);
}

void manager_reload(struct manager *m, bool begins)
{
	if (m->stopping)
		return;
	if (begins)
		notify_reloading(m->notify);
	else
		notify_ready(m->notify);
}

void manager_stopping(struct manager *m, uint64_t patience_ms)
{
	if (m->stopping)
		return;
	m->stopping = true;
	notify_stopping(m->notify, patience_ms);
}

void manager_end(struct manager *m)
{
	ev_timer_stop(m->loop, &m->round);
}

void manager_started(struct manager *m, Role role)
{
	if (m->waiting & bit(role))
		m->ops->ask(m->arg, role);
}

void manager_answered(struct manager *m, Role role, const Pong *pong)
{
	bool waited = m->waiting;

	m->waiting &= ~bit(role);
	if (waited && !m->waiting)
		notify_alive(m->notify);
	if (role == ROLE__ROLE_MAIN)
		notify_sessions(m->notify, pong->sessions, pong->connections);
}
