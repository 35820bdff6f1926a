/* test_pmtu.c - the search for the path MTU against imagined paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/path/pmtu.h"

static struct pmtu start(bool search, bool inner_v6)
{
	struct path_limits limits = { .link_mtu = 1500, .probe_mtu = search };
	struct pmtu m;
	if (inner_v6)
		limits.v6.addr.family = 10;
	pmtu_init(&m, &limits);
	pmtu_start(&m, false, 0);
	return m;
}

/* A path that silently drops what is larger than PATH; ANSWERS: the client answers probes. */
static unsigned search(struct pmtu *m, unsigned path, bool answers)
{
	uint64_t now = 0;
	unsigned probes = 0;
	while (m->next != UINT64_MAX && probes < 200) {
		now = m->next > now ? m->next : now;
		if (!pmtu_due(m, now))
			continue;
		probes++;
		if (answers && m->trial <= path)
			pmtu_answered(m, now + 1);
	}
	return probes;
}

static void a_good_path_takes_one_probe(void **state)
{
	(void)state;
	struct pmtu m = start(true, false);
	assert_int_equal(search(&m, 1500, true), 1);
	assert_int_equal(m.link, 1500);
	assert_int_equal(pmtu_payload(&m, m.link), 1472);
}

static void a_black_hole_is_found_by_halving(void **state)
{
	(void)state;
	for (unsigned path = 810; path < 1500; path += 37) {
		struct pmtu m = start(true, false);
		assert_true(search(&m, path, true) < 40);
		assert_true(m.link <= path);
		assert_true(path - m.link <= 16);
	}
}

static void a_client_that_never_answers_proves_nothing(void **state)
{
	(void)state;
	struct pmtu m = start(true, false);
	assert_true(search(&m, 1500, false) < 40);
	assert_int_equal(m.link, 1500);
}

static void without_discovery_nothing_is_probed(void **state)
{
	(void)state;
	struct pmtu m = start(false, false);
	assert_int_equal(search(&m, 1000, true), 0);
	assert_int_equal(m.link, 1500);
	assert_false(pmtu_due(&m, 100000));
}

static void a_refusal_lowers_to_what_the_kernel_knows(void **state)
{
	(void)state;
	struct pmtu m = start(false, false);
	assert_true(pmtu_too_big(&m, 1400, 5));
	assert_int_equal(m.link, 1400);
}

static void a_refusal_without_a_size_lowers_to_two_thirds(void **state)
{
	(void)state;
	struct pmtu m = start(false, false);
	assert_true(pmtu_too_big(&m, 0, 5));
	assert_int_equal(m.link, 1000);
	assert_true(pmtu_too_big(&m, 0, 5));
	assert_int_equal(m.link, 800);
	assert_false(pmtu_too_big(&m, 0, 5)); /* the minimum: UDP is of no use */
	assert_int_equal(m.link, 800);
}

static void inner_ipv6_needs_1280(void **state)
{
	(void)state;
	struct pmtu m = start(false, true);
	assert_true(pmtu_too_big(&m, 1000, 5));
	assert_int_equal(m.link, 1280);
	assert_false(pmtu_too_big(&m, 1000, 5));
}

static void a_refused_trial_does_not_lower_what_works(void **state)
{
	(void)state;
	struct pmtu m = start(true, false);
	assert_true(pmtu_due(&m, 0)); /* 1500 */
	assert_true(pmtu_too_big(&m, 0, 1));
	assert_int_equal(m.link, 1000);
	assert_true(pmtu_due(&m, 2)); /* 1000 */
	pmtu_answered(&m, 3);
	assert_true(m.trial > 1000);
	assert_true(pmtu_due(&m, 4));
	assert_true(pmtu_too_big(&m, 0, 5));
	assert_int_equal(m.link, 1000);
}

static void a_larger_packet_of_the_client_raises(void **state)
{
	(void)state;
	struct pmtu m = start(false, false);
	m.link = 1200;
	assert_int_equal(pmtu_ceiling(&m), 1500);
	pmtu_raised(&m, 1400);
	assert_int_equal(m.link, 1400);
}

static void what_was_refused_is_not_raised_to_again(void **state)
{
	(void)state;
	struct pmtu m = start(false, false);
	assert_true(pmtu_too_big(&m, 1300, 5));
	assert_int_equal(pmtu_ceiling(&m), 1300);
	pmtu_start(&m, false, 10); /* a new association: another path, perhaps */
	assert_int_equal(pmtu_ceiling(&m), 1500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_path_takes_one_probe),
		cmocka_unit_test(a_black_hole_is_found_by_halving),
		cmocka_unit_test(a_client_that_never_answers_proves_nothing),
		cmocka_unit_test(without_discovery_nothing_is_probed),
		cmocka_unit_test(a_refusal_lowers_to_what_the_kernel_knows),
		cmocka_unit_test(a_refusal_without_a_size_lowers_to_two_thirds),
		cmocka_unit_test(inner_ipv6_needs_1280),
		cmocka_unit_test(a_refused_trial_does_not_lower_what_works),
		cmocka_unit_test(a_larger_packet_of_the_client_raises),
		cmocka_unit_test(what_was_refused_is_not_raised_to_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
