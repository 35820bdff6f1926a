/* test_auth_oidc_keys.c - documents of a provider, and when they are loaded (radius.md 6.1, 6.3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <talloc.h>

#include "auth/backend/oidc_keys.h"

#define RSA_KEY(kid, more)                                                                         \
	"{\"kid\":\"" kid "\",\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"" more "}"
#define EC_KEY(kid, crv)                                                                           \
	"{\"kid\":\"" kid "\",\"kty\":\"EC\",\"crv\":\"" crv "\",\"x\":\"eA\",\"y\":\"eQ\"}"

static const char url[] = "https://idp/x";

static int setup(void **state)
{
	*state = talloc_new(NULL);
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

static struct oidc_keys *keys_of(void **state, const char *jwks)
{
	struct oidc_keys *k = oidc_keys_new(*state);
	const char *why = NULL;

	assert_int_equal(oidc_jwks_parse(k, jwks, strlen(jwks), &why), ERR_OK);
	return k;
}

static void discovery_leads_to_the_keys(void **state)
{
	static const char good[] = "{\"issuer\":\"x\",\"jwks_uri\":\"https://idp/keys\"}";
	static const char *const bad[] = {
		"", "[]", "{}", "{\"jwks_uri\":\"\"}", "{\"jwks_uri\":7}", "<html>"
	};
	const char *uri = NULL, *why = NULL;

	assert_int_equal(oidc_discovery_parse(*state, good, strlen(good), &uri, &why), ERR_OK);
	assert_string_equal(uri, "https://idp/keys");
	uri = NULL;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(oidc_discovery_parse(*state, bad[i], strlen(bad[i]), &uri, &why),
				 ERR_SYNTAX);
		assert_non_null(why);
	}
	assert_null(uri);
}

static void keys_that_cannot_check_tokens_are_left_out(void **state)
{
	struct oidc_keys *k = keys_of(
		state,
		"{\"keys\":[1, {}, {\"kty\":\"RSA\",\"n\":\"AQ\",\"e\":\"AQ\"},"
		"{\"kid\":\"oct\",\"kty\":\"oct\",\"k\":\"c2VjcmV0\"},"
		"{\"kid\":\"ed\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"eA\"},"
		"{\"kid\":\"pad\",\"kty\":\"RSA\",\"n\":\"AQ=B\",\"e\":\"AQAB\"},"
		"{\"kid\":\"half\",\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"eA\"}," RSA_KEY(
			"enc",
			",\"use\":\"enc\"") "," RSA_KEY("a",
							",\"use\":\"sig\"") "," RSA_KEY("b",
											",\"d\":\"secret\"") "]}");
	bool known;

	assert_int_equal(json_array_size(k->keys), 2);
	assert_non_null(oidc_keys_find(k, "a", oidc_alg_find("RS256"), &known));
	assert_non_null(oidc_keys_find(k, "b", oidc_alg_find("RS256"), &known));
	assert_null(json_object_get(json_array_get(k->keys, 1), "d"));
}

static void document_without_usable_keys_changes_nothing(void **state)
{
	static const char *const bad[] = { "",
					   "[]",
					   "{}",
					   "{\"keys\":{}}",
					   "{\"keys\":[]}",
					   "{\"keys\":[{\"kid\":\"x\",\"kty\":\"oct\"}]}" };
	struct oidc_keys *k = keys_of(state, "{\"keys\":[" RSA_KEY("a", "") "]}");

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const char *why = NULL;

		assert_int_equal(oidc_jwks_parse(k, bad[i], strlen(bad[i]), &why), ERR_SYNTAX);
		assert_non_null(why);
	}
	assert_int_equal(json_array_size(k->keys), 1);
}

static void key_must_fit_the_algorithm(void **state)
{
	struct oidc_keys *k = keys_of(
		state,
		"{\"keys\":[" RSA_KEY("r", ",\"alg\":\"RS256\"") "," EC_KEY(
			"e", "P-256") "," EC_KEY("both", "P-384") "," RSA_KEY("both", "") "]}");
	bool known = false;

	assert_non_null(oidc_keys_find(k, "r", oidc_alg_find("RS256"), &known));
	assert_null(oidc_keys_find(k, "r", oidc_alg_find("RS512"), &known));
	assert_true(known);
	assert_null(oidc_keys_find(k, "r", oidc_alg_find("ES256"), &known));
	assert_non_null(oidc_keys_find(k, "e", oidc_alg_find("ES256"), &known));
	assert_null(oidc_keys_find(k, "e", oidc_alg_find("ES384"), &known));
	assert_non_null(oidc_keys_find(k, "both", oidc_alg_find("PS512"), &known));
	assert_null(oidc_keys_find(k, "R", oidc_alg_find("RS256"), &known));
	assert_false(known);
}

static void kept_keys_come_back_for_the_same_provider(void **state)
{
	struct oidc_keys *k = keys_of(state, "{\"keys\":[" RSA_KEY("a", "") "]}"), *back = NULL;
	const uint8_t *data = NULL;
	size_t len = 0;
	bool known;

	k->loaded = 1234;
	k->failed = 5678;
	assert_int_equal(oidc_keys_pack(*state, k, url, &data, &len), ERR_OK);
	assert_int_equal(oidc_keys_unpack(*state, data, len, url, &back), ERR_OK);
	assert_int_equal(back->loaded, 1234);
	assert_int_equal(back->failed, 5678);
	assert_non_null(oidc_keys_find(back, "a", oidc_alg_find("RS256"), &known));
	back = NULL;
	assert_int_equal(oidc_keys_unpack(*state, data, len, "https://other", &back), ERR_SYNTAX);
	assert_int_equal(oidc_keys_unpack(*state, data, len - 1, url, &back), ERR_SYNTAX);
	assert_null(back);
}

static void failure_is_kept_without_any_keys(void **state)
{
	struct oidc_keys *k = oidc_keys_new(*state), *back = NULL;
	const uint8_t *data = NULL;
	size_t len = 0;

	k->failed = 77;
	assert_int_equal(oidc_keys_pack(*state, k, url, &data, &len), ERR_OK);
	assert_int_equal(oidc_keys_unpack(*state, data, len, url, &back), ERR_OK);
	assert_int_equal(back->failed, 77);
	assert_int_equal(json_array_size(back->keys), 0);
}

static void more_keys_than_can_be_kept_are_refused(void **state)
{
	struct oidc_keys *k = oidc_keys_new(*state);
	char *jwks = talloc_strdup(*state, "{\"keys\":[");
	const char *why = NULL;
	const uint8_t *data = NULL;
	size_t len = 0;

	for (int i = 0; i < 2000; i++)
		jwks = talloc_asprintf_append(jwks, "%s" RSA_KEY("%d", ""), i ? "," : "", i);
	jwks = talloc_asprintf_append(jwks, "]}");
	assert_int_equal(oidc_jwks_parse(k, jwks, strlen(jwks), &why), ERR_OK);
	assert_int_equal(oidc_keys_pack(*state, k, url, &data, &len), ERR_TOO_LONG);
	assert_null(data);
}

static void keys_are_loaded_when_they_may_and_must(void **state)
{
	enum { T = 2000000000 };
	static const struct {
		int64_t refresh, loaded, failed, now;
		bool old, may;
	} rows[] = {
		{ 900, 0, 0, T, true, true },		   /* nothing yet */
		{ 900, T, 0, T, false, false },		   /* fresh */
		{ 900, T, 0, T + 899, false, false },	   /* too young to be loaded again */
		{ 900, T, 0, T + 900, false, true },	   /* an unknown key may load them */
		{ 0, T, 0, T, false, true },		   /* no limit */
		{ 900, T, 0, T + 86400, true, true },	   /* a day old */
		{ 172800, T, 0, T + 86400, false, false }, /* the limit goes first */
		{ 900, 0, T, T + 4, true, false }, /* a provider that was away a moment ago */
		{ 900, 0, T, T + 5, true, true },
		{ 900, T, T + 1000, T + 1059, false, false }, /* keys, but none newer to be had */
		{ 900, T, T + 1000, T + 1060, false, true },
		{ 900, T, 0, T - 50, true, true }, /* the clock was set back */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct oidc conf = { .refresh = rows[i].refresh };
		struct oidc_keys k = { .loaded = rows[i].loaded, .failed = rows[i].failed };

		assert_int_equal(oidc_keys_are_old(&k, &conf, rows[i].now), rows[i].old);
		assert_int_equal(oidc_keys_may_load(&k, &conf, rows[i].now), rows[i].may);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(discovery_leads_to_the_keys),
		CASE(keys_that_cannot_check_tokens_are_left_out),
		CASE(document_without_usable_keys_changes_nothing),
		CASE(key_must_fit_the_algorithm),
		CASE(kept_keys_come_back_for_the_same_provider),
		CASE(failure_is_kept_without_any_keys),
		CASE(more_keys_than_can_be_kept_are_refused),
		CASE(keys_are_loaded_when_they_may_and_must),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
