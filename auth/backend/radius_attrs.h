/* radius_attrs.h - RADIUS attributes as the backend handles them, independent of the library that
 * sends them, and what those of a reply mean (radius.md 3 and 4).  Pure; everything that comes from
 * a RADIUS server is judged here.  Used by the backend `radius`. */
#ifndef AUTH_BACKEND_RADIUS_ATTRS_H
#define AUTH_BACKEND_RADIUS_ATTRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "auth/backend/backend.h"
#include "base/addr.h"
#include "base/err.h"
#include "base/str.h"

/* Numbers of RFC 2865, 2866, 2869, 3162, 4818 and 6911. */
enum radius_number {
	RADIUS_USER_NAME = 1,
	RADIUS_USER_PASSWORD = 2,
	RADIUS_NAS_IP_ADDRESS = 4,
	RADIUS_SERVICE_TYPE = 6,
	RADIUS_FRAMED_PROTOCOL = 7,
	RADIUS_FRAMED_IP_ADDRESS = 8,
	RADIUS_FRAMED_IP_NETMASK = 9,
	RADIUS_REPLY_MESSAGE = 18,
	RADIUS_FRAMED_ROUTE = 22,
	RADIUS_STATE = 24,
	RADIUS_CLASS = 25,
	RADIUS_SESSION_TIMEOUT = 27,
	RADIUS_CALLING_STATION_ID = 31,
	RADIUS_NAS_IDENTIFIER = 32,
	RADIUS_ACCT_STATUS_TYPE = 40,
	RADIUS_ACCT_DELAY_TIME = 41,
	RADIUS_ACCT_INPUT_OCTETS = 42,
	RADIUS_ACCT_OUTPUT_OCTETS = 43,
	RADIUS_ACCT_SESSION_ID = 44,
	RADIUS_ACCT_AUTHENTIC = 45,
	RADIUS_ACCT_SESSION_TIME = 46,
	RADIUS_ACCT_INPUT_PACKETS = 47,
	RADIUS_ACCT_OUTPUT_PACKETS = 48,
	RADIUS_ACCT_TERMINATE_CAUSE = 49,
	RADIUS_ACCT_INPUT_GIGAWORDS = 52,
	RADIUS_ACCT_OUTPUT_GIGAWORDS = 53,
	RADIUS_NAS_PORT_TYPE = 61,
	RADIUS_CONNECT_INFO = 77,
	RADIUS_MESSAGE_AUTHENTICATOR = 80,
	RADIUS_ACCT_INTERIM_INTERVAL = 85,
	RADIUS_NAS_IPV6_ADDRESS = 95,
	RADIUS_FRAMED_IPV6_PREFIX = 97,
	RADIUS_FRAMED_IPV6_ROUTE = 99,
	RADIUS_DELEGATED_IPV6_PREFIX = 123,
	RADIUS_FRAMED_IPV6_ADDRESS = 168,
	RADIUS_DNS_SERVER_IPV6_ADDRESS = 169,
};

enum radius_vendor { RADIUS_NO_VENDOR = 0, RADIUS_MICROSOFT = 311, RADIUS_ROARING_PENGUIN = 10055 };

enum { RADIUS_MS_PRIMARY_DNS = 28, RADIUS_MS_SECONDARY_DNS = 29 };
enum { RADIUS_RP_UPSTREAM_LIMIT = 1, RADIUS_RP_DOWNSTREAM_LIMIT = 2 };

/* Values of Service-Type. */
enum { RADIUS_FRAMED = 2, RADIUS_AUTHENTICATE_ONLY = 8 };

enum {
	RADIUS_VALUE_MAX = 253,
	RADIUS_ATTRS_MAX = 1024, /* more than a packet of 4096 bytes can hold */
};

enum radius_kind {
	RADIUS_BYTES,	/* text, octets */
	RADIUS_INTEGER, /* `number32` */
	RADIUS_IPV4,	/* `number32`, host byte order */
	RADIUS_IPV6,	/* 16 bytes */
	RADIUS_PREFIX,	/* RFC 3162 2.3: a zero byte, the length, the bytes that matter */
};

/* Plain data: it is also what the process that talks to the server writes to us. */
struct radius_attr {
	uint32_t vendor, type;
	uint32_t kind; /* enum radius_kind */
	uint32_t number32;
	uint32_t len; /* of `bytes` */
	uint8_t bytes[RADIUS_VALUE_MAX + 3];
};

struct radius_attrs {
	TALLOC_CTX *ctx; /* owner of `item` */
	struct radius_attr *item;
	size_t n;
	bool failed; /* something could not be added; checked once, at the end */
};

/* ---- building a request ---- */

void radius_add_bytes(struct radius_attrs *a, enum radius_number type, const void *data,
		      size_t len);

/* Nothing for NULL and ""; cut to what an attribute holds, at the end of a character. */
void radius_add_text(struct radius_attrs *a, enum radius_number type, const char *text);
void radius_add_number(struct radius_attrs *a, enum radius_number type, uint32_t value);

/* ADDR as attribute V4 or V6, whichever its family fits; nothing for no address. */
void radius_add_addr(struct radius_attrs *a, enum radius_number v4, enum radius_number v6,
		     const struct addr *addr);

/* Appends a copy of ATTR, which need not be one of those above. */
void radius_add(struct radius_attrs *a, const struct radius_attr *attr);

/* ---- reading a reply ---- */

/* The first one of standard TYPE, or NULL. */
const struct radius_attr *radius_find(const struct radius_attrs *a, enum radius_number type);

/* All Reply-Messages in a row, as valid UTF-8 without control characters; NULL: there is nothing
 * to show.  Child of CTX. */
const char *radius_message(TALLOC_CTX *ctx, const struct radius_attrs *reply);

/* Groups of all Class attributes (radius.md 3.3); *DROPPED says how many were beyond
 * BACKEND_GROUPS_MAX, *UNFIT how many cannot be names of groups.  OUT->item is a child of CTX. */
MUST_USE enum err radius_groups(TALLOC_CTX *ctx, const struct radius_attrs *reply, char separator,
				struct strv *out, size_t *dropped, size_t *unfit);

/* What a reply with groupconfig=true did not get (radius.md 3.2), for the log. */
struct radius_findings {
	struct strv malformed_route; /* their texts; the session is refused for them */
	struct strv spare_dns;	     /* addresses beyond two */
};

/* Configuration rows from the attributes of radius.md 3.2, a child of CTX like what is in
 * *FINDINGS.  Malformed routes are among the rows, so that the session is refused. */
MUST_USE enum err radius_rows(TALLOC_CTX *ctx, const struct radius_attrs *reply,
			      struct backend_pairs *out, struct radius_findings *findings);

/* Does ATTR mean anything in a reply?  GROUPCONFIG as in the auth line. */
bool radius_is_used(const struct radius_attr *attr, bool groupconfig);

#endif /* AUTH_BACKEND_RADIUS_ATTRS_H */
