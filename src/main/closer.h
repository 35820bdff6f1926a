/* closer.h - closes descriptors whose closing takes long, beside the loop.
 *
 * The last close of a TUN device makes the kernel wait until no processor uses it any more, some 25
 * milliseconds.  Main must steer datagrams and open tunnels meanwhile, so a few threads do nothing
 * but closing; they share no memory with the rest.  Used by main only. */
#ifndef MAIN_CLOSER_H
#define MAIN_CLOSER_H

#include <talloc.h>

#include "base/err.h"

struct closer;

/* *OUT is a child of CTX; freeing it waits until everything is closed.  ERR_SYS: no threads. */
MUST_USE enum err closer_new(TALLOC_CTX *ctx, struct closer **out);

/* Closes FD, which is taken, soon. */
void closer_close(struct closer *c, int fd);

#endif /* MAIN_CLOSER_H */
