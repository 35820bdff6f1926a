/* programs.h - finds the programs of the same build and keeps them open, so that a restart after
 * an upgrade on disk still runs the version that is serving.  Used by the supervisor at start. */
#ifndef SUPER_PROGRAMS_H
#define SUPER_PROGRAMS_H

#include <stdbool.h>

#include "base/err.h"

struct programs {
	int self, auth, worker; /* open for fexecve, close-on-exec */
};

/* Looks, in this order: beside this program in a build tree; in the libexec folder when this
 * program is the installed one; in the tree that built it; in the libexec folder.
 * Files of strangers are passed over.  ERR_NOT_FOUND: no place has both. */
MUST_USE enum err programs_open(struct programs *out);

#endif /* SUPER_PROGRAMS_H */
