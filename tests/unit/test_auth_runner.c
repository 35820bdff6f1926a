/* test_auth_runner.c - the pool of runners; this program is its own runner, with a backend that
 * does what its auth line says. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <ev.h>
#include <talloc.h>

#include "auth/runner.h"
#include "base/clock.h"

enum {
	TIME_MS = 700,
	IDLE_MS = 100,
	FORGET_MS = 600,
	PROCESSES = 2,
	WAITING = 3,
	TALKS = 3,
	DELAY_MS = 150,
	QUEUED = 8,
	JOBS = 10,
	TEXT = 64
};

/* ---- the backend ---------------------------------------------------------- */

static enum err test_open(TALLOC_CTX *ctx, const struct backend_pairs *options, void **out,
			  const char **why)
{
	(void)why;
	*out = talloc_strdup(ctx, backend_pair_get(options, "do"));
	return *out ? ERR_OK : ERR_NOMEM;
}

static void note(const char *text)
{
	FILE *f = fopen("note", "a");

	fputs(text, f);
	fclose(f);
}

/* Two questions; what was answered is the user's name. */
static enum err converse(TALLOC_CTX *ctx, const struct backend_input *first, struct verdict *out,
			 bool stubborn)
{
	struct backend_input in = *first;
	char *answers = talloc_strdup(ctx, in.answer);

	for (unsigned i = 0; i < 2; i++) {
		struct verdict question = { .kind = VERDICT_PROMPT };

		question.text = talloc_asprintf(ctx, "%d", (int)getpid());
		if (in.ask(in.ask_arg, &question, &in)) {
			note("closed");
			if (stubborn)
				pause();
			return in.ask(in.ask_arg, &question, &in); /* and stays closed */
		}
		if (strcmp(in.answer, "block") == 0)
			pause();
		answers = talloc_asprintf_append(answers, "%s", in.answer);
	}
	*out = (struct verdict){ .kind = VERDICT_ACCEPT, .user = answers };
	return ERR_OK;
}

/* Counts in what is kept; the user's name is what was found. */
static enum err count(TALLOC_CTX *ctx, const struct backend_input *in, struct verdict *out)
{
	out->kind = VERDICT_ACCEPT;
	out->user = talloc_asprintf(ctx, "%zu", in->kept_len);
	out->keep_len = in->kept_len + 1;
	out->keep = talloc_zero_array(ctx, uint8_t, (unsigned)out->keep_len);
	return ERR_OK;
}

static void block_with_a_child(void)
{
	char text[TEXT];
	pid_t child = fork();

	if (!child) {
		setsid(); /* as programs of PAM modules do */
		pause();
	}
	snprintf(text, sizeof text, "%d", (int)child);
	note(text);
	pause();
}

static enum err test_step(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			  struct verdict *out)
{
	const char *what = conf;

	if (strcmp(what, "talk") == 0)
		return converse(ctx, in, out, false);
	if (strcmp(what, "talk-stubborn") == 0)
		return converse(ctx, in, out, true);
	if (strcmp(what, "count") == 0)
		return count(ctx, in, out);
	if (strcmp(in->answer, "fail") == 0)
		return ERR_SYS;
	if (strcmp(in->answer, "block") == 0)
		pause();
	if (strcmp(in->answer, "fork") == 0)
		block_with_a_child();
	if (strcmp(in->answer, in->moot ? "moot-pw" : "pw") == 0 ||
	    strcmp(in->answer, "late-pw") == 0)
		out->kind = VERDICT_ACCEPT;
	if (strcmp(in->answer, "late") == 0 || strcmp(in->answer, "late-pw") == 0)
		out->delay_ms = DELAY_MS;
	out->user = talloc_asprintf(ctx, "%d", (int)getpid());
	return ERR_OK;
}

static enum err test_account(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			     const struct acct_record *rec, struct verdict *out)
{
	if (strcmp(conf, "count") == 0)
		return count(ctx, in, out);
	if (rec->kind == ACCT_STOP && rec->started == 1000 && rec->seconds == 7 &&
	    rec->delay == 3 && rec->rx_bytes == 5000000000 && rec->tx_packets == 2 &&
	    rec->terminate_cause == 4 && strcmp(rec->group, "staff") == 0 &&
	    strcmp(rec->sid, "S1") == 0 && rec->v4.bytes[3] == 9)
		out->kind = VERDICT_ACCEPT;
	return ERR_OK;
}

static enum err test_relay(TALLOC_CTX *ctx, const void *conf, const uint8_t *payload, size_t len,
			   struct verdict *out)
{
	(void)conf;
	out->kind = VERDICT_ACCEPT;
	out->payload = talloc_memdup(ctx, payload, len);
	out->payload_len = len;
	return ERR_OK;
}

/* The pool sees one of them, by the same name. */
static const struct auth_backend busy_backend = {
	.name = "test",
	.converses = true,
	.open = test_open,
};
static const struct auth_backend waiting_backend = {
	.name = "test",
	.converses = true,
	.waits = true,
	.open = test_open,
};

const struct backend_work backend_work = {
	.traits = &busy_backend,
	.step = test_step,
	.account = test_account,
	.relay = test_relay,
};

/* ---- the rig -------------------------------------------------------------- */

struct rig {
	struct ev_loop *loop;
	struct runners *runners;
	const struct auth_backend *backend;
	char dir[TEXT], program[2 * TEXT];
	unsigned done;
	enum err err[JOBS];
	enum verdict_kind kind[JOBS];
	char user[JOBS][TEXT], text[JOBS][TEXT];
	unsigned order[JOBS]; /* the how manyth it was; from 1 */
};

/* A job's place in the rig, or a login with its conversation. */
struct asked {
	struct rig *rig;
	unsigned i;
	struct runner_job *job;
	struct runner_talk *talk;
	bool moot, even;
};

static int setup(void **state)
{
	static const char *const argv[] = { "test-runner", "--runner", NULL };
	char self[256] = "";
	static const struct runner_limits limits = {
		.processes = PROCESSES,
		.waiting = WAITING,
		.talks = TALKS,
		.queued = QUEUED,
		.time_ms = TIME_MS,
		.idle_ms = IDLE_MS,
		.forget_ms = FORGET_MS,
	};
	struct rig *r = talloc_zero(NULL, struct rig);

	strcpy(r->dir, "/tmp/runner-test.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
	assert_int_equal(chdir(r->dir), 0);
	snprintf(r->program, sizeof r->program, "%s/sallyport-runner-test", r->dir);
	assert_int_equal(symlink(self, r->program), 0);
	r->backend = &busy_backend;
	r->loop = ev_default_loop(0);
	assert_int_equal(runners_new(r, r->loop, r->dir, argv, &limits, &r->runners), ERR_OK);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	unlink("note");
	unlink("sallyport-runner-test");
	(void)!chdir("/");
	rmdir(r->dir);
	talloc_free(r);
	return 0;
}

static void on_done(void *arg, enum err err, const struct verdict *v)
{
	struct asked *a = arg;
	struct rig *r = a->rig;

	a->job = NULL;
	r->err[a->i] = err;
	r->kind[a->i] = v ? v->kind : VERDICT_ERROR;
	snprintf(r->user[a->i], TEXT, "%s", v && v->user ? v->user : "");
	snprintf(r->text[a->i], TEXT, "%s", v && v->text ? v->text : "");
	r->order[a->i] = ++r->done;
}

/* The next step of the login A. */
static enum err step(struct asked *a, unsigned i, const char *what, const char *answer)
{
	struct backend_pair pair = { "do", what };
	struct backend_pairs options = { &pair, 1 };
	struct backend_input in = { .user = "ann", .answer = answer, .moot = a->moot };
	struct runner_call call = { .work = WORK_STEP,
				    .backend = a->rig->backend,
				    .options = &options,
				    .input = &in,
				    .even = a->even,
				    .talk = &a->talk };

	a->i = i;
	return runner_submit(a->rig->runners, a, &call, on_done, a, &a->job);
}

static struct asked *submit(struct rig *r, unsigned i, const char *what, const char *answer)
{
	struct asked *a = talloc_zero(r, struct asked);

	a->rig = r;
	assert_int_equal(step(a, i, what, answer), ERR_OK);
	return a;
}

static struct asked *submit_record(struct rig *r, unsigned i, const char *what)
{
	struct asked *a = talloc_zero(r, struct asked);
	struct backend_pair pair = { "do", what };
	struct backend_pairs options = { &pair, 1 };
	struct acct_record rec = {
		.kind = ACCT_STOP,
		.sid = "S1",
		.user = "ann",
		.group = "staff",
		.v4 = { .family = AF_INET, .bytes = { 10, 0, 0, 9 } },
		.started = 1000,
		.seconds = 7,
		.delay = 3,
		.rx_bytes = 5000000000,
		.tx_packets = 2,
		.terminate_cause = 4,
	};
	struct runner_call call = {
		.work = WORK_ACCOUNT, .backend = r->backend, .options = &options, .record = &rec
	};

	a->rig = r;
	a->i = i;
	assert_int_equal(runner_submit(r->runners, a, &call, on_done, a, &a->job), ERR_OK);
	return a;
}

static void wait_for(struct rig *r, unsigned n)
{
	while (r->done < n)
		ev_run(r->loop, EVRUN_ONCE);
}

static void on_alarm(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)w;
	(void)revents;
	ev_break(loop, EVBREAK_ONE);
}

static void let_pass(struct rig *r, unsigned ms)
{
	ev_timer alarm;

	ev_timer_init(&alarm, on_alarm, ms / 1000.0, 0);
	ev_now_update(r->loop);
	ev_timer_start(r->loop, &alarm);
	ev_run(r->loop, 0);
	ev_timer_stop(r->loop, &alarm);
}

static bool is_gone(const char *pid)
{
	return kill((pid_t)atoi(pid), 0) < 0 && errno == ESRCH;
}

static void wait_until_gone(struct rig *r, const char *pid)
{
	assert_true(atoi(pid) > 0);
	while (!is_gone(pid))
		let_pass(r, 5);
}

static void read_note(char out[TEXT])
{
	FILE *f = fopen("note", "r");

	memset(out, 0, TEXT);
	if (!f)
		return;
	(void)!fread(out, 1, TEXT - 1, f);
	fclose(f);
}

/* ---- jobs ----------------------------------------------------------------- */

static void verdicts_come_back_to_their_jobs(void **state)
{
	struct rig *r = *state;

	submit(r, 0, "check", "pw");
	submit(r, 1, "check", "wrong");
	submit(r, 2, "check", "pw");
	assert_int_equal(r->done, 0); /* never from inside the call */
	wait_for(r, 3);
	assert_int_equal(r->kind[0], VERDICT_ACCEPT);
	assert_int_equal(r->kind[1], VERDICT_REJECT);
	assert_int_equal(r->kind[2], VERDICT_ACCEPT);
}

static void failing_backend_is_a_verdict(void **state)
{
	struct rig *r = *state;

	submit(r, 0, "check", "fail");
	wait_for(r, 1);
	assert_int_equal(r->err[0], ERR_OK);
	assert_int_equal(r->kind[0], VERDICT_ERROR);
}

static void blocked_job_delays_nobody_and_fails_in_time(void **state)
{
	struct rig *r = *state;

	submit(r, 0, "check", "block");
	submit(r, 1, "check", "pw");
	submit(r, 2, "check", "pw");
	wait_for(r, 2);
	assert_int_equal(r->kind[1], VERDICT_ACCEPT);
	assert_int_equal(r->kind[2], VERDICT_ACCEPT);
	wait_for(r, 3);
	assert_int_equal(r->err[0], ERR_TIMEOUT);
}

static void jobs_go_on_when_every_runner_was_blocked(void **state)
{
	struct rig *r = *state;

	submit(r, 0, "check", "block");
	submit(r, 1, "check", "block");
	submit(r, 2, "check", "pw");
	wait_for(r, 3);
	assert_int_equal(r->err[0], ERR_TIMEOUT);
	assert_int_equal(r->err[1], ERR_TIMEOUT);
	assert_int_equal(r->kind[2], VERDICT_ACCEPT);
}

static void cancelled_job_is_not_reported(void **state)
{
	struct rig *r = *state;
	struct asked *queued = submit(r, 0, "check", "pw");
	struct asked *running = submit(r, 1, "check", "pw");

	talloc_free(queued);
	ev_run(r->loop, EVRUN_ONCE); /* hands RUNNING out */
	talloc_free(running);
	submit(r, 2, "check", "pw");
	wait_for(r, 1);
	assert_int_equal(r->kind[2], VERDICT_ACCEPT);
}

static void refusal_is_held_back_and_its_runner_is_not(void **state)
{
	struct rig *r = *state;
	uint64_t start = clock_ms();

	for (unsigned i = 0; i < PROCESSES; i++)
		submit(r, i, "check", "late");
	submit(r, PROCESSES, "check", "pw");
	wait_for(r, 1);
	assert_int_equal(r->order[PROCESSES], 1);
	wait_for(r, PROCESSES + 1);
	assert_true(clock_ms() - start >= DELAY_MS);
	assert_int_equal(r->kind[0], VERDICT_REJECT);
	assert_true(*r->user[0]);
}

static void acceptance_waits_only_when_refusals_must_not_be_told_from_it(void **state)
{
	struct rig *r = *state;
	struct asked *a = talloc_zero(r, struct asked);
	uint64_t start = clock_ms();

	*a = (struct asked){ .rig = r, .even = true };
	assert_int_equal(step(a, 0, "check", "late-pw"), ERR_OK);
	submit(r, 1, "check", "late-pw");
	wait_for(r, 1);
	assert_int_equal(r->order[1], 1);
	wait_for(r, 2);
	assert_true(clock_ms() - start >= DELAY_MS);
	assert_int_equal(r->kind[0], VERDICT_ACCEPT);
	assert_true(*r->user[0]);
}

static void backend_hears_that_the_login_is_lost(void **state)
{
	struct rig *r = *state;
	struct asked *a = talloc_zero(r, struct asked);

	*a = (struct asked){ .rig = r, .moot = true };
	assert_int_equal(step(a, 0, "check", "moot-pw"), ERR_OK);
	wait_for(r, 1);
	assert_int_equal(r->kind[0], VERDICT_ACCEPT);
}

static void refusal_that_is_held_back_can_be_cancelled(void **state)
{
	struct rig *r = *state;
	struct asked *a = submit(r, 0, "check", "late");

	submit(r, 1, "check", "pw");
	wait_for(r, 1);
	let_pass(r, DELAY_MS / 3);
	talloc_free(a);
	let_pass(r, 2 * DELAY_MS);
	assert_int_equal(r->done, 1);
}

static void abandoned_job_is_reported_to_its_new_owner(void **state)
{
	struct rig *r = *state;
	struct asked *old = submit(r, 0, "check", "late"), *new = talloc_zero(r, struct asked);

	*new = (struct asked){ .rig = r, .i = 1 };
	ev_run(r->loop, EVRUN_ONCE); /* hands it out */
	assert_true(runner_abandon(old->job, new, on_done, new));
	talloc_free(old);
	wait_for(r, 1);
	assert_int_equal(r->order[1], 1);
	assert_int_equal(r->kind[1], VERDICT_REJECT);
	assert_true(*r->user[1]);
}

static void abandoned_job_that_only_waited_is_cancelled(void **state)
{
	struct rig *r = *state;
	struct asked *a = submit(r, 0, "check", "pw");

	assert_false(runner_abandon(a->job, r, on_done, NULL));
	let_pass(r, DELAY_MS);
	assert_int_equal(r->done, 0);
}

static void records_arrive_whole(void **state)
{
	struct rig *r = *state;

	submit_record(r, 0, "check");
	wait_for(r, 1);
	assert_int_equal(r->err[0], ERR_OK);
	assert_int_equal(r->kind[0], VERDICT_ACCEPT);
}

static void on_relayed(void *arg, enum err err, const struct verdict *v)
{
	struct rig *r = arg;

	assert_int_equal(err, ERR_OK);
	assert_int_equal(v->payload_len, 3);
	assert_memory_equal(v->payload, "a\0b", 3);
	r->done++;
}

static void payloads_arrive_whole(void **state)
{
	struct rig *r = *state;
	struct backend_pair pair = { "do", "relay" };
	struct backend_pairs options = { &pair, 1 };
	struct runner_call call = { .work = WORK_RELAY,
				    .backend = r->backend,
				    .options = &options,
				    .payload = (const uint8_t *)"a\0b",
				    .payload_len = 3 };
	struct runner_job *job;

	assert_int_equal(runner_submit(r->runners, r, &call, on_relayed, r, &job), ERR_OK);
	wait_for(r, 1);
}

static void programs_of_a_runner_end_with_it(void **state)
{
	struct rig *r = *state;
	char child[TEXT];

	submit(r, 0, "check", "fork");
	wait_for(r, 1);
	assert_int_equal(r->err[0], ERR_TIMEOUT);
	read_note(child);
	/* It is not our child, so it may stay a zombie of whoever took it over. */
	for (unsigned i = 0; i < 100 && !is_gone(child); i++) {
		char path[2 * TEXT], text[256] = "";
		FILE *f;

		snprintf(path, sizeof path, "/proc/%s/stat", child);
		f = fopen(path, "r");
		if (f)
			(void)!fread(text, 1, sizeof text - 1, f);
		if (f)
			fclose(f);
		if (strstr(text, ") Z ") || !*text)
			return;
		let_pass(r, 10);
	}
	assert_true(is_gone(child));
}

/* ---- lanes ---------------------------------------------------------------- */

static void queue_has_an_end_and_is_the_lanes_own(void **state)
{
	struct rig *r = *state;
	struct asked *extra;

	for (unsigned i = 0; i < QUEUED; i++)
		submit(r, 0, "check", "pw");
	extra = talloc_zero(r, struct asked);
	extra->rig = r;
	assert_int_equal(step(extra, 1, "check", "pw"), ERR_EXHAUSTED);
	assert_int_equal(step(extra, 1, "other", "pw"), ERR_OK);
	wait_for(r, QUEUED + 1);
	assert_int_equal(r->kind[1], VERDICT_ACCEPT);
}

static void line_that_hangs_delays_no_other(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < 4; i++)
		submit(r, i, "check", "block");
	for (unsigned i = 4; i < 8; i++)
		submit(r, i, "other", "pw");
	wait_for(r, 8);
	for (unsigned i = 4; i < 8; i++) {
		assert_true(r->order[i] <= 4);
		assert_int_equal(r->kind[i], VERDICT_ACCEPT);
	}
}

static void accounting_and_logins_do_not_wait_for_each_other(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < 3; i++)
		submit(r, i, "check", "block");
	submit_record(r, 3, "check");
	wait_for(r, 1);
	assert_int_equal(r->order[3], 1);
	wait_for(r, 4);
}

static void backend_that_waits_has_more_runners(void **state)
{
	struct rig *r = *state;
	uint64_t start = clock_ms();

	r->backend = &waiting_backend;
	for (unsigned i = 0; i < WAITING; i++)
		submit(r, i, "check", "block");
	wait_for(r, WAITING);
	assert_true(clock_ms() - start < 2 * TIME_MS);
}

static void runners_without_work_end(void **state)
{
	struct rig *r = *state;

	submit(r, 0, "check", "pw");
	wait_for(r, 1);
	wait_until_gone(r, r->user[0]);
}

static void what_is_kept_outlasts_runners(void **state)
{
	struct rig *r = *state;

	submit(r, 0, "count", "");
	wait_for(r, 1);
	assert_string_equal(r->user[0], "0");
	let_pass(r, 2 * IDLE_MS);
	submit(r, 1, "count", "");
	wait_for(r, 2);
	assert_string_equal(r->user[1], "1");
}

static void accounting_finds_what_logins_kept(void **state)
{
	struct rig *r = *state;

	submit(r, 0, "count", "");
	wait_for(r, 1);
	submit_record(r, 1, "count");
	wait_for(r, 2);
	assert_string_equal(r->user[1], "1");
	submit(r, 2, "count", "");
	wait_for(r, 3);
	assert_string_equal(r->user[2], "2");
}

static void unused_line_is_forgotten(void **state)
{
	struct rig *r = *state;

	submit(r, 0, "count", "");
	wait_for(r, 1);
	let_pass(r, FORGET_MS * 2);
	submit(r, 1, "count", "");
	wait_for(r, 2);
	assert_string_equal(r->user[1], "0");
}

/* ---- conversations -------------------------------------------------------- */

static void conversation_stays_in_one_process(void **state)
{
	struct rig *r = *state;
	struct asked *a = submit(r, 0, "talk", "a");

	wait_for(r, 1);
	assert_int_equal(r->kind[0], VERDICT_PROMPT);
	assert_non_null(a->talk);
	assert_int_equal(step(a, 1, "talk", "b"), ERR_OK);
	wait_for(r, 2);
	assert_string_equal(r->text[1], r->text[0]);
	assert_int_equal(step(a, 2, "talk", "c"), ERR_OK);
	wait_for(r, 3);
	assert_int_equal(r->kind[2], VERDICT_ACCEPT);
	assert_string_equal(r->user[2], "abc");
	assert_null(a->talk);
}

static void client_may_think_longer_than_a_step_may_take(void **state)
{
	struct rig *r = *state;
	struct asked *a = submit(r, 0, "talk", "a");

	wait_for(r, 1);
	let_pass(r, TIME_MS + IDLE_MS);
	assert_int_equal(step(a, 1, "talk", "b"), ERR_OK);
	wait_for(r, 2);
	assert_int_equal(r->kind[1], VERDICT_PROMPT);
	assert_string_equal(r->text[1], r->text[0]);
}

static void step_of_a_conversation_has_a_time_limit(void **state)
{
	struct rig *r = *state;
	struct asked *a = submit(r, 0, "talk", "a");

	wait_for(r, 1);
	assert_int_equal(step(a, 1, "talk", "block"), ERR_OK);
	wait_for(r, 2);
	assert_int_equal(r->err[1], ERR_TIMEOUT);
	assert_null(a->talk);
	wait_until_gone(r, r->text[0]);
}

static void abandoned_conversation_is_aborted(void **state)
{
	struct rig *r = *state;
	struct asked *a = submit(r, 0, "talk", "a");
	char seen[TEXT];

	wait_for(r, 1);
	talloc_free(a);
	wait_until_gone(r, r->text[0]);
	read_note(seen);
	assert_string_equal(seen, "closed");
}

static void abandoned_conversation_that_goes_on_is_killed(void **state)
{
	struct rig *r = *state;
	struct asked *a = submit(r, 0, "talk-stubborn", "a");

	wait_for(r, 1);
	TALLOC_FREE(a->talk);
	let_pass(r, TIME_MS);
	assert_false(is_gone(r->text[0]));
	wait_until_gone(r, r->text[0]);
}

static void cancelled_step_ends_its_conversation(void **state)
{
	struct rig *r = *state;
	struct asked *a = submit(r, 0, "talk", "a");

	wait_for(r, 1);
	assert_int_equal(step(a, 1, "talk", "b"), ERR_OK);
	TALLOC_FREE(a->job);
	assert_null(a->talk);
	wait_until_gone(r, r->text[0]);
	assert_int_equal(r->done, 1);
}

static void abandoned_step_ends_its_conversation_after_it(void **state)
{
	struct rig *r = *state;
	struct asked *a = submit(r, 0, "talk", "a");

	wait_for(r, 1);
	assert_int_equal(step(a, 1, "talk", "b"), ERR_OK);
	assert_true(runner_abandon(a->job, r, on_done, a));
	assert_null(a->talk);
	wait_for(r, 2);
	assert_int_equal(r->err[1], ERR_CLOSED); /* it asked again */
	wait_until_gone(r, r->text[0]);
}

static void question_that_nobody_waits_for_ends_the_conversation(void **state)
{
	struct rig *r = *state;
	struct asked *a = submit(r, 0, "talk", "a");
	char seen[TEXT] = "";

	ev_run(r->loop, EVRUN_ONCE); /* hands it out */
	talloc_free(a);
	while (!*seen) {
		let_pass(r, 5);
		read_note(seen);
	}
	assert_string_equal(seen, "closed");
}

static void lost_process_ends_its_conversation(void **state)
{
	struct rig *r = *state;
	struct asked *a = submit(r, 0, "talk", "a");

	wait_for(r, 1);
	kill((pid_t)atoi(r->text[0]), SIGKILL);
	while (a->talk)
		ev_run(r->loop, EVRUN_ONCE);
	assert_int_equal(r->done, 1);
}

static void process_lost_in_a_step_fails_it(void **state)
{
	struct rig *r = *state;
	struct asked *a = submit(r, 0, "talk", "a");

	wait_for(r, 1);
	assert_int_equal(step(a, 1, "talk", "block"), ERR_OK);
	let_pass(r, TIME_MS / 4);
	kill((pid_t)atoi(r->text[0]), SIGKILL);
	wait_for(r, 2);
	assert_int_equal(r->err[1], ERR_CLOSED);
	assert_null(a->talk);
}

static void waiting_conversations_leave_runners_to_others(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < TALKS; i++)
		submit(r, i, "talk", "a");
	wait_for(r, TALKS);
	assert_true(TALKS > PROCESSES);
	submit(r, TALKS, "talk", "a");
	wait_for(r, TALKS + 1);
	assert_int_equal(r->kind[TALKS], VERDICT_PROMPT);
}

static void oldest_conversation_gives_way(void **state)
{
	struct rig *r = *state;
	struct asked *a[TALKS + 1];

	for (unsigned i = 0; i < TALKS; i++) {
		a[i] = submit(r, i, "talk", "a");
		wait_for(r, i + 1);
	}
	assert_int_equal(step(a[0], 0, "talk", "b"), ERR_OK);
	wait_for(r, TALKS + 1);
	a[TALKS] = submit(r, TALKS, "talk", "a");
	wait_for(r, TALKS + 2);
	assert_non_null(a[0]->talk);
	assert_null(a[1]->talk);
	assert_non_null(a[2]->talk);
	assert_non_null(a[TALKS]->talk);
	wait_until_gone(r, r->text[1]);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(verdicts_come_back_to_their_jobs),
		CASE(failing_backend_is_a_verdict),
		CASE(blocked_job_delays_nobody_and_fails_in_time),
		CASE(jobs_go_on_when_every_runner_was_blocked),
		CASE(cancelled_job_is_not_reported),
		CASE(refusal_is_held_back_and_its_runner_is_not),
		CASE(acceptance_waits_only_when_refusals_must_not_be_told_from_it),
		CASE(backend_hears_that_the_login_is_lost),
		CASE(refusal_that_is_held_back_can_be_cancelled),
		CASE(abandoned_job_is_reported_to_its_new_owner),
		CASE(abandoned_job_that_only_waited_is_cancelled),
		CASE(records_arrive_whole),
		CASE(payloads_arrive_whole),
		CASE(programs_of_a_runner_end_with_it),
		CASE(queue_has_an_end_and_is_the_lanes_own),
		CASE(line_that_hangs_delays_no_other),
		CASE(accounting_and_logins_do_not_wait_for_each_other),
		CASE(backend_that_waits_has_more_runners),
		CASE(runners_without_work_end),
		CASE(what_is_kept_outlasts_runners),
		CASE(accounting_finds_what_logins_kept),
		CASE(unused_line_is_forgotten),
		CASE(conversation_stays_in_one_process),
		CASE(client_may_think_longer_than_a_step_may_take),
		CASE(step_of_a_conversation_has_a_time_limit),
		CASE(abandoned_conversation_is_aborted),
		CASE(abandoned_conversation_that_goes_on_is_killed),
		CASE(cancelled_step_ends_its_conversation),
		CASE(abandoned_step_ends_its_conversation_after_it),
		CASE(question_that_nobody_waits_for_ends_the_conversation),
		CASE(lost_process_ends_its_conversation),
		CASE(process_lost_in_a_step_fails_it),
		CASE(waiting_conversations_leave_runners_to_others),
		CASE(oldest_conversation_gives_way),
	};

	if (argc > 1 && strcmp(argv[1], "--runner") == 0)
		return runner_main(3, &backend_work);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
