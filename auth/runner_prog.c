/* runner_prog.c - main() of every runner program; linked with one backend's work. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "auth/args.h"
#include "auth/runner.h"
#include "auth/sandbox.h"
#include "base/log.h"

/* Auth has them ignored, for itself and for us; but programs that a backend executes shall find
 * them as programs expect, and only handlers are not inherited. */
static void do_nothing(int number)
{
	(void)number;
}

static void catch_signals(void)
{
	static const int caught[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE };
	const struct sigaction action = { .sa_handler = do_nothing, .sa_flags = SA_RESTART };

	for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++)
		sigaction(caught[i], &action, NULL);
}

int main(int argc, char **argv)
{
	struct log_sink sink;
	struct auth_args args;
	int status = 1;

	if (!auth_args_parse(argc, argv, &args)) {
		fprintf(stderr, "usage: runners are started by sallyport-auth\n");
		return 2;
	}
	log_sink_system(&sink, "auth-runner", args.log_targets, args.facility, args.verbosity);
	log_set_sink(&sink);
	prctl(PR_SET_NAME, "sallyport-run", 0, 0, 0);
	/* A runner that blocks would not see its channel close. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* Programs that a backend executes have no business with it. */
	(void)fcntl(args.channel, F_SETFD, FD_CLOEXEC);
	catch_signals();
	sandbox_early(args.traceable);
	if (backend_work.as_root || sandbox_runner() == ERR_OK)
		status = runner_main(args.channel, &backend_work);
	log_set_sink(NULL);
	return status;
}
