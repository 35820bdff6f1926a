/* admin.h - what occtl asks for, done with main's tables (admin.md 6).  control.c has the socket
 * and the protocol.  Used by main only. */
#ifndef MAIN_ADMIN_H
#define MAIN_ADMIN_H

#include "main/ctx.h"

struct control_ops;
struct worker;

/* The operations; their argument is the struct main_ctx. */
const struct control_ops *admin_ops(void);

/* Answers of auth to questions of occtl. */
void admin_on_sessions(struct main_ctx *m, const SessionList *msg);
void admin_on_invalidated(struct main_ctx *m, const InvalidateResult *msg);

/* Tells `occtl show events`. */
void admin_event_connect(const struct worker *w);
void admin_event_disconnect(const struct worker *w);

#endif /* MAIN_ADMIN_H */
