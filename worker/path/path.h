/* path.h - the data path of one tunnel: TUN on one side, CSTP over TLS and DTLS on the other.
 *
 * It knows nothing of event loops, HTTP, configuration or IPC.  The worker's loop asks for the
 * wanted readiness, waits, and reports what became ready; every wake-up drains, batches and
 * flushes.  Nothing is allocated per packet.  Used by the worker in its tunnel phase. */
#ifndef WORKER_PATH_PATH_H
#define WORKER_PATH_PATH_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include <gnutls/gnutls.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/log.h"
#include "wire/cstp_encoding.h"
#include "wire/dtls_suite.h"

struct path;

/* Why the path says the tunnel is over. */
enum path_end {
	PATH_END_NONE,
	PATH_END_USER,	 /* DISCONNECT 0xb0 */
	PATH_END_PAUSE,	 /* other DISCONNECT: the client will come back */
	PATH_END_CLOSED, /* TCP ended without a word */
	PATH_END_DPD,
	PATH_END_IDLE,
	PATH_END_SESSION_TIMEOUT,
	PATH_END_ERROR,	  /* protocol or TLS error */
	PATH_END_STALLED, /* the client stopped reading */
};

struct path_counters {
	uint64_t rx_bytes, rx_packets; /* inner packets from the client */
	uint64_t tx_bytes, tx_packets; /* inner packets to the client */
	uint64_t bad_source;	       /* dropped: inner source not assigned */
	uint64_t dropped;	       /* dropped: queue full, too big, malformed */
};

/* What struct path_limits' priority is. */
enum path_priority {
	PATH_PRIORITY_NONE,
	PATH_PRIORITY_SOCKET, /* SO_PRIORITY, 0 to 6 */
	PATH_PRIORITY_TOS,    /* TOS byte of IPv4, traffic class of IPv6 */
};

/* Techniques that are left out although the kernel has them (debug-datapath), as bits. */
enum path_off {
	PATH_OFF_USO = 1,      /* large UDP packets to the device */
	PATH_OFF_UDP_GSO = 2,  /* many datagrams to the client in one piece */
	PATH_OFF_UDP_GRO = 4,  /* and from it */
	PATH_OFF_BATCH = 8,    /* several packets in one system call */
	PATH_OFF_SEALING = 16, /* records without the record layer of GnuTLS */
};

/* Plain limits; intervals in seconds, 0 = off unless said otherwise.  Copied, but for borrowed
 * pointers, which must outlive the path. */
struct path_limits {
	const struct log_ctx *log;     /* borrowed; NULL: lines without a session */
	struct addr v4;		       /* assigned address, family 0 if none */
	struct addr_net v6;	       /* assigned block, family 0 if none */
	const struct addr_net *behind; /* borrowed: networks behind the client (iroute) */
	size_t behind_n;
	unsigned dpd;
	unsigned idle_timeout;
	uint64_t session_left;	/* until session-timeout */
	unsigned switch_to_tcp; /* switch-to-tcp-timeout */
	unsigned rekey;	   /* interval of the TLS 1.3 key updates or least renegotiation gap * 2 */
	bool rekey_ssl;	   /* policy ssl; else the client makes new tunnels */
	unsigned link_mtu; /* outer IP packet (X-CSTP-Base-MTU) */
	unsigned data_mtu; /* inner IP packet announced */
	bool probe_mtu;	   /* try-mtu-discovery */
	bool outer_v6;	   /* address family of the client's connection */
	bool deny_roaming;
	uint64_t rx_rate, tx_rate; /* most bytes per second from and to the client */
	unsigned send_timeout;	   /* a blocked TCP send longer than this ends the tunnel */
	enum cstp_encoding tcp_encoding, udp_encoding; /* negotiated; compress-only-if-smaller */
	unsigned output_buffer; /* send buffer of the client's sockets, in link MTUs; 0 default */
	enum path_priority priority_kind; /* of the client's sockets */
	uint8_t priority;
	unsigned no_compress; /* packets of up to so many bytes are sent as they are */
	bool tun_headers;     /* packets of the device have virtio-net headers, may be large, */
	bool tun_uso;	      /* and the large ones may be UDP */
	unsigned off;	      /* enum path_off */
};

/* How DTLS will be done; choice.mode DTLS_NONE: never. */
struct path_dtls {
	struct dtls_choice choice; /* PSK or legacy, and the suite */
	const char *priorities;	   /* PSK: complete GnuTLS priority string; borrowed */
	uint8_t session_id[32];	   /* App-ID */
	uint8_t master[48];	   /* legacy: X-DTLS-Master-Secret */
};

/* What the path tells its owner; ARG as given to path_new.  Any may be called from path_step. */
struct path_ops {
	void (*on_mtu)(void *arg, unsigned data_mtu); /* the TUN device must be set to this */
	void (*on_dtls)(void *arg,
			const char *cipher);	 /* established (description) or lost (NULL) */
	void (*on_rekey)(void *arg, bool tls13); /* the TLS channel has new keys */
	void (*on_udp_peer)(void *arg,
			    const struct endpoint *peer); /* client's UDP address changed */
	void (*on_counters)(void *arg); /* packets have passed: at most once a second */
};

/* What can be ready, as bits.  UDP: the active association; UDP_NEW: the pending one. */
enum path_ready {
	PATH_TUN_IN = 1,
	PATH_TCP_IN = 2,
	PATH_TCP_OUT = 4,
	PATH_UDP_IN = 8,
	PATH_UDP_OUT = 16,
	PATH_UDP_NEW_IN = 32,
};

/* Descriptors (-1: none) and the readiness the path waits for, and when it must be stepped in any
 * case (clock_ms; 0 at once, UINT64_MAX never).  Valid until the next call that changes the path:
 * ask again after each path_step and path_udp. */
struct path_wants {
	int tun, tcp, udp, udp_new;
	unsigned ready; /* PATH_* bits */
	uint64_t deadline;
};

/* Takes over TLS (an established session on TCP_FD, whose transport functions it replaces) and
 * TUN_FD (non-blocking).  Bytes already decrypted are read first.  *OUT is a child of CTX; freeing
 * it ends both channels without a word and closes all descriptors.  OPS is borrowed. */
MUST_USE enum err path_new(TALLOC_CTX *ctx, gnutls_session_t tls, int tcp_fd, int tun_fd,
			   const struct path_limits *limits, const struct path_dtls *dtls,
			   const struct path_ops *ops, void *arg, struct path **out);

void path_wants(const struct path *p, struct path_wants *out);

/* Does the work for READY bits (0: only timers) at NOW (clock_ms): drains, seals, opens, flushes.
 * Returns why the tunnel must end, or PATH_END_NONE. */
enum path_end path_step(struct path *p, unsigned ready, uint64_t now);

/* A socket connected to the client (taken) and the first datagram for it.  HELLO: a ClientHello
 * with our id, starts a handshake in the pending slot.  Otherwise a stray record: the socket
 * replaces the active one only if the record authenticates.  DATAGRAM may be overwritten.  NOW:
 * clock_ms. */
void path_udp(struct path *p, int fd, const struct endpoint *peer, bool hello, uint8_t *datagram,
	      size_t len, uint64_t now);

/* Sends DISCONNECT (type 5) with TEXT, or TERMINATE, and TLS close_notify, as far as the socket
 * takes it at once: the client will not reconnect.  Not calling it makes the client come back. */
void path_say_goodbye(struct path *p, const char *text);

const struct path_counters *path_counters(const struct path *p);
unsigned path_data_mtu(const struct path *p);

#endif /* WORKER_PATH_PATH_H */
