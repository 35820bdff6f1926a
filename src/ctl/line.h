/* line.h - human output of one record: "<TAB>Key: value   Key: value" (admin.md 6.10). */
#ifndef CTL_LINE_H
#define CTL_LINE_H

#include <stddef.h>
#include <stdio.h>
#include <talloc.h>

/* A line under way. */
struct line {
	FILE *out;
	TALLOC_CTX *ctx;
	unsigned items; /* printed so far */
};

/* Adds "KEY: VALUE" unless VALUE is empty; control characters are not printed. */
void line_text(struct line *l, const char *key, const char *value);
void line_printf(struct line *l, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Ends the line if anything is on it. */
void line_end(struct line *l);

/* A line of its own with one item, or a list with one item a line. */
void line_single(struct line *l, const char *key, const char *value);
void line_list(struct line *l, const char *key, char *const *item, size_t n);

#endif /* CTL_LINE_H */
