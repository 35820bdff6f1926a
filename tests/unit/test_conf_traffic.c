/* test_conf_traffic.c - the types of compression-algo-priority and net-priority. */
#include "tests/unit/conf_help.h"

/* The configuration of LINES; its warning, if there must be one, says WARNING. */
static struct fixture load(const char *lines, const char *warning)
{
	struct fixture f = fixture_new();

	assert_int_equal(fixture_load_more(&f, lines), ERR_OK);
	if (warning ? !fixture_said(&f, warning) : fixture_said(&f, "t.conf:8"))
		fixture_explain(&f, lines);
	assert_true(warning ? fixture_said(&f, warning) : !fixture_said(&f, "t.conf:8"));
	return f;
}

/* OPTION = VALUE is accepted, with a warning of BEFORE, the value and AFTER. */
static struct fixture warned(const char *option, const char *value, const char *before,
			     const char *after)
{
	char lines[100], warning[200];

	snprintf(lines, sizeof lines, "%s = %s\n", option, value);
	snprintf(warning, sizeof warning, "%s%s%s", before, value, after);
	return load(lines, warning);
}

static void prefers(const char *value, uint32_t lz4, uint32_t lzs)
{
	char lines[200];
	struct fixture f;

	snprintf(lines, sizeof lines, "compression-algo-priority = %s\n", value);
	f = load(lines, NULL);
	assert_int_equal(f.conf->compression_algo_priority.lz4, lz4);
	assert_int_equal(f.conf->compression_algo_priority.lzs, lzs);
	talloc_free(f.ctx);
}

/* config.md 8.3. */
static void both_ways_to_prefer_an_algorithm_are_read(void **state)
{
	(void)state;
	prefers("oc-lz4:lzs", 90, 80);
	prefers("lz4:lzs", 90, 80);
	prefers("lzs:lz4", 80, 90);
	prefers("LZS:OC-LZ4", 80, 90);
	prefers("lzs", 80, 90);
	prefers("lz4", 90, 80);
	prefers("lzs:100", 90, 100);
	prefers("Oc-Lz4:1", 1, 80);
	prefers("lzs:95\ncompression-algo-priority = oc-lz4:96", 96, 95);
}

static void other_values_are_named_and_change_nothing(void **state)
{
	static const char *const bad[] = {
		"",	   "zip",     "lzs:",	  "lzs:0",   "lzs:-1",
		"lzs:lzs", "lz4:zip", "lz4,lzs",  "lzs 100", "lzs:100:oc-lz4:90",
		":lzs",	   "lzs:1x",  "deflate:1"
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct fixture f = warned("compression-algo-priority", bad[i],
					  "invalid compression modstring ", "; write ");

		assert_int_equal(f.conf->compression_algo_priority.lz4, 90);
		assert_int_equal(f.conf->compression_algo_priority.lzs, 80);
		talloc_free(f.ctx);
	}
}

static void compression_is_off_unless_asked_for(void **state)
{
	struct fixture f = load("compression-algo-priority = lzs\n", NULL);

	(void)state;
	assert_false(f.conf->host[0]->compression);
	talloc_free(f.ctx);
}

static void has_priority(const char *value, bool tos, unsigned number)
{
	char lines[100];
	struct fixture f;

	snprintf(lines, sizeof lines, "net-priority = %s\n", value);
	f = load(lines, NULL);
	assert_true(f.conf->host[0]->net_priority.set);
	assert_int_equal(f.conf->host[0]->net_priority.tos, tos);
	assert_int_equal(f.conf->host[0]->net_priority.value, number);
	talloc_free(f.ctx);
}

/* config.md 8.11. */
static void priorities_are_numbers_or_tos_bytes(void **state)
{
	(void)state;
	has_priority("0", false, 0);
	has_priority("6", false, 6);
	has_priority("0x10", true, 0x10);
	has_priority("0XB8", true, 0xb8);
	has_priority("0xff", true, 0xff);
	has_priority("0x0", true, 0);
}

static void other_priorities_have_no_effect_and_are_named(void **state)
{
	static const char *const bad[] = { "7", "-1", "high", "0x", "0x100", "0xZZ", "3 4", "1.5" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct fixture f = warned("net-priority", bad[i], "'",
					  "' has no effect; write 0 to 6, or 0xNN");

		assert_false(f.conf->host[0]->net_priority.set);
		talloc_free(f.ctx);
	}
}

/* No effect means that the host's value stays. */
static void a_bad_priority_of_a_user_leaves_the_host_s(void **state)
{
	struct fixture f = load("net-priority = 4\n", NULL);
	struct conf_rows rows = { 0 };
	struct session_conf *s = NULL;
	struct conf_row row = { .option = "net-priority", .value = "9", .file = "u", .line = 1 };

	(void)state;
	assert_int_equal(conf_rows_add(f.ctx, &rows, &row), ERR_OK);
	assert_int_equal(conf_session_new(f.ctx, f.conf->host[0], &rows, f.report, &s), ERR_OK);
	assert_true(s->net_priority.set);
	assert_int_equal(s->net_priority.value, 4);
	assert_true(fixture_said(&f, "'9' has no effect"));
	talloc_free(f.ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways_to_prefer_an_algorithm_are_read),
		cmocka_unit_test(other_values_are_named_and_change_nothing),
		cmocka_unit_test(compression_is_off_unless_asked_for),
		cmocka_unit_test(priorities_are_numbers_or_tos_bytes),
		cmocka_unit_test(other_priorities_have_no_effect_and_are_named),
		cmocka_unit_test(a_bad_priority_of_a_user_leaves_the_host_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
