/* test_passwd.c - editing password files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/passwd.h"

static const char file[] = "ann:g1,g2:$5$aaa$AAA\n"
			   "bob:*:!$5$bbb$BBB\r\n"
			   "no colon here\n"
			   "ann2:*:$5$ccc$CCC:extra\n"
			   "short:hash";

/* FILE after EDIT must be WANT. */
static void assert_edit(const char *text, const struct passwd_edit *edit, const char *want)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *out;
	size_t len;

	assert_int_equal(passwd_apply(ctx, text, text ? strlen(text) : 0, edit, &out, &len),
			 ERR_OK);
	assert_string_equal(out, want);
	assert_int_equal(len, strlen(want));
	talloc_free(ctx);
}

static void assert_refused(const struct passwd_edit *edit, enum err want)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *out;
	size_t len;

	assert_int_equal(passwd_apply(ctx, file, strlen(file), edit, &out, &len), want);
	talloc_free(ctx);
}

static void a_new_user_comes_last(void **state)
{
	struct passwd_edit e = { PASSWD_SET, "eve", "*", "$5$x$X" };

	(void)state;
	assert_edit(NULL, &e, "eve:*:$5$x$X\n");
	assert_edit("", &e, "eve:*:$5$x$X\n");
	assert_edit("ann:*:h", &e, "ann:*:h\neve:*:$5$x$X\n");
}

static void a_known_users_line_is_replaced_in_place(void **state)
{
	struct passwd_edit e = { PASSWD_SET, "ann", "*", "$5$x$X" };

	(void)state;
	assert_edit(file, &e,
		    "ann:*:$5$x$X\nbob:*:!$5$bbb$BBB\r\nann2:*:$5$ccc$CCC:extra\nshort:hash\n");
}

static void only_the_users_line_is_deleted(void **state)
{
	struct passwd_edit e = { PASSWD_DELETE, "ann", NULL, NULL };

	(void)state;
	assert_edit(file, &e, "bob:*:!$5$bbb$BBB\r\nann2:*:$5$ccc$CCC:extra\nshort:hash\n");
	e.user = "nobody";
	assert_edit("ann:*:h\n", &e, "ann:*:h\n");
	e.user = "ann";
	assert_edit("ann:*:h\n", &e, "");
}

static void locking_twice_is_locking_once(void **state)
{
	struct passwd_edit lock = { PASSWD_LOCK, "ann", NULL, NULL };
	struct passwd_edit unlock = { PASSWD_UNLOCK, "ann", NULL, NULL };

	(void)state;
	assert_edit("ann:g:h\nbob:*:h\n", &lock, "ann:g:!h\nbob:*:h\n");
	assert_edit("ann:g:!h\nbob:*:h\n", &lock, "ann:g:!h\nbob:*:h\n");
	assert_edit("ann:g:!h\nbob:*:!h\n", &unlock, "ann:g:h\nbob:*:!h\n");
	assert_edit("ann:g:h\n", &unlock, "ann:g:h\n");
	assert_edit("ann:g:\n", &lock, "ann:g:!\n");
	assert_edit("ann:g\n", &lock, "ann:g\n");
}

static void repeated_lines_of_a_user_cannot_bring_him_back(void **state)
{
	struct passwd_edit e = { PASSWD_LOCK, "ann", NULL, NULL };

	(void)state;
	assert_edit("ann:a:1\nbob:b:2\nann:c:3\n", &e, "ann:a:!1\nbob:b:2\nann:c:!3\n");
	e.action = PASSWD_DELETE;
	assert_edit("ann:a:1\nbob:b:2\nann:c:3\n", &e, "bob:b:2\n");
	e = (struct passwd_edit){ PASSWD_SET, "ann", "*", "new" };
	assert_edit("ann:a:1\nbob:b:2\nann:c:3\n", &e, "ann:*:new\nbob:b:2\n");
}

static void names_that_would_break_the_file_are_refused(void **state)
{
	static const char *const bad[] = { "", "a:b", "a\nb", "a\rb", "a\tb", "\x7f" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_refused(&(struct passwd_edit){ PASSWD_SET, bad[i], "*", "h" }, ERR_SYNTAX);
		assert_refused(&(struct passwd_edit){ PASSWD_SET, "u", bad[i], "h" }, ERR_SYNTAX);
		assert_refused(&(struct passwd_edit){ PASSWD_DELETE, bad[i], NULL, NULL },
			       ERR_SYNTAX);
	}
	assert_true(passwd_is_valid_field("sp@c/al \xc3\xa4"));
}

static void a_line_longer_than_the_server_reads_is_refused(void **state)
{
	char user[PASSWD_LINE];
	struct passwd_edit e = { PASSWD_SET, user, "*", "hash" };
	size_t fits = PASSWD_LINE - strlen(":*:hash"), len;
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *out;

	(void)state;
	memset(user, 'u', sizeof user);
	user[fits + 1] = 0;
	assert_refused(&e, ERR_TOO_LONG);
	user[fits] = 0;
	assert_int_equal(passwd_apply(ctx, NULL, 0, &e, &out, &len), ERR_OK);
	assert_int_equal(len, PASSWD_LINE + 1);
	talloc_free(ctx);
}

static void a_file_with_nul_bytes_is_left_alone(void **state)
{
	struct passwd_edit e = { PASSWD_DELETE, "ann", NULL, NULL };
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *out;
	size_t len;

	(void)state;
	assert_int_equal(passwd_apply(ctx, "ann:*:\0h\n", 9, &e, &out, &len), ERR_SYNTAX);
	talloc_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_user_comes_last),
		cmocka_unit_test(a_known_users_line_is_replaced_in_place),
		cmocka_unit_test(only_the_users_line_is_deleted),
		cmocka_unit_test(locking_twice_is_locking_once),
		cmocka_unit_test(repeated_lines_of_a_user_cannot_bring_him_back),
		cmocka_unit_test(names_that_would_break_the_file_are_refused),
		cmocka_unit_test(a_line_longer_than_the_server_reads_is_refused),
		cmocka_unit_test(a_file_with_nul_bytes_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
