/* test_path_gro.c - which packets become one super-packet and which never do, and that cutting it
 * gives them back.  datapath.md 5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "tests/unit/pkt_help.h"
#include "worker/path/gro.h"

enum { MOST = 256, ROOM = 2048 };

/* What went in, what was written, what came out of that when it was cut. */
struct bench {
	struct gro *gro;
	uint8_t in[MOST][ROOM], out[MOST][ROOM];
	size_t in_len[MOST], out_len[MOST];
	unsigned n_in, n_out, writes;
	unsigned parts[MOST]; /* packets in each write */
	size_t len[MOST];     /* and its bytes */
	bool taken[MOST];     /* for those that look for their like */
	enum err refuse;      /* what the kernel says to super-packets */
};

static void keep(void *arg, const uint8_t *pkt, size_t len)
{
	struct bench *b = arg;
	assert_true(b->n_out < MOST && len <= ROOM);
	memcpy(b->out[b->n_out], pkt, len);
	b->out_len[b->n_out++] = len;
}

static enum err on_write(void *arg, struct iovec *iov, int n, unsigned packets)
{
	struct bench *b = arg;
	struct virtio_net_hdr hdr;
	uint8_t whole[65536];
	size_t len = 0;
	unsigned before = b->n_out;
	assert_int_equal(iov[0].iov_len, sizeof hdr);
	memcpy(&hdr, iov[0].iov_base, sizeof hdr);
	assert_true(packets == 1 || hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE);
	if (packets > 1 && b->refuse)
		return b->refuse;
	for (int i = 1; i < n; i++) {
		assert_true(len + iov[i].iov_len <= sizeof whole);
		memcpy(whole + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	assert_true(pkt_cut(&hdr, whole, len, keep, b));
	assert_int_equal(b->n_out - before, packets);
	b->len[b->writes] = len;
	b->parts[b->writes++] = packets;
	return ERR_OK;
}

static struct bench *bench_new(bool uso)
{
	struct bench *b = talloc_zero(NULL, struct bench);
	assert_non_null(b);
	assert_int_equal(gro_new(b, uso, on_write, b, &b->gro), ERR_OK);
	return b;
}

/* Hands over a copy of LEN bytes; the memory is exactly as long, so that sanitizers see more. */
static void put_bytes(struct bench *b, const uint8_t *pkt, size_t len)
{
	assert_true(b->n_in < MOST && len <= ROOM);
	memcpy(b->in[b->n_in], pkt, len);
	b->in_len[b->n_in++] = len;
	gro_put(b->gro, talloc_memdup(b, pkt, len), len);
}

static void put(struct bench *b, const struct pkt_spec *spec)
{
	uint8_t pkt[ROOM];
	put_bytes(b, pkt, pkt_make(spec, pkt));
}

/* A packet of a flow, and what the next one looks like. */
static struct pkt_spec tcp4(void)
{
	return (struct pkt_spec){ .ttl = 64,
				  .id = 65533, /* wraps within the tests */
				  .frag = 0x4000,
				  .seq = 0xfffff000,
				  .ack = 77,
				  .flags = PKT_ACK,
				  .window = 500,
				  .options = 12,
				  .option_value = 1,
				  .payload = 1000 };
}

static struct pkt_spec tcp6(void)
{
	struct pkt_spec s = tcp4();
	s.v6 = true;
	s.label = 0x12345;
	return s;
}

static struct pkt_spec udp4(void)
{
	struct pkt_spec s = tcp4();
	s.udp = true;
	s.options = 0;
	return s;
}

static struct pkt_spec udp6(void)
{
	struct pkt_spec s = tcp6();
	s.udp = true;
	s.options = 0;
	return s;
}

static void advance(struct pkt_spec *s)
{
	s->seq += s->payload;
	s->id++;
}

static void put_next(struct bench *b, struct pkt_spec *s)
{
	put(b, s);
	advance(s);
}

/* Flushes, and finds every packet that was put in, in this order. */
static void came_out_in_order(struct bench *b)
{
	gro_flush(b->gro);
	assert_int_equal(b->n_out, b->n_in);
	for (unsigned i = 0; i < b->n_in; i++) {
		assert_int_equal(b->out_len[i], b->in_len[i]);
		assert_memory_equal(b->out[i], b->in[i], b->in_len[i]);
	}
}

/* The writes were of A, B, C ... packets, until 0. */
static void writes_were(struct bench *b, const unsigned *parts)
{
	unsigned n = 0;
	for (; parts[n]; n++)
		assert_int_equal(b->parts[n], parts[n]);
	assert_int_equal(b->writes, n);
}

#define WRITES(b, ...) writes_were(b, (const unsigned[]){ __VA_ARGS__, 0 })

/* Three of a flow in a row become one, of each family and protocol. */
static void consecutive_packets_become_one(void **state)
{
	struct pkt_spec kinds[] = { tcp4(), tcp6(), udp4(), udp6() };
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct bench *b = bench_new(true);
		for (unsigned k = 0; k < 5; k++)
			put_next(b, &kinds[i]);
		assert_int_equal(b->writes, 0);
		came_out_in_order(b);
		WRITES(b, 5);
		talloc_free(b);
	}
}

static void nothing_is_held_after_a_flush(void **state)
{
	struct pkt_spec s = tcp4();
	struct bench *b = bench_new(true);
	(void)state;
	put_next(b, &s);
	gro_flush(b->gro);
	gro_flush(b->gro);
	put_next(b, &s);
	came_out_in_order(b);
	WRITES(b, 1, 1);
	talloc_free(b);
}

static void packets_of_one_byte_become_one(void **state)
{
	struct pkt_spec s = tcp4();
	struct bench *b = bench_new(true);
	(void)state;
	s.payload = 1;
	for (unsigned k = 0; k < 3; k++)
		put_next(b, &s);
	came_out_in_order(b);
	WRITES(b, 3);
	talloc_free(b);
}

static void a_shorter_packet_is_the_last(void **state)
{
	struct pkt_spec kinds[] = { tcp4(), tcp6(), udp4(), udp6() };
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct pkt_spec *s = &kinds[i];
		struct bench *b = bench_new(true);
		put_next(b, s);
		s->payload = 999;
		put_next(b, s);
		assert_int_equal(b->writes, 1); /* nothing can follow, so it does not wait */
		put_next(b, s);
		put_next(b, s);
		s->payload = 1000; /* a longer one does not fit behind */
		put_next(b, s);
		came_out_in_order(b);
		WRITES(b, 2, 2, 1);
		talloc_free(b);
	}
}

static void push_ends_a_super_packet_and_stays_on_the_last(void **state)
{
	struct pkt_spec s = tcp4();
	struct bench *b = bench_new(true);
	(void)state;
	put_next(b, &s);
	put_next(b, &s);
	s.flags |= PKT_PSH;
	put_next(b, &s);
	WRITES(b, 3);
	put_next(b, &s); /* pushed at once: written at once */
	WRITES(b, 3, 1);
	s.flags = PKT_ACK;
	put_next(b, &s);
	came_out_in_order(b);
	WRITES(b, 3, 1, 1);
	talloc_free(b);
}

static void at_most_64_packets_are_one(void **state)
{
	struct pkt_spec kinds[] = { tcp4(), udp6() };
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct bench *b = bench_new(true);
		kinds[i].payload = 100;
		for (unsigned k = 0; k < 130; k++)
			put_next(b, &kinds[i]);
		came_out_in_order(b);
		WRITES(b, 64, 64, 2);
		talloc_free(b);
	}
}

/* 65,504 bytes are the limit: 45 packets of 1448 fill it in IPv4. */
static void a_super_packet_fits_a_link_header_below_64_kib(void **state)
{
	struct pkt_spec s = tcp4();
	struct bench *b = bench_new(true);
	(void)state;
	s.payload = 1448;
	for (unsigned k = 0; k < 100; k++)
		put_next(b, &s);
	came_out_in_order(b);
	WRITES(b, 45, 45, 10);
	assert_int_equal(b->len[0], 20 + 32 + 45 * 1448);
	talloc_free(b);
	b = bench_new(true);
	s.payload = (65504 - 52) / 64 + 1; /* 64 of them would be 65,524 bytes */
	for (unsigned k = 0; k < 64; k++)
		put_next(b, &s);
	came_out_in_order(b);
	WRITES(b, 63, 1);
	talloc_free(b);
}

/* Differences of the second packet that keep it apart from the first. */
enum difference {
	SEQ_AHEAD,
	SEQ_AGAIN,
	SEQ_BACK,
	ACKS_MORE,
	OTHER_WINDOW,
	OTHER_OPTIONS,
	FEWER_OPTIONS,
	OTHER_URGENT,
	OTHER_RESERVED,
	OTHER_TOS,
	OTHER_TTL,
	OTHER_LABEL,
	NO_DF,
	ID_JUMPS,
	ID_BACK,
	HAS_FIN,
	HAS_SYN,
	HAS_RST,
	HAS_URG,
	HAS_CWR,
	HAS_ECE,
	LACKS_ACK,
	LONGER,
	EMPTY,
	DIFFERENCES
};

static void differ(struct pkt_spec *s, enum difference d)
{
	static const uint8_t flag[] = { PKT_FIN, PKT_SYN, PKT_RST, PKT_URG, PKT_CWR, PKT_ECE };
	switch (d) {
	case SEQ_AHEAD:
		s->seq++;
		break;
	case SEQ_AGAIN:
		s->seq -= s->payload;
		break;
	case SEQ_BACK:
		s->seq--;
		break;
	case ACKS_MORE:
		s->ack++;
		break;
	case OTHER_WINDOW:
		s->window--;
		break;
	case OTHER_OPTIONS:
		s->option_value = 3;
		break;
	case FEWER_OPTIONS:
		s->options -= 4;
		break;
	case OTHER_URGENT:
		s->urgent = 1;
		break;
	case OTHER_RESERVED:
		s->reserved = 1; /* AE of accurate ECN */
		break;
	case OTHER_TOS:
		s->tos = 3; /* congestion was met */
		break;
	case OTHER_TTL:
		s->ttl--;
		break;
	case OTHER_LABEL:
		s->label++;
		break;
	case NO_DF:
		s->frag = 0;
		break;
	case ID_JUMPS:
		s->id++;
		break;
	case ID_BACK:
		s->id -= 2;
		break;
	case HAS_FIN:
	case HAS_SYN:
	case HAS_RST:
	case HAS_URG:
	case HAS_CWR:
	case HAS_ECE:
		s->flags |= flag[d - HAS_FIN];
		break;
	case LACKS_ACK:
		s->flags = 0;
		break;
	case LONGER:
		s->payload++;
		break;
	case EMPTY:
		s->payload = 0;
		break;
	case DIFFERENCES:
		break;
	}
}

/* Whether D does not show in such a packet. */
static bool is_moot(const struct pkt_spec *s, enum difference d)
{
	bool of_ipv4 = d == NO_DF || d == ID_JUMPS || d == ID_BACK;
	bool of_ip = of_ipv4 || d == OTHER_TOS || d == OTHER_TTL || d == OTHER_LABEL ||
		     d == LONGER || d == EMPTY;
	return (s->v6 ? of_ipv4 : d == OTHER_LABEL) || (s->udp && !of_ip);
}

static void what_differs_is_kept_apart_and_in_order(void **state)
{
	struct pkt_spec kinds[] = { tcp4(), tcp6(), udp4(), udp6() };
	(void)state;
	for (unsigned i = 0; i < 4 * DIFFERENCES; i++) {
		struct pkt_spec s = kinds[i / DIFFERENCES], odd;
		if (is_moot(&s, i % DIFFERENCES))
			continue;
		struct bench *b = bench_new(true);
		put_next(b, &s);
		put_next(b, &s);
		odd = s;
		differ(&odd, i % DIFFERENCES);
		put_next(b, &odd);
		s.id = odd.id;
		put_next(b, &s);
		put_next(b, &s);
		came_out_in_order(b);
		if (b->parts[0] != 2)
			fail_msg("kind %u, difference %u", i / DIFFERENCES, i % DIFFERENCES);
		talloc_free(b);
	}
}

/* Flags that no super-packet may have, not even when all its packets have them. */
static void packets_with_these_flags_stay_single(void **state)
{
	static const uint8_t flags[] = { PKT_FIN | PKT_ACK, PKT_SYN | PKT_ACK, PKT_RST | PKT_ACK,
					 PKT_URG | PKT_ACK, PKT_CWR | PKT_ACK, 0,
					 PKT_PSH | PKT_ACK };
	(void)state;
	for (unsigned i = 0; i < sizeof flags; i++) {
		struct pkt_spec s = tcp4();
		struct bench *b = bench_new(true);
		s.flags = flags[i];
		put_next(b, &s);
		put_next(b, &s);
		came_out_in_order(b);
		WRITES(b, 1, 1);
		talloc_free(b);
	}
}

static void echoed_congestion_on_all_is_merged(void **state)
{
	struct pkt_spec s = tcp4();
	struct bench *b = bench_new(true);
	(void)state;
	s.flags |= PKT_ECE;
	s.tos = 2;
	put_next(b, &s);
	put_next(b, &s);
	came_out_in_order(b);
	WRITES(b, 2);
	talloc_free(b);
}

static void pure_acks_are_written_at_once_behind_the_data(void **state)
{
	struct pkt_spec s = tcp4(), other = tcp4();
	struct bench *b = bench_new(true);
	(void)state;
	other.flow = 1;
	other.payload = 0;
	put_next(b, &s);
	put_next(b, &s);
	put_next(b, &other); /* of another flow: disturbs nothing */
	WRITES(b, 1);
	put_next(b, &s);
	s.payload = 0;
	put_next(b, &s);
	WRITES(b, 1, 3, 1);
	gro_flush(b->gro);
	assert_int_equal(b->n_out, b->n_in);
	assert_memory_equal(b->out[4], b->in[4], b->in_len[4]);
	talloc_free(b);
}

/* Identifications: of packets that may be fragmented they matter. */
static void without_df_ids_must_run_on_by_one(void **state)
{
	struct pkt_spec s = tcp4();
	struct bench *b = bench_new(true);
	(void)state;
	s.frag = 0;
	put_next(b, &s);
	s.id--; /* the same again */
	put_next(b, &s);
	put_next(b, &s);
	s.id++;
	put_next(b, &s);
	came_out_in_order(b);
	WRITES(b, 1, 2, 1);
	talloc_free(b);
}

/* Many systems number packets with DF all 0.  RFC 6864 4.1: nobody may look at it. */
static void with_df_the_id_may_stay_the_same(void **state)
{
	struct pkt_spec s = tcp4();
	struct bench *b = bench_new(true);
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		s.id = 0;
		put_next(b, &s);
	}
	s.id = 3; /* would follow 2, 1, 0, but the others did not run on */
	put_next(b, &s);
	gro_flush(b->gro);
	WRITES(b, 4, 1);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(get_be16(b->out[i] + 4), i);
		put_be16(b->out[i] + 4, 0);
		pkt_finish(b->out[i], b->out_len[i], 20);
		assert_memory_equal(b->out[i], b->in[i], b->in_len[i]);
	}
	talloc_free(b);
}

static void ids_that_ran_on_may_not_stand_still(void **state)
{
	struct pkt_spec s = tcp4();
	struct bench *b = bench_new(true);
	(void)state;
	put_next(b, &s);
	put_next(b, &s);
	s.id -= 2; /* that of the first */
	put_next(b, &s);
	came_out_in_order(b);
	WRITES(b, 2, 1);
	talloc_free(b);
}

/* Damages a byte of the packet at OFF. */
static void put_damaged(struct bench *b, struct pkt_spec *s, size_t off)
{
	uint8_t pkt[ROOM];
	size_t len = pkt_make(s, pkt);
	pkt[off] ^= 1;
	put_bytes(b, pkt, len);
	advance(s);
}

static void damaged_packets_stay_alone_and_damaged(void **state)
{
	/* Payload, its last byte, TCP checksum, identification under the IPv4 checksum. */
	static const size_t v4[] = { 60, 1051, 36, 10 }, v6[] = { 80, 1071, 56, 72 };
	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		struct pkt_spec s = i < 4 ? tcp4() : tcp6();
		struct bench *b = bench_new(true);
		size_t off = i < 4 ? v4[i] : v6[i - 4];
		put_damaged(b, &s, off);
		put_next(b, &s);
		put_next(b, &s);
		put_damaged(b, &s, off);
		put_next(b, &s);
		put_next(b, &s);
		came_out_in_order(b);
		WRITES(b, 1, 2, 1, 2);
		talloc_free(b);
	}
}

/* Adds the checksum at FIELD to the two bytes at SPARE: 0 and 0xffff are right then. */
static void move_sum(uint8_t *pkt, size_t field, size_t spare)
{
	unsigned v = get_be16(pkt + spare) + get_be16(pkt + field);
	put_be16(pkt + spare, (v & 0xffff) + (v >> 16));
}

/* The sum says nothing about 0 and 0xffff, so both are right; cutting makes the usual one of it. */
static void unusual_forms_of_a_right_checksum_stay_alone(void **state)
{
	(void)state;
	for (unsigned in_ip = 0; in_ip < 2; in_ip++) {
		struct pkt_spec s = tcp4();
		struct bench *b = bench_new(true);
		uint8_t pkt[ROOM];
		size_t len = 0, field = in_ip ? 10 : 36;
		for (unsigned k = 0; k < 2; k++, advance(&s)) {
			put(b, &s);
			advance(&s);
			len = pkt_make(&s, pkt);
			move_sum(pkt, field, in_ip ? 4 : len - 2);
			put_be16(pkt + field, 0xffff);
			put_bytes(b, pkt, len);
			if (in_ip)
				s.id = get_be16(pkt + 4);
		}
		came_out_in_order(b);
		WRITES(b, 1, 1, 1, 1);
		talloc_free(b);
	}
}

static void udp_is_merged_only_where_the_kernel_can(void **state)
{
	struct pkt_spec s = udp4();
	struct bench *b = bench_new(false);
	(void)state;
	put_next(b, &s);
	put_next(b, &s);
	WRITES(b, 1, 1);
	came_out_in_order(b);
	talloc_free(b);
}

static void udp_without_checksum_stays_single_and_in_order(void **state)
{
	struct pkt_spec s = udp4();
	struct bench *b = bench_new(true);
	(void)state;
	put_next(b, &s);
	put_next(b, &s);
	s.no_csum = true;
	put_next(b, &s);
	put_next(b, &s);
	s.no_csum = false;
	put_next(b, &s);
	came_out_in_order(b);
	WRITES(b, 2, 1, 1, 1);
	talloc_free(b);
}

/* 0 is no checksum even where it would be a right one. */
static void udp_without_checksum_is_not_given_one(void **state)
{
	struct pkt_spec s = udp4();
	struct bench *b = bench_new(true);
	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		uint8_t pkt[ROOM];
		size_t len = pkt_make(&s, pkt);
		move_sum(pkt, 26, len - 2);
		put_be16(pkt + 26, 0);
		put_bytes(b, pkt, len);
		advance(&s);
	}
	came_out_in_order(b);
	WRITES(b, 1, 1);
	talloc_free(b);
}

static void a_udp_length_that_lies_keeps_it_single(void **state)
{
	struct pkt_spec s = udp4();
	struct bench *b = bench_new(true);
	(void)state;
	for (unsigned k = 0; k < 3; k++) {
		uint8_t pkt[ROOM];
		size_t len = pkt_make(&s, pkt);
		put_be16(pkt + 24, 500);
		pkt_finish(pkt, len, 20);
		put_bytes(b, pkt, len);
		advance(&s);
	}
	came_out_in_order(b);
	WRITES(b, 1, 1, 1);
	talloc_free(b);
}

/* What can be done to a packet so that its flow cannot be told. */
enum disguise {
	FIRST_FRAGMENT,
	LATER_FRAGMENT,
	RESERVED_BIT,
	IP_OPTIONS,
	TRAILING,
	TRUNCATED,
	GRE
};

static size_t disguise(uint8_t *pkt, size_t len, enum disguise how)
{
	switch (how) {
	case FIRST_FRAGMENT:
		put_be16(pkt + 6, 0x2000);
		break;
	case LATER_FRAGMENT:
		put_be16(pkt + 6, 100);
		break;
	case RESERVED_BIT:
		put_be16(pkt + 6, 0xc000);
		break;
	case IP_OPTIONS:
		pkt[0] = 0x46;
		break;
	case TRAILING:
		return len + 1;
	case TRUNCATED:
		return len - 1;
	case GRE:
		pkt[9] = 47;
		break;
	}
	pkt_finish(pkt, len, 20);
	return len;
}

static void what_hides_its_flow_stays_behind_what_went_before(void **state)
{
	(void)state;
	for (enum disguise how = FIRST_FRAGMENT; how <= GRE; how++) {
		struct pkt_spec s = tcp4(), far = tcp4();
		struct bench *b = bench_new(true);
		uint8_t pkt[ROOM] = { 0 };
		far.flow = 1; /* other addresses */
		put_next(b, &s);
		put_next(b, &s);
		for (unsigned k = 0; k < 2; k++, advance(&s))
			put_bytes(b, pkt, disguise(pkt, pkt_make(&s, pkt), how));
		WRITES(b, 2, 1, 1);
		put_next(b, &far); /* is not disturbed by them */
		put_bytes(b, pkt, disguise(pkt, pkt_make(&s, pkt), how));
		put_next(b, &far);
		gro_flush(b->gro);
		WRITES(b, 2, 1, 1, 1, 2);
		for (unsigned i = 0; i < 4; i++)
			assert_memory_equal(b->out[i], b->in[i], b->in_len[i]);
		talloc_free(b);
	}
}

static void extension_headers_stay_behind_what_went_before(void **state)
{
	struct pkt_spec s = tcp6();
	struct bench *b = bench_new(true);
	uint8_t pkt[ROOM];
	(void)state;
	put_next(b, &s);
	put_next(b, &s);
	for (unsigned k = 0; k < 2; k++) {
		size_t len = pkt_make(&s, pkt);
		pkt[6] = 44; /* a fragment header */
		put_bytes(b, pkt, len);
		advance(&s);
	}
	put_next(b, &s);
	came_out_in_order(b);
	WRITES(b, 2, 1, 1, 1);
	talloc_free(b);
}

static void an_ipv6_length_that_lies_keeps_it_single(void **state)
{
	struct pkt_spec s = tcp6();
	struct bench *b = bench_new(true);
	uint8_t pkt[ROOM];
	(void)state;
	for (unsigned k = 0; k < 4; k++) {
		size_t len = pkt_make(&s, pkt);
		put_be16(pkt + 4, (unsigned)len - 40 - 1 + k / 2 * 2);
		put_bytes(b, pkt, len);
		advance(&s);
	}
	came_out_in_order(b);
	WRITES(b, 1, 1, 1, 1);
	talloc_free(b);
}

/* Nonsense must pass as it is: the kernel knows what to do with it. */
static void short_and_strange_packets_pass_singly(void **state)
{
	struct pkt_spec kinds[] = { tcp4(), tcp6(), udp4(), udp6() };
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct bench *b = bench_new(true);
		uint8_t pkt[ROOM];
		(void)pkt_make(&kinds[i], pkt);
		for (size_t len = 1; len < 110; len++) {
			if (kinds[i].v6 && len >= 40)
				put_be16(pkt + 4, (unsigned)len - 40);
			else if (!kinds[i].v6)
				put_be16(pkt + 2, (unsigned)len);
			put_bytes(b, pkt, len);
		}
		came_out_in_order(b);
		assert_int_equal(b->writes, 109);
		talloc_free(b);
	}
}

static void a_data_offset_that_lies_keeps_it_single(void **state)
{
	static const uint8_t offset[] = { 0x00, 0x40, 0xf0 };
	(void)state;
	for (unsigned i = 0; i < sizeof offset; i++) {
		struct pkt_spec s = tcp4();
		struct bench *b = bench_new(true);
		s.payload = 20;
		for (unsigned k = 0; k < 2; k++) {
			uint8_t pkt[ROOM];
			size_t len = pkt_make(&s, pkt);
			pkt[32] = offset[i];
			pkt_finish(pkt, len, 20);
			put_bytes(b, pkt, len);
			s.seq += (uint32_t)len - 20 - offset[i] / 4; /* as if it were true */
			s.id++;
		}
		came_out_in_order(b);
		WRITES(b, 1, 1);
		talloc_free(b);
	}
}

/* Eight flows in turns, then a ninth. */
static void eight_flows_are_held_and_the_oldest_leaves(void **state)
{
	struct pkt_spec s[9];
	struct bench *b = bench_new(true);
	(void)state;
	for (unsigned i = 0; i < 9; i++) {
		s[i] = i % 2 ? tcp6() : tcp4();
		s[i].flow = (uint8_t)i;
	}
	for (unsigned k = 0; k < 3; k++) {
		for (unsigned i = 0; i < 8; i++)
			put_next(b, &s[i]);
	}
	assert_int_equal(b->writes, 0);
	put_next(b, &s[8]);
	WRITES(b, 3);
	assert_memory_equal(b->out[0], b->in[0], b->in_len[0]);
	put_next(b, &s[1]);
	put_next(b, &s[8]);
	gro_flush(b->gro);
	WRITES(b, 3, 4, 3, 3, 3, 3, 3, 3, 2);
	talloc_free(b);
}

/* The same ports between other addresses, the same addresses with other ports, another protocol
 * with the same numbers: all are other flows. */
static void flows_are_told_apart_by_all_five(void **state)
{
	struct pkt_spec s = tcp4();
	struct bench *b = bench_new(true);
	static const size_t off[] = { 15, 12, 19, 16, 21, 23 };
	uint8_t pkt[ROOM];
	(void)state;
	put_next(b, &s);
	for (unsigned i = 0; i < 6; i++) {
		size_t len = pkt_make(&s, pkt);
		pkt[off[i]] ^= 0x40;
		pkt_finish(pkt, len, 20);
		put_bytes(b, pkt, len);
	}
	struct pkt_spec u = udp4();
	put_next(b, &u);
	put_next(b, &s);
	put_next(b, &u);
	assert_int_equal(b->writes, 0);
	gro_flush(b->gro);
	WRITES(b, 2, 1, 1, 1, 1, 1, 1, 2);
	talloc_free(b);
}

static void a_refused_super_packet_goes_singly_and_none_follows(void **state)
{
	struct pkt_spec s = tcp4(), t = udp6();
	struct bench *b = bench_new(true);
	(void)state;
	b->refuse = ERR_UNSUPPORTED;
	t.flow = 1;
	for (unsigned k = 0; k < 3; k++)
		put_next(b, &s);
	s.flags |= PKT_PSH;
	put_next(b, &s);
	WRITES(b, 1, 1, 1, 1);
	s.flags = PKT_ACK;
	put_next(b, &s);
	put_next(b, &s);
	put_next(b, &t);
	WRITES(b, 1, 1, 1, 1, 1, 1, 1); /* nothing is held any more */
	came_out_in_order(b);
	talloc_free(b);
}

static void what_is_lost_is_not_written_again(void **state)
{
	struct pkt_spec s = tcp4();
	struct bench *b = bench_new(true);
	(void)state;
	b->refuse = ERR_SYS;
	put_next(b, &s);
	put_next(b, &s);
	gro_flush(b->gro);
	assert_int_equal(b->writes, 0);
	b->refuse = ERR_OK;
	put_next(b, &s);
	put_next(b, &s);
	gro_flush(b->gro);
	WRITES(b, 2);
	talloc_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(consecutive_packets_become_one),
		cmocka_unit_test(nothing_is_held_after_a_flush),
		cmocka_unit_test(packets_of_one_byte_become_one),
		cmocka_unit_test(a_shorter_packet_is_the_last),
		cmocka_unit_test(push_ends_a_super_packet_and_stays_on_the_last),
		cmocka_unit_test(at_most_64_packets_are_one),
		cmocka_unit_test(a_super_packet_fits_a_link_header_below_64_kib),
		cmocka_unit_test(what_differs_is_kept_apart_and_in_order),
		cmocka_unit_test(packets_with_these_flags_stay_single),
		cmocka_unit_test(echoed_congestion_on_all_is_merged),
		cmocka_unit_test(pure_acks_are_written_at_once_behind_the_data),
		cmocka_unit_test(without_df_ids_must_run_on_by_one),
		cmocka_unit_test(with_df_the_id_may_stay_the_same),
		cmocka_unit_test(ids_that_ran_on_may_not_stand_still),
		cmocka_unit_test(damaged_packets_stay_alone_and_damaged),
		cmocka_unit_test(unusual_forms_of_a_right_checksum_stay_alone),
		cmocka_unit_test(udp_is_merged_only_where_the_kernel_can),
		cmocka_unit_test(udp_without_checksum_stays_single_and_in_order),
		cmocka_unit_test(udp_without_checksum_is_not_given_one),
		cmocka_unit_test(a_udp_length_that_lies_keeps_it_single),
		cmocka_unit_test(what_hides_its_flow_stays_behind_what_went_before),
		cmocka_unit_test(extension_headers_stay_behind_what_went_before),
		cmocka_unit_test(an_ipv6_length_that_lies_keeps_it_single),
		cmocka_unit_test(short_and_strange_packets_pass_singly),
		cmocka_unit_test(a_data_offset_that_lies_keeps_it_single),
		cmocka_unit_test(eight_flows_are_held_and_the_oldest_leaves),
		cmocka_unit_test(flows_are_told_apart_by_all_five),
		cmocka_unit_test(a_refused_super_packet_goes_singly_and_none_follows),
		cmocka_unit_test(what_is_lost_is_not_written_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
