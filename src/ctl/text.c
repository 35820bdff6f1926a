/* text.c - UTF-8, escapes, columns. */
#include "ctl/text.h"

#include <string.h>
#include <wchar.h>

#include "base/buf.h"

enum { SAFE_MAX = 1024 * 1024 }; /* bytes; a message is shorter, even with every byte escaped */

/* Bytes that follow the first one, and the smallest character of that length (RFC 3629 3). */
static size_t sequence(unsigned char first, uint32_t *least)
{
	if (first >= 0xc2 && first < 0xe0) {
		*least = 0x80;
		return 1;
	}
	if (first >= 0xe0 && first < 0xf0) {
		*least = 0x800;
		return 2;
	}
	if (first >= 0xf0 && first < 0xf5) {
		*least = 0x10000;
		return 3;
	}
	return 0;
}

uint32_t text_next(const char **p)
{
	const unsigned char *s = (const unsigned char *)*p;
	uint32_t least = 0, c = s[0];
	size_t more = sequence(s[0], &least);

	(*p)++;
	if (s[0] < 0x80)
		return c;
	c &= 0x3fu >> more;
	for (size_t i = 1; i <= more; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return TEXT_INVALID | s[0];
		c = c << 6 | (s[i] & 0x3f);
	}
	if (more == 0 || c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return TEXT_INVALID | s[0];
	*p += more;
	return c;
}

bool text_is_steering(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} range[] = {
		{ 0, 0x1f },	    { 0x7f, 0x9f },	{ 0xad, 0xad },	      { 0x61c, 0x61c },
		{ 0x180e, 0x180e }, { 0x200b, 0x200f }, { 0x2028, 0x202e },   { 0x2060, 0x206f },
		{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
	};

	for (size_t i = 0; i < sizeof range / sizeof range[0]; i++)
		if (c >= range[i].from && c <= range[i].to)
			return true;
	return false;
}

char *text_safe(TALLOC_CTX *ctx, const char *text)
{
	struct buf b;

	buf_init(&b, ctx, SAFE_MAX);
	while (*text) {
		const char *start = text;
		uint32_t c = text_next(&text);

		if (c & TEXT_INVALID || (c < 0x100 && text_is_steering(c)))
			buf_printf(&b, "\\x%02x", (unsigned)c & 0xff);
		else if (text_is_steering(c))
			buf_printf(&b, "\\u%04x", (unsigned)c);
		else
			buf_put(&b, start, (size_t)(text - start));
	}
	if (b.failed || !b.data)
		return talloc_strdup(ctx, "");
	return b.data;
}

/* A character that the C library does not know the width of takes one column. */
static size_t columns(uint32_t c)
{
	int n = c < 0x80 ? 1 : wcwidth((wchar_t)c);

	return n < 0 ? 1 : (size_t)n;
}

size_t text_width(const char *text)
{
	size_t n = 0;

	while (*text)
		n += columns(text_next(&text));
	return n;
}

char *text_cut(TALLOC_CTX *ctx, const char *text, size_t width, const char *end)
{
	const char *p = text, *fits = text;
	size_t n = 0, room = width - text_width(end);

	if (text_width(text) <= width)
		return talloc_strdup(ctx, text);
	while (*p && (n += columns(text_next(&p))) <= room)
		fits = p;
	return talloc_asprintf(ctx, "%.*s%s", (int)(fits - text), text, end);
}
