/* fuzz_path_gso.c - any virtio-net header (10 bytes) before any packet: the pieces lie inside it,
 * are whole packets, hold its payload in order, and have right checksums if it had. */
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/inet_csum.h"
#include "wire/ip_pkt.h"
#include "worker/path/gso.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The packet before it was cut, and how far the pieces have come. */
struct whole {
	struct virtio_net_hdr hdr;
	struct ip_pkt ip;
	const uint8_t *pkt;
	size_t head; /* bytes of all headers; 0: it is not cut */
	size_t done;
	bool right; /* its checksum */
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static size_t field_of(const struct ip_pkt *ip)
{
	return ip->l4 + (ip->protocol == IPPROTO_UDP ? 6U : 16U);
}

static uint16_t pseudo(const uint8_t *pkt, const struct ip_pkt *ip)
{
	return inet_csum_fold(inet_csum_pseudo(pkt, ip->protocol, ip->len - ip->l4));
}

/* Fuzzers do not find checksums: an odd hdr_len, a mere hint, asks for a right one. */
static void look(struct whole *w, uint8_t *pkt, size_t len)
{
	uint16_t have, want;

	if (ip_pkt_parse(pkt, len, &w->ip))
		return;
	if (w->ip.protocol != IPPROTO_UDP && w->ip.protocol != IPPROTO_TCP)
		return;
	if (field_of(&w->ip) + 2 > w->ip.len)
		return;
	want = pseudo(pkt, &w->ip);
	if (w->hdr.hdr_len & 1)
		inet_csum_store(pkt + field_of(&w->ip), want);
	memcpy(&have, pkt + field_of(&w->ip), sizeof have);
	w->right = have == want && w->hdr.csum_start == w->ip.l4 &&
		   w->hdr.csum_start + w->hdr.csum_offset == field_of(&w->ip);
	if (!(w->hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		w->right = w->hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE;
}

static void check_piece(struct whole *w, const uint8_t *pkt, size_t len)
{
	struct ip_pkt ip;
	uint64_t sum;
	size_t head;

	must(!ip_pkt_parse(pkt, len, &ip) && ip.len == len && ip.l4 == w->ip.l4);
	must(ip.protocol == w->ip.protocol);
	head = ip.l4 + (ip.protocol == IPPROTO_UDP ? 8U : (pkt[ip.l4 + 12] >> 4) * 4U);
	must(len - head <= w->hdr.gso_size && w->done + len <= w->ip.len);
	must(!memcmp(pkt + head, w->pkt + head + w->done, len - head));
	if (ip.protocol == IPPROTO_TCP)
		must(get_be32(pkt + ip.l4 + 4) ==
		     (uint32_t)(get_be32(w->pkt + ip.l4 + 4) + w->done));
	else
		must(get_be16(pkt + ip.l4 + 4) == len - ip.l4);
	sum = inet_csum_join(pseudo(pkt, &ip), inet_csum_add(0, pkt + ip.l4, len - ip.l4));
	must(!w->right || inet_csum_fold(sum) == 0xffff);
	if (ip.version == 4)
		must(inet_csum_fold(inet_csum_add(0, pkt, ip.l4)) == 0xffff);
	w->head = head;
	w->done += len - head;
}

/* A packet that is not cut: the same but for its checksum. */
static void check_whole(const struct whole *w, const uint8_t *pkt, size_t len)
{
	size_t field = (size_t)w->hdr.csum_start + w->hdr.csum_offset;
	uint64_t sum;

	if (!(w->hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)) {
		must(!memcmp(pkt, w->pkt, len));
		return;
	}
	must(field + 2 <= len && !memcmp(pkt, w->pkt, field) &&
	     !memcmp(pkt + field + 2, w->pkt + field + 2, len - field - 2));
	if (!w->right)
		return;
	sum = inet_csum_pseudo(pkt, w->ip.protocol, len - w->ip.l4);
	sum = inet_csum_add(sum, pkt + w->ip.l4, len - w->ip.l4);
	must(len == w->ip.len && inet_csum_fold(sum) == 0xffff);
}

static void cut(struct whole *w, uint8_t *room, uint8_t *pkt, size_t size)
{
	static struct gso g;
	uint8_t *piece;
	size_t len, n = 0;

	if (gso_begin(&g, &w->hdr, pkt, size)) {
		must(!gso_next(&g, &piece, &len));
		return;
	}
	for (; gso_next(&g, &piece, &len); n++) {
		must(len && piece >= pkt && piece + len <= pkt + size);
		if (piece == pkt && g.pkt == NULL)
			check_whole(w, piece, len);
		else
			check_piece(w, piece, len);
		memset(piece - GSO_HEADROOM, 0xee, GSO_HEADROOM + len);
		must(piece - GSO_HEADROOM >= room);
	}
	must(n == 1 || (n > 1 && w->head + w->done == w->ip.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct whole w = { 0 };
	uint8_t *room, *original;

	if (size < sizeof w.hdr)
		return 0;
	memcpy(&w.hdr, data, sizeof w.hdr);
	size -= sizeof w.hdr;
	room = malloc(GSO_HEADROOM + size);
	original = malloc(size ? size : 1);
	memcpy(room + GSO_HEADROOM, data + sizeof w.hdr, size);
	look(&w, room + GSO_HEADROOM, size);
	memcpy(original, room + GSO_HEADROOM, size);
	w.pkt = original;
	cut(&w, room, room + GSO_HEADROOM, size);
	free(original);
	free(room);
	return 0;
}
