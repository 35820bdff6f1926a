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
	PROXY_V1_MAX = 107,   /* bytes of a version 1 line with its CRLF */
	PROXY_MAX = 16 + 520, /* most bytes a header may have */
	PROXY_ID_MAX = 128,   /* of a unique id, as the protocol bounds it */
};

struct proxy_hdr {
	bool has_addrs; /* false: LOCAL, UNKNOWN or another family; keep the socket's addresses */
	struct endpoint src, dst;
	bool has_ssl;	   /* an SSL record: flags, verify and common name are valid */
	bool ssl_verified; /* a client certificate was shown and verified */
	char ssl_cn[64];   /* "" none, or one that does not fit */
	char unique_id[PROXY_ID_MAX + 1]; /* the proxy's name for the connection; "" none */
	size_t len;			  /* bytes of the whole header; TLS follows */
};

/* Looks at the first LEN bytes of a connection; the header is the first out->len of them.
 * An IPv4 address in IPv6 clothes (::ffff:a.b.c.d) becomes IPv4, so that it is banned as one.
 *	ERR_AGAIN	more bytes are needed, and all there are belong to the header
 *	ERR_SYNTAX	no header, as soon as that is certain; or its checksum is wrong
 *	ERR_TOO_LONG	longer than PROXY_MAX, or PROXY_V1_MAX without an end */
MUST_USE enum err proxy_hdr_parse(const uint8_t *data, size_t len, struct proxy_hdr *out);

#endif /* WIRE_PROXY_HDR_H */
