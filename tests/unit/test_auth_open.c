/* test_auth_open.c - what becomes of cookies (config.md 16, protocol.md 4.12).  Main is away: what
 * it would be told is lost, what the store knows is what counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "auth/account.h"
#include "auth/open.h"
#include "base/clock.h"

enum { TIMEOUT = 300, WORKER = 7 };

struct rig {
	struct auth *a;
	struct host host;
	struct host_conf conf;
	struct hosts hosts;
	uint8_t cookie[TICKET_COOKIE];
	char sid[TICKET_SID + 1];
};

static int setup(void **state)
{
	struct rig *r = talloc_zero(NULL, struct rig);
	struct login_grant grant = { .policy = &r->host.policy, .cookie = r->cookie };

	r->a = talloc_zero(r, struct auth);
	r->conf.name = "default";
	r->conf.cookie_timeout = TIMEOUT;
	r->host.conf = &r->conf;
	r->host.policy.lifetime = TIMEOUT;
	r->hosts = (struct hosts){ .item = &r->host, .n = 1 };
	r->a->hosts = &r->hosts;
	assert_int_equal(journal_open(r->a, -1, &r->a->journal), ERR_OK);
	assert_int_equal(store_new(r->a, r->a->journal, &r->a->store), ERR_OK);
	assert_int_equal(accounts_open(r->a), ERR_OK);
	grant.session = (struct session){ .user = "ann", .vhost = "default" };
	assert_int_equal(session_begin(r->a, &grant), ERR_OK);
	ticket_sid(r->cookie, r->sid);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

static struct session *session(const struct rig *r)
{
	return store_by_cookie(r->a->store, r->cookie, sizeof r->cookie);
}

static void opened(struct rig *r, uint64_t worker)
{
	SessionOpened msg = SESSION_OPENED__INIT;

	msg.sid = r->sid;
	msg.worker_id = worker;
	session_opened(r->a, &msg);
}

static void closed(struct rig *r, uint64_t worker, EndReason reason, bool keep)
{
	SessionClosed msg = SESSION_CLOSED__INIT;

	msg.sid = r->sid;
	msg.worker_id = worker;
	msg.reason = reason;
	msg.keep = keep;
	session_closed(r->a, &msg);
}

static void unused_cookie_lives_for_its_timeout_and_the_slack(void **state)
{
	struct rig *r = *state;
	int64_t now = clock_unix();

	sessions_expire(r->a, now + TIMEOUT + COOKIE_SLACK - 2);
	assert_non_null(session(r));
	sessions_expire(r->a, now + TIMEOUT + COOKIE_SLACK + 1);
	assert_null(session(r));
}

static void cookie_of_a_live_tunnel_does_not_expire(void **state)
{
	struct rig *r = *state;

	opened(r, WORKER);
	sessions_expire(r->a, clock_unix() + 1000000);
	assert_non_null(session(r));
	assert_int_equal(session(r)->worker, WORKER);
}

static void kept_session_has_its_timeout_anew(void **state)
{
	struct rig *r = *state;
	int64_t now = clock_unix();

	opened(r, WORKER);
	closed(r, WORKER, END_REASON__END_DPD, true);
	assert_int_equal(session(r)->worker, 0);
	assert_true(session(r)->opened);
	assert_true(session(r)->expires >= now + TIMEOUT + COOKIE_SLACK);
	sessions_expire(r->a, now + TIMEOUT + COOKIE_SLACK + 2);
	assert_null(session(r));
}

static void goodbye_kills_the_cookie(void **state)
{
	struct rig *r = *state;

	opened(r, WORKER);
	closed(r, WORKER, END_REASON__END_USER, false);
	assert_null(session(r));
}

static void persistent_cookie_survives_a_goodbye_but_not_the_admin(void **state)
{
	struct rig *r = *state;

	r->conf.persistent_cookies = true;
	opened(r, WORKER);
	closed(r, WORKER, END_REASON__END_USER, false);
	assert_non_null(session(r));
	opened(r, WORKER);
	closed(r, WORKER, END_REASON__END_ADMIN, false);
	assert_null(session(r));
}

static void end_of_a_replaced_tunnel_changes_nothing(void **state)
{
	struct rig *r = *state;

	opened(r, WORKER);
	opened(r, WORKER + 1);
	closed(r, WORKER, END_REASON__END_TAKEOVER, false);
	assert_int_equal(session(r)->worker, WORKER + 1);
	assert_int_equal(session(r)->expires, 0);
}

static void refusal_leaves_the_cookie_as_it_was(void **state)
{
	struct rig *r = *state;
	int64_t expires = session(r)->expires;
	SessionClosed msg = SESSION_CLOSED__INIT;

	session(r)->expires = expires - 100;
	msg.sid = r->sid;
	msg.worker_id = WORKER;
	msg.refused = true;
	session_closed(r->a, &msg);
	assert_int_equal(session(r)->expires, expires - 100);
}

/* What a main that was started again says of a session without a tunnel: is it still alive? */
static void question_after_a_session_changes_nothing(void **state)
{
	struct rig *r = *state;
	int64_t expires = session(r)->expires - 100;
	SessionClosed msg = SESSION_CLOSED__INIT;

	session(r)->expires = expires;
	msg.sid = r->sid;
	msg.refused = true;
	session_closed(r->a, &msg);
	assert_int_equal(session(r)->expires, expires);
	opened(r, WORKER);
	session_closed(r->a, &msg);
	assert_int_equal(session(r)->worker, WORKER);
}

static void attempt_under_way_keeps_the_session_and_a_refused_one_does_not(void **state)
{
	struct rig *r = *state;
	int64_t after = clock_unix() + TIMEOUT + COOKIE_SLACK + 1;
	SessionClosed refused = SESSION_CLOSED__INIT;

	session(r)->opening = after + 10;
	sessions_expire(r->a, after);
	assert_non_null(session(r));
	refused.sid = session(r)->sid;
	refused.worker_id = 1;
	refused.reason = END_REASON__END_REFUSED;
	refused.keep = true;
	refused.refused = true;
	session_closed(r->a, &refused);
	sessions_expire(r->a, after);
	assert_null(session(r));
}

static void session_timeout_ends_even_a_live_tunnel(void **state)
{
	struct rig *r = *state;
	int64_t now = clock_unix();

	opened(r, WORKER);
	session(r)->deadline = now + 50;
	sessions_expire(r->a, now + 50);
	assert_non_null(session(r)); /* the worker does it itself, in time */
	sessions_expire(r->a, now + 100);
	assert_null(session(r));
}

static void logout_needs_the_cookie(void **state)
{
	struct rig *r = *state;
	Logout msg = LOGOUT__INIT;
	uint8_t other[TICKET_COOKIE] = { 1 };

	msg.cookie = (ProtobufCBinaryData){ sizeof other, other };
	session_logout(r->a, &msg);
	assert_non_null(session(r));
	msg.cookie.data = r->cookie;
	session_logout(r->a, &msg);
	assert_null(session(r));
}

static void tunnel_whose_worker_vanished_is_closed_after_a_restart(void **state)
{
	struct rig *r = *state;

	opened(r, WORKER);
	sessions_reconcile(r->a);
	assert_int_equal(session(r)->worker, 0);
	assert_true(session(r)->expires > clock_unix());
}

static void prefix_of_a_sid_is_enough_and_another_matches_nothing(void **state)
{
	struct rig *r = *state;
	Invalidate msg = INVALIDATE__INIT;
	char prefix[7], none[] = "!", empty[] = "";

	msg.sid = none;
	msg.user = empty;
	session_invalidate(r->a, &msg);
	msg.sid = empty;
	session_invalidate(r->a, &msg);
	assert_non_null(session(r));
	memcpy(prefix, r->sid, 6);
	prefix[6] = '\0';
	msg.sid = prefix;
	session_invalidate(r->a, &msg);
	assert_null(session(r));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(unused_cookie_lives_for_its_timeout_and_the_slack),
		CASE(cookie_of_a_live_tunnel_does_not_expire),
		CASE(question_after_a_session_changes_nothing),
		CASE(attempt_under_way_keeps_the_session_and_a_refused_one_does_not),
		CASE(kept_session_has_its_timeout_anew),
		CASE(goodbye_kills_the_cookie),
		CASE(persistent_cookie_survives_a_goodbye_but_not_the_admin),
		CASE(end_of_a_replaced_tunnel_changes_nothing),
		CASE(refusal_leaves_the_cookie_as_it_was),
		CASE(session_timeout_ends_even_a_live_tunnel),
		CASE(logout_needs_the_cookie),
		CASE(tunnel_whose_worker_vanished_is_closed_after_a_restart),
		CASE(prefix_of_a_sid_is_enough_and_another_matches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
