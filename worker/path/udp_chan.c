/* udp_chan.c - the DTLS channel: an active and a pending association.  Used by the data path.
 *
 * A ClientHello never touches the active association: its handshake runs in the pending one, and
 * only when it is complete, which proves knowledge of the key, the two change places.  A replayed
 * or forged hello so costs a little memory for a minute and nothing else (protocol.md 6.6). */
#include "worker/path/path_priv.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "wire/dtls_hello.h"
#include "worker/path/sockopt.h"

enum {
	HELLO_GAP_MS = 3000, /* a second hello from elsewhere is ignored for so long (6.3) */
	RECORD_TYPE_CCS = 20,
	RECORD_TYPE_HANDSHAKE = 22,
	DATAGRAM = 1500, /* bytes, when guessing how many may be read */
};

enum err udp_chan_init(struct path *p)
{
	struct udp_chan *u = &p->udp;
	pmtu_init(&u->pmtu, &p->limits);
	u->state = p->dtls->choice.mode == DTLS_NONE ? UDP_OFF : UDP_WAIT;
	return assoc_conf_new(p, p->dtls, p->tls, !(p->limits.off & PATH_OFF_SEALING), &u->conf);
}

/* The buffers of the channel, made when a client first shows up on UDP. */
static enum err need_buffers(struct path *p)
{
	struct udp_chan *u = &p->udp;
	enum err err = u->out ? ERR_OK : batch_new(p, &u->out);
	if (!err && !u->in)
		err = udp_in_new(p, &u->in);
	return err;
}

static void set_state(struct path *p, enum udp_state state, const char *why)
{
	static const char *const names[] = { "off", "wait", "active", "inactive" };
	if (p->udp.state == state)
		return;
	p->udp.state = state;
	log_debug(p->limits.log, "udp-state", kv_str("state", names[state]), kv_str("why", why));
}

void udp_chan_set_inactive(struct path *p, const char *why)
{
	if (p->udp.state == UDP_ACTIVE)
		set_state(p, UDP_INACTIVE, why);
}

/* ---- sizes ---- */

/* Lets the association use the link MTU, and the TUN what is left of that for packets. */
static void apply_mtu(struct path *p)
{
	struct udp_chan *u = &p->udp;
	unsigned data = assoc_set_payload(u->active, pmtu_payload(&u->pmtu, u->pmtu.link));
	if (data <= DTLS_FRAME_HEADER)
		return;
	data -= DTLS_FRAME_HEADER;
	u->fits = data < u->cap ? data : u->cap;
	path_set_mtu(p, u->fits);
}

/* The client's probe of LEN plaintext bytes arrived, so the path carries it: ours may become as
 * large, within the link MTU that was announced. */
static void raise_mtu(struct path *p, unsigned len)
{
	struct udp_chan *u = &p->udp;
	unsigned link = u->pmtu.link, most = pmtu_ceiling(&u->pmtu), have;
	/* Block ciphers round: what is missing is found by trying. */
	while ((have = assoc_set_payload(u->active, pmtu_payload(&u->pmtu, link))) < len &&
	       link < most)
		link = link + len - have < most ? link + len - have : most;
	if (have >= len) {
		pmtu_raised(&u->pmtu, link);
		if (u->cap < len - DTLS_FRAME_HEADER)
			u->cap = len - DTLS_FRAME_HEADER;
	}
	apply_mtu(p);
}

/* The path MTU the kernel knows for the active socket; 0 none. */
static unsigned kernel_mtu(const struct path *p)
{
	int mtu = 0;
	socklen_t len = sizeof mtu;
	bool v6 = assoc_peer(p->udp.active)->addr.family == AF_INET6;
	if (getsockopt(assoc_fd(p->udp.active), v6 ? IPPROTO_IPV6 : IPPROTO_IP,
		       v6 ? IPV6_MTU : IP_MTU, &mtu, &len) ||
	    mtu < 0)
		return 0;
	return (unsigned)mtu;
}

static void on_too_big(struct path *p)
{
	struct udp_chan *u = &p->udp;
	if (!u->active)
		return;
	if (!pmtu_too_big(&u->pmtu, kernel_mtu(p), p->now))
		udp_chan_set_inactive(p, "path MTU below the minimum");
	apply_mtu(p);
	log_info(p->limits.log, "mtu-lowered", kv_u64("link", u->pmtu.link),
		 kv_u64("data", p->data_mtu));
}

/* ---- sending ---- */

/* Sends the frame at FRAME (type byte included).  False: it does not fit, or the numbers of the
 * association are used up, so that it must take TCP. */
static bool send_frame(struct path *p, const uint8_t *frame, size_t len)
{
	enum err err = assoc_send(p->udp.active, frame, len);
	return err != ERR_TOO_LONG && err != ERR_EXHAUSTED;
}

bool udp_chan_send(struct path *p, uint8_t *pkt, size_t len)
{
	struct udp_chan *u = &p->udp;
	enum cstp_type type = inner_compress(p, p->limits.udp_encoding, &pkt, &len);
	uint8_t *frame = pkt - DTLS_FRAME_HEADER;
	frame[0] = (uint8_t)type;
	if (!send_frame(p, frame, len + DTLS_FRAME_HEADER))
		return false;
	/* Whole batches leave while the next one is collected. */
	if (!u->full)
		u->full = batch_flush(u->out, assoc_fd(u->active),
				      p->limits.off & PATH_OFF_BATCH) == ERR_AGAIN;
	return true;
}

void udp_chan_flush(struct path *p, bool writable)
{
	struct udp_chan *u = &p->udp;
	if (!u->active)
		return;
	if (writable || !(u->full || batch_is_empty(u->out)))
		u->full = batch_flush(u->out, assoc_fd(u->active), true) == ERR_AGAIN;
	/* Also of what has left before. */
	p->count.dropped += batch_take_dropped(u->out);
	if (batch_take_too_big(u->out))
		on_too_big(p);
}

/* A DPD-REQ that fills a datagram of an outer packet of LINK bytes. */
static void send_probe(struct path *p, unsigned link)
{
	struct udp_chan *u = &p->udp;
	uint8_t *frame = path_frame(p);
	unsigned len = assoc_set_payload(u->active, pmtu_payload(&u->pmtu, link));
	if (len > PATH_FRAME)
		len = PATH_FRAME;
	if (len >= DTLS_FRAME_HEADER) {
		memset(frame, 0, len);
		frame[0] = CSTP_DPD_REQ;
		(void)send_frame(p, frame, len);
	}
	(void)assoc_set_payload(u->active, pmtu_payload(&u->pmtu, u->pmtu.link));
}

void udp_chan_probe(struct path *p)
{
	if (p->udp.active)
		send_probe(p, p->udp.pmtu.link);
}

void udp_chan_choose(struct path *p)
{
	if (p->udp.state != UDP_ACTIVE)
		return;
	unsigned action = liveness_udp_sending(&p->live, p->now);
	if (action & LIVENESS_UDP_DEAD)
		udp_chan_set_inactive(p, "silent");
	else if (action & LIVENESS_PROBE_UDP)
		udp_chan_probe(p);
}

/* ---- receiving ---- */

/* The active association is gone, the client may come back with a new hello. */
static void drop_active(struct path *p, const char *why)
{
	struct udp_chan *u = &p->udp;
	/* A pending handshake on the same socket needs it still. */
	if (u->pending && assoc_fd(u->pending) == assoc_fd(u->active) && assoc_owns_fd(u->active)) {
		assoc_set_owner(u->active, false);
		assoc_set_owner(u->pending, true);
	}
	TALLOC_FREE(u->active);
	batch_reset(u->out);
	u->full = false;
	liveness_udp_lost(&p->live);
	set_state(p, UDP_WAIT, why);
	log_info(p->limits.log, "dtls-closed", kv_str("reason", why));
	if (p->ops->on_dtls)
		p->ops->on_dtls(p->arg, NULL);
}

/* Answers a DPD request in full length: clients measure the path MTU with it (6.8). */
static void on_dpd_request(struct path *p, uint8_t *frame, size_t len)
{
	frame[0] = CSTP_DPD_RESP;
	if (len > p->udp.fits + DTLS_FRAME_HEADER)
		raise_mtu(p, (unsigned)len);
	if (!send_frame(p, frame, len))
		(void)send_frame(p, frame, DTLS_FRAME_HEADER);
}

static void on_record(struct path *p, uint8_t *data, size_t len)
{
	struct cstp_frame f;
	liveness_udp_heard(&p->live, p->now);
	set_state(p, UDP_ACTIVE, "heard");
	if (dtls_frame_parse(data, len, &f))
		return;
	switch (f.type) {
	case CSTP_DATA:
		inner_from_client(p, f.data, f.len);
		break;
	case CSTP_DPD_REQ:
		on_dpd_request(p, data, len);
		break;
	case CSTP_DPD_RESP:
		pmtu_answered(&p->udp.pmtu, p->now);
		apply_mtu(p);
		break;
	case CSTP_COMPRESSED: /* authentic, so a fault is the client's and ends the tunnel */
		inner_from_compressed(p, p->limits.udp_encoding, f.data, f.len);
		break;
	default: /* keepalive, or of no meaning here */
		break;
	}
}

/* Bytes of whole, plausible records at the start of a datagram, and how many there are.  GnuTLS
 * would keep the beginning of a broken one and lose the next datagram with it. */
static size_t whole_records(const uint8_t *data, size_t len, unsigned *n)
{
	size_t at = 0;
	for (*n = 0; at < len && dtls_is_record(data + at, len - at); ++*n)
		at += DTLS_RECORD_HEADER + get_be16(data + at + 11);
	return at;
}

/* Feeds a datagram to the active association.  Returns whether it held an authentic record. */
static bool feed_active(struct path *p, uint8_t *data, size_t len)
{
	struct udp_chan *u = &p->udp;
	bool authentic = false;
	uint8_t *plain;
	size_t n;
	unsigned records;
	len = whole_records(data, len, &records);
	assoc_give(u->active, data, len);
	/* Once for each record: one that is refused spoils no other, but asking GnuTLS only to hear
	 * "no more" costs an allocation. */
	do {
		enum err err =
			assoc_recv(u->active, inner_space(p), PATH_PLAIN, &plain, &n, p->now);
		if (!err) {
			authentic = true;
			inner_keep(p, plain, n);
			on_record(p, plain, n);
		} else if (err != ERR_AGAIN) {
			drop_active(p, err == ERR_CLOSED ? "closed by the client" : err_text(err));
			break;
		}
	} while (records-- > 1);
	return authentic;
}

/* ---- handshakes ---- */

static bool may_segment(const struct path *p)
{
	return !(p->limits.off & (PATH_OFF_UDP_GSO | PATH_OFF_BATCH));
}

/* The handshake is complete: the client knows the key.  The new association replaces the old. */
static void activate_pending(struct path *p)
{
	struct udp_chan *u = &p->udp;
	struct assoc *old = u->active;
	u->active = u->pending;
	u->pending = NULL;
	if (old) {
		if (assoc_fd(old) == assoc_fd(u->active)) {
			assoc_set_owner(u->active, true);
			assoc_set_owner(old, false);
		}
		if (batch_flush(u->out, assoc_fd(old),
				true)) /* what the old socket does not take */
			batch_reset(u->out);
		talloc_free(old);
	}
	batch_socket(u->out, assoc_fd(u->active), may_segment(p));
	assoc_collect(u->active, u->out);
	u->full = false;
	pmtu_start(&u->pmtu, assoc_peer(u->active)->addr.family == AF_INET6, p->now);
	apply_mtu(p);
	liveness_udp_heard(&p->live, p->now);
	set_state(p, UDP_ACTIVE, "handshake complete");
}

static void announce_active(struct path *p)
{
	char *cipher = assoc_describe(p, p->udp.active);
	log_info(p->limits.log, "dtls-open", kv_str("cipher", cipher), kv_u64("mtu", p->data_mtu),
		 kv_str("records", assoc_seals(p->udp.active) ? "own" : "gnutls"));
	if (p->ops->on_dtls)
		p->ops->on_dtls(p->arg, cipher ? cipher : "");
	if (p->ops->on_udp_peer)
		p->ops->on_udp_peer(p->arg, assoc_peer(p->udp.active));
	talloc_free(cipher);
}

/* Goes on with the handshake of the pending association. */
static void run_pending(struct path *p)
{
	enum err err = assoc_handshake(p->udp.pending, p->now);
	if (err == ERR_AGAIN)
		return;
	if (err) {
		log_info(p->limits.log, "dtls-handshake-failed", kv_err(err));
		TALLOC_FREE(p->udp.pending);
		return;
	}
	activate_pending(p);
	announce_active(p);
}

static void feed_pending(struct path *p, uint8_t *data, size_t len)
{
	unsigned records;
	assoc_give(p->udp.pending, data, whole_records(data, len, &records));
	run_pending(p);
	/* Whatever is left of the datagram would be read after it is gone. */
	if (p->udp.pending)
		assoc_give(p->udp.pending, NULL, 0);
}

static void socket_options(const struct path *p, int fd, bool v6)
{
	int discover = v6 ? IPV6_PMTUDISC_DO : IP_PMTUDISC_DO;
	sockopt_apply(fd, true, &p->limits);
	/* Merged datagrams could be far more than a limit lets pass. */
	if (!p->limits.rx_rate && !(p->limits.off & PATH_OFF_UDP_GRO))
		udp_in_socket(fd);
	if (p->limits.probe_mtu) /* DF: a refusal is an answer */
		(void)setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
				 v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &discover,
				 sizeof discover);
}

/* Begins a handshake for a hello.  FD is taken when OWN_FD. */
static void begin_pending(struct path *p, int fd, bool own_fd, const struct endpoint *peer,
			  uint8_t *data, size_t len)
{
	struct udp_chan *u = &p->udp;
	enum err err = need_buffers(p);
	TALLOC_FREE(u->pending);
	if (!err)
		err = assoc_new(p, u->conf, fd, own_fd, peer, p->now, &u->pending);
	if (err) {
		log_warn(p->limits.log, "dtls-setup-failed", kv_err(err));
		if (own_fd)
			close(fd);
		return;
	}
	u->hello = p->now;
	feed_pending(p, data, len);
}

static void offer_hello(struct path *p, int fd, const struct endpoint *peer, uint8_t *data,
			size_t len)
{
	struct udp_chan *u = &p->udp;
	/* The first hello's repetition, caught by the listener before the socket was connected. */
	if (u->pending && endpoint_equal(assoc_peer(u->pending), peer)) {
		close(fd);
		feed_pending(p, data, len);
		return;
	}
	if (u->pending && p->now - u->hello < HELLO_GAP_MS) {
		close(fd);
		return;
	}
	socket_options(p, fd, peer->addr.family == AF_INET6);
	begin_pending(p, fd, true, peer, data, len);
}

/* The client's address has changed: everything goes there from now on. */
static void move_active(struct path *p, int fd, const struct endpoint *peer)
{
	struct udp_chan *u = &p->udp;
	bool v6 = peer->addr.family == AF_INET6;
	if (u->pending && assoc_fd(u->pending) == assoc_fd(u->active))
		TALLOC_FREE(u->pending);
	socket_options(p, fd, v6);
	assoc_move(u->active, fd, peer);
	batch_socket(u->out, fd, may_segment(p));
	u->full = false;
	pmtu_start(&u->pmtu, v6, p->now);
	apply_mtu(p);
	log_info(p->limits.log, "udp-moved", kv_addr("to", &peer->addr),
		 kv_u64("port", peer->port));
	if (p->ops->on_udp_peer)
		p->ops->on_udp_peer(p->arg, peer);
}

/* A record from an unknown address: adopted only if it is authentic (6.3 step 5). */
static void offer_stray(struct path *p, int fd, const struct endpoint *peer, uint8_t *data,
			size_t len)
{
	struct udp_chan *u = &p->udp;
	const struct assoc *a = u->active;
	bool refused =
		!a || (p->limits.deny_roaming && !addr_equal(&assoc_peer(a)->addr, &peer->addr));
	if (refused || !feed_active(p, data, len) || !u->active) {
		close(fd);
		return;
	}
	/* The same peer: a datagram that raced with connect(). */
	if (endpoint_equal(assoc_peer(u->active), peer)) {
		close(fd);
		return;
	}
	move_active(p, fd, peer);
}

void udp_chan_offer(struct path *p, int fd, const struct endpoint *peer, bool hello,
		    uint8_t *datagram, size_t len)
{
	if (p->udp.state == UDP_OFF || p->end != PATH_END_NONE)
		close(fd);
	else if (hello)
		offer_hello(p, fd, peer, datagram, len);
	else
		offer_stray(p, fd, peer, datagram, len);
}

/* ---- readiness and timers ---- */

/* A new handshake on the socket of the active association: a ClientHello in plain epoch 0, then
 * what belongs to it (6.10).  Returns whether DATA was such. */
static bool take_handshake(struct path *p, uint8_t *data, size_t len)
{
	struct udp_chan *u = &p->udp;
	struct dtls_hello hello;
	if (len < DTLS_RECORD_HEADER ||
	    (data[0] != RECORD_TYPE_HANDSHAKE && data[0] != RECORD_TYPE_CCS))
		return false;
	bool same_socket = u->pending && assoc_fd(u->pending) == assoc_fd(u->active);
	bool plain = data[3] == 0 && data[4] == 0;
	if (same_socket) {
		feed_pending(p, data, len);
		return true;
	}
	if (!plain || u->pending || p->now - u->hello < HELLO_GAP_MS ||
	    dtls_hello_parse(data, len, false, &hello) ||
	    hello.id_len != sizeof p->dtls->session_id ||
	    memcmp(hello.id, p->dtls->session_id, hello.id_len))
		return false;
	begin_pending(p, assoc_fd(u->active), false, assoc_peer(u->active), data, len);
	return true;
}

void udp_chan_receive(struct path *p)
{
	struct udp_chan *u = &p->udp;
	uint8_t *data;
	size_t len;
	size_t most = bucket_level(&p->rx) / DATAGRAM;
	if (p->limits.off & PATH_OFF_BATCH)
		most = 1;
	if (!u->active || !udp_in_read(u->in, assoc_fd(u->active), most))
		return;
	while (p->end == PATH_END_NONE && u->active && udp_in_next(u->in, &data, &len)) {
		if (!take_handshake(p, data, len))
			(void)feed_active(p, data, len);
	}
}

void udp_chan_receive_pending(struct path *p)
{
	struct udp_chan *u = &p->udp;
	uint8_t *data;
	size_t len;
	inner_flush(p); /* packets may still lie where datagrams are received */
	if (!u->pending || !udp_in_read(u->in, assoc_fd(u->pending), SIZE_MAX))
		return;
	while (p->end == PATH_END_NONE && udp_in_next(u->in, &data, &len)) {
		if (u->pending)
			feed_pending(p, data, len);
		else if (u->active) /* it was completed by the one before */
			(void)feed_active(p, data, len);
	}
}

void udp_chan_timers(struct path *p)
{
	struct udp_chan *u = &p->udp;
	if (u->pending && p->now >= assoc_deadline(u->pending))
		run_pending(p);
	if (u->active && p->now >= assoc_deadline(u->active))
		(void)feed_active(p, NULL, 0);
	if (u->active && pmtu_due(&u->pmtu, p->now)) {
		send_probe(p, u->pmtu.trial);
		apply_mtu(p);
	}
}

uint64_t udp_chan_deadline(const struct path *p)
{
	const struct udp_chan *u = &p->udp;
	uint64_t at = UINT64_MAX;
	if (u->pending)
		at = assoc_deadline(u->pending);
	if (u->active && assoc_deadline(u->active) < at)
		at = assoc_deadline(u->active);
	if (u->active && u->pmtu.next < at)
		at = u->pmtu.next;
	return at;
}
