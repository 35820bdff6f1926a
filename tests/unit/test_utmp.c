/* test_utmp.c - login records, in a mount namespace with empty record files (needs root). */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utmpx.h>

#include <cmocka.h>

#include "main/utmp.h"

/* The machine's own records must not learn of our users. */
static int hide_records(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/run", "tmpfs", 0, NULL) || mount("none", "/var/log", "tmpfs", 0, NULL))
		return -1;
	close(open("/run/utmp", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	close(open("/var/log/wtmp", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	return 0;
}

/* The record of device LINE in utmp. */
static struct utmpx record(const char *line)
{
	struct utmpx u, none = { 0 };
	const struct utmpx *found;

	memset(&u, 0, sizeof u);
	strcpy(u.ut_line, line);
	setutxent();
	found = getutxline(&u);
	u = found ? *found : none;
	endutxent();
	return u;
}

static void a_login_is_seen_until_the_logout(void **state)
{
	struct utmp_entry e = { "vpns0", "ann", 3713, { AF_INET, { 198, 51, 100, 7 } } };
	struct utmp_entry other = { "vpns1", "bob", 3714, { AF_INET6, { 0x20, 1 } } };
	struct utmpx u;
	struct stat st;

	(void)state;
	utmp_login(&e);
	utmp_login(&other);
	u = record("vpns0");
	assert_int_equal(u.ut_type, USER_PROCESS);
	assert_int_equal(u.ut_pid, 3713);
	assert_string_equal(u.ut_user, "ann");
	assert_string_equal(u.ut_host, "198.51.100.7");
	assert_memory_equal(u.ut_addr_v6, "\xc6\x33\x64\x07", 4);
	assert_true(u.ut_tv.tv_sec != 0);
	utmp_logout(&e);
	assert_int_equal(record("vpns0").ut_type, 0);
	assert_string_equal(record("vpns1").ut_user, "bob");
	assert_int_equal(stat("/var/log/wtmp", &st), 0);
	assert_int_equal(st.st_size, 3 * sizeof(struct utmpx));
}

static void long_names_are_cut(void **state)
{
	char name[80];
	struct utmp_entry e = { "vpns9", name, 1, { AF_INET, { 10 } } };

	(void)state;
	memset(name, 'x', sizeof name);
	name[79] = 0;
	utmp_login(&e);
	assert_int_equal(strnlen(record("vpns9").ut_user, __UT_NAMESIZE), __UT_NAMESIZE - 1);
}

static void missing_files_harm_nobody(void **state)
{
	struct utmp_entry e = { "vpns0", "ann", 3713, { AF_INET, { 198, 51, 100, 7 } } };

	(void)state;
	assert_int_equal(unlink("/run/utmp"), 0);
	assert_int_equal(unlink("/var/log/wtmp"), 0);
	utmp_login(&e);
	utmp_logout(&e);
	assert_int_equal(access("/run/utmp", F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_login_is_seen_until_the_logout),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(missing_files_harm_nobody),
	};

	return cmocka_run_group_tests(tests, hide_records, NULL);
}
