/* args.h - the command line of sallyport-auth and of its runners. */
#ifndef AUTH_ARGS_H
#define AUTH_ARGS_H

#include <stdbool.h>

struct auth_args {
	bool check, traceable;
	int channel, conf_fd; /* -1: not given */
	unsigned verbosity, log_targets;
	int facility;
};

/* False: not what our own programs give us. */
bool auth_args_parse(int argc, char **argv, struct auth_args *out);

#endif /* AUTH_ARGS_H */
