/* spawn.h - starts the programs that lie beside sallyport-auth: runners and the holder of tokens.
 * Used by auth. */
#ifndef AUTH_SPAWN_H
#define AUTH_SPAWN_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* The folder of our own program.  False: the kernel does not tell. */
bool spawn_folder(char out[PATH_MAX]);

/* Starts FOLDER/NAME with ARGV (NULL-terminated) and CHANNEL (borrowed) as its descriptor 3, which
 * is the only one it has of ours.  Only files of root or of the owner of this program are executed:
 * they have our rights.  ERR_NOT_FOUND: there is none; ERR_SYS.  Both are logged. */
MUST_USE enum err spawn_program(const char *folder, const char *name, char *const *argv,
				int channel, pid_t *pid);

#endif /* AUTH_SPAWN_H */
