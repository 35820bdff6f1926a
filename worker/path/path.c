/* path.c - one tunnel: takes over an established TLS session and a TUN device, and does the work of
 * each wake-up.  Used by the worker in its tunnel phase. */
#include "worker/path/path.h"

#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "wire/mtu.h"
#include "worker/path/path_priv.h"
#include "worker/path/sockopt.h"

enum {
	TRIM_AFTER_MS = 1000, /* buffers of a session that carries nothing are given back then */
	TELL_MS = 1000,	      /* between two words about traffic */
};

static int path_deinit(struct path *p)
{
	gnutls_deinit(p->tls);
	return 0;
}

/* Everything the path consists of, as children of P. */
static enum err make_parts(struct path *p, int tcp_fd, int tun_fd)
{
	enum err err = lazy_new(p, PATH_ARENA + PATH_FRAME, &p->plain);
	if (!err)
		err = udp_chan_init(p);
	p->frames = cstp_stream_new(p);
	if (err || !p->frames)
		return ERR_NOMEM;
	if (p->limits.tcp_encoding || p->limits.udp_encoding)
		err = compress_new(p, &p->compress);
	if (!err)
		err = tun_new(p, tun_fd, p->limits.tun_headers, &p->tun);
	if (!err)
		err = inner_init(p);
	if (!err)
		err = stream_new(p, p->tls, tcp_fd, &p->stream);
	return err;
}

enum err path_new(TALLOC_CTX *ctx, gnutls_session_t tls, int tcp_fd, int tun_fd,
		  const struct path_limits *limits, const struct path_dtls *dtls,
		  const struct path_ops *ops, void *arg, struct path **out)
{
	struct path *p = talloc_zero(ctx, struct path);
	if (!p)
		return ERR_NOMEM;
	p->dtls = talloc_memdup(p, dtls, sizeof *dtls);
	if (!p->dtls) {
		talloc_free(p);
		return ERR_NOMEM;
	}
	secret_mark(p->dtls);
	p->limits = *limits;
	p->ops = ops;
	p->arg = arg;
	p->tls = tls;
	p->now = p->last_use = clock_ms();
	p->tell_at = UINT64_MAX;
	p->data_mtu = p->udp.cap = limits->data_mtu;
	liveness_init(&p->live, limits, p->now);
	rekey_init(&p->rekey, tls, limits, p->now);
	bucket_init(&p->rx, limits->rx_rate, p->now);
	bucket_init(&p->tx, limits->tx_rate, p->now);
	sockopt_apply(tcp_fd, false, limits);
	enum err err = make_parts(p, tcp_fd, tun_fd);
	if (err) {
		talloc_free(p);
		return err;
	}
	talloc_set_destructor(p, path_deinit);
	*out = p;
	return ERR_OK;
}

void path_set_mtu(struct path *p, unsigned mtu)
{
	/* IPv6 cannot live on a smaller link; packets too large for UDP then take TCP. */
	if (p->limits.v6.addr.family && mtu < MTU_IPV6_MIN)
		mtu = MTU_IPV6_MIN;
	if (mtu == p->data_mtu)
		return;
	p->data_mtu = mtu;
	if (p->ops->on_mtu)
		p->ops->on_mtu(p->arg, mtu);
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* When the client has refused to read for too long. */
static uint64_t stall_deadline(const struct path *p)
{
	uint64_t since = stream_blocked_since(p->stream);
	if (since == UINT64_MAX || !p->limits.send_timeout)
		return UINT64_MAX;
	return since + p->limits.send_timeout * UINT64_C(1000);
}

static uint64_t deadline(const struct path *p)
{
	/* The rest of a large packet makes nothing readable. */
	if (tun_holds(p->tun) && inner_has_room(p))
		return 0;
	uint64_t at = min_u64(liveness_deadline(&p->live), rekey_deadline(&p->rekey));
	at = min_u64(at, min_u64(p->tell_at, stall_deadline(p)));
	at = min_u64(at, udp_chan_deadline(p));
	at = min_u64(at, min_u64(bucket_opens(&p->rx), bucket_opens(&p->tx)));
	return p->trimmed ? at : min_u64(at, p->last_use + TRIM_AFTER_MS);
}

void path_wants(const struct path *p, struct path_wants *out)
{
	const struct udp_chan *u = &p->udp;
	memset(out, 0, sizeof *out);
	out->tun = tun_fd(p->tun);
	out->tcp = stream_fd(p->stream);
	out->udp = u->active ? assoc_fd(u->active) : -1;
	out->udp_new = u->pending && assoc_fd(u->pending) != out->udp ? assoc_fd(u->pending) : -1;
	/* A client over its limit is not read: its own TCP slows down, and UDP waits in the socket.
	 * The channel without data stays open for control. */
	bool open = bucket_is_open(&p->rx);
	if (open || u->state == UDP_ACTIVE)
		out->ready = PATH_TCP_IN;
	if (inner_has_room(p))
		out->ready |= PATH_TUN_IN;
	if (stream_waiting(p->stream))
		out->ready |= PATH_TCP_OUT;
	if (u->active && (open || u->state != UDP_ACTIVE))
		out->ready |= PATH_UDP_IN;
	if (u->active && !batch_is_empty(u->out))
		out->ready |= PATH_UDP_OUT;
	if (out->udp_new >= 0)
		out->ready |= PATH_UDP_NEW_IN;
	out->deadline = p->started ? deadline(p) : 0;
}

static void trim(struct path *p)
{
	p->trimmed = true;
	tun_trim(p->tun);
	stream_trim(p->stream);
	lazy_trim(p->plain);
	compress_trim(p->compress);
	if (p->udp.out)
		batch_trim(p->udp.out);
	if (p->udp.in)
		udp_in_trim(p->udp.in);
}

static void key_update(struct path *p)
{
	tcp_chan_lend(p);
	enum err err = rekey_update(&p->rekey, p->now);
	tcp_chan_take_back(p);
	if (err) {
		path_finish(p, PATH_END_ERROR);
		return;
	}
	log_info(p->limits.log, "rekeyed", kv_str("channel", "tls1.3"));
	if (p->ops->on_rekey)
		p->ops->on_rekey(p->arg, true);
}

/* A packet sets the clock that its owner hears of it by. */
static void tell_counters(struct path *p)
{
	uint64_t packets = p->count.rx_packets + p->count.tx_packets;
	if (packets == p->told)
		return;
	if (p->tell_at == UINT64_MAX)
		p->tell_at = p->now + TELL_MS;
	if (p->now < p->tell_at)
		return;
	p->told = packets;
	p->tell_at = UINT64_MAX;
	if (p->ops->on_counters)
		p->ops->on_counters(p->arg);
}

static void timers(struct path *p)
{
	enum path_end end = PATH_END_NONE;
	unsigned due = liveness_due(&p->live, p->now, &end);
	path_finish(p, end);
	if (due & LIVENESS_PROBE_TCP)
		tcp_chan_control(p, CSTP_DPD_REQ, NULL, 0);
	if (due & LIVENESS_PROBE_UDP)
		udp_chan_probe(p);
	if (due & LIVENESS_UDP_DEAD)
		udp_chan_set_inactive(p, "silent");
	if (p->now >= rekey_deadline(&p->rekey) || (p->seal && seal_is_worn(p->seal)))
		key_update(p);
	udp_chan_timers(p);
	tell_counters(p);
	if (!p->trimmed && p->now >= p->last_use + TRIM_AFTER_MS)
		trim(p);
}

/* Sends what this wake-up has collected. */
static void flush(struct path *p, unsigned ready)
{
	inner_finish(p);
	udp_chan_flush(p, ready & PATH_UDP_OUT);
	if (stream_flush(p->stream, ready & PATH_TCP_OUT, p->now))
		path_finish(p, PATH_END_CLOSED);
	if (p->now >= stall_deadline(p))
		path_finish(p, PATH_END_STALLED);
}

enum path_end path_step(struct path *p, unsigned ready, uint64_t now)
{
	p->now = now;
	if (ready)
		p->trimmed = false;
	bucket_fill(&p->rx, now);
	bucket_fill(&p->tx, now);
	/* Room first: the rest of a large packet may be waiting for it. */
	if (ready & (PATH_TCP_OUT | PATH_UDP_OUT))
		flush(p, ready);
	ready &= ~(unsigned)(PATH_TCP_OUT | PATH_UDP_OUT);
	/* Control before data, the client's packets before those to it; both are bounded. */
	if (ready & PATH_TCP_IN || !p->started)
		tcp_chan_receive(p);
	p->started = true;
	if (ready & PATH_UDP_IN)
		udp_chan_receive(p);
	if (ready & PATH_UDP_NEW_IN)
		udp_chan_receive_pending(p);
	inner_flush(p); /* before the device is read: it may hold the answers then */
	if (p->end == PATH_END_NONE && (ready & PATH_TUN_IN || tun_holds(p->tun)))
		inner_to_client(p);
	timers(p);
	flush(p, ready);
	return p->end;
}

void path_udp(struct path *p, int fd, const struct endpoint *peer, bool hello, uint8_t *datagram,
	      size_t len, uint64_t now)
{
	p->now = now;
	p->trimmed = false;
	udp_chan_offer(p, fd, peer, hello, datagram, len);
	flush(p, 0);
}

void path_say_goodbye(struct path *p, const char *text)
{
	uint8_t payload[128] = { CSTP_BYE_USER };
	size_t len = 0;
	if (text) {
		len = strnlen(text, sizeof payload - 1);
		memcpy(payload + 1, text, len);
		len++;
	}
	tcp_chan_control(p, CSTP_DISCONNECT, payload, len);
	tcp_chan_lend(p);
	(void)gnutls_bye(p->tls, GNUTLS_SHUT_WR);
	tcp_chan_take_back(p);
	if (p->udp.active)
		assoc_say_goodbye(p->udp.active);
	flush(p, PATH_TCP_OUT | PATH_UDP_OUT); /* a last try even if they were full */
}

const struct path_counters *path_counters(const struct path *p)
{
	return &p->count;
}

unsigned path_data_mtu(const struct path *p)
{
	return p->data_mtu;
}
