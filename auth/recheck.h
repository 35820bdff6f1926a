/* recheck.h - whether the user of a cookie may still use it (protocol.md 5.2, 10.13).
 * Backends know, and they may block, so a runner is asked.  Used by open.c. */
#ifndef AUTH_RECHECK_H
#define AUTH_RECHECK_H

#include "auth/process.h"
#include "auth/store/store.h"

enum recheck_answer { RECHECK_YES, RECHECK_NO, RECHECK_FAILED };

/* MSG is a copy of what the worker asked.  May free W. */
typedef void recheck_done_fn(struct worker *w, const OpenSession *msg, enum recheck_answer answer);

/* Asks the backends of S's method among POLICY's: one NO is enough, and nobody may fail.  Then
 * calls DONE; an earlier question of W is dropped.  False: nobody need be asked, DONE is not
 * called. */
bool recheck_begin(struct worker *w, const struct login_policy *policy, const struct session *s,
		   const OpenSession *msg, recheck_done_fn *done);

#endif /* AUTH_RECHECK_H */
