/* test_path_gso_kernel.c - random super-packets, cut by us and by the kernel: every byte must be
 * the same (needs root). */
#include "worker/path/gso.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "tests/unit/tun_rig.h"
#include "wire/inet_csum.h"

enum {
	CASES = 1500,
	SEED = 20261123,
	PACKET = 65535,
	HEADERS = 256,
	TRAILING = 64, /* most bytes behind the IP packet */
	WAIT = 5000,   /* ms for a piece of the kernel's */
};

/* A super-packet being made.  L4 is where its TCP or UDP header begins. */
struct super {
	struct virtio_net_hdr hdr;
	uint8_t room[GSO_HEADROOM];
	uint8_t pkt[PACKET + TRAILING];
	size_t len, l4;
	bool v6, udp;
	uint64_t random;
};

static struct tun_rig rig;

/* splitmix64: each case has its own row of numbers, so that it can be run again alone. */
static uint32_t any(struct super *s)
{
	uint64_t z = s->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)(z >> 32);
}

static uint32_t below(struct super *s, uint32_t n)
{
	return any(s) % n;
}

static void add_any(struct super *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s->pkt[s->len++] = (uint8_t)any(s);
}

/* An option of IPv4 that no router knows, between no-operations. */
static void add_ipv4_options(struct super *s)
{
	size_t n = 4 * (size_t)below(s, 11);
	uint8_t *options = s->pkt + s->len;

	memset(options, 1, n);
	if (n >= 8) {
		options[1] = 0x5e;
		options[2] = (uint8_t)(2 + below(s, (uint32_t)n - 4));
	}
	s->len += n;
	s->pkt[0] = (uint8_t)(0x40 | s->len / 4);
}

static void begin_ipv4(struct super *s)
{
	s->len = 20;
	s->pkt[1] = (uint8_t)any(s);
	put_be16(s->pkt + 4, any(s));
	s->pkt[6] = below(s, 2) ? 0x40 : 0;
	s->pkt[8] = (uint8_t)(2 + below(s, 254));
	s->pkt[9] = s->udp ? IPPROTO_UDP : IPPROTO_TCP;
	memcpy(s->pkt + 12, TUN_RIG_SRC4, 4);
	memcpy(s->pkt + 16, TUN_RIG_DST4, 4);
	if (!below(s, 3))
		add_ipv4_options(s);
	else
		s->pkt[0] = 0x45;
}

/* An extension header of one kind, if chance wants it; NEXT is the field that shall name it. */
static uint8_t *add_extension(struct super *s, uint8_t kind, uint8_t *next)
{
	size_t n = 8 * (size_t)(1 + below(s, 4));
	uint8_t *ext = s->pkt + s->len;

	if (below(s, 4))
		return next;
	memset(ext, 0, n);
	ext[1] = (uint8_t)(n / 8 - 1);
	ext[2] = kind == IPPROTO_ROUTING ? 253 : 0x1e; /* of experiments, RFC 4727 */
	ext[3] = kind == IPPROTO_ROUTING ? 0 : (uint8_t)(n - 4);
	*next = kind;
	s->len += n;
	return ext;
}

static void begin_ipv6(struct super *s)
{
	uint8_t *next = s->pkt + 6;

	s->len = 40;
	put_be32(s->pkt, 6u << 28 | any(s) >> 4);
	s->pkt[7] = (uint8_t)(2 + below(s, 254));
	memcpy(s->pkt + 8, TUN_RIG_SRC6, 16);
	memcpy(s->pkt + 24, TUN_RIG_DST6, 16);
	next = add_extension(s, IPPROTO_HOPOPTS, next);
	next = add_extension(s, IPPROTO_DSTOPTS, next);
	next = add_extension(s, IPPROTO_ROUTING, next);
	*next = s->udp ? IPPROTO_UDP : IPPROTO_TCP;
}

/* The header of TCP or UDP with everything in it by chance, all flags, too. */
static void add_l4(struct super *s)
{
	uint8_t *l4 = s->pkt + s->len;
	size_t n = s->udp ? 8 : 4 * (size_t)(5 + below(s, 11));

	s->l4 = s->len;
	add_any(s, n);
	if (!s->udp)
		l4[12] = (uint8_t)(n / 4 << 4 | (l4[12] & 15));
	s->hdr.csum_start = (uint16_t)s->l4;
	s->hdr.csum_offset = s->udp ? 6 : 16;
}

/* Lengths and checksums of what is complete: the whole of IPv4's header, the pseudo-header's. */
static void finish(struct super *s)
{
	size_t l4_len = s->len - s->l4;

	if (s->udp)
		put_be16(s->pkt + s->l4 + 4, (unsigned)l4_len);
	inet_csum_store(s->pkt + s->l4 + s->hdr.csum_offset,
			inet_csum_fold(inet_csum_pseudo(s->pkt, s->udp ? IPPROTO_UDP : IPPROTO_TCP,
							l4_len)));
	if (s->v6) {
		put_be16(s->pkt + 4, (unsigned)s->len - 40);
	} else {
		put_be16(s->pkt + 2, (unsigned)s->len);
		inet_csum_ipv4(s->pkt, s->l4);
	}
	if (!below(s, 8))
		add_any(s, 1 + below(s, TRAILING));
	s->hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	s->hdr.hdr_len = (uint16_t)below(s, (uint32_t)s->len);
}

static void begin(struct super *s, unsigned n)
{
	s->random = SEED + n;
	memset(s->pkt, 0, HEADERS);
	s->hdr = (struct virtio_net_hdr){ 0 };
	s->v6 = below(s, 2);
	if (s->v6)
		begin_ipv6(s);
	else
		begin_ipv4(s);
	add_l4(s);
}

/* Sizes of every order, and payloads of two pieces and more. */
static void make_super(struct super *s, unsigned n)
{
	static const uint32_t most[] = { 8, 100, 1500, 1500, 9000, 40000 };
	uint32_t size, room, payload;

	begin(s, n);
	size = 1 + below(s, most[below(s, 6)]);
	room = PACKET - (uint32_t)s->len;
	if (size >= room)
		size = room / 2;
	payload = size + 1 + below(s, size < 9000 ? 60 * size : room);
	add_any(s, payload > room ? room : payload);
	s->hdr.gso_size = (uint16_t)size;
	s->hdr.gso_type = s->udp  ? VIRTIO_NET_HDR_GSO_UDP_L4
			  : s->v6 ? VIRTIO_NET_HDR_GSO_TCPV6
				  : VIRTIO_NET_HDR_GSO_TCPV4;
	if (!s->udp && (s->pkt[s->l4 + 13] & 0x80))
		s->hdr.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	finish(s);
}

static void give_to_kernel(const struct super *s, unsigned n)
{
	struct iovec iov[] = { { (void *)&s->hdr, sizeof s->hdr }, { (void *)s->pkt, s->len } };

	if (writev(rig.vnet, iov, 2) != (ssize_t)(sizeof s->hdr + s->len))
		fail_msg("case %u of seed %d: the kernel does not take it", n, SEED);
}

static void compare(unsigned n, unsigned piece, const uint8_t *ours, size_t len,
		    const uint8_t *theirs, size_t their_len)
{
	size_t i = 0;

	while (i < len && i < their_len && ours[i] == theirs[i])
		i++;
	if (len != their_len || i < len)
		fail_msg("case %u of seed %d, piece %u: %zu bytes, the kernel's %zu, differ at %zu",
			 n, SEED, piece, len, their_len, i);
}

/* Cuts S as the kernel has, and treats the pieces as badly as users may. */
static unsigned cut_and_compare(struct super *s, unsigned n)
{
	static uint8_t theirs[PACKET];
	static struct gso g;
	unsigned pieces = 0;
	uint8_t *pkt;
	size_t len;

	if (gso_begin(&g, &s->hdr, s->pkt, s->len))
		fail_msg("case %u of seed %d: refused", n, SEED);
	for (; gso_next(&g, &pkt, &len); pieces++) {
		compare(n, pieces, pkt, len, theirs,
			tun_rig_read(&rig, theirs, sizeof theirs, WAIT));
		memset(pkt - GSO_HEADROOM, 0xee, GSO_HEADROOM + len);
	}
	if (tun_rig_read(&rig, theirs, sizeof theirs, 0))
		fail_msg("case %u of seed %d: the kernel has made more pieces", n, SEED);
	return pieces;
}

static struct super super;

static void super_packets_of_tcp_are_cut_as_the_kernel_does(void **state)
{
	unsigned pieces = 0;

	(void)state;
	super.udp = false;
	for (unsigned n = 0; n < CASES; n++) {
		make_super(&super, n);
		give_to_kernel(&super, n);
		pieces += cut_and_compare(&super, n);
	}
	print_message("%u packets, %u pieces\n", CASES, pieces);
}

static void a_tcp_checksum_not_left_to_the_device_is_made_for_each_piece(void **state)
{
	(void)state;
	super.udp = false;
	for (unsigned n = 0; n < CASES / 5; n++) {
		make_super(&super, n);
		super.hdr.flags = 0;
		super.hdr.csum_start = super.hdr.csum_offset = 0;
		give_to_kernel(&super, n);
		(void)cut_and_compare(&super, n);
	}
}

static void super_packets_of_udp_are_cut_as_the_kernel_does(void **state)
{
	unsigned pieces = 0;

	(void)state;
	if (!rig.uso)
		print_message("this kernel has no segmentation of UDP for a TUN\n");
	super.udp = true;
	for (unsigned n = 0; rig.uso && n < CASES; n++) {
		make_super(&super, n);
		give_to_kernel(&super, n);
		pieces += cut_and_compare(&super, n);
	}
	print_message("%u packets, %u pieces\n", CASES, pieces);
}

static void checksums_left_to_the_device_are_finished_as_the_kernel_does(void **state)
{
	(void)state;
	for (unsigned n = 0; n < CASES; n++) {
		super.udp = n & 1;
		begin(&super, n);
		add_any(&super, below(&super, n % 10 ? 1500 : 60000));
		finish(&super);
		give_to_kernel(&super, n);
		assert_int_equal(cut_and_compare(&super, n), 1);
	}
}

static int open_rig(void **state)
{
	(void)state;
	return tun_rig_open(&rig);
}

static int close_rig(void **state)
{
	(void)state;
	tun_rig_close(&rig);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(super_packets_of_tcp_are_cut_as_the_kernel_does),
		cmocka_unit_test(a_tcp_checksum_not_left_to_the_device_is_made_for_each_piece),
		cmocka_unit_test(super_packets_of_udp_are_cut_as_the_kernel_does),
		cmocka_unit_test(checksums_left_to_the_device_are_finished_as_the_kernel_does),
	};

	return cmocka_run_group_tests(tests, open_rig, close_rig);
}
