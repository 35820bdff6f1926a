/* args.h - the daemon's command line (admin.md 2).  Pure but for usage texts on stderr. */
#ifndef SUPER_ARGS_H
#define SUPER_ARGS_H

#include <stdbool.h>

#include "base/err.h"

struct server_args {
	const char *config;   /* -c; NULL: the default file */
	const char *pid_file; /* -p */
	int verbosity;	      /* -d; -1: the file decides */
	int facility;	      /* --syslog-facility; -1: the file decides */
	const char *facility_name;
	const char *user, *group, *vhost; /* --print-config for one user; NULL: not given */
	unsigned log_targets;		  /* -e, -s as LOG_TO_*; 0: not said */
	bool foreground, test, print, no_chdir, traceable;
	int channel;	 /* set in the process that runs main (internal option), else -1 */
	int exit_status; /* valid with ERR_CLOSED */
};

/* Parses ARGV; texts are borrowed from it.  ERR_CLOSED: everything was said (help, version, wrong
 * usage), the caller exits with exit_status. */
MUST_USE enum err args_parse(int argc, char **argv, struct server_args *out);

/* The option vector for main: what of ARGS it needs, with CONFIG as its file.  Entries and vector
 * are children of CTX. */
char **args_for_main(void *ctx, const struct server_args *args, const char *config);

#endif /* SUPER_ARGS_H */
