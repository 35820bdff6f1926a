/* report.h - what is wrong with a configuration: every finding with its place.
 * Used by main (start, -t, reload) and by auth (per-user files). */
#ifndef CONF_REPORT_H
#define CONF_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <talloc.h>

/* INFO is for per-user files: what is ignored there is worth a line in the log, not a warning. */
enum conf_severity { CONF_INFO, CONF_NOTE, CONF_WARNING, CONF_ERROR };

/* Where a finding is; members may be NULL or 0 and are then not printed. */
struct conf_where {
	const char *vhost; /* as printed: "default" only where config.md prints it */
	const char *file;
	unsigned line;
	const char *option;
};

struct conf_problem {
	enum conf_severity severity;
	struct conf_where where;
	const char *text;
	bool start_only; /* not repeated on reload (config.md 5: unknown options) */
};

/* Findings in the order they were made; only the first CONF_REPORT_MAX are kept, all are counted.
 */
struct conf_report {
	struct conf_problem *item;
	size_t n;
	size_t errors, warnings;
};

enum { CONF_REPORT_MAX = 1000 };

/* Empty report, child of CTX; NULL without memory. */
struct conf_report *conf_report_new(TALLOC_CTX *ctx);

/* Adds a finding; copies everything.  Cannot fail: without memory the text is lost, the count is
 * not.  R may be NULL, then nothing happens. */
void conf_report_add(struct conf_report *r, enum conf_severity severity,
		     const struct conf_where *where, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Marks the newest finding as not to be repeated on reload. */
void conf_report_start_only(struct conf_report *r);

/* "error: FILE:LINE: OPTION: vhost:NAME: TEXT" without what is not known; child of CTX. */
char *conf_problem_text(TALLOC_CTX *ctx, const struct conf_problem *p);

/* Prints every finding from SEVERITY up, one per line; RELOAD leaves out start_only ones. */
void conf_report_print(const struct conf_report *r, FILE *out, enum conf_severity severity,
		       bool reload);

#endif /* CONF_REPORT_H */
