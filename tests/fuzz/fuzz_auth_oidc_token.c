/* fuzz_auth_oidc_token.c - bearer tokens: what a client sends, and, after a line end, the claims
 * that its signature would stand for. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <talloc.h>

#include "auth/backend/oidc_jws.h"

/* A real P-256 key, so that signatures are looked at. */
static const char jwk[] = "{\"kty\":\"EC\",\"kid\":\"k\",\"crv\":\"P-256\","
			  "\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
			  "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_header(TALLOC_CTX *ctx, const char *authorization)
{
	const char *token = oidc_bearer(authorization), *why = NULL;
	struct oidc_header header;
	char *claims;
	json_t *key;
	size_t len;

	if (!token)
		return;
	if (oidc_header_parse(ctx, token, &header, &why)) {
		if (!why)
			abort();
		return;
	}
	if (!*header.kid || !header.alg)
		abort();
	key = json_loads(jwk, 0, NULL);
	/* Nobody has the private half. */
	if (!oidc_jws_verify(ctx, token, key, &claims, &len, &why))
		abort();
	json_decref(key);
}

static void fuzz_claims(TALLOC_CTX *ctx, const char *text, size_t len)
{
	struct oidc conf = { .user_claim = "sub", .required = json_object() };
	const char *user = NULL, *why = NULL;
	enum err err = oidc_claims_check(ctx, text, len, &conf, 1000, &user, &why);

	if (err ? !why : !*user || strlen(user) > BACKEND_NAME_MAX)
		abort();
	json_decref(conf.required);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *text = talloc_size(ctx, size + 1);
	size_t head;

	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	head = strcspn(text, "\n");
	if (head < size)
		fuzz_claims(ctx, text + head + 1, size - head - 1);
	text[head] = '\0';
	fuzz_header(ctx, text);
	talloc_free(ctx);
	return 0;
}
