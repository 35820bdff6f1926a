/* test_auth_oidc_line.c - the JSON file of the backend `oidc` (radius.md 6.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <talloc.h>

#include "auth/backend/oidc.h"

#define URL    "\"openid_configuration_url\": \"https://idp/x\""
#define CLAIM  "\"user_name_claim\": \"email\""
#define CLAIMS "\"required_claims\": {\"aud\": \"vpn\"}"
#define GOOD   URL "," CLAIM "," CLAIMS

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

/* What is wrong with TEXT; NULL: nothing, and *OUT is set. */
static const char *parse(void **state, const char *text, struct oidc **out)
{
	const char *why = NULL;
	enum err err = oidc_conf_parse(*state, text, strlen(text), out, &why);

	assert_int_equal(err, why ? ERR_CONF : ERR_OK);
	return why;
}

static void three_keys_are_enough(void **state)
{
	struct oidc *o = NULL;

	assert_null(parse(state, "{" GOOD "}", &o));
	assert_string_equal(o->url, "https://idp/x");
	assert_string_equal(o->user_claim, "email");
	assert_int_equal(json_object_size(o->required), 1);
	assert_int_equal(o->refresh, 900);
	assert_int_equal(o->skew, 0);
	assert_null(o->ca_file);
}

static void optional_keys_are_taken_and_unknown_ones_ignored(void **state)
{
	struct oidc *o = NULL;

	assert_null(parse(state,
			  "{" GOOD ", \"minimum_jwk_refresh_time\": 0, \"clock_skew\": 60,"
			  "\"ca_file\": \"/etc/ca.pem\", \"comment\": [1, 2]}",
			  &o));
	assert_int_equal(o->refresh, 0);
	assert_int_equal(o->skew, 60);
	assert_string_equal(o->ca_file, "/etc/ca.pem");
}

static void each_fault_is_named(void **state)
{
	static const struct {
		const char *text, *named;
	} rows[] = {
		{ "", "JSON" },
		{ "[]", "JSON object" },
		{ "{" GOOD, "line 1" },
		{ "{" CLAIM "," CLAIMS "}", "openid_configuration_url" },
		{ "{\"openid_configuration_url\": 1," CLAIM "," CLAIMS "}",
		  "openid_configuration_url" },
		{ "{\"openid_configuration_url\": \"ldap://x\"," CLAIM "," CLAIMS "}", "https://" },
		{ "{" URL "," CLAIMS "}", "user_name_claim" },
		{ "{" URL ", \"user_name_claim\": \"\"," CLAIMS "}", "user_name_claim" },
		{ "{" URL "," CLAIM "}", "required_claims" },
		{ "{" URL "," CLAIM ", \"required_claims\": \"aud\"}", "{} requires none" },
		{ "{" GOOD ", \"minimum_jwk_refresh_time\": -1}", "minimum_jwk_refresh_time" },
		{ "{" GOOD ", \"minimum_jwk_refresh_time\": 1.5}", "whole number" },
		{ "{" GOOD ", \"minimum_jwk_refresh_time\": 99999999999}", "0 to 2147483647" },
		{ "{" GOOD ", \"clock_skew\": 61}", "0 to 60" },
		{ "{" GOOD ", \"ca_file\": \"ca.pem\"}", "ca_file" },
		{ "{" GOOD "," URL "}", "duplicate" },
	};
	struct oidc *o = NULL;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *why = parse(state, rows[i].text, &o);

		assert_non_null(why);
		assert_non_null(strstr(why, rows[i].named));
	}
	assert_null(o);
}

static enum err open_line(void **state, const char *key, const char *value, const char **why)
{
	struct backend_pair pair = { key, value };
	struct backend_pairs options = { &pair, 1 };
	void *conf = NULL;
	enum err err = backend_oidc.open(*state, &options, &conf, why);

	assert_true((err == ERR_OK) == (conf != NULL));
	return err;
}

static void file_is_read_when_the_line_is_opened(void **state)
{
	char path[] = "/tmp/oidc-test.XXXXXX";
	const char *why = NULL;
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	assert_int_equal(open_line(state, "config", path, &why), ERR_CONF);
	assert_non_null(strstr(why, path));
	fputs("{" GOOD "}", f);
	fflush(f);
	assert_int_equal(open_line(state, "config", path, &why), ERR_OK);
	for (size_t i = 0; i < OIDC_CONF_MAX; i++)
		fputc(' ', f);
	fclose(f);
	assert_int_equal(open_line(state, "config", path, &why), ERR_CONF);
	assert_non_null(strstr(why, "64 KiB"));
	unlink(path);
	assert_int_equal(open_line(state, "config", path, &why), ERR_CONF);
	assert_non_null(strstr(why, "No such file"));
}

static void line_without_a_file_says_what_to_write(void **state)
{
	const char *why = NULL;

	assert_int_equal(open_line(state, "other", "x", &why), ERR_CONF);
	assert_non_null(strstr(why, "oidc[config="));
}

static void authority_that_cannot_be_read_is_a_fault(void **state)
{
	char path[] = "/tmp/oidc-test.XXXXXX";
	const char *why = NULL;
	FILE *f = fdopen(mkstemp(path), "w");

	fputs("{" GOOD ", \"ca_file\": \"/does/not/exist\"}", f);
	fclose(f);
	assert_int_equal(open_line(state, "config", path, &why), ERR_CONF);
	assert_non_null(strstr(why, "/does/not/exist: No such file"));
	unlink(path);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(three_keys_are_enough),
		CASE(optional_keys_are_taken_and_unknown_ones_ignored),
		CASE(each_fault_is_named),
		CASE(file_is_read_when_the_line_is_opened),
		CASE(line_without_a_file_says_what_to_write),
		CASE(authority_that_cannot_be_read_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
