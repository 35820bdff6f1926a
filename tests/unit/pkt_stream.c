/* pkt_stream.c - what happens in a stream is one table, so that its shares are seen at once. */
#include "tests/unit/pkt_stream.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

/* What happens to a packet; the last, nothing, takes the other numbers up to ROLLS. */
enum event {
	SHORTER,
	SHORTER_AND_PUSHED,
	PUSHED,
	SENT_AGAIN,
	ONE_LOST_BEFORE,
	TOO_EARLY,
	PURE_ACK,
	ODD_FLAG,
	DF_CHANGES,
	ACKS_MORE,
	NEW_WINDOW,
	NEW_OPTIONS,
	MORE_OPTIONS,
	NEW_TOS,
	NEW_TTL,
	NEW_LABEL,
	ID_JUMPS,
	ID_BACK,
	NEW_SIZE,
	ODD_URGENT,
	ODD_RESERVED,
	NO_CHECKSUM,
	DAMAGED,
	FIRST_FRAGMENT,
	LATER_FRAGMENT,
	RESERVED_BIT,
	WITH_IP_OPTIONS,
	OTHER_PROTOCOL,
	NOTHING,
	ROLLS = 120,
};

static const uint16_t sizes[] = { 1, 3, 100, 536, 1348, 1400 };

/* splitmix64 */
static uint32_t any(struct pkt_stream *s)
{
	uint64_t z = s->seed += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)(z >> 32);
}

unsigned stream_roll(struct pkt_stream *s, unsigned n)
{
	unsigned v = 0;
	if (!s->data)
		return any(s) % n;
	for (unsigned most = n - 1; most && s->left; most >>= 8, s->left--)
		v = v << 8 | *s->data++;
	return v % n;
}

/* The flows, all between the addresses of tun_rig.h. */
static const struct kind {
	bool v6, udp, df, numbered;
} kinds[STREAM_FLOWS] = {
	{ false, false, true, true },  /* as Linux and Windows send TCP */
	{ false, false, true, false }, /* as the BSDs do */
	{ false, false, false, true }, { false, false, false, false },
	{ true, false, false, false }, { false, true, true, true },
	{ false, true, false, true },  { true, true, false, false },
	{ true, true, false, false }, /* a second one that differs in nothing but the port */
};

static void init_flow(struct pkt_stream *s, unsigned i)
{
	const struct kind *k = &kinds[i];
	s->flow[i] = (struct pkt_spec){ .v6 = k->v6,
					.udp = k->udp,
					.flow = (uint8_t)(4 * i),
					.ttl = 64,
					.id = (uint16_t)stream_roll(s, 65536),
					.frag = k->df ? 0x4000 : 0,
					.seq = stream_roll(s, 65536) << 16,
					.ack = 1,
					.flags = PKT_ACK,
					.window = 1000,
					.options = k->udp ? 0 : 12,
					.option_value = 1,
					.payload = sizes[stream_roll(s, 6)] };
}

void stream_init(struct pkt_stream *s, uint64_t seed, const uint8_t *data, size_t len)
{
	*s = (struct pkt_stream){ .seed = seed, .data = data, .left = len };
	for (unsigned i = 0; i < STREAM_FLOWS; i++)
		init_flow(s, i);
}

/* Changes that are for good, or odd flags for a while. */
static void change_flow(struct pkt_stream *s, struct pkt_spec *f, enum event e)
{
	switch (e) {
	case ONE_LOST_BEFORE:
		f->seq += f->payload;
		break;
	case ODD_FLAG:
		f->flags ^= (uint8_t)(1 << stream_roll(s, 8));
		break;
	case DF_CHANGES:
		f->frag ^= 0x4000;
		break;
	case ACKS_MORE:
		f->ack += 1 + stream_roll(s, 3000);
		break;
	case NEW_WINDOW:
		f->window--;
		break;
	case NEW_OPTIONS:
		f->option_value ^= 2;
		break;
	case MORE_OPTIONS:
		f->options = (uint8_t)(f->udp ? 0 : 4 * stream_roll(s, 11));
		break;
	case NEW_TOS:
		f->tos = (uint8_t)stream_roll(s, 4);
		break;
	case NEW_TTL:
		f->ttl ^= 1;
		break;
	case NEW_LABEL:
		f->label++;
		break;
	case ID_JUMPS:
		f->id += (uint16_t)(1 + stream_roll(s, 3));
		break;
	case ID_BACK: /* farther than the packet before, or it would have the same */
		f->id -= (uint16_t)(2 + stream_roll(s, 3));
		break;
	case NEW_SIZE:
		f->payload = sizes[stream_roll(s, 6)];
		break;
	default:
		break;
	}
}

/* Changes of the one packet P alone. */
static void change_packet(struct pkt_stream *s, struct pkt_spec *p, enum event e)
{
	switch (e) {
	case SHORTER:
	case SHORTER_AND_PUSHED:
		p->payload = (uint16_t)(1 + stream_roll(s, p->payload));
		p->flags |= e == SHORTER ? 0 : PKT_PSH;
		break;
	case PUSHED:
		p->flags |= PKT_PSH;
		break;
	case SENT_AGAIN:
		p->seq -= p->payload * (1 + stream_roll(s, 3));
		break;
	case TOO_EARLY:
		p->seq += p->payload;
		break;
	case PURE_ACK:
		p->payload = 0;
		break;
	case ODD_URGENT:
		p->urgent = 5;
		break;
	case ODD_RESERVED:
		p->reserved = (uint8_t)stream_roll(s, 16);
		break;
	case NO_CHECKSUM:
		p->no_csum = p->udp;
		break;
	default:
		break;
	}
}

/* Turns the packet into something whose flow cannot be told, or that is broken. */
static void change_bytes(struct pkt_stream *s, uint8_t *pkt, size_t len, enum event e)
{
	bool v6 = pkt[0] >> 4 == 6;
	size_t l4 = v6 ? 40 : 20;
	if (e == DAMAGED)
		pkt[l4 + 4 + stream_roll(s, (unsigned)(len - l4 - 4))] ^= 0x10;
	else if (e == OTHER_PROTOCOL)
		pkt[v6 ? 6 : 9] = 253; /* of experiments, RFC 3692 */
	else if (v6 && (e == FIRST_FRAGMENT || e == LATER_FRAGMENT))
		pkt[6] = IPPROTO_FRAGMENT;
	else if (e == FIRST_FRAGMENT)
		put_be16(pkt + 6, 0x2000);
	else if (e == LATER_FRAGMENT)
		put_be16(pkt + 6, 100);
	else if (!v6 && e == RESERVED_BIT)
		pkt[6] |= 0x80;
	else if (!v6 && e == WITH_IP_OPTIONS && len >= 24) {
		pkt[0] = 0x46;
		memset(pkt + 20, 1, 4);
		put_be16(pkt + 10, 0);
		pkt_finish_ipv4(pkt, 24);
		return;
	}
	if (!v6)
		pkt_finish_ipv4(pkt, 20);
}

size_t stream_next(struct pkt_stream *s, uint8_t *pkt)
{
	if (stream_roll(s, 4) == 0)
		s->current = stream_roll(s, STREAM_FLOWS);
	struct pkt_spec *f = &s->flow[s->current];
	if (f->flags != PKT_ACK && stream_roll(s, 3) == 0)
		f->flags = PKT_ACK;
	unsigned roll = stream_roll(s, ROLLS);
	enum event e = roll < NOTHING ? roll : NOTHING;
	change_flow(s, f, e);
	struct pkt_spec p = *f;
	change_packet(s, &p, e);
	size_t len = pkt_make(&p, pkt);
	change_bytes(s, pkt, len, e);
	if (p.seq == f->seq)
		f->seq += p.payload;
	if (kinds[s->current].numbered)
		f->id++;
	return len;
}

bool list_add(struct pkt_list *l, const uint8_t *pkt, size_t len)
{
	if (l->n == LIST_MOST || len > LIST_ROOM)
		return false;
	memcpy(l->pkt[l->n], pkt, len);
	l->len[l->n++] = len;
	return true;
}

static size_t addr_len(const uint8_t *pkt)
{
	return pkt[0] >> 4 == 6 ? 32 : 8;
}

static size_t addr_at(const uint8_t *pkt)
{
	return pkt[0] >> 4 == 6 ? 8 : 12;
}

/* Whether the header of TCP or UDP is where it usually is. */
static bool has_ports(const uint8_t *pkt, size_t len)
{
	bool v6 = pkt[0] >> 4 == 6;
	if (len < (v6 ? 48 : 28) || (!v6 && (pkt[0] != 0x45 || get_be16(pkt + 6) & 0xbfff)))
		return false;
	uint8_t proto = v6 ? pkt[6] : pkt[9];
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP;
}

/* Whether packets I and K may not pass each other. */
static bool must_keep_order(const struct pkt_list *l, unsigned i, unsigned k)
{
	const uint8_t *a = l->pkt[i], *b = l->pkt[k];
	size_t at = addr_at(a), n = addr_len(a);
	if (l->len[i] < at + n || l->len[k] < at + n || a[0] >> 4 != b[0] >> 4 ||
	    memcmp(a + at, b + at, n) != 0)
		return false;
	if (!has_ports(a, l->len[i]) || !has_ports(b, l->len[k]))
		return true;
	unsigned proto = n == 32 ? 6 : 9;
	return a[proto] == b[proto] && memcmp(a + at + n, b + at + n, 4) == 0;
}

/* Whether packet I has DF and an identification that others between its addresses have. */
static bool shares_id(const struct pkt_list *l, unsigned i)
{
	const uint8_t *a = l->pkt[i];
	if (l->len[i] < 20 || a[0] >> 4 != 4 || !(a[6] & 0x40))
		return false;
	for (unsigned k = 0; k < l->n; k++) {
		const uint8_t *b = l->pkt[k];
		if (k != i && l->len[k] >= 20 && must_keep_order(l, i, k) &&
		    memcmp(a + 4, b + 4, 2) == 0)
			return true;
	}
	return false;
}

/* Whether PKT is what packet I has become. */
static bool is_same(const struct pkt_list *in, unsigned i, const uint8_t *pkt, size_t len)
{
	uint8_t numbered[LIST_ROOM];
	if (in->len[i] != len)
		return false;
	if (memcmp(in->pkt[i], pkt, len) == 0)
		return true;
	if (!shares_id(in, i))
		return false;
	memcpy(numbered, in->pkt[i], len);
	memcpy(numbered + 4, pkt + 4, 2);
	pkt_finish_ipv4(numbered, 20);
	return memcmp(numbered, pkt, len) == 0;
}

void list_print(const char *what, const uint8_t *pkt, size_t len)
{
	fprintf(stderr, "%s, %zu bytes:", what, len);
	for (size_t i = 0; i < len && i < 80; i++)
		fprintf(stderr, "%s%02x", i % 4 ? "" : " ", pkt[i]);
	fprintf(stderr, "\n");
}

static bool complain(const char *what, const uint8_t *pkt, size_t len)
{
	list_print(what, pkt, len);
	return false;
}

bool list_came_through(const struct pkt_list *in, const struct pkt_list *out)
{
	bool taken[LIST_MOST] = { false };
	for (unsigned k = 0; k < out->n; k++) {
		unsigned i = 0;
		while (i < in->n && (taken[i] || !is_same(in, i, out->pkt[k], out->len[k])))
			i++;
		if (i == in->n)
			return complain("nobody sent this", out->pkt[k], out->len[k]);
		taken[i] = true;
		for (unsigned before = 0; before < i; before++)
			if (!taken[before] && must_keep_order(in, before, i))
				return complain("this overtook another", in->pkt[i], in->len[i]);
	}
	for (unsigned i = 0; i < in->n; i++)
		if (!taken[i])
			return complain("this was lost", in->pkt[i], in->len[i]);
	return true;
}
