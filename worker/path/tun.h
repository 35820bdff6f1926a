/* tun.h - packets from and to the TUN device: what the kernel hands over in one piece is cut here.
 * Used by the data path.  datapath.md 2. */
#ifndef WORKER_PATH_TUN_H
#define WORKER_PATH_TUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <talloc.h>

#include "base/err.h"

enum {
	TUN_HEADROOM = 16, /* bytes before a packet that its reader may overwrite */
	TUN_PACKET_MAX = 65536,
};

struct tun;

/* Takes FD (non-blocking), whose packets have virtio-net headers if HEADERS; *OUT is a child of CTX
 * and closes it when freed. */
MUST_USE enum err tun_new(TALLOC_CTX *ctx, int fd, bool headers, struct tun **out);

int tun_fd(const struct tun *t);
bool tun_has_headers(const struct tun *t);

/* The next packet, borrowed until the next call and writable.  Reads from the device only when all
 * that it handed over last is taken.
 * ERR_AGAIN: none waits.  ERR_CLOSED: the device is gone. */
MUST_USE enum err tun_read(struct tun *t, uint8_t **pkt, size_t *len);

/* Whether tun_read would give a packet without asking the device. */
bool tun_holds(const struct tun *t);

/* Packets that were dropped since the last call: they could not be cut or handed over. */
unsigned tun_take_dropped(struct tun *t);

/* Hands one packet, its header first if there are headers, to the kernel.
 * ERR_UNSUPPORTED: it refuses packets of this form.  ERR_SYS: it did not take this one, which is
 * lost. */
MUST_USE enum err tun_write(struct tun *t, const struct iovec *iov, int n);

/* Gives memory back until the next read. */
void tun_trim(struct tun *t);

#endif /* WORKER_PATH_TUN_H */
