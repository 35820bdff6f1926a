/* test_auth_ldap_line.c - the auth line of the backend ldap and its file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <talloc.h>

#include "auth/backend/ldap.h"
#include "auth/backend/ldap_file.h"

struct rig {
	char file[64], password[64];
	struct backend_pair pair[LDAP_PAIRS_MAX];
	struct backend_pairs options;
	const char *why;
};

static void write_file(char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static int setup(void **state)
{
	struct rig *r = talloc_zero(NULL, struct rig);

	strcpy(r->file, "/tmp/ldap-test.XXXXXX");
	strcpy(r->password, "/tmp/ldap-test.XXXXXX");
	close(mkstemp(r->file));
	close(mkstemp(r->password));
	r->options.item = r->pair;
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	unlink(r->file);
	unlink(r->password);
	talloc_free(r);
	return 0;
}

/* TEXT is "key value|key value". */
static enum err open_line(struct rig *r, const char *text, struct ldap_line **out)
{
	char *copy = talloc_strdup(r, text), *pair;
	void *conf = NULL;
	enum err err;

	r->options.n = 0;
	r->why = NULL;
	while ((pair = strsep(&copy, "|")) != NULL) {
		char *value = strchr(pair, ' ');

		*value = '\0';
		r->pair[r->options.n++] = (struct backend_pair){ pair, value + 1 };
	}
	err = backend_ldap.open(r, &r->options, &conf, &r->why);
	*out = conf;
	return err;
}

static struct ldap_line *good(struct rig *r, const char *text)
{
	struct ldap_line *l;
	enum err err = open_line(r, text, &l);

	if (err)
		fail_msg("%s: %s", text, r->why);
	return l;
}

static void bad(struct rig *r, const char *text, const char *why)
{
	struct ldap_line *l;

	assert_int_equal(open_line(r, text, &l), ERR_CONF);
	if (!strstr(r->why, why))
		fail_msg("%s: %s", text, r->why);
	assert_null(strchr(r->why, '\n'));
}

static void short_line_has_sensible_defaults(void **state)
{
	struct ldap_line *l = good(*state, "uri ldaps://a|base dc=x");

	assert_int_equal(l->uri.n, 1);
	assert_string_equal(l->filter, "(uid=%u)");
	assert_string_equal(l->user_attr, "uid");
	assert_string_equal(l->group_attr, "memberOf");
	assert_int_equal(l->scope, LDAP_SCOPE_TREE);
	assert_int_equal(l->nested, LDAP_NESTED_NO);
	assert_int_equal(l->timeout, 5);
	assert_null(l->group_base);
}

static void group_base_takes_the_place_of_the_attribute(void **state)
{
	struct ldap_line *l = good(*state, "uri ldaps://a|base dc=x|group-base ou=g");

	assert_null(l->group_attr);
	assert_non_null(strstr(l->group_filter, "(member=%d)"));
	l = good(*state, "uri ldaps://a|base dc=x|group-base ou=g|group-attr memberOf");
	assert_string_equal(l->group_attr, "memberOf");
}

static void name_of_the_user_comes_from_what_the_filter_compares(void **state)
{
	assert_string_equal(
		good(*state, "uri ldaps://a|base x|filter (&(a=b)(sAMAccountName=%u))")->user_attr,
		"sAMAccountName");
	assert_string_equal(good(*state, "uri ldaps://a|user-dn cn=%u,dc=x")->user_attr, "cn");
	assert_string_equal(
		good(*state, "uri ldaps://a|base x|filter (mail=%u@x)|user-attr uid")->user_attr,
		"uid");
	bad(*state, "uri ldaps://a|base x|filter (mail=%u@x)", "add user-attr=ATTRIBUTE");
}

static void several_servers_are_taken_in_order(void **state)
{
	struct ldap_line *l = good(*state, "uri  ldaps://a   ldapi://%2fx LDAPS://c|base x");

	assert_int_equal(l->uri.n, 3);
	assert_string_equal(l->uri.item[2], "LDAPS://c");
}

static void clear_text_needs_to_be_asked_for(void **state)
{
	struct rig *r = *state;

	bad(r, "uri ldaps://a ldap://b|base x", "in clear to ldap://b");
	good(r, "uri ldap://b|base x|starttls true");
	good(r, "uri ldap://b|base x|insecure true");
	good(r, "uri ldapi://%2fx|base x");
}

static void faults_are_named_in_one_line(void **state)
{
	static const char *const rows[][2] = {
		{ "base x", "no server" },
		{ "uri ldaps://a", "no base" },
		{ "uri ldaps://|base x", "is no server; write ldaps://HOST" },
		{ "uri http://a|base x", "is no server" },
		{ "uri ldaps://a|base x|filter (uid=ann)", "filter names no user" },
		{ "uri ldaps://a|base x|scope tree", "write sub, one or base" },
		{ "uri ldaps://a|base x|timeout 0", "write seconds from 1 to 10" },
		{ "uri ldaps://a|base x|timeout 11", "write seconds" },
		{ "uri ldaps://a|base x|starttls maybe", "write true or false" },
		{ "uri ldaps://a|base x|nested deep", "write true, false or chain" },
		{ "uri ldaps://a|base x|binddn cn=a", "bindpw-file=FILE" },
		{ "uri ldaps://a|base x|bindpw-file /x", "bindpw-file without binddn" },
		{ "uri ldaps://a|base x|binddn a|bindpw-file /nonexistent/x", "cannot read" },
		{ "uri ldaps://a|base x|group-filter (member=%d)", "group-filter without" },
		{ "uri ldaps://a|base x|group-base y|group-filter (cn=x)", "names no member" },
		{ "uri ldaps://a|user-dn dc=x", "user-dn names no user" },
		{ "uri ldaps://a|user-dn uid=%u|user-attr cn", "no use with user-dn" },
		{ "uri ldaps://a|user-dn uid=%u|nested chain", "needs group-base" },
		{ "uri ldaps://a|base x|ca ", "the value of 'ca' is empty" },
		{ "uri ldaps://a|base x|ca /nonexistent/ca", "cannot read the authorities" },
		{ "uri ldaps://a|base x|colour red", "unknown option 'colour'" },
		{ "config /nonexistent/ldap.conf", "cannot read the file" },
		{ "config /tmp", "cannot read the file" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		bad(*state, rows[i][0], rows[i][1]);
}

static void password_file_must_not_be_open_to_others(void **state)
{
	struct rig *r = *state;
	char *text =
		talloc_asprintf(r, "uri ldaps://a|base x|binddn cn=a|bindpw-file %s", r->password);

	write_file(r->password, "secret\n", 0644);
	bad(r, text, "is open to others; chmod 600 it");
	write_file(r->password, "secret\n", 0620);
	bad(r, text, "is open to others");
	write_file(r->password, "secret\n", 0640);
	assert_string_equal(good(r, text)->binddn, "cn=a");
}

static void file_holds_values_without_quotes(void **state)
{
	struct rig *r = *state;
	struct ldap_line *l;

	write_file(r->file,
		   "# a comment\n\n URI = ldaps://a ldaps://b \r\nbase=dc=example,dc=com\n"
		   "filter = (&(uid=%u)(o=it's [one]))\nuser-attr = \" uid \"\ntimeout=7",
		   0600);
	l = good(r, talloc_asprintf(r, "timeout 9|config %s", r->file));
	assert_int_equal(l->uri.n, 2);
	assert_string_equal(l->base, "dc=example,dc=com");
	assert_string_equal(l->filter, "(&(uid=%u)(o=it's [one]))");
	assert_string_equal(l->user_attr, " uid ");
	assert_int_equal(l->timeout, 9); /* the line wins */
}

static void faults_of_the_file_name_their_place(void **state)
{
	struct rig *r = *state;
	char *text = talloc_asprintf(r, "config %s", r->file);

	write_file(r->file, "uri = ldaps://a\n\nbase\n", 0600);
	bad(r, text, "line 3: write KEY = VALUE");
	write_file(r->file, "uri = ldaps://a\nbass = x\n", 0600);
	bad(r, text, "unknown option 'bass'");
}

static void file_with_a_nul_byte_or_too_many_lines_is_refused(void **state)
{
	struct backend_pairs pairs = { .n = 0 };
	char many[4 * (LDAP_PAIRS_MAX + 1) + 1];
	unsigned line;

	assert_int_equal(ldap_file_parse(*state, "a=b\n\0c=d", 8, &pairs, &line), ERR_SYNTAX);
	for (size_t i = 0; i <= LDAP_PAIRS_MAX; i++)
		memcpy(many + 4 * i, "a=b\n", 5);
	pairs = (struct backend_pairs){ .n = 0 };
	assert_int_equal(ldap_file_parse(*state, many, strlen(many), &pairs, &line), ERR_TOO_LONG);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(short_line_has_sensible_defaults),
		CASE(group_base_takes_the_place_of_the_attribute),
		CASE(name_of_the_user_comes_from_what_the_filter_compares),
		CASE(several_servers_are_taken_in_order),
		CASE(clear_text_needs_to_be_asked_for),
		CASE(faults_are_named_in_one_line),
		CASE(password_file_must_not_be_open_to_others),
		CASE(file_holds_values_without_quotes),
		CASE(faults_of_the_file_name_their_place),
		CASE(file_with_a_nul_byte_or_too_many_lines_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
