/* gso.h - cuts a packet as a TUN with segmentation offload hands it over (virtio-net header, up to
 * 64 KiB) into packets of the wire.  Pure; used by tun.c.  datapath.md 2. */
#ifndef WORKER_PATH_GSO_H
#define WORKER_PATH_GSO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "wire/vnet.h"

enum {
	GSO_HEADROOM = 16, /* bytes before a piece that its user may overwrite */
	GSO_HEADERS = 512, /* most bytes of IP and TCP or UDP headers in a packet that is cut */
};

/* Owned by the caller, without anything to free; its fields are gso.c's. */
struct gso {
	uint8_t *pkt;	 /* where the next piece begins; NULL: none is left */
	size_t left;	 /* bytes of payload not cut yet; with HEAD 0 of the whole packet */
	size_t size;	 /* payload of all pieces but the last */
	size_t l4, head; /* bytes of the IP headers, of all headers; HEAD 0: nothing to cut */
	uint64_t ip_sum; /* of the IPv4 header but for what differs: length and ID */
	uint64_t l4_sum; /* of the pseudo-header but for the length */
	uint32_t seq;	 /* of the next piece */
	uint16_t id;	 /* of the next piece */
	uint8_t keep;	 /* TCP flags the next piece may have if it is the last */
	bool v6, udp;
	uint8_t headers[GSO_HEADERS]; /* as they were: pieces are made over the originals */
};

/* Begins with the LEN bytes at PKT (writable, borrowed until the last gso_next) and their header,
 * in the byte order of the machine.  Bytes behind the IP packet are left out.
 * ERR_SYNTAX: nothing that could be cut or finished: drop it. */
MUST_USE enum err gso_begin(struct gso *g, const struct virtio_net_hdr *hdr, uint8_t *pkt,
			    size_t len);

/* The next packet, borrowed until the next call; false: that was all.  Pieces are made in place:
 * the headers of a piece lie over the end of the one before, so the one before must have been used,
 * and up to GSO_HEADROOM bytes before a piece may be overwritten by its user. */
bool gso_next(struct gso *g, uint8_t **pkt, size_t *len);

#endif /* WORKER_PATH_GSO_H */
