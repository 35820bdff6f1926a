/* test_conf_traffic.c - the type of compression-algo-priority. */
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
		char lines[100], warning[100];
		struct fixture f;

		snprintf(lines, sizeof lines, "compression-algo-priority = %s\n", bad[i]);
		snprintf(warning, sizeof warning, "invalid compression modstring %s; write ",
			 bad[i]);
		f = load(lines, warning);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways_to_prefer_an_algorithm_are_read),
		cmocka_unit_test(other_values_are_named_and_change_nothing),
		cmocka_unit_test(compression_is_off_unless_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
