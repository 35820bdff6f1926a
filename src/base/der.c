/* der.c - the structure of DER. */
#include "base/der.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

/* ---- elements ------------------------------------------------------------- */

/* The length octets at IN, which are taken off (X.690 8.1.3, 10.1). */
static enum err take_length(struct der *in, size_t *out)
{
	size_t n, len = 0;

	if (!in->len)
		return ERR_SYNTAX;
	n = *in->p;
	in->p++;
	in->len--;
	if (n < 0x80) {
		*out = n;
		return ERR_OK;
	}
	n &= 0x7f;
	/* Nothing we are given is as long as four octets can say. */
	if (n == 0 || n > 4 || n > in->len)
		return ERR_SYNTAX;
	for (; n; n--, in->p++, in->len--)
		len = len << 8 | *in->p;
	*out = len;
	return ERR_OK;
}

enum err der_next(struct der *in, struct der_item *out)
{
	const uint8_t *start = in->p;
	struct der rest = *in;
	size_t len;

	if (!rest.len)
		return ERR_NOT_FOUND;
	if ((*rest.p & 0x1f) == 0x1f)
		return ERR_SYNTAX;
	rest.p++;
	rest.len--;
	if (take_length(&rest, &len) || len > rest.len)
		return ERR_SYNTAX;
	out->tag = *start;
	out->value = (struct der){ rest.p, len };
	out->whole = (struct der){ start, (size_t)(rest.p - start) + len };
	in->p = rest.p + len;
	in->len = rest.len - len;
	return ERR_OK;
}

enum err der_take(struct der *in, uint8_t tag, struct der *value)
{
	struct der_item item;

	if (!der_is(in, tag) || der_next(in, &item))
		return ERR_SYNTAX;
	*value = item.value;
	return ERR_OK;
}

bool der_is(const struct der *in, uint8_t tag)
{
	return in->len && *in->p == tag;
}

bool der_equal(const struct der *a, const struct der *b)
{
	return a->len == b->len && (!a->len || memcmp(a->p, b->p, a->len) == 0);
}

/* ---- object identifiers --------------------------------------------------- */

/* One number, base 128, the top bit of all octets but the last set. */
static enum err take_arc(struct der *in, uint32_t *out)
{
	uint32_t v = 0;

	while (in->len) {
		uint8_t c = *in->p;

		if (v >> 25)
			return ERR_TOO_LONG;
		v = v << 7 | (c & 0x7f);
		in->p++;
		in->len--;
		if (!(c & 0x80)) {
			*out = v;
			return ERR_OK;
		}
	}
	return ERR_SYNTAX;
}

enum err der_oid_text(const struct der *oid, char out[DER_OID_TEXT])
{
	struct der rest = *oid;
	uint32_t v, first;
	enum err err = take_arc(&rest, &v);
	size_t len;

	if (err)
		return err;
	/* The first two numbers share one (X.690 8.19.4). */
	first = v < 80 ? v / 40 : 2;
	len = (size_t)snprintf(out, DER_OID_TEXT, "%u.%u", first, v - first * 40);
	while (rest.len) {
		err = take_arc(&rest, &v);
		if (err)
			return err;
		len += (size_t)snprintf(out + len, DER_OID_TEXT - len, ".%u", v);
		if (len >= DER_OID_TEXT)
			return ERR_TOO_LONG;
	}
	return ERR_OK;
}

/* ---- texts ---------------------------------------------------------------- */

static bool is_character(uint32_t c)
{
	return c >= 0x20 && (c < 0x7f || c > 0x9f) && (c < 0xd800 || c > 0xdfff) && c <= 0x10ffff;
}

/* RFC 3629 3. */
static void put_utf8(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_putc(b, (char)c);
		return;
	}
	if (c >= 0x10000) {
		buf_putc(b, (char)(0xf0 | c >> 18));
		buf_putc(b, (char)(0x80 | (c >> 12 & 0x3f)));
	} else if (c >= 0x800) {
		buf_putc(b, (char)(0xe0 | c >> 12));
	}
	buf_putc(b, c >= 0x800 ? (char)(0x80 | (c >> 6 & 0x3f)) : (char)(0xc0 | c >> 6));
	buf_putc(b, (char)(0x80 | (c & 0x3f)));
}

/* The next character of valid UTF-8 in the shortest form; 0: there is none. */
static uint32_t take_utf8(struct der *in)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	uint8_t c = *in->p;
	unsigned more = c < 0x80 ? 0 : c < 0xc0 ? 4 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	uint32_t v = more ? c & (0x3fU >> more) : c;

	if (more > 3 || c > 0xf4 || in->len <= more)
		return 0;
	for (unsigned i = 1; i <= more; i++) {
		if ((in->p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (in->p[i] & 0x3f);
	}
	in->p += more + 1;
	in->len -= more + 1;
	return v >= least[more] ? v : 0;
}

/* The next character of WIDTH octets, most significant first. */
static uint32_t take_fixed(struct der *in, size_t width)
{
	uint32_t v = 0;

	if (in->len < width)
		return 0;
	for (size_t i = 0; i < width; i++)
		v = v << 8 | in->p[i];
	in->p += width;
	in->len -= width;
	return v;
}

/* 0 where nothing valid follows: NUL is not valid either. */
static uint32_t take_character(struct der *in, uint8_t tag)
{
	uint32_t c;

	switch (tag) {
	case DER_UTF8:
		return take_utf8(in);
	case DER_BMP:
		return take_fixed(in, 2);
	case DER_UNIVERSAL:
		return take_fixed(in, 4);
	default:
		/* Teletex has shift sequences, and some issuers write Latin-1 in it: only what
		 * is the same in all readings. */
		c = take_fixed(in, 1);
		return c < 0x80 ? c : 0;
	}
}

static bool is_text(uint8_t tag)
{
	switch (tag) {
	case DER_UTF8:
	case DER_NUMERIC:
	case DER_PRINTABLE:
	case DER_TELETEX:
	case DER_IA5:
	case DER_VISIBLE:
	case DER_UNIVERSAL:
	case DER_BMP:
		return true;
	default:
		return false;
	}
}

enum err der_text(TALLOC_CTX *ctx, const struct der_item *item, char **out)
{
	struct der rest = item->value;
	struct buf b;

	if (!is_text(item->tag))
		return ERR_UNSUPPORTED;
	buf_init(&b, ctx, 4 * rest.len + 1);
	while (rest.len) {
		uint32_t c = take_character(&rest, item->tag);

		if (!is_character(c)) {
			talloc_free(b.data);
			return ERR_SYNTAX;
		}
		put_utf8(&b, c);
	}
	if (!b.failed && !b.data)
		b.data = talloc_strdup(ctx, "");
	if (b.failed || !b.data) {
		talloc_free(b.data);
		return ERR_NOMEM;
	}
	*out = b.data;
	return ERR_OK;
}
