/* fuzz_conf_ports.c - restrict-user-to-ports and routes: what was read is printed and read again.
 */
#include <string.h>

#include "base/log.h"
#include "conf/values.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ports(TALLOC_CTX *ctx, const char *text)
{
	struct conf_ports a, b;
	struct buf out;
	const char *why = NULL;

	if (conf_ports_parse(ctx, text, &a, &why)) {
		if (!why)
			fatal_bug("an error without a reason");
		return;
	}
	buf_init(&out, ctx, 1024 * 1024);
	conf_ports_print(&a, &out);
	/* Forbidden items are printed with a '!' each, which is not the file's syntax. */
	if (!a.item[0].negate && conf_ports_parse(ctx, buf_text(&out), &b, NULL))
		fatal_bug("printed ports cannot be read");
}

static void route(TALLOC_CTX *ctx, const char *text)
{
	struct conf_route a, b;

	if (conf_route_parse(ctx, text, &a, NULL))
		return;
	if (conf_route_parse(ctx, a.text, &b, NULL) || strcmp(a.text, b.text) != 0)
		fatal_bug("a stored route is another route");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *text = talloc_strndup(ctx, (const char *)data, size);

	ports(ctx, text);
	route(ctx, text);
	talloc_free(ctx);
	return 0;
}
