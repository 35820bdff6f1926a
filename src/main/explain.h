/* explain.h - "occtl show config user": the running configuration as one user gets it. */
#ifndef MAIN_EXPLAIN_H
#define MAIN_EXPLAIN_H

#include <stdint.h>

#include "ipc/ctl.pb-c.h"

/* Answers REQ (control.h); ARG is the struct main_ctx.  Reads the files of the user and the group
 * at once, which are local and small; conf/explain.h has the bounds. */
void explain_user(void *arg, uint64_t req, const CtlConfigOf *of);

#endif /* MAIN_EXPLAIN_H */
