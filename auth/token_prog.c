/* token_prog.c - main() of sallyport-token, which auth starts when a key is on a token. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "auth/args.h"
#include "auth/sandbox.h"
#include "auth/tokens.h"

int main(int argc, char **argv)
{
	struct auth_args args;

	if (!auth_args_parse(argc, argv, &args)) {
		fprintf(stderr, "usage: sallyport-token is started by sallyport-auth\n");
		return 2;
	}
	prctl(PR_SET_NAME, "sallyport-token", 0, 0, 0);
	/* A module that blocks would not see the channel close. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)fcntl(args.channel, F_SETFD, FD_CLOEXEC);
	sandbox_early(args.traceable);
	return sandbox_runner() == ERR_OK ? token_work(args.channel) : 1;
}
