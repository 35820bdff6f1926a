/* restore.h - main comes back after a crash: descriptors from the supervisor's store, records from
 * the journal, answers of the workers.  Used by main only. */
#ifndef MAIN_RESTORE_H
#define MAIN_RESTORE_H

#include "ipc/main.pb-c.h"
#include "main/ctx.h"

struct worker;

MUST_USE enum err restore_new(struct main_ctx *m, struct restore **out);

/* The supervisor had kept FD (taken). */
MUST_USE enum err restore_add(struct restore *r, const FdRestored *msg, int fd);

/* Some descriptor of KIND, the one with the smallest id first; -1: no more.  Gives it away. */
int restore_take(struct restore *r, FdKind kind);

/* Adopts the workers that are left in the store and asks them to describe themselves. */
void restore_workers(struct main_ctx *m);

/* A worker's answer; TUN_FD is taken, -1: none. */
MUST_USE enum err restore_described(struct worker *w, const Description *msg, int tun_fd);

#endif /* MAIN_RESTORE_H */
