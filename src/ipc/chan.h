/* chan.h - one end of a message channel on a libev loop, with a bounded send queue.
 * Used by supervisor, main, auth, zygote, and by the worker once its tunnel is open. */
#ifndef IPC_CHAN_H
#define IPC_CHAN_H

#include <ev.h>
#include <talloc.h>

#include "base/err.h"
#include "ipc/msg.h"

struct chan;

struct chan_ops {
	/* One message, a talloc tree freed after the call; FDS as in route_dispatch. */
	void (*on_message)(void *arg, struct chan *chan, const ProtobufCMessage *msg,
			   struct ipc_fds *fds);
	/* The peer closed, or sent what is no message (ERR_PROTO).  The callee frees CHAN. */
	void (*on_closed)(void *arg, struct chan *chan, enum err why);
};

/* Starts watching FD, which is taken.  *OUT is a child of CTX; freeing it closes FD.  OPS is
 * borrowed, ARG is handed to it.  Messages are of type DESC. */
MUST_USE enum err chan_new(TALLOC_CTX *ctx, struct ev_loop *loop, int fd,
			   const ProtobufCMessageDescriptor *desc, const struct chan_ops *ops,
			   void *arg, struct chan **out);

/* Sends, or queues while the socket is full (descriptors are duplicated then).
 * ERR_EXHAUSTED: the queue is full too; ERR_CLOSED. */
MUST_USE enum err chan_send(struct chan *chan, const ProtobufCMessage *msg, const int *fds,
			    unsigned nfds);

int chan_fd(const struct chan *chan); /* borrowed */

/* Messages that wait for the peer to read. */
size_t chan_queued(const struct chan *chan);

#endif /* IPC_CHAN_H */
