/* test_inherited.c - which descriptors of systemd are kept, and for whom. */
#include "super/inherited.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* The descriptors 3 to 6: a listener, a datagram socket, a socket that does not listen, a file. */
enum { FDS = 4 };

static void put(int fd, unsigned i)
{
	assert_true(fd >= 0);
	if (fd == INHERITED_FIRST + (int)i)
		return;
	assert_true(dup2(fd, INHERITED_FIRST + (int)i) >= 0);
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	put(socket(AF_INET, SOCK_STREAM, 0), 0);
	assert_int_equal(listen(INHERITED_FIRST, 1), 0);
	put(socket(AF_INET, SOCK_DGRAM, 0), 1);
	put(socket(AF_INET, SOCK_STREAM, 0), 2);
	put(open("/dev/null", O_RDONLY), 3);
	return 0;
}

static void name_them(pid_t pid)
{
	char text[32];

	snprintf(text, sizeof text, "%d", (int)pid);
	setenv("LISTEN_PID", text, 1);
	setenv("LISTEN_FDS", "4", 1);
}

static enum err note_kind(void *arg, const struct kept_fd *kept)
{
	int *fd_of = arg;

	fd_of[kept->kind == FD_KIND__FD_LISTEN_UDP] = kept->fd;
	assert_int_equal(kept->id, 0);
	return ERR_OK;
}

static void listeners_are_kept_and_others_closed(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	int fd_of[2] = { -1, -1 };
	struct fdstore *s;
	unsigned n = 0;

	(void)state;
	name_them(getpid());
	assert_int_equal(fdstore_new(ctx, &s), ERR_OK);
	assert_int_equal(inherited_keep(s, &n), ERR_OK);
	assert_int_equal(n, 2);
	assert_int_equal(fdstore_each(s, note_kind, fd_of), ERR_OK);
	assert_int_equal(fd_of[0], INHERITED_FIRST);
	assert_int_equal(fd_of[1], INHERITED_FIRST + 1);
	for (int i = 0; i < 2; i++)
		assert_true(fcntl(fd_of[i], F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(INHERITED_FIRST, F_GETFL) & O_NONBLOCK);
	assert_int_equal(fcntl(INHERITED_FIRST + 2, F_GETFD), -1);
	assert_int_equal(fcntl(INHERITED_FIRST + 3, F_GETFD), -1);
	assert_null(getenv("LISTEN_FDS"));
	talloc_free(ctx);
}

static void descriptors_of_another_process_are_left_alone(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct fdstore *s;
	unsigned n = 7;

	(void)state;
	name_them(getpid() + 1);
	assert_int_equal(fdstore_new(ctx, &s), ERR_OK);
	assert_int_equal(inherited_keep(s, &n), ERR_OK);
	assert_int_equal(n, 0);
	for (int i = 0; i < FDS; i++)
		assert_true(fcntl(INHERITED_FIRST + i, F_GETFD) >= 0);
	assert_null(getenv("LISTEN_PID"));
	talloc_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(descriptors_of_another_process_are_left_alone, setup),
		cmocka_unit_test_setup(listeners_are_kept_and_others_closed, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
