/* test_ban.c - scores per address; time is 1000000 plus what the case says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "main/ban.h"

enum { T0 = 1000000 };

struct fixture {
	struct ban_table *b;
	struct log_sink sink;
	char last[LOG_LINE];
};

static void remember_line(void *arg, enum log_level level, const char *text)
{
	struct fixture *f = arg;

	(void)level;
	strcpy(f->last, text);
}

static int setup(void **state)
{
	static const struct ban_limits limits = { 80, 300, 1200 };
	struct fixture *f = talloc_zero(NULL, struct fixture);

	f->sink = (struct log_sink){
		.write = remember_line, .arg = f, .max = LOG_LVL_DEBUG, .process = "main"
	};
	log_set_sink(&f->sink);
	assert_int_equal(ban_table_new(f, &f->b), ERR_OK);
	ban_set_limits(f->b, &limits);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	log_set_sink(NULL);
	return talloc_free(*state);
}

static struct addr addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), ERR_OK);
	return a;
}

static void count_entry(void *arg, const struct ban_entry *e)
{
	struct ban_entry *out = arg;

	*out = *e;
}

/* The only entry of the table. */
static struct ban_entry only(const struct fixture *f, int64_t now)
{
	struct ban_entry e = { 0 };

	ban_each(f->b, now, count_entry, &e);
	return e;
}

static void an_address_over_the_threshold_is_refused_for_the_ban_time(void **state)
{
	struct fixture *f = *state;
	struct addr a = addr("198.51.100.7");

	for (int i = 0; i < 7; i++)
		ban_charge(f->b, &a, BAN_FAULT, 10, T0);
	assert_false(ban_is_refused(f->b, &a, T0));
	ban_charge(f->b, &a, BAN_FAULT, 10, T0);
	assert_non_null(strstr(f->last, "added IP '198.51.100.7' (with score 80) to ban list"));
	assert_true(ban_is_refused(f->b, &a, T0 + 299));
	assert_non_null(strstr(f->last, "rejected connection from banned IP: 198.51.100.7"));
	assert_int_equal(ban_count(f->b, T0 + 299), 1);
	assert_false(ban_is_refused(f->b, &a, T0 + 300));
	assert_int_equal(ban_count(f->b, T0 + 300), 0);
}

static void more_attempts_raise_the_score_but_not_the_ban(void **state)
{
	struct fixture *f = *state;
	struct addr a = addr("198.51.100.7");

	ban_charge(f->b, &a, BAN_FAULT, 80, T0);
	ban_charge(f->b, &a, BAN_FAULT, 50, T0 + 200);
	assert_int_equal(only(f, T0 + 200).score, 130);
	assert_int_equal(only(f, T0 + 200).expires, T0 + 300);
	assert_false(ban_is_refused(f->b, &a, T0 + 300));
	ban_charge(f->b, &a, BAN_FAULT, 10, T0 + 301);
	assert_int_equal(only(f, T0 + 301).score, 10);
}

static void a_score_below_the_threshold_restarts_after_the_reset_time(void **state)
{
	struct fixture *f = *state;
	struct addr a = addr("198.51.100.7");

	ban_charge(f->b, &a, BAN_FAULT, 70, T0);
	ban_charge(f->b, &a, BAN_FAULT, 5, T0 + 1199);
	assert_int_equal(only(f, T0).score, 75);
	ban_charge(f->b, &a, BAN_FAULT, 10, T0 + 1200);
	assert_int_equal(only(f, T0).score, 10);
	assert_false(ban_is_refused(f->b, &a, T0 + 1200));
}

static void an_ipv6_client_is_its_64(void **state)
{
	struct fixture *f = *state;
	struct addr a = addr("2001:db8:1:2::7"), b = addr("2001:db8:1:2:ffff::1");
	struct addr other = addr("2001:db8:1:3::7"), net = addr("2001:db8:1:2::");
	struct ban_entry e;

	ban_charge(f->b, &a, BAN_FAULT, 80, T0);
	assert_true(ban_is_refused(f->b, &b, T0));
	assert_false(ban_is_refused(f->b, &other, T0));
	e = only(f, T0);
	assert_true(addr_equal(&e.addr, &net));
}

static void our_own_subnets_are_never_refused(void **state)
{
	struct fixture *f = *state;
	struct addr a = addr("10.0.0.7");
	struct addr_net net;

	assert_int_equal(addr_net_parse("10.0.0.1/24", &net), ERR_OK);
	assert_int_equal(ban_set_local(f->b, &net, 1), ERR_OK);
	ban_charge(f->b, &a, BAN_CONNECTION, 1, T0);
	assert_int_equal(only(f, T0).score, 0);
	ban_charge(f->b, &a, BAN_FAULT, 100, T0);
	assert_false(ban_is_refused(f->b, &a, T0));
	assert_non_null(strstr(f->last, "Not applying ban to local IP: 10.0.0.7"));
	assert_int_equal(ban_count(f->b, T0), 1);
}

static void unban_clears_the_score_and_keeps_the_entry(void **state)
{
	struct fixture *f = *state;
	struct addr a = addr("198.51.100.7"), b = addr("198.51.100.8");

	ban_charge(f->b, &a, BAN_FAULT, 80, T0);
	assert_int_equal(ban_lift(f->b, &b), ERR_NOT_FOUND);
	assert_int_equal(ban_lift(f->b, &a), ERR_OK);
	assert_non_null(strstr(f->last, "unbanning IP '198.51.100.7'"));
	assert_false(ban_is_refused(f->b, &a, T0));
	assert_int_equal(only(f, T0).addr.family, AF_INET);
	assert_int_equal(only(f, T0).score, 0);
}

static void scores_saturate(void **state)
{
	struct fixture *f = *state;
	struct addr a = addr("198.51.100.7");

	ban_charge(f->b, &a, BAN_FAULT, UINT32_MAX - 3, T0);
	ban_charge(f->b, &a, BAN_FAULT, 10, T0);
	assert_int_equal(only(f, T0).score, UINT32_MAX);
	assert_true(ban_is_refused(f->b, &a, T0));
}

static void a_limit_of_zero_leaves_the_table_unused(void **state)
{
	static const struct ban_limits off = { 0, 300, 1200 };
	struct fixture *f = *state;
	struct addr a = addr("198.51.100.7");

	ban_set_limits(f->b, &off);
	ban_charge(f->b, &a, BAN_FAULT, 1000, T0);
	assert_false(ban_is_refused(f->b, &a, T0));
	assert_int_equal(only(f, T0).addr.family, 0);
}

static void the_sweep_forgets_what_is_over(void **state)
{
	struct fixture *f = *state;
	struct addr a = addr("198.51.100.7"), b = addr("198.51.100.8");

	ban_charge(f->b, &a, BAN_FAULT, 80, T0);
	ban_charge(f->b, &b, BAN_FAULT, 10, T0 + 200);
	ban_sweep(f->b, T0 + 299);
	assert_int_equal(ban_lift(f->b, &a), ERR_OK);
	ban_charge(f->b, &a, BAN_FAULT, 80, T0);
	ban_sweep(f->b, T0 + 300);
	assert_int_equal(ban_lift(f->b, &a), ERR_NOT_FOUND);
	assert_int_equal(ban_lift(f->b, &b), ERR_OK);
}

static void a_flood_of_addresses_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct addr a = addr("2001:db8::"), banned = addr("198.51.100.7");

	ban_charge(f->b, &banned, BAN_FAULT, 80, T0);
	for (unsigned i = 0; i < 70000; i++) {
		a.bytes[5] = (uint8_t)(i >> 16);
		a.bytes[6] = (uint8_t)(i >> 8);
		a.bytes[7] = (uint8_t)i;
		ban_charge(f->b, &a, BAN_CONNECTION, 1, T0);
	}
	assert_true(ban_is_refused(f->b, &banned, T0));
	assert_true(talloc_total_blocks(f->b) < 66000);
}

static void restore_record(void *arg, const uint8_t key[JOURNAL_KEY], const void *value, size_t len)
{
	assert_true(ban_restore(arg, key, value, len));
}

static void bans_survive_a_restart_of_main(void **state)
{
	static const struct ban_limits limits = { 80, 300, 1200 };
	struct fixture *f = *state;
	struct addr a = addr("198.51.100.7"), b = addr("2001:db8::1"), gone = addr("198.51.100.8");
	uint8_t foreign[JOURNAL_KEY] = "ndhD0Cgf733dMtj0EEKI1Ts/inY=";
	struct journal *j;
	struct ban_table *again;

	assert_int_equal(journal_open(f, -1, &j), ERR_OK);
	ban_set_journal(f->b, j);
	ban_charge(f->b, &gone, BAN_FAULT, 80, T0 - 1000);
	ban_charge(f->b, &a, BAN_FAULT, 80, T0);
	ban_charge(f->b, &b, BAN_FAULT, 70, T0);
	ban_sweep(f->b, T0);
	assert_int_equal(ban_table_new(f, &again), ERR_OK);
	ban_set_limits(again, &limits);
	assert_int_equal(journal_each(j, restore_record, again), ERR_OK);
	assert_true(ban_is_refused(again, &a, T0 + 299));
	assert_int_equal(ban_lift(again, &gone), ERR_NOT_FOUND);
	ban_charge(again, &b, BAN_FAULT, 10, T0 + 1);
	assert_true(ban_is_refused(again, &b, T0 + 1));
	assert_false(ban_restore(again, foreign, "x", 1));
}

static void the_loopback_network_is_among_the_interfaces(void **state)
{
	struct fixture *f = *state;
	struct addr lo = addr("127.0.0.1");
	struct addr_net *net;
	size_t n;
	bool found = false;

	assert_int_equal(ban_read_interfaces(f, &net, &n), ERR_OK);
	for (size_t i = 0; i < n; i++)
		found = found || (addr_in_net(&lo, &net[i]) && net[i].prefix == 8);
	assert_true(found);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void exempt_networks_have_no_score_and_lose_what_they_had(void **state)
{
	struct fixture *f = *state;
	struct addr a = addr("198.51.100.7"), other = addr("198.51.100.200");
	const struct addr_net exempt = { addr("198.51.100.0"), 25 };

	ban_charge(f->b, &a, BAN_FAULT, 90, T0);
	assert_true(ban_is_refused(f->b, &a, T0));
	assert_int_equal(ban_set_exempt(f->b, &exempt, 1), ERR_OK);
	assert_false(ban_is_refused(f->b, &a, T0));
	ban_charge(f->b, &a, BAN_FAULT, 90, T0);
	assert_int_equal(ban_count(f->b, T0), 0);
	ban_charge(f->b, &other, BAN_FAULT, 90, T0);
	assert_true(ban_is_refused(f->b, &other, T0));
	assert_true(ban_holds(f->b, &other, T0));
	assert_false(ban_holds(f->b, &a, T0));
	assert_int_equal(ban_set_exempt(f->b, NULL, 0), ERR_OK);
	ban_charge(f->b, &a, BAN_FAULT, 90, T0);
	assert_true(ban_is_refused(f->b, &a, T0));
}

static void a_probe_gets_its_points_back_and_leaves_no_entry(void **state)
{
	struct fixture *f = *state;
	struct addr a = addr("198.51.100.7"), local = addr("192.0.2.5");
	const struct addr_net net = { addr("192.0.2.0"), 24 };

	ban_charge(f->b, &a, BAN_CONNECTION, 1, T0);
	ban_charge(f->b, &a, BAN_FAULT, 10, T0);
	ban_refund(f->b, &a, 1);
	assert_int_equal(only(f, T0).score, 10);
	ban_refund(f->b, &a, 20);
	assert_int_equal(only(f, T0).addr.family, 0);
	ban_refund(f->b, &a, 1);
	/* Nothing was charged there for a connection. */
	assert_int_equal(ban_set_local(f->b, &net, 1), ERR_OK);
	ban_charge(f->b, &local, BAN_FAULT, 10, T0);
	ban_refund(f->b, &local, 1);
	assert_int_equal(only(f, T0).score, 10);
}

static void a_refund_does_not_end_a_ban(void **state)
{
	struct fixture *f = *state;
	struct addr a = addr("198.51.100.7");

	ban_charge(f->b, &a, BAN_FAULT, 80, T0);
	ban_refund(f->b, &a, 80);
	assert_true(ban_is_refused(f->b, &a, T0 + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_address_over_the_threshold_is_refused_for_the_ban_time),
		CASE(more_attempts_raise_the_score_but_not_the_ban),
		CASE(a_score_below_the_threshold_restarts_after_the_reset_time),
		CASE(an_ipv6_client_is_its_64),
		CASE(our_own_subnets_are_never_refused),
		CASE(unban_clears_the_score_and_keeps_the_entry),
		CASE(scores_saturate),
		CASE(a_limit_of_zero_leaves_the_table_unused),
		CASE(the_sweep_forgets_what_is_over),
		CASE(a_flood_of_addresses_is_bounded),
		CASE(bans_survive_a_restart_of_main),
		CASE(the_loopback_network_is_among_the_interfaces),
		CASE(exempt_networks_have_no_score_and_lose_what_they_had),
		CASE(a_probe_gets_its_points_back_and_leaves_no_entry),
		CASE(a_refund_does_not_end_a_ban),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
