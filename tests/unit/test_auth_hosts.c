/* test_auth_hosts.c - auth lines become methods; every fault of a host is reported. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "auth/hosts.h"

static struct conf_subopt passwd = { "passwd", "/etc/passwd" };
static const struct conf_auth plain = { CONF_METHOD_PLAIN, "plain", &passwd, 1 };
static struct conf_subopt otp = { "otp", "/etc/otp" };
static const struct conf_auth codes = { CONF_METHOD_PLAIN, "plain", &otp, 1 };
static struct conf_subopt both_files[] = { { "passwd", "/etc/passwd" }, { "otp", "/etc/otp" } };
static const struct conf_auth plain_with_codes = { CONF_METHOD_PLAIN, "plain", both_files, 2 };
static const struct conf_auth pam = { CONF_METHOD_PAM, "pam", NULL, 0 };
static const struct conf_auth bare = { CONF_METHOD_PLAIN, "plain", NULL, 0 };
static const struct conf_auth certificate = { CONF_METHOD_CERTIFICATE, "certificate", NULL, 0 };

/* By its name, which no backend has. */
static const struct conf_auth unknown = { CONF_METHOD_OIDC, "unknown", NULL, 0 };

struct made {
	const struct login_method *m;
	size_t n;
	const char *why;
	enum err err;
};

static struct made methods(TALLOC_CTX *ctx, struct conf_auth *primary, size_t n_primary,
			   struct conf_auth *other, size_t n_other)
{
	struct conf_auths a = { primary, n_primary }, b = { other, n_other };
	struct made out = { .why = NULL };

	out.err = hosts_methods(ctx, &a, &b, &out.m, &out.n, &out.why);
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

static void lines_of_auth_must_all_succeed(void **state)
{
	struct conf_auth both[] = { plain, certificate };
	struct made made = methods(*state, both, 2, NULL, 0);

	assert_int_equal(made.err, ERR_OK);
	assert_int_equal(made.n, 1);
	assert_true(made.m[0].certificate);
	assert_string_equal(made.m[0].factor[0].backend->name, "plain");
	assert_string_equal(backend_pair_get(&made.m[0].factor[0].options, "passwd"),
			    "/etc/passwd");
}

static void lines_of_enable_auth_are_alternatives(void **state)
{
	struct conf_auth one[] = { plain }, other[] = { certificate };
	struct made made = methods(*state, one, 1, other, 1);

	assert_int_equal(made.err, ERR_OK);
	assert_int_equal(made.n, 2);
	assert_false(made.m[0].certificate);
	assert_true(made.m[1].certificate);
	assert_null(made.m[1].factor[0].backend);
}

static void method_that_is_not_built_shuts_its_way_in(void **state)
{
	struct conf_auth one[] = { unknown }, other[] = { unknown };
	struct made made = methods(*state, one, 1, other, 1);

	assert_int_equal(made.err, ERR_OK);
	assert_true(made.m[0].missing && made.m[1].missing);
}

static void certificate_twice_is_like_once(void **state)
{
	struct conf_auth twice[] = { certificate, certificate };

	assert_int_equal(methods(*state, twice, 2, NULL, 0).err, ERR_OK);
}

static void two_password_methods_do_not_mix(void **state)
{
	struct conf_auth two[] = { plain, plain };
	struct made made = methods(*state, two, 2, NULL, 0);

	assert_int_equal(made.err, ERR_CONF);
	assert_string_equal(made.why,
			    "you cannot mix multiple authentication methods of plain type");
}

static void codes_are_the_second_factor_whatever_the_order(void **state)
{
	struct conf_auth lines[][3] = { { pam, codes, certificate }, { codes, certificate, pam } };

	for (size_t i = 0; i < 2; i++) {
		struct made made = methods(*state, lines[i], 3, NULL, 0);

		assert_int_equal(made.err, ERR_OK);
		assert_true(made.m[0].certificate);
		assert_string_equal(made.m[0].factor[0].backend->name, "pam");
		assert_string_equal(made.m[0].factor[1].backend->name, "plain");
		assert_string_equal(backend_pair_get(&made.m[0].factor[1].options, "otp"),
				    "/etc/otp");
	}
}

static void codes_alone_are_the_only_factor(void **state)
{
	struct conf_auth lines[] = { certificate, codes };
	struct made made = methods(*state, lines, 2, NULL, 0);

	assert_int_equal(made.err, ERR_OK);
	assert_string_equal(made.m[0].factor[0].backend->name, "plain");
	assert_null(made.m[0].factor[1].backend);
}

static void codes_are_asked_for_once(void **state)
{
	struct conf_auth twice[] = { codes, codes }, own[] = { plain_with_codes, codes },
			 three[] = { plain, codes, pam };

	assert_int_equal(methods(*state, twice, 2, NULL, 0).err, ERR_CONF);
	assert_int_equal(methods(*state, own, 2, NULL, 0).err, ERR_CONF);
	assert_int_equal(methods(*state, three, 3, NULL, 0).err, ERR_CONF);
}

static void options_of_a_method_are_checked(void **state)
{
	struct conf_auth one[] = { bare };
	struct made made = methods(*state, one, 1, NULL, 0);

	assert_int_equal(made.err, ERR_CONF);
	assert_string_equal(made.why, "plain: no password or OTP file specified");
}

static void host_without_methods_is_refused(void **state)
{
	struct made made = methods(*state, NULL, 0, NULL, 0);

	assert_int_equal(made.err, ERR_CONF);
	assert_non_null(made.why);
}

static void every_fault_is_reported(void **state)
{
	const struct conf_row rows[] = {
		{ NULL, "auth", "plain[passwd=/etc/passwd]", "f", 1 },
		{ NULL, "server-cert", "/nonexistent/cert", "f", 2 },
		{ NULL, "server-key", "/nonexistent/key", "f", 3 },
		{ "b.example", "server-cert", "/nonexistent/cert2", "f", 4 },
		{ "c.example", "tls-priorities", "NORMAL:+WHAT", "f", 5 },
	};
	struct keys_report report = { .ctx = *state };
	struct conf_rows all = { .n = 0 };
	struct hosts *hosts;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(conf_rows_add(*state, &all, &rows[i]), ERR_OK);
	assert_int_not_equal(hosts_load(*state, &all, 1, &report, &hosts), ERR_OK);
	assert_true(report.error.n >= 3);
	assert_string_equal(report.error.item[0],
			    "cannot open file '/nonexistent/cert': No such file or directory");
	assert_string_equal(report.error.item[1],
			    "cannot open file '/nonexistent/key': No such file or directory");
	assert_true(strv_has(&report.error, "f:5: tls-priorities: GnuTLS does not know '+WHAT'"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(lines_of_auth_must_all_succeed),
		CASE(lines_of_enable_auth_are_alternatives),
		CASE(certificate_twice_is_like_once),
		CASE(two_password_methods_do_not_mix),
		CASE(codes_are_the_second_factor_whatever_the_order),
		CASE(codes_alone_are_the_only_factor),
		CASE(codes_are_asked_for_once),
		CASE(options_of_a_method_are_checked),
		CASE(host_without_methods_is_refused),
		CASE(every_fault_is_reported),
		CASE(method_that_is_not_built_shuts_its_way_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
