/* script.h - the three scripts of a session (admin.md 10): what they are told, when they are done.
 * Used by main only. */
#ifndef MAIN_SCRIPT_H
#define MAIN_SCRIPT_H

#include "main/sessions.h"

enum script { SCRIPT_CONNECT, SCRIPT_DISCONNECT, SCRIPT_HOST_UPDATE };

/* Runs the configured script with the session's environment, outside of the loop.  DONE (may be
 * NULL) is called once it has ended, or at once when there is none (OK); not when the session was
 * freed before. */
void script_run(struct session *s, enum script which, void (*done)(struct session *s, bool ok));

/* Runs COMMAND by /bin/sh -c in the same way, after the scripts that were handed over before.
 * WHICH chooses the environment. */
void script_command(struct session *s, enum script which, const char *command,
		    void (*done)(struct session *s, bool ok));

/* A script whose end somebody waits for still runs. */
bool script_is_running(const struct session *s);

#endif /* MAIN_SCRIPT_H */
