/* test_fdstore.c - descriptors that outlive their owner. */
#include "super/fdstore.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int new_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static enum err count(void *arg, const struct kept_fd *kept)
{
	(void)kept;
	++*(unsigned *)arg;
	return ERR_OK;
}

static unsigned kept_count(struct fdstore *s)
{
	unsigned n = 0;

	assert_int_equal(fdstore_each(s, count, &n), ERR_OK);
	return n;
}

static void dropping_closes_only_that_descriptor(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct fdstore *s;
	int a = new_fd(), b = new_fd();

	(void)state;
	assert_int_equal(fdstore_new(ctx, &s), ERR_OK);
	assert_int_equal(fdstore_keep(s, FD_KIND__FD_WORKER_MAIN, 7, a, NULL, 0), ERR_OK);
	assert_int_equal(fdstore_keep(s, FD_KIND__FD_WORKER_AUTH, 7, b, NULL, 0), ERR_OK);
	fdstore_drop(s, FD_KIND__FD_WORKER_MAIN, 7);
	fdstore_drop(s, FD_KIND__FD_WORKER_MAIN, 8);
	assert_false(is_open(a));
	assert_true(is_open(b));
	assert_int_equal(kept_count(s), 1);
	talloc_free(ctx);
	assert_false(is_open(b));
}

static void the_same_key_replaces(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct fdstore *s;
	int a = new_fd(), b = new_fd();

	(void)state;
	assert_int_equal(fdstore_new(ctx, &s), ERR_OK);
	assert_int_equal(fdstore_keep(s, FD_KIND__FD_CONF, 0, a, "old", 3), ERR_OK);
	assert_int_equal(fdstore_keep(s, FD_KIND__FD_CONF, 0, b, "new", 3), ERR_OK);
	assert_false(is_open(a));
	assert_true(is_open(b));
	assert_int_equal(kept_count(s), 1);
	talloc_free(ctx);
}

static enum err expect_note(void *arg, const struct kept_fd *kept)
{
	(void)arg;
	assert_int_equal(kept->note_len, 4);
	assert_memory_equal(kept->note, "note", 4);
	return ERR_BUSY;
}

static void each_hands_out_the_note_and_the_first_error(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct fdstore *s;

	(void)state;
	assert_int_equal(fdstore_new(ctx, &s), ERR_OK);
	assert_int_equal(fdstore_keep(s, FD_KIND__FD_LISTEN_TCP, 1, new_fd(), "note", 4), ERR_OK);
	assert_int_equal(fdstore_each(s, expect_note, NULL), ERR_BUSY);
	talloc_free(ctx);
}

static void many_workers_are_found_again(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct fdstore *s;

	(void)state;
	assert_int_equal(fdstore_new(ctx, &s), ERR_OK);
	for (uint64_t id = 0; id < 500; id++)
		assert_int_equal(fdstore_keep(s, FD_KIND__FD_WORKER_MAIN, id, new_fd(), NULL, 0),
				 ERR_OK);
	assert_int_equal(kept_count(s), 500);
	for (uint64_t id = 0; id < 500; id += 2)
		fdstore_drop(s, FD_KIND__FD_WORKER_MAIN, id);
	assert_int_equal(kept_count(s), 250);
	talloc_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dropping_closes_only_that_descriptor),
		cmocka_unit_test(the_same_key_replaces),
		cmocka_unit_test(each_hands_out_the_note_and_the_first_error),
		cmocka_unit_test(many_workers_are_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
