/* test_icmp_echo.c - requests as they must be on the wire, and which packets answer them. */
#include "wire/icmp_echo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static const uint8_t TOKEN[ICMP_ECHO_TOKEN] = "0123456789abcdef";

static void ipv4_request_has_its_checksum(void **state)
{
	uint8_t out[ICMP_ECHO_LEN];
	uint32_t sum = 0;

	(void)state;
	icmp_echo_request(AF_INET, TOKEN, out);
	assert_int_equal(out[0], 8);
	assert_memory_equal(out + 8, TOKEN, sizeof TOKEN);
	for (size_t i = 0; i < sizeof out; i += 2)
		sum += (uint32_t)out[i] << 8 | out[i + 1];
	assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
}

static void ipv6_request_leaves_the_checksum_to_the_kernel(void **state)
{
	uint8_t out[ICMP_ECHO_LEN];

	(void)state;
	icmp_echo_request(AF_INET6, TOKEN, out);
	assert_int_equal(out[0], 128);
	assert_int_equal(out[2] | out[3], 0);
}

/* An answer as the raw socket gives it; its length. */
static size_t answer(int family, uint8_t out[80])
{
	size_t head = family == AF_INET ? 24 : 0; /* with an IP option */

	memset(out, 0, 80);
	if (head)
		out[0] = 0x46;
	out[head] = family == AF_INET ? 0 : 129;
	memcpy(out + head + 8, TOKEN, sizeof TOKEN);
	return head + ICMP_ECHO_LEN;
}

static void answers_are_known_by_their_token(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };
	uint8_t packet[80];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		size_t len = answer(families[i], packet);

		assert_true(icmp_echo_answers(families[i], TOKEN, packet, len));
		assert_false(icmp_echo_answers(families[i], TOKEN, packet, len - 1));
		packet[len - 1] ^= 1;
		assert_false(icmp_echo_answers(families[i], TOKEN, packet, len));
	}
}

static void other_messages_are_no_answers(void **state)
{
	uint8_t packet[80];
	size_t len = answer(AF_INET, packet);

	(void)state;
	packet[24] = 8; /* our own request, come back */
	assert_false(icmp_echo_answers(AF_INET, TOKEN, packet, len));
	len = answer(AF_INET, packet);
	packet[25] = 1;
	assert_false(icmp_echo_answers(AF_INET, TOKEN, packet, len));
	len = answer(AF_INET, packet);
	packet[0] = 0x44; /* a header shorter than any */
	assert_false(icmp_echo_answers(AF_INET, TOKEN, packet, len));
	packet[0] = 0x4f; /* longer than the packet */
	assert_false(icmp_echo_answers(AF_INET, TOKEN, packet, len));
	for (len = 0; len < 48; len++)
		assert_false(icmp_echo_answers(AF_INET, TOKEN, packet, len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_request_has_its_checksum),
		cmocka_unit_test(ipv6_request_leaves_the_checksum_to_the_kernel),
		cmocka_unit_test(answers_are_known_by_their_token),
		cmocka_unit_test(other_messages_are_no_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
