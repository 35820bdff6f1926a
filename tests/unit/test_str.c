/* test_str.c - encodings, numbers and lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

static void base64_goes_both_ways(void **state)
{
	static const struct {
		const char *plain, *text;
	} rows[] = { { "", "" },	{ "f", "Zg==" },	{ "fo", "Zm8=" },
		     { "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "\xff\xfe\xfd", "//79" } };
	uint8_t out[8];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t n = strlen(rows[i].plain);
		char *text = base64_encode(NULL, rows[i].plain, n);
		assert_string_equal(text, rows[i].text);
		assert_int_equal(base64_decode(text, strlen(text), out, sizeof out, &len), ERR_OK);
		assert_int_equal(len, n);
		assert_memory_equal(out, rows[i].plain, n);
		talloc_free(text);
	}
}

static void malformed_base64_is_refused(void **state)
{
	static const char *const bad[] = { "Z",	       "Zg",	"Zg=",	"Zg= ", "Z===", "====",
					   "Zg==Zg==", "Zm9\n", "Zm-v", "Z=9v", "\0mnv" };
	uint8_t out[8];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_not_equal(
			base64_decode(bad[i], i == 10 ? 4 : strlen(bad[i]), out, sizeof out, &len),
			ERR_OK);
}

static void base64_that_does_not_fit_is_not_decoded(void **state)
{
	uint8_t out[2] = { 1, 2 };
	size_t len;

	(void)state;
	assert_int_equal(base64_decode("Zm9v", 4, out, sizeof out, &len), ERR_TOO_LONG);
	assert_int_equal(out[0], 1);
}

static void hex_goes_both_ways(void **state)
{
	uint8_t out[3];
	char text[7];

	(void)state;
	assert_string_equal(hex_encode("\x01\xab\xff", 3, text), "01abff");
	assert_int_equal(hex_decode("01aBFf", out, 3), ERR_OK);
	assert_memory_equal(out, "\x01\xab\xff", 3);
	assert_int_equal(hex_decode("01ab", out, 3), ERR_SYNTAX);
	assert_int_equal(hex_decode("01abfg", out, 3), ERR_SYNTAX);
	assert_int_equal(hex_decode("01abff00", out, 3), ERR_SYNTAX);
}

static void copying_cuts_between_characters(void **state)
{
	char out[5];

	(void)state;
	str_copy(out, sizeof out, "abc\xc3\xa4");
	assert_string_equal(out, "abc");
	str_copy(out, sizeof out, "ab\xc3\xa4");
	assert_string_equal(out, "ab\xc3\xa4");
	str_copy(out, 1, "abc");
	assert_string_equal(out, "");
}

static void blanks_are_trimmed_on_both_ends(void **state)
{
	char both[] = " \ta b\r\n", none[] = "a", only[] = " \n ", empty[] = "";

	(void)state;
	assert_string_equal(str_trim(both), "a b");
	assert_string_equal(str_trim(none), "a");
	assert_string_equal(str_trim(only), "");
	assert_string_equal(str_trim(empty), "");
}

static void numbers_are_strict(void **state)
{
	static const char *const bad[] = { "",	 "-1",	"+1",  " 1",
					   "1 ", "0x1", "1.0", "18446744073709551616" };
	uint64_t v = 5;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_not_equal(str_to_u64(bad[i], UINT64_MAX, &v), ERR_OK);
	assert_int_equal(v, 5);
	assert_int_equal(str_to_u64("18446744073709551615", UINT64_MAX, &v), ERR_OK);
	assert_true(v == UINT64_MAX);
	assert_int_equal(str_to_u64("11", 10, &v), ERR_RANGE);
	assert_int_equal(str_to_u64("10", 10, &v), ERR_OK);
}

static void names_that_leave_a_directory_are_unsafe(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "/", "a\n", "\x7f", "a\tb" };
	char longest[65];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(str_is_safe_name(bad[i]));
	assert_true(str_is_safe_name("user@example.org"));
	assert_true(str_is_safe_name("..a"));
	memset(longest, 'a', sizeof longest);
	longest[64] = '\0';
	assert_false(str_is_safe_name(longest));
	longest[63] = '\0';
	assert_true(str_is_safe_name(longest));
}

static void utf_8_is_told_from_other_bytes(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} cases[] = {
		{ "a", 1 },
		{ "", 1 },
		{ "\xc3\xa4", 2 },
		{ "\xe2\x82\xac", 3 },
		{ "\xf0\x9f\x94\x91", 4 },
		{ "\xf4\x8f\xbf\xbf", 4 },
		{ "\x80", 0 },
		{ "\xc0\x80", 0 },
		{ "\xc1\xbf", 0 },
		{ "\xe0\x9f\xbf", 0 },
		{ "\xed\xa0\x80", 0 },
		{ "\xf0\x8f\xbf\xbf", 0 },
		{ "\xf4\x90\x80\x80", 0 },
		{ "\xf5\x80\x80\x80", 0 },
		{ "\xc3", 0 },
		{ "\xe2\x82", 0 },
		{ "\xf0\x9f\x94", 0 },
		{ "\xff", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(str_utf8_len(cases[i].text), cases[i].len);
}

static void control_characters_of_ascii_and_latin_1_are_found(void **state)
{
	static const char *const with[] = { "a\n", "\x1f", "\x7f", "a\xc2\x80", "\xc2\x9f" };
	static const char *const without[] = { "", "a b", "\xc2\xa0", "\xc3\x80", "\xe2\x82\xac" };

	(void)state;
	for (size_t i = 0; i < sizeof with / sizeof *with; i++)
		assert_true(str_has_control(with[i]));
	for (size_t i = 0; i < sizeof without / sizeof *without; i++)
		assert_false(str_has_control(without[i]));
}

static void lists_grow_and_are_searched(void **state)
{
	struct strv v = { 0 };

	(void)state;
	assert_int_equal(strv_add(NULL, &v, "one"), ERR_OK);
	assert_int_equal(strv_add(NULL, &v, "two"), ERR_OK);
	assert_int_equal(v.n, 2);
	assert_true(strv_has(&v, "two"));
	assert_false(strv_has(&v, "tw"));
	talloc_free(v.item);
}

static void prefixes_are_compared(void **state)
{
	(void)state;
	assert_true(str_starts("abc", "ab"));
	assert_false(str_starts("ab", "abc"));
	assert_false(str_starts("ABC", "ab"));
	assert_true(str_starts_nocase("ABC", "ab"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blanks_are_trimmed_on_both_ends),
		cmocka_unit_test(base64_goes_both_ways),
		cmocka_unit_test(malformed_base64_is_refused),
		cmocka_unit_test(base64_that_does_not_fit_is_not_decoded),
		cmocka_unit_test(hex_goes_both_ways),
		cmocka_unit_test(copying_cuts_between_characters),
		cmocka_unit_test(numbers_are_strict),
		cmocka_unit_test(names_that_leave_a_directory_are_unsafe),
		cmocka_unit_test(utf_8_is_told_from_other_bytes),
		cmocka_unit_test(control_characters_of_ascii_and_latin_1_are_found),
		cmocka_unit_test(lists_grow_and_are_searched),
		cmocka_unit_test(prefixes_are_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
