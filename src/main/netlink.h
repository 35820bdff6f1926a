/* netlink.h - the few requests to the kernel's routing socket that TUN devices need.
 * Used by main only; every call sends and waits for the kernel's answer, which takes microseconds.
 */
#ifndef MAIN_NETLINK_H
#define MAIN_NETLINK_H

#include <stdint.h>
#include <talloc.h>

#include "base/addr.h"
#include "base/err.h"

struct netlink;

/* A routing socket of the current network namespace, child of CTX.  ERR_SYS. */
MUST_USE enum err netlink_new(TALLOC_CTX *ctx, struct netlink **out);

/* What the kernel knows of a device; rx and tx as the device counts them. */
struct netlink_link {
	unsigned mtu;
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets;
};

/* Asks for device INDEX.  ERR_NOT_FOUND, ERR_SYS. */
MUST_USE enum err netlink_link_get(struct netlink *nl, unsigned index, struct netlink_link *out);

/* Sets the MTU (0: unchanged) and brings the device up. */
MUST_USE enum err netlink_link_up(struct netlink *nl, unsigned index, unsigned mtu);
MUST_USE enum err netlink_link_mtu(struct netlink *nl, unsigned index, unsigned mtu);

/* No link-local address, so that the kernel sends nothing of its own into the tunnel. */
MUST_USE enum err netlink_link_no_autoconf(struct netlink *nl, unsigned index);

/* Adds LOCAL with the point-to-point PEER (both /32 or /128) without duplicate detection. */
MUST_USE enum err netlink_addr_add(struct netlink *nl, unsigned index, const struct addr *local,
				   const struct addr *peer);

/* Routes NET to the device; the first takes the place of another route to it, the second leaves
 * that alone (ERR_EXISTS). */
MUST_USE enum err netlink_route_set(struct netlink *nl, unsigned index, const struct addr_net *net);
MUST_USE enum err netlink_route_add(struct netlink *nl, unsigned index, const struct addr_net *net);

/* Takes the device's route to NET back.  ERR_NOT_FOUND: it has none. */
MUST_USE enum err netlink_route_del(struct netlink *nl, unsigned index, const struct addr_net *net);

/* Calls FN for every point-to-point address of the device. */
MUST_USE enum err netlink_addr_each(struct netlink *nl, unsigned index,
				    void (*fn)(void *arg, const struct addr *local,
					       const struct addr *peer),
				    void *arg);

#endif /* MAIN_NETLINK_H */
