/* pack.h - rows on their way to another process: protobuf, for the memory file of a process start
 * or for a message.  Used by main, auth and the zygote. */
#ifndef CONF_PACK_H
#define CONF_PACK_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"
#include "conf/row.h"
#include "ipc/conf.pb-c.h"

enum { CONF_PACK_MAX = 16 * 1024 * 1024 }; /* larger packages are refused on both sides */

/* Packs ROWS; *OUT is a child of CTX and wiped when freed (rows hold PINs). */
MUST_USE enum err conf_pack(TALLOC_CTX *ctx, const struct conf_rows *rows, uint8_t **out,
			    size_t *len);

/* The way back; OUT->item is a child of CTX.  ERR_SYNTAX: not a package. */
MUST_USE enum err conf_unpack(TALLOC_CTX *ctx, const uint8_t *data, size_t len,
			      struct conf_rows *out);

/* Rows as the repeated field of another message, and back.  OUT is a child of CTX and borrows its
 * texts from ROWS; the rows of the second function are copies. */
MUST_USE enum err conf_rows_to_msg(TALLOC_CTX *ctx, const struct conf_rows *rows, ConfRow ***out,
				   size_t *n);
MUST_USE enum err conf_rows_from_msg(TALLOC_CTX *ctx, ConfRow *const *row, size_t n,
				     struct conf_rows *out);

/* Packs the rows that go to TO (CONF_TO_*) into a new sealed memfd; the caller owns *FD. */
MUST_USE enum err conf_pack_fd(const struct conf_rows *rows, unsigned to, int *fd);

/* Reads such a memfd from its start; FD stays open and keeps its offset.  ERR_DENIED: not sealed.
 */
MUST_USE enum err conf_unpack_fd(TALLOC_CTX *ctx, int fd, struct conf_rows *out);

#endif /* CONF_PACK_H */
