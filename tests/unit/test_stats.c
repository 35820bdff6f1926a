/* test_stats.c - statistics of sessions and logins, reasons of their ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "main/stats.h"

static const int64_t start = 1000000;

static struct stats_end ended(EndReason reason, uint64_t seconds)
{
	return (struct stats_end){ reason, seconds, 10, 20 };
}

static void closed_sessions_count_in_total_and_in_the_period(void **state)
{
	struct stats s;
	struct stats_end end = ended(END_REASON__END_USER, 61);

	(void)state;
	stats_init(&s, start);
	assert_false(stats_session_end(&s, &end, start + 5, 100));
	assert_false(stats_session_end(&s, &end, start + 6, 100));
	assert_int_equal(s.total_closed, 2);
	assert_int_equal(s.now.closed, 2);
	assert_int_equal(s.now.rx, 20);
	assert_int_equal(s.now.tx, 40);
}

static void a_period_ends_with_the_first_session_after_its_time(void **state)
{
	struct stats s;
	struct stats_end end = ended(END_REASON__END_USER, 1);

	(void)state;
	stats_init(&s, start);
	assert_false(stats_session_end(&s, &end, start + 99, 100));
	assert_true(stats_session_end(&s, &end, start + 100, 100));
	stats_mtu(&s, 1400);
	stats_login_failed(&s);
	stats_reset(&s, start + 100);
	assert_int_equal(s.now.closed, 0);
	assert_int_equal(s.now.auth_failures, 0);
	assert_int_equal(s.total_closed, 2);
	assert_int_equal(s.total_auth_failures, 1);
	assert_int_equal(s.max_mtu, 1400);
	assert_int_equal(s.last_reset, start + 100);
}

static void a_period_of_zero_never_ends(void **state)
{
	struct stats s;
	struct stats_end end = ended(END_REASON__END_USER, 1);

	(void)state;
	stats_init(&s, start);
	assert_false(stats_session_end(&s, &end, start * 2, 0));
}

static void reasons_are_counted_apart(void **state)
{
	struct stats s;
	const EndReason reasons[] = {
		END_REASON__END_SESSION_TIMEOUT, END_REASON__END_IDLE, END_REASON__END_IDLE,
		END_REASON__END_ERROR,		 END_REASON__END_USER, END_REASON__END_DPD
	};

	(void)state;
	stats_init(&s, start);
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
		struct stats_end end = ended(reasons[i], 1);
		(void)!stats_session_end(&s, &end, start, 0);
	}
	assert_int_equal(s.now.timed_out, 1);
	assert_int_equal(s.now.idle, 2);
	assert_int_equal(s.now.errors, 1);
}

static void times_are_averaged_and_their_maximum_is_kept(void **state)
{
	struct stats s;
	struct stats_end quick = ended(END_REASON__END_USER, 59);
	struct stats_end slow = ended(END_REASON__END_USER, 4 * 60 + 59);

	(void)state;
	stats_init(&s, start);
	assert_int_equal(stats_auth_time_avg(&s), 0);
	assert_int_equal(stats_session_time_avg(&s), 0);
	stats_login(&s, 2);
	stats_login(&s, 8);
	assert_int_equal(stats_auth_time_avg(&s), 5);
	assert_int_equal(s.now.auth_time_max, 8);
	(void)!stats_session_end(&s, &quick, start, 0);
	(void)!stats_session_end(&s, &slow, start, 0);
	assert_int_equal(stats_session_time_avg(&s), 2);
	assert_int_equal(s.now.session_time_max, 4);
}

static void mtu_extremes_ignore_sessions_that_do_not_know_theirs(void **state)
{
	struct stats s;

	(void)state;
	stats_init(&s, start);
	stats_mtu(&s, 0);
	assert_int_equal(s.min_mtu, 0);
	stats_mtu(&s, 1434);
	stats_mtu(&s, 1200);
	stats_mtu(&s, 0);
	assert_int_equal(s.min_mtu, 1200);
	assert_int_equal(s.max_mtu, 1434);
}

static void reasons_have_the_texts_that_log_watchers_know(void **state)
{
	(void)state;
	assert_string_equal(end_reason_text(END_REASON__END_UNSPECIFIED), "unspecified");
	assert_string_equal(end_reason_text(END_REASON__END_ADMIN), "unspecified");
	assert_string_equal(end_reason_text(END_REASON__END_USER), "user disconnected");
	assert_string_equal(end_reason_text(END_REASON__END_SERVER), "server disconnected");
	assert_string_equal(end_reason_text(END_REASON__END_IDLE), "idle timeout");
	assert_string_equal(end_reason_text(END_REASON__END_DPD), "DPD timeout");
	assert_string_equal(end_reason_text(END_REASON__END_SESSION_TIMEOUT), "session timeout");
	assert_string_equal(end_reason_text(END_REASON__END_HEALTH_PROBE), "TCP health probe");
	assert_string_equal(end_reason_text((EndReason)99), "unknown");
}

static void only_deliberate_ends_kill_the_ticket(void **state)
{
	(void)state;
	assert_false(end_reason_keeps(END_REASON__END_USER));
	assert_false(end_reason_keeps(END_REASON__END_ADMIN));
	assert_false(end_reason_keeps(END_REASON__END_SESSION_TIMEOUT));
	assert_true(end_reason_keeps(END_REASON__END_DPD));
	assert_true(end_reason_keeps(END_REASON__END_TAKEOVER));
	assert_true(end_reason_keeps(END_REASON__END_CONNECTION_LOST));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closed_sessions_count_in_total_and_in_the_period),
		cmocka_unit_test(a_period_ends_with_the_first_session_after_its_time),
		cmocka_unit_test(a_period_of_zero_never_ends),
		cmocka_unit_test(reasons_are_counted_apart),
		cmocka_unit_test(times_are_averaged_and_their_maximum_is_kept),
		cmocka_unit_test(mtu_extremes_ignore_sessions_that_do_not_know_theirs),
		cmocka_unit_test(reasons_have_the_texts_that_log_watchers_know),
		cmocka_unit_test(only_deliberate_ends_kill_the_ticket),
	};

	return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
