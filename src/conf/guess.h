/* guess.h - the group of a user who has not logged in, for explain.h.  Reads files. */
#ifndef CONF_GUESS_H
#define CONF_GUESS_H

#include "base/str.h"
#include "conf/conf.h"

/* The group that a login of USER to HOST gets when it selects none, as far as a password file tells
 * (config.md 11.5), else "".  *GROUP is a child of CTX or
 * static.  NOTES (children of CTX) gets a sentence on
 * where it comes from, or on why it is not known.  ERR_NOMEM. */
MUST_USE enum err conf_guess_group(TALLOC_CTX *ctx, const struct host_conf *host, const char *user,
				   struct strv *notes, const char **group);

#endif /* CONF_GUESS_H */
