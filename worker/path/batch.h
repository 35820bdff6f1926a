/* batch.h - datagrams collected for one system call: equal ones by UDP_SEGMENT, others by sendmmsg.
 * A bounded queue; what does not fit is dropped, as a router would.
 * Used by the data path.  datapath.md 3. */
#ifndef WORKER_PATH_BATCH_H
#define WORKER_PATH_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"

struct batch_queue;

/* *OUT is a child of CTX. */
MUST_USE enum err batch_new(TALLOC_CTX *ctx, struct batch_queue **out);

/* Another socket will be used, which segments if it can and MAY. */
void batch_socket(struct batch_queue *q, int fd, bool may);

/* Whether the TUN may be read: room for whatever one more packet becomes. */
bool batch_has_room(const struct batch_queue *q);
bool batch_is_empty(const struct batch_queue *q);

/* Room for one datagram of LEN bytes, for batch_commit with the same LEN when it is written:
 * nothing else may be done with the queue in between.  Without a commit nothing has happened. NULL:
 * the queue is full, and the datagram is counted as dropped. */
uint8_t *batch_room(struct batch_queue *q, size_t len);
void batch_commit(struct batch_queue *q, size_t len);

/* Queues a copy of one datagram, or counts it as dropped. */
void batch_put(struct batch_queue *q, const void *data, size_t len);

/* Sends the queue in order to FD, the last, still growing batch only if ALL.
 *	ERR_OK		nothing stands in the way
 *	ERR_AGAIN	the socket is full: call again when it is writable */
MUST_USE enum err batch_flush(struct batch_queue *q, int fd, bool all);

/* Forgets what waits. */
void batch_reset(struct batch_queue *q);

/* Datagrams lost since the last call: queue full or refused by the kernel. */
unsigned batch_take_dropped(struct batch_queue *q);

/* Whether a single datagram was refused as larger than the path MTU since the last call. */
bool batch_take_too_big(struct batch_queue *q);

/* Gives the memory of an empty queue back. */
void batch_trim(struct batch_queue *q);

#endif /* WORKER_PATH_BATCH_H */
