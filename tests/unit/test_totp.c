/* test_totp.c - enrolling TOTP tokens: the users file and the URI. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "ctl/totp.h"

static const uint8_t secret[TOTP_SECRET] = "12345678901234567890";
#define LINE "HOTP/T30/6\tann\t-\t3132333435363738393031323334353637383930\n"

static int setup(void **state)
{
	*state = talloc_new(NULL);
	return 0;
}

static int teardown(void **state)
{
	return talloc_free(*state);
}

/* TEXT with a new token of ann (or, ADD false, without her tokens). */
static const char *edit(void **state, const char *text, bool add, unsigned *removed)
{
	char *out;
	size_t len;

	assert_int_equal(totp_edit(*state, text, text ? strlen(text) : 0, "ann",
				   add ? secret : NULL, removed, &out, &len),
			 ERR_OK);
	assert_int_equal(strlen(out), len);
	return out;
}

static void first_token_makes_the_file(void **state)
{
	unsigned removed;

	assert_string_equal(edit(state, NULL, true, &removed), LINE);
	assert_int_equal(removed, 0);
}

static void new_token_takes_the_place_of_all_earlier_ones(void **state)
{
	unsigned removed;

	assert_string_equal(
		edit(state, "# c ann\nHOTP ann - 00 7\nHOTP/T30 bob - 11\n\tHOTP/T60\tann\t-\t22",
		     true, &removed),
		"# c ann\nHOTP/T30 bob - 11\n" LINE);
	assert_int_equal(removed, 2);
}

static void removing_leaves_other_names_alone(void **state)
{
	unsigned removed;

	assert_string_equal(
		edit(state, "HOTP anna - 00\nHOTP ann - 00\nHOTP an - 00\n", false, &removed),
		"HOTP anna - 00\nHOTP an - 00\n");
	assert_int_equal(removed, 1);
	assert_string_equal(edit(state, "HOTP ann - 00\n", false, &removed), "");
}

static void names_that_would_break_the_file_are_refused(void **state)
{
	static const char *const names[] = { "", "a b", "a\tb", "a\nb", "#a", "a\001" };
	unsigned removed;
	char *out;
	size_t len;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_int_equal(totp_edit(*state, NULL, 0, names[i], secret, &removed, &out, &len),
				 ERR_SYNTAX);
}

static void uri_is_what_authenticators_read(void **state)
{
	assert_string_equal(totp_uri(*state, "My VPN: x", "ann@example.com", secret),
			    "otpauth://totp/My%20VPN%3A%20x:ann@example.com?secret="
			    "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=My%20VPN%3A%20x"
			    "&algorithm=SHA1&digits=6&period=30");
}

/* Whether it can be read is tested with a real reader, end to end. */
static void qr_code_has_a_quiet_zone_and_fits_a_terminal(void **state)
{
	const char *qr = totp_qr(*state, totp_uri(*state, "vpn.example.com", "ann", secret), false);
	size_t rows = 0;

	assert_non_null(qr);
	for (const char *p = qr; *p; p++)
		rows += *p == '\n';
	assert_in_range(rows, 20, 30);
	assert_memory_equal(qr, "████", 12);
	assert_null(strchr(qr, '\033'));
	assert_non_null(strchr(totp_qr(*state, "x", true), '\033'));
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		CASE(first_token_makes_the_file),
		CASE(new_token_takes_the_place_of_all_earlier_ones),
		CASE(removing_leaves_other_names_alone),
		CASE(names_that_would_break_the_file_are_refused),
		CASE(uri_is_what_authenticators_read),
		CASE(qr_code_has_a_quiet_zone_and_fits_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
