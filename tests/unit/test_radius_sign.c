/* test_radius_sign.c - Message-Authenticator (RFC 3579 3.2), and what is known of servers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "auth/backend/radius_memory.h"
#include "auth/backend/radius_sign.h"

/* RFC 5997 6.1. */
static const char secret[] = "xyzzy5461";
static const uint8_t request[] = { 0x0c, 0xda, 0x00, 0x14, 0x8a, 0x54, 0xf4, 0x68, 0x6f, 0xb3,
				   0x94, 0xc5, 0x28, 0x66, 0xe3, 0x02, 0x18, 0x5d, 0x06, 0x23 };
static const uint8_t seal[] = { 0x50, 0x12, 0x5a, 0x66, 0x5e, 0x2e, 0x1e, 0x84, 0x11,
				0xf3, 0xe2, 0x43, 0x82, 0x20, 0x97, 0xc8, 0x4f, 0xa3 };

static size_t sealed(uint8_t packet[RADIUS_PACKET_MAX])
{
	size_t len = sizeof request;

	memcpy(packet, request, len);
	assert_int_equal(radius_seal(packet, &len, secret), ERR_OK);
	return len;
}

static void seal_is_that_of_the_rfc(void **state)
{
	uint8_t p[RADIUS_PACKET_MAX];
	size_t len = sealed(p);

	(void)state;
	assert_int_equal(len, sizeof request + sizeof seal);
	assert_int_equal(p[3], len);
	assert_memory_equal(p + sizeof request, seal, sizeof seal);
}

static void seal_comes_before_other_attributes(void **state)
{
	uint8_t p[RADIUS_PACKET_MAX];
	size_t len = sizeof request + 3;

	(void)state;
	memcpy(p, request, sizeof request);
	memcpy(p + sizeof request, "\x01\x03x", 3);
	p[3] = (uint8_t)len;
	assert_int_equal(radius_seal(p, &len, secret), ERR_OK);
	assert_int_equal(p[20], 0x50);
	assert_memory_equal(p + 38, "\x01\x03x", 3);
	assert_int_equal(radius_check(p, len, p + 4, secret), RADIUS_SEAL_GOOD);
	assert_true(radius_has(p, len, 1, "x", 1));
	assert_false(radius_has(p, len, 1, "y", 1));
	assert_false(radius_has(p, len, 1, "xx", 2));
}

static void any_change_breaks_the_seal(void **state)
{
	uint8_t p[RADIUS_PACKET_MAX], vector[RADIUS_VECTOR];
	size_t len = sealed(p);

	(void)state;
	memcpy(vector, p + 4, sizeof vector);
	assert_int_equal(radius_check(p, len, vector, secret), RADIUS_SEAL_GOOD);
	assert_int_equal(radius_check(p, len, vector, "other"), RADIUS_SEAL_BAD);
	for (size_t i = 0; i < len; i++) {
		/* Bytes of its own vector do not count in a reply: the request's stands there. */
		if (i >= 4 && i < 20)
			continue;
		p[i] ^= 1;
		assert_int_not_equal(radius_check(p, len, vector, secret), RADIUS_SEAL_GOOD);
		p[i] ^= 1;
	}
	vector[0] ^= 1;
	assert_int_equal(radius_check(p, len, vector, secret), RADIUS_SEAL_BAD);
}

static void a_second_seal_is_none(void **state)
{
	uint8_t p[RADIUS_PACKET_MAX];
	size_t len = sealed(p);

	(void)state;
	assert_int_equal(radius_seal(p, &len, secret), ERR_SYNTAX);
	memcpy(p + len, p + sizeof request, sizeof seal);
	len += sizeof seal;
	p[3] = (uint8_t)len;
	assert_int_equal(radius_check(p, len, p + 4, secret), RADIUS_SEAL_BAD);
}

static void packets_without_a_seal_and_no_packets_are_told_apart(void **state)
{
	uint8_t p[RADIUS_PACKET_MAX] = { 0 };
	size_t len = sizeof request;

	(void)state;
	memcpy(p, request, sizeof request);
	assert_int_equal(radius_check(p, len, p + 4, secret), RADIUS_SEAL_NONE);
	assert_int_equal(radius_check(p, len - 1, p + 4, secret), RADIUS_SEAL_BAD);
	memcpy(p + len, "\x01\x01", 2);
	p[3] = (uint8_t)(len + 2);
	assert_false(radius_is_packet(p, len + 2));
	memcpy(p + len, "\x01\x04", 2);
	assert_false(radius_is_packet(p, len + 2));
	len = RADIUS_PACKET_MAX - 4;
	memset(p + sizeof request, 2, len - sizeof request);
	p[2] = (uint8_t)(len >> 8);
	p[3] = (uint8_t)len;
	assert_int_equal(radius_seal(p, &len, secret), ERR_TOO_LONG);
}

static const struct radius_servers servers = {
	.item = { { .name = "a:1" }, { .name = "b:2" }, { .name = "c:3" } },
	.n = 3,
};

static void memory_survives_its_text(void **state)
{
	struct radius_memory m = { .item[0].dead_until = 0 }, back;
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *text;

	(void)state;
	m.item[0].dead_until = 1700000000;
	m.item[2].seals = true;
	text = radius_memory_write(ctx, &servers, &m);
	radius_memory_read((uint8_t *)text, strlen(text), &servers, &back);
	assert_int_equal(back.item[0].dead_until, 1700000000);
	assert_false(back.item[0].seals);
	assert_int_equal(back.item[1].dead_until, 0);
	assert_true(back.item[2].seals);
	talloc_free(ctx);
}

static void memory_ignores_what_it_does_not_know(void **state)
{
	static const char text[] = "gone:9 5 1\nb:2\nb:2 x\n\n \nc:3 7 0 more";
	struct radius_memory m;

	(void)state;
	radius_memory_read((const uint8_t *)text, strlen(text), &servers, &m);
	assert_int_equal(m.item[1].dead_until, 0);
	assert_int_equal(m.item[2].dead_until, 7);
	radius_memory_read(NULL, 0, &servers, &m);
	assert_int_equal(m.item[2].dead_until, 0);
}

static void dead_servers_are_asked_last_or_not_at_all(void **state)
{
	struct radius_memory m = { .item[0].dead_until = 100 };
	size_t order[RADIUS_SERVERS_MAX];

	(void)state;
	assert_int_equal(radius_memory_order(&servers, &m, NULL, 99, order), 2);
	assert_int_equal(order[0], 1);
	assert_int_equal(order[1], 2);
	assert_int_equal(radius_memory_order(&servers, &m, NULL, 100, order), 3);
	assert_int_equal(order[0], 0);
	m.item[1].dead_until = m.item[2].dead_until = 100;
	assert_int_equal(radius_memory_order(&servers, &m, NULL, 99, order), 3);
	assert_int_equal(order[0], 0);
}

static void the_server_of_a_challenge_comes_first(void **state)
{
	struct radius_memory m = { .item[1].dead_until = 100 };
	size_t order[RADIUS_SERVERS_MAX];

	(void)state;
	assert_int_equal(radius_memory_order(&servers, &m, "c:3", 99, order), 2);
	assert_int_equal(order[0], 2);
	assert_int_equal(order[1], 0);
	assert_int_equal(radius_memory_order(&servers, &m, "b:2", 99, order), 3);
	assert_int_equal(order[0], 1);
	assert_int_equal(radius_memory_order(&servers, &m, "gone:4", 99, order), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seal_is_that_of_the_rfc),
		cmocka_unit_test(seal_comes_before_other_attributes),
		cmocka_unit_test(any_change_breaks_the_seal),
		cmocka_unit_test(a_second_seal_is_none),
		cmocka_unit_test(packets_without_a_seal_and_no_packets_are_told_apart),
		cmocka_unit_test(memory_survives_its_text),
		cmocka_unit_test(memory_ignores_what_it_does_not_know),
		cmocka_unit_test(dead_servers_are_asked_last_or_not_at_all),
		cmocka_unit_test(the_server_of_a_challenge_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
