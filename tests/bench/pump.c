/* pump.c - the client's data path.  What the server does for fairness, limits and changing networks
 * is not here: the other end is on the same machine, and the server is to be the bottleneck. */
#include "tests/bench/pump.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "wire/cstp_frame.h"
#include "worker/path/batch.h"
#include "worker/path/gro.h"
#include "worker/path/lazy.h"
#include "worker/path/seal.h"
#include "worker/path/stream.h"
#include "worker/path/tun.h"
#include "worker/path/udp_in.h"

enum {
	PLAIN = 16384 + 256,  /* plaintext of one record */
	ARENA = 1024 * 1024,  /* of the records of one wake-up */
	FRAME = 16384,	      /* a control frame being built */
	BUDGET = 256 * 1024,  /* bytes from the TUN per wake-up */
	FLUSH_AT = 64 * 1024, /* TLS bytes that are sent while more packets are collected */
	ALL = 1 << 30,	      /* messages or bytes: no limit but the callee's own */
};

struct pump {
	struct tun *tun;
	struct gro *gro;
	struct stream *stream;
	struct cstp_stream *frames;
	gnutls_session_t tls, dtls; /* dtls NULL: all goes over TLS */
	int udp;
	struct seal *tls_seal, *dtls_seal; /* NULL: GnuTLS makes the records */
	struct batch_queue *out;
	struct udp_in *in;
	const uint8_t *datagram; /* what the DTLS session has not read yet */
	size_t datagram_len;
	struct lazy *plain; /* ARENA bytes received, then headroom and FRAME bytes to send */
	size_t plain_at;
	bool full; /* the UDP socket took no more */
	enum err end;
	struct pump_count count;
};

const struct pump_count *pump_count(const struct pump *p)
{
	return &p->count;
}

static void finish(struct pump *p, enum err why)
{
	if (!p->end)
		p->end = why;
}

/* ---- to the TUN ---- */

static enum err write_packets(void *arg, struct iovec *iov, int n, unsigned packets)
{
	struct pump *p = arg;
	enum err err = tun_write(p->tun, iov, n);
	/* They come again one by one. */
	if (err == ERR_UNSUPPORTED && packets > 1)
		return err;
	if (err)
		p->count.dropped += packets;
	else
		p->count.rx_packets += packets;
	return err;
}

static void flush_packets(struct pump *p)
{
	gro_flush(p->gro);
	p->plain_at = 0;
}

/* Room for the plaintext of one record. */
static uint8_t *space(struct pump *p)
{
	if (p->plain_at + PLAIN > ARENA)
		flush_packets(p);
	return p->plain->data + p->plain_at;
}

/* LEN bytes of that are in use until the next flush. */
static void keep(struct pump *p, size_t len)
{
	const size_t line = 64;
	p->plain_at += (len + line - 1) / line * line;
}

static void deliver(struct pump *p, const uint8_t *pkt, size_t len)
{
	if (len == 0)
		return;
	p->count.rx_bytes += len;
	gro_put(p->gro, pkt, len);
}

/* ---- to the server ---- */

/* Sends LEN bytes at DATA as one record. */
static void write_tls(struct pump *p, const uint8_t *data, size_t len)
{
	if (!p->tls_seal) {
		ssize_t k = gnutls_record_send(p->tls, data, len);
		if (k < 0 && gnutls_error_is_fatal((int)k))
			finish(p, ERR_TLS);
		return;
	}
	uint8_t *room = stream_room(p->stream, len + seal_overhead(p->tls_seal));
	size_t n = room ? seal_write(p->tls_seal, data, len, room) : 0;
	if (n)
		stream_commit(p->stream, n);
	else
		finish(p, ERR_EXHAUSTED);
}

/* PKT has CSTP_HEADER writable bytes before it. */
static void send_tls(struct pump *p, enum cstp_type type, uint8_t *pkt, size_t len)
{
	cstp_header_build(pkt - CSTP_HEADER, type, len);
	write_tls(p, pkt - CSTP_HEADER, CSTP_HEADER + len);
	if (stream_waiting(p->stream) >= FLUSH_AT && stream_flush(p->stream, false, clock_ms()))
		finish(p, ERR_CLOSED);
}

/* Sends LEN bytes at DATA as one record. */
static void write_dtls(struct pump *p, const uint8_t *data, size_t len)
{
	if (!p->dtls_seal) {
		if (gnutls_record_send(p->dtls, data, len) < 0)
			p->count.dropped++;
		return;
	}
	size_t n = len + seal_overhead(p->dtls_seal);
	uint8_t *room = batch_room(p->out, n);
	if (!room)
		return;
	if (seal_write(p->dtls_seal, data, len, room))
		batch_commit(p->out, n);
	else
		finish(p, ERR_EXHAUSTED);
}

/* PKT has DTLS_FRAME_HEADER writable bytes before it. */
static void send_dtls(struct pump *p, enum cstp_type type, uint8_t *pkt, size_t len)
{
	pkt[-DTLS_FRAME_HEADER] = (uint8_t)type;
	write_dtls(p, pkt - DTLS_FRAME_HEADER, DTLS_FRAME_HEADER + len);
	if (!p->full)
		p->full = batch_flush(p->out, p->udp, false) == ERR_AGAIN;
}

static bool has_room(const struct pump *p)
{
	return p->dtls ? batch_has_room(p->out) : stream_waiting(p->stream) < STREAM_STOP;
}

static void read_tun(struct pump *p)
{
	size_t budget = BUDGET;
	while (!p->end && has_room(p)) {
		uint8_t *pkt;
		size_t len;
		enum err err = tun_read(p->tun, &pkt, &len);
		if (err == ERR_AGAIN)
			break;
		if (err) {
			finish(p, err);
			break;
		}
		p->count.tx_packets++;
		p->count.tx_bytes += len;
		if (p->dtls)
			send_dtls(p, CSTP_DATA, pkt, len);
		else
			send_tls(p, CSTP_DATA, pkt, len);
		if (budget <= len && !tun_holds(p->tun))
			break;
		budget -= len < budget ? len : budget;
	}
}

/* A control frame with a copy of PAYLOAD. */
static void answer(struct pump *p, bool dtls, enum cstp_type type, const uint8_t *payload,
		   size_t len)
{
	uint8_t *frame = p->plain->data + ARENA + CSTP_HEADER;
	if (len > FRAME - CSTP_HEADER)
		len = 0;
	if (len)
		memcpy(frame, payload, len);
	if (dtls)
		send_dtls(p, type, frame, len);
	else
		send_tls(p, type, frame, len);
}

/* ---- from the server ---- */

static void on_frame(struct pump *p, const struct cstp_frame *f, bool dtls)
{
	if (f->type == CSTP_DATA)
		deliver(p, f->data, f->len);
	else if (f->type == CSTP_DPD_REQ)
		answer(p, dtls, CSTP_DPD_RESP, f->data, f->len);
	else if (!dtls && (f->type == CSTP_DISCONNECT || f->type == CSTP_TERMINATE))
		finish(p, ERR_CLOSED);
}

/* Frames in LEN bytes at DATA, which stay until the next flush. */
static void take_stream(struct pump *p, const uint8_t *data, size_t len)
{
	const uint8_t *first = data, *end = data + len;
	struct cstp_frame f;
	while (!p->end) {
		enum err err = cstp_stream_next(p->frames, &data, &len, &f);
		if (err == ERR_AGAIN)
			return;
		if (err) {
			finish(p, err);
			return;
		}
		on_frame(p, &f, false);
		/* Put together elsewhere, from parts of several records. */
		if (f.data < first || f.data >= end)
			flush_packets(p);
	}
}

/* What GnuTLS reads: everything, or the records it is shown. */
static void read_by_gnutls(struct pump *p)
{
	while (!p->end) {
		uint8_t *plain = space(p);
		ssize_t k = gnutls_record_recv(p->tls, plain, PLAIN);
		if (k > 0) {
			keep(p, (size_t)k);
			take_stream(p, plain, (size_t)k);
		} else if (k == 0 || k == GNUTLS_E_PREMATURE_TERMINATION) {
			finish(p, ERR_CLOSED);
		} else if (gnutls_error_is_fatal((int)k) || k == GNUTLS_E_REHANDSHAKE) {
			finish(p, ERR_TLS);
		} else if (!stream_has_input(p->stream)) {
			break;
		}
	}
}

/* Opens all whole records where they were received. */
static void read_sealed(struct pump *p)
{
	uint8_t *rec, *text;
	size_t n, len;
	while (!p->end) {
		size_t have = stream_peek(p->stream, &rec);
		n = seal_record(p->tls_seal, rec, have);
		if (!n)
			break;
		if (seal_open(p->tls_seal, rec, n, &text, &len) == SEAL_DATA) {
			stream_skip(p->stream, n);
			take_stream(p, text, len);
			continue;
		}
		stream_show(p->stream, n);
		seal_lend(p->tls_seal);
		read_by_gnutls(p);
		if (seal_return(p->tls_seal))
			finish(p, ERR_TLS);
	}
}

static void receive_tls(struct pump *p)
{
	enum err err = stream_fill(p->stream, ALL);
	if (p->tls_seal)
		read_sealed(p);
	else
		read_by_gnutls(p);
	flush_packets(p);
	if (err == ERR_CLOSED)
		finish(p, err);
}

static void take_record(struct pump *p, const uint8_t *data, size_t len)
{
	struct cstp_frame f;
	if (!dtls_frame_parse(data, len, &f))
		on_frame(p, &f, true);
}

/* GnuTLS reads the datagram: data, or what the server says of the channel. */
static void take_by_gnutls(struct pump *p, const uint8_t *data, size_t len)
{
	uint8_t *plain = space(p);
	p->datagram = data;
	p->datagram_len = len;
	ssize_t k = gnutls_record_recv(p->dtls, plain, PLAIN);
	if (k > 0) {
		keep(p, (size_t)k);
		take_record(p, plain, (size_t)k);
	} else if (k == 0 || gnutls_error_is_fatal((int)k)) {
		finish(p, k ? ERR_TLS : ERR_CLOSED);
	}
}

static void take_datagram(struct pump *p, uint8_t *data, size_t len)
{
	uint8_t *plain;
	size_t plain_len;
	if (!p->dtls_seal) {
		take_by_gnutls(p, data, len);
		return;
	}
	for (size_t n; (n = seal_record(p->dtls_seal, data, len)) > 0; data += n, len -= n) {
		enum seal_verdict v = seal_open(p->dtls_seal, data, n, &plain, &plain_len);
		if (v == SEAL_DATA) {
			take_record(p, plain, plain_len);
		} else if (v == SEAL_OTHER) {
			seal_lend(p->dtls_seal);
			take_by_gnutls(p, data, n);
			if (seal_return(p->dtls_seal))
				finish(p, ERR_TLS);
		}
	}
}

static void receive_dtls(struct pump *p)
{
	uint8_t *data;
	size_t len;
	if (!udp_in_read(p->in, p->udp, ALL))
		return;
	while (!p->end && udp_in_next(p->in, &data, &len))
		take_datagram(p, data, len);
	flush_packets(p);
}

/* ---- transport of the DTLS session ---- */

static ssize_t push(gnutls_transport_ptr_t ptr, const void *data, size_t len)
{
	struct pump *p = ptr;
	batch_put(p->out, data, len);
	return (ssize_t)len;
}

static ssize_t pull(gnutls_transport_ptr_t ptr, void *data, size_t len)
{
	struct pump *p = ptr;
	size_t take = len < p->datagram_len ? len : p->datagram_len;
	if (take == 0) {
		gnutls_transport_set_errno(p->dtls, EAGAIN);
		return -1;
	}
	memcpy(data, p->datagram, take);
	p->datagram_len = 0;
	return (ssize_t)take;
}

static int pull_timeout(gnutls_transport_ptr_t ptr, unsigned ms)
{
	struct pump *p = ptr;
	(void)ms;
	return p->datagram_len > 0;
}

/* ---- life ---- */

static enum err use_dtls(struct pump *p, struct dtls *d)
{
	enum err err = batch_new(p, &p->out);
	if (!err)
		err = udp_in_new(p, &p->in);
	if (err)
		return err;
	p->dtls = d->s;
	p->udp = d->fd;
	err = seal_new(p, d->s, &p->dtls_seal);
	if (err && err != ERR_UNSUPPORTED)
		return err;
	batch_socket(p->out, p->udp, true);
	udp_in_socket(p->udp);
	gnutls_transport_set_ptr(d->s, p);
	gnutls_transport_set_push_function(d->s, push);
	gnutls_transport_set_pull_function(d->s, pull);
	gnutls_transport_set_pull_timeout_function(d->s, pull_timeout);
	return ERR_OK;
}

/* Takes the records from GnuTLS, if it has read none of them yet and the cipher is known. */
static enum err seal_tls(struct pump *p)
{
	if (!stream_hold(p->stream))
		return ERR_OK;
	enum err err = seal_new(p, p->tls, &p->tls_seal);
	if (err == ERR_UNSUPPORTED) {
		stream_release(p->stream);
		return ERR_OK;
	}
	return err;
}

static enum err use_tls(struct pump *p, const struct buf *begun)
{
	p->frames = cstp_stream_new(p);
	if (!p->frames)
		return ERR_NOMEM;
	/* What came behind the answer to CONNECT, as far as GnuTLS has given it, and then the rest.
	 */
	take_stream(p, (const uint8_t *)buf_text(begun), begun->len);
	flush_packets(p);
	read_by_gnutls(p);
	flush_packets(p);
	return seal_tls(p);
}

enum err pump_new(TALLOC_CTX *ctx, int tun, bool uso, struct login *l, struct dtls *d,
		  struct pump **out)
{
	struct pump *p = talloc_zero(ctx, struct pump);
	enum err err = p ? tun_new(p, tun, true, &p->tun) : ERR_NOMEM;
	if (err) {
		talloc_free(p);
		return err;
	}
	p->udp = -1;
	err = gro_new(p, uso, write_packets, p, &p->gro);
	if (!err)
		err = lazy_new(p, ARENA + CSTP_HEADER + FRAME, &p->plain);
	if (!err)
		err = stream_new(p, l->tls, l->fd, &p->stream);
	if (!err) {
		l->fd = -1;
		p->tls = l->tls;
	}
	if (!err && d)
		err = use_dtls(p, d);
	if (!err)
		err = use_tls(p, &l->in);
	if (err) {
		talloc_free(p);
		return err;
	}
	*out = p;
	return ERR_OK;
}

static void flush_channels(struct pump *p, bool tcp_writable, bool udp_writable)
{
	if (stream_flush(p->stream, tcp_writable, clock_ms()))
		finish(p, ERR_CLOSED);
	if (!p->dtls || (p->full && !udp_writable))
		return;
	p->full = batch_flush(p->out, p->udp, true) == ERR_AGAIN;
	p->count.dropped += batch_take_dropped(p->out);
}

static void say_goodbye(struct pump *p)
{
	static const uint8_t reason = CSTP_BYE_USER;
	if (p->dtls_seal)
		seal_lend(p->dtls_seal);
	if (p->dtls)
		(void)gnutls_bye(p->dtls, GNUTLS_SHUT_WR);
	answer(p, false, CSTP_DISCONNECT, &reason, 1);
	if (p->tls_seal)
		seal_lend(p->tls_seal);
	(void)gnutls_bye(p->tls, GNUTLS_SHUT_WR);
	flush_channels(p, true, true);
}

enum err pump_run(struct pump *p, int stop)
{
	while (!p->end) {
		bool room = has_room(p), waiting = stream_waiting(p->stream) > 0;
		struct pollfd fds[] = {
			{ .fd = stop, .events = POLLIN },
			{ .fd = stream_fd(p->stream),
			  .events = (short)(POLLIN | (waiting ? POLLOUT : 0)) },
			{ .fd = p->udp, .events = (short)(POLLIN | (p->full ? POLLOUT : 0)) },
			{ .fd = room ? tun_fd(p->tun) : -1, .events = POLLIN },
		};
		if (poll(fds, sizeof fds / sizeof *fds, -1) < 0)
			continue;
		if (fds[0].revents) {
			say_goodbye(p);
			return ERR_OK;
		}
		if (fds[1].revents & ~POLLOUT)
			receive_tls(p);
		if (fds[2].revents & ~POLLOUT)
			receive_dtls(p);
		if (fds[3].revents)
			read_tun(p);
		flush_channels(p, fds[1].revents & POLLOUT, fds[2].revents & POLLOUT);
	}
	return p->end;
}
