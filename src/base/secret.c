/* secret.c - wiped memory, constant-time comparison, randomness. */
#include "base/secret.h"

#include <string.h>
#include <sys/random.h>

#include "base/log.h"

static int wipe_on_free(void *chunk)
{
	secret_wipe(chunk, talloc_get_size(chunk));
	return 0;
}

void secret_mark(void *talloc_chunk)
{
	talloc_set_destructor(talloc_chunk, wipe_on_free);
}

static int secret_free(struct secret *s)
{
	return wipe_on_free(s);
}

struct secret *secret_new(TALLOC_CTX *ctx, const void *data, size_t len)
{
	struct secret *s = talloc_zero_size(ctx, sizeof *s + len + 1);

	if (!s)
		return NULL;
	talloc_set_name_const(s, "struct secret");
	s->len = len;
	if (len)
		memcpy(s->data, data, len);
	talloc_set_destructor(s, secret_free);
	return s;
}

const char *secret_text(const struct secret *s)
{
	return (const char *)s->data;
}

void secret_wipe(void *data, size_t len)
{
	explicit_bzero(data, len);
}

bool secret_equal(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t diff = 0;

	for (size_t i = 0; i < len; i++)
		diff |= (uint8_t)(x[i] ^ y[i]);
	return diff == 0;
}

void secret_random(void *out, size_t len)
{
	uint8_t *p = out;

	while (len) {
		ssize_t n = getrandom(p, len < 256 ? len : 256, 0);
		if (n <= 0)
			fatal_bug("getrandom");
		p += n;
		len -= (size_t)n;
	}
}
