/* test_auth_oidc_token.c - headers and claims of bearer tokens (radius.md 6.2, 6.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "auth/backend/oidc_token.h"

enum { NOW = 1000000, TEXT = 8192 };

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

static void word_bearer_is_followed_by_any_one_character(void **state)
{
	(void)state;
	assert_string_equal(oidc_bearer("Bearer a.b.c"), "a.b.c");
	assert_string_equal(oidc_bearer("bEARER=a.b.c"), "a.b.c");
	assert_string_equal(oidc_bearer("Bearer  a.b.c"), " a.b.c");
	assert_null(oidc_bearer("Bearer "));
	assert_null(oidc_bearer("Bearer"));
	assert_null(oidc_bearer("Bear"));
	assert_null(oidc_bearer("Basic a.b.c"));
	assert_null(oidc_bearer(""));
	assert_null(oidc_bearer(NULL));
}

static void only_public_key_algorithms_are_known(void **state)
{
	static const char *const bad[] = { "none",  "None", "",	     "HS256", "HS384",
					   "HS512", "dir",  "rs256", "RS256 " };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_null(oidc_alg_find(bad[i]));
	assert_null(oidc_alg_find(NULL));
	assert_string_equal(oidc_alg_find("PS384")->kty, "RSA");
	assert_string_equal(oidc_alg_find("ES512")->crv, "P-521");
}

/* ---- headers -------------------------------------------------------------- */

/* A token whose header is JSON, in static storage. */
static const char *token_of(void **state, const char *json)
{
	static char token[TEXT];
	char *base64 = base64_encode(*state, json, strlen(json));

	for (char *p = base64; *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	base64[strcspn(base64, "=")] = '\0';
	snprintf(token, sizeof token, "%s.e30.c2ln", base64);
	return token;
}

static const char *header_fault(void **state, const char *token, struct oidc_header *out)
{
	const char *why = NULL;
	enum err err = oidc_header_parse(*state, token, out, &why);

	assert_int_equal(err, why ? ERR_CREDENTIALS : ERR_OK);
	return why;
}

static void header_gives_key_and_algorithm(void **state)
{
	struct oidc_header h = { .kid = NULL };

	assert_null(header_fault(
		state, token_of(state, "{\"typ\":\"JWT\",\"alg\":\"ES256\",\"kid\":\"k?>\"}"), &h));
	assert_string_equal(h.kid, "k?>");
	assert_string_equal(h.alg->name, "ES256");
}

#define HEADER(more) "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":\"k\"" more "}"

static void header_of_another_kind_is_refused(void **state)
{
	static const struct {
		const char *json, *named;
	} rows[] = {
		{ "", "compact form" },
		{ "[]", "compact form" },
		{ "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":\"k\"", "compact form" },
		{ HEADER(",\"alg\":\"none\""), "compact form" },
		{ "{\"alg\":\"RS256\",\"kid\":\"k\"}", "not JWT" },
		{ "{\"typ\":\"jwt\",\"alg\":\"RS256\",\"kid\":\"k\"}", "not JWT" },
		{ "{\"typ\":[\"JWT\"],\"alg\":\"RS256\",\"kid\":\"k\"}", "not JWT" },
		{ "{\"typ\":\"JWT\",\"alg\":\"RS256\"}", "kid" },
		{ "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":\"\"}", "kid" },
		{ "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":7}", "kid" },
		{ "{\"typ\":\"JWT\",\"kid\":\"k\"}", "algorithm" },
		{ "{\"typ\":\"JWT\",\"alg\":\"none\",\"kid\":\"k\"}", "algorithm" },
		{ "{\"typ\":\"JWT\",\"alg\":\"HS256\",\"kid\":\"k\"}", "algorithm" },
		{ "{\"typ\":\"JWT\",\"alg\":null,\"kid\":\"k\"}", "algorithm" },
		{ HEADER(",\"crit\":[\"exp\"]"), "extensions" },
	};
	struct oidc_header h = { .kid = NULL };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *why = header_fault(state, token_of(state, rows[i].json), &h);

		assert_non_null(why);
		assert_non_null(strstr(why, rows[i].named));
	}
	assert_null(h.kid);
}

static void token_of_another_form_is_refused(void **state)
{
	static const char *const ends[] = {
		"",
		".e30",
		".e30.c2ln.",
		".e30.c2ln.x",
		".e30.",
		"..c2ln",
		/* libcjose aborts on padding within. */
		".e3=0.c2ln",
		".e30.c2\xffln",
		".e30.c2lnc",
		".e30.c2ln ",
		".e+/0.c2ln",
	};
	struct oidc_header h = { .kid = NULL };
	char token[TEXT + 100];

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		const char *good = token_of(state, HEADER(""));

		snprintf(token, sizeof token, "%.*s%s", (int)strcspn(good, "."), good, ends[i]);
		assert_non_null(header_fault(state, token, &h));
	}
	assert_non_null(header_fault(state, "..", &h));
	assert_non_null(header_fault(state, "{}.e30.c2ln", &h));
	/* Padding and the other alphabet are not of this form. */
	snprintf(token, sizeof token, "e30=.%s", "e30.c2ln");
	assert_non_null(header_fault(state, token, &h));
}

static void base64_of_urls_has_its_alphabet_and_no_padding(void **state)
{
	(void)state;
	assert_true(oidc_is_base64url("AZaz09-_", 8));
	assert_true(oidc_is_base64url("AA", 2));
	assert_false(oidc_is_base64url("", 0));
	assert_false(oidc_is_base64url("AAAAA", 5));
	assert_false(oidc_is_base64url("AA==", 4));
	assert_false(oidc_is_base64url("A+/A", 4));
	assert_false(oidc_is_base64url("A\0AA", 4));
	assert_false(oidc_is_base64url("A\xc4"
				       "AA",
				       4));
}

static void header_and_key_name_have_limits(void **state)
{
	struct oidc_header h = { .kid = NULL };
	char json[TEXT / 2], kid[300];

	memset(kid, 'k', sizeof kid);
	kid[255] = '\0';
	snprintf(json, sizeof json, "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":\"%s\"}", kid);
	assert_null(header_fault(state, token_of(state, json), &h));
	kid[255] = 'k';
	kid[256] = '\0';
	snprintf(json, sizeof json, "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":\"%s\"}", kid);
	assert_non_null(header_fault(state, token_of(state, json), &h));
	memset(json, ' ', sizeof json);
	memcpy(json, HEADER(""), strlen(HEADER("")));
	json[sizeof json - 1] = '\0';
	assert_null(header_fault(state, token_of(state, json), &h));
	{
		static char large[2 * TEXT];

		memset(large, 'A', sizeof large - 1);
		memcpy(large + sizeof large - 10, ".e30.c2ln", 10);
		assert_non_null(header_fault(state, large, &h));
	}
}

/* ---- claims --------------------------------------------------------------- */

static struct oidc *conf_of(void **state, const char *required, int skew)
{
	struct oidc *o = NULL;
	const char *why;
	char *text = talloc_asprintf(*state,
				     "{\"openid_configuration_url\":\"https://x\","
				     "\"user_name_claim\":\"name\",\"clock_skew\":%d,"
				     "\"required_claims\":%s}",
				     skew, required);

	assert_int_equal(oidc_conf_parse(*state, text, strlen(text), &o, &why), ERR_OK);
	return o;
}

static const char *claim_fault(void **state, const struct oidc *conf, const char *json,
			       const char **user)
{
	const char *why = NULL;
	enum err err = oidc_claims_check(*state, json, strlen(json), conf, NOW, user, &why);

	assert_int_equal(err, why ? ERR_CREDENTIALS : ERR_OK);
	return why;
}

#define TIMES "\"nbf\":999999,\"iat\":999999,\"exp\":1000001"

static void good_claims_give_the_user(void **state)
{
	const char *user = NULL;

	assert_null(claim_fault(state, conf_of(state, "{}", 0), "{" TIMES ",\"name\":\"\u00e4nn\"}",
				&user));
	assert_string_equal(user, "\u00e4nn");
}

static void first_and_last_second_count_as_valid(void **state)
{
	const struct oidc *strict = conf_of(state, "{}", 0), *lax = conf_of(state, "{}", 5);
	static const struct {
		int nbf, exp;
		bool strict, lax;
	} rows[] = {
		{ NOW, NOW, true, true },	    { NOW + 1, NOW + 9, false, true },
		{ NOW - 9, NOW - 1, false, true },  { NOW + 6, NOW + 9, false, false },
		{ NOW - 9, NOW - 6, false, false },
	};
	const char *user = NULL;
	char json[TEXT];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(json, sizeof json, "{\"nbf\":%d,\"exp\":%d,\"iat\":1,\"name\":\"a\"}",
			 rows[i].nbf, rows[i].exp);
		assert_int_equal(claim_fault(state, strict, json, &user) == NULL, rows[i].strict);
		assert_int_equal(claim_fault(state, lax, json, &user) == NULL, rows[i].lax);
	}
}

static void times_must_be_whole_numbers_and_not_zero(void **state)
{
	static const char *const bad[] = { "0",	     "1.5",  "\"1\"", "null",
					   "[1000]", "true", "{}",    "99999999999999999999" };
	static const char *const names[] = { "nbf", "exp", "iat" };
	const struct oidc *conf = conf_of(state, "{}", 0);
	const char *user = NULL;
	char json[TEXT];

	for (size_t n = 0; n < 3; n++) {
		for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
			snprintf(json, sizeof json, "{\"name\":\"a\"");
			for (size_t k = 0; k < 3; k++)
				snprintf(json + strlen(json), sizeof json - strlen(json),
					 ",\"%s\":%s", names[k], k == n ? bad[i] : "1000000");
			snprintf(json + strlen(json), sizeof json - strlen(json), "}");
			assert_non_null(claim_fault(state, conf, json, &user));
		}
	}
	assert_null(user);
}

static void extreme_times_do_not_overflow(void **state)
{
	const struct oidc *conf = conf_of(state, "{}", 60);
	const char *user = NULL;

	assert_null(claim_fault(state, conf,
				"{\"nbf\":-9223372036854775808,\"exp\":9223372036854775807,"
				"\"iat\":-1,\"name\":\"a\"}",
				&user));
	assert_non_null(claim_fault(state, conf,
				    "{\"nbf\":9223372036854775807,\"exp\":9223372036854775807,"
				    "\"iat\":1,\"name\":\"a\"}",
				    &user));
	assert_non_null(claim_fault(state, conf,
				    "{\"nbf\":1,\"exp\":-9223372036854775808,\"iat\":1,"
				    "\"name\":\"a\"}",
				    &user));
}

static void required_claims_are_equal_in_type_and_value(void **state)
{
	const struct oidc *conf = conf_of(
		state, "{\"aud\":\"vpn\",\"n\":1,\"b\":true,\"l\":[1,\"x\"],\"o\":{\"k\":null}}",
		0);
	static const char good[] = "\"aud\":\"vpn\",\"n\":1,\"b\":true,\"l\":[1,\"x\"],"
				   "\"o\":{\"k\":null}";
	static const char *const bad[] = {
		"\"n\":1,\"b\":true,\"l\":[1,\"x\"],\"o\":{\"k\":null}",
		"\"aud\":\"VPN\",\"n\":1,\"b\":true,\"l\":[1,\"x\"],\"o\":{\"k\":null}",
		"\"aud\":[\"vpn\"],\"n\":1,\"b\":true,\"l\":[1,\"x\"],\"o\":{\"k\":null}",
		"\"aud\":\"vpn\",\"n\":1.0,\"b\":true,\"l\":[1,\"x\"],\"o\":{\"k\":null}",
		"\"aud\":\"vpn\",\"n\":\"1\",\"b\":true,\"l\":[1,\"x\"],\"o\":{\"k\":null}",
		"\"aud\":\"vpn\",\"n\":1,\"b\":1,\"l\":[1,\"x\"],\"o\":{\"k\":null}",
		"\"aud\":\"vpn\",\"n\":1,\"b\":true,\"l\":[1,\"x\",2],\"o\":{\"k\":null}",
		"\"aud\":\"vpn\",\"n\":1,\"b\":true,\"l\":[1,\"x\"],\"o\":{}",
		("\"aud\":\"web\",\"aud\":\"vpn\",\"n\":1,\"b\":true,\"l\":[1,\"x\"],"
		 "\"o\":{\"k\":null}"),
	};
	const char *user = NULL;
	char json[TEXT];

	snprintf(json, sizeof json, "{" TIMES ",\"name\":\"a\",%s}", good);
	assert_null(claim_fault(state, conf, json, &user));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(json, sizeof json, "{" TIMES ",\"name\":\"a\",%s}", bad[i]);
		assert_non_null(claim_fault(state, conf, json, &user));
	}
}

static void user_name_is_a_bounded_text(void **state)
{
	static const char *const bad[] = {
		"\"\"",		  "1",
		"null",		  "[\"a\"]",
		"\"a\\u0000b\"",  "\"a\\nb\"",
		"\"\\u001b[0m\"", "\"a\\u007f\"",
		"\"a\\u0085\"",	  "\"a\\u009f\"",
		"\"\\ud800\"",	  "\"a\xff\"",
	};
	const struct oidc *conf = conf_of(state, "{}", 0);
	const char *user = NULL;
	char json[TEXT], name[BACKEND_NAME_MAX + 2];

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(json, sizeof json, "{" TIMES ",\"name\":%s}", bad[i]);
		assert_non_null(claim_fault(state, conf, json, &user));
	}
	memset(name, 'a', sizeof name);
	name[BACKEND_NAME_MAX] = '\0';
	snprintf(json, sizeof json, "{" TIMES ",\"name\":\"%s\"}", name);
	assert_null(claim_fault(state, conf, json, &user));
	name[BACKEND_NAME_MAX] = 'a';
	name[BACKEND_NAME_MAX + 1] = '\0';
	snprintf(json, sizeof json, "{" TIMES ",\"name\":\"%s\"}", name);
	assert_non_null(claim_fault(state, conf, json, &user));
	/* A no-break space is no control character. */
	snprintf(json, sizeof json, "{" TIMES ",\"name\":\"a\\u00a0b\"}");
	assert_null(claim_fault(state, conf, json, &user));
}

static void claims_that_are_no_object_are_refused(void **state)
{
	static const char *const bad[] = { "", "[]", "\"name\"", "{", "{} {}", "null" };
	const struct oidc *conf = conf_of(state, "{}", 0);
	const char *user = NULL;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_non_null(claim_fault(state, conf, bad[i], &user));
	assert_null(user);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(word_bearer_is_followed_by_any_one_character),
		CASE(only_public_key_algorithms_are_known),
		CASE(header_gives_key_and_algorithm),
		CASE(header_of_another_kind_is_refused),
		CASE(token_of_another_form_is_refused),
		CASE(base64_of_urls_has_its_alphabet_and_no_padding),
		CASE(header_and_key_name_have_limits),
		CASE(good_claims_give_the_user),
		CASE(first_and_last_second_count_as_valid),
		CASE(times_must_be_whole_numbers_and_not_zero),
		CASE(extreme_times_do_not_overflow),
		CASE(required_claims_are_equal_in_type_and_value),
		CASE(user_name_is_a_bounded_text),
		CASE(claims_that_are_no_object_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
