/* pkt_help.c - packets for tests, byte by byte as the RFCs draw them. */
#include "tests/unit/pkt_help.h"

#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"

/* RFC 1071 1, word by word: 16 bits, not complemented. */
static unsigned sum_of(unsigned sum, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? data[i] : (unsigned)data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static unsigned pseudo(const uint8_t *ip, unsigned proto, size_t len)
{
	bool v6 = ip[0] >> 4 == 6;
	return sum_of(proto + (unsigned)len, ip + (v6 ? 8 : 12), v6 ? 32 : 8);
}

void pkt_finish_ipv4(uint8_t *pkt, size_t header)
{
	put_be16(pkt + 10, 0);
	put_be16(pkt + 10, ~sum_of(0, pkt, header) & 0xffff);
}

void pkt_finish(uint8_t *pkt, size_t len, size_t l4)
{
	bool v6 = pkt[0] >> 4 == 6;
	uint8_t proto = v6 ? pkt[6] : pkt[9];
	uint8_t *field = pkt + l4 + (proto == IPPROTO_UDP ? 6 : 16);
	if (!v6)
		pkt_finish_ipv4(pkt, 20);
	put_be16(field, 0);
	unsigned sum = ~sum_of(pseudo(pkt, proto, len - l4), pkt + l4, len - l4) & 0xffff;
	put_be16(field, sum == 0 && proto == IPPROTO_UDP ? 0xffff : sum);
}

static void make_ipv4(const struct pkt_spec *s, uint8_t *ip, size_t len)
{
	static const uint8_t addr[8] = { 10, 1, 0, 0, 10, 2, 0, 0 };
	ip[0] = 0x45;
	ip[1] = s->tos;
	put_be16(ip + 2, (unsigned)len);
	put_be16(ip + 4, s->id);
	put_be16(ip + 6, s->frag);
	ip[8] = s->ttl;
	ip[9] = s->udp ? IPPROTO_UDP : IPPROTO_TCP;
	memcpy(ip + 12, addr, sizeof addr);
	ip[15] = ip[19] = (uint8_t)(2 + s->flow % 4);
}

static void make_ipv6(const struct pkt_spec *s, uint8_t *ip, size_t len)
{
	put_be32(ip, 6U << 28 | (uint32_t)s->tos << 20 | s->label);
	put_be16(ip + 4, (unsigned)len - 40);
	ip[6] = s->udp ? IPPROTO_UDP : IPPROTO_TCP;
	ip[7] = s->ttl;
	ip[8] = ip[24] = 0xfd;
	ip[9] = 1;
	ip[25] = 2;
	ip[23] = ip[39] = (uint8_t)(2 + s->flow % 4);
}

static void make_l4(const struct pkt_spec *s, uint8_t *p, size_t head)
{
	put_be16(p, 1000U + s->flow);
	put_be16(p + 2, 5001);
	if (s->udp) {
		put_be16(p + 4, (unsigned)head + s->payload);
		return;
	}
	put_be32(p + 4, s->seq);
	put_be32(p + 8, s->ack);
	p[12] = (uint8_t)(head / 4 << 4 | s->reserved);
	p[13] = s->flags;
	put_be16(p + 14, s->window);
	put_be16(p + 18, s->urgent);
	memset(p + 20, s->option_value, s->options);
}

size_t pkt_make(const struct pkt_spec *s, uint8_t *out)
{
	size_t l4 = s->v6 ? 40 : 20, head = s->udp ? 8 : 20U + s->options;
	size_t len = l4 + head + s->payload;
	memset(out, 0, l4 + head);
	if (s->v6)
		make_ipv6(s, out, len);
	else
		make_ipv4(s, out, len);
	make_l4(s, out + l4, head);
	for (size_t i = 0; i < s->payload; i++)
		out[l4 + head + i] = (uint8_t)((s->seq + i) * 7 + s->flow);
	pkt_finish(out, len, l4);
	if (s->no_csum)
		put_be16(out + l4 + 6, 0);
	return len;
}

/* Piece I of a super-packet, which begins at payload byte OFF. */
static size_t cut_piece(const struct virtio_net_hdr *h, const uint8_t *pkt, size_t len, size_t head,
			size_t off, unsigned i, uint8_t *out)
{
	size_t l4 = h->csum_start, left = len - head - off;
	size_t n = left < h->gso_size ? left : h->gso_size;
	memcpy(out, pkt, head);
	memcpy(out + head, pkt + head + off, n);
	if (pkt[0] >> 4 == 6) {
		put_be16(out + 4, (unsigned)(head + n - 40));
	} else {
		put_be16(out + 2, (unsigned)(head + n));
		put_be16(out + 4, get_be16(pkt + 4) + i);
	}
	if (h->gso_type == VIRTIO_NET_HDR_GSO_UDP_L4) {
		put_be16(out + l4 + 4, (unsigned)(head + n - l4));
	} else {
		put_be32(out + l4 + 4, get_be32(pkt + l4 + 4) + (uint32_t)off);
		if (n < left)
			out[l4 + 13] &= (uint8_t) ~(PKT_FIN | PKT_PSH);
		if (i > 0)
			out[l4 + 13] &= (uint8_t)~PKT_CWR;
	}
	pkt_finish(out, head + n, l4);
	return head + n;
}

/* Whether HDR says of the packet what the packet says of itself. */
static bool agree(const struct virtio_net_hdr *h, const uint8_t *pkt, size_t len)
{
	bool v6 = pkt[0] >> 4 == 6, udp = h->gso_type == VIRTIO_NET_HDR_GSO_UDP_L4;
	size_t l4 = v6 ? 40 : 20;
	if (len < l4 + 8 || (v6 ? pkt[6] : pkt[9]) != (udp ? IPPROTO_UDP : IPPROTO_TCP))
		return false;
	size_t head = l4 + (udp ? 8U : (pkt[l4 + 12] >> 4) * 4U);
	if (!udp && h->gso_type != (v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4))
		return false;
	if (h->flags != VIRTIO_NET_HDR_F_NEEDS_CSUM || h->csum_start != l4 || h->hdr_len != head ||
	    h->csum_offset != (udp ? 6 : 16) || h->gso_size == 0 || len <= head + h->gso_size)
		return false;
	if (v6 ? get_be16(pkt + 4) != len - 40 : get_be16(pkt + 2) != len)
		return false;
	if (!v6 && sum_of(0, pkt, 20) != 0xffff)
		return false;
	if (udp && get_be16(pkt + l4 + 4) != len - l4)
		return false;
	return get_be16(pkt + l4 + h->csum_offset) ==
	       pseudo(pkt, udp ? IPPROTO_UDP : IPPROTO_TCP, len - l4);
}

bool pkt_cut(const struct virtio_net_hdr *hdr, const uint8_t *pkt, size_t len,
	     void (*emit)(void *arg, const uint8_t *pkt, size_t len), void *arg)
{
	uint8_t out[65536];
	if (hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE) {
		if (hdr->flags)
			return false;
		emit(arg, pkt, len);
		return true;
	}
	if (len > 65535 || !agree(hdr, pkt, len))
		return false;
	unsigned i = 0;
	for (size_t off = 0; hdr->hdr_len + off < len; off += hdr->gso_size, i++)
		emit(arg, out, cut_piece(hdr, pkt, len, hdr->hdr_len, off, i, out));
	return true;
}
