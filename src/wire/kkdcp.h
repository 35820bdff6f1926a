/* kkdcp.h - messages of the Kerberos KDC proxy protocol (MS-KKDCP, protocol.md 8).
 * Pure; used by the worker. */
#ifndef WIRE_KKDCP_H
#define WIRE_KKDCP_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { KKDCP_BODY_MAX = 65536, KKDCP_REALM_MAX = 255, KKDCP_PREFIX = 4 };

struct kkdcp_request {
	const uint8_t *message; /* with the 4 bytes that say its length */
	size_t len;
	char realm[KKDCP_REALM_MAX + 1]; /* "": not said */
};

/* Reads the KDC-PROXY-MESSAGE in the LEN bytes of BODY, which OUT->message is borrowed from.
 * ERR_SYNTAX: not that in strict DER, or the message's own length does not agree; ERR_TOO_LONG. */
MUST_USE enum err kkdcp_parse(const uint8_t *body, size_t len, struct kkdcp_request *out);

/* Appends the answer with the LEN bytes of MESSAGE, its length prefix included. */
void kkdcp_build(struct buf *b, const uint8_t *message, size_t len);

#endif /* WIRE_KKDCP_H */
