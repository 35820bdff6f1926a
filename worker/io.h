/* io.h - blocking input and output of the login phase: every wait looks after the client, main and
 * auth at once and ends at the deadline.  Used by the worker before its tunnel. */
#ifndef WORKER_IO_H
#define WORKER_IO_H

#include <poll.h>

#include "worker/worker.h"

/* Waits until the client's socket has one of EVENTS (poll bits); messages of main and auth are
 * handled meanwhile.
 *	ERR_TIMEOUT	the deadline has passed
 *	ERR_STATE	main wants the end (w->ending)
 *	ERR_CLOSED	the server is gone */
MUST_USE enum err io_wait_client(struct worker *w, short events);

/* Waits until a message of main has set *WORD (in W); the client is not looked at.  Errors as
 * above. */
MUST_USE enum err io_wait_main(struct worker *w, const bool *word);

/* Sends REQUEST to auth and waits for the answer, which may come from main when a tunnel is asked
 * for; sends it again when auth or main was restarted in between.  *OUT is a child of CTX.
 * Errors as above; ERR_CLOSED also when the client went away. */
MUST_USE enum err io_call(struct worker *w, TALLOC_CTX *ctx, const ToAuth *request,
			  const ToWorker **out);

/* Sends to auth without waiting for an answer. */
MUST_USE enum err io_tell_auth(struct worker *w, const ToAuth *msg);

#endif /* WORKER_IO_H */
