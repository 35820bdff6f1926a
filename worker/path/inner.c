/* inner.c - packets between the TUN and whichever channel carries them.  Used by the data path. */
#include "worker/path/path_priv.h"

#include <string.h>

#include "wire/ip_pkt.h"
#include "wire/vnet.h"

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

/* ---- from the client ---- */

/* PACKETS of the client, of LEN bytes together, were written or, with ERR, lost. */
static void count_written(struct path *p, enum err err, unsigned packets, size_t len)
{
	if (err) {
		p->count.dropped += packets;
		return;
	}
	p->count.rx_packets += packets;
	p->count.rx_bytes += len;
}

/* Gives the device one packet or PACKETS that were put together. */
static enum err write_packets(void *arg, struct iovec *iov, int n, unsigned packets)
{
	struct path *p = arg;
	struct virtio_net_hdr h;
	enum err err = tun_write(p->tun, iov, n);
	size_t len = 0;
	/* Form refused: they come again one by one. */
	if (err == ERR_UNSUPPORTED && packets > 1)
		return err;
	for (int i = 1; i < n; i++)
		len += iov[i].iov_len;
	memcpy(&h, iov[0].iov_base, sizeof h);
	/* As the client has sent them, each with its headers. */
	count_written(p, err, packets, len + (packets - 1) * (size_t)h.hdr_len);
	return err;
}

static void write_single(struct path *p, const uint8_t *data, size_t len)
{
	struct iovec iov = { (void *)(uintptr_t)data, len };
	count_written(p, tun_write(p->tun, &iov, 1), 1, len);
}

enum err inner_init(struct path *p)
{
	if (!p->limits.tun_headers)
		return ERR_OK;
	bool uso = p->limits.tun_uso && !(p->limits.off & PATH_OFF_USO);
	return gro_new(p, uso, write_packets, p, &p->gro);
}

uint8_t *inner_space(struct path *p)
{
	if (p->plain_at + PATH_PLAIN > PATH_ARENA)
		inner_finish(p);
	return p->plain->data + p->plain_at;
}

void inner_keep(struct path *p, const uint8_t *data, size_t len)
{
	const size_t line = 64;
	if (p->gro && data == p->plain->data + p->plain_at)
		p->plain_at += (len + line - 1) / line * line;
}

void inner_flush(struct path *p)
{
	if (p->gro)
		gro_flush(p->gro);
}

void inner_finish(struct path *p)
{
	inner_flush(p);
	p->plain_at = 0;
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
	bucket_take(&p->rx, len);
	if (!p->gro) {
		write_single(p, data, len);
		return;
	}
	gro_put(p->gro, data, len);
	if (p->limits.off & PATH_OFF_BATCH)
		inner_flush(p);
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
	inner_flush(p); /* the next one is unpacked to the same place */
}

/* ---- to the client ---- */

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
	size_t most = p->limits.off & PATH_OFF_BATCH ? 1 : FLUSH_AT;
	tcp_chan_send(p, type, pkt, len);
	if (stream_waiting(p->stream) >= most && stream_flush(p->stream, false, p->now))
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
		if (budget <= len && !tun_holds(p->tun))
			break;
		budget -= budget < len ? budget : len;
	}
	p->count.dropped += tun_take_dropped(p->tun);
}
