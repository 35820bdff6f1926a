/* str.c - encodings and string lists. */
#include "base/str.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum err strv_add(TALLOC_CTX *ctx, struct strv *v, const char *text)
{
	char **item = talloc_realloc_size(ctx, v->item, (v->n + 1) * sizeof *item);

	if (!item)
		return ERR_NOMEM;
	v->item = item;
	item[v->n] = talloc_strdup(item, text);
	if (!item[v->n])
		return ERR_NOMEM;
	v->n++;
	return ERR_OK;
}

bool strv_has(const struct strv *v, const char *text)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->item[i], text) == 0)
			return true;
	return false;
}

char *base64_encode(TALLOC_CTX *ctx, const void *data, size_t len)
{
	const uint8_t *p = data;
	char *out = talloc_size(ctx, (len + 2) / 3 * 4 + 1), *o = out;

	if (!out)
		return NULL;
	talloc_set_name_const(out, "char");
	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16;
		v |= i + 1 < len ? (uint32_t)p[i + 1] << 8 : 0;
		v |= i + 2 < len ? p[i + 2] : 0;
		*o++ = b64[v >> 18];
		*o++ = b64[v >> 12 & 63];
		*o++ = i + 1 < len ? b64[v >> 6 & 63] : '=';
		*o++ = i + 2 < len ? b64[v & 63] : '=';
	}
	*o = '\0';
	return out;
}

static int b64_value(char c)
{
	const char *p = c ? strchr(b64, c) : NULL;

	return p ? (int)(p - b64) : -1;
}

/* One group of four; PAD of them are '='. */
static enum err decode_group(const char *text, unsigned pad, uint8_t *out)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < 4; i++) {
		int d = i < 4 - pad ? b64_value(text[i]) : 0;
		if (d < 0)
			return ERR_SYNTAX;
		v = v << 6 | (uint32_t)d;
	}
	out[0] = (uint8_t)(v >> 16);
	if (pad < 2)
		out[1] = (uint8_t)(v >> 8);
	if (pad < 1)
		out[2] = (uint8_t)v;
	return ERR_OK;
}

enum err base64_decode(const char *text, size_t text_len, uint8_t *out, size_t cap, size_t *out_len)
{
	unsigned pad = 0;
	size_t len;

	if (text_len % 4)
		return ERR_SYNTAX;
	if (text_len && text[text_len - 1] == '=')
		pad = text[text_len - 2] == '=' ? 2 : 1;
	len = text_len / 4 * 3 - pad;
	if (len > cap)
		return ERR_TOO_LONG;
	for (size_t i = 0; i < text_len; i += 4) {
		enum err err = decode_group(text + i, i + 4 == text_len ? pad : 0, out + i / 4 * 3);
		if (err)
			return err;
	}
	*out_len = len;
	return ERR_OK;
}

char *hex_encode(const void *data, size_t len, char *text)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[p[i] >> 4];
		text[2 * i + 1] = digits[p[i] & 15];
	}
	text[2 * len] = '\0';
	return text;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum err hex_decode(const char *text, uint8_t *out, size_t len)
{
	if (strlen(text) != 2 * len)
		return ERR_SYNTAX;
	for (size_t i = 0; i < len; i++) {
		int hi = hex_value(text[2 * i]), lo = hex_value(text[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return ERR_SYNTAX;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return ERR_OK;
}

void str_copy(char *out, size_t cap, const char *text)
{
	size_t len = strlen(text);

	if (len >= cap) {
		len = cap - 1;
		while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(out, text, len);
	out[len] = '\0';
}

char *str_trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return text;
}

bool str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_starts_nocase(const char *text, const char *prefix)
{
	return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

enum err str_to_u64(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (!*text)
		return ERR_SYNTAX;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return ERR_SYNTAX;
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*text - '0'), &v))
			return ERR_RANGE;
	}
	if (v > max)
		return ERR_RANGE;
	*out = v;
	return ERR_OK;
}

size_t str_utf8_len(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	/* What the second byte may be, where the first one narrows it. */
	unsigned low = *c == 0xe0 ? 0xa0 : *c == 0xf0 ? 0x90 : 0x80;
	unsigned high = *c == 0xed ? 0x9f : *c == 0xf4 ? 0x8f : 0xbf;
	size_t n = *c < 0x80   ? 1
		   : *c < 0xc2 ? 0
		   : *c < 0xe0 ? 2
		   : *c < 0xf0 ? 3
		   : *c < 0xf5 ? 4
			       : 0;

	if (n > 1 && (c[1] < low || c[1] > high))
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

bool str_has_control(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if (*c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0))
			return true;
	return false;
}

bool str_is_safe_name(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > 63 || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return false;
	return !strchr(text, '/') && !str_has_control(text);
}
