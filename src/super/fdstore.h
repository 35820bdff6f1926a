/* fdstore.h - descriptors the supervisor keeps for main and auth, so that they survive a crash of
 * those processes (design.md 2).  Used by the supervisor only. */
#ifndef SUPER_FDSTORE_H
#define SUPER_FDSTORE_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"
#include "ipc/types.pb-c.h"

struct fdstore;

struct kept_fd {
	FdKind kind;
	uint64_t id;
	int fd;
	const uint8_t *note; /* what the owner wants to read again */
	size_t note_len;
};

/* *OUT is a child of CTX; freeing it closes everything kept. */
MUST_USE enum err fdstore_new(TALLOC_CTX *ctx, struct fdstore **out);

/* Keeps FD (taken, closed on error too) under KIND and ID, replacing what was there. */
MUST_USE enum err fdstore_keep(struct fdstore *s, FdKind kind, uint64_t id, int fd,
			       const void *note, size_t note_len);

/* Closes what is kept under KIND and ID, if anything is. */
void fdstore_drop(struct fdstore *s, FdKind kind, uint64_t id);

/* Calls FN for everything kept, in no particular order; stops at the first error and returns it. */
MUST_USE enum err fdstore_each(const struct fdstore *s,
			       enum err (*fn)(void *arg, const struct kept_fd *kept), void *arg);

#endif /* SUPER_FDSTORE_H */
