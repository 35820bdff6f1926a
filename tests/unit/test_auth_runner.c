/* test_auth_runner.c - the pool of runners; this program is its own runner. */
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
#include <crypt.h>
#include <ev.h>
#include <talloc.h>

#include "auth/runner.h"

enum { TIME_MS = 300, PROCESSES = 2, QUEUED = 8, JOBS = 6 };

struct rig {
	struct ev_loop *loop;
	struct runners *runners;
	char dir[64], passwd[80], fifo[80];
	unsigned done;
	enum err err[JOBS];
	enum verdict_kind kind[JOBS];
};

/* A job's place in the rig. */
struct asked {
	struct rig *rig;
	unsigned i;
	struct runner_job *job;
};

static int setup(void **state)
{
	static const char *const argv[] = { "test-runner", "--runner", NULL };
	char program[96], self[256] = "";
	static const struct runner_limits limits = { .processes = PROCESSES,
						     .waiting = PROCESSES,
						     .talks = 1,
						     .queued = QUEUED,
						     .time_ms = TIME_MS };
	struct rig *r = talloc_zero(NULL, struct rig);
	struct crypt_data data = { 0 };
	FILE *f;

	strcpy(r->dir, "/tmp/runner-test.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->passwd, sizeof r->passwd, "%s/passwd", r->dir);
	snprintf(r->fifo, sizeof r->fifo, "%s/fifo", r->dir);
	f = fopen(r->passwd, "w");
	fprintf(f, "ann:staff:%s\n", crypt_rn("pw", "$5$rounds=1000$salt$", &data, sizeof data));
	fclose(f);
	/* Opening it blocks for ever, like a server that does not answer. */
	assert_int_equal(mkfifo(r->fifo, 0600), 0);
	assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
	snprintf(program, sizeof program, "%s/sallyport-runner-plain", r->dir);
	assert_int_equal(symlink(self, program), 0);
	r->loop = ev_default_loop(0);
	assert_int_equal(runners_new(r, r->loop, r->dir, argv, &limits, &r->runners), ERR_OK);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;
	char program[96];

	unlink(r->passwd);
	unlink(r->fifo);
	snprintf(program, sizeof program, "%s/sallyport-runner-plain", r->dir);
	unlink(program);
	rmdir(r->dir);
	talloc_free(r);
	return 0;
}

static void on_done(void *arg, enum err err, const struct verdict *v)
{
	struct asked *a = arg;

	a->job = NULL;
	a->rig->err[a->i] = err;
	a->rig->kind[a->i] = v ? v->kind : VERDICT_ERROR;
	a->rig->done++;
}

static struct asked *submit(struct rig *r, unsigned i, char *path, const char *password)
{
	struct asked *a = talloc_zero(r, struct asked);
	struct backend_pair pair = { "passwd", path };
	struct backend_pairs options = { &pair, 1 };
	struct backend_input in = { .user = "ann", .answer = password };
	struct runner_call call = { .work = WORK_STEP,
				    .backend = backend_find("plain"),
				    .options = &options,
				    .input = &in };

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

static void verdicts_come_back_to_their_jobs(void **state)
{
	struct rig *r = *state;

	submit(r, 0, r->passwd, "pw");
	submit(r, 1, r->passwd, "wrong");
	submit(r, 2, r->passwd, "pw");
	assert_int_equal(r->done, 0); /* never from inside the call */
	wait_for(r, 3);
	assert_int_equal(r->kind[0], VERDICT_ACCEPT);
	assert_int_equal(r->kind[1], VERDICT_REJECT);
	assert_int_equal(r->kind[2], VERDICT_ACCEPT);
}

static void failing_backend_is_a_verdict(void **state)
{
	struct rig *r = *state;
	char missing[] = "/nonexistent/passwd";

	submit(r, 0, missing, "pw");
	wait_for(r, 1);
	assert_int_equal(r->err[0], ERR_OK);
	assert_int_equal(r->kind[0], VERDICT_ERROR);
}

static void blocked_job_delays_nobody_and_fails_in_time(void **state)
{
	struct rig *r = *state;

	submit(r, 0, r->fifo, "pw");
	submit(r, 1, r->passwd, "pw");
	submit(r, 2, r->passwd, "pw");
	wait_for(r, 2);
	assert_int_equal(r->kind[1], VERDICT_ACCEPT);
	assert_int_equal(r->kind[2], VERDICT_ACCEPT);
	wait_for(r, 3);
	assert_int_equal(r->err[0], ERR_TIMEOUT);
}

static void jobs_go_on_when_every_runner_was_blocked(void **state)
{
	struct rig *r = *state;

	submit(r, 0, r->fifo, "pw");
	submit(r, 1, r->fifo, "pw");
	submit(r, 2, r->passwd, "pw");
	wait_for(r, 3);
	assert_int_equal(r->err[0], ERR_TIMEOUT);
	assert_int_equal(r->err[1], ERR_TIMEOUT);
	assert_int_equal(r->kind[2], VERDICT_ACCEPT);
}

static void cancelled_job_is_not_reported(void **state)
{
	struct rig *r = *state;
	struct asked *queued = submit(r, 0, r->passwd, "pw");
	struct asked *running = submit(r, 1, r->passwd, "pw");

	talloc_free(queued);
	ev_run(r->loop, EVRUN_ONCE); /* hands RUNNING out */
	talloc_free(running);
	submit(r, 2, r->passwd, "pw");
	wait_for(r, 1);
	assert_int_equal(r->kind[2], VERDICT_ACCEPT);
}

static void queue_has_an_end(void **state)
{
	struct rig *r = *state;
	struct backend_pairs options = { .n = 0 };
	struct runner_call call = { .work = WORK_GROUPS,
				    .backend = backend_find("plain"),
				    .options = &options };
	struct runner_job *job;

	for (unsigned i = 0; i < QUEUED; i++)
		submit(r, 0, r->passwd, "pw");
	assert_int_equal(runner_submit(r->runners, r, &call, on_done, NULL, &job), ERR_EXHAUSTED);
	wait_for(r, QUEUED);
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
		CASE(queue_has_an_end),
	};

	if (argc > 1 && strcmp(argv[1], "--runner") == 0)
		return runner_main(3, &backend_work);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
