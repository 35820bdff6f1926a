/* pump.h - moves packets between the client's TUN and the two channels, in batches, with the parts
 * that the server's data path is made of.  Used by vpnload.  datapath.md. */
#ifndef BENCH_PUMP_H
#define BENCH_PUMP_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"
#include "tests/bench/dtls.h"
#include "tests/bench/login.h"

struct pump_count {
	uint64_t tx_packets, tx_bytes, rx_packets, rx_bytes, dropped;
};

struct pump;

/* Moves between TUN (taken; USO: it takes segmented UDP), the connection of L, whose socket is
 * taken, too, and D (NULL: everything goes over TLS); both outlive it.  *OUT is a child of CTX. */
MUST_USE enum err pump_new(TALLOC_CTX *ctx, int tun, bool uso, struct login *l, struct dtls *d,
			   struct pump **out);

/* Works until STOP, a descriptor, is readable; then the server is told goodbye.
 * ERR_CLOSED: the server has ended the session.  Others: it cannot go on. */
MUST_USE enum err pump_run(struct pump *p, int stop);

const struct pump_count *pump_count(const struct pump *p);

#endif /* BENCH_PUMP_H */
