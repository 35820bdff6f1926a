/* test_lease.c - address leases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "main/lease.h"

struct fixture {
	struct lease_table *table;
};

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	assert_int_equal(lease_table_new(f, &f->table), ERR_OK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(talloc_free(*state), 0);
	return 0;
}

static struct lease_pool pool(const char *net, uint8_t unit)
{
	struct lease_pool p = { .unit = unit };

	assert_int_equal(addr_net_parse(net, &p.net), ERR_OK);
	return p;
}

static struct addr addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), ERR_OK);
	return a;
}

static void every_free_address_is_leased_exactly_once(void **state)
{
	struct fixture *f = *state;
	struct lease_pool p = pool("10.1.2.77/24", 32);
	bool seen[256] = { false };
	struct lease *l;

	for (int i = 0; i < 253; i++) {
		const struct addr *a;
		assert_int_equal(lease_take(f->table, &p, f, i % 2 ? "ann" : NULL, &l), ERR_OK);
		a = lease_addr(l);
		assert_memory_equal(a->bytes, "\x0a\x01\x02", 3);
		assert_false(seen[a->bytes[3]]);
		seen[a->bytes[3]] = true;
		assert_int_equal(lease_prefix(l), 32);
	}
	assert_false(seen[0] || seen[1] || seen[255]);
	assert_int_equal(lease_take(f->table, &p, f, NULL, &l), ERR_EXHAUSTED);
	assert_int_equal(lease_count(f->table), 253);
}

static void lease_returns_address_when_owner_freed(void **state)
{
	struct fixture *f = *state;
	struct lease_pool p = pool("10.0.0.0/30", 32);
	TALLOC_CTX *owner = talloc_new(f);
	struct lease *l;

	assert_int_equal(lease_take(f->table, &p, owner, "ann", &l), ERR_OK);
	assert_int_equal(lease_addr(l)->bytes[3], 2);
	assert_int_equal(lease_take(f->table, &p, f, "bob", &l), ERR_EXHAUSTED);
	talloc_free(owner);
	assert_int_equal(lease_count(f->table), 0);
	assert_int_equal(lease_take(f->table, &p, f, "bob", &l), ERR_OK);
}

static void a_user_meets_the_same_address_again(void **state)
{
	struct fixture *f = *state;
	struct lease_pool p = pool("10.0.0.0/16", 32);
	struct lease *l;
	struct addr first;

	assert_int_equal(lease_take(f->table, &p, f, "ann", &l), ERR_OK);
	first = *lease_addr(l);
	talloc_free(l);
	assert_int_equal(lease_take(f->table, &p, f, "ann", &l), ERR_OK);
	assert_true(addr_equal(&first, lease_addr(l)));
	assert_int_equal(lease_take(f->table, &p, f, "bob", &l), ERR_OK);
	assert_false(addr_equal(&first, lease_addr(l)));
}

static void random_leases_differ_from_run_to_run(void **state)
{
	struct fixture *f = *state;
	struct lease_pool p = pool("10.0.0.0/8", 32);
	struct addr seen[8];
	int same = 0;

	for (int i = 0; i < 8; i++) {
		struct lease *l;
		assert_int_equal(lease_take(f->table, &p, f, NULL, &l), ERR_OK);
		seen[i] = *lease_addr(l);
		talloc_free(l);
		same += i > 0 && addr_equal(&seen[i], &seen[0]);
	}
	assert_true(same < 7);
}

static void overlapping_pools_share_one_table(void **state)
{
	struct fixture *f = *state;
	struct lease_pool small = pool("10.0.0.0/29", 32), large = pool("10.0.0.0/28", 32);
	struct lease *l;

	for (int i = 0; i < 5; i++)
		assert_int_equal(lease_take(f->table, &small, f, NULL, &l), ERR_OK);
	/* 2..6 are gone; 7 is only the small pool's broadcast address. */
	for (int i = 0; i < 8; i++) {
		assert_int_equal(lease_take(f->table, &large, f, NULL, &l), ERR_OK);
		assert_true(lease_addr(l)->bytes[3] >= 7);
	}
	assert_int_equal(lease_take(f->table, &large, f, NULL, &l), ERR_EXHAUSTED);
}

static void a_tiny_ipv6_pool_gives_all_it_has(void **state)
{
	struct fixture *f = *state;
	struct lease_pool p = pool("fd91::/126", 128);
	struct lease *a, *b, *c;

	assert_int_equal(lease_take(f->table, &p, f, "ann", &a), ERR_OK);
	assert_int_equal(lease_take(f->table, &p, f, "bob", &b), ERR_OK);
	assert_int_equal(lease_take(f->table, &p, f, "eve", &c), ERR_EXHAUSTED);
	assert_int_equal(lease_addr(a)->bytes[15] + lease_addr(b)->bytes[15], 2 + 3);
}

static void ipv6_blocks_do_not_overlap_whatever_their_size(void **state)
{
	struct fixture *f = *state;
	struct lease_pool blocks = pool("fd91:0:0:10::/62", 64);
	struct lease_pool single = pool("fd91:0:0:10::/62", 128);
	struct addr inside = addr("fd91:0:0:12::77");
	struct lease *one, *l;

	assert_int_equal(lease_take_exact(f->table, &single, &inside, f, &one), ERR_OK);
	/* Block 10 holds the server, block 12 the lease above: 11 and 13 are left. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(lease_take(f->table, &blocks, f, "ann", &l), ERR_OK);
		assert_true(lease_addr(l)->bytes[7] == 0x11 || lease_addr(l)->bytes[7] == 0x13);
		assert_int_equal(lease_addr(l)->bytes[15], 1);
		assert_int_equal(lease_prefix(l), 64);
	}
	assert_int_equal(lease_take(f->table, &blocks, f, "ann", &l), ERR_EXHAUSTED);
	talloc_free(one);
	assert_int_equal(lease_take(f->table, &blocks, f, "ann", &l), ERR_OK);
	assert_int_equal(lease_take_exact(f->table, &single, &inside, f, &one), ERR_BUSY);
}

static void an_explicit_address_is_checked_and_kept(void **state)
{
	struct fixture *f = *state;
	struct lease_pool p = pool("10.0.0.0/24", 32);
	static const char *const never[] = { "10.0.0.0", "10.0.0.1", "10.0.0.255", "fd91::7" };
	struct addr a = addr("10.0.0.9"), outside = addr("192.168.0.9");
	struct lease *l;

	for (size_t i = 0; i < 4; i++) {
		struct addr bad = addr(never[i]);
		assert_int_equal(lease_take_exact(f->table, &p, &bad, f, &l), ERR_RANGE);
	}
	assert_int_equal(lease_take_exact(f->table, &p, &a, f, &l), ERR_OK);
	assert_int_equal(lease_take_exact(f->table, &p, &a, f, &l), ERR_BUSY);
	assert_int_equal(lease_take_exact(f->table, &p, &outside, f, &l), ERR_OK);
}

static void pools_that_cannot_lease_are_refused(void **state)
{
	struct fixture *f = *state;
	struct lease_pool bad[] = { pool("10.0.0.1/32", 32),
				    pool("10.0.0.0/24", 30),
				    pool("fd91::/64", 64),
				    { .unit = 32 } };
	struct lease_pool no_room = pool("10.0.0.0/31", 32);
	struct lease *l;

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(lease_take(f->table, &bad[i], f, NULL, &l), ERR_RANGE);
	assert_int_equal(lease_take(f->table, &no_room, f, NULL, &l), ERR_EXHAUSTED);
}

static void the_servers_address_ends_the_network_with_a_one(void **state)
{
	struct lease_pool v4 = pool("192.168.199.128/25", 32), v6 = pool("fd91::ff/112", 128);
	struct addr want4 = addr("192.168.199.129"), want6 = addr("fd91::1");
	struct addr got4 = lease_pool_server(&v4), got6 = lease_pool_server(&v6);

	(void)state;
	assert_true(addr_equal(&got4, &want4));
	assert_true(addr_equal(&got6, &want6));
}

static void a_table_may_go_before_its_leases(void **state)
{
	struct lease_pool p = pool("10.0.0.0/24", 32);
	TALLOC_CTX *owner = talloc_new(NULL);
	struct lease_table *t;
	struct lease *l;

	(void)state;
	assert_int_equal(lease_table_new(NULL, &t), ERR_OK);
	for (int i = 0; i < 10; i++)
		assert_int_equal(lease_take(t, &p, owner, NULL, &l), ERR_OK);
	talloc_free(t);
	talloc_free(owner);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_free_address_is_leased_exactly_once),
		CASE(lease_returns_address_when_owner_freed),
		CASE(a_user_meets_the_same_address_again),
		CASE(random_leases_differ_from_run_to_run),
		CASE(overlapping_pools_share_one_table),
		CASE(a_tiny_ipv6_pool_gives_all_it_has),
		CASE(ipv6_blocks_do_not_overlap_whatever_their_size),
		CASE(an_explicit_address_is_checked_and_kept),
		CASE(pools_that_cannot_lease_are_refused),
		CASE(the_servers_address_ends_the_network_with_a_one),
		CASE(a_table_may_go_before_its_leases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
