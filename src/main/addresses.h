/* addresses.h - which addresses a session gets.  Used by main only. */
#ifndef MAIN_ADDRESSES_H
#define MAIN_ADDRESSES_H

#include "main/sessions.h"

/* Takes what MSG asks for and S's settings allow: the addresses the session has, explicit ones, or
 * some of its pools (config.md 12).  DONE is called at once or, with ping-leases, when nobody else
 * has answered at a new address; with OK false there was none, and that was logged.  Setting
 * S->addressing to nothing (talloc) makes it call nobody. */
void addresses_take(struct session *s, const SessionOpen *msg,
		    void (*done)(struct session *s, bool ok));

#endif /* MAIN_ADDRESSES_H */
