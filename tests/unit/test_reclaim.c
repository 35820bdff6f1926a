/* test_reclaim.c - addresses that absent clients keep are given to clients that are here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "main/reclaim.h"

enum { SESSIONS = 4 };

struct fixture {
	struct main_ctx *m;
	struct session *s[SESSIONS];
	struct lease_pool pool;
};

/* Four sessions, the first without an address; later ones were connected later. */
static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);
	char sid[] = "AAAAAABBBBBBBBBBBBBBBBBBBBB=", user[] = "ann", vhost[] = "default";
	Session info = SESSION__INIT;

	f->m = talloc_zero(f, struct main_ctx);
	f->m->loop = ev_loop_new(EVFLAG_AUTO);
	assert_int_equal(journal_open(f->m, -1, &f->m->journal), ERR_OK);
	assert_int_equal(sessions_new(f->m, &f->m->sessions), ERR_OK);
	assert_int_equal(lease_table_new(f->m, &f->m->leases), ERR_OK);
	assert_int_equal(addr_net_parse("10.0.0.0/24", &f->pool.net), ERR_OK);
	f->pool.unit = 32;
	info.sid = sid;
	info.user = user;
	info.vhost = vhost;
	for (int i = 0; i < SESSIONS; i++) {
		sid[0] = (char)('A' + i);
		assert_int_equal(session_get(f->m, &info, &f->s[i]), ERR_OK);
		f->s[i]->connected_at = 1000 + i;
		if (i > 0)
			assert_int_equal(
				lease_take(f->m->leases, &f->pool, f->s[i], NULL, &f->s[i]->v4),
				ERR_OK);
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	struct ev_loop *loop = f->m->loop;

	TALLOC_FREE(f->m->sessions);
	talloc_free(f);
	ev_loop_destroy(loop);
	return 0;
}

static void the_longest_absent_session_gives_its_address(void **state)
{
	static const struct addr any;
	struct fixture *f = *state;

	assert_true(reclaim_address(f->s[0], &f->pool, &any));
	assert_null(f->s[1]->v4);
	assert_non_null(f->s[2]->v4);
	assert_true(reclaim_address(f->s[0], &f->pool, &any));
	assert_true(reclaim_address(f->s[0], &f->pool, &any));
	assert_false(reclaim_address(f->s[0], &f->pool, &any));
	assert_int_equal(lease_count(f->m->leases), 0);
}

static void sessions_with_a_tunnel_keep_theirs(void **state)
{
	static const struct addr any;
	struct fixture *f = *state;

	session_set_state(f->s[1], SESSION_OPEN);
	session_set_state(f->s[2], SESSION_ENDING);
	session_set_state(f->s[3], SESSION_OPENING);
	assert_false(reclaim_address(f->s[0], &f->pool, &any));
	for (int i = 1; i < SESSIONS; i++)
		session_set_state(f->s[i], SESSION_IDLE);
}

static void an_explicit_address_is_taken_from_who_has_it(void **state)
{
	struct fixture *f = *state;
	struct addr wanted = *lease_addr(f->s[2]->v4), nobody;

	assert_true(reclaim_address(f->s[0], &f->pool, &wanted));
	assert_null(f->s[2]->v4);
	assert_non_null(f->s[1]->v4);
	assert_int_equal(addr_parse("10.0.9.9", &nobody), ERR_OK);
	assert_false(reclaim_address(f->s[0], &f->pool, &nobody));
}

static void addresses_of_other_pools_do_not_help(void **state)
{
	static const struct addr any;
	struct fixture *f = *state;
	struct lease_pool other = { .unit = 32 };

	assert_int_equal(addr_net_parse("10.1.0.0/24", &other.net), ERR_OK);
	assert_false(reclaim_address(f->s[0], &other, &any));
	assert_int_equal(lease_count(f->m->leases), SESSIONS - 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_longest_absent_session_gives_its_address),
		CASE(sessions_with_a_tunnel_keep_theirs),
		CASE(an_explicit_address_is_taken_from_who_has_it),
		CASE(addresses_of_other_pools_do_not_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
