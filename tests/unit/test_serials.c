/* test_serials.c - the table of revoked serial numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/serials.h"

enum { MANY = 1000 };

static bool has(const uint8_t *table, size_t n, const char *bytes, size_t len)
{
	return serials_have(table, n, (const uint8_t *)bytes, len);
}

static void numbers_are_found_whatever_their_order(void **state)
{
	uint8_t table[MANY * SERIAL_RECORD];

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		unsigned v = i * 7919 % 65536;
		uint8_t serial[] = { 1, (uint8_t)(v >> 8), (uint8_t)v };

		assert_int_equal(serial_put(table + i * SERIAL_RECORD, serial, 3), ERR_OK);
	}
	serials_sort(table, MANY);
	for (unsigned i = 0; i < 65536; i++) {
		uint8_t serial[] = { 1, (uint8_t)(i >> 8), (uint8_t)i };
		bool expected = false;

		for (unsigned k = 0; k < MANY && !expected; k++)
			expected = k * 7919 % 65536 == i;
		assert_int_equal(serials_have(table, MANY, serial, 3), expected);
	}
}

static void lengths_count(void **state)
{
	uint8_t table[2 * SERIAL_RECORD];

	(void)state;
	assert_int_equal(serial_put(table, (const uint8_t *)"\1\0", 2), ERR_OK);
	assert_int_equal(serial_put(table + SERIAL_RECORD, (const uint8_t *)"\2", 1), ERR_OK);
	serials_sort(table, 2);
	assert_true(has(table, 2, "\1\0", 2));
	assert_false(has(table, 2, "\1", 1));
	assert_false(has(table, 2, "\1\0\0", 3));
	assert_true(has(table, 2, "\2", 1));
}

static void zeros_in_front_do_not_count(void **state)
{
	uint8_t table[SERIAL_RECORD];

	(void)state;
	assert_int_equal(serial_put(table, (const uint8_t *)"\0\0\200\1", 4), ERR_OK);
	assert_true(has(table, 1, "\0\200\1", 3));
	assert_true(has(table, 1, "\200\1", 2));
	assert_int_equal(serial_put(table, (const uint8_t *)"\0", 1), ERR_OK);
	assert_true(has(table, 1, "\0\0", 2));
	assert_false(has(table, 1, "", 0));
}

static void what_is_no_serial_number_is_in_no_table(void **state)
{
	uint8_t table[SERIAL_RECORD], serial[SERIAL_MAX + 1];

	(void)state;
	memset(serial, 7, sizeof serial);
	assert_int_equal(serial_put(table, serial, sizeof serial), ERR_RANGE);
	assert_int_equal(serial_put(table, serial, 0), ERR_RANGE);
	assert_int_equal(serial_put(table, serial, SERIAL_MAX), ERR_OK);
	assert_true(serials_have(table, 1, serial, SERIAL_MAX));
	assert_false(serials_have(table, 1, serial, SERIAL_MAX + 1));
	assert_false(serials_have(NULL, 0, serial, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_found_whatever_their_order),
		cmocka_unit_test(lengths_count),
		cmocka_unit_test(zeros_in_front_do_not_count),
		cmocka_unit_test(what_is_no_serial_number_is_in_no_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
