/* cstp_req.h - the X-CSTP-* and X-DTLS-* headers of a CONNECT request.
 * Pure; used by the worker.  protocol.md 5.1.  Nothing here is authoritative: the client's wishes.
 */
#ifndef WIRE_CSTP_REQ_H
#define WIRE_CSTP_REQ_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "wire/cstp_encoding.h"
#include "wire/dtls_suite.h"
#include "wire/http_req.h"

enum {
	DTLS_MASTER_SECRET = 48,
	CSTP_HOSTNAME = 64, /* longest host name and its NUL */
};

/* Wiped when freed. */
struct cstp_request {
	uint32_t base_mtu;			   /* X-CSTP-Base-MTU; 0 absent or not a number */
	uint32_t mtu;				   /* X-CSTP-MTU, likewise */
	bool want_v4, want_v6;			   /* X-CSTP-Address-Type; both when absent */
	bool full_ipv6;				   /* X-CSTP-Full-IPv6-Capability: true */
	bool mobile;				   /* X-CSTP-License: mobile */
	char hostname[CSTP_HOSTNAME];		   /* domain cut off; "" absent or not acceptable */
	unsigned cstp_encodings, dtls_encodings;   /* enum cstp_encoding */
	struct dtls_offer dtls;			   /* texts borrowed from the request */
	uint8_t master_secret[DTLS_MASTER_SECRET]; /* valid with dtls.has_master_secret */
};

/* *OUT is a child of CTX; it borrows from REQ.  Only ERR_NOMEM: bad headers count as absent. */
MUST_USE enum err cstp_request_parse(TALLOC_CTX *ctx, const struct http_request *req,
				     struct cstp_request **out);

/* Copies the first label of NAME to OUT when it is a host name (compat-checklist 157): letters,
 * digits, '_', and '-' not at its ends, at most 63 bytes, no address.  "" otherwise. */
void cstp_hostname_parse(const char *name, char out[CSTP_HOSTNAME]);

#endif /* WIRE_CSTP_REQ_H */
