/* gro.h - coalesces consecutive TCP segments, and equal UDP datagrams, of the client into one write
 * to the TUN.  No I/O of its own; used by inner.c.  datapath.md 5.
 *
 * What the kernel makes of a super-packet, when it cuts it again, are the packets that were put in,
 * byte for byte, and each flow stays in order.  One thing is let go, as in the kernel's own GRO:
 * IPv4 packets with DF that all have one identification come out with consecutive ones.  Such
 * packets are never fragmented and their identification means nothing (RFC 6864 4.1). */
#ifndef WORKER_PATH_GRO_H
#define WORKER_PATH_GRO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <talloc.h>

#include "base/err.h"

struct gro;

/* Writes one (super-)packet of N vectors, the virtio-net header alone in the first, which holds
 * PACKETS packets of the client.  Vectors and what they point to are borrowed for the call and
 * left as they are.
 *	ERR_OK		written
 *	ERR_UNSUPPORTED	the kernel refuses the super-packet as such (EINVAL): its packets are
 *			written singly, and no more are merged
 *	others		lost */
typedef enum err gro_write(void *arg, struct iovec *iov, int n, unsigned packets);

/* USO: the kernel takes super-packets of UDP.  *OUT is a child of CTX; ARG is borrowed. */
MUST_USE enum err gro_new(TALLOC_CTX *ctx, bool uso, gro_write *write, void *arg, struct gro **out);

/* Takes one packet of LEN bytes, which look like IP, borrowed until gro_flush and left as they are:
 * it is written then or before. */
void gro_put(struct gro *g, const uint8_t *pkt, size_t len);

/* Writes everything that is held. */
void gro_flush(struct gro *g);

#endif /* WORKER_PATH_GRO_H */
