/* proxy_hdr.h - PROXY protocol header, versions 1 and 2, in front of TLS.
 * Pure; used by the worker.  protocol.md 7. */
#ifndef WIRE_PROXY_HDR_H
#define WIRE_PROXY_HDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"

enum {
	PROXY_MIN = 16,	      /* no header is decided with fewer bytes */
	PROXY_V1_MAX = 107,   /* bytes of a version 1 line with its CRLF */
	PROXY_MAX = 16 + 520, /* most bytes a header may have */
};

struct proxy_hdr {
	bool has_addrs; /* false: LOCAL, UNKNOWN or another family; keep the socket's addresses */
	struct endpoint src, dst;
	bool has_ssl;	   /* an SSL record: flags, verify and common name are valid */
	bool ssl_verified; /* a client certificate was shown and verified */
	char ssl_cn[64];   /* "" none, or one that does not fit */
	size_t len;	   /* bytes of the whole header; TLS follows */
};

/* Looks at the first LEN bytes of a connection (peek them, then consume out->len).
 * ERR_AGAIN: more bytes are needed.  ERR_SYNTAX: close.  ERR_TOO_LONG: close. */
MUST_USE enum err proxy_hdr_parse(const uint8_t *data, size_t len, struct proxy_hdr *out);

#endif /* WIRE_PROXY_HDR_H */
