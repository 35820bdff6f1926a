/* traffic.c - sums over a session's devices. */
#include "main/traffic.h"

#include "main/tun.h"
#include "main/workers.h"

/* What workers say must not make a sum small by overflow. */
static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t more(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void add(Counters *to, const Counters *c)
{
	to->rx_bytes = sum(to->rx_bytes, c->rx_bytes);
	to->tx_bytes = sum(to->tx_bytes, c->tx_bytes);
	to->rx_packets = sum(to->rx_packets, c->rx_packets);
	to->tx_packets = sum(to->tx_packets, c->tx_packets);
}

void traffic_of_device(const struct session *s, Counters *out)
{
	struct tun_counters c;

	counters__init(out);
	if (!s->tun || tun_counters(s->tun, &c))
		return;
	*out = s->told;
	if (s->worker)
		add(out, &s->worker->counters);
	out->rx_bytes = more(out->rx_bytes, c.rx_bytes);
	out->tx_bytes = more(out->tx_bytes, c.tx_bytes);
	out->rx_packets = more(out->rx_packets, c.rx_packets);
	out->tx_packets = more(out->tx_packets, c.tx_packets);
}

void traffic_worker_ends(struct session *s)
{
	if (s->tun && s->worker)
		add(&s->told, &s->worker->counters);
}

void traffic_total(const struct session *s, Counters *out)
{
	Counters now;

	traffic_of_device(s, &now);
	*out = s->counted;
	add(out, &now);
}

void traffic_believe(struct session *s, const Counters *told)
{
	add(&s->counted, told);
}

void traffic_keep(struct session *s)
{
	Counters total;

	traffic_total(s, &total);
	s->counted = total;
	counters__init(&s->told);
}

void traffic_tell(const struct session *s)
{
	SessionTraffic msg = SESSION_TRAFFIC__INIT;
	Counters total;

	traffic_total(s, &total);
	msg.sid = (char *)(uintptr_t)s->sid;
	msg.total = &total;
	main_tell_auth(s->m, TO_AUTH__MSG_SESSION_TRAFFIC, &msg, -1);
}
