/* addresses.c - leases for a session, and whether they are as free as they look. */
#include "main/addresses.h"

#include "base/log.h"
#include "main/lease.h"
#include "main/ping.h"
#include "main/reclaim.h"

enum {
	TRIES = 16,	  /* candidates that may answer (config.md 12.2) */
	STRANGER_S = 300, /* before an address at which somebody answered is tried again */
};
static const double ANSWER_S = 0.5; /* in a network of our own; farther ones are nobody's pool */

struct addressing;

/* The address of one family that is being looked for. */
struct family {
	struct addressing *of;
	struct lease_pool pool;
	const struct addr *explicit_addr;
	struct lease_pool *from; /* members of the session */
	struct lease **lease;
	unsigned tries;
	struct ping *ping; /* NULL: nothing is awaited */
};

/* Child of the session. */
struct addressing {
	struct session *s;
	struct family v4, v6;
	void (*done)(struct session *s, bool ok);
};

/* A lease that a stranger has, kept away from everybody for a while. */
struct stranger {
	struct ev_loop *loop;
	ev_timer over;
	struct lease *lease;
};

/* ---- leases --------------------------------------------------------------- */

static bool keeps_lease(const struct lease *lease, const struct addr *wanted)
{
	return lease && (!wanted->family || addr_equal(lease_addr(lease), wanted));
}

static enum err lease_once(struct session *s, const struct lease_pool *pool,
			   const struct addr *wanted, struct lease **lease)
{
	const char *user = s->conf->host->predictable_ips ? s->user : NULL;

	if (wanted->family)
		return lease_take_exact(s->m->leases, pool, wanted, s, lease);
	return lease_take(s->m->leases, pool, s, user, lease);
}

/* The address of one family: the one the session has, the explicit one, or one of the pool. */
static enum err take_lease(struct session *s, const struct lease_pool *pool,
			   const struct addr *wanted, struct lease_pool *from, struct lease **lease)
{
	enum err err;

	if (keeps_lease(*lease, wanted))
		return ERR_OK;
	TALLOC_FREE(*lease);
	err = lease_once(s, pool, wanted, lease);
	/* A client that is here comes before one that may return. */
	while ((err == ERR_BUSY || err == ERR_EXHAUSTED) && reclaim_address(s, pool, wanted))
		err = lease_once(s, pool, wanted, lease);
	if (err)
		log_err(&s->log, "no-address",
			kv_str("family", pool->net.addr.family == AF_INET ? "IPv4" : "IPv6"),
			kv_err(err));
	else
		*from = *pool;
	return err;
}

/* ---- strangers ------------------------------------------------------------ */

static int stranger_destroy(struct stranger *st)
{
	ev_timer_stop(st->loop, &st->over);
	return 0;
}

static void on_stranger_over(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	talloc_free(w->data);
}

/* Takes the lease of F away from its session.  The table outlives main's sessions. */
static void keep_away(struct family *f)
{
	struct session *s = f->of->s;
	struct stranger *st = talloc_zero(s->m->leases, struct stranger);

	log_warn(&s->log, "address-in-use", kv_addr("address", lease_addr(*f->lease)),
		 kv_text("somebody answers at an address of the pool"));
	if (!st) {
		TALLOC_FREE(*f->lease);
		return;
	}
	st->loop = s->m->loop;
	st->lease = talloc_steal(st, *f->lease);
	*f->lease = NULL;
	ev_timer_init(&st->over, on_stranger_over, STRANGER_S, 0);
	st->over.data = st;
	talloc_set_destructor(st, stranger_destroy);
	ev_timer_start(st->loop, &st->over);
}

/* ---- both families -------------------------------------------------------- */

static void finish(struct addressing *a, bool ok)
{
	struct session *s = a->s;
	void (*done)(struct session *, bool) = a->done;

	TALLOC_FREE(s->addressing);
	done(s, ok);
}

static void on_answer(void *arg, bool answered);

/* Takes a lease and, if it is new and may be a stranger's, asks. */
static enum err take(struct family *f)
{
	struct session *s = f->of->s;
	bool had = keeps_lease(*f->lease, f->explicit_addr);
	enum err err = take_lease(s, &f->pool, f->explicit_addr, f->from, f->lease);

	if (err || had || f->explicit_addr->family || !s->m->conf->ping_leases)
		return err;
	/* What cannot even be sent reaches nobody. */
	if (ping_start(f->of, s->m->loop, lease_addr(*f->lease), ANSWER_S, on_answer, f, &f->ping))
		log_debug(&s->log, "address-not-probed", kv_addr("address", lease_addr(*f->lease)));
	return ERR_OK;
}

static void on_answer(void *arg, bool answered)
{
	struct family *f = arg;
	enum err err = ERR_OK;

	TALLOC_FREE(f->ping);
	if (answered) {
		keep_away(f);
		err = ++f->tries < TRIES ? take(f) : ERR_EXHAUSTED;
	}
	if (err)
		finish(f->of, false);
	else if (!f->of->v4.ping && !f->of->v6.ping)
		finish(f->of, true);
}

void addresses_take(struct session *s, const SessionOpen *msg,
		    void (*done)(struct session *s, bool ok))
{
	const struct session_conf *c = s->conf;
	struct addressing *a = talloc_zero(s, struct addressing);
	enum err err = ERR_OK;

	if (!a) {
		done(s, false);
		return;
	}
	*a = (struct addressing){
		.s = s,
		.v4 = { a, { c->ipv4_network, 32 }, &c->explicit_ipv4, &s->pool4, &s->v4, 0, NULL },
		.v6 = { a,
			{ c->ipv6_network, (uint8_t)c->ipv6_subnet_prefix },
			&c->explicit_ipv6,
			&s->pool6,
			&s->v6,
			0,
			NULL },
		.done = done,
	};
	talloc_free(s->addressing);
	s->addressing = a;
	if (msg->want_v4 && a->v4.pool.net.addr.family)
		err = take(&a->v4);
	if (!err && msg->want_v6 && a->v6.pool.net.addr.family)
		err = take(&a->v6);
	if (err || (!a->v4.ping && !a->v6.ping))
		finish(a, !err);
}
