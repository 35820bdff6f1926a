/* fuzz_kkdcp.c - requests of the KDC proxy: what is taken lies inside the input, agrees with its
 * length, and is found again in an answer made of it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "wire/kkdcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kkdcp_request r, again;
	TALLOC_CTX *ctx = talloc_new(NULL);
	uint8_t *copy = malloc(size ? size : 1);
	struct buf b;

	if (size)
		memcpy(copy, data, size);
	if (kkdcp_parse(copy, size, &r) == ERR_OK) {
		if (r.message < copy || r.message + r.len > copy + size || r.len <= KKDCP_PREFIX ||
		    strlen(r.realm) > KKDCP_REALM_MAX)
			abort();
		buf_init(&b, ctx, size + 64);
		kkdcp_build(&b, r.message, r.len);
		if (b.failed || kkdcp_parse((const uint8_t *)b.data, b.len, &again) ||
		    again.len != r.len || memcmp(again.message, r.message, r.len) != 0)
			abort();
	}
	free(copy);
	talloc_free(ctx);
	return 0;
}
