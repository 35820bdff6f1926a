/* firewall.h - the table of all sessions' rules in the kernel, changed beside the loop.
 *
 * What a change costs is not ours to say: libnftables reads what other programs have set up, too,
 * and the kernel waits for all processors when rules go.  So a thread of its own does one
 * transaction after the other, in the order they were asked for; what has come together meanwhile
 * goes together.  Used by main only. */
#ifndef MAIN_FIREWALL_H
#define MAIN_FIREWALL_H

#include <ev.h>
#include <stdbool.h>
#include <talloc.h>

#include "base/err.h"
#include "base/str.h"
#include "main/firewall_rules.h"

struct firewall;
struct fw_change;

struct firewall_ops {
	/* The rules that ADD was called for are in force, or are not (WHY says why not, borrowed).
	 * CHANGE is freed after the call. */
	void (*done)(void *arg, bool ok, const char *why);
	/* Somebody had removed the table; of it only what was added since is there again. */
	void (*lost)(void *arg);
	void *arg; /* of lost */
};

/* No table, no thread yet.  TABLE and OPS are borrowed.  *OUT is a child of CTX; freeing it waits
 * for the thread and removes the table. */
MUST_USE enum err firewall_new(TALLOC_CTX *ctx, struct ev_loop *loop, const char *table,
			       const struct firewall_ops *ops, struct firewall **out);

/* At start, at once: removes the table that a killed server has left. */
void firewall_clear(struct firewall *fw);

/* At start, at once, before any change: the devices that have rules; children of CTX.
 * ERR_NOMEM. */
MUST_USE enum err firewall_devices(struct firewall *fw, TALLOC_CTX *ctx, struct strv *out);

/* Puts rules R in force; REPLACE: in the place of others of this device, without a gap.  ops->done
 * is called with ARG later, never before this returns.  *OUT (may be NULL: nobody waits) belongs to
 * FW.  ERR_NOMEM; ERR_SYS: no thread; ERR_RANGE: the device's name; ERR_TOO_LONG: too many rules.
 */
MUST_USE enum err firewall_add(struct firewall *fw, const struct fw_rules *r, bool replace,
			       void *arg, struct fw_change **out);

/* Removes the rules of DEVICE, if there are any. */
void firewall_del(struct firewall *fw, const char *device);

/* Who waited for CHANGE does no more. */
void firewall_forget(struct fw_change *change);

#endif /* MAIN_FIREWALL_H */
