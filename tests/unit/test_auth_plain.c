/* test_auth_plain.c - who logs in with the backend `plain` (admin.md 8, checklist B and C). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <crypt.h>
#include <talloc.h>

#include "auth/backend/work.h"

struct rig {
	char path[64];
	FILE *file;
	void *conf;
	struct verdict v;
};

static int setup(void **state)
{
	struct rig *r = talloc_zero(NULL, struct rig);
	struct backend_pair pair = { "passwd", r->path };
	struct backend_pairs options = { &pair, 1 };
	const char *why;
	int fd;

	strcpy(r->path, "/tmp/plain-test.XXXXXX");
	fd = mkstemp(r->path);
	assert_true(fd >= 0);
	r->file = fdopen(fd, "w");
	assert_int_equal(backend_plain.open(r, &options, &r->conf, &why), ERR_OK);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	fclose(r->file);
	unlink(r->path);
	talloc_free(r);
	return 0;
}

/* Adds a user; HASH NULL: that of PASSWORD, with MARK before it. */
static void add(struct rig *r, const char *user, const char *groups, const char *mark,
		const char *password, const char *setting)
{
	struct crypt_data data = { 0 };

	fprintf(r->file, "%s:%s:%s%s\n", user, groups, mark,
		password ? crypt_rn(password, setting, &data, sizeof data) : "");
	fflush(r->file);
}

static enum verdict_kind try(struct rig *r, const char *user, const char *password)
{
	struct backend_input in = { .user = user, .answer = password };

	r->v = (struct verdict){ .kind = VERDICT_ERROR };
	assert_int_equal(backend_work.step(r, r->conf, &in, &r->v), ERR_OK);
	return r->v.kind;
}

#define SHA256 "$5$rounds=1000$salt$"

static void right_password_is_accepted_with_the_groups(void **state)
{
	struct rig *r = *state;

	add(r, "ann", "a, staff ,guests", "", "pw", SHA256);
	assert_int_equal(try(r, "ann", "pw"), VERDICT_ACCEPT);
	assert_int_equal(r->v.groups.n, 2);
	assert_string_equal(r->v.groups.item[0], "staff");
}

static void every_crypt_method_is_accepted(void **state)
{
	struct rig *r = *state;

	add(r, "u1", "*", "", "pw", "$1$salt$");
	add(r, "u5", "*", "", "pw", SHA256);
	add(r, "u6", "*", "", "pw", "$6$rounds=1000$salt$");
	add(r, "u2b", "*", "", "pw", "$2b$04$abcdefghijklmnopqrstuu");
	add(r, "uy", "*", "", "pw", "$y$j75$abcdefgh$");
	assert_int_equal(try(r, "u1", "pw"), VERDICT_ACCEPT);
	assert_int_equal(try(r, "u5", "pw"), VERDICT_ACCEPT);
	assert_int_equal(try(r, "u6", "pw"), VERDICT_ACCEPT);
	assert_int_equal(try(r, "u2b", "pw"), VERDICT_ACCEPT);
	assert_int_equal(try(r, "uy", "pw"), VERDICT_ACCEPT);
	assert_int_equal(try(r, "uy", "PW"), VERDICT_REJECT);
}

static void wrong_empty_and_missing_passwords_are_rejected(void **state)
{
	struct rig *r = *state;

	add(r, "ann", "*", "", "pw", SHA256);
	assert_int_equal(try(r, "ann", "PW"), VERDICT_REJECT);
	assert_int_equal(try(r, "ann", "pw "), VERDICT_REJECT);
	assert_int_equal(try(r, "ann", ""), VERDICT_REJECT);
	assert_int_equal(try(r, "ann", NULL), VERDICT_REJECT);
}

static void names_are_compared_exactly(void **state)
{
	struct rig *r = *state;

	add(r, "sp@c/al", "*", "", "!@#$%^&*()<>", SHA256);
	assert_int_equal(try(r, "sp@c/al", "!@#$%^&*()<>"), VERDICT_ACCEPT);
	assert_int_equal(try(r, "SP@C/AL", "!@#$%^&*()<>"), VERDICT_REJECT);
	assert_int_equal(try(r, "sp@c", "!@#$%^&*()<>"), VERDICT_REJECT);
	assert_int_equal(try(r, "", "!@#$%^&*()<>"), VERDICT_REJECT);
}

static void locked_user_is_rejected_with_the_right_password(void **state)
{
	struct rig *r = *state;

	add(r, "ann", "*", "!", "pw", SHA256);
	assert_int_equal(try(r, "ann", "pw"), VERDICT_REJECT);
}

static void only_users_who_are_there_and_not_locked_may_go_on(void **state)
{
	static const struct {
		const char *user;
		bool allowed;
	} cases[] = { { "ann", true }, { "bob", false }, { "eve", false }, { "", false } };
	struct rig *r = *state;

	add(r, "ann", "*", "", "pw", SHA256);
	add(r, "bob", "*", "!", "pw", SHA256);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct backend_input in = { .user = cases[i].user };
		struct verdict v = { .kind = VERDICT_ERROR };

		assert_int_equal(backend_work.allows(r, r->conf, &in, &v), ERR_OK);
		assert_int_equal(v.kind == VERDICT_ACCEPT, cases[i].allowed);
		assert_int_equal(v.kind == VERDICT_REJECT, !cases[i].allowed);
	}
}

static void hash_of_the_empty_string_accepts_it(void **state)
{
	struct rig *r = *state;

	add(r, "ann", "*", "", "", SHA256);
	assert_int_equal(try(r, "ann", ""), VERDICT_ACCEPT);
	assert_int_equal(try(r, "ann", "x"), VERDICT_REJECT);
	assert_int_equal(try(r, "ann", NULL), VERDICT_REJECT);
}

static void empty_hash_never_logs_in(void **state)
{
	struct rig *r = *state;

	add(r, "ann", "*", "", NULL, NULL);
	assert_int_equal(try(r, "ann", ""), VERDICT_REJECT);
	assert_int_equal(try(r, "ann", "x"), VERDICT_REJECT);
	/* Nor with the decoy's password. */
	add(r, "bob", "*", "", "pw", SHA256);
	assert_int_equal(try(r, "ann", "pw"), VERDICT_REJECT);
	assert_int_equal(try(r, "nobody", "pw"), VERDICT_REJECT);
}

static void broken_hash_never_logs_in(void **state)
{
	struct rig *r = *state;

	add(r, "ann", "*", "*0", NULL, NULL);
	add(r, "bob", "*", "x", NULL, NULL);
	assert_int_equal(try(r, "ann", "*0"), VERDICT_REJECT);
	assert_int_equal(try(r, "ann", ""), VERDICT_REJECT);
	assert_int_equal(try(r, "bob", "x"), VERDICT_REJECT);
}

static void first_match_wins(void **state)
{
	struct rig *r = *state;

	add(r, "ann", "*", "", "one", SHA256);
	add(r, "ann", "*", "", "two", SHA256);
	assert_int_equal(try(r, "ann", "one"), VERDICT_ACCEPT);
	assert_int_equal(try(r, "ann", "two"), VERDICT_REJECT);
}

static void file_is_read_for_each_login(void **state)
{
	struct rig *r = *state;

	assert_int_equal(try(r, "ann", "pw"), VERDICT_REJECT);
	add(r, "ann", "*", "", "pw", SHA256);
	assert_int_equal(try(r, "ann", "pw"), VERDICT_ACCEPT);
}

static void overlong_password_is_rejected(void **state)
{
	struct rig *r = *state;
	char long_one[2000];

	memset(long_one, 'p', sizeof long_one);
	long_one[sizeof long_one - 1] = '\0';
	add(r, "ann", "*", "", "pw", SHA256);
	assert_int_equal(try(r, "ann", long_one), VERDICT_REJECT);
}

static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cost_of(struct rig *r, const char *user)
{
	double t0 = cpu();

	assert_int_equal(try(r, user, "guess"), VERDICT_REJECT);
	return cpu() - t0;
}

static void unknown_and_locked_users_cost_a_hash(void **state)
{
	struct rig *r = *state;
	double known;

	add(r, "ann", "*", "", "pw", "$5$rounds=200000$salt$");
	add(r, "loc", "*", "!", "pw", "$5$rounds=200000$salt$");
	add(r, "emp", "*", "", NULL, NULL);
	known = cost_of(r, "ann");
	assert_true(cost_of(r, "nobody") > known / 4);
	assert_true(cost_of(r, "loc") > known / 4);
	assert_true(cost_of(r, "emp") > known / 4);
}

static void missing_file_is_an_error_and_no_rejection(void **state)
{
	struct rig *r = *state;
	struct backend_input in = { .user = "ann", .answer = "pw" };

	unlink(r->path);
	assert_int_equal(backend_work.step(r, r->conf, &in, &r->v), ERR_SYS);
}

static void all_groups_of_the_file_are_listed_once(void **state)
{
	struct rig *r = *state;
	struct strv groups = { .n = 0 };

	add(r, "ann", "staff,guests", "", "pw", SHA256);
	add(r, "bob", "*,staff,ops", "!", "pw", SHA256);
	assert_int_equal(backend_work.groups(r, r->conf, NULL, &groups), ERR_OK);
	assert_int_equal(groups.n, 3);
	assert_string_equal(groups.item[0], "staff");
	assert_string_equal(groups.item[2], "ops");
}

/* One step of a login that wants codes only, of ann's HOTP token (RFC 4226 appendix D). */
static void codes_step(struct rig *r, const char *answer, const char *state, bool moot)
{
	struct backend_pair pair = { "otp", r->path };
	struct backend_pairs options = { &pair, 1 };
	struct backend_input in = {
		.user = "ann",
		.answer = answer,
		.state = (const uint8_t *)state,
		.state_len = strlen(state),
		.moot = moot,
	};
	const char *why;
	void *conf;

	r->v = (struct verdict){ .kind = VERDICT_REJECT };
	assert_int_equal(backend_plain.open(r, &options, &conf, &why), ERR_OK);
	assert_int_equal(backend_work.step(r, conf, &in, &r->v), ERR_OK);
}

static void code_behind_a_failed_factor_is_refused_and_not_used_up(void **state)
{
	struct rig *r = *state;

	fputs("HOTP ann - 3132333435363738393031323334353637383930\n", r->file);
	fflush(r->file);
	for (int moot = 1; moot >= 0; moot--) {
		codes_step(r, NULL, "", moot);
		assert_int_equal(r->v.kind, VERDICT_PROMPT);
		assert_string_equal(r->v.text, "Please enter your OTP password.");
		assert_memory_equal(r->v.state, "g", 1);
		codes_step(r, "000000", "g", moot);
		assert_int_equal(r->v.kind, VERDICT_REJECT);
		assert_string_equal(r->v.reason, "wrong one-time password");
		codes_step(r, "755224", "g", moot);
		assert_int_equal(r->v.kind, moot ? VERDICT_REJECT : VERDICT_ACCEPT);
		if (moot)
			assert_string_equal(r->v.reason, "right one-time password");
	}
	/* Given at once it is not accepted either: the question comes. */
	codes_step(r, "287082", "", true);
	assert_int_equal(r->v.kind, VERDICT_PROMPT);
}

static void options_without_a_file_are_refused(void **state)
{
	struct backend_pair otp[] = { { "otp", "/y" } };
	struct backend_pairs options = { otp, 0 };
	const char *why = NULL;
	void *conf;

	assert_int_equal(backend_plain.open(*state, &options, &conf, &why), ERR_CONF);
	assert_string_equal(why, "plain: no password or OTP file specified");
	options.n = 1;
	assert_int_equal(backend_plain.open(*state, &options, &conf, &why), ERR_OK);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(right_password_is_accepted_with_the_groups),
		CASE(every_crypt_method_is_accepted),
		CASE(wrong_empty_and_missing_passwords_are_rejected),
		CASE(names_are_compared_exactly),
		CASE(locked_user_is_rejected_with_the_right_password),
		CASE(only_users_who_are_there_and_not_locked_may_go_on),
		CASE(hash_of_the_empty_string_accepts_it),
		CASE(empty_hash_never_logs_in),
		CASE(broken_hash_never_logs_in),
		CASE(first_match_wins),
		CASE(file_is_read_for_each_login),
		CASE(overlong_password_is_rejected),
		CASE(unknown_and_locked_users_cost_a_hash),
		CASE(missing_file_is_an_error_and_no_rejection),
		CASE(all_groups_of_the_file_are_listed_once),
		CASE(code_behind_a_failed_factor_is_refused_and_not_used_up),
		CASE(options_without_a_file_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
