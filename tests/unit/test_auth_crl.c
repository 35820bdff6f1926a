/* test_auth_crl.c - the parser of revocation lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "auth/crl.h"
#include "tests/unit/der_help.h"

static const uint8_t sha256_ecdsa[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2 };

static struct made algorithm(void)
{
	return MADE(DER_SEQUENCE, made_of(DER_OID, sha256_ecdsa, sizeof sha256_ecdsa));
}

static struct made entry(uint8_t serial)
{
	return MADE(DER_SEQUENCE, made_of(DER_INTEGER, &serial, 1),
		    made_text(DER_UTC_TIME, "260101000000Z"));
}

static struct made issuer(void)
{
	return MADE(DER_SEQUENCE, made_of(DER_SET, "\5\0", 2));
}

/* A list with the parts between the dates and the end in REVOKED. */
static struct made list(const struct made *next, const struct made *revoked)
{
	struct made part[] = { made_of(DER_INTEGER, "\1", 1),
			       algorithm(),
			       issuer(),
			       made_text(DER_UTC_TIME, "260101000000Z"),
			       *next,
			       *revoked };

	return MADE(DER_SEQUENCE, made_around(DER_SEQUENCE, part, 6), algorithm(),
		    made_of(DER_BIT_STRING, "\0signature", 10));
}

static const struct made nothing = { .len = 0 };

static void serial_numbers_come_one_by_one(void **state)
{
	struct made next = made_text(DER_UTC_TIME, "260102030405Z");
	struct made revoked = MADE(DER_SEQUENCE, entry(7), entry(9));
	struct made all = list(&next, &revoked), name = issuer();
	struct der in = made_der(&all), serial, wanted = made_der(&name);
	struct crl crl;

	(void)state;
	assert_int_equal(crl_parse(&in, &crl), ERR_OK);
	assert_true(der_equal(&crl.issuer, &wanted));
	assert_int_equal(crl.next_update, 1767323045);
	assert_memory_equal(crl.signature.p, "signature", 9);
	assert_memory_equal(crl.algorithm.p, sha256_ecdsa, sizeof sha256_ecdsa);
	assert_int_equal(crl_next(&crl.revoked, &serial), ERR_OK);
	assert_int_equal(*serial.p, 7);
	assert_int_equal(crl_next(&crl.revoked, &serial), ERR_OK);
	assert_int_equal(*serial.p, 9);
	assert_int_equal(crl_next(&crl.revoked, &serial), ERR_NOT_FOUND);
}

static void empty_and_undated_lists_are_lists(void **state)
{
	struct made all = list(&nothing, &nothing);
	struct der in = made_der(&all), serial;
	struct crl crl;

	(void)state;
	assert_int_equal(crl_parse(&in, &crl), ERR_OK);
	assert_int_equal(crl.next_update, 0);
	assert_int_equal(crl_next(&crl.revoked, &serial), ERR_NOT_FOUND);
}

static void both_kinds_of_time_are_read(void **state)
{
	static const struct {
		uint8_t tag;
		const char *text;
		int64_t time;
	} good[] = {
		{ DER_GENERAL_TIME, "20500101000000Z", 2524608000 },
		{ DER_UTC_TIME, "700101000001Z", 1 },
		{ DER_UTC_TIME, "491231235959Z", 2524607999 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct made next = made_text(good[i].tag, good[i].text);
		struct made all = list(&next, &nothing);
		struct der in = made_der(&all);
		struct crl crl;

		assert_int_equal(crl_parse(&in, &crl), ERR_OK);
		assert_int_equal(crl.next_update, good[i].time);
	}
}

static void what_is_no_list_is_refused(void **state)
{
	static const char *const times[] = { "2601020304Z", "26010203040x5Z", "260102030405+", "" };
	struct made all = list(&nothing, &nothing), scalar = MADE(DER_SEQUENCE, entry(1));
	struct der in = made_der(&all);
	struct crl crl;

	(void)state;
	for (size_t len = 0; len < all.len; len++) {
		in = (struct der){ all.data, len };
		assert_int_equal(crl_parse(&in, &crl), ERR_SYNTAX);
	}
	all.data[all.len++] = 0;
	in = made_der(&all);
	assert_int_equal(crl_parse(&in, &crl), ERR_SYNTAX);
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		struct made next = made_text(DER_UTC_TIME, times[i]);

		all = list(&next, &nothing);
		in = made_der(&all);
		assert_int_equal(crl_parse(&in, &crl), ERR_SYNTAX);
	}
	scalar.data[2] = DER_OCTET_STRING; /* of the entry */
	all = list(&nothing, &scalar);
	in = made_der(&all);
	assert_int_equal(crl_parse(&in, &crl), ERR_OK);
	assert_int_equal(crl_next(&crl.revoked, &in), ERR_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serial_numbers_come_one_by_one),
		cmocka_unit_test(empty_and_undated_lists_are_lists),
		cmocka_unit_test(both_kinds_of_time_are_read),
		cmocka_unit_test(what_is_no_list_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
