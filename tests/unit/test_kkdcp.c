/* test_kkdcp.c - messages of the KDC proxy (protocol.md §8, number 98). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "base/str.h"
#include "wire/kkdcp.h"

enum { ROOM = 70000 };

static enum err parse_hex(const char *hex, struct kkdcp_request *out)
{
	static uint8_t body[256];
	size_t len = strlen(hex) / 2;

	assert_true(len <= sizeof body);
	assert_int_equal(hex_decode(hex, body, len), ERR_OK);
	return kkdcp_parse(body, len, out);
}

static void example_of_the_specification_is_read(void **state)
{
	struct kkdcp_request r;

	(void)state;
	assert_int_equal(
		parse_hex("301ca00b0409000000056a03020105a10d1b0b4558414d504c452e4f5247", &r),
		ERR_OK);
	assert_string_equal(r.realm, "EXAMPLE.ORG");
	assert_int_equal(r.len, 9);
	assert_memory_equal(r.message, "\0\0\0\5\x6a\3\2\1\5", 9);
}

static void realm_and_hint_are_optional(void **state)
{
	struct kkdcp_request r;

	(void)state;
	assert_int_equal(parse_hex("300aa00804060000000201ff", &r), ERR_OK);
	assert_string_equal(r.realm, "");
	assert_int_equal(parse_hex("300fa00804060000000201ffa203020101", &r), ERR_OK);
	assert_string_equal(r.realm, "");
	assert_int_equal(parse_hex("300fa00804060000000201ffa1031b0152", &r), ERR_OK);
	assert_string_equal(r.realm, "R");
	assert_int_equal(parse_hex("3014a00804060000000201ffa1031b0152a203020101", &r), ERR_OK);
	assert_string_equal(r.realm, "R");
}

static void what_is_not_strict_der_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"30",
		"3000",
		"310aa00804060000000201ff",			/* a SET */
		"30800a08040600000002010000",			/* indefinite length */
		"30810aa00804060000000201ff",			/* length longer than need be */
		"300ba00804060000000201ff",			/* cut */
		"3009a00804060000000201ff",			/* more behind the sequence */
		"300aa10804060000000201ff",			/* no message */
		"300aa00803060000000201ff",			/* a BIT STRING */
		"300aa00924060000000201ff",			/* constructed */
		"300ca00a0406000000020100ff00",			/* more behind the octets */
		"3008a00604040000000001",			/* cut inside */
		"3008a006040400000000",				/* nothing but a prefix */
		"300aa00804060000000301ff",			/* prefix too large */
		"300aa00804060000000101ff",			/* prefix too small */
		"300aa00804068000000201ff",			/* prefix absurd */
		"300fa00804060000000201ffa1031b0100",		/* NUL in the realm */
		"300fa00804060000000201ffa1030c0152",		/* UTF8String */
		"300ea00804060000000201ffa1021b00",		/* empty realm */
		"300ea00804060000000201ffa2020200",		/* empty hint */
		"3014a00804060000000201ffa203020101a1031b0152", /* out of order */
		"300fa00804060000000201ffa3030201ff",		/* unknown field */
	};
	struct kkdcp_request r;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (parse_hex(bad[i], &r) == ERR_OK)
			fail_msg("accepted: %s", bad[i]);
}

/* A request with a message of LEN bytes and a realm of REALM bytes; gives its own length. */
static size_t build(uint8_t *out, size_t len, size_t realm)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	uint8_t *message = talloc_zero_size(ctx, len);
	struct buf b;
	size_t n;

	message[1] = (uint8_t)((len - 4) >> 16);
	message[2] = (uint8_t)((len - 4) >> 8);
	message[3] = (uint8_t)(len - 4);
	buf_init(&b, ctx, ROOM);
	kkdcp_build(&b, message, len);
	assert_false(b.failed);
	memcpy(out, b.data, b.len);
	n = b.len;
	if (realm) { /* [1] with lengths of two bytes; the outer one has three */
		uint8_t head[] = { 0xa1, 0x82, 0, 0, 0x1b, 0x82, 0, 0 };
		size_t inside = n - 4 + sizeof head + realm;

		head[2] = (uint8_t)((realm + 4) >> 8);
		head[3] = (uint8_t)(realm + 4);
		head[6] = (uint8_t)(realm >> 8);
		head[7] = (uint8_t)realm;
		memcpy(out + n, head, sizeof head);
		memset(out + n + sizeof head, 'R', realm);
		n += sizeof head + realm;
		out[2] = (uint8_t)(inside >> 8);
		out[3] = (uint8_t)inside;
	}
	talloc_free(ctx);
	return n;
}

static void every_length_survives_the_way_there_and_back(void **state)
{
	static const size_t lens[] = { 5, 100, 118, 119, 122, 123, 124, 240, 256, 1000, 65500 };
	static uint8_t body[ROOM];
	struct kkdcp_request r;

	(void)state;
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		assert_int_equal(kkdcp_parse(body, build(body, lens[i], 0), &r), ERR_OK);
		assert_int_equal(r.len, lens[i]);
	}
}

static void bodies_and_realms_have_a_greatest_length(void **state)
{
	static uint8_t body[ROOM];
	struct kkdcp_request r;

	(void)state;
	assert_int_equal(kkdcp_parse(body, build(body, 65536, 0), &r), ERR_TOO_LONG);
	/* 256 is the shortest length that needs two bytes. */
	assert_int_equal(kkdcp_parse(body, build(body, 500, 256), &r), ERR_TOO_LONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(example_of_the_specification_is_read),
		cmocka_unit_test(realm_and_hint_are_optional),
		cmocka_unit_test(what_is_not_strict_der_is_refused),
		cmocka_unit_test(every_length_survives_the_way_there_and_back),
		cmocka_unit_test(bodies_and_realms_have_a_greatest_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
