/* tun.h - the TUN device of a session.  Used by main only.
 *
 * The device lives as long as any descriptor of it is open, here or in the worker: a main that is
 * killed takes no tunnel along, and tun_adopt finds everything again from the descriptor. */
#ifndef MAIN_TUN_H
#define MAIN_TUN_H

#include <net/if.h>
#include <talloc.h>

#include "base/addr.h"
#include "base/err.h"
#include "main/netlink.h"

/* Addresses of both ends; family 0 where a family is not used. */
struct tun_addrs {
	struct addr v4_local, v4_peer; /* the server's and the client's */
	struct addr v6_local, v6_peer;
	uint8_t v6_prefix; /* 128, or the prefix of the block behind v6_peer, routed to the device
			    */
};

/* Inner traffic as sessions count it: rx is what the client sent.  (The device sees it the other
 * way round only by name: what the worker writes into the descriptor is the device's rx.) */
struct tun_counters {
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets;
};

struct tun;

/* What the kernel hands over and takes in one piece, as bits. */
enum tun_offload {
	TUN_OFFLOAD_VNET =
		1, /* each packet has a virtio-net header; TCP in pieces of up to 64 KiB */
	TUN_OFFLOAD_USO = 2, /* and UDP (Linux 6.2) */
};

/* Creates PREFIX%d (at most 11 bytes of prefix), point-to-point with ADDRS, MTU, up; no link-local
 * address, no duplicate detection.  WANTED offloads are used where the kernel has them.  *OUT is a
 * child of CTX, freeing it closes the descriptor.  NL is borrowed until then.  ERR_SYS (logged with
 * its step), ERR_TOO_LONG. */
MUST_USE enum err tun_new(TALLOC_CTX *ctx, struct netlink *nl, const char *prefix, unsigned mtu,
			  const struct tun_addrs *addrs, unsigned wanted, struct tun **out);

/* A device made earlier, from its descriptor, which is taken (also on failure).  Its addresses are
 * read from the kernel; v6_prefix is 128 unless the caller knows better.  ERR_SYS. */
MUST_USE enum err tun_adopt(TALLOC_CTX *ctx, struct netlink *nl, int fd, struct tun **out);

/* What tun_adopt cannot know: the prefix of the block behind v6_peer. */
void tun_set_v6_prefix(struct tun *tun, uint8_t prefix);

/* The non-blocking descriptor, for the worker; borrowed; -1 after tun_close_fd. */
int tun_fd(const struct tun *tun);

/* Closes our descriptor: from now on the device lives exactly as long as the worker's. */
void tun_close_fd(struct tun *tun);

const char *tun_name(const struct tun *tun); /* borrowed */
unsigned tun_index(const struct tun *tun);
const struct tun_addrs *tun_addrs(const struct tun *tun); /* borrowed */
unsigned tun_mtu(const struct tun *tun);
unsigned tun_offloads(
	const struct tun *tun); /* enum tun_offload; for whoever reads the descriptor */

/* Changes the MTU.  With IPv6 on the device never below 1280, where the kernel would drop its IPv6
 * addresses (RFC 8200 5); the worker keeps to the smaller value by itself. */
MUST_USE enum err tun_set_mtu(struct tun *tun, unsigned mtu);

/* Live counters from the kernel.  ERR_NOT_FOUND: the device is gone. */
MUST_USE enum err tun_counters(const struct tun *tun, struct tun_counters *out);

#endif /* MAIN_TUN_H */
