/* fuzz_auth_oidc_conf.c - the JSON file of the backend `oidc`. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "auth/backend/oidc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	const char *why = NULL;
	struct oidc *o = NULL;
	enum err err = oidc_conf_parse(ctx, (const char *)data, size, &o, &why);

	if (err ? !why || o : !*o->url || !*o->user_claim || o->skew > OIDC_SKEW_MAX)
		abort();
	talloc_free(ctx);
	return 0;
}
