/* test_dtls_hello.c - steering by the ClientHello, protocol.md 6.2 and 6.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/dtls_hello.h"

enum { HELLO = 168, OFF_RANDOM = 27, OFF_ID_LEN = 59, OFF_ID = 60, OFF_EXT = 113 };

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* The hello of openconnect 9.01 (6.2) with App-ID 00 01 ... 1f. */
static void make_hello(uint8_t h[HELLO])
{
	static const uint8_t head[] = {
		0x16, 0xfe, 0xff, 0,	0, 0, 0, 0, 0, 0, 0, 0,	   0x9b, /* record */
		0x01, 0,    0,	  0x8f, 0, 0, 0, 0, 0, 0, 0, 0x8f,	 /* handshake */
		0xfe, 0xfd,
	};
	static const uint8_t suites[] = { 0x00, 0x00, 0x10, 0x00, 0xa9, 0xcc, 0xab,
					  0xc0, 0xa5, 0x00, 0x8d, 0x00, 0xa8, 0xc0,
					  0xa4, 0x00, 0x8c, 0x00, 0xae, 0x01, 0x00 };
	static const uint8_t tail[] = { 0x00, 0x23, 0x00, 0x00, 0xff, 0x01, 0x00, 0x01,
					0x00, 0x00, 0x1c, 0x00, 0x02, 0x40, 0x00 };

	memset(h, 0, HELLO);
	memcpy(h, head, sizeof head);
	for (uint8_t i = 0; i < 32; i++) {
		h[OFF_RANDOM + i] = (uint8_t)(0xe6 - i);
		h[OFF_ID + i] = i;
	}
	h[OFF_ID_LEN] = 32;
	memcpy(h + 92, suites, sizeof suites);
	put16(h + OFF_EXT, 0x35);
	put16(h + OFF_EXT + 2, 0x000d);
	put16(h + OFF_EXT + 4, 34);
	memcpy(h + HELLO - sizeof tail, tail, sizeof tail);
}

static enum err verdict(const uint8_t *data, size_t len)
{
	struct dtls_hello out;

	return dtls_hello_parse(data, len, false, &out);
}

static void the_session_id_of_a_live_hello_is_found(void **state)
{
	uint8_t h[HELLO];
	struct dtls_hello out = { 0 };

	(void)state;
	make_hello(h);
	assert_true(dtls_is_handshake(h, sizeof h));
	assert_true(dtls_is_record(h, sizeof h));
	assert_int_equal(dtls_hello_parse(h, sizeof h, false, &out), ERR_OK);
	assert_int_equal(out.id_len, 32);
	for (uint8_t i = 0; i < 32; i++)
		assert_int_equal(out.id[i], i);
	assert_int_equal(out.record_version, 0xfeff);
	assert_int_equal(out.message_seq, 0);
}

static void every_truncation_is_refused(void **state)
{
	uint8_t h[HELLO];

	(void)state;
	make_hello(h);
	for (size_t len = 0; len < HELLO; len++)
		assert_int_equal(verdict(h, len), ERR_SYNTAX);
}

static void a_changed_header_is_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} rows[] = {
		{ 0, 23 },    { 1, 0x03 },  { 4, 1 },	  { 13, 2 },	      { 21, 1 },
		{ 24, 0x90 }, { 12, 0x9c }, { 12, 0x20 }, { OFF_ID_LEN, 33 }, { OFF_ID_LEN, 255 },
	};
	uint8_t h[HELLO];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		make_hello(h);
		h[rows[i].at] = rows[i].value;
		assert_int_equal(verdict(h, HELLO), ERR_SYNTAX);
	}
}

static void old_versions_and_second_hellos_are_taken(void **state)
{
	uint8_t h[HELLO];
	struct dtls_hello out = { 0 };

	(void)state;
	make_hello(h);
	h[1] = 1;
	h[2] = 0;
	h[18] = 1;
	assert_int_equal(dtls_hello_parse(h, HELLO, false, &out), ERR_OK);
	assert_int_equal(out.record_version, 0x0100);
	assert_int_equal(out.message_seq, 1);
	h[2] = 1;
	assert_int_equal(verdict(h, HELLO), ERR_SYNTAX);
}

static void a_hello_without_randomness_is_denied(void **state)
{
	uint8_t h[HELLO];
	struct dtls_hello out;

	(void)state;
	make_hello(h);
	memset(h + OFF_RANDOM, 0, 32);
	assert_int_equal(dtls_hello_parse(h, HELLO, false, &out), ERR_DENIED);
	assert_int_equal(dtls_hello_parse(h, HELLO, true, &out), ERR_OK);
}

/* Builds a hello with an empty session id and EXT as its extensions. */
static size_t make_old_hello(uint8_t *h, const uint8_t *ext, size_t ext_len)
{
	uint8_t *p = h + OFF_ID;
	size_t body;

	make_hello(h);
	h[OFF_ID_LEN] = 0;
	*p++ = 0; /* cookie */
	memcpy(p, "\0\2\0\x2f\1\0", 6);
	p += 6;
	put16(p, ext_len);
	memcpy(p + 2, ext, ext_len);
	p += 2 + ext_len;
	body = (size_t)(p - h) - 25;
	put16(h + 15, body);
	put16(h + 23, body);
	put16(h + 11, body + 12);
	return (size_t)(p - h);
}

static void the_old_extension_is_the_fallback(void **state)
{
	static const uint8_t ext[] = { 0x00, 0x17, 0x00, 0x00, 0xbb, 0x92,
				       0x00, 0x04, 0x03, 0x0a, 0x0b, 0x0c };
	static const uint8_t none[] = { 0x00, 0x17, 0x00, 0x00 };
	static const uint8_t empty[] = { 0xbb, 0x92, 0x00, 0x01, 0x00 };
	static const uint8_t overrun[] = { 0xbb, 0x92, 0x00, 0x04, 0x04, 0x0a, 0x0b, 0x0c };
	uint8_t h[HELLO + 64];
	struct dtls_hello out = { 0 };

	(void)state;
	assert_int_equal(dtls_hello_parse(h, make_old_hello(h, ext, sizeof ext), false, &out),
			 ERR_OK);
	assert_int_equal(out.id_len, 3);
	assert_memory_equal(out.id, "\x0a\x0b\x0c", 3);
	assert_int_equal(verdict(h, make_old_hello(h, none, sizeof none)), ERR_SYNTAX);
	assert_int_equal(verdict(h, make_old_hello(h, empty, sizeof empty)), ERR_SYNTAX);
	assert_int_equal(verdict(h, make_old_hello(h, overrun, sizeof overrun)), ERR_SYNTAX);
}

static void records_are_told_from_noise(void **state)
{
	uint8_t data[40] = { 23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 0, 27 };

	(void)state;
	assert_true(dtls_is_record(data, sizeof data));
	assert_false(dtls_is_handshake(data, sizeof data));
	assert_false(dtls_is_record(data, sizeof data - 1));
	assert_false(dtls_is_record(data, 13));
	data[0] = 19;
	assert_false(dtls_is_record(data, sizeof data));
	data[0] = 23;
	data[1] = 3;
	assert_false(dtls_is_record(data, sizeof data));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_session_id_of_a_live_hello_is_found),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(a_changed_header_is_refused),
		cmocka_unit_test(old_versions_and_second_hellos_are_taken),
		cmocka_unit_test(a_hello_without_randomness_is_denied),
		cmocka_unit_test(the_old_extension_is_the_fallback),
		cmocka_unit_test(records_are_told_from_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
