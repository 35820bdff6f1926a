/* test_replay.c - the replay window, against a list of everything seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "worker/path/replay.h"

static void a_number_is_new_once(void **state)
{
	struct replay r;
	(void)state;
	replay_init(&r, 0);
	for (uint64_t n = 0; n < 3000; n++) {
		assert_true(replay_is_new(&r, n));
		assert_true(replay_is_new(&r, n)); /* asking changes nothing */
		replay_mark(&r, n);
		assert_false(replay_is_new(&r, n));
	}
}

static void late_numbers_are_taken_within_the_window(void **state)
{
	struct replay r;
	(void)state;
	replay_init(&r, 0);
	replay_mark(&r, 5000);
	assert_true(replay_is_new(&r, 5001 - REPLAY_WINDOW));
	assert_false(replay_is_new(&r, 5000 - REPLAY_WINDOW));
	assert_true(REPLAY_WINDOW >= 64); /* RFC 6347 4.1.2.6 */
	replay_mark(&r, 5001 - REPLAY_WINDOW);
	assert_false(replay_is_new(&r, 5001 - REPLAY_WINDOW));
	assert_true(replay_is_new(&r, 4999));
}

static void what_was_seen_before_the_start_stays_seen(void **state)
{
	static const uint64_t starts[] = { 0, 1, 63, 64, 65, 960, 1023, 1024, 70000 };
	struct replay r;
	(void)state;
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
		replay_init(&r, starts[i]);
		for (uint64_t n = 0; n < starts[i]; n++)
			assert_false(replay_is_new(&r, n));
		for (uint64_t n = starts[i]; n < starts[i] + 2000; n++) {
			assert_true(replay_is_new(&r, n));
			replay_mark(&r, n);
			assert_false(n && replay_is_new(&r, n - 1));
		}
	}
}

static void it_works_up_to_the_last_number(void **state)
{
	const uint64_t last = (UINT64_C(1) << 48) - 1;
	struct replay r;
	(void)state;
	replay_init(&r, 0);
	replay_mark(&r, last);
	assert_false(replay_is_new(&r, last));
	assert_true(replay_is_new(&r, last - 1));
	assert_false(replay_is_new(&r, 0));
}

/* A list of all numbers seen gives the same answers. */
static void it_answers_as_a_complete_list_would(void **state)
{
	enum { ALL = 40000 };
	static bool seen[ALL];
	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		struct replay r;
		uint64_t top = 0; /* one more than the largest seen */
		srandom(seed);
		memset(seen, 0, sizeof seen);
		replay_init(&r, 0);
		for (int i = 0; i < 20000; i++) {
			uint64_t near = top + (uint64_t)random() % 3;
			if (random() % 3 == 0)
				near = top > 1500 ? top - (uint64_t)random() % 1500 : 0;
			if (random() % 500 == 0)
				near = top + (uint64_t)random() % 2500;
			if (near >= ALL)
				break;
			bool old = near < top && top - near > REPLAY_WINDOW;
			assert_int_equal(replay_is_new(&r, near), !old && !seen[near]);
			if (!replay_is_new(&r, near) || random() % 10 == 0)
				continue;
			replay_mark(&r, near);
			seen[near] = true;
			top = near >= top ? near + 1 : top;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_new_once),
		cmocka_unit_test(late_numbers_are_taken_within_the_window),
		cmocka_unit_test(what_was_seen_before_the_start_stays_seen),
		cmocka_unit_test(it_works_up_to_the_last_number),
		cmocka_unit_test(it_answers_as_a_complete_list_would),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
