/* parse.h - the file grammar of config.md 2: text to rows, knowing no option but the one whose
 * value is taken raw.  Pure.  Used inside src/conf. */
#ifndef CONF_PARSE_H
#define CONF_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/report.h"
#include "conf/row.h"

enum {
	CONF_LINE_MAX = 2047,  /* bytes of a line without its end */
	CONF_SECTION_MAX = 49, /* bytes of a section's name that count */
};

/* Appends the rows of TEXT, called NAME in messages, to ROWS (children of CTX).  HOSTS: [vhost:X]
 * sections are understood; without it every section is skipped, as in per-user files.
 * All syntax errors are reported, then ERR_CONF. */
MUST_USE enum err conf_parse(TALLOC_CTX *ctx, const char *name, const char *text, size_t len,
			     bool hosts, struct conf_report *report, struct conf_rows *rows);

#endif /* CONF_PARSE_H */
