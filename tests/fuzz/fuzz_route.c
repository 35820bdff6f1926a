/* fuzz_route.c - routes, prefixes and templates, which also come from RADIUS: what was stored must
 * be read back the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "wire/route.h"
#include "wire/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_route(const char *text)
{
	char stored[ADDR_NET_TEXT], cidr[ADDR_NET_TEXT], again[ADDR_NET_TEXT];
	struct route r, r2;

	if (route_parse(text, &r))
		return;
	route_print(&r, stored);
	if (route_parse(stored, &r2) || strcmp(route_print(&r2, again), stored) != 0)
		abort();
	route_print_cidr(&r, cidr);
	if (route_parse(cidr, &r2) || route_is_default(&r) != route_is_default(&r2))
		abort();
}

static void check_template(const char *text)
{
	const struct template_var vars[] = { { "R", "route", true },
					     { "RI", "cidr", false },
					     { NULL, NULL, false } };
	char *out;

	if (template_expand(NULL, text, vars, &out))
		return;
	if (strchr(out, '%') || strlen(out) > TEMPLATE_MAX)
		abort();
	talloc_free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	check_route(text);
	check_template(text);
	free(text);
	return 0;
}
