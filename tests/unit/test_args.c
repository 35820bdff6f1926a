/* test_args.c - the daemon's command line. */
#include "super/args.h"

#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <syslog.h>

#include <cmocka.h>
#include <talloc.h>

#include "base/log.h"

static enum err parse(struct server_args *out, int argc, const char *const *argv)
{
	optind = 0; /* getopt starts afresh */
	return args_parse(argc, (char **)(uintptr_t)argv, out);
}

#define PARSE(out, ...)                                                                            \
	parse(out, (int)(sizeof((const char *[]){ "sallyportd", __VA_ARGS__ }) / sizeof(char *)),  \
	      (const char *[]){ "sallyportd", __VA_ARGS__, NULL })

static void long_and_short_forms_mean_the_same(void **state)
{
	struct server_args a, b;

	(void)state;
	assert_int_equal(PARSE(&a, "-f", "-c", "x.conf", "-d3", "-p", "pid"), ERR_OK);
	assert_int_equal(
		PARSE(&b, "--foreground", "--config=x.conf", "--debug", "3", "--pid-file=pid"),
		ERR_OK);
	assert_true(a.foreground && b.foreground);
	assert_string_equal(a.config, b.config);
	assert_string_equal(a.pid_file, b.pid_file);
	assert_int_equal(a.verbosity, 3);
	assert_int_equal(b.verbosity, 3);
}

static void both_spellings_choose_the_log(void **state)
{
	struct server_args a;

	(void)state;
	assert_int_equal(PARSE(&a, "-e"), ERR_OK);
	assert_int_equal(a.log_targets, LOG_TO_STDERR);
	assert_int_equal(PARSE(&a, "--syslog"), ERR_OK);
	assert_int_equal(a.log_targets, LOG_TO_SYSLOG);
	assert_int_equal(PARSE(&a, "--syslog-facility", "auth"), ERR_OK);
	assert_int_equal(a.facility, LOG_AUTH);
}

static void wrong_usage_exits_with_one(void **state)
{
	static const char *const wrong[] = { "extra", "--no-such-option", "--syslog-facility=kern",
					     "-dx", "-d10" };
	struct server_args a;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_int_equal(PARSE(&a, wrong[i]), ERR_CLOSED);
		assert_int_equal(a.exit_status, 1);
	}
}

static void version_and_help_exit_with_zero(void **state)
{
	struct server_args a;

	(void)state;
	assert_int_equal(PARSE(&a, "-v"), ERR_CLOSED);
	assert_int_equal(a.exit_status, 0);
	assert_int_equal(PARSE(&a, "--help"), ERR_CLOSED);
	assert_int_equal(a.exit_status, 0);
}

static void main_receives_what_it_needs(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct server_args a, b;
	char **v;
	int n = 0;

	(void)state;
	assert_int_equal(PARSE(&a, "-f", "-d", "5", "-e", "-x", "-c", "rel.conf",
			       "--syslog-facility=local3"),
			 ERR_OK);
	v = args_for_main(ctx, &a, "/abs.conf");
	while (v[n])
		n++;
	optind = 0;
	assert_int_equal(args_parse(n, v, &b), ERR_OK);
	assert_string_equal(b.config, "/abs.conf");
	assert_int_equal(b.verbosity, 5);
	assert_int_equal(b.facility, LOG_LOCAL3);
	assert_int_equal(b.log_targets, LOG_TO_STDERR);
	assert_true(b.foreground && b.traceable);
	talloc_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_and_short_forms_mean_the_same),
		cmocka_unit_test(both_spellings_choose_the_log),
		cmocka_unit_test(wrong_usage_exits_with_one),
		cmocka_unit_test(version_and_help_exit_with_zero),
		cmocka_unit_test(main_receives_what_it_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
