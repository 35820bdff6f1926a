/* fuzz_radius_reply.c - groups, settings and messages of RADIUS replies.
 * The input is a list of attributes: kind (its high bits choose a vendor), type, length, value. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "auth/backend/radius_attrs.h"

enum { HEAD = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t read_attr(const uint8_t *data, size_t size, struct radius_attr *out)
{
	static const uint32_t vendor[] = { RADIUS_NO_VENDOR, RADIUS_MICROSOFT,
					   RADIUS_ROARING_PENGUIN, 9 };
	size_t len = data[2];

	*out = (struct radius_attr){ .vendor = vendor[data[0] >> 6],
				     .type = data[1],
				     .kind = data[0] % 5 };
	if (len > size - HEAD)
		len = size - HEAD;
	if (len > RADIUS_VALUE_MAX)
		len = RADIUS_VALUE_MAX;
	/* The library gives addresses of their length, or none. */
	if (out->kind == RADIUS_IPV6 && len != 16)
		len = 0;
	out->len = (uint32_t)len;
	memcpy(out->bytes, data + HEAD, len);
	memcpy(&out->number32, out->bytes, sizeof out->number32);
	return HEAD + len;
}

static void check_groups(TALLOC_CTX *ctx, const struct radius_attrs *a, char separator)
{
	struct strv groups = { .n = 0 };
	size_t dropped, unfit;

	if (radius_groups(ctx, a, separator, &groups, &dropped, &unfit) ||
	    groups.n > BACKEND_GROUPS_MAX || (dropped && groups.n != BACKEND_GROUPS_MAX))
		abort();
	for (size_t i = 0; i < groups.n; i++)
		if (!*groups.item[i] || strlen(groups.item[i]) > BACKEND_GROUP_MAX ||
		    strpbrk(groups.item[i], "\n\r\t\x1b\x7f"))
			abort();
}

static void check_rows(TALLOC_CTX *ctx, const struct radius_attrs *a)
{
	struct backend_pairs rows;
	struct radius_findings found;

	if (radius_rows(ctx, a, &rows, &found))
		abort();
	for (size_t i = 0; i < rows.n; i++)
		if (!*rows.item[i].value || strpbrk(rows.item[i].value, " \t\r\n"))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct radius_attrs a = { .ctx = ctx };
	const char *text;

	while (size >= HEAD) {
		struct radius_attr one;
		size_t n = read_attr(data, size, &one);

		radius_add(&a, &one);
		data += n;
		size -= n;
	}
	check_groups(ctx, &a, ';');
	check_groups(ctx, &a, ',');
	check_rows(ctx, &a);
	text = radius_message(ctx, &a);
	if (text && (!*text || strlen(text) > BACKEND_TEXT_MAX || strchr(text, '\x1b')))
		abort();
	talloc_free(ctx);
	return 0;
}
