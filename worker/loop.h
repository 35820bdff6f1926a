/* loop.h - every libev watcher of the tunnel phase.  The data path says what it waits for; however
 * many of its descriptors become ready at once, it is stepped once per wake-up.
 * Used by the worker. */
#ifndef WORKER_LOOP_H
#define WORKER_LOOP_H

#include <ev.h>
#include <talloc.h>

#include "base/err.h"
#include "worker/path/path.h"

struct loop;

/* An empty loop, child of CTX.  ERR_NOMEM. */
MUST_USE enum err loop_new(TALLOC_CTX *ctx, struct loop **out);

/* For the channels that share it; borrowed. */
struct ev_loop *loop_ev(struct loop *l);

/* Runs PATH until it ends, or until loop_stop (PATH_END_NONE). */
enum path_end loop_run(struct loop *l, struct path *path);
void loop_stop(struct loop *l);

#endif /* WORKER_LOOP_H */
