/* test_file.c - base/file.c: what is read whole, what is refused, what nobody can change. */
#include "base/file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct stage {
	char folder[64];
	char path[96];
};

static int set_up(void **state)
{
	struct stage *s = talloc_zero(NULL, struct stage);

	strcpy(s->folder, "/tmp/test_file.XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->path, sizeof s->path, "%s/file", s->folder);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *s = *state;

	(void)unlink(s->path);
	assert_int_equal(rmdir(s->folder), 0);
	talloc_free(s);
	return 0;
}

static void put(const struct stage *s, const char *text)
{
	int fd = open(s->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(file_write(fd, text, strlen(text)), ERR_OK);
	close(fd);
}

static void file_of_the_greatest_size_is_read_whole_and_ends_with_nul(void **state)
{
	struct stage *s = *state;
	char *text;
	size_t len;

	put(s, "twelve bytes");
	assert_int_equal(file_read(s, s->path, 12, &text, &len), ERR_OK);
	assert_int_equal(len, 12);
	assert_string_equal(text, "twelve bytes");
}

static void file_that_is_longer_is_refused(void **state)
{
	struct stage *s = *state;
	char *text;
	size_t len;

	put(s, "twelve bytes");
	assert_int_equal(file_read(s, s->path, 11, &text, &len), ERR_TOO_LONG);
	assert_int_equal(errno, EFBIG);
}

static void empty_file_is_an_empty_text(void **state)
{
	struct stage *s = *state;
	char *text;
	size_t len = 1;

	put(s, "");
	assert_int_equal(file_read(s, s->path, 11, &text, &len), ERR_OK);
	assert_int_equal(len, 0);
	assert_string_equal(text, "");
}

static void missing_file_says_why(void **state)
{
	struct stage *s = *state;
	char *text;
	size_t len;

	assert_int_equal(file_read(s, s->path, 11, &text, &len), ERR_SYS);
	assert_int_equal(errno, ENOENT);
}

static void fifo_is_refused_at_once(void **state)
{
	struct stage *s = *state;
	char *text;
	size_t len;

	assert_int_equal(mkfifo(s->path, 0600), 0);
	assert_int_equal(file_read(s, s->path, 11, &text, &len), ERR_UNSUPPORTED);
	assert_int_equal(errno, EINVAL);
}

static void folder_is_refused(void **state)
{
	struct stage *s = *state;
	char *text;
	size_t len;

	assert_int_equal(file_read(s, s->folder, 4096, &text, &len), ERR_UNSUPPORTED);
}

static void write_to_a_full_device_says_why(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(file_write(fd, "x", 1), ERR_SYS);
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

static void sealed_bytes_cannot_be_changed(void **state)
{
	char back[4];
	int fd = -1;

	(void)state;
	assert_int_equal(file_sealed("test", "abc", 3, &fd), ERR_OK);
	assert_int_equal(pread(fd, back, sizeof back, 0), 3);
	assert_memory_equal(back, "abc", 3);
	assert_int_equal(fcntl(fd, F_GET_SEALS) & FILE_SEALS, FILE_SEALS);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	close(fd);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(file_of_the_greatest_size_is_read_whole_and_ends_with_nul),
		CASE(file_that_is_longer_is_refused),
		CASE(empty_file_is_an_empty_text),
		CASE(missing_file_says_why),
		CASE(fifo_is_refused_at_once),
		CASE(folder_is_refused),
		cmocka_unit_test(write_to_a_full_device_says_why),
		cmocka_unit_test(sealed_bytes_cannot_be_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
