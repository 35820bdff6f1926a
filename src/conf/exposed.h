/* exposed.h - expose-iroutes: the networks behind a host's users, for its other users (config.md
 * 8.10, 10.3).  Used by auth. */
#ifndef CONF_EXPOSED_H
#define CONF_EXPOSED_H

#include "conf/conf.h"
#include "conf/report.h"
#include "conf/row.h"

struct conf_behind {
	const char *user;
	const char *route; /* as clients are told */
	const char *file;  /* where it is said */
	unsigned line;
};

struct conf_exposed {
	struct conf_behind *item;
	size_t n;
};

/* Reads the iroutes of the files in HOST's config-per-user, of the first MOST of them (0: of all);
 * none without expose-iroutes.  OUT's members are children of CTX.
 *	ERR_CONF	an iroute is malformed, REPORT says where
 *	ERR_NOMEM */
MUST_USE enum err conf_exposed_read(TALLOC_CTX *ctx, const struct host_conf *host, unsigned most,
				    struct conf_report *report, struct conf_exposed *out);

/* Adds to ROWS (children of CTX), which are all others of a session of USER, what makes the routes
 * of everybody else follow those that the session has anyway.  A session whose default route goes
 * through the tunnel reaches them already.  ERR_NOMEM. */
MUST_USE enum err conf_exposed_add(TALLOC_CTX *ctx, const struct host_conf *host,
				   const struct conf_exposed *exposed, const char *user,
				   struct conf_rows *rows);

#endif /* CONF_EXPOSED_H */
