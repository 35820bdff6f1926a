/* reload_wait.h - who wants to know how a reload ended: occtl, and by the supervisor the service
 * manager.  Used by main only.
 *
 * A reload is over when workers of the new configuration can be made, or when it was refused. */
#ifndef MAIN_RELOAD_WAIT_H
#define MAIN_RELOAD_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "main/ctx.h"

struct reload_wait;

/* *OUT is a child of M. */
MUST_USE enum err reload_wait_new(struct main_ctx *m, struct reload_wait **out);

/* The occtl request REQ is answered when the reload ends that begins next. */
void reload_wait_add(struct reload_wait *w, uint64_t req);

/* A reload begins: whoever waited for the next one waits for this one. */
void reload_wait_begin(struct reload_wait *w);

/* One line about the reload under way, for a human; copied.  Nothing happens without one. */
void reload_wait_say(struct reload_wait *w, const char *text);

/* It is over: everybody is told.  Nothing happens when none is under way. */
void reload_wait_end(struct reload_wait *w, bool ok);

#endif /* MAIN_RELOAD_WAIT_H */
