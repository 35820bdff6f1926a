/* proxy.h - the PROXY header in front of TLS, and main's word on the client it names.  Used by the
 * worker.  protocol.md 7. */
#ifndef WORKER_PROXY_H
#define WORKER_PROXY_H

#include "worker/worker.h"

/* Unless the listener takes clients directly: reads the header and not a byte more, sets w->remote
 * and w->local to what it says, and waits until main has admitted that client.
 *	ERR_NOT_FOUND	closed without a byte: a health probe
 *	ERR_SYNTAX, ERR_TOO_LONG	no header; it was logged
 *	ERR_STATE	main refuses the client, or wants the end for another reason
 *	ERR_TIMEOUT, ERR_CLOSED as in io.h */
MUST_USE enum err proxy_accept(struct worker *w);

#endif /* WORKER_PROXY_H */
