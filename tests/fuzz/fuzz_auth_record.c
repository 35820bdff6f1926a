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
	uint8_t one[JOURNAL_VALUE], two[JOURNAL_VALUE];
	struct session *s;
	size_t len_one, len_two;

	if (size <= JOURNAL_VALUE && !session_decode(ctx, key, data, size, &s)) {
		if (session_encode(s, one, &len_one) ||
		    session_decode(ctx, key, one, len_one, &s) ||
		    session_encode(s, two, &len_two) || len_one != len_two ||
		    memcmp(one, two, len_one) != 0)
			abort();
	}
	talloc_free(ctx);
	return 0;
}
