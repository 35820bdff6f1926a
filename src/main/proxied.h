/* proxied.h - clients that come through a proxy with PROXY headers (protocol.md 7).  Used by main
 * only. */
#ifndef MAIN_PROXIED_H
#define MAIN_PROXIED_H

#include "main/workers.h"

/* W has read its header: from now on its client is whom MSG names, for bans, logs, hooks, occtl and
 * auth.  Lets the client in, or ends W when it is banned.  ERR_PROTO: W may not say that (again).
 */
MUST_USE enum err proxied_admit(struct worker *w, const Proxied *msg);

/* Tells an auth that was started again about all such clients. */
void proxied_tell_auth(struct main_ctx *m);

#endif /* MAIN_PROXIED_H */
