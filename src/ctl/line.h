/* line.h - human output of one record: "<TAB>Key: value   Key: value" (admin.md 6.10). */
#ifndef CTL_LINE_H
#define CTL_LINE_H

#include <stddef.h>

#include "ctl/view.h"

/* A line under way.  On a terminal it is folded, between items where it can be, to its width. */
struct line {
	const struct view *v;
	unsigned items; /* printed so far */
	size_t column;	/* of the cursor */
};

/* Adds "KEY: VALUE" unless VALUE is empty; what would steer the terminal is escaped. */
void line_text(struct line *l, const char *key, const char *value);
void line_printf(struct line *l, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Ends the line if anything is on it. */
void line_end(struct line *l);

/* A line of its own with one item, or a list with one item a line. */
void line_single(struct line *l, const char *key, const char *value);
void line_list(struct line *l, const char *key, char *const *item, size_t n);

#endif /* CTL_LINE_H */
