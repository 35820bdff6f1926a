/* test_auth_gssapi.c - the auth line, headers and names of the backend `gssapi` (radius.md 8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "auth/backend/gssapi.h"

static enum err open_with(TALLOC_CTX *ctx, const char *key, const char *value, struct gssapi **out)
{
	struct backend_pair pair = { key, value };
	struct backend_pairs options = { &pair, key ? 1 : 0 };
	const char *why = NULL;
	void *conf = NULL;
	enum err err = backend_gssapi.open(ctx, &options, &conf, &why);

	if (err)
		assert_non_null(why);
	*out = conf;
	return err;
}

static void nothing_said_means_accounts_are_needed_and_age_is_not(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct gssapi *g;

	(void)state;
	assert_int_equal(open_with(ctx, NULL, NULL, &g), ERR_OK);
	assert_null(g->keytab);
	assert_true(g->need_account);
	assert_int_equal(g->freshness, 0);
	assert_int_equal(g->gid_min, 0);
	talloc_free(ctx);
}

static void options_are_taken(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct gssapi *g;

	(void)state;
	assert_int_equal(open_with(ctx, "keytab", "/etc/passwd", &g), ERR_OK);
	assert_string_equal(g->keytab, "/etc/passwd");
	assert_int_equal(open_with(ctx, "keytab", "FILE:/etc/passwd", &g), ERR_OK);
	assert_string_equal(g->keytab, "FILE:/etc/passwd");
	assert_int_equal(open_with(ctx, "keytab", "MEMORY:/no/such/file", &g), ERR_OK);
	assert_int_equal(open_with(ctx, "require-local-user-map", "False", &g), ERR_OK);
	assert_false(g->need_account);
	assert_int_equal(open_with(ctx, "require-local-user-map", "Yes", &g), ERR_OK);
	assert_true(g->need_account);
	assert_int_equal(open_with(ctx, "tgt-freshness-time", "360", &g), ERR_OK);
	assert_int_equal(g->freshness, 360);
	assert_int_equal(open_with(ctx, "gid-min", "1000", &g), ERR_OK);
	assert_int_equal(g->gid_min, 1000);
	talloc_free(ctx);
}

static void a_freshness_that_cannot_be_read_is_not_no_limit(void **state)
{
	static const char *const bad[] = { "0", "", "x", "-1", "10s", "99999999999" };
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct gssapi *g;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(open_with(ctx, "tgt-freshness-time", bad[i], &g), ERR_CONF);
	talloc_free(ctx);
}

static void keytab_that_is_not_there_is_refused(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct gssapi *g;

	(void)state;
	assert_int_equal(open_with(ctx, "keytab", "/no/such/file", &g), ERR_CONF);
	assert_int_equal(open_with(ctx, "keytab", "FILE:/no/such/file", &g), ERR_CONF);
	talloc_free(ctx);
}

static void numbers_are_numbers(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct gssapi *g;

	(void)state;
	assert_int_equal(open_with(ctx, "gid-min", "0", &g), ERR_OK);
	assert_int_equal(open_with(ctx, "gid-min", "x", &g), ERR_CONF);
	assert_int_equal(open_with(ctx, "gid-min", "-1", &g), ERR_CONF);
	talloc_free(ctx);
}

static void token_is_what_follows_the_scheme(void **state)
{
	static const char *const good[] = { "Negotiate YWJj", "negotiate YWJj",
					    "NEGOTIATE   YWJj" };
	TALLOC_CTX *ctx = talloc_new(NULL);
	uint8_t *token;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(gssapi_token(ctx, good[i], &token, &len), ERR_OK);
		assert_int_equal(len, 3);
		assert_memory_equal(token, "abc", 3);
	}
	talloc_free(ctx);
}

static void header_without_a_token_is_refused(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	uint8_t *token;
	size_t len;

	(void)state;
	assert_int_equal(gssapi_token(ctx, "", &token, &len), ERR_NOT_FOUND);
	assert_int_equal(gssapi_token(ctx, "Negotiate", &token, &len), ERR_NOT_FOUND);
	assert_int_equal(gssapi_token(ctx, "Negotiate  ", &token, &len), ERR_NOT_FOUND);
	assert_int_equal(gssapi_token(ctx, "NegotiateYWJj", &token, &len), ERR_NOT_FOUND);
	assert_int_equal(gssapi_token(ctx, "Basic YWJj", &token, &len), ERR_NOT_FOUND);
	assert_int_equal(gssapi_token(ctx, "Negotiate YWJ", &token, &len), ERR_SYNTAX);
	assert_int_equal(gssapi_token(ctx, "Negotiate YW Jj", &token, &len), ERR_SYNTAX);
	talloc_free(ctx);
}

static void token_has_a_greatest_length(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *data = talloc_zero_size(ctx, GSSAPI_TOKEN_MAX + 1);
	uint8_t *token;
	size_t len;

	(void)state;
	assert_int_equal(
		gssapi_token(ctx, gssapi_header(ctx, data, GSSAPI_TOKEN_MAX), &token, &len),
		ERR_OK);
	assert_int_equal(len, GSSAPI_TOKEN_MAX);
	assert_int_equal(
		gssapi_token(ctx, gssapi_header(ctx, data, GSSAPI_TOKEN_MAX + 1), &token, &len),
		ERR_TOO_LONG);
	talloc_free(ctx);
}

static void answer_is_the_scheme_and_the_token(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);

	(void)state;
	assert_string_equal(gssapi_header(ctx, NULL, 0), "Negotiate");
	assert_string_equal(gssapi_header(ctx, "abc", 3), "Negotiate YWJj");
	talloc_free(ctx);
}

static void first_component_ends_at_slash_and_realm(void **state)
{
	static const struct {
		const char *principal, *name;
	} cases[] = {
		{ "ann@REALM", "ann" },	      { "ann/admin@REALM", "ann" }, { "ann", "ann" },
		{ "@REALM", NULL },	      { "/admin@REALM", NULL },	    { "", NULL },
		{ "a\\/b@REALM", NULL },      { "a\\@b@REALM", NULL },	    { "a\\n@REALM", NULL },
		{ "ann.b@x@REALM", "ann.b" },
	};
	TALLOC_CTX *ctx = talloc_new(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *got =
			gssapi_first_component(ctx, cases[i].principal, strlen(cases[i].principal));

		if (cases[i].name)
			assert_string_equal(got, cases[i].name);
		else
			assert_null(got);
	}
	assert_null(gssapi_first_component(ctx, "a\0b", 3));
	talloc_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_said_means_accounts_are_needed_and_age_is_not),
		cmocka_unit_test(options_are_taken),
		cmocka_unit_test(a_freshness_that_cannot_be_read_is_not_no_limit),
		cmocka_unit_test(keytab_that_is_not_there_is_refused),
		cmocka_unit_test(numbers_are_numbers),
		cmocka_unit_test(token_is_what_follows_the_scheme),
		cmocka_unit_test(header_without_a_token_is_refused),
		cmocka_unit_test(token_has_a_greatest_length),
		cmocka_unit_test(answer_is_the_scheme_and_the_token),
		cmocka_unit_test(first_component_ends_at_slash_and_realm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
