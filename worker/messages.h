/* messages.h - what main and auth may tell a worker, and when.  Used by the worker. */
#ifndef WORKER_MESSAGES_H
#define WORKER_MESSAGES_H

#include "ipc/msg.h"
#include "worker/worker.h"

/* Hands MSG to its handler.  One that has no business now is logged and dropped: main and auth are
 * trusted, and after a restart they may know less than we do. */
void messages_dispatch(struct worker *w, enum worker_sender sender, const ProtobufCMessage *msg,
		       struct ipc_fds *fds);

#endif /* WORKER_MESSAGES_H */
