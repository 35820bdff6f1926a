/* fuzz_auth_account.c - accounts as a damaged journal would hand them back: what decodes must
 * encode to the same again, and a record of it can be made. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "auth/accounting/account.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t now(void *arg)
{
	(void)arg;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct acct_ops ops = { .now = now };
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct accounting a = { .ops = &ops };
	struct account *ac, *again;
	struct acct_record rec;
	struct buf one, two;

	buf_init(&one, ctx, JOURNAL_VALUE);
	buf_init(&two, ctx, JOURNAL_VALUE);
	if (size <= JOURNAL_VALUE && !account_decode(ctx, data, size, &ac)) {
		if (account_encode(ac, &one) ||
		    account_decode(ctx, (const uint8_t *)one.data, one.len, &again) ||
		    account_encode(again, &two) || one.len != two.len ||
		    memcmp(one.data, two.data, one.len) != 0)
			abort();
		ac->in = &a;
		rec = account_record(ac, ACCT_STOP);
		if (strlen(rec.sid) > TICKET_SID || addr_len(&rec.v4) > sizeof rec.v4.bytes)
			abort();
	}
	talloc_free(ctx);
	return 0;
}
