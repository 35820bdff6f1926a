/* runner_prog.c - main() of every runner program; linked with one backend's work. */
#include <stdio.h>
#include <sys/prctl.h>
#include <signal.h>

#include "auth/args.h"
#include "auth/runner.h"
#include "auth/sandbox.h"
#include "base/log.h"

int main(int argc, char **argv)
{
	struct log_sink sink;
	struct auth_args args;
	int status;

	if (!auth_args_parse(argc, argv, &args)) {
		fprintf(stderr, "usage: runners are started by sallyport-auth\n");
		return 2;
	}
	log_sink_system(&sink, "auth-runner", args.log_targets, args.facility, args.verbosity);
	log_set_sink(&sink);
	prctl(PR_SET_NAME, "sallyport-run", 0, 0, 0);
	/* A runner that blocks would not see its channel close. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	sandbox_early(args.traceable);
	status = runner_main(args.channel, &backend_work);
	log_set_sink(NULL);
	return status;
}
