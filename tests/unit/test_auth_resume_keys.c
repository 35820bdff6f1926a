/* test_auth_resume_keys.c - keys of TLS session tickets: whose they are, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <gnutls/crypto.h>

#include "auth/resume_keys.h"

enum { PERIOD = 300, START = 1000000, UNIX_NOW = 1800000000 };

struct rig {
	struct resume_keys *keys;
	struct resume_scope scope;
};

static int setup(void **state)
{
	struct rig *r = talloc_zero(NULL, struct rig);

	assert_int_equal(resume_keys_new(r, PERIOD, START, &r->keys), ERR_OK);
	r->scope.vhost = "default";
	assert_int_equal(addr_parse("192.0.2.7", &r->scope.client), ERR_OK);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

/* As GnuTLS names a ticket that it seals with KEY at UNIX time NOW; e2e tests ask the library. */
static void name_at(const uint8_t key[RESUME_KEY], int64_t now, uint8_t name[RESUME_NAME])
{
	uint64_t step = (uint64_t)now / (3 * PERIOD);
	uint8_t in[8 + RESUME_KEY], out[64];

	for (int i = 7; i >= 0; i--, step >>= 8)
		in[i] = (uint8_t)step;
	memcpy(in + 8, key, RESUME_KEY);
	assert_int_equal(gnutls_hash_fast(GNUTLS_DIG_SHA3_512, in, sizeof in, out), 0);
	memcpy(name, out, RESUME_NAME);
}

static void key_of(const struct rig *r, uint8_t key[RESUME_KEY])
{
	assert_int_equal(resume_key(r->keys, &r->scope, key), ERR_OK);
}

/* A ticket of the rig's client, sealed at NOW; gives its key, too. */
static void seal(const struct rig *r, int64_t now, uint8_t key[RESUME_KEY],
		 uint8_t name[RESUME_NAME])
{
	key_of(r, key);
	name_at(key, now, name);
}

static enum err find(const struct rig *r, const uint8_t name[RESUME_NAME], int64_t now,
		     uint8_t key[RESUME_KEY])
{
	return resume_key_find(r->keys, &r->scope, name, PERIOD, now, key);
}

static void key_is_the_same_for_the_same_client(void **state)
{
	uint8_t one[RESUME_KEY], two[RESUME_KEY];

	key_of(*state, one);
	key_of(*state, two);
	assert_memory_equal(one, two, RESUME_KEY);
}

static void every_part_of_the_scope_changes_the_key(void **state)
{
	struct rig *r = *state;
	struct resume_scope other[] = { r->scope, r->scope, r->scope, r->scope };
	uint8_t mine[RESUME_KEY], theirs[RESUME_KEY], name[RESUME_NAME];

	other[0].vhost = "defaul";
	other[1].chain = 1;
	assert_int_equal(addr_parse("192.0.2.8", &other[2].client), ERR_OK);
	assert_int_equal(addr_parse("c000:207::", &other[3].client), ERR_OK);
	seal(r, UNIX_NOW, mine, name);
	for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
		r->scope = other[i];
		key_of(r, theirs);
		assert_memory_not_equal(mine, theirs, RESUME_KEY);
		assert_int_equal(find(r, name, UNIX_NOW, theirs), ERR_NOT_FOUND);
	}
}

static void other_secrets_make_other_keys(void **state)
{
	struct rig *r = *state;
	uint8_t one[RESUME_KEY], two[RESUME_KEY];

	key_of(r, one);
	assert_int_equal(resume_keys_new(r, PERIOD, START, &r->keys), ERR_OK);
	key_of(r, two);
	assert_memory_not_equal(one, two, RESUME_KEY);
}

static void nobody_without_an_address_has_a_key(void **state)
{
	struct rig *r = *state;
	uint8_t key[RESUME_KEY];

	r->scope.client = (struct addr){ 0 };
	assert_int_equal(resume_key(r->keys, &r->scope, key), ERR_NOT_FOUND);
}

static void ticket_is_found_in_its_period_and_the_next(void **state)
{
	struct rig *r = *state;
	uint8_t key[RESUME_KEY], found[RESUME_KEY], name[RESUME_NAME];

	seal(r, UNIX_NOW, key, name);
	for (uint64_t s = 0; s < UINT64_C(2) * PERIOD; s += 50) {
		resume_keys_rotate(r->keys, START + s * 1000);
		assert_int_equal(find(r, name, UNIX_NOW + (int64_t)s, found), ERR_OK);
		assert_memory_equal(found, key, RESUME_KEY);
	}
	resume_keys_rotate(r->keys, START + UINT64_C(2000) * PERIOD);
	assert_int_equal(find(r, name, UNIX_NOW + 2 * PERIOD, found), ERR_NOT_FOUND);
}

static void key_for_new_tickets_changes_with_the_period(void **state)
{
	struct rig *r = *state;
	uint8_t old[RESUME_KEY], key[RESUME_KEY];

	key_of(r, old);
	resume_keys_rotate(r->keys, START + UINT64_C(1000) * PERIOD - 1);
	key_of(r, key);
	assert_memory_equal(old, key, RESUME_KEY);
	resume_keys_rotate(r->keys, START + UINT64_C(1000) * PERIOD);
	key_of(r, key);
	assert_memory_not_equal(old, key, RESUME_KEY);
}

static void long_silence_leaves_no_old_secret(void **state)
{
	struct rig *r = *state;
	uint8_t key[RESUME_KEY], name[RESUME_NAME];
	uint64_t later = START + UINT64_C(1000) * PERIOD * 50;

	seal(r, UNIX_NOW, key, name);
	resume_keys_rotate(r->keys, later);
	assert_int_equal(find(r, name, UNIX_NOW, key), ERR_NOT_FOUND);
	/* And the next change is a whole period away. */
	seal(r, UNIX_NOW, key, name);
	resume_keys_rotate(r->keys, later + UINT64_C(1000) * PERIOD - 1);
	assert_int_equal(find(r, name, UNIX_NOW, key), ERR_OK);
}

static void ticket_of_the_step_before_is_found(void **state)
{
	struct rig *r = *state;
	uint8_t key[RESUME_KEY], name[RESUME_NAME];

	seal(r, UNIX_NOW, key, name);
	assert_int_equal(find(r, name, UNIX_NOW + 3 * PERIOD, key), ERR_OK);
	assert_int_equal(find(r, name, UNIX_NOW + 6 * PERIOD, key), ERR_NOT_FOUND);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(key_is_the_same_for_the_same_client),
		CASE(every_part_of_the_scope_changes_the_key),
		CASE(other_secrets_make_other_keys),
		CASE(nobody_without_an_address_has_a_key),
		CASE(ticket_is_found_in_its_period_and_the_next),
		CASE(key_for_new_tickets_changes_with_the_period),
		CASE(long_silence_leaves_no_old_secret),
		CASE(ticket_of_the_step_before_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
