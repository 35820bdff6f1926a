/* restrict.h - restrict-user-to-routes and restrict-user-to-ports (config.md 14): a session's rules
 * come before its connect script and go with its device.  Used by main only. */
#ifndef MAIN_RESTRICT_H
#define MAIN_RESTRICT_H

#include "main/sessions.h"

/* The table of this server, and no rules of an earlier one.  A main that was started again finds
 * those of the tunnels that live on. */
MUST_USE enum err restrict_set_up(struct main_ctx *m);

/* After the sessions were restored: rules of devices that are gone go, too. */
void restrict_restore(struct main_ctx *m);

/* After the settings of S, which was restored, are known: rules that somebody has removed while
 * there was no main are made again. */
void restrict_restored(struct session *s);

/* Puts the rules of S in force.  DONE is called then, or at once when there are none; it was logged
 * what failed.  Not called when the session was freed or restrict_end was called before. */
void restrict_begin(struct session *s, void (*done)(struct session *s, bool ok));

/* The rules of S go, if it has any, as soon as its device does or a new tunnel begins on it. */
void restrict_end(struct session *s);

/* The program that OCSERV_FW_SCRIPT names, when it is to run in the place of the connect and
 * disconnect scripts of S, and instead of rules of ours (admin.md 11); NULL otherwise. */
const char *restrict_program(const struct session *s);

#endif /* MAIN_RESTRICT_H */
