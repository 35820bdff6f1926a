/* traffic.c - sums over a session's devices. */
#include "main/traffic.h"

#include "main/tun.h"

void traffic_total(const struct session *s, Counters *out)
{
	struct tun_counters c;

	*out = s->counted;
	if (!s->tun || tun_counters(s->tun, &c))
		return;
	out->rx_bytes += c.rx_bytes;
	out->tx_bytes += c.tx_bytes;
	out->rx_packets += c.rx_packets;
	out->tx_packets += c.tx_packets;
}

void traffic_believe(struct session *s, const Counters *told)
{
	s->counted.rx_bytes += told->rx_bytes;
	s->counted.tx_bytes += told->tx_bytes;
	s->counted.rx_packets += told->rx_packets;
	s->counted.tx_packets += told->tx_packets;
}

void traffic_keep(struct session *s)
{
	Counters total;

	traffic_total(s, &total);
	s->counted = total;
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
