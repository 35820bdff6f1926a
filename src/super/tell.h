/* tell.h - what the supervisor tells its children.  Used by the supervisor only. */
#ifndef SUPER_TELL_H
#define SUPER_TELL_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/types.pb-c.h"
#include "super/child.h"
#include "super/fdstore.h"

/* Sends MSG with FD (borrowed, -1: none).  A child that cannot be reached misses it: it is about to
 * be reaped and started again. */
void tell_child(struct child *c, const ProtobufCMessage *msg, int fd);

/* Tells both who the other is and gives each its end of a new channel, if both run. */
void tell_each_other(struct child *a, struct child *b);

/* What is KEPT under KIND is auth's, not main's. */
bool tell_is_auths(FdKind kind);

/* Hands C, which is main or auth, what was kept for it, then says that this was all. */
void tell_kept(struct child *c, const struct fdstore *kept, int64_t up_since);

/* Asks for a word. */
void tell_ping(struct child *c);

#endif /* SUPER_TELL_H */
