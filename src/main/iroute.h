/* iroute.h - networks behind a client, made known to the machine by netlink or, where it is set, by
 * route-add-cmd, and taken back (config.md 8.7, 13.4).  Used by main. */
#ifndef MAIN_IROUTE_H
#define MAIN_IROUTE_H

#include "main/sessions.h"

/* Adds the session's iroutes one after another.  A network that is behind another client's tunnel
 * moves to this one: a router that comes back need not wait until its old connection is given up.
 * Any other route to it stays, and the session is refused.  DONE is called at the end, or at once
 * when there is nothing to run; with OK false one failed and those before it have been taken back.
 */
void iroutes_add(struct session *s, void (*done)(struct session *s, bool ok));

/* Takes back what was added; scripts of the session that follow run afterwards. */
void iroutes_del(struct session *s);

#endif /* MAIN_IROUTE_H */
