/* test_mtu.c - the tables of protocol.md 5.5 and 6.8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/mtu.h"

/* Columns: 1500, 1492, 1406, 1280, each over IPv4 and IPv6. */
static const unsigned links[] = { 1500, 1500, 1492, 1492, 1406, 1406, 1280, 1280 };

static void the_bound_table_is_met(void **state)
{
	static const struct {
		enum suite_cipher cipher;
		enum suite_mac mac;
		unsigned data[8];
	} rows[] = {
		{ SUITE_AES_256_GCM,
		  SUITE_AEAD,
		  { 1434, 1414, 1426, 1406, 1340, 1320, 1214, 1194 } },
		{ SUITE_AES_128_CCM,
		  SUITE_AEAD,
		  { 1434, 1414, 1426, 1406, 1340, 1320, 1214, 1194 } },
		{ SUITE_CHACHA20_POLY1305,
		  SUITE_AEAD,
		  { 1442, 1422, 1434, 1414, 1348, 1328, 1222, 1202 } },
		{ SUITE_AES_CCM_8, SUITE_AEAD, { 1442, 1422, 1434, 1414, 1348, 1328, 1222, 1202 } },
		{ SUITE_AES_128_CBC,
		  SUITE_SHA1,
		  { 1406, 1386, 1398, 1378, 1312, 1292, 1186, 1166 } },
		{ SUITE_AES_256_CBC,
		  SUITE_SHA256,
		  { 1394, 1374, 1386, 1366, 1300, 1280, 1174, 1154 } },
		{ SUITE_3DES_CBC, SUITE_SHA1, { 1422, 1402, 1414, 1394, 1328, 1308, 1202, 1182 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned overhead = mtu_overhead(rows[i].cipher, rows[i].mac);
		for (size_t k = 0; k < 8; k++) {
			assert_int_equal(mtu_data(links[k], k & 1, overhead), rows[i].data[k]);
			assert_int_equal(mtu_link_of_data(rows[i].data[k], k & 1, overhead),
					 links[k]);
		}
	}
}

static void the_exact_table_is_met(void **state)
{
	static const unsigned cbc[] = { 1418, 1386, 1402, 1386, 1322, 1306, 1194, 1178 };

	(void)state;
	for (size_t k = 0; k < 8; k++) {
		assert_int_equal(mtu_data_exact(links[k], k & 1, SUITE_AES_128_CBC, SUITE_SHA1),
				 cbc[k]);
		assert_int_equal(mtu_data_exact(links[k], k & 1, SUITE_AES_128_GCM, SUITE_AEAD),
				 mtu_data(links[k], k & 1, 37));
	}
}

static void an_unknown_cipher_counts_as_the_largest(void **state)
{
	(void)state;
	assert_int_equal(mtu_overhead(SUITE_CIPHER_UNKNOWN, SUITE_AEAD), 93);
	assert_int_equal(mtu_overhead(SUITE_AES_256_CBC, SUITE_SHA384), 93);
}

static void too_small_links_carry_nothing(void **state)
{
	(void)state;
	for (unsigned link = 0; link <= 50; link++) {
		assert_int_equal(mtu_data(link, true, 37), 0);
		assert_int_equal(mtu_data_exact(link, true, SUITE_AES_128_CBC, SUITE_SHA1), 0);
	}
	assert_int_equal(mtu_data(67, false, 37), 1);
}

static void the_link_follows_the_smallest_believable_claim(void **state)
{
	static const struct {
		struct mtu_claims c;
		unsigned link;
	} rows[] = {
		{ { 0 }, 1500 },
		{ { .configured = 1400 }, 1400 },
		{ { .base_mtu = 1492 }, 1492 },
		{ { .base_mtu = 1600 }, 1500 },
		{ { .base_mtu = 1492, .client_mtu = 900 }, 1492 },
		{ { .client_mtu = 1390 }, 1484 },
		{ { .client_mtu = 1370, .outer_v6 = true }, 1484 },
		{ { .path_mtu = 1420 }, 1420 },
		{ { .path_mtu = 65535 }, 1500 },
		{ { .path_mtu = 500 }, 800 },
		{ { .path_mtu = 1000, .inner_v6 = true }, 1280 },
		{ { .base_mtu = 1000, .inner_v6 = true }, 1500 },
		{ { .base_mtu = 1000 }, 1000 },
		{ { .configured = 500 }, 800 },
		{ { .configured = 100000 }, 16384 },
		{ { .configured = 9000, .base_mtu = 8000 }, 8000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(mtu_link(&rows[i].c), rows[i].link);
}

/* protocol.md 10.2 */
static void bogus_claims_fall_back(void **state)
{
	static const uint32_t bogus[] = {
		0, 1, 30, 705, 65536, 16385, UINT32_MAX, UINT32_MAX - 93
	};

	(void)state;
	for (size_t i = 0; i < sizeof bogus / sizeof *bogus; i++) {
		struct mtu_claims base = { .base_mtu = bogus[i] };
		struct mtu_claims client = { .client_mtu = bogus[i] };
		assert_int_equal(mtu_link(&base), 1500);
		assert_int_equal(mtu_link(&client), 1500);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bound_table_is_met),
		cmocka_unit_test(the_exact_table_is_met),
		cmocka_unit_test(an_unknown_cipher_counts_as_the_largest),
		cmocka_unit_test(too_small_links_carry_nothing),
		cmocka_unit_test(the_link_follows_the_smallest_believable_claim),
		cmocka_unit_test(bogus_claims_fall_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
