/* journal.h - crash-safe records in a memfd that another process keeps.
 *
 * A process that must find its state again after it was killed writes it here: one record per key,
 * in fixed slots of shared memory.  An update writes new slots and publishes them with one store
 * before the old ones are freed, so that a kill at any instruction leaves the old or the new
 * record. Used by main (leases, bans) and auth (sessions); the supervisor holds the descriptor. */
#ifndef BASE_JOURNAL_H
#define BASE_JOURNAL_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"

enum {
	JOURNAL_KEY = 32,	   /* bytes of a key */
	JOURNAL_SHORT = 976,	   /* bytes of a value that need one KiB */
	JOURNAL_VALUE = 64 * 1024, /* most bytes of a value */
};

struct journal;

/* Creates an empty journal, or (FD >= 0) maps the one in FD; takes FD in either case.
 * *OUT is a child of CTX.  ERR_SYNTAX: FD holds something else. */
MUST_USE enum err journal_open(TALLOC_CTX *ctx, int fd, struct journal **out);

/* The descriptor, for the supervisor to keep; borrowed. */
int journal_fd(const struct journal *j);

/* Writes or replaces the record of KEY.  ERR_TOO_LONG: LEN above JOURNAL_VALUE; ERR_SYS, ERR_NOMEM
 * or ERR_EXHAUSTED: the journal cannot grow, the old record stays. */
MUST_USE enum err journal_put(struct journal *j, const uint8_t key[JOURNAL_KEY], const void *value,
			      size_t len);

/* Removes KEY's record, wiping it; nothing happens when there is none. */
void journal_del(struct journal *j, const uint8_t key[JOURNAL_KEY]);

/* Calls FN for every record, in no order; VALUE is valid until FN returns.  FN may delete records
 * but not put any.  ERR_NOMEM: none was shown. */
MUST_USE enum err journal_each(struct journal *j,
			       void (*fn)(void *arg, const uint8_t key[JOURNAL_KEY],
					  const void *value, size_t len),
			       void *arg);

#endif /* BASE_JOURNAL_H */
