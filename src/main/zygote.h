/* zygote.h - main's side of the zygote: its configuration, workers it is asked for, its replacement
 * in order or because it hangs.  Used by main only. */
#ifndef MAIN_ZYGOTE_H
#define MAIN_ZYGOTE_H

#include "ipc/zygote.pb-c.h"
#include "main/ctx.h"

/* Prepares and ends the watch over it. */
void zygote_init(struct main_ctx *m);
void zygote_deinit(struct main_ctx *m);

/* Hands it the running configuration, if auth has sent the certificates. */
void zygote_send_conf(struct main_ctx *m);

/* Asks it for a worker, with the client's socket and the worker's ends of its two channels. */
MUST_USE enum err zygote_spawn(struct main_ctx *m, Spawn *spawn, const int fds[3]);

/* Asks the supervisor for a new one; workers of the old one go on. */
void zygote_respawn(struct main_ctx *m);

/* The same in order, for a reload: not before the old one has made every worker it was asked for,
 * or the connections in its channel would be lost with it. */
void zygote_renew(struct main_ctx *m);

#endif /* MAIN_ZYGOTE_H */
