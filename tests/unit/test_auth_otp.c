/* test_auth_otp.c - one-time passwords against a users file (admin.md 9, checklist D). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <talloc.h>

#include "auth/backend/otp.h"
#include "auth/backend/otp_token.h"

/* The secret of RFC 4226 appendix D and RFC 6238 appendix B. */
#define SECRET "3132333435363738393031323334353637383930"

static const int64_t now = 1111111109; /* RFC 6238: the 8-digit code is 07081804 */

static char path[64];

static void put(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static const char *contents(void)
{
	static char text[4096];
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	fclose(f);
	return text;
}

static int setup(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/otp-test.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	return close(fd);
}

static int teardown(void **state)
{
	char lock[80];

	(void)state;
	snprintf(lock, sizeof lock, "%s.lock", path);
	unlink(lock);
	return unlink(path);
}

static enum otp_verdict try(const char *user, const char *code)
{
	enum otp_verdict v;

	assert_int_equal(otp_check(path, user, code, now, true, &v), ERR_OK);
	return v;
}

static void hotp_codes_count_up_and_are_used_once(void **state)
{
	(void)state;
	put("HOTP\tann\t-\t" SECRET "\n");
	assert_int_equal(try("ann", "755224"), OTP_RIGHT); /* counter 0 */
	assert_int_equal(try("ann", "755224"), OTP_REPLAYED);
	assert_int_equal(try("ann", "969429"), OTP_RIGHT); /* 3: two were skipped */
	assert_int_equal(try("ann", "287082"), OTP_WRONG); /* 1: gone by */
	assert_int_equal(try("ann", "338314"), OTP_RIGHT); /* 4 */
	assert_non_null(strstr(contents(), SECRET "\t4\t338314\t"));
}

static void hotp_counter_may_begin_anywhere(void **state)
{
	(void)state;
	put("HOTP/E/6 ann - " SECRET " 8\n");
	assert_int_equal(try("ann", "755224"), OTP_WRONG);
	assert_int_equal(try("ann", "399871"), OTP_RIGHT); /* 8 */
	put("HOTP ann - " SECRET " 30\n");
	assert_int_equal(try("ann", "520489"), OTP_WRONG); /* 9 is behind */
}

static void totp_codes_belong_to_their_time_and_never_go_back(void **state)
{
	(void)state;
	put("HOTP/T30/8 ann - " SECRET "\n");
	assert_int_equal(try("ann", "94287082"), OTP_WRONG); /* of 1970 */
	assert_int_equal(try("ann", "14050471"), OTP_RIGHT); /* two seconds later, next step */
	assert_int_equal(try("ann", "14050471"), OTP_REPLAYED);
	assert_int_equal(try("ann", "07081804"), OTP_REPLAYED); /* the step before it */
}

static void code_has_the_digits_of_its_token(void **state)
{
	(void)state;
	put("HOTP/T30/8 ann - " SECRET "\nHOTP/T30/6 bob - " SECRET "\n");
	assert_int_equal(try("ann", "081804"), OTP_WRONG);
	assert_int_equal(try("bob", "07081804"), OTP_WRONG);
	assert_int_equal(try("bob", "081804"), OTP_RIGHT);
	assert_int_equal(try("bob", ""), OTP_WRONG);
	assert_int_equal(try("bob", "+81804"), OTP_WRONG);
}

static void other_lines_stay_as_they_are(void **state)
{
	static const char before[] = "# tokens\nHOTP\tann\t-\t00\n\tHOTP  bob - ";
	static const char after[] = "\nbroken line\nHOTP/T30\tcarol\t1234\t11\t1\t123456\tx";
	char text[512];

	(void)state;
	snprintf(text, sizeof text, "%s%s%s", before, SECRET, after);
	put(text);
	chmod(path, 0640);
	assert_int_equal(try("bob", "755224"), OTP_RIGHT);
	assert_memory_equal(contents(), before, strlen(before));
	assert_string_equal(contents() + strlen(contents()) - strlen(after), after);
}

static void mode_of_the_file_stays(void **state)
{
	struct stat st;

	(void)state;
	put("HOTP ann - " SECRET "\n");
	chmod(path, 0640);
	assert_int_equal(try("ann", "755224"), OTP_RIGHT);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

static void every_token_of_a_user_counts(void **state)
{
	(void)state;
	put("HOTP ann - 00\nHOTP/T30/8 ann - " SECRET "\n");
	assert_int_equal(try("ann", "07081804"), OTP_RIGHT);
	assert_int_equal(try("eve", "07081804"), OTP_NO_TOKEN);
}

static void code_of_a_failing_login_is_not_used_up(void **state)
{
	enum otp_verdict v;

	(void)state;
	put("HOTP ann - " SECRET "\n");
	assert_int_equal(otp_check(path, "ann", "755224", now, false, &v), ERR_OK);
	assert_int_equal(v, OTP_RIGHT);
	assert_int_equal(try("ann", "755224"), OTP_RIGHT);
}

static void missing_file_is_an_error(void **state)
{
	enum otp_verdict v;
	bool has;

	(void)state;
	assert_int_equal(otp_check("/nonexistent/otp", "ann", "755224", now, true, &v), ERR_SYS);
	assert_int_equal(otp_has_token("/nonexistent/otp", "ann", &has), ERR_SYS);
}

/* Sixteen logins with the same code at the same time, and sixteen users with one each. */
static void parallel_logins_lose_nothing_and_replay_nothing(void **state)
{
	enum { USERS = 16 };
	char text[USERS * 80] = "", user[16];
	pid_t child[USERS * 2];
	int right_same = 0, right_own = 0, status;

	(void)state;
	strcat(text, "HOTP same - " SECRET "\n");
	for (int i = 0; i < USERS; i++)
		sprintf(text + strlen(text), "HOTP user%d - %s\n", i, SECRET);
	put(text);
	for (int i = 0; i < USERS * 2; i++) {
		snprintf(user, sizeof user, i < USERS ? "same" : "user%d", i - USERS);
		child[i] = fork();
		if (child[i] == 0)
			_exit(try(user, "755224") == OTP_RIGHT);
	}
	for (int i = 0; i < USERS * 2; i++) {
		waitpid(child[i], &status, 0);
		*(i < USERS ? &right_same : &right_own) += WEXITSTATUS(status);
	}
	assert_int_equal(right_same, 1);
	assert_int_equal(right_own, USERS);
	for (int i = 0; i < USERS; i++) {
		snprintf(text, sizeof text, "HOTP user%d - " SECRET "\t0\t755224\t", i);
		assert_non_null(strstr(contents(), text));
	}
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		CASE(hotp_codes_count_up_and_are_used_once),
		CASE(hotp_counter_may_begin_anywhere),
		CASE(totp_codes_belong_to_their_time_and_never_go_back),
		CASE(code_has_the_digits_of_its_token),
		CASE(other_lines_stay_as_they_are),
		CASE(mode_of_the_file_stays),
		CASE(every_token_of_a_user_counts),
		CASE(code_of_a_failing_login_is_not_used_up),
		CASE(missing_file_is_an_error),
		CASE(parallel_logins_lose_nothing_and_replay_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
