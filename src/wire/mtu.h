/* mtu.h - how large packets may be: link MTU from what everybody claims, data MTU from the cipher.
 * Pure; used by the worker.  protocol.md 5.5, 6.8.  Sizes in bytes; results are never negative. */
#ifndef WIRE_MTU_H
#define WIRE_MTU_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/dtls_suite.h"

enum {
	MTU_DEFAULT = 1500,
	MTU_LINK_MIN4 = 800, /* smallest link MTU without and with inner IPv6 */
	MTU_LINK_MIN6 = 1280,
	MTU_HEADER_MAX = 16384, /* largest value believed in a request header */
	MTU_IPV6_MIN = 1280,	/* a smaller data MTU withdraws IPv6 */
};

struct mtu_claims {
	uint32_t configured; /* of the user, the vhost or the device; 0: MTU_DEFAULT */
	uint32_t base_mtu;   /* X-CSTP-Base-MTU of the client; 0 none */
	uint32_t client_mtu; /* X-CSTP-MTU; 0 none */
	uint32_t path_mtu;   /* of the TCP connection; 0 unknown */
	bool outer_v6;	     /* the client came over IPv6 */
	bool inner_v6;	     /* the tunnel carries IPv6 */
};

/* The link MTU, never below MTU_LINK_MIN4 or MTU_LINK_MIN6. */
unsigned mtu_link(const struct mtu_claims *claims);

/* Upper bound of the bytes a DTLS 1.x record adds; SUITE_CIPHER_UNKNOWN: of all ciphers. */
unsigned mtu_overhead(enum suite_cipher cipher, enum suite_mac mac);

/* Largest inner packet on a link: with a given overhead (the bound form), and exactly for a cipher
 * (block padding considered).  0 when nothing fits. */
unsigned mtu_data(unsigned link, bool outer_v6, unsigned overhead);
unsigned mtu_data_exact(unsigned link, bool outer_v6, enum suite_cipher cipher, enum suite_mac mac);

/* The link MTU that mtu_data turns into DATA: the way back, for probes. */
unsigned mtu_link_of_data(unsigned data, bool outer_v6, unsigned overhead);

#endif /* WIRE_MTU_H */
