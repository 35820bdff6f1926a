/* test_auth_accounting.c - the records of sessions, with a server that answers as the case wants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <talloc.h>

#include "auth/accounting/account.h"
#include "base/journal.h"

enum { T0 = 1000000, MOST = 64, WORKER = 7, AGE = 1000 };

static const char sid_a[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		  sid_b[] = "BBBBBBBBBBBBBBBBBBBBBBBBBBB=";

/* A record that was handed out, and who waits for its answer. */
struct sent {
	struct rig *r;
	struct acct_record rec;
	char sid[TICKET_SID + 1];
	acct_done_fn *done;
	void *arg;
	bool open;
};

struct rig {
	struct journal *journal;
	struct accounting *a;
	int64_t now;
	struct sent sent[MOST];
	size_t n_sent;
	enum err send_err;
	unsigned asked, idle;
	int started; /* -1: not told; else the answer */
	uint64_t started_worker;
};

static int64_t fake_now(void *arg)
{
	return ((struct rig *)arg)->now;
}

static int forget_sent(struct sent **p)
{
	(*p)->open = false;
	return 0;
}

static enum err fake_send(void *arg, TALLOC_CTX *owner, const struct acct_record *rec,
			  acct_done_fn *done, void *done_arg)
{
	struct rig *r = arg;
	struct sent *s = &r->sent[r->n_sent], **mark;

	if (r->send_err)
		return r->send_err;
	assert_true(r->n_sent < MOST);
	*s = (struct sent){ .r = r, .rec = *rec, .done = done, .arg = done_arg, .open = true };
	snprintf(s->sid, sizeof s->sid, "%s", rec->sid);
	mark = talloc(owner, struct sent *);
	*mark = s;
	talloc_set_destructor(mark, forget_sent);
	r->n_sent++;
	return ERR_OK;
}

static void fake_started(void *arg, const char *sid, uint64_t worker, bool ok)
{
	struct rig *r = arg;

	(void)sid;
	r->started = ok;
	r->started_worker = worker;
}

static void fake_ask(void *arg, const char *sid)
{
	(void)sid;
	((struct rig *)arg)->asked++;
}

static void fake_idle(void *arg)
{
	((struct rig *)arg)->idle++;
}

static const struct acct_ops ops = { fake_now, fake_send, fake_started, fake_ask, fake_idle };
static const struct acct_limits limits = { .at_once = 2, .queued = 8, .age = AGE };

static int setup(void **state)
{
	struct rig *r = talloc_zero(NULL, struct rig);

	r->now = T0;
	r->started = -1;
	assert_int_equal(journal_open(r, -1, &r->journal), ERR_OK);
	assert_int_equal(accounting_new(r, r->journal, &ops, r, &limits, &r->a), ERR_OK);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

/* What the next process finds. */
static void restart(struct rig *r)
{
	int fd = dup(journal_fd(r->journal));

	TALLOC_FREE(r->a);
	TALLOC_FREE(r->journal);
	assert_int_equal(journal_open(r, fd, &r->journal), ERR_OK);
	assert_int_equal(accounting_new(r, r->journal, &ops, r, &limits, &r->a), ERR_OK);
	accounting_restore(r->a);
}

static struct account *begin_as(struct rig *r, const char *sid, uint32_t interval, bool start_only)
{
	struct acct_subject subject = {
		.sid = sid,
		.user = "ann",
		.group = "staff",
		.vhost = "default",
		.user_agent = "agent",
		.remote = { .addr = { AF_INET, { 192, 0, 2, 7 } } },
		.local = { .addr = { AF_INET, { 192, 0, 2, 1 } } },
		.begun = r->now,
		.interval = interval,
		.start_only = start_only,
	};
	struct account *ac;

	assert_int_equal(account_begin(r->a, &subject, &ac), ERR_OK);
	return ac;
}

static void answer(struct rig *r, size_t i, enum acct_outcome outcome)
{
	assert_true(i < r->n_sent && r->sent[i].open);
	r->sent[i].done(r->sent[i].arg, outcome, "");
}

static const struct acct_record *last(const struct rig *r)
{
	assert_true(r->n_sent > 0);
	return &r->sent[r->n_sent - 1].rec;
}

static const struct addr v4 = { AF_INET, { 10, 0, 0, 9 } }, none;

static struct account *open_as(struct rig *r, const char *sid, uint32_t interval)
{
	struct account *ac = begin_as(r, sid, interval, false);

	account_start(ac, WORKER, &v4, &none);
	answer(r, r->n_sent - 1, ACCT_TAKEN);
	account_opened(ac, &v4, &none);
	return ac;
}

static struct acct_traffic traffic(uint64_t n)
{
	return (struct acct_traffic){ n, n / 10, n * 2, n / 5 };
}

static void closed(struct rig *r, const char *sid, enum acct_cause cause, uint64_t n, bool goes_on)
{
	const struct acct_traffic t = traffic(n);

	account_closed(account_find(r->a, sid), cause, &t, goes_on);
}

/* ---- cases ---------------------------------------------------------------- */

static void a_start_names_addresses_and_lets_the_tunnel_open(void **state)
{
	struct rig *r = *state;
	struct account *ac = begin_as(r, sid_a, 0, false);

	assert_true(account_wants_start(ac));
	account_start(ac, WORKER, &v4, &none);
	assert_int_equal(r->started, -1);
	assert_int_equal(last(r)->kind, ACCT_START);
	assert_string_equal(last(r)->sid, sid_a);
	assert_string_equal(last(r)->user, "ann");
	assert_true(addr_equal(&last(r)->v4, &v4));
	assert_int_equal(last(r)->v6.family, 0);
	assert_int_equal(last(r)->seconds, 0);
	answer(r, 0, ACCT_TAKEN);
	assert_int_equal(r->started, 1);
	assert_int_equal(r->started_worker, WORKER);
	assert_false(account_wants_start(ac));
}

static void a_refused_start_leaves_nothing_behind(void **state)
{
	static const enum acct_outcome bad[] = { ACCT_REFUSED, ACCT_FAILED };
	struct rig *r = *state;

	for (size_t i = 0; i < 2; i++) {
		account_start(begin_as(r, sid_a, 0, false), WORKER, &v4, &none);
		answer(r, i, bad[i]);
		assert_int_equal(r->started, 0);
		assert_null(account_find(r->a, sid_a));
		r->started = -1;
	}
	restart(r);
	assert_null(account_find(r->a, sid_a));
	assert_int_equal(r->n_sent, 2);
}

static void a_start_that_cannot_be_sent_is_refused_at_once(void **state)
{
	struct rig *r = *state;

	r->send_err = ERR_EXHAUSTED;
	account_start(begin_as(r, sid_a, 0, false), WORKER, &v4, &none);
	assert_int_equal(r->started, 0);
	assert_null(account_find(r->a, sid_a));
	assert_true(accounting_is_idle(r->a));
}

static void a_client_that_comes_back_during_the_start_gets_its_answer(void **state)
{
	struct rig *r = *state;
	struct account *ac = begin_as(r, sid_a, 0, false);

	account_start(ac, WORKER, &v4, &none);
	account_start(begin_as(r, sid_a, 0, false), WORKER + 1, &v4, &none);
	assert_int_equal(r->n_sent, 1);
	answer(r, 0, ACCT_TAKEN);
	assert_int_equal(r->started_worker, WORKER + 1);
	r->started = -1;
	account_start(ac, WORKER + 2, &v4, &none);
	assert_int_equal(r->n_sent, 1);
	assert_int_equal(r->started, 1);
}

static void a_session_that_ends_during_its_start_is_stopped_when_that_was_taken(void **state)
{
	struct rig *r = *state;

	account_start(begin_as(r, sid_a, 0, false), WORKER, &v4, &none);
	account_over(account_find(r->a, sid_a), ACCT_ADMIN_RESET);
	assert_int_equal(r->n_sent, 1);
	answer(r, 0, ACCT_TAKEN);
	assert_int_equal(last(r)->kind, ACCT_STOP);
	assert_int_equal(last(r)->terminate_cause, ACCT_ADMIN_RESET);
	assert_int_equal(last(r)->seconds, 0);
	account_start(begin_as(r, sid_b, 0, false), WORKER, &v4, &none);
	account_over(account_find(r->a, sid_b), ACCT_ADMIN_RESET);
	answer(r, 2, ACCT_FAILED);
	assert_int_equal(r->n_sent, 3);
	assert_null(account_find(r->a, sid_b));
}

static void one_session_over_reconnects_has_one_start_and_one_stop_with_all_numbers(void **state)
{
	struct rig *r = *state;

	open_as(r, sid_a, 0);
	r->now = T0 + 100;
	closed(r, sid_a, ACCT_LOST_SERVICE, 1000, true);
	assert_int_equal(last(r)->kind, ACCT_INTERIM);
	assert_int_equal(last(r)->seconds, 100);
	assert_int_equal(last(r)->rx_bytes, 1000);
	assert_int_equal(last(r)->tx_packets, 200);
	answer(r, 1, ACCT_TAKEN);
	r->now = T0 + 150;
	assert_false(account_wants_start(begin_as(r, sid_a, 0, false)));
	account_opened(account_find(r->a, sid_a), &v4, &none);
	r->now = T0 + 400;
	closed(r, sid_a, ACCT_USER_REQUEST, 5000, false);
	account_over(account_find(r->a, sid_a), ACCT_USER_REQUEST);
	assert_int_equal(r->n_sent, 3);
	assert_int_equal(last(r)->kind, ACCT_STOP);
	assert_int_equal(last(r)->seconds, 400);
	assert_int_equal(last(r)->rx_bytes, 5000);
	assert_int_equal(last(r)->tx_bytes, 10000);
	assert_int_equal(last(r)->terminate_cause, ACCT_USER_REQUEST);
	answer(r, 2, ACCT_TAKEN);
	assert_null(account_find(r->a, sid_a));
	assert_true(accounting_is_idle(r->a));
}

static void a_session_that_expires_has_the_cause_and_time_of_its_last_tunnel(void **state)
{
	struct rig *r = *state;

	open_as(r, sid_a, 0);
	r->now = T0 + 60;
	closed(r, sid_a, ACCT_LOST_CARRIER, 10, true);
	answer(r, 1, ACCT_TAKEN);
	r->now = T0 + 400;
	account_over(account_find(r->a, sid_a), (enum acct_cause)0);
	assert_int_equal(last(r)->kind, ACCT_STOP);
	assert_int_equal(last(r)->terminate_cause, ACCT_LOST_CARRIER);
	assert_int_equal(last(r)->seconds, 60);
	assert_int_equal(last(r)->delay, 0);
}

static void a_stop_waits_for_the_last_numbers_but_not_for_ever(void **state)
{
	struct rig *r = *state;

	open_as(r, sid_a, 0);
	open_as(r, sid_b, 0);
	account_over(account_find(r->a, sid_a), ACCT_ADMIN_RESET);
	account_over(account_find(r->a, sid_b), ACCT_ADMIN_RESET);
	assert_int_equal(r->n_sent, 2);
	closed(r, sid_a, ACCT_USER_ERROR, 77, false);
	assert_int_equal(r->n_sent, 3);
	assert_int_equal(last(r)->rx_bytes, 77);
	assert_int_equal(last(r)->terminate_cause, ACCT_ADMIN_RESET);
	r->now += 9;
	accounting_tick(r->a);
	assert_int_equal(r->n_sent, 3);
	r->now += 1;
	accounting_tick(r->a);
	assert_int_equal(last(r)->kind, ACCT_STOP);
	assert_string_equal(r->sent[3].sid, sid_b);
}

static void interims_come_at_their_interval_with_live_numbers(void **state)
{
	struct rig *r = *state;
	struct acct_traffic t = traffic(300);
	struct account *ac = open_as(r, sid_a, 60);

	for (int i = 0; i < 59; i++, r->now++)
		accounting_tick(r->a);
	assert_int_equal(r->asked, 0);
	r->now++;
	accounting_tick(r->a);
	assert_int_equal(r->asked, 1);
	accounting_tick(r->a);
	assert_int_equal(r->asked, 1);
	r->now++; /* main did not answer */
	accounting_tick(r->a);
	assert_int_equal(r->asked, 2);
	account_count(ac, &t);
	assert_int_equal(last(r)->kind, ACCT_INTERIM);
	assert_int_equal(last(r)->rx_bytes, 300);
	assert_int_equal(last(r)->seconds, 61);
	answer(r, 1, ACCT_TAKEN);
	r->now += 59;
	accounting_tick(r->a);
	assert_int_equal(r->asked, 2);
	r->now++;
	accounting_tick(r->a);
	assert_int_equal(r->asked, 3);
}

static void without_an_interval_nobody_is_asked(void **state)
{
	struct rig *r = *state;

	open_as(r, sid_a, 0);
	r->now += 100000;
	accounting_tick(r->a);
	assert_int_equal(r->asked, 0);
}

static void only_one_interim_of_a_session_waits_and_it_is_the_newest(void **state)
{
	struct rig *r = *state;
	struct account *ac = open_as(r, sid_a, 60);
	struct acct_traffic t = traffic(100);

	account_count(ac, &t);
	t = traffic(200);
	account_count(ac, &t);
	t = traffic(300);
	account_count(ac, &t);
	assert_int_equal(r->n_sent, 2);
	answer(r, 1, ACCT_TAKEN);
	assert_int_equal(r->n_sent, 3);
	assert_int_equal(last(r)->rx_bytes, 300);
	answer(r, 2, ACCT_TAKEN);
	assert_int_equal(r->n_sent, 3);
}

static void sums_never_go_back(void **state)
{
	struct rig *r = *state;
	struct account *ac = open_as(r, sid_a, 60);
	struct acct_traffic t = traffic(1000);

	account_count(ac, &t);
	answer(r, 1, ACCT_TAKEN);
	closed(r, sid_a, ACCT_USER_ERROR, 10, false); /* of a main that lost its tunnel */
	account_over(ac, ACCT_USER_ERROR);
	assert_int_equal(last(r)->rx_bytes, 1000);
}

static void what_was_not_answered_is_sent_again_with_its_delay(void **state)
{
	struct rig *r = *state;

	open_as(r, sid_a, 0);
	r->now += 10;
	closed(r, sid_a, ACCT_USER_REQUEST, 5, false);
	account_over(account_find(r->a, sid_a), ACCT_USER_REQUEST);
	assert_int_equal(last(r)->delay, 0);
	answer(r, 1, ACCT_FAILED);
	assert_int_equal(r->n_sent, 2);
	r->now += 1;
	accounting_tick(r->a);
	assert_int_equal(r->n_sent, 2);
	r->now += 1;
	accounting_tick(r->a);
	assert_int_equal(r->n_sent, 3);
	assert_int_equal(last(r)->delay, 2);
	assert_int_equal(last(r)->seconds, 10);
	answer(r, 2, ACCT_FAILED);
	r->now += 4;
	accounting_tick(r->a);
	assert_int_equal(last(r)->delay, 6);
	answer(r, 3, ACCT_TAKEN);
	assert_null(account_find(r->a, sid_a));
}

static void sid_of(unsigned i, char sid[TICKET_SID + 1])
{
	snprintf(sid, TICKET_SID + 1, "%04uCCCCCCCCCCCCCCCCCCCCCCC=", i);
}

static void end_many(struct rig *r, unsigned n)
{
	char sid[TICKET_SID + 1];

	for (unsigned i = 0; i < n; i++) {
		sid_of(i, sid);
		open_as(r, sid, 0);
	}
	for (unsigned i = 0; i < n; i++) {
		sid_of(i, sid);
		closed(r, sid, ACCT_USER_REQUEST, i, false);
		account_over(account_find(r->a, sid), ACCT_USER_REQUEST);
		r->now++;
	}
}

static void a_server_that_is_away_gets_one_record_at_a_time_and_everything_later(void **state)
{
	struct rig *r = *state;
	size_t tried;

	end_many(r, 6);
	assert_int_equal(r->n_sent, 8); /* two at once */
	answer(r, 6, ACCT_FAILED);
	answer(r, 7, ACCT_FAILED);
	assert_int_equal(r->n_sent, 8);
	r->now += 60;
	accounting_tick(r->a);
	accounting_tick(r->a);
	assert_int_equal(r->n_sent, 9);
	/* A Start does not wait behind them. */
	account_start(begin_as(r, sid_a, 0, false), WORKER, &v4, &none);
	assert_int_equal(last(r)->kind, ACCT_START);
	tried = r->n_sent;
	answer(r, 8, ACCT_TAKEN); /* it is back: the rest follows without a pause */
	for (size_t i = tried; i < r->n_sent; i++)
		answer(r, i, ACCT_TAKEN);
	assert_int_equal(r->n_sent, 10 + 5);
	assert_int_equal(r->a->queued, 0);
}

static void the_queue_is_bounded_and_drops_the_oldest(void **state)
{
	struct rig *r = *state;
	char sid[TICKET_SID + 1];

	end_many(r, 2 + 8 + 3);
	assert_int_equal(r->a->queued, 8);
	sid_of(0, sid);
	assert_non_null(account_find(r->a, sid)); /* under way */
	sid_of(2, sid);
	assert_null(account_find(r->a, sid));
	sid_of(4, sid);
	assert_null(account_find(r->a, sid));
	sid_of(5, sid);
	assert_non_null(account_find(r->a, sid));
}

static void interims_are_dropped_before_stops(void **state)
{
	struct rig *r = *state;
	struct acct_traffic t = traffic(5);
	char sid[TICKET_SID + 1];

	end_many(r, 2 + 7);
	open_as(r, sid_a, 60);
	account_count(account_find(r->a, sid_a), &t);
	assert_int_equal(r->a->queued, 8);
	open_as(r, sid_b, 0);
	closed(r, sid_b, ACCT_USER_REQUEST, 1, false);
	account_over(account_find(r->a, sid_b), ACCT_USER_REQUEST);
	assert_int_equal(r->a->queued, 8);
	assert_int_equal(account_find(r->a, sid_a)->f.pending, 0);
	sid_of(2, sid);
	assert_non_null(account_find(r->a, sid));
}

static void a_record_does_not_wait_for_ever(void **state)
{
	struct rig *r = *state;

	open_as(r, sid_a, 0);
	closed(r, sid_a, ACCT_USER_REQUEST, 5, false);
	account_over(account_find(r->a, sid_a), ACCT_USER_REQUEST);
	answer(r, 1, ACCT_FAILED);
	r->now += AGE + 1;
	accounting_tick(r->a);
	assert_null(account_find(r->a, sid_a));
	assert_int_equal(r->n_sent, 2);
	restart(r);
	assert_null(account_find(r->a, sid_a));
}

static void a_refused_stop_is_not_sent_again(void **state)
{
	struct rig *r = *state;

	open_as(r, sid_a, 0);
	closed(r, sid_a, ACCT_USER_REQUEST, 5, false);
	account_over(account_find(r->a, sid_a), ACCT_USER_REQUEST);
	answer(r, 1, ACCT_REFUSED);
	assert_null(account_find(r->a, sid_a));
	assert_true(accounting_is_idle(r->a));
}

static void whoever_wants_only_starts_gets_no_other_record(void **state)
{
	struct rig *r = *state;
	struct account *ac = begin_as(r, sid_a, 60, true);
	struct acct_traffic t = traffic(5);

	account_start(ac, WORKER, &v4, &none);
	answer(r, 0, ACCT_TAKEN);
	account_opened(ac, &v4, &none);
	account_count(ac, &t);
	closed(r, sid_a, ACCT_LOST_SERVICE, 50, true);
	assert_int_equal(r->n_sent, 1);
	/* The next tunnel is a question of its own. */
	assert_true(account_wants_start(ac));
	account_start(ac, WORKER, &v4, &none);
	answer(r, 1, ACCT_TAKEN);
	assert_int_equal(r->started, 1);
	account_start(ac, WORKER, &v4, &none);
	answer(r, 2, ACCT_REFUSED);
	assert_int_equal(r->started, 0);
	assert_null(account_find(r->a, sid_a));
	account_start(begin_as(r, sid_b, 60, true), WORKER, &v4, &none);
	answer(r, 3, ACCT_TAKEN);
	account_over(account_find(r->a, sid_b), ACCT_USER_REQUEST);
	assert_int_equal(r->n_sent, 4);
	assert_null(account_find(r->a, sid_b));
}

/* ---- restarts ------------------------------------------------------------- */

static void a_restart_forgets_neither_start_nor_numbers(void **state)
{
	struct rig *r = *state;
	struct acct_traffic t = traffic(500);
	struct account *ac = open_as(r, sid_a, 60);

	r->now += 10;
	account_count(ac, &t);
	answer(r, 1, ACCT_TAKEN);
	restart(r);
	ac = account_find(r->a, sid_a);
	assert_non_null(ac);
	assert_false(account_wants_start(ac));
	account_opened(ac, &v4, &none); /* main repeats it */
	accounting_tick(r->a);
	assert_int_equal(r->asked, 0);
	r->now += 60;
	accounting_tick(r->a);
	assert_int_equal(r->asked, 1);
	account_closed(ac, ACCT_USER_REQUEST, NULL, false);
	account_over(ac, ACCT_USER_REQUEST);
	assert_int_equal(r->n_sent, 3);
	assert_int_equal(last(r)->kind, ACCT_STOP);
	assert_int_equal(last(r)->rx_bytes, 500);
	assert_int_equal(last(r)->seconds, 70);
	assert_string_equal(last(r)->user, "ann");
	assert_string_equal(last(r)->group, "staff");
	assert_string_equal(last(r)->user_agent, "agent");
	assert_int_equal(last(r)->remote.addr.bytes[3], 7);
}

static void an_unanswered_stop_is_sent_by_the_next_process(void **state)
{
	struct rig *r = *state;

	open_as(r, sid_a, 0);
	r->now += 30;
	closed(r, sid_a, ACCT_IDLE_TIMEOUT, 40, false);
	account_over(account_find(r->a, sid_a), ACCT_IDLE_TIMEOUT);
	r->now += 5;
	restart(r);
	assert_int_equal(r->n_sent, 3);
	assert_int_equal(last(r)->kind, ACCT_STOP);
	assert_int_equal(last(r)->terminate_cause, ACCT_IDLE_TIMEOUT);
	assert_int_equal(last(r)->seconds, 30);
	assert_int_equal(last(r)->delay, 5);
	answer(r, 2, ACCT_TAKEN);
	restart(r);
	assert_int_equal(r->n_sent, 3);
}

static void a_stop_that_waited_for_numbers_comes_after_a_restart_too(void **state)
{
	struct rig *r = *state;

	open_as(r, sid_a, 0);
	account_over(account_find(r->a, sid_a), ACCT_ADMIN_RESET);
	restart(r);
	assert_int_equal(r->n_sent, 1);
	r->now += 10;
	accounting_tick(r->a);
	assert_int_equal(last(r)->kind, ACCT_STOP);
}

static void a_start_of_unknown_fate_is_stopped_or_sent_again(void **state)
{
	struct rig *r = *state;

	account_start(begin_as(r, sid_a, 0, false), WORKER, &v4, &none);
	account_start(begin_as(r, sid_b, 0, false), WORKER, &v4, &none);
	restart(r);
	assert_int_equal(r->n_sent, 2);
	account_over(account_find(r->a, sid_a), ACCT_USER_REQUEST);
	assert_int_equal(last(r)->kind, ACCT_STOP);
	account_start(begin_as(r, sid_b, 0, false), WORKER, &v4, &none);
	assert_int_equal(last(r)->kind, ACCT_START);
}

static void what_main_repeats_after_a_restart_is_counted_once(void **state)
{
	struct rig *r = *state;

	open_as(r, sid_a, 0);
	closed(r, sid_a, ACCT_LOST_CARRIER, 70, true);
	answer(r, 1, ACCT_TAKEN);
	restart(r);
	closed(r, sid_a, ACCT_LOST_CARRIER, 70, true);
	assert_int_equal(r->n_sent, 2);
	account_over(account_find(r->a, sid_a), (enum acct_cause)0);
	assert_int_equal(last(r)->rx_bytes, 70);
}

static void a_damaged_account_is_dropped(void **state)
{
	struct rig *r = *state;
	struct account *ac = begin_as(r, sid_a, 0, false), *out;
	struct buf value;

	buf_init(&value, r, JOURNAL_VALUE);
	assert_int_equal(account_encode(ac, &value), ERR_OK);
	for (size_t i = 0; i < value.len; i++)
		assert_int_equal(account_decode(r, (const uint8_t *)value.data, i, &out),
				 ERR_SYNTAX);
	assert_int_equal(account_decode(r, (const uint8_t *)value.data, value.len, &out), ERR_OK);
	value.data[0]++;
	assert_int_equal(account_decode(r, (const uint8_t *)value.data, value.len, &out),
			 ERR_SYNTAX);
}

/* ---- the end of the service ----------------------------------------------- */

static void a_stop_of_the_service_ends_every_session(void **state)
{
	struct rig *r = *state;

	open_as(r, sid_a, 0); /* live */
	open_as(r, sid_b, 0); /* waits for its client */
	closed(r, sid_b, ACCT_LOST_SERVICE, 5, true);
	answer(r, 2, ACCT_TAKEN);
	r->idle = 0;
	accounting_stop(r->a);
	assert_int_equal(r->n_sent, 5);
	for (size_t i = 3; i < 5; i++) {
		assert_int_equal(r->sent[i].rec.kind, ACCT_STOP);
		assert_int_equal(r->sent[i].rec.terminate_cause, ACCT_ADMIN_RESET);
	}
	assert_false(accounting_is_idle(r->a));
	answer(r, 3, ACCT_TAKEN);
	answer(r, 4, ACCT_TAKEN);
	assert_true(accounting_is_idle(r->a));
	assert_true(r->idle > 0);
}

static void a_stop_of_the_service_tries_a_server_that_was_away_once_more(void **state)
{
	struct rig *r = *state;

	end_many(r, 1);
	answer(r, 1, ACCT_FAILED);
	accounting_stop(r->a);
	assert_int_equal(r->n_sent, 3);
	answer(r, 2, ACCT_FAILED);
	assert_int_equal(r->n_sent, 3);
	accounting_give_up(r->a);
	assert_true(accounting_is_idle(r->a));
	assert_null(r->a->first);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_start_names_addresses_and_lets_the_tunnel_open),
		CASE(a_refused_start_leaves_nothing_behind),
		CASE(a_start_that_cannot_be_sent_is_refused_at_once),
		CASE(a_client_that_comes_back_during_the_start_gets_its_answer),
		CASE(a_session_that_ends_during_its_start_is_stopped_when_that_was_taken),
		CASE(one_session_over_reconnects_has_one_start_and_one_stop_with_all_numbers),
		CASE(a_session_that_expires_has_the_cause_and_time_of_its_last_tunnel),
		CASE(a_stop_waits_for_the_last_numbers_but_not_for_ever),
		CASE(interims_come_at_their_interval_with_live_numbers),
		CASE(without_an_interval_nobody_is_asked),
		CASE(only_one_interim_of_a_session_waits_and_it_is_the_newest),
		CASE(sums_never_go_back),
		CASE(what_was_not_answered_is_sent_again_with_its_delay),
		CASE(a_server_that_is_away_gets_one_record_at_a_time_and_everything_later),
		CASE(the_queue_is_bounded_and_drops_the_oldest),
		CASE(interims_are_dropped_before_stops),
		CASE(a_record_does_not_wait_for_ever),
		CASE(a_refused_stop_is_not_sent_again),
		CASE(whoever_wants_only_starts_gets_no_other_record),
		CASE(a_restart_forgets_neither_start_nor_numbers),
		CASE(an_unanswered_stop_is_sent_by_the_next_process),
		CASE(a_stop_that_waited_for_numbers_comes_after_a_restart_too),
		CASE(a_start_of_unknown_fate_is_stopped_or_sent_again),
		CASE(what_main_repeats_after_a_restart_is_counted_once),
		CASE(a_damaged_account_is_dropped),
		CASE(a_stop_of_the_service_ends_every_session),
		CASE(a_stop_of_the_service_tries_a_server_that_was_away_once_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
