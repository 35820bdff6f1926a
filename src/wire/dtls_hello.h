/* dtls_hello.h - reads of an unknown datagram just what steers it to its session.
 * Pure; used by main (first datagrams) and the worker.  protocol.md 6.2, 6.3. */
#ifndef WIRE_DTLS_HELLO_H
#define WIRE_DTLS_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	DTLS_RECORD_HEADER = 13,
	DTLS_HELLO_ID = 32, /* longest session id */
};

struct dtls_hello {
	uint8_t id[DTLS_HELLO_ID]; /* session_id, or of extension 48018 when that is empty */
	size_t id_len;		   /* 1..32 */
	uint16_t record_version;   /* 0xfeff, 0xfefd or 0x0100 (DTLS 0.9) */
	uint16_t message_seq;	   /* 1 after a HelloVerifyRequest */
};

/* A handshake record with a DTLS version: perhaps a ClientHello. */
bool dtls_is_handshake(const uint8_t *data, size_t len);

/* Any plausible DTLS record: known content type and version, complete length.  For datagrams of
 * known sessions from new addresses. */
bool dtls_is_record(const uint8_t *data, size_t len);

/* Reads a ClientHello.  *OUT is set only on success.
 *	ERR_SYNTAX	not a whole ClientHello up to its session id, or without an id
 *	ERR_DENIED	its random is all zero and ALLOW_ZERO_RANDOM is not set (6.3 step 3) */
MUST_USE enum err dtls_hello_parse(const uint8_t *data, size_t len, bool allow_zero_random,
				   struct dtls_hello *out);

#endif /* WIRE_DTLS_HELLO_H */
