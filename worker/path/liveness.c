/* liveness.c - timers of a tunnel, from events.  Used by the data path. */
#include "worker/path/liveness.h"

#include <string.h>

enum {
	PROBE_AFTER = 2, /* in units of dpd */
	DEAD_AFTER = 3,
	UDP_PROBES = 4, /* a datagram may be lost: as many probes between the two */
};

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void liveness_init(struct liveness *l, const struct path_limits *limits, uint64_t now)
{
	memset(l, 0, sizeof *l);
	l->dpd = limits->dpd * UINT64_C(1000);
	l->idle = limits->idle_timeout * UINT64_C(1000);
	l->quiet = limits->switch_to_tcp * UINT64_C(1000);
	/* Far future rather than overflow: nobody waits 2^53 ms. */
	uint64_t left = min_u64(limits->session_left, UINT64_C(1) << 40);
	l->session_end = left ? now + left * 1000 : UINT64_MAX;
	l->tcp_heard = l->activity = now;
}

void liveness_tcp_heard(struct liveness *l, uint64_t now)
{
	l->tcp_heard = now;
	l->tcp_probed = 0;
}

void liveness_udp_heard(struct liveness *l, uint64_t now)
{
	l->udp = true;
	l->udp_heard = now;
	l->udp_probed = 0;
}

void liveness_udp_lost(struct liveness *l)
{
	l->udp = false;
}

void liveness_activity(struct liveness *l, uint64_t now)
{
	l->activity = now;
}

unsigned liveness_udp_sending(struct liveness *l, uint64_t now)
{
	if (!l->quiet || now - l->udp_heard <= l->quiet / 2)
		return 0;
	if (now - l->udp_heard > l->quiet)
		return LIVENESS_UDP_DEAD;
	if (l->udp_probed && now - l->udp_probed < l->quiet / 8)
		return 0;
	l->udp_probed = now;
	return LIVENESS_PROBE_UDP;
}

/* When the TLS channel wants something next. */
static uint64_t tcp_next(const struct liveness *l)
{
	if (!l->dpd)
		return UINT64_MAX;
	return l->tcp_heard + (l->tcp_probed ? DEAD_AFTER : PROBE_AFTER) * l->dpd;
}

static uint64_t udp_next(const struct liveness *l)
{
	if (!l->dpd || !l->udp)
		return UINT64_MAX;
	uint64_t first = l->udp_heard + PROBE_AFTER * l->dpd;
	uint64_t dead = l->udp_heard + DEAD_AFTER * l->dpd;
	if (l->udp_probed < first)
		return first;
	return min_u64(l->udp_probed + l->dpd / UDP_PROBES, dead);
}

static uint64_t idle_end(const struct liveness *l)
{
	return l->idle ? l->activity + l->idle : UINT64_MAX;
}

static unsigned tcp_due(struct liveness *l, uint64_t now, enum path_end *end)
{
	if (now < tcp_next(l))
		return 0;
	if (l->tcp_probed) {
		*end = PATH_END_DPD;
		return 0;
	}
	/* A process that was stopped for long must still ask before it gives up. */
	if (now >= l->tcp_heard + DEAD_AFTER * l->dpd)
		l->tcp_heard = now - PROBE_AFTER * l->dpd;
	l->tcp_probed = now;
	return LIVENESS_PROBE_TCP;
}

static unsigned udp_due(struct liveness *l, uint64_t now)
{
	if (now < udp_next(l))
		return 0;
	if (now >= l->udp_heard + DEAD_AFTER * l->dpd) {
		l->udp = false;
		return LIVENESS_UDP_DEAD;
	}
	l->udp_probed = now;
	return LIVENESS_PROBE_UDP;
}

unsigned liveness_due(struct liveness *l, uint64_t now, enum path_end *end)
{
	unsigned actions = tcp_due(l, now, end) | udp_due(l, now);
	if (now >= idle_end(l))
		*end = PATH_END_IDLE;
	if (now >= l->session_end)
		*end = PATH_END_SESSION_TIMEOUT;
	return actions;
}

uint64_t liveness_deadline(const struct liveness *l)
{
	return min_u64(min_u64(tcp_next(l), udp_next(l)), min_u64(idle_end(l), l->session_end));
}
