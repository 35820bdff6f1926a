/* gro.c - super-packets for the TUN out of consecutive packets of a flow.  Used by inner.c.
 *
 * A super-packet is held as vectors over the payloads where they lie, and its header is a copy made
 * when it is written: no packet is copied or changed.  datapath.md 5. */
#include "worker/path/gro.h"

#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/inet_csum.h"
#include "wire/ip_hdr.h"
#include "wire/vnet.h"

enum {
	FLOWS = 8,    /* held at once; the oldest leaves for a ninth */
	PARTS = 64,   /* packets of a super-packet, as many as UDP_SEGMENT allows (udp(7)) */
	BYTES = 65504 /* of a super-packet: with a link header on it still below the 64 KiB from
			 which devices leave the cutting to the kernel */
};

enum {
	PORTS_LEN = 4,
	HEAD_MAX = IPV6_HEADER + 60 /* the longest header of TCP */
};

/* A packet without IP options, extension headers or fragmentation that is TCP or UDP. */
struct part {
	const uint8_t *ip;
	size_t len;
	unsigned l4; /* offset of the TCP or UDP header: IPV4_HEADER or IPV6_HEADER */
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

/* Vectors are for reading and for writing; ours are only read. */
static struct iovec part_of(const uint8_t *data, size_t len)
{
	return (struct iovec){ (void *)(uintptr_t)data, len };
}

static void write_single(const struct gro *g, const uint8_t *pkt, size_t len)
{
	struct virtio_net_hdr none = { 0 };
	struct iovec iov[2] = { { &none, sizeof none }, part_of(pkt, len) };
	(void)!g->write(g->arg, iov, 2, 1); /* a packet that is lost is lost */
}

/* Makes the header of all of F from that of its first packet. */
static void make_header(const struct flow *f, uint8_t *head, struct virtio_net_hdr *vnet)
{
	const struct part *p = &f->first;
	uint8_t *l4 = head + p->l4;
	size_t len = p->hl + f->total, l4_len = len - p->l4;

	memcpy(head, p->ip, p->hl);
	if (p->l4 == IPV4_HEADER) {
		put_be16(head + IPV4_TOTAL, (unsigned)len);
		inet_csum_ipv4(head, IPV4_HEADER);
	} else {
		put_be16(head + IPV6_PAYLOAD, (unsigned)l4_len);
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
			p->l4 == IPV4_HEADER ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
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
		write_single(g, (const uint8_t *)v->iov_base - f->first.hl,
			     f->first.hl + v->iov_len);
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
static bool take_apart(const uint8_t *pkt, size_t len, struct part *p)
{
	p->ip = pkt;
	p->len = len;
	if (len >= IPV4_HEADER + UDP_HEADER && pkt[0] == 0x45) {
		if (get_be16(pkt + IPV4_TOTAL) != len || get_be16(pkt + IPV4_FRAG) & ~IPV4_DF)
			return false;
		p->l4 = IPV4_HEADER;
		p->proto = pkt[IPV4_PROTO];
	} else if (len >= IPV6_HEADER + UDP_HEADER && pkt[0] >> 4 == 6) {
		if (get_be16(pkt + IPV6_PAYLOAD) != len - IPV6_HEADER)
			return false;
		p->l4 = IPV6_HEADER;
		p->proto = pkt[IPV6_NEXT];
	} else {
		return false;
	}
	if (p->proto == IPPROTO_UDP) {
		p->hl = p->l4 + UDP_HEADER;
		return true;
	}
	if (p->proto != IPPROTO_TCP || len < p->l4 + TCP_HEADER)
		return false;
	p->hl = p->l4 + (pkt[p->l4 + TCP_OFFSET] >> 4) * 4U;
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
	return p->hl >= p->l4 + TCP_HEADER &&
	       (l4[TCP_FLAGS] & (TCP_FIN | TCP_SYN | TCP_RST | TCP_HAS_ACK | TCP_URG | TCP_CWR)) ==
		       TCP_HAS_ACK;
}

/* Whether cutting a super-packet gives P the checksums that it has.  A packet damaged on its way
 * must not become whole; 0xffff, which nobody computes but for UDP, would come out as 0. */
static bool is_intact(const struct part *p)
{
	const uint8_t *ip = p->ip, *l4 = ip + p->l4;
	size_t len = p->len - p->l4;
	if (p->l4 == IPV4_HEADER && (inet_csum_fold(inet_csum_add(0, ip, IPV4_HEADER)) != 0xffff ||
				     get_be16(ip + IPV4_CSUM) == 0xffff))
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
	if (p->l4 == IPV4_HEADER)
		return memcmp(q->ip + IPV4_SRC, p->ip + IPV4_SRC,
			      IPV4_HEADER - IPV4_SRC + PORTS_LEN) == 0;
	return memcmp(q->ip + IPV6_SRC, p->ip + IPV6_SRC, IPV6_HEADER - IPV6_SRC + PORTS_LEN) == 0;
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
	unsigned step = (uint16_t)(get_be16(p->ip + IPV4_ID) - get_be16(f->first.ip + IPV4_ID));
	if (f->n > 1)
		return step == f->n * f->id_step;
	return step == 1 || (step == 0 && get_be16(p->ip + IPV4_FRAG) & IPV4_DF);
}

/* Whether the IP headers differ in nothing but what cutting sets. */
static bool ip_fits(const struct flow *f, const struct part *p)
{
	const uint8_t *a = f->first.ip, *b = p->ip;
	if (p->l4 == IPV4_HEADER)
		return a[IPV4_TOS] == b[IPV4_TOS] && a[IPV4_TTL] == b[IPV4_TTL] &&
		       a[IPV4_FRAG] == b[IPV4_FRAG] && id_follows(f, p);
	/* The first word: traffic class and flow label. */
	return memcmp(a, b, IPV6_PAYLOAD) == 0 && a[IPV6_HOPS] == b[IPV6_HOPS];
}

/* The same for TCP. */
static bool tcp_fits(const struct flow *f, const struct part *p)
{
	const uint8_t *a = f->first.ip + p->l4, *b = p->ip + p->l4;
	return get_be32(b + TCP_SEQ) == f->seq && memcmp(a + TCP_ACK, b + TCP_ACK, 4) == 0 &&
	       a[TCP_OFFSET] == b[TCP_OFFSET] && ((a[TCP_FLAGS] ^ b[TCP_FLAGS]) & ~TCP_PSH) == 0 &&
	       memcmp(a + TCP_WINDOW, b + TCP_WINDOW, 2) == 0 &&
	       memcmp(a + TCP_URGENT, b + TCP_URGENT, 2) == 0 &&
	       memcmp(a + TCP_HEADER, b + TCP_HEADER, p->hl - p->l4 - TCP_HEADER) == 0;
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
	return p->proto == IPPROTO_TCP ? p->ip[p->l4 + TCP_FLAGS] & TCP_PSH : 0;
}

/* Adds P, which fits.  Returns whether nothing may follow it: pushed data ought to be on its way,
 * and only the last may be shorter. */
static bool append(struct flow *f, const struct part *p)
{
	size_t len = p->len - p->hl;
	if (f->n == 1)
		f->id_step =
			(uint16_t)(get_be16(p->ip + IPV4_ID) - get_be16(f->first.ip + IPV4_ID));
	f->iov[2 + f->n++] = part_of(p->ip + p->hl, len);
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
	f->iov[2] = part_of(p->ip + p->hl, f->total);
}

/* Writes the flows between the addresses of PKT, whose own flow cannot be told: a fragment, say. */
static void let_pair_go(struct gro *g, const uint8_t *pkt, size_t len)
{
	unsigned l4 = len && pkt[0] >> 4 == 6 ? IPV6_HEADER : IPV4_HEADER;
	unsigned addr = l4 == IPV6_HEADER ? IPV6_SRC : IPV4_SRC;
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

void gro_put(struct gro *g, const uint8_t *pkt, size_t len)
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
