/* auth.c - the auth process: keys, credentials, sessions (design.md 2).  Started by the supervisor;
 * the same program checks keys for `sallyportd -t`. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "auth/account.h"
#include "auth/args.h"
#include "auth/open.h"
#include "auth/process.h"
#include "auth/resume.h"
#include "auth/sandbox.h"
#include "auth/spawn.h"
#include "base/clock.h"
#include "conf/pack.h"

enum {
	RUNNERS_MIN = 2,
	RUNNERS_WAITING = 16, /* per auth line */
	RUNNER_TALKS = 64,
	RUNNER_QUEUE = 4096, /* logins that wait for a runner */
	RUNNER_TIME_MS =
		30000, /* most for one step; clients wait about as long (protocol.md 4.9) */
	RUNNER_IDLE_MS = 30000,
	RUNNER_FORGET_MS = 3600000,
};

/* ---- sallyportd -t -------------------------------------------------------- */

static int check_keys(int fd)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct keys_report report = { .ctx = ctx };
	struct conf_rows rows = { .n = 0 };
	struct hosts *hosts = NULL;
	enum err err = conf_unpack_fd(ctx, fd, &rows);

	if (!err)
		err = hosts_load(ctx, &rows, 1, &report, &hosts);
	for (size_t i = 0; i < report.warning.n; i++)
		fprintf(stderr, "warning: %s\n", report.warning.item[i]);
	for (size_t i = 0; i < report.error.n; i++)
		fprintf(stderr, "error: %s\n", report.error.item[i]);
	if (err && !report.error.n)
		fprintf(stderr, "error: %s\n", err_text(err));
	talloc_free(ctx);
	return err ? 1 : 0;
}

/* ---- start-up ------------------------------------------------------------- */

/* The service manager and terminals signal whole groups of processes; main decides what happens,
 * and we end when the supervisor closes our channel. */
static void ignore_signals(void)
{
	static const int ignored[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE };

	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		signal(ignored[i], SIG_IGN);
}

static void on_tick(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct auth *a = w->data;

	(void)loop;
	(void)revents;
	logins_expire(a->logins);
	/* Before main has told the configuration, nobody knows what happened in the meantime. */
	if (a->phase != AUTH_SERVING)
		return;
	sessions_expire(a, clock_unix());
	resume_tick(a);
	accounts_tick(a);
}

static enum err start_runners(struct auth *a, const struct auth_args *args)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	char folder[PATH_MAX], verbosity[32], targets[32], facility[32];
	const char *argv[] = { "sallyport-runner",
			       "--channel=3",
			       verbosity,
			       targets,
			       facility,
			       args->traceable ? "--traceable" : NULL,
			       NULL };
	struct runner_limits limits = {
		.processes = cpus > RUNNERS_MIN ? (unsigned)cpus : RUNNERS_MIN,
		.waiting = RUNNERS_WAITING,
		.talks = RUNNER_TALKS,
		.queued = RUNNER_QUEUE,
		.time_ms = RUNNER_TIME_MS,
		.idle_ms = RUNNER_IDLE_MS,
		.forget_ms = RUNNER_FORGET_MS,
	};

	if (!spawn_folder(folder))
		return ERR_SYS;
	snprintf(verbosity, sizeof verbosity, "--verbosity=%u", args->verbosity);
	snprintf(targets, sizeof targets, "--log=%u", args->log_targets);
	snprintf(facility, sizeof facility, "--facility=%d", args->facility);
	return runners_new(a, a->loop, folder, argv, &limits, &a->runners);
}

static enum err open_all(struct auth *a, const struct auth_args *args)
{
	enum err err = start_runners(a, args);

	if (!err)
		err = logins_new(a, &worker_logins_ops, a, &a->logins);
	if (!err)
		err = super_open(a, args->channel);
	ev_timer_init(&a->tick, on_tick, 1, 1);
	a->tick.data = a;
	ev_timer_start(a->loop, &a->tick);
	return err;
}

/* The order matters: nothing secret before sandbox_early, no message before the sandbox stands. */
static int serve(const struct auth_args *args)
{
	struct auth *a = talloc_zero(NULL, struct auth);
	enum err err = a ? ERR_OK : ERR_NOMEM;
	bool asked;

	ignore_signals();
	sandbox_early(args->traceable);
	if (!err) {
		a->phase = AUTH_RESTORING;
		a->loop = ev_default_loop(0);
		err = open_all(a, args);
	}
	if (!err)
		err = sandbox_enter(args->traceable);
	if (err) {
		log_err(NULL, "auth-not-started", kv_err(err));
		return 1;
	}
	ev_run(a->loop, 0);
	asked = !a->super; /* the supervisor closed our channel: it wants us to end */
	talloc_free(a);
	return asked ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct log_sink sink;
	struct auth_args args;
	int status;

	/* Only our supervisor calls us, so there is no help and there are no long explanations. */
	if (!auth_args_parse(argc, argv, &args)) {
		fprintf(stderr, "usage: sallyport-auth is started by sallyportd\n");
		return 2;
	}
	if (args.check)
		return check_keys(args.conf_fd);
	log_sink_system(&sink, "auth", args.log_targets, args.facility, args.verbosity);
	log_set_sink(&sink);
	prctl(PR_SET_NAME, "sallyport-auth", 0, 0, 0);
	status = serve(&args);
	log_set_sink(NULL);
	return status;
}
