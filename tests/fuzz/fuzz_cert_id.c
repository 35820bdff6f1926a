/* fuzz_cert_id.c - any bytes as a certificate: names that come out are short, valid and without
 * control characters. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "worker/cert_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require_name(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > CERT_NAME_MAX)
		abort();
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			abort();
}

static void read_all(TALLOC_CTX *ctx, const struct cert_parts *parts, const char *user_oid)
{
	struct cert_id *id;

	if (cert_id_read(ctx, parts, user_oid, "2.5.4.11", &id))
		return;
	if (id->user)
		require_name(id->user);
	for (size_t i = 0; i < id->groups.n; i++)
		require_name(id->groups.item[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct der in = { data, size };
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct cert_parts parts;

	if (!cert_parts_parse(&in, &parts)) {
		read_all(ctx, &parts, "2.5.4.3");
		read_all(ctx, &parts, "SAN(rfc822name)");
		read_all(ctx, &parts, "SAN(upn)");
	}
	talloc_free(ctx);
	return 0;
}
