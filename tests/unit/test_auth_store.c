/* test_auth_store.c - sessions, their keys and their journal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <talloc.h>

#include "auth/store/store.h"

enum { MANY = 5000 };

struct rig {
	struct journal *journal;
	struct store *store;
	struct session_row row[1];
	struct session init;
};

static int setup(void **state)
{
	struct rig *r = talloc_zero(NULL, struct rig);

	assert_int_equal(journal_open(r, -1, &r->journal), ERR_OK);
	assert_int_equal(store_new(r, r->journal, &r->store), ERR_OK);
	r->row[0] = (struct session_row){ "dns", "192.0.2.53" };
	r->init = (struct session){ .user = "ann",
				    .group = "staff",
				    .vhost = "default",
				    .user_agent = "agent",
				    .backend = "plain",
				    .cert_user = "laptop",
				    .row = r->row,
				    .n_rows = 1,
				    .remote = { AF_INET, { 192, 0, 2, 7 } },
				    .started = 100,
				    .expires = 415 };
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

static void cookie_of(unsigned i, uint8_t cookie[TICKET_COOKIE])
{
	memset(cookie, 0, TICKET_COOKIE);
	memcpy(cookie, &i, sizeof i);
}

static struct session *add(struct rig *r, unsigned i)
{
	uint8_t cookie[TICKET_COOKIE];
	struct session *s;

	cookie_of(i, cookie);
	assert_int_equal(store_add(r->store, cookie, &r->init, &s), ERR_OK);
	return s;
}

static struct session *find(const struct rig *r, unsigned i)
{
	uint8_t cookie[TICKET_COOKIE];

	cookie_of(i, cookie);
	return store_by_cookie(r->store, cookie, sizeof cookie);
}

/* What a restarted process sees. */
static void restart(struct rig *r)
{
	int fd = dup(journal_fd(r->journal));

	TALLOC_FREE(r->store);
	TALLOC_FREE(r->journal);
	assert_int_equal(journal_open(r, fd, &r->journal), ERR_OK);
	assert_int_equal(store_new(r, r->journal, &r->store), ERR_OK);
	store_restore(r->store);
}

static void sid_is_base64_of_sha1_of_the_cookie(void **state)
{
	uint8_t cookie[TICKET_COOKIE] = { 0 };
	char sid[TICKET_SID + 1];

	(void)state;
	ticket_sid(cookie, sid);
	/* printf '\0%.0s' {1..32} | openssl sha1 -binary | base64 */
	assert_string_equal(sid, "3oqEe/+MND1puFOiFebud17y75Y=");
}

static void session_is_found_by_its_cookie_and_its_sid_only(void **state)
{
	struct rig *r = *state;
	struct session *s = add(r, 1);
	uint8_t cookie[TICKET_COOKIE];

	cookie_of(1, cookie);
	assert_ptr_equal(find(r, 1), s);
	assert_ptr_equal(store_by_sid(r->store, s->sid), s);
	assert_null(find(r, 2));
	assert_null(store_by_cookie(r->store, cookie, TICKET_COOKIE - 1));
	assert_null(store_by_cookie(r->store, s->key, TICKET_KEY));
	assert_null(store_by_sid(r->store, "short"));
	assert_null(store_by_sid(r->store, "AAAAAAAAAAAAAAAAAAAAAAAAAAA="));
}

static void forgotten_session_is_found_no_more(void **state)
{
	struct rig *r = *state;

	add(r, 1);
	add(r, 2);
	store_forget(r->store, find(r, 1));
	assert_null(find(r, 1));
	assert_non_null(find(r, 2));
	restart(r);
	assert_null(find(r, 1));
	assert_int_equal(store_count(r->store), 1);
}

static void restart_brings_everything_back(void **state)
{
	struct rig *r = *state;
	struct session *s = add(r, 1);

	s->worker = 77;
	s->opened = true;
	s->tls_auth_ok = true;
	s->expires = 0;
	s->deadline = 900;
	store_save(r->store, s);
	restart(r);
	s = find(r, 1);
	assert_non_null(s);
	assert_string_equal(s->user, "ann");
	assert_string_equal(s->group, "staff");
	assert_string_equal(s->vhost, "default");
	assert_string_equal(s->user_agent, "agent");
	assert_string_equal(s->backend, "plain");
	assert_string_equal(s->cert_user, "laptop");
	assert_string_equal(s->row[0].option, "dns");
	assert_string_equal(s->row[0].value, "192.0.2.53");
	assert_int_equal(s->worker, 77);
	assert_true(s->opened && s->tls_auth_ok);
	assert_int_equal(s->started, 100);
	assert_int_equal(s->expires, 0);
	assert_int_equal(s->deadline, 900);
	assert_true(addr_equal(&s->remote, &r->init.remote));
	assert_ptr_equal(store_by_sid(r->store, s->sid), s);
}

static void thousands_of_sessions_are_kept_apart(void **state)
{
	struct rig *r = *state;
	size_t seen = 0;

	for (unsigned i = 0; i < MANY; i++)
		add(r, i);
	for (unsigned i = 0; i < MANY; i += 2)
		store_forget(r->store, find(r, i));
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(find(r, i) != NULL, i % 2);
	for (struct session *s = store_first(r->store); s; s = s->next)
		seen++;
	assert_int_equal(seen, MANY / 2);
	restart(r);
	assert_int_equal(store_count(r->store), MANY / 2);
}

static void overlong_record_lives_in_memory_only(void **state)
{
	struct rig *r = *state;
	char *agent = talloc_size(r, JOURNAL_VALUE + 1);

	memset(agent, 'a', JOURNAL_VALUE);
	agent[JOURNAL_VALUE] = '\0';
	r->init.user_agent = agent;
	add(r, 1);
	assert_non_null(find(r, 1));
	restart(r);
	assert_null(find(r, 1));
}

static void hundreds_of_rows_survive_a_restart(void **state)
{
	enum { ROWS = 600 };
	struct rig *r = *state;
	struct session_row *row = talloc_array(r, struct session_row, ROWS);
	struct session *s;

	for (unsigned i = 0; i < ROWS; i++) {
		row[i].option = "route";
		row[i].value = talloc_asprintf(row, "10.%u.%u.0/24", i / 256, i % 256);
	}
	r->init.row = row;
	r->init.n_rows = ROWS;
	s = add(r, 1);
	add(r, 2);
	s->worker = 5;
	store_save(r->store, s);
	restart(r);
	for (unsigned i = 1; i <= 2; i++) {
		s = find(r, i);
		assert_non_null(s);
		assert_int_equal(s->n_rows, ROWS);
		assert_string_equal(s->row[0].value, "10.0.0.0/24");
		assert_string_equal(s->row[ROWS - 1].value, "10.2.87.0/24");
	}
	assert_int_equal(find(r, 1)->worker, 5);
	store_forget(r->store, find(r, 1));
	restart(r);
	assert_int_equal(store_count(r->store), 1);
}

static void damaged_records_are_dropped(void **state)
{
	struct rig *r = *state;
	struct session *s = add(r, 1), *out;
	struct buf value;

	buf_init(&value, r, JOURNAL_VALUE);
	assert_int_equal(session_encode(s, &value), ERR_OK);
	for (size_t i = 0; i < value.len; i++)
		assert_int_equal(session_decode(r, s->key, (const uint8_t *)value.data, i, &out),
				 ERR_SYNTAX);
	value.data[0] = 99;
	assert_int_equal(session_decode(r, s->key, (const uint8_t *)value.data, value.len, &out),
			 ERR_SYNTAX);
	assert_int_equal(journal_put(r->journal, s->key, value.data, value.len), ERR_OK);
	restart(r);
	assert_int_equal(store_count(r->store), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(sid_is_base64_of_sha1_of_the_cookie),
		CASE(session_is_found_by_its_cookie_and_its_sid_only),
		CASE(forgotten_session_is_found_no_more),
		CASE(restart_brings_everything_back),
		CASE(thousands_of_sessions_are_kept_apart),
		CASE(overlong_record_lives_in_memory_only),
		CASE(hundreds_of_rows_survive_a_restart),
		CASE(damaged_records_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
