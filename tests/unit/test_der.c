/* test_der.c - structure and texts of DER. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "base/der.h"

#define DER(...)                                                                                   \
	((struct der){ (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }) })

static void elements_are_taken_in_order(void **state)
{
	struct der in = DER(0x02, 1, 5, 0x30, 2, 0x05, 0, 0x04, 0);
	struct der_item item;
	struct der value;

	(void)state;
	assert_true(der_is(&in, DER_INTEGER));
	assert_int_equal(der_take(&in, DER_INTEGER, &value), ERR_OK);
	assert_int_equal(*value.p, 5);
	assert_int_equal(der_next(&in, &item), ERR_OK);
	assert_int_equal(item.tag, DER_SEQUENCE);
	assert_int_equal(item.whole.len, 4);
	assert_int_equal(der_take(&in, DER_INTEGER, &value), ERR_SYNTAX);
	assert_int_equal(der_take(&in, DER_OCTET_STRING, &value), ERR_OK);
	assert_int_equal(value.len, 0);
	assert_int_equal(der_next(&in, &item), ERR_NOT_FOUND);
	assert_int_equal(der_take(&in, DER_OCTET_STRING, &value), ERR_SYNTAX);
}

static void lengths_beyond_the_input_are_refused(void **state)
{
	struct der bad[] = {
		DER(0x30),
		DER(0x30, 1),
		DER(0x30, 0x80, 0, 0),
		DER(0x30, 0x82, 1),
		DER(0x30, 0x85, 0, 0, 0, 0, 1, 0),
		DER(0x1f, 0x81, 1, 0),
		DER(0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0),
	};
	struct der_item item;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(der_next(&bad[i], &item), ERR_SYNTAX);
}

static void long_lengths_are_read(void **state)
{
	uint8_t data[300] = { 0x04, 0x82, 1, 0x28 };
	struct der in = { data, sizeof data }, value;

	(void)state;
	assert_int_equal(der_take(&in, DER_OCTET_STRING, &value), ERR_OK);
	assert_int_equal(value.len, 296);
	assert_int_equal(in.len, 0);
}

static void identifiers_are_printed_as_people_write_them(void **state)
{
	const struct {
		struct der oid;
		const char *text;
	} good[] = {
		{ DER(0x55, 4, 3), "2.5.4.3" },
		{ DER(0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1),
		  "0.9.2342.19200300.100.1.1" },
		{ DER(0x2b, 6, 1, 4, 1, 0x82, 0x37, 0x14, 2, 3), "1.3.6.1.4.1.311.20.2.3" },
		{ DER(0x88, 0x37, 3), "2.999.3" },
	};
	struct der open = DER(0x55, 0x84), huge = DER(0x55, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f);
	uint8_t many[80];
	struct der list = { many, sizeof many }, none = { NULL, 0 };
	char text[DER_OID_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(der_oid_text(&good[i].oid, text), ERR_OK);
		assert_string_equal(text, good[i].text);
	}
	memset(many, 0x7f, sizeof many);
	assert_int_equal(der_oid_text(&open, text), ERR_SYNTAX);
	assert_int_equal(der_oid_text(&none, text), ERR_SYNTAX);
	assert_int_equal(der_oid_text(&huge, text), ERR_TOO_LONG);
	assert_int_equal(der_oid_text(&list, text), ERR_TOO_LONG);
}

static enum err text_of(uint8_t tag, const char *bytes, size_t len, char out[64])
{
	struct der_item item = { .tag = tag, .value = { (const uint8_t *)bytes, len } };
	char *text = NULL;
	enum err err = der_text(NULL, &item, &text);

	if (!err)
		strcpy(out, text);
	talloc_free(text);
	return err;
}

#define TEXT_OF(tag, bytes) text_of(tag, bytes, sizeof(bytes) - 1, out)

static void texts_of_all_encodings_become_utf8(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(TEXT_OF(DER_UTF8, "J\303\274rgen \360\237\230\200"), ERR_OK);
	assert_string_equal(out, "J\303\274rgen \360\237\230\200");
	assert_int_equal(TEXT_OF(DER_PRINTABLE, "ann"), ERR_OK);
	assert_int_equal(TEXT_OF(DER_IA5, "a@b.c"), ERR_OK);
	assert_string_equal(out, "a@b.c");
	assert_int_equal(TEXT_OF(DER_TELETEX, "ann"), ERR_OK);
	assert_int_equal(TEXT_OF(DER_BMP, "\0J\0\374"), ERR_OK);
	assert_string_equal(out, "J\303\274");
	assert_int_equal(TEXT_OF(DER_BMP, " \254"), ERR_OK);
	assert_string_equal(out, "\342\202\254");
	assert_int_equal(TEXT_OF(DER_UNIVERSAL, "\0\1\366\0"), ERR_OK);
	assert_string_equal(out, "\360\237\230\200");
	assert_int_equal(TEXT_OF(DER_UTF8, ""), ERR_OK);
	assert_string_equal(out, "");
}

static void texts_that_hide_something_are_refused(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(TEXT_OF(DER_UTF8, "root\0evil"), ERR_SYNTAX);
	assert_int_equal(TEXT_OF(DER_IA5, "a\nb"), ERR_SYNTAX);
	assert_int_equal(TEXT_OF(DER_UTF8, "a\177"), ERR_SYNTAX);
	assert_int_equal(TEXT_OF(DER_UTF8, "\302\205"), ERR_SYNTAX);	 /* a C1 control */
	assert_int_equal(TEXT_OF(DER_UTF8, "\300\257"), ERR_SYNTAX);	 /* not the shortest */
	assert_int_equal(TEXT_OF(DER_UTF8, "\355\240\200"), ERR_SYNTAX); /* half a surrogate */
	assert_int_equal(TEXT_OF(DER_UTF8, "\364\220\200\200"), ERR_SYNTAX);
	assert_int_equal(TEXT_OF(DER_UTF8, "\303"), ERR_SYNTAX);
	assert_int_equal(TEXT_OF(DER_UTF8, "\200"), ERR_SYNTAX);
	assert_int_equal(TEXT_OF(DER_UTF8, "\303("), ERR_SYNTAX);
	assert_int_equal(TEXT_OF(DER_TELETEX, "J\374rgen"), ERR_SYNTAX);
	assert_int_equal(TEXT_OF(DER_BMP, "\0a\0"), ERR_SYNTAX);
	assert_int_equal(TEXT_OF(DER_BMP, "\330\0\334\0"), ERR_SYNTAX);
	assert_int_equal(TEXT_OF(DER_OCTET_STRING, "ann"), ERR_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_are_taken_in_order),
		cmocka_unit_test(lengths_beyond_the_input_are_refused),
		cmocka_unit_test(long_lengths_are_read),
		cmocka_unit_test(identifiers_are_printed_as_people_write_them),
		cmocka_unit_test(texts_of_all_encodings_become_utf8),
		cmocka_unit_test(texts_that_hide_something_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
