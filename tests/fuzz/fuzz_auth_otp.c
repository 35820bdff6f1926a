/* fuzz_auth_otp.c - the OTP users file: finding tokens, and rewriting the line of one. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "auth/backend/otp_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was written must be read back, and nothing else may have changed. */
static void rewrite(TALLOC_CTX *ctx, const char *text, size_t len, const struct otp_token *t)
{
	struct otp_use use = { .counter = 41, .code = "123456", .now = 1000000 };
	struct otp_token again;
	size_t new_len, pos = t->at;
	char *new_text;

	if (otp_token_write(ctx, text, len, t, &use, &new_text, &new_len))
		abort();
	if (memcmp(new_text, text, t->at + t->head) != 0 ||
	    memcmp(new_text + new_len - (len - t->at - t->len), text + t->at + t->len,
		   len - t->at - t->len) != 0)
		abort();
	/* A line may grow beyond what is read; then it is no token any more. */
	if (t->head + 64 > OTP_LINE_MAX)
		return;
	if (!otp_token_next(new_text, new_len, "ann", &pos, &again) || again.counter != 41 ||
	    strcmp(again.last, "123456") != 0 || again.secret_len != t->secret_len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *text = talloc_size(ctx, size + 1);
	struct otp_token t;
	size_t pos = 0;

	if (size)
		memcpy(text, data, size);
	while (otp_token_next(text, size, "ann", &pos, &t)) {
		if (t.at + t.len > size || t.head > t.len || !t.secret_len)
			abort();
		rewrite(ctx, text, size, &t);
	}
	talloc_free(ctx);
	return 0;
}
