/* test_auth_passwd.c - lines of the password file (admin.md 8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "auth/backend/backend.h"
#include "auth/backend/passwd.h"

enum { LINE = 2000 };

/* Parses a copy of TEXT into static storage. */
static enum err parse(const char *text, struct passwd_entry *out)
{
	static char line[LINE];

	strcpy(line, text);
	return passwd_line_parse(line, strlen(line), out);
}

static void line_has_user_groups_and_hash(void **state)
{
	struct passwd_entry e;

	(void)state;
	assert_int_equal(parse("sp@c/al:a,b:$5$x$y\r\n", &e), ERR_OK);
	assert_string_equal(e.user, "sp@c/al");
	assert_string_equal(e.groups, "a,b");
	assert_string_equal(e.hash, "$5$x$y");
}

static void further_fields_are_ignored(void **state)
{
	struct passwd_entry e;

	(void)state;
	assert_int_equal(parse("ann:*:$5$x$y:more:and more\n", &e), ERR_OK);
	assert_string_equal(e.hash, "$5$x$y");
}

static void missing_hash_is_an_empty_one(void **state)
{
	struct passwd_entry e;

	(void)state;
	assert_int_equal(parse("alice:staff", &e), ERR_OK);
	assert_string_equal(e.hash, "");
	assert_int_equal(parse("alice:staff:", &e), ERR_OK);
	assert_string_equal(e.hash, "");
}

static void lines_that_are_no_entries_are_skipped(void **state)
{
	static const char *const bad[] = {
		"", "\n", "a:b:", "a:*:\n", "no colon at all", ":*:$5$x"
	};
	struct passwd_entry e;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(parse(bad[i], &e), ERR_SYNTAX);
}

static void line_of_511_characters_is_the_longest(void **state)
{
	char line[600];
	struct passwd_entry e;

	(void)state;
	memset(line, 'a', sizeof line);
	memcpy(line, "ann:*:", 6);
	line[511] = '\n';
	line[512] = '\0';
	assert_int_equal(parse(line, &e), ERR_OK);
	line[511] = 'a';
	line[512] = '\n';
	line[513] = '\0';
	assert_int_equal(parse(line, &e), ERR_SYNTAX);
}

static void nul_byte_spoils_a_line(void **state)
{
	char line[] = "ann:*:$5$\0evil";
	struct passwd_entry e;

	(void)state;
	assert_int_equal(passwd_line_parse(line, sizeof line - 1, &e), ERR_SYNTAX);
}

static void blanks_around_groups_are_dropped(void **state)
{
	struct strv g = { .n = 0 };
	TALLOC_CTX *ctx = talloc_new(NULL);

	(void)state;
	assert_int_equal(passwd_groups_parse(ctx, " staff ,\tguests", &g), ERR_OK);
	assert_int_equal(g.n, 2);
	assert_string_equal(g.item[0], "staff");
	assert_string_equal(g.item[1], "guests");
	talloc_free(ctx);
}

static void single_characters_and_repetitions_are_no_groups(void **state)
{
	struct strv g = { .n = 0 };
	TALLOC_CTX *ctx = talloc_new(NULL);

	(void)state;
	assert_int_equal(passwd_groups_parse(ctx, "*,x,,ab,ab", &g), ERR_OK);
	assert_int_equal(g.n, 1);
	talloc_free(ctx);
}

static void overlong_group_cannot_be_selected(void **state)
{
	struct strv g = { .n = 0 };
	TALLOC_CTX *ctx = talloc_new(NULL);
	char name[65];

	(void)state;
	memset(name, 'g', sizeof name);
	name[64] = '\0';
	assert_int_equal(passwd_groups_parse(ctx, name, &g), ERR_OK);
	assert_int_equal(g.n, 0);
	assert_int_equal(passwd_groups_parse(ctx, name + 1, &g), ERR_OK);
	assert_int_equal(g.n, 1);
	talloc_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_has_user_groups_and_hash),
		cmocka_unit_test(further_fields_are_ignored),
		cmocka_unit_test(missing_hash_is_an_empty_one),
		cmocka_unit_test(lines_that_are_no_entries_are_skipped),
		cmocka_unit_test(line_of_511_characters_is_the_longest),
		cmocka_unit_test(nul_byte_spoils_a_line),
		cmocka_unit_test(blanks_around_groups_are_dropped),
		cmocka_unit_test(single_characters_and_repetitions_are_no_groups),
		cmocka_unit_test(overlong_group_cannot_be_selected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
