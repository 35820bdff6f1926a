/* test_auth_groups.c - the group rules of config.md 11. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "auth/groups.h"

static const struct group_entry entries[] = { { "staff", "Staff" }, { "guests", "staff" } };
static const struct group_list list = { entries, 2, "no group" };
static const struct group_list none_listed = { NULL, 0, NULL };

static struct strv names(char **item, size_t n)
{
	return (struct strv){ item, n };
}

static void name_wins_over_label(void **state)
{
	(void)state;
	assert_string_equal(group_find(&list, "staff"), "staff");
	assert_string_equal(group_find(&list, "Staff"), "staff");
	assert_null(group_find(&list, "other"));
	assert_null(group_find(&list, ""));
}

static void selection_may_be_nothing_the_default_or_a_name(void **state)
{
	const char *name = NULL;

	(void)state;
	assert_int_equal(group_select(&list, "", &name), GROUP_UNSELECTED);
	assert_int_equal(group_select(&list, "no group", &name), GROUP_NONE);
	assert_int_equal(group_select(&list, "other", &name), GROUP_NAMED);
	assert_string_equal(name, "other");
}

static void member_gets_what_he_selected_or_his_first(void **state)
{
	char *item[] = { (char *)(uintptr_t) "ops", (char *)(uintptr_t) "staff" };
	struct strv member = names(item, 2);
	const char *out = NULL;

	(void)state;
	assert_int_equal(group_of_member(GROUP_NAMED, "staff", &member, &out), GROUP_OK);
	assert_string_equal(out, "staff");
	assert_int_equal(group_of_member(GROUP_UNSELECTED, "", &member, &out), GROUP_OK);
	assert_string_equal(out, "ops");
	assert_int_equal(group_of_member(GROUP_NONE, "", &member, &out), GROUP_OK);
	assert_string_equal(out, "");
	assert_int_equal(group_of_member(GROUP_NAMED, "Staff", &member, &out), GROUP_REFUSE);
	member.n = 0;
	assert_int_equal(group_of_member(GROUP_UNSELECTED, "", &member, &out), GROUP_OK);
	assert_string_equal(out, "");
}

static void certificate_needs_exactly_one_eligible_group(void **state)
{
	char *item[] = { (char *)(uintptr_t) "guests", (char *)(uintptr_t) "hidden",
			 (char *)(uintptr_t) "staff" };
	struct strv cert = names(item, 2);
	const char *out = NULL;

	(void)state;
	assert_int_equal(group_of_certificate(&list, GROUP_UNSELECTED, "", &cert, &out), GROUP_OK);
	assert_string_equal(out, "guests");
	assert_int_equal(group_of_certificate(&none_listed, GROUP_UNSELECTED, "", &cert, &out),
			 GROUP_ASK);
	cert.n = 3;
	assert_int_equal(group_of_certificate(&list, GROUP_UNSELECTED, "", &cert, &out), GROUP_ASK);
	cert = names(item + 1, 1);
	assert_int_equal(group_of_certificate(&list, GROUP_UNSELECTED, "", &cert, &out), GROUP_ASK);
	assert_int_equal(group_of_certificate(&none_listed, GROUP_UNSELECTED, "", &cert, &out),
			 GROUP_OK);
	assert_int_equal(group_of_certificate(&list, GROUP_NAMED, "hidden", &cert, &out), GROUP_OK);
	assert_int_equal(group_of_certificate(&list, GROUP_NAMED, "staff", &cert, &out),
			 GROUP_REFUSE);
	cert.n = 0;
	assert_int_equal(group_of_certificate(&list, GROUP_UNSELECTED, "", &cert, &out), GROUP_OK);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_wins_over_label),
		cmocka_unit_test(selection_may_be_nothing_the_default_or_a_name),
		cmocka_unit_test(member_gets_what_he_selected_or_his_first),
		cmocka_unit_test(certificate_needs_exactly_one_eligible_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
