/* oidc_jws.c - the one place that sees libcjose. */
#include "auth/backend/oidc_jws.h"

#include <stdlib.h>
#include <string.h>

#include <cjose/jwk.h>
#include <cjose/jws.h>
#include <jansson.h>

enum { RSA_BITS_MIN = 2048 }; /* RFC 7518 3.3 */

/* NULL: not a key that may sign. */
static cjose_jwk_t *import_key(const json_t *key)
{
	char *text = json_dumps(key, JSON_COMPACT);
	cjose_jwk_t *jwk = text ? cjose_jwk_import(text, strlen(text), NULL) : NULL;

	free(text);
	if (jwk && cjose_jwk_get_kty(jwk, NULL) == CJOSE_JWK_KTY_RSA &&
	    cjose_jwk_get_keysize(jwk, NULL) < RSA_BITS_MIN) {
		cjose_jwk_release(jwk);
		jwk = NULL;
	}
	return jwk;
}

static enum err copy_claims(TALLOC_CTX *ctx, const cjose_jws_t *jws, char **claims, size_t *len)
{
	uint8_t *data = NULL;
	size_t n = 0;

	if (!cjose_jws_get_plaintext(jws, &data, &n, NULL))
		return ERR_NOMEM;
	*claims = talloc_memdup(ctx, n ? (const void *)data : "", n ? n : 1);
	*len = n;
	return *claims ? ERR_OK : ERR_NOMEM;
}

enum err oidc_jws_verify(TALLOC_CTX *ctx, const char *token, const json_t *key, char **claims,
			 size_t *len, const char **why)
{
	cjose_jwk_t *jwk = import_key(key);
	cjose_jws_t *jws = cjose_jws_import(token, strlen(token), NULL);
	enum err err = ERR_CREDENTIALS;

	if (!jwk)
		*why = "the provider's key cannot be used";
	else if (!jws)
		*why = "the token is not a JWS in compact form";
	else if (!cjose_jws_verify(jws, jwk, NULL))
		*why = "the token's signature is wrong";
	else
		err = copy_claims(ctx, jws, claims, len);
	if (jws)
		cjose_jws_release(jws);
	if (jwk)
		cjose_jwk_release(jwk);
	return err;
}
