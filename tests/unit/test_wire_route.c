/* test_wire_route.c - the route syntax of config.md 13.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/route.h"

static void routes_are_stored_with_their_mask(void **state)
{
	static const struct {
		const char *text, *stored, *cidr;
	} rows[] = {
		{ "default", "default", "0.0.0.0/0" },
		{ "10.0.0.0/24", "10.0.0.0/255.255.255.0", "10.0.0.0/24" },
		{ "10.0.0.7/255.255.0.0", "10.0.0.7/255.255.0.0", "10.0.0.7/16" },
		{ "0.0.0.0/0", "0.0.0.0/0.0.0.0", "0.0.0.0/0" },
		{ "fd00::1/8", "fd00::1/8", "fd00::1/8" },
	};
	char text[ADDR_NET_TEXT];
	struct route r;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(route_parse(rows[i].text, &r), ERR_OK);
		assert_string_equal(route_print(&r, text), rows[i].stored);
		assert_string_equal(route_print_cidr(&r, text), rows[i].cidr);
	}
}

static void anything_else_is_refused(void **state)
{
	static const char *const bad[] = { "",
					   "Default",
					   "default/24",
					   "10.0.0.0",
					   "10.0.0.0/33",
					   "10.0.0.0/24; cmd",
					   "10.0.0.0/255.0.255.0",
					   "fd00::/129",
					   " 10.0.0.0/8",
					   "10.0.0.0/8 ",
					   "host/8",
					   "$(x)/8" };
	struct route r;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_not_equal(route_parse(bad[i], &r), ERR_OK);
}

static void the_default_route_has_several_spellings(void **state)
{
	static const char *const yes[] = { "default", "0.0.0.0/0", "0.0.0.0/0.0.0.0" };
	static const char *const no[] = { "0.0.0.0/1", "0.0.0.0/32", "10.0.0.0/8", "::/128",
					  "::/0" };
	struct route r;

	(void)state;
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
		assert_int_equal(route_parse(yes[i], &r), ERR_OK);
		assert_true(route_is_default(&r));
	}
	for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
		assert_int_equal(route_parse(no[i], &r), ERR_OK);
		assert_false(route_is_default(&r));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_are_stored_with_their_mask),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(the_default_route_has_several_spellings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
