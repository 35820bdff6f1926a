/* compress.h - packets compressed one by one, by LZS or LZ4, for a tunnel that negotiated it.
 * Used by the data path.  protocol.md 5.9.
 *
 * Nothing of one packet is kept for the next; the memory is there from the start of the tunnel and
 * is given back while nothing passes. */
#ifndef WORKER_PATH_COMPRESS_H
#define WORKER_PATH_COMPRESS_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"
#include "wire/cstp_encoding.h"

enum {
	COMPRESS_HEADROOM = 16, /* bytes before a packed packet that its sender may overwrite */
	COMPRESS_MAX = 16384,	/* bytes of a packet, compressed or not */
};

struct compress;

/* *OUT is a child of CTX. */
MUST_USE enum err compress_new(TALLOC_CTX *ctx, struct compress **out);

/* Packs the LEN bytes of PKT by ENCODING.  Gives the result, *OUT_LEN bytes, writable as is its
 * headroom and borrowed until the next call; NULL: the packet does not get smaller. */
uint8_t *compress_pack(struct compress *c, enum cstp_encoding encoding, const uint8_t *pkt,
		       size_t len, size_t *out_len);

/* Unpacks the LEN bytes at DATA, which may be anything, into *OUT, borrowed until the next call.
 * ERR_SYNTAX, ERR_TOO_LONG: no packet of 1 to COMPRESS_MAX bytes was packed so. */
MUST_USE enum err compress_unpack(struct compress *c, enum cstp_encoding encoding,
				  const uint8_t *data, size_t len, const uint8_t **out,
				  size_t *out_len);

/* Gives memory back until the next packet.  C may be NULL. */
void compress_trim(struct compress *c);

#endif /* WORKER_PATH_COMPRESS_H */
