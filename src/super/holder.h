/* holder.h - the tiny process that owns the workers' namespaces.
 *
 * When the first process of a pid namespace ends, the kernel kills everyone in it; so that first
 * process is this one, which does nothing and outlives every zygote (design.md 2).  It also is the
 * workers' leash: it dies with the supervisor, and they with it. */
#ifndef SUPER_HOLDER_H
#define SUPER_HOLDER_H

#include <sys/types.h>

#include "base/err.h"

/* Starts the holder in new mount, net, pid and ipc namespaces with an empty read-only root.
 * Gives its pid and a pidfd for setns(2).  ERR_SYS: namespaces are not to be had here. */
MUST_USE enum err holder_start(pid_t *pid, int *pidfd);

#endif /* SUPER_HOLDER_H */
