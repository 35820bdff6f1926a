/* cstp_frame.h - framing of tunnel packets: 8 bytes on TLS, 1 byte on DTLS.
 * Pure; used by the worker's data path.  protocol.md 5.6, 5.8, 6.7. */
#ifndef WIRE_CSTP_FRAME_H
#define WIRE_CSTP_FRAME_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"

enum {
	CSTP_HEADER = 8,
	CSTP_PAYLOAD_MAX = 16384, /* largest payload accepted */
	DTLS_FRAME_HEADER = 1,
};

enum cstp_type {
	CSTP_DATA = 0,
	CSTP_DPD_REQ = 3,
	CSTP_DPD_RESP = 4,
	CSTP_DISCONNECT = 5,
	CSTP_KEEPALIVE = 7,
	CSTP_COMPRESSED = 8,
	CSTP_TERMINATE = 9,
};

/* First byte of a DISCONNECT payload. */
enum cstp_reason {
	CSTP_BYE_ERROR = 0x70,	   /* local error of the client */
	CSTP_BYE_RECONNECT = 0x91, /* the network changed */
	CSTP_BYE_USER = 0xb0,	   /* the user asked: ends the session */
	CSTP_BYE_PAUSE = 0xd1,
	CSTP_BYE_NONE = -1, /* no reason given */
};

/* One frame; unknown types are passed on, the caller logs and ignores them. */
struct cstp_frame {
	uint8_t type;
	const uint8_t *data;
	size_t len;
};

/* Writes the header of a frame of LEN (<= 65535) payload bytes. */
void cstp_header_build(uint8_t out[CSTP_HEADER], enum cstp_type type, size_t len);

/* Reads a header: payload length and type.  ERR_PROTO: bad magic, byte 3 not 1, byte 7 not 0.
 * ERR_TOO_LONG: beyond CSTP_PAYLOAD_MAX. */
MUST_USE enum err cstp_header_parse(const uint8_t in[CSTP_HEADER], uint8_t *type, size_t *len);

/* Cuts the byte stream into frames, however TLS records split or join them. */
struct cstp_stream;

/* Child of CTX; NULL without memory.  Holds 16 KiB only once a frame arrived in pieces. */
struct cstp_stream *cstp_stream_new(TALLOC_CTX *ctx);

/* Takes from *DATA, *LEN, advancing them, until a frame is complete.
 *	ERR_OK		*FRAME is valid until the next call or until the input's memory changes
 *	ERR_AGAIN	the input is used up; *LEN is 0
 *	ERR_PROTO, ERR_TOO_LONG, ERR_NOMEM	end the tunnel */
MUST_USE enum err cstp_stream_next(struct cstp_stream *s, const uint8_t **data, size_t *len,
				   struct cstp_frame *frame);

/* A DISCONNECT payload: reason (enum cstp_reason, or another byte) and printable text. */
struct cstp_bye {
	int reason;
	char text[128];
};
void cstp_bye_parse(const uint8_t *data, size_t len, struct cstp_bye *out);

/* A DTLS record's plaintext.  ERR_SYNTAX: it is empty; ignore it. */
MUST_USE enum err dtls_frame_parse(const uint8_t *data, size_t len, struct cstp_frame *frame);

#endif /* WIRE_CSTP_FRAME_H */
