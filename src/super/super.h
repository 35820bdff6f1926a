/* super.h - the supervisor: starts main, auth and the zygote, keeps what must outlive them, starts
 * them again when they crash, and ends everything when it ends. */
#ifndef SUPER_SUPER_H
#define SUPER_SUPER_H

#include <stdbool.h>

#include "super/programs.h"

struct super_args {
	struct programs programs; /* taken */
	char *const *main_argv;	  /* options for main, NULL-terminated; the channel is appended */
	char *const *auth_argv;	  /* the same for auth */
	bool isolate;		  /* give workers namespaces of their own */
};

/* Runs until the service has stopped; returns the exit status: 0 asked to, 1 failed. */
int super_run(const struct super_args *args);

#endif /* SUPER_SUPER_H */
