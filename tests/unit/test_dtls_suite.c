/* test_dtls_suite.c - mode and cipher selection, protocol.md 6.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/dtls_suite.h"

/* What openconnect 9.x sends (protocol.md 5.1). */
#define OC_OLD                                                                                     \
	"PSK-NEGOTIATE:OC-DTLS1_2-AES256-GCM:OC2-DTLS1_2-CHACHA20-POLY1305:"                       \
	"OC-DTLS1_2-AES128-GCM:DHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA:AES256-SHA:AES128-SHA"
#define OC_12                                                                                      \
	"ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:AES256-GCM-SHA384:"               \
	"AES128-GCM-SHA256:DHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA:AES256-SHA:AES128-SHA"

static const struct dtls_policy all = {
	.udp = true,
	.psk = true,
	.legacy = true,
	.own_tls = true,
	.tls_cipher = SUITE_CHACHA20_POLY1305,
};
static const struct dtls_offer openconnect = { .ciphers = OC_OLD,
					       .ciphers12 = OC_12,
					       .has_master_secret = true };

static void psk_comes_before_everything(void **state)
{
	struct dtls_choice c = dtls_choose(&all, &openconnect);
	struct dtls_policy match = all;

	(void)state;
	assert_int_equal(c.mode, DTLS_PSK);
	assert_string_equal(c.header, "X-DTLS-CipherSuite");
	assert_string_equal(c.name, "PSK-NEGOTIATE");
	assert_int_equal(c.kx, SUITE_PSK);
	assert_int_equal(c.cipher, SUITE_CIPHER_UNKNOWN);
	match.match = true;
	assert_int_equal(dtls_choose(&match, &openconnect).cipher, SUITE_CHACHA20_POLY1305);
}

static void psk_needs_no_master_secret_but_our_tls(void **state)
{
	struct dtls_offer offer = { .ciphers = "PSK-NEGOTIATE" };
	struct dtls_policy p = all;

	(void)state;
	assert_int_equal(dtls_choose(&p, &offer).mode, DTLS_PSK);
	p.own_tls = false;
	assert_int_equal(dtls_choose(&p, &offer).mode, DTLS_NONE);
	p = all;
	p.psk = false;
	assert_int_equal(dtls_choose(&p, &offer).mode, DTLS_NONE);
}

static void nothing_is_offered_without_udp(void **state)
{
	struct dtls_policy p = all;

	(void)state;
	p.udp = false;
	assert_int_equal(dtls_choose(&p, &openconnect).mode, DTLS_NONE);
}

static void legacy_can_be_switched_off(void **state)
{
	struct dtls_policy p = all;
	struct dtls_offer offer = openconnect;

	(void)state;
	p.psk = false;
	assert_int_equal(dtls_choose(&p, &offer).mode, DTLS_LEGACY);
	offer.has_master_secret = false;
	assert_int_equal(dtls_choose(&p, &offer).mode, DTLS_NONE);
	offer.has_master_secret = true;
	p.legacy = false;
	assert_int_equal(dtls_choose(&p, &offer).mode, DTLS_NONE);
}

static void each_name_stands_for_its_suite(void **state)
{
	static const struct {
		const char *old, *new, *name;
		enum suite_version version;
		enum suite_cipher cipher;
		uint16_t suite;
	} rows[] = {
		{ OC_OLD, OC_12, "AES256-GCM-SHA384", SUITE_DTLS_1_2, SUITE_AES_256_GCM, 0x009d },
		{ NULL, "AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256",
		  "ECDHE-RSA-AES128-GCM-SHA256", SUITE_DTLS_1_2, SUITE_AES_128_GCM, 0xc02f },
		{ NULL, "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
		  SUITE_DTLS_1_2, SUITE_AES_256_GCM, 0xc030 },
		{ OC_OLD, NULL, "OC-DTLS1_2-AES256-GCM", SUITE_DTLS_1_2, SUITE_AES_256_GCM,
		  0x009d },
		{ OC_OLD, "DHE-RSA-AES256-SHA:AES128-SHA", "OC-DTLS1_2-AES256-GCM", SUITE_DTLS_1_2,
		  SUITE_AES_256_GCM, 0x009d },
		{ "AES128-SHA:AES256-SHA", NULL, "AES256-SHA", SUITE_DTLS_0_9, SUITE_AES_256_CBC,
		  0x0035 },
		{ "x:AES128-SHA", NULL, "AES128-SHA", SUITE_DTLS_0_9, SUITE_AES_128_CBC, 0x002f },
	};
	struct dtls_policy p = all;

	(void)state;
	p.psk = false;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct dtls_offer offer = { rows[i].old, rows[i].new, true, false };
		struct dtls_choice c = dtls_choose(&p, &offer);
		assert_int_equal(c.mode, DTLS_LEGACY);
		assert_string_equal(c.name, rows[i].name);
		assert_int_equal(c.version, rows[i].version);
		assert_int_equal(c.cipher, rows[i].cipher);
		assert_int_equal(c.suite, rows[i].suite);
		assert_int_equal(c.mac, c.version == SUITE_DTLS_0_9 ? SUITE_SHA1 : SUITE_AEAD);
	}
}

static void the_cipher_of_the_tls_session_wins_in_its_family(void **state)
{
	struct dtls_policy p = all;
	struct dtls_offer offer = openconnect;

	(void)state;
	p.psk = false;
	p.tls_cipher = SUITE_AES_128_GCM;
	assert_string_equal(dtls_choose(&p, &offer).name, "ECDHE-RSA-AES128-GCM-SHA256");
	/* the DTLS 1.2 family is preferred even where only the old one has the cipher */
	p.tls_cipher = SUITE_AES_128_CBC;
	assert_string_equal(dtls_choose(&p, &offer).name, "AES256-GCM-SHA384");
	offer.ciphers12 = NULL;
	assert_string_equal(dtls_choose(&p, &offer).name, "AES128-SHA");
}

static void phones_get_only_the_cipher_of_their_tls(void **state)
{
	struct dtls_policy p = all;
	struct dtls_offer offer = { .ciphers = "AES256-SHA", .has_master_secret = true };

	(void)state;
	p.psk = false;
	p.only_tls_cipher = true;
	p.tls_cipher = SUITE_AES_256_CBC;
	assert_string_equal(dtls_choose(&p, &offer).name, "AES256-SHA");
	p.tls_cipher = SUITE_AES_128_CBC;
	assert_int_equal(dtls_choose(&p, &offer).mode, DTLS_NONE);
}

static void triple_des_must_be_allowed(void **state)
{
	struct dtls_policy p = all;
	struct dtls_offer offer = { .ciphers = "DES-CBC3-SHA", .has_master_secret = true };

	(void)state;
	assert_int_equal(dtls_choose(&p, &offer).mode, DTLS_NONE);
	p.allow_3des = true;
	assert_string_equal(dtls_choose(&p, &offer).name, "DES-CBC3-SHA");
	offer.fips = true;
	assert_int_equal(dtls_choose(&p, &offer).mode, DTLS_NONE);
}

static void names_are_compared_whole(void **state)
{
	static const char *const lists[] = { "PSK-NEGOTIATE2", "XPSK-NEGOTIATE", "PSK", "", ":::",
					     "psk-negotiate",  "AES256-SHA256" };

	(void)state;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		struct dtls_offer offer = { lists[i], lists[i], true, false };
		assert_int_equal(dtls_choose(&all, &offer).mode, DTLS_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(psk_comes_before_everything),
		cmocka_unit_test(psk_needs_no_master_secret_but_our_tls),
		cmocka_unit_test(nothing_is_offered_without_udp),
		cmocka_unit_test(legacy_can_be_switched_off),
		cmocka_unit_test(each_name_stands_for_its_suite),
		cmocka_unit_test(the_cipher_of_the_tls_session_wins_in_its_family),
		cmocka_unit_test(phones_get_only_the_cipher_of_their_tls),
		cmocka_unit_test(triple_des_must_be_allowed),
		cmocka_unit_test(names_are_compared_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
