/* on_worker.h - messages of workers.  Used by workers.c and restore.c. */
#ifndef MAIN_ON_WORKER_H
#define MAIN_ON_WORKER_H

#include "main/workers.h"

/* chan_ops.on_message of a worker's channel; ARG is the worker. */
void on_worker_message(void *arg, struct chan *chan, const ProtobufCMessage *msg,
		       struct ipc_fds *fds);

/* What a worker says about itself, in these messages or as part of a description. */
void worker_take_info(struct worker *w, const WorkerInfo *msg);
void worker_take_facts(struct worker *w, const TunnelFacts *msg);

#endif /* MAIN_ON_WORKER_H */
