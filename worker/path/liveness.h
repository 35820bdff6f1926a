/* liveness.h - decides when a silent channel is probed or dead, and when a session is idle or over.
 * Pure: the data path reports events, as in WireGuard's timers; time is always given.
 * Used by the data path.  protocol.md 5.7, 6.9. */
#ifndef WORKER_PATH_LIVENESS_H
#define WORKER_PATH_LIVENESS_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/path/path.h"

/* What is to be done now, as bits. */
enum liveness_action {
	LIVENESS_PROBE_TCP = 1, /* send a DPD-REQ on the TLS channel */
	LIVENESS_PROBE_UDP = 2, /* and on the DTLS channel */
	LIVENESS_UDP_DEAD = 4,	/* data goes over TCP until UDP is heard again */
};

struct liveness {
	uint64_t dpd, idle, quiet; /* limits in ms, 0 off; quiet: switch-to-tcp-timeout */
	uint64_t session_end;	   /* UINT64_MAX: none */
	uint64_t tcp_heard, tcp_probed;
	uint64_t udp_heard, udp_probed;
	uint64_t activity; /* last packet that counts as use */
	bool udp;	   /* the DTLS channel is up and watched */
};

void liveness_init(struct liveness *l, const struct path_limits *limits, uint64_t now);

/* Bytes arrived on TCP; an authentic record arrived on UDP; UDP is not there any more. */
void liveness_tcp_heard(struct liveness *l, uint64_t now);
void liveness_udp_heard(struct liveness *l, uint64_t now);
void liveness_udp_lost(struct liveness *l);

/* A packet that a user's traffic consists of passed, in either direction. */
void liveness_activity(struct liveness *l, uint64_t now);

/* Packets are about to be sent over UDP.  LIVENESS_UDP_DEAD: it was silent for longer than
 * switch-to-tcp-timeout.  LIVENESS_PROBE_UDP: for half of that; the answer to a probe keeps a
 * one-way flow on UDP.  Otherwise 0. */
unsigned liveness_udp_sending(struct liveness *l, uint64_t now);

/* What is due (enum liveness_action).  *END is set when the tunnel must end, else left alone. */
unsigned liveness_due(struct liveness *l, uint64_t now, enum path_end *end);

/* When liveness_due has something to say next; UINT64_MAX never. */
uint64_t liveness_deadline(const struct liveness *l);

#endif /* WORKER_PATH_LIVENESS_H */
