/* utmp.h - login records of VPN users for who(1) and last(1) (use-utmp, admin.md 10.4).
 * Used by main only. */
#ifndef MAIN_UTMP_H
#define MAIN_UTMP_H

#include <stdint.h>

#include "base/addr.h"

struct utmp_entry {
	const char *device, *user; /* borrowed */
	uint32_t id;		   /* process id of the worker, as in occtl */
	struct addr remote;	   /* the client */
};

/* Writes a USER_PROCESS or DEAD_PROCESS record to utmp and wtmp.  Failures (no such file) do not
 * matter to a session and are only logged for debugging. */
void utmp_login(const struct utmp_entry *entry);
void utmp_logout(const struct utmp_entry *entry);

#endif /* MAIN_UTMP_H */
