/* lzs.h - LZS compression of one packet at a time (RFC 1974, RFC 2395; protocol.md 5.9).
 * Pure, without memory of earlier packets; used by the worker's data path.
 *
 * A bit stream, most significant bit first:
 *	0 + 8 bits				literal
 *	1 1 + 7 bits offset 1..127 + length	match
 *	1 0 + 11 bits offset 1..2047 + length	match
 *	1 1 0000000 + bits to the next byte	end */
#ifndef WIRE_LZS_H
#define WIRE_LZS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	LZS_SLOTS = 2048,      /* as many as the window has places */
	LZS_INPUT_MAX = 65535, /* bytes of a packet that lzs_compress takes */
};

/* Where three bytes were seen last, by their hash.  What an earlier packet has left lies below
 * `base` and counts for nothing, so nothing need be cleared.  Zeros are a table ready for use. */
struct lzs_table {
	uint32_t base; /* of the packet under way; it counts all bytes since the table was new */
	uint32_t at[LZS_SLOTS];
};

/* Compresses LEN bytes of IN into at most CAP bytes of OUT.  Gives the bytes written, or 0 when
 * they do not fit or LEN is 0 or above LZS_INPUT_MAX: OUT is then of no use. */
size_t lzs_compress(struct lzs_table *t, const uint8_t *in, size_t len, uint8_t *out, size_t cap);

/* Decompresses IN, an untrusted stream, into at most CAP bytes of OUT.
 *	ERR_SYNTAX	no end marker, or a match before the start of the output
 *	ERR_TOO_LONG	more than CAP bytes */
MUST_USE enum err lzs_decompress(const uint8_t *in, size_t len, uint8_t *out, size_t cap,
				 size_t *out_len);

#endif /* WIRE_LZS_H */
