/* inner.c - packets between the TUN and whichever channel carries them.  Used by the data path. */
#include "worker/path/path_priv.h"

#include "wire/ip_pkt.h"

enum {
	TUN_BUDGET = 256 * 1024, /* bytes from the TUN per wake-up, so that input gets its turn */
	FLUSH_AT = 64 * 1024,	 /* TLS bytes that are sent while more packets are collected */
};

static bool source_allowed(const struct path *p, const struct ip_pkt *pkt)
{
	const struct path_limits *l = &p->limits;
	if (pkt->version == 4 && addr_equal(&pkt->src, &l->v4))
		return true;
	if (pkt->version == 6 && l->v6.addr.family && addr_in_net(&pkt->src, &l->v6))
		return true;
	for (size_t i = 0; i < l->behind_n; i++) {
		if (addr_in_net(&pkt->src, &l->behind[i]))
			return true;
	}
	return false;
}

void inner_from_client(struct path *p, const uint8_t *data, size_t len)
{
	struct ip_pkt pkt;
	if (len == 0)
		return;
	if (ip_pkt_parse(data, len, &pkt)) {
		p->count.dropped++;
		return;
	}
	if (!source_allowed(p, &pkt)) {
		p->count.bad_source++;
		return;
	}
	p->last_use = p->now;
	if (p->live.activity != p->now && ip_pkt_is_activity(&pkt))
		liveness_activity(&p->live, p->now);
	if (tun_write(p->tun, data, len)) {
		p->count.dropped++;
		return;
	}
	p->count.rx_packets++;
	p->count.rx_bytes += len;
	bucket_take(&p->rx, len);
}

void inner_from_compressed(struct path *p, enum cstp_encoding encoding, const uint8_t *data,
			   size_t len)
{
	unsigned most = p->limits.data_mtu > p->data_mtu ? p->limits.data_mtu : p->data_mtu;
	const uint8_t *pkt;
	size_t n;
	enum err err =
		encoding ? compress_unpack(p->compress, encoding, data, len, &pkt, &n) : ERR_STATE;
	if (err) {
		log_warn(p->limits.log, "bad-compressed-packet", kv_err(err));
		path_finish(p, PATH_END_ERROR);
		return;
	}
	/* The client's device has the MTU that was announced, or one its own probes have raised: a
	 * longer packet did not come out of it. */
	if (n > most) {
		p->count.dropped++;
		return;
	}
	inner_from_client(p, pkt, n);
}

enum cstp_type inner_compress(struct path *p, enum cstp_encoding encoding, uint8_t **pkt,
			      size_t *len)
{
	uint8_t *packed = NULL;
	if (encoding && *len > p->limits.no_compress)
		packed = compress_pack(p->compress, encoding, *pkt, *len, len);
	if (!packed)
		return CSTP_DATA;
	*pkt = packed;
	return CSTP_COMPRESSED;
}

static bool tcp_has_room(const struct path *p)
{
	/* Data between the messages of a renegotiation would be lost (2.8): it waits in the TUN. */
	return stream_waiting(p->stream) < STREAM_STOP && !p->rekey.running;
}

bool inner_has_room(const struct path *p)
{
	if (!bucket_is_open(&p->tx))
		return false;
	return p->udp.state == UDP_ACTIVE ? batch_has_room(p->udp.out) : tcp_has_room(p);
}

static void count_sent(struct path *p, const uint8_t *pkt, size_t len)
{
	struct ip_pkt parsed;
	p->count.tx_packets++;
	p->count.tx_bytes += len;
	bucket_take(&p->tx, len);
	p->last_use = p->now;
	/* Once per wake-up is enough to know that the session is in use. */
	if (p->live.activity != p->now && !ip_pkt_parse(pkt, len, &parsed) &&
	    ip_pkt_is_activity(&parsed))
		liveness_activity(&p->live, p->now);
}

static void send_packet(struct path *p, uint8_t *pkt, size_t len)
{
	count_sent(p, pkt, len);
	if (p->udp.state == UDP_ACTIVE && udp_chan_send(p, pkt, len))
		return;
	if (!tcp_has_room(p)) { /* too big for UDP just when TCP is stuck */
		p->count.dropped++;
		return;
	}
	enum cstp_type type = inner_compress(p, p->limits.tcp_encoding, &pkt, &len);
	tcp_chan_send(p, type, pkt, len);
	if (stream_waiting(p->stream) >= FLUSH_AT && stream_flush(p->stream, false, p->now))
		path_finish(p, PATH_END_CLOSED);
}

void inner_to_client(struct path *p)
{
	size_t budget = TUN_BUDGET;
	udp_chan_choose(p);
	while (p->end == PATH_END_NONE && inner_has_room(p)) {
		uint8_t *pkt;
		size_t len;
		enum err err = tun_read(p->tun, &pkt, &len);
		if (err == ERR_AGAIN)
			break;
		if (err) {
			path_finish(p, PATH_END_ERROR);
			break;
		}
		send_packet(p, pkt, len);
		if (budget <= len)
			break;
		budget -= len;
	}
}
