/* tcp_chan.c - the CSTP channel: frames in TLS records, of which those with data are sealed and
 * opened here where seal.c can.  Used by the data path.  protocol.md 5.6-5.8. */
#include "worker/path/path_priv.h"

#include <string.h>

enum { READ_LEAST = 4096 };

static void on_disconnect(struct path *p, const struct cstp_frame *f)
{
	struct cstp_bye bye;
	cstp_bye_parse(f->data, f->len, &bye);
	log_info(p->limits.log, "client-disconnect", kv_i64("reason", bye.reason),
		 kv_str("text", bye.text));
	path_finish(p, bye.reason == CSTP_BYE_USER ? PATH_END_USER : PATH_END_PAUSE);
}

/* A packet: the client sends those here only when it has no UDP (6.9). */
static void on_data(struct path *p, const struct cstp_frame *f)
{
	if (p->udp.state == UDP_ACTIVE)
		udp_chan_set_inactive(p, "data on TCP");
	if (f->type == CSTP_COMPRESSED)
		inner_from_compressed(p, p->limits.tcp_encoding, f->data, f->len);
	else
		inner_from_client(p, f->data, f->len);
}

static void on_frame(struct path *p, const struct cstp_frame *f)
{
	switch (f->type) {
	case CSTP_DATA:
	case CSTP_COMPRESSED:
		on_data(p, f);
		break;
	case CSTP_DPD_REQ:
		tcp_chan_control(p, CSTP_DPD_RESP, f->data, f->len);
		break;
	case CSTP_DPD_RESP:
	case CSTP_KEEPALIVE: /* an answer would be answered */
		break;
	case CSTP_DISCONNECT:
		on_disconnect(p, f);
		break;
	default:
		log_debug(p->limits.log, "unknown-frame", kv_u64("type", f->type));
	}
}

void tcp_chan_take(struct path *p, const uint8_t *data, size_t len)
{
	const uint8_t *begin = data, *end = data + len;
	struct cstp_frame frame;
	while (p->end == PATH_END_NONE) {
		enum err err = cstp_stream_next(p->frames, &data, &len, &frame);
		if (err == ERR_AGAIN)
			return;
		if (err) {
			log_warn(p->limits.log, "bad-frame", kv_err(err));
			path_finish(p, PATH_END_ERROR);
			return;
		}
		on_frame(p, &frame);
		/* It was put together from parts, in memory that the next one needs. */
		if (frame.data < begin || frame.data > end)
			inner_flush(p);
	}
}

void tcp_chan_lend(struct path *p)
{
	if (p->seal && p->lent == 0)
		seal_lend(p->seal);
	p->lent++;
}

void tcp_chan_take_back(struct path *p)
{
	/* A renegotiation keeps the numbers until its end. */
	if (--p->lent || !p->seal || p->rekey.running || !seal_return(p->seal))
		return;
	TALLOC_FREE(p->seal);
	stream_release(p->stream);
}

/* Runs a renegotiation as far as the bytes in memory go.  False: wait for more. */
static bool renegotiate(struct path *p)
{
	enum err err = rekey_continue(&p->rekey, p->now);
	if (err == ERR_OK) {
		log_info(p->limits.log, "rekeyed", kv_str("channel", "tls"));
		if (p->ops->on_rekey)
			p->ops->on_rekey(p->arg, false);
		return true;
	}
	if (err == ERR_AGAIN || err == ERR_STATE)
		return err == ERR_STATE;
	if (err == ERR_DENIED)
		log_warn(p->limits.log, "rekey-failed",
			 kv_text("user switched during renegotiation!"));
	else
		log_warn(p->limits.log, "rekey-failed", kv_err(err));
	path_finish(p, PATH_END_ERROR);
	return false;
}

static bool on_rehandshake(struct path *p)
{
	if (rekey_begin(&p->rekey, p->now)) {
		log_warn(p->limits.log, "rekey-refused", kv_str("reason", "too soon"));
		path_finish(p, PATH_END_ERROR);
		return false;
	}
	return renegotiate(p);
}

/* GnuTLS gave no data but RET.  Whether there may be more to read. */
static bool on_no_data(struct path *p, int ret)
{
	switch (ret) {
	case GNUTLS_E_AGAIN:
		/* Also said after a message without data, such as a key update. */
		return stream_has_input(p->stream);
	case GNUTLS_E_REHANDSHAKE:
		return on_rehandshake(p);
	case 0:
	case GNUTLS_E_PREMATURE_TERMINATION:
		path_finish(p, PATH_END_CLOSED);
		return false;
	}
	if (!gnutls_error_is_fatal(ret))
		return true;
	log_warn(p->limits.log, "tls-error", kv_str("error", gnutls_strerror(ret)));
	if (ret != GNUTLS_E_FATAL_ALERT_RECEIVED)
		(void)gnutls_alert_send_appropriate(p->tls, ret);
	path_finish(p, PATH_END_ERROR);
	return false;
}

/* Lets GnuTLS read what it is shown. */
static void receive_gnutls(struct path *p)
{
	tcp_chan_lend(p);
	bool more = !p->rekey.running || renegotiate(p);
	while (more && p->end == PATH_END_NONE) {
		uint8_t *plain = inner_space(p);
		ssize_t k = gnutls_record_recv(p->tls, plain, PATH_PLAIN);
		if (k > 0) {
			inner_keep(p, plain, (size_t)k);
			tcp_chan_take(p, plain, (size_t)k);
		} else {
			more = on_no_data(p, (int)k);
		}
		/* Data came in the middle of a renegotiation: back to it. */
		if (k > 0 && p->rekey.running)
			more = renegotiate(p);
	}
	/* The next record is GnuTLS's: it may owe an answer to a key update, and a hello may have
	 * brought another size limit. */
	p->proven = 0;
	tcp_chan_take_back(p);
}

/* Opens all whole records of data in place, and shows GnuTLS the others. */
static void receive_sealed(struct path *p)
{
	uint8_t *rec, *text;
	size_t have, n, len;
	while (p->end == PATH_END_NONE && p->seal && (have = stream_peek(p->stream, &rec)) &&
	       (n = seal_record(p->seal, rec, have))) {
		if (!p->rekey.running && seal_open(p->seal, rec, n, &text, &len) == SEAL_DATA) {
			stream_skip(p->stream, n);
			tcp_chan_take(p, text, len);
			continue;
		}
		stream_show(p->stream, n);
		receive_gnutls(p);
		if (stream_has_input(p->stream))
			break;
	}
}

/* What GnuTLS holds already comes first.  Then the numbers can be ours. */
static void begin(struct path *p)
{
	receive_gnutls(p);
	if (p->end != PATH_END_NONE || p->rekey.running)
		return;
	if (!(p->limits.off & PATH_OFF_SEALING) && stream_hold(p->stream) &&
	    seal_new(p, p->tls, &p->seal))
		stream_release(p->stream);
	log_debug(p->limits.log, "tls-tunnel", kv_str("records", p->seal ? "own" : "gnutls"));
}

void tcp_chan_receive(struct path *p)
{
	size_t level = bucket_level(&p->rx);
	if (!p->started)
		begin(p);
	/* Not much more than may pass, so that a limited client is not silenced for long after. */
	enum err err = stream_fill(p->stream, level > READ_LEAST ? level : READ_LEAST);
	if (err == ERR_OK)
		liveness_tcp_heard(&p->live, p->now);
	if (p->seal)
		receive_sealed(p);
	/* Also when a renegotiation has just brought a cipher that is GnuTLS's. */
	if (!p->seal)
		receive_gnutls(p);
	if (err == ERR_CLOSED)
		path_finish(p, PATH_END_CLOSED);
}

static bool send_sealed(struct path *p, const uint8_t *frame, size_t len)
{
	uint8_t *room = stream_room(p->stream, len + seal_overhead(p->seal));
	size_t n = room ? seal_write(p->seal, frame, len, room) : 0;
	stream_commit(p->stream, n);
	return n > 0;
}

/* GnuTLS alone knows how large a record may be for this client: the first one of each larger size
 * is left to it.  Its push function takes everything, so one call is one whole record (5.6), or a
 * part when the client wants smaller ones. */
static void send_gnutls(struct path *p, const uint8_t *frame, size_t len)
{
	size_t at = 0;
	ssize_t k;
	tcp_chan_lend(p);
	do {
		k = gnutls_record_send(p->tls, frame + at, len - at);
		at += k > 0 ? (size_t)k : 0;
	} while (k > 0 && at < len);
	tcp_chan_take_back(p);
	if (k == (ssize_t)len && len > p->proven)
		p->proven = len;
	if (k < 0 && gnutls_error_is_fatal((int)k)) {
		log_warn(p->limits.log, "tls-error", kv_str("error", gnutls_strerror((int)k)));
		path_finish(p, PATH_END_ERROR);
	}
}

void tcp_chan_send(struct path *p, enum cstp_type type, uint8_t *pkt, size_t len)
{
	uint8_t *frame = pkt - CSTP_HEADER;
	cstp_header_build(frame, type, len);
	len += CSTP_HEADER;
	bool ours = p->seal && !p->lent && !p->rekey.running && len <= p->proven;
	if (!ours || !send_sealed(p, frame, len))
		send_gnutls(p, frame, len);
}

void tcp_chan_control(struct path *p, enum cstp_type type, const void *payload, size_t len)
{
	uint8_t *frame = path_frame(p);
	/* A client that asks without reading gets no more answers, rather than our memory. */
	if (stream_waiting(p->stream) > STREAM_CONTROL)
		return;
	if (len > PATH_FRAME - CSTP_HEADER) /* an echo that does not fit into one record */
		len = 0;
	if (len)
		memcpy(frame + CSTP_HEADER, payload, len);
	tcp_chan_send(p, type, frame + CSTP_HEADER, len);
}
