/* fuzz_auth_record.c - session records as a damaged journal would hand them back: what decodes must
 * encode to the same again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "auth/store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[TICKET_KEY];
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct buf one, two;
	struct session *s;

	buf_init(&one, ctx, JOURNAL_VALUE);
	buf_init(&two, ctx, JOURNAL_VALUE);
	if (size <= JOURNAL_VALUE && !session_decode(ctx, key, data, size, &s)) {
		if (session_encode(s, &one) ||
		    session_decode(ctx, key, (const uint8_t *)one.data, one.len, &s) ||
		    session_encode(s, &two) || one.len != two.len ||
		    memcmp(one.data, two.data, one.len) != 0)
			abort();
	}
	talloc_free(ctx);
	return 0;
}
