/* tun.h - packets from and to the TUN device.  The only place that knows how they lie there, so
 * that segmentation offloads change nothing else.  Used by the data path. */
#ifndef WORKER_PATH_TUN_H
#define WORKER_PATH_TUN_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"

enum {
	TUN_HEADROOM = 16, /* bytes before a packet that its reader may overwrite */
	TUN_PACKET_MAX = 65536,
};

struct tun;

/* Takes FD (non-blocking); *OUT is a child of CTX and closes it when freed. */
MUST_USE enum err tun_new(TALLOC_CTX *ctx, int fd, struct tun **out);

int tun_fd(const struct tun *t);

/* The next packet, borrowed until the next call and writable.
 * ERR_AGAIN: none waits.  ERR_CLOSED: the device is gone. */
MUST_USE enum err tun_read(struct tun *t, uint8_t **pkt, size_t *len);

/* Hands one packet to the kernel.  ERR_SYS: it did not take it; the packet is lost. */
MUST_USE enum err tun_write(struct tun *t, const uint8_t *pkt, size_t len);

/* Gives memory back until the next read. */
void tun_trim(struct tun *t);

#endif /* WORKER_PATH_TUN_H */
