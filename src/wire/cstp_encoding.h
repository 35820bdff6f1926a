/* cstp_encoding.h - the compressions of packets that client and server can agree on.
 * Pure; used by the worker, its data path included.  protocol.md 5.9. */
#ifndef WIRE_CSTP_ENCODING_H
#define WIRE_CSTP_ENCODING_H

#include <stdint.h>

/* Bits, because a client offers several. */
enum cstp_encoding { CSTP_ENC_NONE = 0, CSTP_ENC_LZ4 = 1, CSTP_ENC_LZS = 2 };

/* The encodings in LIST, a header's value with commas; NULL: there is no such header.  Others than
 * these two are left out. */
unsigned cstp_encodings_parse(const char *list);

/* The one of the OFFERED encodings with the higher priority; LZ4 when they are equal. */
enum cstp_encoding cstp_encoding_choose(unsigned offered, uint32_t lz4, uint32_t lzs);

/* Its name in headers, static; NULL for CSTP_ENC_NONE. */
const char *cstp_encoding_name(enum cstp_encoding encoding);

#endif /* WIRE_CSTP_ENCODING_H */
