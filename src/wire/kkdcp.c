/* kkdcp.c - DER of the KDC proxy:
 *
 *	KDC-PROXY-MESSAGE ::= SEQUENCE {
 *		kerb-message   [0] OCTET STRING,        -- length prefix and Kerberos message
 *		target-domain  [1] GeneralString OPTIONAL,
 *		dclocator-hint [2] INTEGER OPTIONAL }
 *
 * libtasn1 reads and writes tags and lengths; a description of three fields in its own language
 * would be longer than this, and not stricter. */
#include "wire/kkdcp.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include <libtasn1.h>

#include "base/bytes.h"

/* What is left to read. */
struct der {
	const uint8_t *p;
	size_t len;
};

enum { LENGTH_MAX = 8 }; /* bytes of a length in DER, here at most four */

/* Takes one element of the class and form CLS and the number TAG from the front of D.  False:
 * something else stands there, or its length is not in its shortest form. */
static bool take(struct der *d, unsigned char cls, unsigned long tag, struct der *inside)
{
	unsigned char found_cls, shortest[LENGTH_MAX];
	unsigned long found_tag;
	int tag_len, len_len = 0, shortest_len = sizeof shortest;
	long len;

	if (d->len > INT_MAX ||
	    asn1_get_tag_der(d->p, (int)d->len, &found_cls, &tag_len, &found_tag) != ASN1_SUCCESS ||
	    found_cls != cls || found_tag != tag || tag_len != 1)
		return false;
	len = asn1_get_length_der(d->p + tag_len, (int)d->len - tag_len, &len_len);
	if (len < 0 || (size_t)len > d->len - (size_t)tag_len - (size_t)len_len)
		return false;
	asn1_length_der((unsigned long)len, shortest, &shortest_len);
	if (shortest_len != len_len)
		return false;
	inside->p = d->p + tag_len + len_len;
	inside->len = (size_t)len;
	d->p = inside->p + len;
	d->len -= (size_t)tag_len + (size_t)len_len + (size_t)len;
	return true;
}

/* Takes the field [N], which holds one element of the universal type TAG and nothing else. */
static bool take_field(struct der *d, unsigned long n, unsigned long tag, struct der *value)
{
	struct der field;

	return take(d, ASN1_CLASS_CONTEXT_SPECIFIC | ASN1_CLASS_STRUCTURED, n, &field) &&
	       take(&field, ASN1_CLASS_UNIVERSAL, tag, value) && field.len == 0;
}

static bool begins_with_field(const struct der *d, unsigned char n)
{
	return d->len && *d->p == (ASN1_CLASS_CONTEXT_SPECIFIC | ASN1_CLASS_STRUCTURED | n);
}

/* Realms are compared as text: nothing in them may end it or steer a terminal. */
static enum err take_realm(const struct der *value, char realm[KKDCP_REALM_MAX + 1])
{
	if (!value->len)
		return ERR_SYNTAX;
	if (value->len > KKDCP_REALM_MAX)
		return ERR_TOO_LONG;
	for (size_t i = 0; i < value->len; i++)
		if (value->p[i] < ' ' || value->p[i] == 0x7f)
			return ERR_SYNTAX;
	memcpy(realm, value->p, value->len);
	realm[value->len] = '\0';
	return ERR_OK;
}

/* The fields behind the message. */
static enum err take_options(struct der *d, struct kkdcp_request *out)
{
	struct der value;
	enum err err = ERR_OK;

	if (begins_with_field(d, 1)) {
		if (!take_field(d, 1, ASN1_TAG_GENERALSTRING, &value))
			return ERR_SYNTAX;
		err = take_realm(&value, out->realm);
	}
	/* The hint is for a proxy that searches domain controllers; ours are configured. */
	if (!err && begins_with_field(d, 2) &&
	    (!take_field(d, 2, ASN1_TAG_INTEGER, &value) || !value.len))
		err = ERR_SYNTAX;
	return !err && d->len ? ERR_SYNTAX : err;
}

enum err kkdcp_parse(const uint8_t *body, size_t len, struct kkdcp_request *out)
{
	struct der all = { body, len }, fields, message;
	struct kkdcp_request found = { .realm = "" };
	enum err err;

	if (len > KKDCP_BODY_MAX)
		return ERR_TOO_LONG;
	if (!take(&all, ASN1_CLASS_UNIVERSAL | ASN1_CLASS_STRUCTURED, ASN1_TAG_SEQUENCE, &fields) ||
	    all.len || !take_field(&fields, 0, ASN1_TAG_OCTET_STRING, &message))
		return ERR_SYNTAX;
	err = take_options(&fields, &found);
	if (err)
		return err;
	if (message.len <= KKDCP_PREFIX || get_be32(message.p) != message.len - KKDCP_PREFIX)
		return ERR_SYNTAX;
	found.message = message.p;
	found.len = message.len;
	*out = found;
	return ERR_OK;
}

/* Tag and length of an element with LEN bytes; gives how many bytes those are. */
static size_t put_head(uint8_t out[1 + LENGTH_MAX], uint8_t tag, size_t len)
{
	int n = LENGTH_MAX;

	out[0] = tag;
	asn1_length_der((unsigned long)len, out + 1, &n);
	return 1 + (size_t)n;
}

void kkdcp_build(struct buf *b, const uint8_t *message, size_t len)
{
	uint8_t sequence[1 + LENGTH_MAX], field[1 + LENGTH_MAX], string[1 + LENGTH_MAX];
	size_t string_len = put_head(string, ASN1_TAG_OCTET_STRING, len);
	size_t field_len = put_head(field, ASN1_CLASS_CONTEXT_SPECIFIC | ASN1_CLASS_STRUCTURED,
				    string_len + len);
	size_t sequence_len = put_head(sequence, ASN1_CLASS_STRUCTURED | ASN1_TAG_SEQUENCE,
				       field_len + string_len + len);

	buf_put(b, sequence, sequence_len);
	buf_put(b, field, field_len);
	buf_put(b, string, string_len);
	buf_put(b, message, len);
}
