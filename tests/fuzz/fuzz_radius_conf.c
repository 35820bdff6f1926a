/* fuzz_radius_conf.c - the client file and the secrets file of RADIUS libraries. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "auth/backend/radius_conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct radius_servers *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (!*s->item[i].host || !s->item[i].port || !s->item[i].name ||
		    (s->item[i].secret && strlen(s->item[i].secret) > RADIUS_SECRET_MAX))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *text = talloc_size(ctx, size + 1);
	struct radius_conf c;
	struct radius_secrets secrets;
	const char *why = NULL;

	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (radius_conf_parse(ctx, text, size, &c, &why)) {
		if (!why)
			abort();
	} else {
		check(&c.auth);
		check(&c.acct);
		if (!c.timeout)
			abort();
	}
	if (!radius_secrets_parse(ctx, text, size, &secrets))
		for (size_t i = 0; i < secrets.n; i++)
			if (!*secrets.item[i].secret)
				abort();
	talloc_free(ctx);
	return 0;
}
