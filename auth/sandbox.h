/* sandbox.h - what the auth process gives up once it runs.  Used by auth and its runners. */
#ifndef AUTH_SANDBOX_H
#define AUTH_SANDBOX_H

#include <stdbool.h>

#include "base/err.h"

/* Before anything secret is in memory: no core dumps, no debugger unless TRACEABLE, memory that
 * stays out of swap where the limits allow it. */
void sandbox_early(bool traceable);

/* For good: no new privileges, only the capabilities to use files that root may use (password
 * files are read at each login), none of the system calls that this process or a child of it never
 * needs.  What modules of runners need besides is permitted, but not in effect here.  TRACEABLE
 * leaves the system calls alone.  ERR_SYS: a step failed. */
MUST_USE enum err sandbox_enter(bool traceable);

/* In a runner whose backend acts in its own name only: what auth kept for modules goes, too. */
MUST_USE enum err sandbox_runner(void);

#endif /* AUTH_SANDBOX_H */
