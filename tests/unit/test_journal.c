/* test_journal.c - records survive whoever wrote them. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/journal.h"

enum { SLOT = 1024, SLOT_SEQ = 0, SLOT_LEN = 8, SLOT_MORE = 12, SLOT_KEY = 16, SLOT_VALUE = 48 };

struct seen {
	size_t n;
	uint8_t key[JOURNAL_KEY];
	char value[JOURNAL_VALUE + 1];
};

static void see(void *arg, const uint8_t key[JOURNAL_KEY], const void *value, size_t len)
{
	struct seen *s = arg;

	s->n++;
	memcpy(s->key, key, JOURNAL_KEY);
	memcpy(s->value, value, len);
	s->value[len] = '\0';
}

static struct seen look(struct journal *j)
{
	struct seen s = { 0 };

	assert_int_equal(journal_each(j, see, &s), ERR_OK);
	return s;
}

static void make_key(uint8_t key[JOURNAL_KEY], uint32_t n)
{
	memset(key, 7, JOURNAL_KEY);
	memcpy(key, &n, sizeof n);
}

static struct journal *open_new(void)
{
	struct journal *j = NULL;

	assert_int_equal(journal_open(NULL, -1, &j), ERR_OK);
	return j;
}

/* What the next process does: the same memfd, a fresh mapping. */
static struct journal *reopen(struct journal *j)
{
	int fd = dup(journal_fd(j));
	struct journal *next = NULL;

	talloc_free(j);
	assert_int_equal(journal_open(NULL, fd, &next), ERR_OK);
	return next;
}

static void a_record_is_found_after_reopening(void **state)
{
	struct journal *j = open_new();
	uint8_t key[JOURNAL_KEY];
	struct seen s;

	(void)state;
	make_key(key, 1);
	assert_int_equal(journal_put(j, key, "hello", 5), ERR_OK);
	j = reopen(j);
	s = look(j);
	assert_int_equal(s.n, 1);
	assert_memory_equal(s.key, key, JOURNAL_KEY);
	assert_string_equal(s.value, "hello");
	talloc_free(j);
}

static void putting_again_replaces(void **state)
{
	struct journal *j = open_new();
	uint8_t key[JOURNAL_KEY];
	char text[16];

	(void)state;
	make_key(key, 1);
	for (int i = 0; i < 200; i++) {
		snprintf(text, sizeof text, "v%d", i);
		assert_int_equal(journal_put(j, key, text, strlen(text)), ERR_OK);
	}
	assert_int_equal(look(j).n, 1);
	assert_string_equal(look(j).value, "v199");
	j = reopen(j);
	assert_string_equal(look(j).value, "v199");
	talloc_free(j);
}

static void deleting_removes_and_wipes(void **state)
{
	struct journal *j = open_new();
	uint8_t key[JOURNAL_KEY];
	struct stat st;
	char *all;

	(void)state;
	make_key(key, 1);
	assert_int_equal(journal_put(j, key, "needle-in-memory", 16), ERR_OK);
	journal_del(j, key);
	journal_del(j, key);
	assert_int_equal(look(j).n, 0);
	assert_int_equal(fstat(journal_fd(j), &st), 0);
	all = malloc((size_t)st.st_size);
	assert_int_equal(pread(journal_fd(j), all, (size_t)st.st_size, 0), st.st_size);
	assert_null(memmem(all, (size_t)st.st_size, "needle", 6));
	free(all);
	talloc_free(j);
}

static void it_grows_beyond_its_first_slots(void **state)
{
	enum { N = 5000 };
	struct journal *j = open_new();
	uint8_t key[JOURNAL_KEY];

	(void)state;
	for (uint32_t i = 0; i < N; i++) {
		make_key(key, i);
		assert_int_equal(journal_put(j, key, &i, sizeof i), ERR_OK);
	}
	assert_int_equal(look(j).n, N);
	for (uint32_t i = 0; i < N; i += 2) {
		make_key(key, i);
		journal_del(j, key);
	}
	j = reopen(j);
	assert_int_equal(look(j).n, N / 2);
	for (uint32_t i = 1; i < N; i += 2) {
		make_key(key, i);
		journal_del(j, key);
	}
	assert_int_equal(look(j).n, 0);
	talloc_free(j);
}

static void a_too_long_value_is_refused(void **state)
{
	struct journal *j = open_new();
	static const uint8_t value[JOURNAL_VALUE + 1];
	uint8_t key[JOURNAL_KEY] = { 1 };

	(void)state;
	assert_int_equal(journal_put(j, key, value, sizeof value), ERR_TOO_LONG);
	assert_int_equal(journal_put(j, key, value, JOURNAL_VALUE), ERR_OK);
	assert_int_equal(journal_put(j, key, NULL, 0), ERR_OK);
	assert_int_equal(look(j).n, 1);
	talloc_free(j);
}

static void a_foreign_descriptor_is_refused(void **state)
{
	struct journal *j = NULL;
	int fd = memfd_create("other", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(ftruncate(fd, 65536), 0);
	assert_int_equal(journal_open(NULL, fd, &j), ERR_SYNTAX);
	assert_null(j);
	fd = memfd_create("empty", MFD_CLOEXEC);
	assert_int_equal(journal_open(NULL, fd, &j), ERR_SYNTAX);
}

/* An update cut short between its steps 2 and 3 leaves two records of one key. */
static void after_an_unfinished_update_the_new_record_counts(void **state)
{
	struct journal *j = open_new();
	uint8_t key[JOURNAL_KEY], slot[SLOT];
	uint64_t seq = 1000;
	struct seen s;

	(void)state;
	make_key(key, 1);
	assert_int_equal(journal_put(j, key, "old", 3), ERR_OK);
	memset(slot, 0, sizeof slot);
	memcpy(slot + SLOT_SEQ, &seq, sizeof seq);
	slot[SLOT_LEN] = 3;
	memcpy(slot + SLOT_KEY, key, JOURNAL_KEY);
	memcpy(slot + SLOT_VALUE, "new", 3);
	assert_int_equal(pwrite(journal_fd(j), slot, SLOT, 40 * SLOT), SLOT);
	j = reopen(j);
	s = look(j);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.value, "new");
	assert_int_equal(journal_put(j, key, "newer", 5), ERR_OK);
	j = reopen(j);
	assert_string_equal(look(j).value, "newer");
	talloc_free(j);
}

/* Values around the ends of slots, longer and shorter than the one before. */
static void a_long_value_takes_several_slots_and_gives_them_back(void **state)
{
	static const size_t sizes[] = { JOURNAL_SHORT,
					JOURNAL_SHORT + 1,
					2 * JOURNAL_SHORT,
					2 * JOURNAL_SHORT + 1,
					5,
					JOURNAL_VALUE,
					0,
					3000 };
	struct journal *j = open_new();
	uint8_t key[JOURNAL_KEY];
	struct stat first, now;
	char *value = malloc(JOURNAL_VALUE);
	struct seen s;

	(void)state;
	for (size_t i = 0; i < JOURNAL_VALUE; i++)
		value[i] = (char)('a' + i % 23);
	for (uint32_t round = 0; round < 100; round++) {
		for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
			make_key(key, 1);
			assert_int_equal(journal_put(j, key, value, sizes[i]), ERR_OK);
			if (round < 2)
				j = reopen(j);
			s = look(j);
			assert_int_equal(s.n, 1);
			assert_int_equal(strlen(s.value), sizes[i]);
			assert_memory_equal(s.value, value, sizes[i]);
		}
		assert_int_equal(fstat(journal_fd(j), round ? &now : &first), 0);
		if (round)
			assert_int_equal(now.st_size, first.st_size);
	}
	journal_del(j, key);
	j = reopen(j);
	assert_int_equal(look(j).n, 0);
	free(value);
	talloc_free(j);
}

/* A kill between steps 1 and 2: the pieces are there, nothing leads to them. */
static void pieces_without_a_head_are_wiped(void **state)
{
	struct journal *j = open_new();
	uint8_t slot[SLOT], key[JOURNAL_KEY];

	(void)state;
	make_key(key, 1);
	assert_int_equal(journal_put(j, key, "kept", 4), ERR_OK);
	memset(slot, 0, sizeof slot);
	slot[SLOT_LEN] = 6;
	slot[SLOT_MORE] = 9;
	memcpy(slot + SLOT_VALUE, "orphan", 6);
	assert_int_equal(pwrite(journal_fd(j), slot, SLOT, 10 * SLOT), SLOT);
	j = reopen(j);
	assert_int_equal(look(j).n, 1);
	assert_int_equal(pread(journal_fd(j), slot, SLOT, 10 * SLOT), SLOT);
	assert_null(memmem(slot, SLOT, "orphan", 6));
	talloc_free(j);
}

/* Pieces that lead in a circle, beyond the end, or to a piece of another record. */
static void a_chain_that_cannot_be_is_refused(void **state)
{
	static const uint32_t targets[] = { 40, 41, 9999 };
	uint8_t slot[SLOT];
	uint64_t seq = 77;
	uint32_t len = JOURNAL_SHORT;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct journal *j = open_new(), *next = NULL;
		uint8_t key[JOURNAL_KEY];
		int fd = dup(journal_fd(j));

		for (uint32_t n = 0; n < 50; n++) {
			make_key(key, n);
			assert_int_equal(journal_put(j, key, "x", 1), ERR_OK);
		}
		talloc_free(j);
		memset(slot, 0, sizeof slot);
		memcpy(slot + SLOT_SEQ, &seq, sizeof seq);
		memcpy(slot + SLOT_LEN, &len, sizeof len);
		memcpy(slot + SLOT_MORE, &targets[i], sizeof targets[i]);
		assert_int_equal(pwrite(fd, slot, SLOT, 40 * SLOT), SLOT);
		assert_int_equal(journal_open(NULL, fd, &next), ERR_SYNTAX);
	}
}

/* Writes until killed. */
static _Noreturn void write_for_ever(struct journal *j)
{
	uint8_t key[JOURNAL_KEY];

	for (uint32_t n = 0;; n++) {
		char value[4 * JOURNAL_SHORT];
		memset(value, 'a' + (int)(n % 26), sizeof value);
		make_key(key, n % 8);
		if (journal_put(j, key, value, 8 + n * 97 % (sizeof value - 8)))
			_exit(1);
	}
}

/* A child writes for as long as it lives; whenever it dies, every key has one whole record. */
static void a_kill_at_any_time_leaves_whole_records(void **state)
{
	enum { KEYS = 8 };
	struct journal *j = open_new();
	uint8_t key[JOURNAL_KEY];

	(void)state;
	for (uint32_t i = 0; i < KEYS; i++) {
		make_key(key, i);
		assert_int_equal(journal_put(j, key, "aaaaaaaa", 8), ERR_OK);
	}
	for (int round = 0; round < 20; round++) {
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			write_for_ever(j);
		usleep(2000);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		j = reopen(j);
		struct seen s = look(j);
		assert_int_equal(s.n, KEYS);
		for (size_t i = 1; s.value[i]; i++)
			assert_int_equal(s.value[i], s.value[0]);
	}
	talloc_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_found_after_reopening),
		cmocka_unit_test(putting_again_replaces),
		cmocka_unit_test(deleting_removes_and_wipes),
		cmocka_unit_test(it_grows_beyond_its_first_slots),
		cmocka_unit_test(a_too_long_value_is_refused),
		cmocka_unit_test(a_foreign_descriptor_is_refused),
		cmocka_unit_test(after_an_unfinished_update_the_new_record_counts),
		cmocka_unit_test(a_long_value_takes_several_slots_and_gives_them_back),
		cmocka_unit_test(pieces_without_a_head_are_wiped),
		cmocka_unit_test(a_chain_that_cannot_be_is_refused),
		cmocka_unit_test(a_kill_at_any_time_leaves_whole_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
