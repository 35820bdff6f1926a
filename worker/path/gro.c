/* gro.c - super-packets for the TUN out of consecutive packets of a flow.  Used by tun.c.
 *
 * A super-packet is held as vectors over the payloads where they lie, and its header is a copy made
 * when it is written: no packet is copied or changed.  datapath.md 5. */
#include "worker/path/gro.h"

#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/inet_csum.h"
#include "worker/path/vnet.h"

enum {
	FLOWS = 8,    /* held at once; the oldest leaves for a ninth */
	PARTS = 64,   /* packets of a super-packet, as many as UDP_SEGMENT allows (udp(7)) */
	BYTES = 65504 /* of a super-packet: with a link header on it still below the 64 KiB from
			 which devices leave the cutting to the kernel */
};

/* Offsets in the headers (RFC 791 3.1, RFC 8200 3, RFC 9293 3.1, RFC 768). */
enum {
	V4_LEN = 20,
	V4_TOS = 1,
	V4_TOTAL = 2,
	V4_ID = 4,
	V4_FRAG = 6,
	V4_TTL = 8,
	V4_PROTO = 9,
	V4_CSUM = 10,
	V4_ADDR = 12,
	V6_LEN = 40,
	V6_PAYLOAD = 4,
	V6_NEXT = 6,
	V6_HOPS = 7,
	V6_ADDR = 8,
	TCP_LEN = 20,
	TCP_SEQ = 4,
	TCP_ACK = 8,
	TCP_OFF = 12,
	TCP_FLAGS = 13,
	TCP_WINDOW = 14,
	TCP_CSUM = 16,
	TCP_URGENT = 18,
	UDP_LEN = 8,
	UDP_LENGTH = 4,
	UDP_CSUM = 6,
	PORTS_LEN = 4,
	HEAD_MAX = V6_LEN + 60 /* the longest header of TCP */
};

enum { FIN = 0x01, SYN = 0x02, RST = 0x04, PSH = 0x08, ACK = 0x10, URG = 0x20, CWR = 0x80 };
enum { DF = 0x4000 };

/* A packet without IP options, extension headers or fragmentation that is TCP or UDP. */
struct part {
	uint8_t *ip;
	size_t len;
	unsigned l4; /* offset of the TCP or UDP header: V4_LEN or V6_LEN */
	unsigned hl; /* offset of the payload; perhaps beyond the end */
	uint8_t proto;
};

/* Packets of one flow that follow each other. */
struct flow {
	struct part first;
	bool intact;	  /* the checksums of the first are right */
	uint8_t push;	  /* PSH, if the last has it */
	uint16_t id_step; /* from one IPv4 identification to the next: 1, with DF perhaps 0 */
	uint32_t seq;	  /* that comes next */
	unsigned n;
	size_t total;		     /* bytes of all payloads */
	struct iovec iov[2 + PARTS]; /* virtio-net header, packet header, payloads */
};

struct gro {
	gro_write *write;
	void *arg;
	bool uso;
	bool refused;		  /* the kernel does not want super-packets */
	unsigned n, recent;	  /* flows held; where the packet before went */
	struct flow *held[FLOWS]; /* the first N from the oldest on, then those that are free */
	struct flow flows[FLOWS];
};

enum err gro_new(TALLOC_CTX *ctx, bool uso, gro_write *write, void *arg, struct gro **out)
{
	struct gro *g = talloc_zero(ctx, struct gro);
	if (!g)
		return ERR_NOMEM;
	g->uso = uso;
	g->write = write;
	g->arg = arg;
	for (unsigned i = 0; i < FLOWS; i++)
		g->held[i] = &g->flows[i];
	*out = g;
	return ERR_OK;
}

static void write_single(const struct gro *g, uint8_t *pkt, size_t len)
{
	struct virtio_net_hdr none = { 0 };
	struct iovec iov[2] = { { &none, sizeof none }, { pkt, len } };
	(void)!g->write(g->arg, iov, 2, 1); /* a packet that is lost is lost */
}

/* Makes the header of all of F from that of its first packet. */
static void make_header(const struct flow *f, uint8_t *head, struct virtio_net_hdr *vnet)
{
	const struct part *p = &f->first;
	uint8_t *l4 = head + p->l4;
	size_t len = p->hl + f->total, l4_len = len - p->l4;

	memcpy(head, p->ip, p->hl);
	if (p->l4 == V4_LEN) {
		put_be16(head + V4_TOTAL, (unsigned)len);
		inet_csum_ipv4(head, V4_LEN);
	} else {
		put_be16(head + V6_PAYLOAD, (unsigned)l4_len);
	}
	*vnet = (struct virtio_net_hdr){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					 /* Without it the kernel makes all of it linear. */
					 .hdr_len = (uint16_t)p->hl,
					 .gso_size = (uint16_t)(p->len - p->hl),
					 .csum_start = (uint16_t)p->l4 };
	if (p->proto == IPPROTO_UDP) {
		vnet->gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
		vnet->csum_offset = UDP_CSUM;
		put_be16(l4 + UDP_LENGTH, (unsigned)l4_len);
	} else {
		vnet->gso_type =
			p->l4 == V4_LEN ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
		vnet->csum_offset = TCP_CSUM;
		l4[TCP_FLAGS] |= f->push;
	}
	/* NEEDS_CSUM: the kernel adds the sum of the rest to that of the pseudo-header. */
	inet_csum_store(l4 + vnet->csum_offset,
			inet_csum_fold(inet_csum_pseudo(head, p->proto, l4_len)));
}

static void write_flow(struct gro *g, struct flow *f)
{
	struct virtio_net_hdr vnet;
	uint8_t head[HEAD_MAX];

	if (f->n == 1) {
		write_single(g, f->first.ip, f->first.len);
		return;
	}
	make_header(f, head, &vnet);
	f->iov[0] = (struct iovec){ &vnet, sizeof vnet };
	f->iov[1] = (struct iovec){ head, f->first.hl };
	if (g->write(g->arg, f->iov, (int)f->n + 2, f->n) != ERR_UNSUPPORTED)
		return;
	g->refused = true;
	for (unsigned i = 0; i < f->n; i++) { /* their own headers are where they were */
		const struct iovec *v = &f->iov[2 + i];
		write_single(g, (uint8_t *)v->iov_base - f->first.hl, f->first.hl + v->iov_len);
	}
}

/* Writes the flow held at I. */
static void let_go(struct gro *g, unsigned i)
{
	struct flow *f = g->held[i];
	write_flow(g, f);
	g->n--;
	memmove(&g->held[i], &g->held[i + 1], (g->n - i) * sizeof(struct flow *));
	g->held[g->n] = f;
}

void gro_flush(struct gro *g)
{
	for (unsigned i = 0; i < g->n; i++)
		write_flow(g, g->held[i]);
	g->n = 0;
}

/* Whether PKT is one of those described at struct part. */
static bool take_apart(uint8_t *pkt, size_t len, struct part *p)
{
	p->ip = pkt;
	p->len = len;
	if (len >= V4_LEN + UDP_LEN && pkt[0] == 0x45) {
		if (get_be16(pkt + V4_TOTAL) != len || get_be16(pkt + V4_FRAG) & ~DF)
			return false;
		p->l4 = V4_LEN;
		p->proto = pkt[V4_PROTO];
	} else if (len >= V6_LEN + UDP_LEN && pkt[0] >> 4 == 6) {
		if (get_be16(pkt + V6_PAYLOAD) != len - V6_LEN)
			return false;
		p->l4 = V6_LEN;
		p->proto = pkt[V6_NEXT];
	} else {
		return false;
	}
	if (p->proto == IPPROTO_UDP) {
		p->hl = p->l4 + UDP_LEN;
		return true;
	}
	if (p->proto != IPPROTO_TCP || len < p->l4 + TCP_LEN)
		return false;
	p->hl = p->l4 + (pkt[p->l4 + TCP_OFF] >> 4) * 4U;
	return true;
}

/* Whether P may be part of a super-packet at all, its checksums aside. */
static bool can_merge(const struct gro *g, const struct part *p)
{
	const uint8_t *l4 = p->ip + p->l4;
	if (g->refused || p->len <= p->hl)
		return false;
	if (p->proto == IPPROTO_UDP)
		return g->uso && get_be16(l4 + UDP_LENGTH) == p->len - p->l4 &&
		       get_be16(l4 + UDP_CSUM) != 0;
	return p->hl >= p->l4 + TCP_LEN &&
	       (l4[TCP_FLAGS] & (FIN | SYN | RST | ACK | URG | CWR)) == ACK;
}

/* Whether cutting a super-packet gives P the checksums that it has.  A packet damaged on its way
 * must not become whole; 0xffff, which nobody computes but for UDP, would come out as 0. */
static bool is_intact(const struct part *p)
{
	const uint8_t *ip = p->ip, *l4 = ip + p->l4;
	size_t len = p->len - p->l4;
	if (p->l4 == V4_LEN && (inet_csum_fold(inet_csum_add(0, ip, V4_LEN)) != 0xffff ||
				get_be16(ip + V4_CSUM) == 0xffff))
		return false;
	if (p->proto == IPPROTO_TCP && get_be16(l4 + TCP_CSUM) == 0xffff)
		return false;
	return inet_csum_fold(inet_csum_add(inet_csum_pseudo(ip, p->proto, len), l4, len)) ==
	       0xffff;
}

/* Same IP version, protocol, addresses and ports.  The last two lie side by side; lengths that are
 * constant make comparisons of a few instructions. */
static bool is_of_flow(const struct flow *f, const struct part *p)
{
	const struct part *q = &f->first;
	if (q->l4 != p->l4 || q->proto != p->proto)
		return false;
	if (p->l4 == V4_LEN)
		return memcmp(q->ip + V4_ADDR, p->ip + V4_ADDR, V4_LEN - V4_ADDR + PORTS_LEN) == 0;
	return memcmp(q->ip + V6_ADDR, p->ip + V6_ADDR, V6_LEN - V6_ADDR + PORTS_LEN) == 0;
}

/* Where the flow of P is held; FLOWS: nowhere. */
static unsigned find(struct gro *g, const struct part *p)
{
	if (g->recent < g->n && is_of_flow(g->held[g->recent], p))
		return g->recent;
	for (unsigned i = 0; i < g->n; i++) {
		if (is_of_flow(g->held[i], p))
			return g->recent = i;
	}
	return FLOWS;
}

/* Cutting gives the packets consecutive identifications.  The kernel's GRO wants the same. */
static bool id_follows(const struct flow *f, const struct part *p)
{
	unsigned step = (uint16_t)(get_be16(p->ip + V4_ID) - get_be16(f->first.ip + V4_ID));
	if (f->n > 1)
		return step == f->n * f->id_step;
	return step == 1 || (step == 0 && get_be16(p->ip + V4_FRAG) & DF);
}

/* Whether the IP headers differ in nothing but what cutting sets. */
static bool ip_fits(const struct flow *f, const struct part *p)
{
	const uint8_t *a = f->first.ip, *b = p->ip;
	if (p->l4 == V4_LEN)
		return a[V4_TOS] == b[V4_TOS] && a[V4_TTL] == b[V4_TTL] &&
		       a[V4_FRAG] == b[V4_FRAG] && id_follows(f, p);
	/* The first word: traffic class and flow label. */
	return memcmp(a, b, V6_PAYLOAD) == 0 && a[V6_HOPS] == b[V6_HOPS];
}

/* The same for TCP. */
static bool tcp_fits(const struct flow *f, const struct part *p)
{
	const uint8_t *a = f->first.ip + p->l4, *b = p->ip + p->l4;
	return get_be32(b + TCP_SEQ) == f->seq && memcmp(a + TCP_ACK, b + TCP_ACK, 4) == 0 &&
	       a[TCP_OFF] == b[TCP_OFF] && ((a[TCP_FLAGS] ^ b[TCP_FLAGS]) & ~PSH) == 0 &&
	       memcmp(a + TCP_WINDOW, b + TCP_WINDOW, 2) == 0 &&
	       memcmp(a + TCP_URGENT, b + TCP_URGENT, 2) == 0 &&
	       memcmp(a + TCP_LEN, b + TCP_LEN, p->hl - p->l4 - TCP_LEN) == 0;
}

/* Whether P, of the same flow, can be the next part of F. */
static bool fits(struct flow *f, const struct part *p)
{
	size_t len = p->len - p->hl;
	if (f->n == PARTS || len > f->first.len - f->first.hl || p->hl + f->total + len > BYTES)
		return false;
	if (!ip_fits(f, p) || (p->proto == IPPROTO_TCP && !tcp_fits(f, p)))
		return false;
	if (!f->intact) /* not before it is needed: many packets stay alone */
		f->intact = is_intact(&f->first);
	return f->intact && is_intact(p);
}

static uint8_t push_of(const struct part *p)
{
	return p->proto == IPPROTO_TCP ? p->ip[p->l4 + TCP_FLAGS] & PSH : 0;
}

/* Adds P, which fits.  Returns whether nothing may follow it: pushed data ought to be on its way,
 * and only the last may be shorter. */
static bool append(struct flow *f, const struct part *p)
{
	size_t len = p->len - p->hl;
	if (f->n == 1)
		f->id_step = (uint16_t)(get_be16(p->ip + V4_ID) - get_be16(f->first.ip + V4_ID));
	f->iov[2 + f->n++] = (struct iovec){ p->ip + p->hl, len };
	f->total += len;
	f->seq += (uint32_t)len;
	f->push = push_of(p);
	return f->push || len < f->first.len - f->first.hl;
}

/* Holds P as the first of its flow. */
static void open_flow(struct gro *g, const struct part *p)
{
	if (g->n == FLOWS)
		let_go(g, 0);
	struct flow *f = g->held[g->recent = g->n++];
	f->first = *p;
	f->intact = false;
	f->push = 0;
	f->total = p->len - p->hl;
	f->seq = get_be32(p->ip + p->l4 + TCP_SEQ) + (uint32_t)f->total;
	f->n = 1;
	f->iov[2] = (struct iovec){ p->ip + p->hl, f->total };
}

/* Writes the flows between the addresses of PKT, whose own flow cannot be told: a fragment, say. */
static void let_pair_go(struct gro *g, const uint8_t *pkt, size_t len)
{
	unsigned l4 = len && pkt[0] >> 4 == 6 ? V6_LEN : V4_LEN;
	unsigned addr = l4 == V6_LEN ? V6_ADDR : V4_ADDR;
	if (len < l4)
		return;
	for (unsigned i = 0; i < g->n;) {
		const struct part *p = &g->held[i]->first;
		if (p->l4 == l4 && memcmp(p->ip + addr, pkt + addr, l4 - addr) == 0)
			let_go(g, i);
		else
			i++;
	}
}

void gro_put(struct gro *g, uint8_t *pkt, size_t len)
{
	struct part p;
	if (!take_apart(pkt, len, &p)) {
		let_pair_go(g, pkt, len);
		write_single(g, pkt, len);
		return;
	}
	unsigned i = find(g, &p);
	bool can = can_merge(g, &p);
	if (i < FLOWS && can && fits(g->held[i], &p)) {
		if (append(g->held[i], &p))
			let_go(g, i);
		return;
	}
	if (i < FLOWS)
		let_go(g, i);
	if (can && !push_of(&p))
		open_flow(g, &p);
	else
		write_single(g, pkt, len);
}
