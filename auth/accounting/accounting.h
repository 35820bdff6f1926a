/* accounting.h - what becomes of sessions, for those who keep books (radius.md 5).
 * Called by auth/open.c at the moments a record is due.  Today each record is a line in the log. */
#ifndef AUTH_ACCOUNTING_ACCOUNTING_H
#define AUTH_ACCOUNTING_ACCOUNTING_H

#include <stdint.h>

#include "auth/store/store.h"
#include "base/addr.h"

/* The first tunnel of the session S is open, with these inner addresses (family 0: none). */
void accounting_start(const struct session *s, const struct addr *v4, const struct addr *v6);

/* Adds what one tunnel carried to the session's sums. */
void accounting_count(struct session *s, uint64_t rx, uint64_t tx);

/* A tunnel of the session ended, the session goes on. */
void accounting_interim(const struct session *s, int64_t now);

/* The session is over; REASON is an EndReason (ipc/types.proto). */
void accounting_stop(const struct session *s, unsigned reason, int64_t now);

#endif /* AUTH_ACCOUNTING_ACCOUNTING_H */
