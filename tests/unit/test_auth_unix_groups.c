/* test_auth_unix_groups.c - groups of unix accounts, against this machine's own files
 * (config.md 11). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <grp.h>
#include <pwd.h>
#include <talloc.h>

#include "auth/backend/backend.h"
#include "auth/backend/unix_groups.h"

static void the_primary_group_comes_first_and_once(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);

	(void)state;
	setpwent();
	for (const struct passwd *pw = getpwent(); pw; pw = getpwent()) {
		struct strv groups = { .n = 0 };
		const struct group *primary;
		size_t times = 0;

		assert_int_equal(unix_groups_of(ctx, pw->pw_name, &groups), ERR_OK);
		assert_true(groups.n >= 1);
		primary = getgrgid(pw->pw_gid);
		if (!primary)
			continue;
		assert_string_equal(groups.item[0], primary->gr_name);
		for (size_t i = 0; i < groups.n; i++)
			times += strcmp(groups.item[i], primary->gr_name) == 0;
		assert_int_equal(times, 1);
	}
	endpwent();
	talloc_free(ctx);
}

static void members_of_a_group_have_it(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char name[64], user[64];
	struct strv groups = { .n = 0 };
	const struct group *g;

	(void)state;
	setgrent();
	for (g = getgrent(); g && !(g->gr_mem[0] && getpwnam(g->gr_mem[0])); g = getgrent())
		;
	if (g) {
		snprintf(name, sizeof name, "%s", g->gr_name);
		snprintf(user, sizeof user, "%s", g->gr_mem[0]);
		assert_int_equal(unix_groups_of(ctx, user, &groups), ERR_OK);
		assert_true(strv_has(&groups, name));
	}
	endgrent();
	talloc_free(ctx);
}

static void an_unknown_account_is_told_from_an_error(void **state)
{
	struct strv groups = { .n = 0 };

	(void)state;
	assert_int_equal(unix_groups_of(NULL, "no-such-account-here", &groups), ERR_NOT_FOUND);
	assert_int_equal(groups.n, 0);
}

static void the_list_of_all_begins_at_the_lowest_number(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct strv all = { .n = 0 }, some = { .n = 0 }, none = { .n = 0 };

	(void)state;
	assert_int_equal(unix_groups_all(ctx, 0, &all), ERR_OK);
	assert_true(strv_has(&all, "root"));
	assert_int_equal(unix_groups_all(ctx, 1, &some), ERR_OK);
	assert_false(strv_has(&some, "root"));
	assert_int_equal(some.n + 1, all.n);
	assert_int_equal(unix_groups_all(ctx, UINT32_MAX, &none), ERR_OK);
	assert_int_equal(none.n, 0);
	talloc_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_primary_group_comes_first_and_once),
		cmocka_unit_test(members_of_a_group_have_it),
		cmocka_unit_test(an_unknown_account_is_told_from_an_error),
		cmocka_unit_test(the_list_of_all_begins_at_the_lowest_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
