/* main.h - the privileged process: listeners, UDP steering, TUN devices, addresses, hooks.
 * Called by sallyportd in the process that the supervisor executed anew for this role. */
#ifndef MAIN_MAIN_H
#define MAIN_MAIN_H

#include <stdbool.h>

struct main_args {
	int channel; /* to the supervisor; taken */
	const char *config_path;
	int verbosity;	      /* 0..9; -1: what the configuration says */
	unsigned log_targets; /* LOG_TO_* */
	int facility;	      /* syslog; -1: what the configuration says */
	bool foreground;
	bool traceable; /* leave the process open to debuggers */
	const char *super_argv0;
};

/* Runs until the server stops.  Returns the exit status: 0 after an orderly stop, 1 when the start
 * failed; any other end of the process is a crash, after which the supervisor starts it again. */
int main_run(const struct main_args *args);

#endif /* MAIN_MAIN_H */
