/* der.h - reads the structure of DER (X.690): tags, lengths, object identifiers, texts.
 * Pure; used by auth for revocation lists and by the worker for certificates.  What a certificate
 * means and whether it is good is GnuTLS's business. */
#ifndef BASE_DER_H
#define BASE_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"

enum {
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_OID = 0x06,
	DER_UTF8 = 0x0c,
	DER_NUMERIC = 0x12,
	DER_PRINTABLE = 0x13,
	DER_TELETEX = 0x14,
	DER_IA5 = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERAL_TIME = 0x18,
	DER_VISIBLE = 0x1a,
	DER_UNIVERSAL = 0x1c,
	DER_BMP = 0x1e,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_OID_TEXT = 128, /* longest dotted identifier we compare, and its NUL */
};

/* Bytes somewhere in the input. */
struct der {
	const uint8_t *p;
	size_t len;
};

struct der_item {
	uint8_t tag;
	struct der value; /* the contents */
	struct der whole; /* with tag and length */
};

/* Takes the first element off IN.  ERR_NOT_FOUND: IN is empty; ERR_SYNTAX: malformed, longer than
 * IN, or of a form that certificates do not use (indefinite length, tags above 30). */
MUST_USE enum err der_next(struct der *in, struct der_item *out);

/* The same, which must have TAG; *VALUE is its contents.  ERR_SYNTAX: another tag, or none. */
MUST_USE enum err der_take(struct der *in, uint8_t tag, struct der *value);

/* Whether the next element of IN has TAG. */
bool der_is(const struct der *in, uint8_t tag);

bool der_equal(const struct der *a, const struct der *b);

/* "2.5.4.3" of the contents of an object identifier.  ERR_SYNTAX; ERR_TOO_LONG. */
MUST_USE enum err der_oid_text(const struct der *oid, char out[DER_OID_TEXT]);

/* The text of a string element as UTF-8, a child of CTX.  ERR_SYNTAX: not valid in its encoding, or
 * with a control character (NUL included); ERR_UNSUPPORTED: no string, or one whose character set
 * is anybody's guess. */
MUST_USE enum err der_text(TALLOC_CTX *ctx, const struct der_item *item, char **out);

#endif /* BASE_DER_H */
