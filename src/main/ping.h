/* ping.h - asks whether somebody answers at an address.  Used by main only. */
#ifndef MAIN_PING_H
#define MAIN_PING_H

#include <ev.h>
#include <talloc.h>

#include "base/addr.h"
#include "base/err.h"

struct ping;

/* Sends an echo request to ADDR and calls DONE with ARG once: ANSWERED true when an answer has
 * come, false when none did in SECONDS.  *OUT is a child of OWNER; freed before, it calls nobody,
 * and it may be freed in DONE.  ERR_SYS: it could not be sent, errno says why. */
MUST_USE enum err ping_start(TALLOC_CTX *owner, struct ev_loop *loop, const struct addr *addr,
			     double seconds, void (*done)(void *arg, bool answered), void *arg,
			     struct ping **out);

#endif /* MAIN_PING_H */
