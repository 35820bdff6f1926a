/* pack.h - records of the journal: fixed parts as they lie in memory, strings with their NUL.
 * Used by the store and by accounting, whose records share one journal and differ in their first
 * byte. */
#ifndef AUTH_STORE_PACK_H
#define AUTH_STORE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/buf.h"

/* First byte of a record; a new number whenever its layout changes. */
enum record_kind { RECORD_SESSION = 4, RECORD_ACCOUNT = 128 };

/* Appends TEXT with its NUL. */
void pack_str(struct buf *out, const char *text);

/* What is left to be read. */
struct unpack {
	const uint8_t *data;
	size_t len;
};

/* Takes LEN bytes; false: there are not so many. */
bool unpack_bytes(struct unpack *in, void *out, size_t len);

/* Takes a string, as a child of CTX; NULL: there is none, or no memory for it. */
const char *unpack_str(TALLOC_CTX *ctx, struct unpack *in);

#endif /* AUTH_STORE_PACK_H */
