/* daemon.h - going to the background, and the pid file (admin.md 2.1).  Supervisor only. */
#ifndef SUPER_DAEMON_H
#define SUPER_DAEMON_H

#include <stdbool.h>

#include "base/err.h"

/* Detaches: the parent exits with 0; the child has a session of its own, stdin, stdout and stderr
 * on /dev/null, and (CHDIR) stands in "/". */
MUST_USE enum err daemon_detach(bool chdir_root);

/* Whether PATH can be written, which makes it if it is not there.  ERR_SYS (errno). */
MUST_USE enum err daemon_check_pid(const char *path);

/* Writes this process's id to PATH, decimal and without a newline.  ERR_SYS (errno). */
MUST_USE enum err daemon_write_pid(const char *path);

#endif /* SUPER_DAEMON_H */
