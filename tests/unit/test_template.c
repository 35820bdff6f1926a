/* test_template.c - placeholders, config.md 8.7 and 8.13. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/template.h"

static const struct template_var vars[] = {
	{ "R", "10.0.0.0/255.0.0.0", true },
	{ "RI", "10.0.0.0/8", false },
	{ "D", "vpns0", true },
	{ "G", NULL, false },
	{ NULL, NULL, false },
};

static void placeholders_are_replaced(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "ip route add %R dev %D", "ip route add 10.0.0.0/255.0.0.0 dev vpns0" },
		{ "%{RI}%{D}", "10.0.0.0/8vpns0" },
		{ "%RI", "10.0.0.0/255.0.0.0I" },
		{ "[%{G}]", "[]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *out = NULL;
		assert_int_equal(template_expand(NULL, rows[i].text, vars, &out), ERR_OK);
		assert_string_equal(out, rows[i].want);
		talloc_free(out);
	}
}

static void unknown_placeholders_are_errors(void **state)
{
	static const char *const bad[] = { "%",	  "a%", "%%",  "%X",   "%G", "%{X}",
					   "%{R", "%{", "%{}", "%{r}", "%I", "% R" };
	char *out = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(template_expand(NULL, bad[i], vars, &out), ERR_SYNTAX);
	assert_null(out);
}

static void the_result_is_bounded(void **state)
{
	char text[TEMPLATE_MAX];
	char *out = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof text - 1; i++)
		text[i] = i & 1 ? 'R' : '%';
	text[sizeof text - 2] = '\0';
	assert_int_equal(template_expand(NULL, text, vars, &out), ERR_TOO_LONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(placeholders_are_replaced),
		cmocka_unit_test(unknown_placeholders_are_errors),
		cmocka_unit_test(the_result_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
