/* linger.h - rules of tunnels that have ended stay until their device is gone.
 *
 * A worker in hostile hands can say that it ends and keep its device: it must not become free by
 * that.  Used by main's restrict.c. */
#ifndef MAIN_LINGER_H
#define MAIN_LINGER_H

#include <ev.h>
#include <stdbool.h>
#include <talloc.h>

#include "base/err.h"
#include "main/firewall.h"

struct linger_list;

/* FW is borrowed.  *OUT is a child of CTX.  ERR_NOMEM. */
MUST_USE enum err linger_new(TALLOC_CTX *ctx, struct ev_loop *loop, struct firewall *fw,
			     struct linger_list **out);

/* The rules of DEVICE (copied) go when the device of this INDEX is gone; 0: at once. */
void linger_add(struct linger_list *l, const char *device, unsigned index);

/* A tunnel begins on DEVICE, new or taken over.  True when an older one's rules are still there:
 * whoever asked has to remove or replace them. */
bool linger_take(struct linger_list *l, const char *device);

#endif /* MAIN_LINGER_H */
