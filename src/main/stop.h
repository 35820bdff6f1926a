/* stop.h - the orderly stop of main (admin.md 3).  Used by main only; main_stop is in ctx.h. */
#ifndef MAIN_STOP_H
#define MAIN_STOP_H

#include "main/ctx.h"

/* Frees the parts in the order of their dependence, before the context itself. */
void main_tear_down(struct main_ctx *m);

#endif /* MAIN_STOP_H */
