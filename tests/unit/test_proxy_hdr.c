/* test_proxy_hdr.c - PROXY protocol, protocol.md §7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wire/proxy_hdr.h"

#define V2	 "\r\n\r\n\0\r\nQUIT\n"
#define V2_ADDRS "\xcb\0\x71\x07\xc0\0\2\1\xc7\x38\1\xbb"

static enum err verdict(const char *data, size_t len)
{
	struct proxy_hdr h;

	return proxy_hdr_parse((const uint8_t *)data, len, &h);
}

static void assert_source(const struct proxy_hdr *h, const char *src, const char *dst)
{
	char text[ENDPOINT_TEXT];

	assert_true(h->has_addrs);
	assert_string_equal(endpoint_print(&h->src, text), src);
	assert_string_equal(endpoint_print(&h->dst, text), dst);
}

static void text_headers_are_read(void **state)
{
	static const char line[] = "PROXY TCP4 203.0.113.7 192.0.2.1 51000 443\r\n\x16\x03";
	static const char line6[] = "PROXY TCP6 2001:db8::7 2001:db8::1 1 65535\r\n";
	struct proxy_hdr h;

	(void)state;
	assert_int_equal(proxy_hdr_parse((const uint8_t *)line, sizeof line - 1, &h), ERR_OK);
	assert_source(&h, "203.0.113.7:51000", "192.0.2.1:443");
	assert_int_equal(h.len, sizeof line - 3);
	assert_int_equal(proxy_hdr_parse((const uint8_t *)line6, sizeof line6 - 1, &h), ERR_OK);
	assert_source(&h, "[2001:db8::7]:1", "[2001:db8::1]:65535");
	assert_int_equal(proxy_hdr_parse((const uint8_t *)"PROXY UNKNOWN x y\r\n", 19, &h), ERR_OK);
	assert_false(h.has_addrs);
}

/* Shorter than a binary header's fixed part, and HAProxy's whole health check. */
static void the_shortest_text_needs_no_more_bytes(void **state)
{
	static const char line[] = "PROXY UNKNOWN\r\n";
	struct proxy_hdr h;

	(void)state;
	assert_int_equal(proxy_hdr_parse((const uint8_t *)line, sizeof line - 1, &h), ERR_OK);
	assert_int_equal(h.len, 15);
	for (size_t n = 0; n < 15; n++)
		assert_int_equal(verdict(line, n), ERR_AGAIN);
}

static void what_cannot_become_a_header_is_refused_at_its_first_byte(void **state)
{
	(void)state;
	assert_int_equal(verdict("\x16", 1), ERR_SYNTAX);
	assert_int_equal(verdict("PROXX", 5), ERR_SYNTAX);
	assert_int_equal(verdict("\r\n\r\n\r", 5), ERR_SYNTAX);
}

static void an_ipv4_client_of_a_dual_stack_proxy_stays_ipv4(void **state)
{
	static const char line[] = "PROXY TCP6 ::ffff:203.0.113.7 ::ffff:192.0.2.1 51000 443\r\n";
	static const char v2[] = V2 "\x21\x21\0\x24\0\0\0\0\0\0\0\0\0\0\xff\xff\xcb\0\x71\7"
				    "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1\xc7\x38\1\xbb";
	struct proxy_hdr h;

	(void)state;
	assert_int_equal(proxy_hdr_parse((const uint8_t *)line, sizeof line - 1, &h), ERR_OK);
	assert_source(&h, "203.0.113.7:51000", "192.0.2.1:443");
	assert_int_equal(proxy_hdr_parse((const uint8_t *)v2, sizeof v2 - 1, &h), ERR_OK);
	assert_source(&h, "203.0.113.7:51000", "192.0.2.1:443");
}

/* RFC 3720 B.4's polynomial; the sum was computed by another implementation. */
static void a_checksum_must_be_right(void **state)
{
	char data[] = V2 "\x21\x11\0\x1a" V2_ADDRS "\5\0\4uniq\3\0\4\x68\x34\x98\x38";
	struct proxy_hdr h;

	(void)state;
	assert_int_equal(proxy_hdr_parse((uint8_t *)data, sizeof data - 1, &h), ERR_OK);
	assert_string_equal(h.unique_id, "uniq");
	data[16]++;
	assert_int_equal(verdict(data, sizeof data - 1), ERR_SYNTAX);
	data[16]--;
	data[sizeof data - 2]++;
	assert_int_equal(verdict(data, sizeof data - 1), ERR_SYNTAX);
}

static void malformed_text_is_refused(void **state)
{
	static const char *const bad[] = {
		"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",	  "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n", "PROXY TCP4 1.2.3.4 ::1 1 2\r\n",
		"PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",	  "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",	  "GET / HTTP/1.1\r\n\r\n",
		"\x16\x03\x01 a TLS hello here",
	};
	char longest[200];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(verdict(bad[i], strlen(bad[i])), ERR_SYNTAX);
	memset(longest, 'x', sizeof longest);
	memcpy(longest, "PROXY ", 6);
	assert_int_equal(verdict(longest, sizeof longest), ERR_TOO_LONG);
	assert_int_equal(verdict(longest, 50), ERR_AGAIN);
}

static void binary_headers_are_read(void **state)
{
	static const char v4[] = V2 "\x21\x11\0\x0c" V2_ADDRS "TLS";
	struct proxy_hdr h;

	(void)state;
	assert_int_equal(proxy_hdr_parse((const uint8_t *)v4, sizeof v4 - 1, &h), ERR_OK);
	assert_source(&h, "203.0.113.7:51000", "192.0.2.1:443");
	assert_int_equal(h.len, 28);
	assert_false(h.has_ssl);
	for (size_t n = 0; n < 28; n++)
		assert_int_equal(verdict(v4, n), ERR_AGAIN);
}

static void a_health_check_has_no_address(void **state)
{
	static const char local[] = V2 "\x20\0\0\0";
	static const char unspec[] = V2 "\x21\0\0\0";
	struct proxy_hdr h;

	(void)state;
	assert_int_equal(proxy_hdr_parse((const uint8_t *)local, 16, &h), ERR_OK);
	assert_false(h.has_addrs);
	assert_int_equal(h.len, 16);
	assert_int_equal(proxy_hdr_parse((const uint8_t *)unspec, 16, &h), ERR_OK);
	assert_false(h.has_addrs);
}

/* The example of protocol.md §7: TLSv1.3, CN "alice". */
static void the_common_name_of_the_proxy_is_read(void **state)
{
	char data[] = V2 "\x21\x11\0\x26" V2_ADDRS "\x20\0\x17\x03\0\0\0\0\x21\0\x07TLSv1.3"
			 "\x22\0\5alice";
	struct proxy_hdr h;

	(void)state;
	assert_int_equal(proxy_hdr_parse((uint8_t *)data, sizeof data - 1, &h), ERR_OK);
	assert_true(h.has_ssl && h.ssl_verified);
	assert_string_equal(h.ssl_cn, "alice");
	data[31] = 1; /* TLS, but no certificate */
	assert_int_equal(proxy_hdr_parse((uint8_t *)data, sizeof data - 1, &h), ERR_OK);
	assert_false(h.ssl_verified);
	data[31] = 3;
	data[35] = 1; /* not verified */
	assert_int_equal(proxy_hdr_parse((uint8_t *)data, sizeof data - 1, &h), ERR_OK);
	assert_false(h.ssl_verified);
	data[48] = 6; /* the name runs over its record */
	assert_int_equal(verdict(data, sizeof data - 1), ERR_SYNTAX);
}

static void other_records_are_stepped_over(void **state)
{
	static const char data[] =
		V2 "\x21\x11\0\x22" V2_ADDRS "\x04\0\2xx\x02\0\1s\x20\0\x0a\x02\0\0\0\0"
		   "\x22\0\2al";
	struct proxy_hdr h;

	(void)state;
	assert_int_equal(proxy_hdr_parse((const uint8_t *)data, sizeof data - 1, &h), ERR_OK);
	assert_string_equal(h.ssl_cn, "al");
	assert_true(h.ssl_verified);
}

static void a_name_that_does_not_fit_is_no_name(void **state)
{
	uint8_t data[16 + 12 + 3 + 5 + 3 + 64] = V2 "\x21\x11\0\x57" V2_ADDRS "\x20\0\x48\x02";
	struct proxy_hdr h;

	(void)state;
	data[36] = 0x22;
	data[38] = 64;
	memset(data + 39, 'n', 64);
	assert_int_equal(proxy_hdr_parse(data, sizeof data, &h), ERR_OK);
	assert_string_equal(h.ssl_cn, "");
	data[36] = 0x23;
	data[38] = 63;
	data[30] = 0x47;
	data[15] = 0x56;
	assert_int_equal(proxy_hdr_parse(data, sizeof data - 1, &h), ERR_OK);
	assert_string_equal(h.ssl_cn, "");
	data[36] = 0x22;
	assert_int_equal(proxy_hdr_parse(data, sizeof data - 1, &h), ERR_OK);
	assert_int_equal(strlen(h.ssl_cn), 63);
}

static void malformed_binary_is_refused(void **state)
{
	static const char version[] = V2 "\x31\x11\0\x0c" V2_ADDRS;
	static const char command[] = V2 "\x22\x11\0\x0c" V2_ADDRS;
	static const char small[] = V2 "\x21\x11\0\x0b" V2_ADDRS;
	static const char small6[] = V2 "\x21\x21\0\x0c" V2_ADDRS;
	static const char huge[] = V2 "\x21\x11\2\x09" V2_ADDRS;
	static const char tlv[] = V2 "\x21\x11\0\x0e" V2_ADDRS "\x04\0";
	static const char ssl_short[] = V2 "\x21\x11\0\x13" V2_ADDRS "\x20\0\4\2\0\0\0";
	static const char most[] = V2 "\x21\x11\2\x08" V2_ADDRS;
	static const char tlv_over[] = V2 "\x21\x11\0\x10" V2_ADDRS "\x04\0\2x";

	(void)state;
	assert_int_equal(verdict(version, 28), ERR_SYNTAX);
	assert_int_equal(verdict(command, 28), ERR_SYNTAX);
	assert_int_equal(verdict(small, 28), ERR_SYNTAX);
	assert_int_equal(verdict(small6, 28), ERR_SYNTAX);
	assert_int_equal(verdict(huge, 28), ERR_TOO_LONG);
	assert_int_equal(verdict(tlv, 30), ERR_SYNTAX);
	assert_int_equal(verdict(tlv_over, 32), ERR_SYNTAX);
	assert_int_equal(verdict(ssl_short, 35), ERR_SYNTAX);
	assert_int_equal(verdict(most, 28), ERR_AGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_headers_are_read),
		cmocka_unit_test(the_shortest_text_needs_no_more_bytes),
		cmocka_unit_test(what_cannot_become_a_header_is_refused_at_its_first_byte),
		cmocka_unit_test(an_ipv4_client_of_a_dual_stack_proxy_stays_ipv4),
		cmocka_unit_test(a_checksum_must_be_right),
		cmocka_unit_test(malformed_text_is_refused),
		cmocka_unit_test(binary_headers_are_read),
		cmocka_unit_test(a_health_check_has_no_address),
		cmocka_unit_test(the_common_name_of_the_proxy_is_read),
		cmocka_unit_test(other_records_are_stepped_over),
		cmocka_unit_test(a_name_that_does_not_fit_is_no_name),
		cmocka_unit_test(malformed_binary_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
