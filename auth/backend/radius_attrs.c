/* radius_attrs.c - lists of RADIUS attributes, and groups and messages of a reply (radius.md 3.3,
 * 4.1). */
#include "auth/backend/radius_attrs.h"

#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"

enum { STEP = 32 };

/* ---- building ------------------------------------------------------------- */

void radius_add(struct radius_attrs *a, const struct radius_attr *attr)
{
	struct radius_attr *item = a->item;

	/* In large steps: a request fits into the first one, so that no copy of its password is
	 * left behind. */
	if (a->n % STEP == 0 && a->n < RADIUS_ATTRS_MAX)
		item = talloc_realloc(a->ctx, item, struct radius_attr, (unsigned)a->n + STEP);
	if (!item || a->n == RADIUS_ATTRS_MAX) {
		a->failed = true;
		return;
	}
	a->item = item;
	item[a->n++] = *attr;
}

void radius_add_bytes(struct radius_attrs *a, enum radius_number type, const void *data, size_t len)
{
	struct radius_attr attr = { .type = type, .kind = RADIUS_BYTES, .len = (uint32_t)len };

	if (len > RADIUS_VALUE_MAX) {
		a->failed = true;
		return;
	}
	memcpy(attr.bytes, data, len);
	radius_add(a, &attr);
	/* It may be a password. */
	secret_wipe(&attr, sizeof attr);
}

void radius_add_text(struct radius_attrs *a, enum radius_number type, const char *text)
{
	char cut[RADIUS_VALUE_MAX + 1];

	if (!text || !*text)
		return;
	str_copy(cut, sizeof cut, text);
	radius_add_bytes(a, type, cut, strlen(cut));
}

void radius_add_number(struct radius_attrs *a, enum radius_number type, uint32_t value)
{
	radius_add(a, &(struct radius_attr){
			      .type = type, .kind = RADIUS_INTEGER, .number32 = value });
}

void radius_add_addr(struct radius_attrs *a, enum radius_number v4, enum radius_number v6,
		     const struct addr *addr)
{
	const uint8_t *b = addr->bytes;
	struct radius_attr attr = { .kind = RADIUS_IPV6 };

	if (addr->family == AF_INET) {
		attr.type = v4;
		attr.kind = RADIUS_IPV4;
		attr.number32 = get_be32(b);
	} else if (addr->family == AF_INET6) {
		attr.type = v6;
		attr.len = sizeof addr->bytes;
		memcpy(attr.bytes, b, sizeof addr->bytes);
	} else {
		return;
	}
	radius_add(a, &attr);
}

/* ---- finding -------------------------------------------------------------- */

static bool is_standard(const struct radius_attr *attr, enum radius_number type)
{
	return attr->vendor == RADIUS_NO_VENDOR && attr->type == type;
}

const struct radius_attr *radius_find(const struct radius_attrs *a, enum radius_number type)
{
	for (size_t i = 0; i < a->n; i++)
		if (is_standard(&a->item[i], type))
			return &a->item[i];
	return NULL;
}

/* ---- text for people ------------------------------------------------------ */

/* Length of the UTF-8 character that TEXT, LEN bytes long, begins with; 0: none (RFC 3629). */
static size_t utf8_char(const uint8_t *text, size_t len)
{
	uint8_t c = text[0];
	size_t need = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

	if (!need || need > len)
		return 0;
	for (size_t i = 1; i < need; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and what lies beyond Unicode. */
	if ((c == 0xe0 && text[1] < 0xa0) || (c == 0xed && text[1] > 0x9f) ||
	    (c == 0xf0 && text[1] < 0x90) || (c == 0xf4 && text[1] > 0x8f))
		return 0;
	return need;
}

/* The client shows the text in a terminal or puts it into a window; it has come over the network
 * and the client's XML parser would refuse the whole form for one bad byte. */
static size_t clean(const uint8_t *from, size_t len, char *to)
{
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		size_t c = utf8_char(from + i, len - i);

		if (!c) {
			to[n++] = '?';
			i++;
			continue;
		}
		if (from[i] >= 0x20 && from[i] != 0x7f) {
			memcpy(to + n, from + i, c);
			n += c;
		} else if (from[i] == '\n' || from[i] == '\t') {
			to[n++] = (char)from[i];
		}
		i += c;
	}
	return n;
}

const char *radius_message(TALLOC_CTX *ctx, const struct radius_attrs *reply)
{
	uint8_t raw[BACKEND_TEXT_MAX];
	char text[BACKEND_TEXT_MAX + 1];
	size_t len = 0;

	for (size_t i = 0; i < reply->n; i++) {
		const struct radius_attr *a = &reply->item[i];
		size_t room = sizeof raw - len;

		if (!is_standard(a, RADIUS_REPLY_MESSAGE) || a->kind != RADIUS_BYTES)
			continue;
		/* Joined first: a character may be split between two of them. */
		memcpy(raw + len, a->bytes, a->len < room ? a->len : room);
		len += a->len < room ? a->len : room;
	}
	text[clean(raw, len, text)] = '\0';
	return *text ? talloc_strdup(ctx, text) : NULL;
}

/* ---- groups --------------------------------------------------------------- */

struct collector {
	TALLOC_CTX *ctx;
	struct strv *out;
	size_t *dropped, *unfit;
};

/* A group is a name in logs, scripts and file names; longer ones cannot be used (radius.md 10). */
static bool is_name(const uint8_t *text, size_t len)
{
	if (!len || len > BACKEND_GROUP_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return true;
}

static enum err collect(struct collector *c, const uint8_t *text, size_t len)
{
	char name[BACKEND_GROUP_MAX + 1];

	if (!len)
		return ERR_OK;
	if (!is_name(text, len)) {
		++*c->unfit;
		return ERR_OK;
	}
	memcpy(name, text, len);
	name[len] = '\0';
	if (strv_has(c->out, name))
		return ERR_OK;
	if (c->out->n == BACKEND_GROUPS_MAX) {
		++*c->dropped;
		return ERR_OK;
	}
	return strv_add(c->ctx, c->out, name);
}

/* OU=a;b are several groups, anything else is one. */
static enum err collect_class(struct collector *c, const struct radius_attr *a, char separator)
{
	static const char mark[] = "OU=";
	const uint8_t *at = a->bytes, *end = a->bytes + a->len;
	enum err err = ERR_OK;

	if (a->len < sizeof mark - 1 || memcmp(at, mark, sizeof mark - 1) != 0)
		return collect(c, at, a->len);
	at += sizeof mark - 1;
	while (!err && at < end) {
		const uint8_t *next = memchr(at, separator, (size_t)(end - at));

		next = next ? next : end;
		err = collect(c, at, (size_t)(next - at));
		at = next + 1;
	}
	return err;
}

enum err radius_groups(TALLOC_CTX *ctx, const struct radius_attrs *reply, char separator,
		       struct strv *out, size_t *dropped, size_t *unfit)
{
	struct collector c = { ctx, out, dropped, unfit };
	enum err err = ERR_OK;

	*dropped = *unfit = 0;
	for (size_t i = 0; !err && i < reply->n; i++)
		if (is_standard(&reply->item[i], RADIUS_CLASS) &&
		    reply->item[i].kind == RADIUS_BYTES)
			err = collect_class(&c, &reply->item[i], separator);
	return err;
}
