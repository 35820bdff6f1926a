/* ban.h - scores per client address (config.md 15).  Used by main only.
 * Time is a parameter everywhere (UNIX seconds), so tests need no clock. */
#ifndef MAIN_BAN_H
#define MAIN_BAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/journal.h"

struct ban_table;

/* The options of config.md 8.6. */
struct ban_limits {
	uint32_t max_score;	       /* 0: the table is not used */
	uint32_t ban_time, reset_time; /* seconds */
};

struct ban_entry {
	struct addr addr; /* IPv4, or an IPv6 /64 with its host part zero */
	uint32_t score;
	int64_t expires; /* end of the ban; 0 when there is none */
	bool banned;	 /* at the time of the question */
};

enum ban_kind {
	BAN_CONNECTION, /* not charged to addresses of our own subnets */
	BAN_FAULT,	/* a wrong password or cookie, or no protocol at all; charged to everyone */
};

/* Empty table, child of CTX. */
MUST_USE enum err ban_table_new(TALLOC_CTX *ctx, struct ban_table **out);

/* New limits (also after a reload); scores stay. */
void ban_set_limits(struct ban_table *b, const struct ban_limits *limits);

/* Subnets of the server's own interfaces; copied. */
MUST_USE enum err ban_set_local(struct ban_table *b, const struct addr_net *net, size_t n);

/* Networks that are never charged and never refused, for health checkers; copied.  Entries of
 * theirs are forgotten. */
MUST_USE enum err ban_set_exempt(struct ban_table *b, const struct addr_net *net, size_t n);

/* From now on changes are also written to JOURNAL, which is borrowed until B is freed. */
void ban_set_journal(struct ban_table *b, struct journal *journal);

/* Takes back a record of the journal.  False: it is not one of ours. */
bool ban_restore(struct ban_table *b, const uint8_t key[JOURNAL_KEY], const void *value,
		 size_t len);

/* Charges POINTS to the address and logs a crossing of the threshold. */
void ban_charge(struct ban_table *b, const struct addr *addr, enum ban_kind kind, uint32_t points,
		int64_t now);

/* Takes back POINTS charged for a connection: it was a health probe (protocol.md 2.1).  A ban
 * stays.
 */
void ban_refund(struct ban_table *b, const struct addr *addr, uint32_t points);

/* Whether the address is banned, unless it is one of our own subnets or exempt. */
bool ban_holds(const struct ban_table *b, const struct addr *addr, int64_t now);

/* The address must be turned away; that is logged.  Never true for our own subnets and exempt ones.
 */
bool ban_is_refused(struct ban_table *b, const struct addr *addr, int64_t now);

/* Sets score and expiry to 0, the entry stays; logs it.  ERR_NOT_FOUND. */
MUST_USE enum err ban_lift(struct ban_table *b, const struct addr *addr);

/* Forgets entries that are of no more consequence; for the periodic maintenance. */
void ban_sweep(struct ban_table *b, int64_t now);

/* Addresses at or over the threshold now. */
size_t ban_count(const struct ban_table *b, int64_t now);

/* Calls FN for every entry (also those without a ban), in no order. */
void ban_each(const struct ban_table *b, int64_t now,
	      void (*fn)(void *arg, const struct ban_entry *entry), void *arg);

/* Subnets of this machine's interfaces, for ban_set_local.  *OUT is a child of CTX with *N
 * elements.  ERR_SYS, ERR_NOMEM. */
MUST_USE enum err ban_read_interfaces(TALLOC_CTX *ctx, struct addr_net **out, size_t *n);

#endif /* MAIN_BAN_H */
