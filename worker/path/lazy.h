/* lazy.h - a large buffer that costs memory only where it was touched, and gives it back when the
 * tunnel is idle: thousands of idle sessions must not keep the buffers of a busy one.
 * Used by the data path. */
#ifndef WORKER_PATH_LAZY_H
#define WORKER_PATH_LAZY_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"

struct lazy {
	uint8_t *data;
	size_t size;
};

/* SIZE bytes of zeros, mapped but not yet backed.  *OUT is a child of CTX. */
MUST_USE enum err lazy_new(TALLOC_CTX *ctx, size_t size, struct lazy **out);

/* As lazy_new when *L is NULL: for buffers made at first use. */
MUST_USE enum err lazy_need(TALLOC_CTX *ctx, size_t size, struct lazy **l);

/* Gives all pages back; the contents become zeros.  L may be NULL. */
void lazy_trim(struct lazy *l);

#endif /* WORKER_PATH_LAZY_H */
