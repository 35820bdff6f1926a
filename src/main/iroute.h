/* iroute.h - networks behind a client, made known to the machine by route-add-cmd and taken back by
 * route-del-cmd (config.md 8.7, 13.4).  Used by main. */
#ifndef MAIN_IROUTE_H
#define MAIN_IROUTE_H

#include "main/sessions.h"

/* Adds the session's iroutes one after another.  DONE is called at the end, or at once when there
 * is nothing to run; with OK false one failed and those before it have been taken back. */
void iroutes_add(struct session *s, void (*done)(struct session *s, bool ok));

/* Takes back what was added; scripts of the session that follow run afterwards. */
void iroutes_del(struct session *s);

#endif /* MAIN_IROUTE_H */
