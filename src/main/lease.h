/* lease.h - which address belongs to which session.  Used by main only.
 *
 * A pool is a description, not an object: every host, group and user may name another network.
 * All leases of all pools stand in one table, so an address is never given twice, however the
 * networks overlap (config.md 12). */
#ifndef MAIN_LEASE_H
#define MAIN_LEASE_H

#include <talloc.h>

#include "base/addr.h"
#include "base/err.h"

struct lease_table;
struct lease;

/* Where addresses are taken from. */
struct lease_pool {
	struct addr_net net; /* ipv4-network or ipv6-network; host bits are ignored */
	uint8_t unit;	     /* prefix length of what one client gets: 32, or ipv6-subnet-prefix */
};

/* An empty table, child of CTX; it must outlive its leases. */
MUST_USE enum err lease_table_new(TALLOC_CTX *ctx, struct lease_table **out);

/* ERR_RANGE: POOL's prefixes do not fit its family or each other, so it can lease nothing. */
MUST_USE enum err lease_pool_check(const struct lease_pool *pool);

/* The server's own address in POOL: the network address with its last bit set. */
struct addr lease_pool_server(const struct lease_pool *pool);

/* Takes a free address or block of POOL: with USER set the first candidate follows from the name,
 * so that a user usually meets the same address again; with NULL it is random.  Every free one is
 * found in the end.  *OUT is a child of OWNER (talloc_steal moves it to a new one); freeing it
 * returns the address.  ERR_EXHAUSTED: the pool is full.  ERR_RANGE as lease_pool_check. */
MUST_USE enum err lease_take(struct lease_table *t, const struct lease_pool *pool,
			     TALLOC_CTX *owner, const char *user, struct lease **out);

/* Takes ADDR itself: explicit-ipv4 and explicit-ipv6, and what sessions had before main was
 * restarted.  ADDR need not lie in POOL's network; POOL gives the unit and the addresses that are
 * never leased.  ERR_RANGE: network, broadcast or server address, or another family.
 * ERR_BUSY: taken (or part of a taken block). */
MUST_USE enum err lease_take_exact(struct lease_table *t, const struct lease_pool *pool,
				   const struct addr *addr, TALLOC_CTX *owner, struct lease **out);

/* The client's address (in a block: the first one that is not the subnet router's anycast
 * address); borrowed until LEASE is freed. */
const struct addr *lease_addr(const struct lease *lease);

/* Prefix length of what the client got: 32, 128, or the block's. */
uint8_t lease_prefix(const struct lease *lease);

/* Leases in the table. */
size_t lease_count(const struct lease_table *t);

#endif /* MAIN_LEASE_H */
