/* fuzz_auth_gssapi.c - Authorization headers and principals: a token that is taken gives the same
 * header again, and a component is a name without its separators. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "auth/backend/gssapi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_header(TALLOC_CTX *ctx, const char *text)
{
	uint8_t *token, *again;
	size_t len, again_len;
	const char *header;

	if (gssapi_token(ctx, text, &token, &len))
		return;
	header = gssapi_header(ctx, token, len);
	if (!header || len > GSSAPI_TOKEN_MAX || gssapi_token(ctx, header, &again, &again_len) ||
	    again_len != len || memcmp(again, token, len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *text = talloc_strndup(ctx, (const char *)data, size);
	char *name;

	try_header(ctx, text);
	name = gssapi_first_component(ctx, (const char *)data, size);
	if (name && (!*name || strpbrk(name, "/@\\") || strlen(name) > size))
		abort();
	talloc_free(ctx);
	return 0;
}
