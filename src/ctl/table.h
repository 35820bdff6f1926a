/* table.h - the lists of occtl: right-aligned columns (admin.md 6.9-6.14) that give way on a
 * terminal that is too narrow for them. */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stdbool.h>

#include "ctl/view.h"

enum { TABLE_COLUMNS = 10 }; /* at most */

struct column {
	const char *name;
	unsigned head, cell; /* widths of the heading and of the cells; longer ones push the rest */
	unsigned least;	     /* what a narrow terminal leaves of a longer cell */
	unsigned most;	     /* cells are cut there anyway; 0: never */
};

struct table;

/* A table of N columns; COL and V are borrowed until it is printed.  NULL without memory. */
struct table *table_new(const struct view *v, const struct column *col, size_t n);

/* Adds a row: N texts as they came from the server.  T may be NULL. */
void table_row(struct table *t, const char *const *cell);

/* Prints heading and rows: nothing without rows unless HEADING. */
void table_print(const struct table *t, bool heading);

#endif /* CTL_TABLE_H */
