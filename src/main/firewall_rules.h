/* firewall_rules.h - what a session may reach, as text for nft (admin.md 11).
 * Pure; used by main and by sallyport-fw.
 *
 * One table for all sessions:
 *
 *	map sessions         device -> the chain of its session
 *	chain forward        hook; looks the device up once, however many sessions there are
 *	chain session_DEV    the rules; chain routes_DEV: the route check behind an allow list
 *	set routes4_DEV ...  networks or ports of the session, when there are many
 *
 * Nothing but parsed values is printed, so no text of a configuration reaches nft (checklist 167).
 */
#ifndef MAIN_FIREWALL_RULES_H
#define MAIN_FIREWALL_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "conf/values.h"

enum {
	FW_DEVICE = 16,	       /* longest device name and its NUL, as IFNAMSIZ */
	FW_TABLE = 32,	       /* longest table name and its NUL */
	FW_TEXT_MAX = 4 << 20, /* bytes of rules of one session */
};

#define FW_TABLE_PREFIX "sallyport_"

/* The restrictions of one session; everything is borrowed. */
struct fw_rules {
	const char *device;	 /* fw_device_ok */
	const struct strv *dns;	 /* servers of the session; what is no address is passed over */
	bool restrict_to_routes; /* else the two lists count for nothing */
	const struct conf_routes *routes, *no_routes; /* no routes: default route */
	const struct conf_ports *ports; /* both kinds may occur; then both conditions hold */
};

/* The name is one that rules can be made for: letters, digits, '.', '_', '-'; at most 15. */
bool fw_device_ok(const char *device);

/* The table of the server that IDENTITY tells from all others on this machine. */
void fw_table_name(char table[FW_TABLE], const char *identity);

/* False when R forbids nothing (checklist 163), so that no rules are needed. */
bool fw_rules_needed(const struct fw_rules *r);

/* What all sessions share; changes nothing that is there already. */
void fw_rules_base(struct buf *out, const char *table);

/* All of the session, which must not be there yet.  TMP is for what is needed meanwhile. */
void fw_rules_add(TALLOC_CTX *tmp, struct buf *out, const char *table, const struct fw_rules *r);

/* Nothing of the session of DEVICE, whether it was there or not. */
void fw_rules_del(struct buf *out, const char *table, const char *device);

/* The devices of a map that nft has listed as LISTING; children of CTX.  ERR_NOMEM. */
MUST_USE enum err fw_rules_devices(TALLOC_CTX *ctx, const char *listing, struct strv *out);

#endif /* MAIN_FIREWALL_RULES_H */
