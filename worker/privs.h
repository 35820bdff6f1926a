/* privs.h - from root to nobody in an empty room.  Used by the zygote at its start. */
#ifndef WORKER_PRIVS_H
#define WORKER_PRIVS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct privs {
	uid_t uid;
	gid_t gid;
};

/* Looks the names up (NULL: nobody and its group); before privs_enter, which takes /etc away.
 * ERR_NOT_FOUND. */
MUST_USE enum err privs_lookup(const char *user, const char *group, struct privs *out);

/* Enters the namespaces (mount, pid, net, ipc) of the process behind PIDFD. */
MUST_USE enum err privs_enter(int pidfd);

/* Makes DIR the root; before privs_drop. */
MUST_USE enum err privs_chroot(const char *dir);

/* Becomes P for good: no groups, no capabilities, nothing to gain by exec, and open to a debugger
 * only when TRACEABLE. */
MUST_USE enum err privs_drop(const struct privs *p, bool traceable);

#endif /* WORKER_PRIVS_H */
