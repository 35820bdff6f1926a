/* test_auth_ldap_text.c - names in filters and DNs, and what the backend ldap keeps between jobs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "auth/backend/ldap_keep.h"
#include "auth/backend/ldap_text.h"

static const char *expand(TALLOC_CTX *ctx, const char *template, enum ldap_quoting quoting,
			  const char *user, const char *dn)
{
	const struct ldap_names names = { user, dn };
	char *out;

	assert_int_equal(ldap_expand(ctx, template, quoting, &names, &out), ERR_OK);
	return out;
}

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

/* RFC 4515 3, and one of its examples. */
static void name_in_a_filter_is_nothing_but_a_value(void **state)
{
	static const char *const rows[][2] = {
		{ "ann", "(uid=ann)" },
		{ "*", "(uid=\\2a)" },
		{ ")(uid=*", "(uid=\\29\\28uid=\\2a)" },
		{ "a\\b", "(uid=a\\5cb)" },
		{ "Lu\xc4\x8di\xc4\x87", "(uid=Lu\\c4\\8di\\c4\\87)" },
		{ "a b", "(uid=a b)" },
		{ " ann ", "(uid=\\20ann\\20)" },
		{ "\n\x7f", "(uid=\\0a\\7f)" },
		{ "100%u", "(uid=100%u)" },
		{ "", "(uid=)" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(expand(*state, "(uid=%u)", LDAP_FOR_FILTER, rows[i][0], NULL),
				    rows[i][1]);
}

/* RFC 4514 2.4. */
static void name_in_a_dn_is_nothing_but_a_value(void **state)
{
	static const char *const rows[][2] = {
		{ "ann", "uid=ann,dc=x" },
		{ "ann,ou=admins", "uid=ann\\2cou\\3dadmins,dc=x" },
		{ "#ann", "uid=\\23ann,dc=x" },
		{ "a+b=c", "uid=a\\2bb\\3dc,dc=x" },
		{ " a\"<>;\\ ", "uid=\\20a\\22\\3c\\3e\\3b\\5c\\20,dc=x" },
		{ "*()", "uid=*(),dc=x" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(expand(*state, "uid=%u,dc=x", LDAP_FOR_DN, rows[i][0], NULL),
				    rows[i][1]);
}

static void unknown_name_matches_anything_in_filters_only(void **state)
{
	const struct ldap_names none = { NULL, NULL };
	char *out;

	assert_string_equal(
		expand(*state, "(|(member=%d)(memberUid=%u))", LDAP_FOR_FILTER, NULL, NULL),
		"(|(member=*)(memberUid=*))");
	assert_string_equal(
		expand(*state, "(&(m=%d)(a=5%%))", LDAP_FOR_FILTER, NULL, "cn=a (b),dc=x"),
		"(&(m=cn=a \\28b\\29,dc=x)(a=5%))");
	assert_int_equal(ldap_expand(*state, "uid=%u", LDAP_FOR_DN, &none, &out), ERR_SYNTAX);
	assert_int_equal(ldap_expand(*state, "uid=%", LDAP_FOR_FILTER, &none, &out), ERR_SYNTAX);
}

static void overlong_result_is_refused(void **state)
{
	char *name = talloc_zero_array(*state, char, 9000), *out;
	const struct ldap_names names = { name, NULL };

	memset(name, 'a', 8999);
	assert_int_equal(ldap_expand(*state, "(uid=%u)", LDAP_FOR_FILTER, &names, &out),
			 ERR_TOO_LONG);
}

static void filters_are_checked(void **state)
{
	static const char *const good[] = {
		"(uid=%u)",
		"(|(uid=%u)(mail=%u))",
		"(&(uid=%u)(!(memberOf=cn=x,dc=y)))",
		"(&(objectClass=person)(mail=%u@example.com))",
	};
	static const char *const bad[] = {
		"uid=%u",    "(uid=%u",
		"(uid=%u))", "(uid=%u)(a=b)",
		"",	     "(uid=%x)",
		"(uid=%u)%", "(uid=ann)",
		"(%u=x)",    "(uid=%d)",
		")(",	     "(uid=100%)",
		"(uid=%%u)", "(memberOf=cn=%u,dc=y)",
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_null(ldap_filter_fault(good[i], "u", true));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_non_null(ldap_filter_fault(bad[i], "u", true));
	assert_null(ldap_filter_fault("(uid=ann)", "u", false));
	assert_null(ldap_filter_fault("(member=%d)", "ud", true));
	assert_null(ldap_dn_fault("uid=%u,dc=x"));
	assert_non_null(ldap_dn_fault("uid=ann,dc=x"));
	assert_non_null(ldap_dn_fault("%u,dc=x"));
	assert_non_null(ldap_dn_fault("uid=%d,dc=x"));
}

static void attribute_of_the_name_is_found(void **state)
{
	static const char *const rows[][2] = {
		{ "(uid=%u)", "uid" },
		{ "(&(objectClass=user)(sAMAccountName=%u))", "sAMAccountName" },
		{ "(|(mail=%u@x)(cn=%u))", "cn" },
		{ "uid=%u,ou=people,dc=x", "uid" },
		{ "(mail=%u@x)", NULL },
		{ "(cn:caseExactMatch:=%u)", NULL },
		{ "(cn>=%u)", NULL },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *attr = ldap_user_attr(*state, rows[i][0]);

		if (rows[i][1])
			assert_string_equal(attr, rows[i][1]);
		else
			assert_null(attr);
	}
}

static void first_rdn_of_a_dn_names_the_group(void **state)
{
	static const char *const rows[][2] = {
		{ "cn=staff,ou=groups,dc=x", "staff" },
		{ "CN = The Staff  , OU=x", "The Staff" },
		{ "cn=a\\,b,dc=x", "a,b" },
		{ "cn=Lu\\C4\\8Di\\c4\\87,dc=x", "Lu\xc4\x8di\xc4\x87" },
		{ "cn=ends with blank\\ ,dc=x", "ends with blank " },
		{ "cn=a+uid=b,dc=x", "a" },
		{ "2.5.4.3=staff", "staff" },
		{ "cn=staff", "staff" },
	};
	static const char *const names[] = { "staff", "", " ", "=x", "a b=c", "The Staff", "-=" };
	static const char *const odd[] = { "cn=",   "cn=,dc=x", "cn=#0403,dc=x", "cn=a\\00b",
					   "cn=\\", "cn=\"a\"", "cn=a\tb" };
	char *out;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(ldap_rdn_value(*state, rows[i][0], &out), ERR_OK);
		assert_string_equal(out, rows[i][1]);
	}
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_int_equal(ldap_rdn_value(*state, names[i], &out), ERR_SYNTAX);
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
		assert_int_equal(ldap_rdn_value(*state, odd[i], &out), ERR_UNSUPPORTED);
}

static void active_directory_says_why(void **state)
{
	static const char text[] = "80090308: LdapErr: DSID-0C0903A9, comment: "
				   "AcceptSecurityContext error, data %s, v1db1";
	bool expired = false;

	assert_string_equal(ldap_ad_reason(talloc_asprintf(*state, text, "52e"), &expired),
			    "wrong password");
	assert_false(expired);
	assert_string_equal(ldap_ad_reason(talloc_asprintf(*state, text, "532"), &expired),
			    "password expired");
	assert_true(expired);
	assert_null(ldap_ad_reason(talloc_asprintf(*state, text, "1"), &expired));
	assert_null(ldap_ad_reason("", &expired));
	assert_null(ldap_ad_reason(", data ", &expired));
}

/* ---- what is kept --------------------------------------------------------- */

static struct ldap_keep again(TALLOC_CTX *ctx, const struct ldap_keep *k)
{
	const uint8_t *data;
	struct ldap_keep out;
	size_t len;

	assert_int_equal(ldap_keep_write(ctx, k, &data, &len), ERR_OK);
	assert_int_equal(ldap_keep_read(ctx, data, len, &out), ERR_OK);
	return out;
}

static void dead_server_is_remembered_for_a_while(void **state)
{
	struct ldap_keep k = { .n_dead = 0 };

	ldap_keep_set_dead(&k, "ldaps://a", 1000);
	ldap_keep_set_dead(&k, "ldaps://b", 1001);
	ldap_keep_set_dead(&k, "ldaps://a", 1010);
	k = again(*state, &k);
	assert_int_equal(k.n_dead, 2);
	assert_true(ldap_keep_is_dead(&k, "ldaps://a", 1010 + LDAP_DEAD_SECONDS - 1));
	assert_false(ldap_keep_is_dead(&k, "ldaps://a", 1010 + LDAP_DEAD_SECONDS));
	assert_false(ldap_keep_is_dead(&k, "ldaps://c", 1002));
	ldap_keep_set_alive(&k, "ldaps://a");
	assert_false(ldap_keep_is_dead(&k, "ldaps://a", 1011));
	assert_true(ldap_keep_is_dead(&k, "ldaps://b", 1011));
}

static void refusals_wait_for_longer_than_a_check_takes(void **state)
{
	struct ldap_keep k = { .n_dead = 0 };

	assert_int_equal(ldap_keep_wait(&k), LDAP_WAIT_STEP_MS);
	ldap_keep_took(&k, 780, 1000);
	k = again(*state, &k);
	assert_int_equal(ldap_keep_wait(&k), 1000);
	ldap_keep_took(&k, 790, 1001);
	assert_int_equal(ldap_keep_wait(&k), 1000);
	/* Shorter ones count only when the longest is old. */
	ldap_keep_took(&k, 100, 1001 + LDAP_CHECK_SECONDS - 1);
	assert_int_equal(ldap_keep_wait(&k), 1000);
	ldap_keep_took(&k, 100, 1001 + LDAP_CHECK_SECONDS);
	assert_int_equal(ldap_keep_wait(&k), LDAP_WAIT_STEP_MS);
	ldap_keep_took(&k, 900000, 5000);
	k = again(*state, &k);
	assert_int_equal(ldap_keep_wait(&k), LDAP_WAIT_MAX_MS);
}

static void nonsense_that_was_kept_is_left_out(void **state)
{
	static const char text[] = "dead 5\ndead x ldaps://a\ndead 7 ldaps://b\n"
				   "check 1 99999999\ncheck\ncheck 5\n\nwhatever\ndead 5 ";
	struct ldap_keep k;

	assert_int_equal(ldap_keep_read(*state, NULL, 0, &k), ERR_OK);
	assert_int_equal(k.n_dead, 0);
	assert_int_equal(ldap_keep_read(*state, (const uint8_t *)text, strlen(text), &k), ERR_OK);
	assert_int_equal(k.n_dead, 1);
	assert_string_equal(k.dead[0].uri, "ldaps://b");
	assert_int_equal(k.check_ms, 0);
}

static void no_more_servers_are_remembered_than_there_can_be(void **state)
{
	struct ldap_keep k = { .n_dead = 0 };

	for (unsigned i = 0; i < 2 * LDAP_SERVERS_MAX; i++)
		ldap_keep_set_dead(&k, talloc_asprintf(*state, "ldaps://%u", i), 1);
	assert_int_equal(again(*state, &k).n_dead, LDAP_SERVERS_MAX);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(name_in_a_filter_is_nothing_but_a_value),
		CASE(name_in_a_dn_is_nothing_but_a_value),
		CASE(unknown_name_matches_anything_in_filters_only),
		CASE(overlong_result_is_refused),
		CASE(filters_are_checked),
		CASE(attribute_of_the_name_is_found),
		CASE(first_rdn_of_a_dn_names_the_group),
		CASE(active_directory_says_why),
		CASE(dead_server_is_remembered_for_a_while),
		CASE(refusals_wait_for_longer_than_a_check_takes),
		CASE(nonsense_that_was_kept_is_left_out),
		CASE(no_more_servers_are_remembered_than_there_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
