/* view.h - what the functions that print for people need to know.  Used by occtl. */
#ifndef CTL_VIEW_H
#define CTL_VIEW_H

#include <stdint.h>
#include <stdio.h>
#include <talloc.h>

#include "ctl/cmd.h"
#include "ctl/geo.h"

struct view {
	TALLOC_CTX *ctx; /* owns what is made on the way */
	FILE *out;
	int64_t now;	  /* UNIX time */
	size_t width;	  /* columns of the terminal; 0: nothing is cut or folded */
	const char *more; /* stands where something was cut off: one column */
	struct geo *geo;  /* NULL: places are not known */
	bool debug;
};

/* The view of a command that runs now; CTX and CTL are borrowed. */
struct view view_of(TALLOC_CTX *ctx, const struct ctl *ctl);

#endif /* CTL_VIEW_H */
