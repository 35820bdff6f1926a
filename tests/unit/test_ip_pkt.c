/* test_ip_pkt.c - inner packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/ip_pkt.h"

static const uint8_t v4[28] = {
	0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 192, 0, 2, 7, 0, 53, 0, 53, 0, 8,
};
static const uint8_t v6[48] = {
	0x60, 0, 0, 0, 0,    8,	   6,	 64,   0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0,    0, 0, 1, 0x20, 0x01, 0x0d, 0xb8, 0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
};

static void an_ipv4_packet_is_read(void **state)
{
	char text[ADDR_TEXT];
	struct ip_pkt p;

	(void)state;
	assert_int_equal(ip_pkt_parse(v4, sizeof v4, &p), ERR_OK);
	assert_int_equal(p.version, 4);
	assert_int_equal(p.protocol, IPPROTO_UDP);
	assert_int_equal(p.l4, 20);
	assert_int_equal(p.len, 28);
	assert_false(p.fragment);
	assert_string_equal(addr_print(&p.src, text), "10.0.0.1");
	assert_string_equal(addr_print(&p.dst, text), "192.0.2.7");
	assert_true(ip_pkt_is_activity(&p));
}

static void an_ipv6_packet_is_read(void **state)
{
	char text[ADDR_TEXT];
	struct ip_pkt p;

	(void)state;
	assert_int_equal(ip_pkt_parse(v6, sizeof v6, &p), ERR_OK);
	assert_int_equal(p.version, 6);
	assert_int_equal(p.protocol, IPPROTO_TCP);
	assert_int_equal(p.l4, 40);
	assert_int_equal(p.len, 48);
	assert_string_equal(addr_print(&p.src, text), "fd00::1");
	assert_string_equal(addr_print(&p.dst, text), "2001:db8::2");
}

static void cut_or_foreign_packets_are_refused(void **state)
{
	uint8_t copy[sizeof v4];
	struct ip_pkt p;

	(void)state;
	for (size_t n = 0; n < sizeof v4; n++)
		assert_int_equal(ip_pkt_parse(v4, n, &p), ERR_SYNTAX);
	for (size_t n = 0; n < sizeof v6; n++)
		assert_int_equal(ip_pkt_parse(v6, n, &p), ERR_SYNTAX);
	memcpy(copy, v4, sizeof v4);
	copy[0] = 0x44; /* header too short */
	assert_int_equal(ip_pkt_parse(copy, sizeof copy, &p), ERR_SYNTAX);
	copy[0] = 0x4f; /* header longer than the packet */
	assert_int_equal(ip_pkt_parse(copy, sizeof copy, &p), ERR_SYNTAX);
	copy[0] = 0x55;
	assert_int_equal(ip_pkt_parse(copy, sizeof copy, &p), ERR_SYNTAX);
	memcpy(copy, v4, sizeof v4);
	copy[3] = 19; /* total shorter than the header */
	assert_int_equal(ip_pkt_parse(copy, sizeof copy, &p), ERR_SYNTAX);
}

static void trailing_bytes_are_not_part(void **state)
{
	uint8_t longer[sizeof v4 + 10] = { 0 };
	struct ip_pkt p;

	(void)state;
	memcpy(longer, v4, sizeof v4);
	assert_int_equal(ip_pkt_parse(longer, sizeof longer, &p), ERR_OK);
	assert_int_equal(p.len, 28);
}

static void control_traffic_is_no_activity(void **state)
{
	static const uint8_t quiet[] = { IPPROTO_ICMP, IPPROTO_IGMP, IPPROTO_ICMPV6 };
	uint8_t copy[sizeof v4];
	struct ip_pkt p;

	(void)state;
	for (size_t i = 0; i < sizeof quiet; i++) {
		memcpy(copy, v4, sizeof v4);
		copy[9] = quiet[i];
		assert_int_equal(ip_pkt_parse(copy, sizeof copy, &p), ERR_OK);
		assert_false(ip_pkt_is_activity(&p));
	}
}

/* Hop-by-hop options in front of ICMPv6, as in multicast listener reports. */
static void extension_headers_are_walked(void **state)
{
	uint8_t pkt[40 + 8 + 8 + 8];
	struct ip_pkt p;

	(void)state;
	memset(pkt, 0, sizeof pkt);
	memcpy(pkt, v6, 40);
	pkt[5] = 24;
	pkt[6] = IPPROTO_HOPOPTS;
	pkt[40] = IPPROTO_FRAGMENT;
	pkt[48] = IPPROTO_ICMPV6;
	assert_int_equal(ip_pkt_parse(pkt, sizeof pkt, &p), ERR_OK);
	assert_int_equal(p.protocol, IPPROTO_ICMPV6);
	assert_int_equal(p.l4, 56);
	assert_false(p.fragment);
	assert_false(ip_pkt_is_activity(&p));
	pkt[51] = 8; /* a later fragment */
	assert_int_equal(ip_pkt_parse(pkt, sizeof pkt, &p), ERR_OK);
	assert_true(p.fragment);
	pkt[41] = 200; /* an extension longer than the packet */
	assert_int_equal(ip_pkt_parse(pkt, sizeof pkt, &p), ERR_OK);
	assert_int_equal(p.protocol, IPPROTO_HOPOPTS);
}

/* An authentication header counts its length in 4-byte units, less two (RFC 4302 2.2). */
static void an_authentication_header_is_walked(void **state)
{
	uint8_t pkt[40 + 24 + 8];
	struct ip_pkt p;

	(void)state;
	memset(pkt, 0, sizeof pkt);
	memcpy(pkt, v6, 40);
	pkt[5] = 32;
	pkt[6] = IPPROTO_AH;
	pkt[40] = IPPROTO_UDP;
	pkt[41] = 4;
	assert_int_equal(ip_pkt_parse(pkt, sizeof pkt, &p), ERR_OK);
	assert_int_equal(p.protocol, IPPROTO_UDP);
	assert_int_equal(p.l4, 64);
}

static void later_ipv4_fragments_are_marked(void **state)
{
	uint8_t copy[sizeof v4];
	struct ip_pkt p;

	(void)state;
	memcpy(copy, v4, sizeof v4);
	copy[6] = 0x20; /* more fragments: the first one */
	assert_int_equal(ip_pkt_parse(copy, sizeof copy, &p), ERR_OK);
	assert_false(p.fragment);
	copy[7] = 1;
	assert_int_equal(ip_pkt_parse(copy, sizeof copy, &p), ERR_OK);
	assert_true(p.fragment);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ipv4_packet_is_read),
		cmocka_unit_test(an_ipv6_packet_is_read),
		cmocka_unit_test(cut_or_foreign_packets_are_refused),
		cmocka_unit_test(trailing_bytes_are_not_part),
		cmocka_unit_test(control_traffic_is_no_activity),
		cmocka_unit_test(extension_headers_are_walked),
		cmocka_unit_test(an_authentication_header_is_walked),
		cmocka_unit_test(later_ipv4_fragments_are_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
