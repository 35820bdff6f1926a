/* gso.c - segmentation as the kernel would have done it, in place. */
#include "worker/path/gso.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/inet_csum.h"
#include "wire/ip_hdr.h"
#include "wire/ip_pkt.h"

static enum err give_whole(struct gso *g, uint8_t *pkt, size_t len)
{
	if (!len)
		return ERR_SYNTAX;
	g->pkt = pkt;
	g->left = len;
	g->head = 0;
	return ERR_OK;
}

/* The fixed part of the IP header at PKT; 0: there is none in LEN bytes. */
static size_t ip_header(const uint8_t *pkt, size_t len)
{
	if (len >= IPV4_HEADER && pkt[0] >> 4 == 4)
		return IPV4_HEADER;
	if (len >= IPV6_HEADER && pkt[0] >> 4 == 6)
		return IPV6_HEADER;
	return 0;
}

/* One packet, whose checksum may have been left to the device (virtio 1.2, 5.1.6.4). */
static enum err finish(struct gso *g, const struct virtio_net_hdr *hdr, uint8_t *pkt, size_t len)
{
	size_t header = ip_header(pkt, len), total;
	size_t start = hdr->csum_start, field = start + hdr->csum_offset;
	uint16_t sum;

	if (!header)
		return ERR_SYNTAX;
	total = header == IPV6_HEADER ? IPV6_HEADER + (size_t)get_be16(pkt + IPV6_PAYLOAD)
				      : get_be16(pkt + IPV4_TOTAL);
	if (total > len || start < header || field + 2 > total)
		return ERR_SYNTAX;
	/* The field holds the sum of the pseudo-header, so it takes part as it is. */
	sum = (uint16_t)~inet_csum_fold(inet_csum_add(0, pkt + start, total - start));
	/* RFC 768: zero means none.  For other protocols both are the same number. */
	inet_csum_store(pkt + field, sum ? sum : 0xffff);
	return give_whole(g, pkt, total);
}

/* What TYPE says that is to be cut; IPPROTO_MAX: nothing we have asked for. */
static int protocol_of(uint8_t type, unsigned version)
{
	switch (type) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN:
		return version == 4 ? IPPROTO_TCP : IPPROTO_MAX;
	case VIRTIO_NET_HDR_GSO_TCPV6:
	case VIRTIO_NET_HDR_GSO_TCPV6 | VIRTIO_NET_HDR_GSO_ECN:
		return version == 6 ? IPPROTO_TCP : IPPROTO_MAX;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		return IPPROTO_UDP;
	default:
		return IPPROTO_MAX;
	}
}

/* Bytes of the TCP or UDP header of LEN bytes at L4; 0: it is none. */
static size_t l4_header(bool udp, const uint8_t *l4, size_t len)
{
	size_t n;

	if (udp)
		return len >= UDP_HEADER && get_be16(l4 + UDP_LENGTH) == len ? UDP_HEADER : 0;
	if (len < TCP_HEADER)
		return 0;
	n = (size_t)(l4[TCP_OFFSET] >> 4) * 4;
	return n >= TCP_HEADER && n <= len ? n : 0;
}

static size_t csum_at(const struct gso *g)
{
	return g->udp ? UDP_CSUM : TCP_CSUM;
}

/* Whether the packet is a fragment, or authenticated as a whole: what cannot be cut without making
 * other packets of it.  PKT has whole headers up to L4. */
static bool is_one_piece(const uint8_t *pkt, const struct ip_pkt *ip)
{
	uint8_t next = pkt[IPV6_NEXT];

	if (ip->version == 4)
		return get_be16(pkt + IPV4_FRAG) & IPV4_IS_FRAGMENT;
	for (size_t at = IPV6_HEADER; at < ip->l4; at += ((size_t)pkt[at + 1] + 1) * 8) {
		if (next == IPPROTO_FRAGMENT || next == IPPROTO_AH)
			return true;
		next = pkt[at];
	}
	return false;
}

/* Finds the headers of what HDR says that is to be cut, and sets where they end in G. */
static enum err find_headers(struct gso *g, const struct virtio_net_hdr *hdr, const uint8_t *pkt,
			     size_t len, struct ip_pkt *ip)
{
	size_t header;

	if (!hdr->gso_size || ip_pkt_parse(pkt, len, ip) ||
	    ip->protocol != protocol_of(hdr->gso_type, ip->version) || is_one_piece(pkt, ip))
		return ERR_SYNTAX;
	g->v6 = ip->version == 6;
	g->udp = ip->protocol == IPPROTO_UDP;
	header = l4_header(g->udp, pkt + ip->l4, ip->len - ip->l4);
	if (!header)
		return ERR_SYNTAX;
	g->l4 = ip->l4;
	g->head = ip->l4 + header;
	return ERR_OK;
}

/* Whether HDR has the checksum where the headers found have it.  Linux makes no UDP of this kind
 * without NEEDS_CSUM, and takes none; TCP may come without (its own is not to be used then). */
static bool agrees(const struct gso *g, const struct virtio_net_hdr *hdr)
{
	if (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		return hdr->csum_start == g->l4 && hdr->csum_offset == csum_at(g);
	return !g->udp;
}

/* Takes what the IPv4 headers of all pieces have in common. */
static void prepare_v4(struct gso *g)
{
	uint8_t *ip = g->headers;

	g->id = get_be16(ip + IPV4_ID);
	put_be16(ip + IPV4_ID, 0);
	put_be16(ip + IPV4_TOTAL, 0);
	put_be16(ip + IPV4_CSUM, 0);
	g->ip_sum = inet_csum_add(0, ip, g->l4);
}

/* Takes what all pieces of the packet PKT have in common.  CSUM: the checksum field holds the sum
 * of the pseudo-header of the whole.  It is used rather than made again, because behind a routing
 * header it is not that of the addresses in the IP header (RFC 8200 8.1). */
static void prepare(struct gso *g, const uint8_t *pkt, const struct ip_pkt *ip, bool csum)
{
	uint16_t len = htons((uint16_t)(ip->len - ip->l4));
	uint8_t *l4 = g->headers + g->l4;

	memcpy(g->headers, pkt, g->head);
	g->l4_sum = csum ? inet_csum_add((uint16_t)~len, l4 + csum_at(g), 2)
			 : inet_csum_pseudo(pkt, ip->protocol, 0);
	put_be16(l4 + csum_at(g), 0);
	if (!g->udp)
		g->seq = get_be32(l4 + TCP_SEQ);
	g->keep = 0xff;
	if (!g->v6)
		prepare_v4(g);
}

enum err gso_begin(struct gso *g, const struct virtio_net_hdr *hdr, uint8_t *pkt, size_t len)
{
	bool csum = hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
	struct ip_pkt ip;

	g->pkt = NULL;
	if (hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return csum ? finish(g, hdr, pkt, len) : give_whole(g, pkt, len);
	if (find_headers(g, hdr, pkt, len, &ip) || !agrees(g, hdr))
		return ERR_SYNTAX;
	g->left = ip.len - g->head;
	g->size = hdr->gso_size;
	/* Linux takes such a packet for one that needs no segmentation. */
	if (g->left <= g->size)
		return csum ? finish(g, hdr, pkt, ip.len) : give_whole(g, pkt, ip.len);
	if (g->head > GSO_HEADERS)
		return ERR_SYNTAX;
	g->pkt = pkt;
	prepare(g, pkt, &ip, csum);
	return ERR_OK;
}

/* The IP header of a piece of LEN bytes at PKT. */
static void write_ip(struct gso *g, uint8_t *pkt, size_t len)
{
	uint64_t sum;

	if (g->v6) {
		put_be16(pkt + IPV6_PAYLOAD, (unsigned)(len - IPV6_HEADER));
		return;
	}
	put_be16(pkt + IPV4_TOTAL, (unsigned)len);
	put_be16(pkt + IPV4_ID, g->id);
	sum = inet_csum_join(g->ip_sum, (uint64_t)htons((uint16_t)len) + htons(g->id));
	inet_csum_store(pkt + IPV4_CSUM, (uint16_t)~inet_csum_fold(sum));
	g->id++;
}

/* RFC 3168 6.1.2: CWR tells of one reduction, so it stands on the first piece alone. */
static void write_tcp(struct gso *g, uint8_t *tcp, bool last)
{
	uint8_t keep = last ? g->keep : g->keep & (uint8_t) ~(TCP_FIN | TCP_PSH);

	put_be32(tcp + TCP_SEQ, g->seq);
	tcp[TCP_FLAGS] &= keep;
	g->seq += (uint32_t)g->size;
	g->keep = (uint8_t)~TCP_CWR;
}

/* The headers of a piece of LEN bytes at PKT, whose payload is in its place. */
static void write_headers(struct gso *g, uint8_t *pkt, size_t len, bool last)
{
	uint8_t *l4 = pkt + g->l4;
	size_t l4_len = len - g->l4;
	uint16_t sum;

	memcpy(pkt, g->headers, g->head);
	write_ip(g, pkt, len);
	if (g->udp)
		put_be16(l4 + UDP_LENGTH, (unsigned)l4_len);
	else
		write_tcp(g, l4, last);
	sum = (uint16_t)~inet_csum_fold(
		inet_csum_add(inet_csum_join(g->l4_sum, htons((uint16_t)l4_len)), l4, l4_len));
	inet_csum_store(l4 + csum_at(g), g->udp && !sum ? 0xffff : sum);
}

bool gso_next(struct gso *g, uint8_t **pkt, size_t *len)
{
	bool last = !g->head || g->left <= g->size;
	size_t payload = last ? g->left : g->size;

	if (!g->pkt)
		return false;
	*pkt = g->pkt;
	*len = g->head + payload;
	if (g->head)
		write_headers(g, *pkt, *len, last);
	g->pkt = last ? NULL : g->pkt + payload;
	g->left -= payload;
	return true;
}
