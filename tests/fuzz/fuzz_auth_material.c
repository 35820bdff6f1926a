/* fuzz_auth_material.c - any bytes as a file of certificates or a key, and as a URL: nothing that
 * breaks off is taken for whole, and no PIN is shown. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/chain.h"
#include "auth/material.h"
#include "auth/privkey.h"
#include "base/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_chain(const gnutls_datum_t *file)
{
	struct chain chain;
	const char *why;

	if (chain_from_pem(file, &chain, &why))
		return;
	if (!material_is_whole(file) || !chain.n || chain.n > CHAIN_MAX)
		abort();
	chain_free(&chain);
}

static void as_key(TALLOC_CTX *ctx, const gnutls_datum_t *file)
{
	struct privkey_pins pins = { "pin", NULL };
	struct privkey_asked asked = { &pins, false };
	struct privkey_fault fault = { NULL, false };
	gnutls_privkey_t priv;

	if (!privkey_is_foreign("file", file) &&
	    !privkey_load(ctx, "file", file, &asked, &priv, &fault))
		gnutls_privkey_deinit(priv);
}

/* What is shown of a PIN is always the same. */
static void as_url(TALLOC_CTX *ctx, const char *text)
{
	char *url = talloc_asprintf(ctx, "pkcs11:%s", text);

	for (const char *at = url_printable(ctx, url); (at = strcasestr(at, "pin-value="));) {
		at += strlen("pin-value=");
		if (strncmp(at, "...", 3) != 0 || (at[3] && at[3] != '&' && at[3] != ';'))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *text = talloc_strndup(ctx, (const char *)data, size);
	const gnutls_datum_t file = { (uint8_t *)(uintptr_t)data, (unsigned)size };

	as_chain(&file);
	as_key(ctx, &file);
	as_url(ctx, text);
	talloc_free(ctx);
	return 0;
}
