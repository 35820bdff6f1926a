/* ip_pkt.h - an inner packet, just enough to check and count it.
 * Pure; used by the worker's data path.  protocol.md 5.6, 5.7. */
#ifndef WIRE_IP_PKT_H
#define WIRE_IP_PKT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"

struct ip_pkt {
	unsigned version; /* 4 or 6 */
	struct addr src, dst;
	uint8_t protocol; /* IPPROTO_*, behind IPv6 extension headers where they can be walked */
	size_t l4;	  /* offset of the header of PROTOCOL */
	size_t len; /* bytes of the packet, at most the bytes given; trailing ones are not part */
	bool fragment; /* not the first fragment: no header of PROTOCOL here */
};

/* Reads LEN bytes at DATA.  ERR_SYNTAX: not a whole IPv4 or IPv6 packet. */
MUST_USE enum err ip_pkt_parse(const uint8_t *data, size_t len, struct ip_pkt *out);

/* Traffic of a user rather than of a machine: not ICMP, ICMPv6 or IGMP (idle timer). */
bool ip_pkt_is_activity(const struct ip_pkt *pkt);

#endif /* WIRE_IP_PKT_H */
