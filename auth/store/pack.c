/* pack.c - pieces of journal records. */
#include "auth/store/pack.h"

#include <string.h>

void pack_str(struct buf *out, const char *text)
{
	buf_put(out, text, strlen(text) + 1);
}

bool unpack_bytes(struct unpack *in, void *out, size_t len)
{
	if (in->len < len)
		return false;
	memcpy(out, in->data, len);
	in->data += len;
	in->len -= len;
	return true;
}

const char *unpack_str(TALLOC_CTX *ctx, struct unpack *in)
{
	const uint8_t *end = in->len ? memchr(in->data, '\0', in->len) : NULL;
	const char *text = (const char *)in->data;

	if (!end)
		return NULL;
	in->len -= (size_t)(end + 1 - in->data);
	in->data = end + 1;
	return talloc_strdup(ctx, text);
}
