/* test_liveness.c - timers of a tunnel, with invented time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/path/liveness.h"

enum { T0 = 1000000 };

static struct liveness start(unsigned dpd, unsigned idle, unsigned quiet, uint64_t left)
{
	struct path_limits limits = {
		.dpd = dpd, .idle_timeout = idle, .switch_to_tcp = quiet, .session_left = left
	};
	struct liveness l;
	liveness_init(&l, &limits, T0);
	return l;
}

/* What happens at each deadline, up to UNTIL; how many times. */
static unsigned walk(struct liveness *l, uint64_t until, unsigned *actions, enum path_end *end)
{
	unsigned n = 0;
	*actions = 0;
	for (uint64_t at; *end == PATH_END_NONE && (at = liveness_deadline(l)) <= until; n++)
		*actions |= liveness_due(l, at, end);
	return n;
}

static void nothing_is_ever_due_when_all_is_off(void **state)
{
	(void)state;
	struct liveness l = start(0, 0, 0, 0);
	enum path_end end = PATH_END_NONE;
	liveness_udp_heard(&l, T0);
	assert_true(liveness_deadline(&l) == UINT64_MAX);
	assert_int_equal(liveness_due(&l, T0 + 1000000000, &end), 0);
	assert_int_equal(end, PATH_END_NONE);
}

static void tcp_is_probed_after_two_and_dead_after_three_intervals(void **state)
{
	(void)state;
	struct liveness l = start(10, 0, 0, 0);
	enum path_end end = PATH_END_NONE;
	unsigned actions;
	assert_int_equal(liveness_deadline(&l), T0 + 20000);
	assert_int_equal(liveness_due(&l, T0 + 19999, &end), 0);
	assert_int_equal(liveness_due(&l, T0 + 20000, &end), LIVENESS_PROBE_TCP);
	assert_int_equal(liveness_deadline(&l), T0 + 30000);
	assert_int_equal(walk(&l, T0 + 30000, &actions, &end), 1);
	assert_int_equal(end, PATH_END_DPD);
}

static void an_answer_starts_the_count_again(void **state)
{
	(void)state;
	struct liveness l = start(10, 0, 0, 0);
	enum path_end end = PATH_END_NONE;
	assert_int_equal(liveness_due(&l, T0 + 20000, &end), LIVENESS_PROBE_TCP);
	liveness_tcp_heard(&l, T0 + 21000);
	assert_int_equal(liveness_deadline(&l), T0 + 41000);
	assert_int_equal(liveness_due(&l, T0 + 31000, &end), 0);
	assert_int_equal(end, PATH_END_NONE);
}

static void a_process_that_slept_asks_before_it_gives_up(void **state)
{
	(void)state;
	struct liveness l = start(10, 0, 0, 0);
	enum path_end end = PATH_END_NONE;
	assert_int_equal(liveness_due(&l, T0 + 500000, &end), LIVENESS_PROBE_TCP);
	assert_int_equal(end, PATH_END_NONE);
	assert_int_equal(liveness_deadline(&l), T0 + 510000);
}

static void udp_is_probed_several_times_and_only_then_given_up(void **state)
{
	(void)state;
	struct liveness l = start(10, 0, 0, 0);
	enum path_end end = PATH_END_NONE;
	unsigned probes = 0, actions;
	liveness_udp_heard(&l, T0);
	for (uint64_t now = T0; now < T0 + 29000; now += 500) {
		liveness_tcp_heard(&l, now);
		if (liveness_due(&l, now, &end) & LIVENESS_PROBE_UDP)
			probes++;
	}
	assert_int_equal(probes, 4);
	liveness_tcp_heard(&l, T0 + 29999);
	assert_int_equal(walk(&l, T0 + 30000, &actions, &end), 1);
	assert_int_equal(actions, LIVENESS_UDP_DEAD);
	assert_int_equal(end, PATH_END_NONE);
	/* Now TCP alone is watched, until UDP is heard again. */
	assert_int_equal(liveness_deadline(&l), T0 + 49999);
	liveness_udp_heard(&l, T0 + 30001);
	assert_int_equal(liveness_deadline(&l), T0 + 49999);
}

static void sending_into_silence_first_asks_and_then_switches(void **state)
{
	(void)state;
	struct liveness l = start(0, 0, 24, 0);
	liveness_udp_heard(&l, T0);
	assert_int_equal(liveness_udp_sending(&l, T0 + 12000), 0);
	assert_int_equal(liveness_udp_sending(&l, T0 + 12001), LIVENESS_PROBE_UDP);
	assert_int_equal(liveness_udp_sending(&l, T0 + 12002), 0);
	assert_int_equal(liveness_udp_sending(&l, T0 + 15500), LIVENESS_PROBE_UDP);
	assert_int_equal(liveness_udp_sending(&l, T0 + 24000), LIVENESS_PROBE_UDP);
	assert_int_equal(liveness_udp_sending(&l, T0 + 24001), LIVENESS_UDP_DEAD);
	liveness_udp_heard(&l, T0 + 24002);
	assert_int_equal(liveness_udp_sending(&l, T0 + 24003), 0);
}

static void idleness_and_the_session_limit_end_a_session(void **state)
{
	(void)state;
	struct liveness l = start(0, 60, 0, 100);
	enum path_end end = PATH_END_NONE;
	assert_int_equal(liveness_deadline(&l), T0 + 60000);
	liveness_activity(&l, T0 + 50000);
	assert_int_equal(liveness_deadline(&l), T0 + 100000);
	(void)liveness_due(&l, T0 + 99999, &end);
	assert_int_equal(end, PATH_END_NONE);
	(void)liveness_due(&l, T0 + 100000, &end);
	assert_int_equal(end, PATH_END_SESSION_TIMEOUT);
	l = start(0, 60, 0, 0);
	end = PATH_END_NONE;
	(void)liveness_due(&l, T0 + 60000, &end);
	assert_int_equal(end, PATH_END_IDLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_ever_due_when_all_is_off),
		cmocka_unit_test(tcp_is_probed_after_two_and_dead_after_three_intervals),
		cmocka_unit_test(an_answer_starts_the_count_again),
		cmocka_unit_test(a_process_that_slept_asks_before_it_gives_up),
		cmocka_unit_test(udp_is_probed_several_times_and_only_then_given_up),
		cmocka_unit_test(sending_into_silence_first_asks_and_then_switches),
		cmocka_unit_test(idleness_and_the_session_limit_end_a_session),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
