/* fuzz_auth_oidc_keys.c - what a provider sends (discovery document, JWKS) and what is kept of it.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <talloc.h>

#include "auth/backend/oidc_jws.h"
#include "auth/backend/oidc_keys.h"

static const char url[] = "https://idp/";
static const char token[] = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ.e30.c2ln";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every key that is taken can be handed to the library that checks signatures. */
static void use_keys(TALLOC_CTX *ctx, const struct oidc_keys *k)
{
	size_t i;
	json_t *key;

	json_array_foreach(k->keys, i, key)
	{
		const char *kid = json_string_value(json_object_get(key, "kid")), *why = NULL;
		bool known = false;
		char *claims;
		size_t len;

		oidc_keys_find(k, kid, oidc_alg_find("RS256"), &known);
		if (!known || !oidc_jws_verify(ctx, token, key, &claims, &len, &why) || !why)
			abort();
	}
}

/* What is kept comes back the same. */
static void keep_keys(TALLOC_CTX *ctx, const struct oidc_keys *k)
{
	const uint8_t *kept = NULL;
	struct oidc_keys *back = NULL;
	size_t len = 0;
	enum err err = oidc_keys_pack(ctx, k, url, &kept, &len);

	if (err == ERR_TOO_LONG)
		return;
	if (err || len > BACKEND_KEEP_MAX || oidc_keys_unpack(ctx, kept, len, url, &back) ||
	    !json_equal(k->keys, back->keys))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct oidc_keys *k = oidc_keys_new(ctx), *kept = NULL;
	const char *uri = NULL, *why = NULL;

	if (!oidc_discovery_parse(ctx, (const char *)data, size, &uri, &why) && !*uri)
		abort();
	if (!oidc_jwks_parse(k, (const char *)data, size, &why)) {
		use_keys(ctx, k);
		keep_keys(ctx, k);
	}
	if (!oidc_keys_unpack(ctx, data, size, url, &kept))
		use_keys(ctx, kept);
	talloc_free(ctx);
	return 0;
}
