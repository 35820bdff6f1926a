/* test_auth_pam_line.c - the auth line of the backend `pam`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "auth/backend/pam.h"

struct row {
	const char *key, *value;
	enum err err;
	const char *why; /* part of it */
};

static void line_names_a_service_and_a_first_group(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct backend_pair item[] = { { "service", "vpn" }, { "gid-min", "1000" } };
	struct backend_pairs options = { item, 2 };
	const char *why = NULL;
	void *made;
	const struct pam *p;

	(void)state;
	assert_int_equal(backend_pam.open(ctx, &options, &made, &why), ERR_OK);
	p = made;
	assert_string_equal(p->service, "vpn");
	assert_int_equal(p->gid_min, 1000);
	options.n = 0;
	assert_int_equal(backend_pam.open(ctx, &options, &made, &why), ERR_OK);
	p = made;
	assert_string_equal(p->service, "ocserv");
	assert_int_equal(p->gid_min, 0);
	talloc_free(ctx);
}

/* libpam would take a path, and whatever file lies there. */
static void bad_lines_say_what_would_be_right(void **state)
{
	static const struct row rows[] = {
		{ "service", "", ERR_CONF, "write service=NAME" },
		{ "service", "../../tmp/x", ERR_CONF, "no name of a file in /etc/pam.d" },
		{ "gid-min", "-1", ERR_CONF, "error in gid-min value: -1" },
		{ "gid-min", "staff", ERR_CONF, "write the number of a unix group" },
		{ "gid-min", "4294967296", ERR_CONF, "error in gid-min value" },
	};
	TALLOC_CTX *ctx = talloc_new(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct backend_pair item = { rows[i].key, rows[i].value };
		struct backend_pairs options = { &item, 1 };
		const char *why = NULL;
		void *made = NULL;

		assert_int_equal(backend_pam.open(ctx, &options, &made, &why), rows[i].err);
		assert_non_null(strstr(why, rows[i].why));
		assert_null(made);
	}
	talloc_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_names_a_service_and_a_first_group),
		cmocka_unit_test(bad_lines_say_what_would_be_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
