/* fuzz_fw_env.c - what sallyport-fw reads from its environment, and devices in nft's listings: what
 * comes out is text that nft can take for nothing else. */
#include <string.h>

#include "base/log.h"
#include "main/firewall_rules.h"
#include "main/fw_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VARIABLES = 16 };

/* Printed addresses, numbers, plain names and our own words need no other characters. */
static void check_text(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._-:/@{}=,;\" \n";

	if (text[strspn(text, plain)])
		fatal_bug("an odd character for nft");
}

static void rules(TALLOC_CTX *ctx, char *text)
{
	char *env[VARIABLES + 1] = { NULL }, *save = NULL;
	struct fw_rules r;
	struct buf out;
	const char *why = NULL;
	size_t n = 0;

	for (char *l = strtok_r(text, "\n", &save); l && n < VARIABLES;
	     l = strtok_r(NULL, "\n", &save))
		env[n++] = l;
	if (fw_env_read(ctx, env, &r, &why)) {
		if (!why)
			fatal_bug("an error without a reason");
		return;
	}
	buf_init(&out, ctx, FW_TEXT_MAX);
	fw_rules_add(ctx, &out, "sallyport_fuzz", &r);
	fw_rules_del(&out, "sallyport_fuzz", r.device);
	check_text(buf_text(&out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *text = talloc_strndup(ctx, (const char *)data, size);
	struct strv devices = { 0 };

	if (fw_rules_devices(ctx, text, &devices))
		fatal_bug("no memory");
	for (size_t i = 0; i < devices.n; i++)
		if (!fw_device_ok(devices.item[i]))
			fatal_bug("a bad device in a listing");
	rules(ctx, text);
	talloc_free(ctx);
	return 0;
}
