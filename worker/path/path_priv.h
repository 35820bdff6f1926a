/* path_priv.h - what the parts of the data path share.  Not for its users. */
#ifndef WORKER_PATH_PATH_PRIV_H
#define WORKER_PATH_PATH_PRIV_H

#include "worker/path/assoc.h"
#include "worker/path/bucket.h"
#include "worker/path/compress.h"
#include "worker/path/gro.h"
#include "worker/path/lazy.h"
#include "worker/path/liveness.h"
#include "worker/path/path.h"
#include "worker/path/pmtu.h"
#include "worker/path/rekey.h"
#include "worker/path/seal.h"
#include "worker/path/stream.h"
#include "worker/path/tun.h"
#include "worker/path/udp_in.h"
#include "wire/cstp_frame.h"

enum {
	PATH_PLAIN = 16384 + 256, /* plaintext of one record, of whatever the peer dares */
	PATH_ARENA = 256 * 1024,  /* plaintext of the records of one wake-up */
	PATH_FRAME = 16384,	  /* a control frame being built: one TLS record */
};

/* Where data to the client goes (protocol.md 6.9).
 *	OFF		not offered			TCP
 *	WAIT		no association yet		TCP
 *	ACTIVE		established, heard recently	UDP
 *	INACTIVE	established but silent		TCP */
enum udp_state { UDP_OFF, UDP_WAIT, UDP_ACTIVE, UDP_INACTIVE };

struct udp_chan {
	enum udp_state state;
	struct assoc_conf *conf;
	struct assoc *active, *pending;
	struct batch_queue *out; /* these two are made with the first association */
	struct udp_in *in;
	uint64_t hello; /* when the last handshake was begun */
	bool full;	/* the socket took no more */
	unsigned cap;	/* largest inner packet announced, or proven by the client since */
	unsigned fits;	/* largest inner packet that is sent over UDP */
	struct pmtu pmtu;
};

struct path {
	struct path_limits limits;
	struct path_dtls *dtls;
	const struct path_ops *ops;
	void *arg;

	gnutls_session_t tls;
	struct tun *tun;
	struct stream *stream;
	struct seal *seal; /* of the TLS channel; NULL: GnuTLS makes and opens all its records */
	unsigned lent;	   /* calls that have lent its numbers */
	size_t proven;	   /* GnuTLS has made one record of so much */
	struct cstp_stream *frames; /* CSTP frames in the TLS stream */
	struct udp_chan udp;
	struct liveness live;
	struct rekey rekey;
	struct bucket rx, tx;	   /* limits of the session */
	struct compress *compress; /* NULL: neither channel has negotiated it */
	struct gro *gro;	   /* NULL: the device takes single packets only */
	struct lazy *plain;	   /* PATH_ARENA bytes received, then PATH_FRAME bytes to send */
	size_t plain_at;	   /* what of the arena is used */

	struct path_counters count;
	unsigned data_mtu;
	uint64_t now;	   /* of the step under way */
	uint64_t last_use; /* when a packet passed last; buffers are given back some time later */
	uint64_t told;	   /* packets passed when the owner was told last */
	uint64_t tell_at;  /* when it is told again; UINT64_MAX: there is nothing new */
	bool trimmed;
	bool started;	   /* the first step reads what TLS holds already */
	enum path_end end; /* the first reason wins */
};

/* The tunnel must end because of END, unless it ends already. */
static inline void path_finish(struct path *p, enum path_end end)
{
	if (p->end == PATH_END_NONE)
		p->end = end;
}

/* Memory for a control frame, PATH_FRAME bytes. */
static inline uint8_t *path_frame(struct path *p)
{
	return p->plain->data + PATH_ARENA;
}

/* Tells the owner that inner packets may have MTU bytes now. */
void path_set_mtu(struct path *p, unsigned mtu);

/* Makes what packets to the device need. */
MUST_USE enum err inner_init(struct path *p);

/* PATH_PLAIN bytes for the next record, from a cache line of their own on. */
uint8_t *inner_space(struct path *p);

/* The LEN bytes at DATA, which inner_space may have given, are in use until inner_finish. */
void inner_keep(struct path *p, const uint8_t *data, size_t len);

/* A packet from the client: checks where it says it comes from, counts it, gives it to the TUN, if
 * not now then with inner_flush: until then PKT is borrowed. */
void inner_from_client(struct path *p, const uint8_t *pkt, size_t len);

/* Gives the TUN all packets that wait for others to join them. */
void inner_flush(struct path *p);

/* The same when no record is being taken apart: what inner_space has given is free again.  A flush
 * between two packets of one record must not free it, or the later one would be overwritten after
 * its source was checked. */
void inner_finish(struct path *p);

/* A compressed packet from the client, on a channel that has negotiated ENCODING.  What is none
 * ends the tunnel (protocol.md 5.9). */
void inner_from_compressed(struct path *p, enum cstp_encoding encoding, const uint8_t *data,
			   size_t len);

/* Compresses the packet *PKT of *LEN bytes for a channel that has negotiated ENCODING.  Gives the
 * type of its frame: CSTP_COMPRESSED with *PKT and *LEN changed (the new memory has headroom, too,
 * and is borrowed until the next packet), or CSTP_DATA. */
enum cstp_type inner_compress(struct path *p, enum cstp_encoding encoding, uint8_t **pkt,
			      size_t *len);

/* Reads the TUN until it is empty, the budget of a wake-up is used or a socket is full, and sends
 * over the better channel. */
void inner_to_client(struct path *p);

/* Whether inner_to_client would find room for packets. */
bool inner_has_room(const struct path *p);

/* The TLS channel: reads all that has arrived. */
void tcp_chan_receive(struct path *p);

/* Around everything that lets GnuTLS write or read on the TLS channel; may be nested. */
void tcp_chan_lend(struct path *p);
void tcp_chan_take_back(struct path *p);

/* Acts on the frames in decrypted bytes, which need not begin or end with a frame. */
void tcp_chan_take(struct path *p, const uint8_t *data, size_t len);

/* Sends one frame.  PKT has CSTP_HEADER writable bytes before it. */
void tcp_chan_send(struct path *p, enum cstp_type type, uint8_t *pkt, size_t len);

/* A frame without borrowed memory: PAYLOAD is copied.  Left out when too much waits already. */
void tcp_chan_control(struct path *p, enum cstp_type type, const void *payload, size_t len);

/* The DTLS channel.  udp_chan_send: PKT has a writable byte before it; false when it must go over
 * TCP instead. */
MUST_USE enum err udp_chan_init(struct path *p);
void udp_chan_offer(struct path *p, int fd, const struct endpoint *peer, bool hello,
		    uint8_t *datagram, size_t len);
void udp_chan_receive(struct path *p);
void udp_chan_receive_pending(struct path *p);
bool udp_chan_send(struct path *p, uint8_t *pkt, size_t len);
void udp_chan_flush(struct path *p, bool writable);

/* Before packets are sent: UDP that was silent for long is given up or asked for a sign of life. */
void udp_chan_choose(struct path *p);

/* The client does not use UDP, or it is not heard: data goes over TCP until a record comes. */
void udp_chan_set_inactive(struct path *p, const char *why);

/* Asks for a sign of life, in the size of the largest packets; work of expired timers. */
void udp_chan_probe(struct path *p);
void udp_chan_timers(struct path *p);
uint64_t udp_chan_deadline(const struct path *p);

#endif /* WORKER_PATH_PATH_PRIV_H */
