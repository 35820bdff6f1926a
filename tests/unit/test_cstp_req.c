/* test_cstp_req.c - the CONNECT request's wishes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wire/cstp_req.h"

#include "tests/unit/wire_request.h"

#define CONNECT "CONNECT /CSCOSSLC/tunnel HTTP/1.1\n"
#define HEX16	"00112233445566778899aabbccDDEEff"

static struct cstp_request *parse(TALLOC_CTX *ctx, const char *lines)
{
	struct cstp_request *r = NULL;

	assert_int_equal(cstp_request_parse(ctx, request(ctx, lines), &r), ERR_OK);
	return r;
}

static void a_whole_request_is_read(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct cstp_request *r =
		parse(ctx, CONNECT "X-CSTP-Hostname: laptop7.example.com\n"
				   "X-CSTP-Accept-Encoding: oc-lz4,lzs\nX-CSTP-Base-MTU: 1500\n"
				   "X-CSTP-MTU: 1390\nX-CSTP-Address-Type: IPv6,IPv4\n"
				   "X-CSTP-Full-IPv6-Capability: true\n"
				   "X-DTLS-Master-Secret: " HEX16 HEX16 HEX16 "\n"
				   "X-DTLS-CipherSuite: PSK-NEGOTIATE:AES128-SHA\n"
				   "X-DTLS12-CipherSuite: AES128-GCM-SHA256\n"
				   "X-DTLS-Accept-Encoding: lzs\n"
				   "X-CSTP-License: mobile\nX-CSTP-FIPS-Mode: enabled\n");

	(void)state;
	assert_int_equal(r->base_mtu, 1500);
	assert_int_equal(r->mtu, 1390);
	assert_true(r->want_v4 && r->want_v6 && r->full_ipv6 && r->mobile && r->dtls.fips);
	assert_string_equal(r->hostname, "laptop7");
	assert_int_equal(r->cstp_encodings, CSTP_ENC_LZ4 | CSTP_ENC_LZS);
	assert_int_equal(r->dtls_encodings, CSTP_ENC_LZS);
	assert_true(r->dtls.has_master_secret);
	assert_int_equal(r->master_secret[47], 0xff);
	assert_string_equal(r->dtls.ciphers, "PSK-NEGOTIATE:AES128-SHA");
	assert_string_equal(r->dtls.ciphers12, "AES128-GCM-SHA256");
	talloc_free(ctx);
}

static void absent_headers_mean_the_defaults(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct cstp_request *r = parse(ctx, CONNECT);

	(void)state;
	assert_true(r->want_v4 && r->want_v6);
	assert_false(r->full_ipv6 || r->mobile || r->dtls.has_master_secret || r->dtls.fips);
	assert_int_equal(r->mtu + r->base_mtu + r->cstp_encodings, 0);
	assert_null(r->dtls.ciphers);
	assert_string_equal(r->hostname, "");
	talloc_free(ctx);
}

static void unknown_encodings_are_ignored(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct cstp_request *r = parse(ctx, CONNECT "X-CSTP-Accept-Encoding: abclz4, gzip,xyz\n"
						    "X-DTLS-Accept-Encoding: deflate , OC-LZ4\n");

	(void)state;
	assert_int_equal(r->cstp_encodings, 0);
	assert_int_equal(r->dtls_encodings, CSTP_ENC_LZ4);
	talloc_free(ctx);
}

static void the_preferred_encoding_is_chosen_among_those_offered(void **state)
{
	const unsigned both = CSTP_ENC_LZ4 | CSTP_ENC_LZS;

	(void)state;
	assert_int_equal(cstp_encoding_choose(both, 90, 80), CSTP_ENC_LZ4);
	assert_int_equal(cstp_encoding_choose(both, 90, 91), CSTP_ENC_LZS);
	assert_int_equal(cstp_encoding_choose(both, 90, 90), CSTP_ENC_LZ4);
	assert_int_equal(cstp_encoding_choose(CSTP_ENC_LZS, 90, 80), CSTP_ENC_LZS);
	assert_int_equal(cstp_encoding_choose(CSTP_ENC_LZ4, 80, 90), CSTP_ENC_LZ4);
	assert_int_equal(cstp_encoding_choose(0, 90, 80), CSTP_ENC_NONE);
	assert_string_equal(cstp_encoding_name(CSTP_ENC_LZ4), "oc-lz4");
	assert_string_equal(cstp_encoding_name(CSTP_ENC_LZS), "lzs");
	assert_null(cstp_encoding_name(CSTP_ENC_NONE));
}

static void one_family_can_be_wanted(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct cstp_request *r = parse(ctx, CONNECT "X-CSTP-Address-Type: IPv4\n");

	(void)state;
	assert_true(r->want_v4 && !r->want_v6);
	r = parse(ctx, CONNECT "X-CSTP-Address-Type: ipv6\n");
	assert_true(!r->want_v4 && r->want_v6);
	talloc_free(ctx);
}

static void bogus_numbers_are_ignored(void **state)
{
	static const char *const bad[] = { "-1", "abc", "", "1500x", "4294967296", "0x5dc", "1e3" };
	char lines[200];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		snprintf(lines, sizeof lines, CONNECT "X-CSTP-Base-MTU: %s\nX-CSTP-MTU: %s\n",
			 bad[i], bad[i]);
		assert_int_equal(parse(ctx, lines)->base_mtu, 0);
		assert_int_equal(parse(ctx, lines)->mtu, 0);
		talloc_free(ctx);
	}
}

static void a_master_secret_has_48_bytes(void **state)
{
	static const char *const bad[] = { "", "00", HEX16 HEX16, HEX16 HEX16 HEX16 "00",
					   HEX16 HEX16 "00112233445566778899aabbccddeeZZ" };
	char lines[300];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		snprintf(lines, sizeof lines, CONNECT "X-DTLS-Master-Secret: %s\n", bad[i]);
		assert_false(parse(ctx, lines)->dtls.has_master_secret);
		talloc_free(ctx);
	}
}

/* compat-checklist.md 157 */
static void host_names_are_checked(void **state)
{
	static const char label64[] =
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static const char *const bad[] = { "",		"-hello",      "hello-", "1234!",
					   "192.0.2.1", "2001:db8::1", label64,	 "a b",
					   "a/b",	".a",	       "a.b!",	 "\xc3\xa4" };
	static const struct {
		const char *name, *kept;
	} good[] = {
		{ "12345", "12345" }, { "12-hello", "12-hello" },   { "aaa.bbb", "aaa" },
		{ "A_b", "A_b" },     { label64 + 1, label64 + 1 }, { "1.2.3", "1" },
	};
	char out[CSTP_HOSTNAME];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		cstp_hostname_parse(bad[i], out);
		assert_string_equal(out, "");
	}
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		cstp_hostname_parse(good[i].name, out);
		assert_string_equal(out, good[i].kept);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_request_is_read),
		cmocka_unit_test(absent_headers_mean_the_defaults),
		cmocka_unit_test(unknown_encodings_are_ignored),
		cmocka_unit_test(the_preferred_encoding_is_chosen_among_those_offered),
		cmocka_unit_test(one_family_can_be_wanted),
		cmocka_unit_test(bogus_numbers_are_ignored),
		cmocka_unit_test(a_master_secret_has_48_bytes),
		cmocka_unit_test(host_names_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
