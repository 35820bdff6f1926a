/* test_log.c - the line format and the threshold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"

static void a_line_names_event_context_and_pairs(void **state)
{
	struct addr ip = { .family = AF_INET, .bytes = { 192, 0, 2, 7 } };
	struct log_ctx ctx = { .session = "9f3aQx", .user = "ann", .vhost = "default", .ip = &ip };
	char text[LOG_LINE];

	(void)state;
	log_format(text, "auth", &ctx, "login-refused",
		   LOG_KVS(kv_u64("try", 2), kv_i64("delta", -1), kv_err(ERR_TIMEOUT)));
	assert_string_equal(text, "auth login-refused session=9f3aQx user=\"ann\" ip=192.0.2.7 "
				  "try=2 delta=-1 error=\"time limit passed\"");
}

static void text_from_outside_cannot_forge_a_line(void **state)
{
	char text[LOG_LINE];

	(void)state;
	log_format(text, "main", NULL, "e", LOG_KVS(kv_str("u", "a\"\\\n\x7f x=1\xc3\xa4")));
	assert_string_equal(text, "main e u=\"a\\\"\\\\\\x0a\\x7f x=1\xc3\xa4\"");
	log_format(text, "main", NULL, "e", LOG_KVS(kv_str("u", "\xc2\x9b[2J\xc2\xa0\xc2")));
	assert_string_equal(text, "main e u=\"\\xc2\\x9b[2J\xc2\xa0\xc2\"");
}

static void a_long_line_is_cut(void **state)
{
	char text[LOG_LINE], value[2 * LOG_LINE];

	(void)state;
	memset(value, 'v', sizeof value);
	value[sizeof value - 1] = '\0';
	log_format(text, "main", NULL, "e", LOG_KVS(kv_str("k", value)));
	assert_int_equal(strlen(text), LOG_LINE - 1);
}

struct caught {
	int n;
	char text[LOG_LINE];
};

static void catch_line(void *arg, enum log_level level, const char *text)
{
	struct caught *c = arg;

	(void)level;
	c->n++;
	strcpy(c->text, text);
}

static void lines_above_the_threshold_are_dropped(void **state)
{
	struct caught caught = { 0 };
	struct log_sink sink = {
		.write = catch_line, .arg = &caught, .max = LOG_LVL_INFO, .process = "worker"
	};

	(void)state;
	log_set_sink(&sink);
	log_debug(NULL, "quiet");
	log_info(NULL, "loud");
	log_set_sink(NULL);
	assert_int_equal(caught.n, 1);
	assert_string_equal(caught.text, "worker loud");
}

static void verbosity_maps_to_levels(void **state)
{
	(void)state;
	assert_int_equal(log_level_from_verbosity(0), LOG_LVL_NOTICE);
	assert_int_equal(log_level_from_verbosity(2), LOG_LVL_INFO);
	assert_int_equal(log_level_from_verbosity(3), LOG_LVL_DEBUG);
	assert_int_equal(log_level_from_verbosity(9), LOG_LVL_TRAFFIC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_names_event_context_and_pairs),
		cmocka_unit_test(text_from_outside_cannot_forge_a_line),
		cmocka_unit_test(a_long_line_is_cut),
		cmocka_unit_test(lines_above_the_threshold_are_dropped),
		cmocka_unit_test(verbosity_maps_to_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
