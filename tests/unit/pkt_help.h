/* pkt_help.h - makes IP packets, and cuts super-packets in the plainest way, for the tests of
 * coalescing: an independent reference, slow and obvious. */
#ifndef TESTS_UNIT_PKT_HELP_H
#define TESTS_UNIT_PKT_HELP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/vnet.h"

enum { PKT_FIN = 1, PKT_SYN = 2, PKT_RST = 4, PKT_PSH = 8, PKT_ACK = 16, PKT_URG = 32 };
enum { PKT_ECE = 64, PKT_CWR = 128 };

struct pkt_spec {
	bool v6, udp;
	bool no_csum; /* UDP without a checksum */
	uint8_t flow; /* makes the source port and the lowest byte of addresses */
	uint8_t tos, ttl;
	uint32_t label;	   /* of IPv6 */
	uint16_t id, frag; /* of IPv4; FRAG with flags */
	uint32_t seq, ack;
	uint8_t flags;
	uint8_t reserved; /* the four bits next to the data offset */
	uint16_t window, urgent;
	uint8_t options;      /* bytes of TCP options, a multiple of 4 */
	uint8_t option_value; /* what they hold */
	uint16_t payload;     /* bytes; they follow from SEQ, flow and place */
};

/* Writes the packet, checksums and all, to OUT.  Returns its length. */
size_t pkt_make(const struct pkt_spec *spec, uint8_t *out);

/* Sets the checksums of a packet whose transport header is at L4. */
void pkt_finish(uint8_t *pkt, size_t len, size_t l4);

/* Sets the checksum of an IPv4 header of HEADER bytes. */
void pkt_finish_ipv4(uint8_t *pkt, size_t header);

/* Cuts the LEN bytes at PKT behind HDR as the kernel does (datapath.md 2): calls EMIT for each
 * packet.  False: HDR and packet do not belong together. */
bool pkt_cut(const struct virtio_net_hdr *hdr, const uint8_t *pkt, size_t len,
	     void (*emit)(void *arg, const uint8_t *pkt, size_t len), void *arg);

#endif /* TESTS_UNIT_PKT_HELP_H */
