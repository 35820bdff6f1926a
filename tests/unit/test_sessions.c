/* test_sessions.c - the session table, its journal, and which datagrams are steered to a session.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "ipc/convert.h"
#include "main/lease.h"
#include "main/sessions.h"
#include "main/steer.h"
#include "main/workers.h"

static char sid_a[] = "AAAAAABBBBBBBBBBBBBBBBBBBBB=";
static char sid_b[] = "CCCCCCBBBBBBBBBBBBBBBBBBBBB=";
static char user[] = "ann", group[] = "staff", vhost[] = "default";

/* As much of main as the table needs. */
static struct main_ctx *make_main(struct journal *journal)
{
	struct main_ctx *m = talloc_zero(NULL, struct main_ctx);

	m->loop = ev_loop_new(EVFLAG_AUTO);
	m->journal = journal;
	if (!journal)
		assert_int_equal(journal_open(m, -1, &m->journal), ERR_OK);
	assert_int_equal(workers_new(m, &m->workers), ERR_OK);
	assert_int_equal(sessions_new(m, &m->sessions), ERR_OK);
	assert_int_equal(lease_table_new(m, &m->leases), ERR_OK);
	return m;
}

static void free_main(struct main_ctx *m)
{
	struct ev_loop *loop = m->loop;

	TALLOC_FREE(m->workers);
	TALLOC_FREE(m->sessions);
	talloc_free(m);
	ev_loop_destroy(loop);
}

static Session facts(char *sid)
{
	Session s = SESSION__INIT;

	s.sid = sid;
	s.user = user;
	s.group = group;
	s.vhost = vhost;
	s.started = 1234;
	return s;
}

static struct session *make_session(struct main_ctx *m, char *sid)
{
	Session info = facts(sid);
	struct session *s = NULL;

	assert_int_equal(session_get(m, &info, &s), ERR_OK);
	return s;
}

static void a_session_is_made_once_and_found_by_its_id(void **state)
{
	struct main_ctx *m = make_main(NULL);
	struct session *s = make_session(m, sid_a);

	(void)state;
	assert_ptr_equal(make_session(m, sid_a), s);
	assert_ptr_equal(session_by_sid(m, sid_a), s);
	assert_null(session_by_sid(m, sid_b));
	assert_string_equal(s->sid_short, "AAAAAA");
	session_forget(s);
	assert_null(session_by_sid(m, sid_a));
	free_main(m);
}

static void a_session_needs_a_whole_id_and_a_user(void **state)
{
	struct main_ctx *m = make_main(NULL);
	char stub[] = "AAAAAA", nobody[] = "";
	Session info = facts(stub);
	struct session *s;

	(void)state;
	assert_int_equal(session_get(m, &info, &s), ERR_PROTO);
	info = facts(sid_a);
	info.user = nobody;
	assert_int_equal(session_get(m, &info, &s), ERR_PROTO);
	free_main(m);
}

static void only_open_tunnels_of_the_user_count(void **state)
{
	struct main_ctx *m = make_main(NULL);
	struct session *a = make_session(m, sid_a), *b = make_session(m, sid_b);

	(void)state;
	assert_int_equal(session_tunnels_of(m, "ann"), 0);
	session_set_state(a, SESSION_OPENING);
	session_set_state(b, SESSION_OPEN);
	assert_int_equal(session_tunnels_of(m, "ann"), 2);
	assert_int_equal(sessions_open_count(m), 2);
	assert_int_equal(session_tunnels_of(m, "bob"), 0);
	session_set_state(b, SESSION_ENDING);
	assert_int_equal(session_tunnels_of(m, "ann"), 1);
	session_forget(a);
	assert_int_equal(sessions_open_count(m), 0);
	free_main(m);
}

static void app_ids_live_as_long_as_their_tunnel(void **state)
{
	struct main_ctx *m = make_main(NULL);
	struct session *s = make_session(m, sid_a);
	uint8_t id[SESSION_APP_ID] = { 1, 2, 3 };

	(void)state;
	assert_null(session_by_app_id(m, id, sizeof id));
	session_set_app_id(s, id);
	assert_ptr_equal(session_by_app_id(m, id, sizeof id), s);
	assert_null(session_by_app_id(m, id, sizeof id - 1));
	session_set_app_id(s, NULL);
	assert_null(session_by_app_id(m, id, sizeof id));
	free_main(m);
}

static void an_address_means_a_session_only_when_it_is_the_only_one(void **state)
{
	struct main_ctx *m = make_main(NULL);
	struct session *a = make_session(m, sid_a), *b = make_session(m, sid_b);
	struct addr one, other, nowhere = { 0 };

	(void)state;
	assert_int_equal(addr_parse("192.0.2.1", &one), ERR_OK);
	assert_int_equal(addr_parse("2001:db8::1", &other), ERR_OK);
	session_set_peer(a, &one);
	assert_ptr_equal(session_by_peer(m, &one), a);
	session_set_peer(b, &one);
	assert_null(session_by_peer(m, &one));
	session_set_peer(b, &other);
	assert_ptr_equal(session_by_peer(m, &one), a);
	assert_ptr_equal(session_by_peer(m, &other), b);
	session_set_peer(a, &nowhere);
	assert_null(session_by_peer(m, &one));
	free_main(m);
}

struct replay {
	struct main_ctx *m;
	unsigned restored;
};

static void on_record(void *arg, const uint8_t key[JOURNAL_KEY], const void *value, size_t len)
{
	struct replay *r = arg;

	r->restored += session_restore(r->m, key, value, len);
}

static void a_session_comes_back_from_the_journal_with_its_address(void **state)
{
	struct main_ctx *old = make_main(NULL), *m;
	struct journal *journal = talloc_steal(NULL, old->journal);
	struct session *s = make_session(old, sid_a);
	struct replay replay = { 0 };
	struct addr addr;

	(void)state;
	assert_int_equal(addr_net_parse("192.0.2.0/24", &s->pool4.net), ERR_OK);
	s->pool4.unit = 32;
	assert_int_equal(lease_take(old->leases, &s->pool4, s, "ann", &s->v4), ERR_OK);
	addr = *lease_addr(s->v4);
	s->deadline = 99;
	s->host_update_done = true;
	session_save(s);
	free_main(old);

	m = replay.m = make_main(journal);
	assert_int_equal(journal_each(journal, on_record, &replay), ERR_OK);
	assert_int_equal(replay.restored, 1);
	s = session_by_sid(m, sid_a);
	assert_non_null(s);
	assert_string_equal(s->user, "ann");
	assert_string_equal(s->group, "staff");
	assert_int_equal(s->started, 1234);
	assert_int_equal(s->deadline, 99);
	assert_true(s->host_update_done);
	assert_int_equal(s->state, SESSION_IDLE);
	assert_non_null(s->v4);
	assert_true(addr_equal(lease_addr(s->v4), &addr));
	assert_int_equal(lease_count(m->leases), 1);
	free_main(m);
	talloc_free(journal);
}

static void a_forgotten_session_leaves_no_record(void **state)
{
	struct main_ctx *m = make_main(NULL);
	struct replay replay = { .m = m };
	struct session *s = make_session(m, sid_a);

	(void)state;
	session_save(s);
	session_forget(s);
	assert_int_equal(journal_each(m->journal, on_record, &replay), ERR_OK);
	assert_int_equal(replay.restored, 0);
	free_main(m);
}

static void records_of_others_are_not_taken(void **state)
{
	struct main_ctx *m = make_main(NULL);
	const uint8_t key[JOURNAL_KEY] = { 'x' }, junk_key[JOURNAL_KEY] = { SESSION_KEY };

	(void)state;
	assert_false(session_restore(m, key, "abc", 3));
	assert_false(session_restore(m, junk_key, "\xff\xff\xff", 3));
	assert_null(sessions_first(m));
	free_main(m);
}

/* ---- steering ------------------------------------------------------------ */

/* A DTLS 1.2 ClientHello with APP_ID as protocol.md 6.2 shows it, without extensions. */
static size_t make_hello(uint8_t *out, const uint8_t app_id[32], uint8_t random)
{
	static const uint8_t record[] = { 0x16, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 84 };
	static const uint8_t message[] = { 1, 0, 0, 72, 0, 0, 0, 0, 0, 0, 0, 72, 0xfe, 0xfd };
	static const uint8_t rest[] = { 0, 0, 2, 0, 0xa9, 1, 0 }; /* no cookie, one suite, null */
	size_t n = 0;

	memcpy(out + n, record, sizeof record);
	n += sizeof record;
	memcpy(out + n, message, sizeof message);
	n += sizeof message;
	memset(out + n, random, 32);
	n += 32;
	out[n++] = 32;
	memcpy(out + n, app_id, 32);
	n += 32;
	memcpy(out + n, rest, sizeof rest);
	n += sizeof rest;
	/* the body is what follows the message header, the record what follows its own */
	out[12] = (uint8_t)(n - sizeof record);
	out[16] = out[24] = (uint8_t)(n - sizeof record - 12);
	return n;
}

static void a_hello_is_steered_by_its_id(void **state)
{
	uint8_t id[32], data[256];
	struct steer_hint hint;
	size_t len;

	(void)state;
	memset(id, 0x5a, sizeof id);
	len = make_hello(data, id, 9);
	steer_read(data, len, &hint);
	assert_int_equal(hint.kind, STEER_HELLO);
	assert_int_equal(hint.id_len, 32);
	assert_memory_equal(hint.id, id, 32);
}

static void a_hello_without_randomness_is_dropped(void **state)
{
	uint8_t id[32] = { 1 }, data[256];
	struct steer_hint hint;
	size_t len = make_hello(data, id, 0);

	(void)state;
	steer_read(data, len, &hint);
	assert_int_equal(hint.kind, STEER_NOTHING);
}

static void junk_is_dropped_and_a_data_record_is_a_stray(void **state)
{
	static const uint8_t record[] = {
		23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 7, 0, 4, 1, 2, 3, 4
	};
	struct steer_hint hint;

	(void)state;
	steer_read((const uint8_t *)"GET / HTTP/1.0\r\n", 16, &hint);
	assert_int_equal(hint.kind, STEER_NOTHING);
	steer_read(record, 0, &hint);
	assert_int_equal(hint.kind, STEER_NOTHING);
	steer_read(record, sizeof record, &hint);
	assert_int_equal(hint.kind, STEER_RECORD);
}

struct steered {
	struct main_ctx *m;
	struct session *s;
	struct session_conf conf;
	struct endpoint from;
};

static void make_steered(struct steered *t)
{
	*t = (struct steered){ .m = make_main(NULL) };
	t->s = make_session(t->m, sid_a);
	t->s->conf = &t->conf;
	session_set_state(t->s, SESSION_OPEN);
	assert_int_equal(addr_parse("192.0.2.9", &t->from.addr), ERR_OK);
	t->from.port = 4000;
	t->s->remote = t->from;
}

static void only_open_tunnels_with_udp_get_datagrams(void **state)
{
	struct steered t;

	(void)state;
	make_steered(&t);
	assert_true(steer_accepts(t.s, STEER_HELLO, &t.from, 100000));
	t.conf.no_udp = true;
	assert_false(steer_accepts(t.s, STEER_HELLO, &t.from, 100000));
	t.conf.no_udp = false;
	session_set_state(t.s, SESSION_OPENING);
	assert_false(steer_accepts(t.s, STEER_HELLO, &t.from, 100000));
	free_main(t.m);
}

static void a_repeated_hello_waits_three_seconds_unless_the_source_changed(void **state)
{
	struct steered t;
	struct endpoint moved;

	(void)state;
	make_steered(&t);
	t.s->hello_ms = 100000;
	t.s->hello_from = t.from;
	moved = t.from;
	moved.port++;
	assert_false(steer_accepts(t.s, STEER_HELLO, &t.from, 102999));
	assert_true(steer_accepts(t.s, STEER_HELLO, &moved, 102999));
	assert_true(steer_accepts(t.s, STEER_HELLO, &t.from, 103000));
	free_main(t.m);
}

static void strays_of_one_session_are_rate_limited(void **state)
{
	struct steered t;

	(void)state;
	make_steered(&t);
	t.s->stray_ms = 100000;
	assert_false(steer_accepts(t.s, STEER_RECORD, &t.from, 100249));
	assert_true(steer_accepts(t.s, STEER_RECORD, &t.from, 100250));
	free_main(t.m);
}

static void deny_roaming_holds_for_datagrams(void **state)
{
	struct steered t;
	struct endpoint elsewhere;

	(void)state;
	make_steered(&t);
	elsewhere = t.from;
	elsewhere.addr.bytes[3]++;
	assert_true(steer_accepts(t.s, STEER_HELLO, &elsewhere, 100000));
	t.conf.deny_roaming = true;
	assert_false(steer_accepts(t.s, STEER_HELLO, &elsewhere, 100000));
	assert_true(steer_accepts(t.s, STEER_HELLO, &t.from, 100000));
	free_main(t.m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_is_made_once_and_found_by_its_id),
		cmocka_unit_test(a_session_needs_a_whole_id_and_a_user),
		cmocka_unit_test(only_open_tunnels_of_the_user_count),
		cmocka_unit_test(app_ids_live_as_long_as_their_tunnel),
		cmocka_unit_test(an_address_means_a_session_only_when_it_is_the_only_one),
		cmocka_unit_test(a_session_comes_back_from_the_journal_with_its_address),
		cmocka_unit_test(a_forgotten_session_leaves_no_record),
		cmocka_unit_test(records_of_others_are_not_taken),
		cmocka_unit_test(a_hello_is_steered_by_its_id),
		cmocka_unit_test(a_hello_without_randomness_is_dropped),
		cmocka_unit_test(junk_is_dropped_and_a_data_record_is_a_stray),
		cmocka_unit_test(only_open_tunnels_with_udp_get_datagrams),
		cmocka_unit_test(a_repeated_hello_waits_three_seconds_unless_the_source_changed),
		cmocka_unit_test(strays_of_one_session_are_rate_limited),
		cmocka_unit_test(deny_roaming_holds_for_datagrams),
	};

	return cmocka_run_group_tests_name("sessions", tests, NULL, NULL);
}
