/* inherited.h - listening sockets that systemd opened for us (admin.md 2.2).  Supervisor only. */
#ifndef SUPER_INHERITED_H
#define SUPER_INHERITED_H

#include "super/fdstore.h"

enum { INHERITED_FIRST = 3 }; /* descriptor where systemd's begin */

/* Keeps the sockets that LISTEN_PID and LISTEN_FDS name, stream sockets as TCP listeners and
 * datagram sockets as UDP ones, so that main gets them as after a restart.  Other descriptors are
 * closed; the variables are unset, for they are not our children's.  *N is the number kept. */
MUST_USE enum err inherited_keep(struct fdstore *s, unsigned *n);

#endif /* SUPER_INHERITED_H */
