/* row.h - a configuration as it was written: one row per assignment, in file order.
 * Rows are what travels between processes; each makes its own structs of them (conf.h). */
#ifndef CONF_ROW_H
#define CONF_ROW_H

#include <stddef.h>
#include <talloc.h>

#include "base/err.h"

struct conf_row {
	const char *vhost;  /* NULL: default host */
	const char *option; /* "" only declares the host */
	const char *value;  /* cleaned up as config.md 2 says, otherwise as written */
	const char *file;
	unsigned line;
};

struct conf_rows {
	struct conf_row *item; /* texts are children of it */
	size_t n;
};

/* Appends a copy of ROW; ROWS->item is a child of CTX.  ERR_NOMEM. */
MUST_USE enum err conf_rows_add(TALLOC_CTX *ctx, struct conf_rows *rows,
				const struct conf_row *row);

/* Rows of ROWS whose option goes to one of the receivers TO (CONF_TO_* of option.h), with a
 * declaration for each host that lost its first row, so that the receiver knows the same hosts.
 * Rows with unknown options are left out. */
MUST_USE enum err conf_rows_filter(TALLOC_CTX *ctx, const struct conf_rows *rows, unsigned to,
				   struct conf_rows *out);

#endif /* CONF_ROW_H */
