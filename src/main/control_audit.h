/* control_audit.h - what administrators did by the control socket, for the log.  Used by
 * control*.c only. */
#ifndef MAIN_CONTROL_AUDIT_H
#define MAIN_CONTROL_AUDIT_H

#include "ipc/ctl.pb-c.h"

struct client;

/* Notes that CL asked for COMMAND (static) on TARGET ("" for the whole server; copied). */
void audit_asked(struct client *cl, const char *command, const char *target);

/* What has become of it; without a result (the client went away before) RESULT is NULL.  Says
 * nothing about requests that change nothing, and everything once. */
void audit_done(struct client *cl, const CtlResult *result);

#endif /* MAIN_CONTROL_AUDIT_H */
