/* test_auth_oidc.c - whom the backend `oidc` lets in, with keys and tokens made here and a provider
 * that is two files (radius.md 6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjose/header.h>
#include <cjose/jwk.h>
#include <cjose/jws.h>
#include <cmocka.h>
#include <talloc.h>

#include "auth/backend/work.h"
#include "base/clock.h"

enum { RSA_BITS = 2048, SHORT_BITS = 1024 };

struct rig {
	char dir[64];
	void *conf;
	struct verdict v;
	const uint8_t *kept; /* what the pool would hand to the next job */
	size_t kept_len;
};

static void write_file(const struct rig *r, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", r->dir, name);
	f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
}

static void remove_file(const struct rig *r, const char *name)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", r->dir, name);
	unlink(path);
}

/* Reads the configuration anew, as each job does. */
static void configure(struct rig *r, int refresh)
{
	struct backend_pair pair = { "config", talloc_asprintf(r, "%s/conf", r->dir) };
	struct backend_pairs options = { &pair, 1 };
	const char *why = "";

	write_file(r, "conf",
		   talloc_asprintf(
			   r,
			   "{\"openid_configuration_url\":\"file://%s/discovery\","
			   "\"user_name_claim\":\"name\",\"required_claims\":{\"aud\":\"vpn\"},"
			   "\"minimum_jwk_refresh_time\":%d}",
			   r->dir, refresh));
	assert_int_equal(backend_oidc.open(r, &options, &r->conf, &why), ERR_OK);
}

static int setup(void **state)
{
	struct rig *r = talloc_zero(NULL, struct rig);

	strcpy(r->dir, "/tmp/oidc-test.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	write_file(r, "discovery", talloc_asprintf(r, "{\"jwks_uri\":\"file://%s/jwks\"}", r->dir));
	configure(r, 0);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	remove_file(r, "conf");
	remove_file(r, "discovery");
	remove_file(r, "jwks");
	rmdir(r->dir);
	talloc_free(r);
	return 0;
}

static cjose_jwk_t *ec_key(const char *kid)
{
	cjose_jwk_t *key = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, NULL);

	assert_true(cjose_jwk_set_kid(key, kid, strlen(kid), NULL));
	return key;
}

/* The provider offers KEY alone. */
static void publish(const struct rig *r, const cjose_jwk_t *key)
{
	char *json = cjose_jwk_to_json(key, false, NULL);
	char *doc = talloc_asprintf(NULL, "{\"keys\":[%s]}", json);

	write_file(r, "jwks", doc);
	talloc_free(doc);
	free(json);
}

static char *sign(const cjose_jwk_t *key, const char *alg, const char *claims)
{
	cjose_header_t *header = cjose_header_new(NULL);
	const char *text;
	cjose_jws_t *jws;
	char *out;

	cjose_header_set(header, CJOSE_HDR_ALG, alg, NULL);
	cjose_header_set(header, "typ", "JWT", NULL);
	cjose_header_set(header, CJOSE_HDR_KID, cjose_jwk_get_kid(key, NULL), NULL);
	jws = cjose_jws_sign(key, header, (const uint8_t *)claims, strlen(claims), NULL);
	assert_non_null(jws);
	assert_true(cjose_jws_export(jws, &text, NULL));
	out = talloc_asprintf(NULL, "Bearer %s", text);
	cjose_jws_release(jws);
	cjose_header_release(header);
	return out;
}

static char *good_claims(const struct rig *r)
{
	long long now = (long long)clock_unix();

	return talloc_asprintf(
		r, "{\"nbf\":%lld,\"iat\":%lld,\"exp\":%lld,\"aud\":\"vpn\",\"name\":\"ann\"}",
		now - 5, now - 5, now + 60);
}

static enum verdict_kind try_header(struct rig *r, const char *authorization)
{
	struct backend_input in = {
		.user = "", .authorization = authorization, .kept = r->kept, .kept_len = r->kept_len
	};

	r->v = (struct verdict){ .kind = VERDICT_REJECT };
	assert_int_equal(backend_work.step(r, r->conf, &in, &r->v), ERR_OK);
	if (r->v.keep) {
		r->kept = r->v.keep;
		r->kept_len = r->v.keep_len;
	}
	return r->v.kind;
}

static enum verdict_kind try(struct rig *r, const cjose_jwk_t *key, const char *alg)
{
	char *header = sign(key, alg, good_claims(r));
	enum verdict_kind kind = try_header(r, header);

	talloc_free(header);
	return kind;
}

static void signed_token_is_accepted_with_its_user(void **state)
{
	struct rig *r = *state;
	cjose_jwk_t *key = ec_key("k");

	publish(r, key);
	assert_int_equal(try(r, key, "ES256"), VERDICT_ACCEPT);
	assert_string_equal(r->v.user, "ann");
	assert_non_null(r->v.keep);
	/* Now without the provider, and nothing new to be kept. */
	remove_file(r, "jwks");
	assert_int_equal(try(r, key, "ES256"), VERDICT_ACCEPT);
	assert_null(r->v.keep);
	cjose_jwk_release(key);
}

static void first_token_of_a_new_key_is_refused_and_the_second_accepted(void **state)
{
	struct rig *r = *state;
	cjose_jwk_t *old = ec_key("old"), *fresh = ec_key("new");

	publish(r, old);
	assert_int_equal(try(r, old, "ES256"), VERDICT_ACCEPT);
	publish(r, fresh);
	assert_int_equal(try(r, fresh, "ES256"), VERDICT_REJECT);
	assert_int_equal(try(r, fresh, "ES256"), VERDICT_ACCEPT);
	assert_int_equal(try(r, old, "ES256"), VERDICT_REJECT);
	cjose_jwk_release(old);
	cjose_jwk_release(fresh);
}

static void unknown_key_loads_nothing_before_its_time(void **state)
{
	struct rig *r = *state;
	cjose_jwk_t *old = ec_key("old"), *fresh = ec_key("new");

	configure(r, 900);
	publish(r, old);
	assert_int_equal(try(r, old, "ES256"), VERDICT_ACCEPT);
	publish(r, fresh);
	assert_int_equal(try(r, fresh, "ES256"), VERDICT_REJECT);
	assert_null(r->v.keep);
	assert_int_equal(try(r, fresh, "ES256"), VERDICT_REJECT);
	assert_int_equal(try(r, old, "ES256"), VERDICT_ACCEPT);
	cjose_jwk_release(old);
	cjose_jwk_release(fresh);
}

static void failed_reload_leaves_the_keys_at_hand(void **state)
{
	struct rig *r = *state;
	cjose_jwk_t *key = ec_key("k"), *other = ec_key("other");

	publish(r, key);
	assert_int_equal(try(r, key, "ES256"), VERDICT_ACCEPT);
	write_file(r, "jwks", "out of order");
	assert_int_equal(try(r, other, "ES256"), VERDICT_REJECT);
	assert_non_null(r->v.keep);
	assert_int_equal(try(r, key, "ES256"), VERDICT_ACCEPT);
	cjose_jwk_release(key);
	cjose_jwk_release(other);
}

static void provider_that_is_away_is_nobodys_wrong_password(void **state)
{
	struct rig *r = *state;
	cjose_jwk_t *key = ec_key("k");

	assert_int_equal(try(r, key, "ES256"), VERDICT_ERROR);
	assert_non_null(r->v.keep);
	publish(r, key);
	assert_int_equal(try(r, key, "ES256"), VERDICT_ACCEPT);
	cjose_jwk_release(key);
}

static void garbage_that_was_kept_is_replaced(void **state)
{
	struct rig *r = *state;
	cjose_jwk_t *key = ec_key("k");

	publish(r, key);
	r->kept = (const uint8_t *)"garbage";
	r->kept_len = 7;
	assert_int_equal(try(r, key, "ES256"), VERDICT_ACCEPT);
	assert_true(r->kept_len > 7);
	cjose_jwk_release(key);
}

static void token_of_the_same_key_name_but_another_key_is_refused(void **state)
{
	struct rig *r = *state;
	cjose_jwk_t *key = ec_key("k"), *forged = ec_key("k");

	publish(r, key);
	assert_int_equal(try(r, forged, "ES256"), VERDICT_REJECT);
	assert_null(r->v.user);
	cjose_jwk_release(key);
	cjose_jwk_release(forged);
}

static void rsa_keys_must_be_long_enough(void **state)
{
	struct rig *r = *state;
	static const struct {
		size_t bits;
		enum verdict_kind kind;
	} rows[] = { { RSA_BITS, VERDICT_ACCEPT }, { SHORT_BITS, VERDICT_REJECT } };

	for (size_t i = 0; i < 2; i++) {
		cjose_jwk_t *key = cjose_jwk_create_RSA_random(rows[i].bits,
							       (const uint8_t *)"\1\0\1", 3, NULL);

		assert_true(cjose_jwk_set_kid(key, "r", 1, NULL));
		publish(r, key);
		r->kept_len = 0;
		assert_int_equal(try(r, key, "RS256"), rows[i].kind);
		cjose_jwk_release(key);
	}
}

static void wrong_claims_behind_a_good_signature_are_refused(void **state)
{
	struct rig *r = *state;
	cjose_jwk_t *key = ec_key("k");
	char *header = sign(key, "ES256", "{\"nbf\":1,\"iat\":1,\"exp\":2,\"name\":\"ann\"}");

	publish(r, key);
	assert_int_equal(try_header(r, header), VERDICT_REJECT);
	talloc_free(header);
	header = sign(key, "ES256", "");
	assert_int_equal(try_header(r, header), VERDICT_REJECT);
	talloc_free(header);
	cjose_jwk_release(key);
}

static void request_without_a_token_asks_the_provider_nothing(void **state)
{
	static const char *const headers[] = { NULL, "", "Bearer", "Bearer x", "Bearer a.b.c" };
	struct rig *r = *state;

	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		assert_int_equal(try_header(r, headers[i]), VERDICT_REJECT);
		assert_null(r->v.keep);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(signed_token_is_accepted_with_its_user),
		CASE(first_token_of_a_new_key_is_refused_and_the_second_accepted),
		CASE(unknown_key_loads_nothing_before_its_time),
		CASE(failed_reload_leaves_the_keys_at_hand),
		CASE(provider_that_is_away_is_nobodys_wrong_password),
		CASE(garbage_that_was_kept_is_replaced),
		CASE(token_of_the_same_key_name_but_another_key_is_refused),
		CASE(rsa_keys_must_be_long_enough),
		CASE(wrong_claims_behind_a_good_signature_are_refused),
		CASE(request_without_a_token_asks_the_provider_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
