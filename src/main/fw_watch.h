/* fw_watch.h - hears when somebody on this machine removes a table of nftables.
 * Used by main's firewall. */
#ifndef MAIN_FW_WATCH_H
#define MAIN_FW_WATCH_H

#include <ev.h>
#include <talloc.h>

#include "base/err.h"

struct fw_watch;

/* REMOVED is called with ARG in the loop after some table was removed, or when more has changed
 * than could be heard.  *OUT is a child of CTX, freeing it ends the watch.  ERR_NOMEM, ERR_SYS. */
MUST_USE enum err fw_watch_new(TALLOC_CTX *ctx, struct ev_loop *loop, void (*removed)(void *arg),
			       void *arg, struct fw_watch **out);

#endif /* MAIN_FW_WATCH_H */
