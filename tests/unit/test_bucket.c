/* test_bucket.c - token buckets: exact over time, bounded at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/path/bucket.h"

/* Bytes of packets of LEN that pass in SECONDS when somebody looks every EVERY ms. */
static uint64_t passed(uint64_t rate, size_t len, unsigned seconds, unsigned every)
{
	struct bucket b;
	uint64_t sum = 0;

	bucket_init(&b, rate, 5000);
	for (uint64_t now = 5000; now < 5000 + seconds * 1000; now += every) {
		bucket_fill(&b, now);
		for (; bucket_is_open(&b); sum += len)
			bucket_take(&b, len);
	}
	return sum;
}

static void rate_is_exact_over_ten_seconds(void **state)
{
	static const uint64_t rates[] = { 16000, 100000, 1000000, 125000000 };

	(void)state;
	for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
		for (unsigned every = 1; every <= 50; every += 7) {
			uint64_t sum = passed(rates[i], 1400, 10, every);

			assert_in_range(sum, rates[i] * 95 / 10, rates[i] * 105 / 10);
		}
}

static void no_rate_is_no_limit(void **state)
{
	struct bucket b;

	(void)state;
	bucket_init(&b, 0, 0);
	bucket_take(&b, 1000000000);
	bucket_fill(&b, UINT64_MAX);
	assert_true(bucket_is_open(&b));
	assert_true(bucket_level(&b) == SIZE_MAX);
	assert_true(bucket_opens(&b) == UINT64_MAX);
}

static void pause_saves_a_tenth_of_a_second_only(void **state)
{
	struct bucket b;

	(void)state;
	bucket_init(&b, 1000000, 0);
	bucket_fill(&b, UINT64_C(1) << 62);
	assert_int_equal(bucket_level(&b), 100000);
}

static void closed_bucket_opens_when_it_says(void **state)
{
	struct bucket b;
	uint64_t at;

	(void)state;
	bucket_init(&b, 1000, 100);
	bucket_take(&b, 5000); /* 3000 were in it */
	at = bucket_opens(&b);
	assert_int_equal(at, 2101);
	bucket_fill(&b, at - 1);
	assert_false(bucket_is_open(&b));
	bucket_fill(&b, at);
	assert_true(bucket_is_open(&b));
}

static void time_that_stands_still_or_goes_back_gives_nothing(void **state)
{
	struct bucket b;

	(void)state;
	bucket_init(&b, 1000, 100);
	bucket_take(&b, 3000);
	bucket_fill(&b, 100);
	bucket_fill(&b, 50);
	assert_false(bucket_is_open(&b));
	assert_int_equal(bucket_level(&b), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rate_is_exact_over_ten_seconds),
		cmocka_unit_test(no_rate_is_no_limit),
		cmocka_unit_test(pause_saves_a_tenth_of_a_second_only),
		cmocka_unit_test(closed_bucket_opens_when_it_says),
		cmocka_unit_test(time_that_stands_still_or_goes_back_gives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
