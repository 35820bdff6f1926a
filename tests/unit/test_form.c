/* test_form.c - urlencoded bodies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/form.h"

static struct form *parse(const char *body)
{
	struct form *form = NULL;

	assert_int_equal(form_parse(NULL, body, strlen(body), &form), ERR_OK);
	return form;
}

static void fields_are_decoded(void **state)
{
	struct form *f = parse("username=alice&password=s3+c%72et%26%3d%25&group%5flist=staff");

	(void)state;
	assert_int_equal(f->n, 3);
	assert_string_equal(form_get(f, "username"), "alice");
	assert_string_equal(form_get(f, "password"), "s3 cret&=%");
	assert_string_equal(form_get(f, "group_list"), "staff");
	assert_null(form_get(f, "user"));
	talloc_free(f);
}

static void a_stray_percent_stays(void **state)
{
	struct form *f = parse("a=100%&b=%zz%4&c=%&d=%c3%A4");

	(void)state;
	assert_string_equal(form_get(f, "a"), "100%");
	assert_string_equal(form_get(f, "b"), "%zz%4");
	assert_string_equal(form_get(f, "c"), "%");
	assert_string_equal(form_get(f, "d"), "\xc3\xa4");
	talloc_free(f);
}

static void empty_values_are_values(void **state)
{
	struct form *f = parse("&&a=&b&=c&a=2&");

	(void)state;
	assert_int_equal(f->n, 4);
	assert_string_equal(form_get(f, "a"), "");
	assert_string_equal(form_get(f, "b"), "");
	assert_string_equal(form_get(f, ""), "c");
	talloc_free(f);
	f = parse("");
	assert_int_equal(f->n, 0);
	talloc_free(f);
}

static void a_nul_is_refused(void **state)
{
	struct form *f = NULL;

	(void)state;
	assert_int_equal(form_parse(NULL, "p=a%00b", 7, &f), ERR_SYNTAX);
	assert_int_equal(form_parse(NULL, "p=a\0b", 5, &f), ERR_SYNTAX);
	assert_int_equal(form_parse(NULL, "p%00=a", 6, &f), ERR_SYNTAX);
	assert_null(f);
}

static void too_many_fields_are_refused(void **state)
{
	char body[4 * FORM_FIELDS + 8] = "";
	struct form *f;

	(void)state;
	for (int i = 0; i < FORM_FIELDS; i++)
		strcat(body, "a&");
	f = parse(body);
	assert_int_equal(f->n, FORM_FIELDS);
	talloc_free(f);
	strcat(body, "a");
	assert_int_equal(form_parse(NULL, body, strlen(body), &f), ERR_TOO_LONG);
}

static void paths_keep_their_plus(void **state)
{
	char out[16];

	(void)state;
	assert_int_equal(percent_decode("/a+b%2Fc", 8, false, out), ERR_OK);
	assert_string_equal(out, "/a+b/c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_decoded),
		cmocka_unit_test(a_stray_percent_stays),
		cmocka_unit_test(empty_values_are_values),
		cmocka_unit_test(a_nul_is_refused),
		cmocka_unit_test(too_many_fields_are_refused),
		cmocka_unit_test(paths_keep_their_plus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
