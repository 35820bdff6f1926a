/* pmtu.h - how large a datagram the path to the client carries: what the client's probes, the
 * kernel's refusals and our own probes say.  Pure; time is given.
 * Used by the data path.  protocol.md 6.8. */
#ifndef WORKER_PATH_PMTU_H
#define WORKER_PATH_PMTU_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/path/path.h"

/* LINK values are sizes of outer IP packets. */
struct pmtu {
	unsigned max, min;  /* bounds of link */
	unsigned link;	    /* what is used */
	unsigned trial;	    /* what the probe under way tries; 0: none */
	unsigned good, bad; /* largest that worked, smallest that did not; 0: unknown */
	unsigned tries;	    /* probes of this size without an answer */
	uint64_t next;	    /* when to probe again; UINT64_MAX never */
	bool outer_v6;
	bool search; /* try-mtu-discovery */
};

void pmtu_init(struct pmtu *m, const struct path_limits *limits);

/* A new association: OUTER_V6 is the family of its addresses.  Starts a search, if allowed. */
void pmtu_start(struct pmtu *m, bool outer_v6, uint64_t now);

/* Bytes of a UDP payload in an outer packet of LINK bytes. */
unsigned pmtu_payload(const struct pmtu *m, unsigned link);

/* The largest link that may be used because the client's datagrams of that size arrive: what the
 * way to the client is known to refuse stays refused. */
unsigned pmtu_ceiling(const struct pmtu *m);

/* A datagram that fills LINK (at most the ceiling) has arrived: the path carries it, so we may,
 * too.
 */
void pmtu_raised(struct pmtu *m, unsigned link);

/* The kernel refused a datagram; KERNEL is the path MTU it knows, 0 if none.  Lowers link.
 * False: it is at its minimum already, UDP is of no use. */
bool pmtu_too_big(struct pmtu *m, unsigned kernel, uint64_t now);

/* A probe was answered. */
void pmtu_answered(struct pmtu *m, uint64_t now);

/* Whether a probe of the size m->trial must be sent now; counts it. */
bool pmtu_due(struct pmtu *m, uint64_t now);

#endif /* WORKER_PATH_PMTU_H */
