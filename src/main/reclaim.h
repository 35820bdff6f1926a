/* reclaim.h - addresses that sessions without a tunnel keep for their clients' return, given to
 * somebody who needs one now.  Used by main. */
#ifndef MAIN_RECLAIM_H
#define MAIN_RECLAIM_H

#include "main/lease.h"
#include "main/sessions.h"

/* Takes one address from the session that has been away longest, so that FOR_WHOM can have it:
 * WANTED (family 0: any of POOL).  The session that loses it lives on and is given another when
 * it returns.  False: nobody has one to spare. */
bool reclaim_address(const struct session *for_whom, const struct lease_pool *pool,
		     const struct addr *wanted);

#endif /* MAIN_RECLAIM_H */
