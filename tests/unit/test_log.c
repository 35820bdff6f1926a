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
	assert_string_equal(text, "main e u=\"\\xc2\\x9b[2J\xc2\xa0\\xc2\"");
	/* To a terminal of Latin-1 these steer, too. */
	log_format(text, "main", NULL, "e", LOG_KVS(kv_str("u", "\x9b[2J\xff\xe2\x82\xac")));
	assert_string_equal(text, "main e u=\"\\x9b[2J\\xff\xe2\x82\xac\"");
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

static const struct timespec NOW = { .tv_sec = 1795330894, .tv_nsec = 42999999 };
static const struct log_origin MAIN = { "main", 812 };

static void an_object_has_time_origin_context_and_pairs(void **state)
{
	struct addr ip = { .family = AF_INET, .bytes = { 192, 0, 2, 7 } };
	struct log_ctx ctx = { .session = "9f3aQx", .user = "ann", .vhost = "default", .ip = &ip };
	char text[LOG_LINE];

	(void)state;
	log_format_json(text, &MAIN, LOG_LVL_INFO, &NOW, &ctx, "connected",
			LOG_KVS(kv_u64("try", UINT64_MAX), kv_i64("delta", INT64_MIN),
				kv_addr("inner", &ip), kv_text("user logged in")));
	assert_string_equal(text, "{\"time\":\"2026-11-22T07:01:34.042Z\",\"level\":\"info\","
				  "\"process\":\"main\",\"pid\":812,\"event\":\"connected\","
				  "\"session\":\"9f3aQx\",\"user\":\"ann\",\"vhost\":\"default\","
				  "\"ip\":\"192.0.2.7\",\"try\":18446744073709551615,"
				  "\"delta\":-9223372036854775808,\"inner\":\"192.0.2.7\","
				  "\"msg\":\"user logged in\"}");
}

static const char *after(const char *text, const char *what)
{
	const char *at = strstr(text, what);

	assert_non_null(at);
	return at + strlen(what);
}

static void an_object_is_utf_8_whatever_comes_from_outside(void **state)
{
	char text[LOG_LINE];

	(void)state;
	log_format_json(
		text, &MAIN, LOG_LVL_ERR, &NOW, NULL, "e",
		LOG_KVS(kv_str("u",
			       "a\"\\\n\x7f\xc2\x9b\xc3\xa4\xff\xed\xa0\x80\xf0\x9f\x94\x91")));
	assert_string_equal(after(text, "\"u\":"),
			    "\"a\\\"\\\\\\u000a\\u007f\\u009b\xc3\xa4\\ufffd\\ufffd\\ufffd\\ufffd"
			    "\xf0\x9f\x94\x91\"}");
}

static void an_object_has_each_key_once(void **state)
{
	struct log_ctx ctx = { .user = "of the context", .vhost = "v" };
	const struct log_origin unknown = { "worker", 0 };
	char text[LOG_LINE];

	(void)state;
	log_format_json(text, &MAIN, LOG_LVL_DEBUG, &NOW, &ctx, "e",
			LOG_KVS(kv_str("user", "of the event")));
	assert_string_equal(after(text, "\"event\":"),
			    "\"e\",\"vhost\":\"v\",\"user\":\"of the event\"}");
	log_format_json(text, &MAIN, LOG_LVL_ERR, &NOW, NULL, "e",
			LOG_KVS(kv_str("process", "auth"), kv_u64("pid", 5)));
	assert_string_equal(after(text, "\"process\":"),
			    "\"main\",\"pid\":812,\"event\":\"e\","
			    "\"about_process\":\"auth\",\"about_pid\":5}");
	log_format_json(text, &unknown, LOG_LVL_ERR, &NOW, NULL, "e", LOG_KVS());
	assert_string_equal(after(text, "\"process\":"), "\"worker\",\"event\":\"e\"}");
}

/* Whatever the length, the last characters close the string and the object. */
static void an_object_that_is_too_long_is_cut_inside_a_string(void **state)
{
	char text[LOG_LINE], value[2 * LOG_LINE];

	(void)state;
	memset(value, '\n', sizeof value);
	for (size_t len = LOG_LINE / 8; len < LOG_LINE; len++) {
		value[len] = '\0';
		log_format_json(text, &MAIN, LOG_LVL_ERR, &NOW, NULL, "e",
				LOG_KVS(kv_str("k", value), kv_u64("n", UINT64_MAX)));
		assert_true(strlen(text) < LOG_LINE);
		assert_true(strcmp(text + strlen(text) - 4, "0a\"}") == 0 ||
			    strstr(text, "\"n\":18446744073709551615}"));
		value[len] = '\n';
	}
}

static void names_are_lower_case_words(void **state)
{
	static const char *const bad[] = {
		"",	   "Upper",    "with space",
		"quote\"", "\xc3\xa4", "a-name-of-more-than-forty-characters-is-none"
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(log_is_name(bad[i]));
	assert_true(log_is_name("pin-sha256"));
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

static void relay_event(void *arg, enum log_level level, const struct log_ctx *ctx,
			const char *event, const struct kv *kvs)
{
	struct caught *c = arg;

	(void)ctx;
	assert_int_equal(level, LOG_LVL_INFO);
	assert_int_equal(kvs[0].u64, 7);
	c->n++;
	strcpy(c->text, event);
}

static void a_relaying_sink_is_given_events_and_not_lines(void **state)
{
	struct caught caught = { 0 };
	struct log_sink sink = { .relay = relay_event, .arg = &caught, .max = LOG_LVL_INFO };

	(void)state;
	log_set_sink(&sink);
	log_debug(NULL, "quiet", kv_u64("n", 7));
	log_info(NULL, "loud", kv_u64("n", 7));
	log_set_sink(NULL);
	assert_int_equal(caught.n, 1);
	assert_string_equal(caught.text, "loud");
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
		cmocka_unit_test(a_relaying_sink_is_given_events_and_not_lines),
		cmocka_unit_test(an_object_has_time_origin_context_and_pairs),
		cmocka_unit_test(an_object_is_utf_8_whatever_comes_from_outside),
		cmocka_unit_test(an_object_has_each_key_once),
		cmocka_unit_test(an_object_that_is_too_long_is_cut_inside_a_string),
		cmocka_unit_test(names_are_lower_case_words),
		cmocka_unit_test(verbosity_maps_to_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
