/* pager.h - long human output goes through a pager (admin.md 6.7). */
#ifndef CTL_PAGER_H
#define CTL_PAGER_H

#include <stdio.h>

#include "ctl/cmd.h"

struct pager {
	FILE *pipe; /* NULL: none runs */
	FILE *before;
};

/* Points CTL->out to a pager if output is for people on a terminal. */
void pager_begin(struct pager *p, struct ctl *ctl);

/* Waits until the pager is left and restores CTL->out. */
void pager_end(struct pager *p, struct ctl *ctl);

#endif /* CTL_PAGER_H */
