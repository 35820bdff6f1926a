/* test_path_gso.c - what becomes of super-packets, and of packets without a checksum.  Those of the
 * kernel are compared with ours in test_path_gso_kernel.c.  datapath.md 2. */
#include "worker/path/gso.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "tests/unit/pkt_help.h"
#include "wire/inet_csum.h"

enum { ROOM = 66000, PIECES = 64 };

static const struct pkt_spec TCP4 = { .ttl = 64,
				      .id = 7,
				      .seq = 1000,
				      .ack = 5,
				      .flags = PKT_ACK,
				      .window = 512,
				      .options = 12,
				      .option_value = 1,
				      .payload = 3000 };

/* A packet as the TUN gives it; all around it is known, so that a stray write shows. */
struct given {
	struct virtio_net_hdr hdr;
	uint8_t *pkt;
	size_t len;
	uint8_t memory[GSO_HEADROOM + ROOM];
};

static struct given given;
static struct gso gso;

static size_t l4_of(const struct pkt_spec *spec)
{
	return spec->v6 ? 40 : 20;
}

/* The packet of SPEC with its checksum left to the device, to be cut in SIZE bytes; 0: not. */
static void give(const struct pkt_spec *spec, uint16_t size)
{
	static const uint8_t tcp[2] = { VIRTIO_NET_HDR_GSO_TCPV4, VIRTIO_NET_HDR_GSO_TCPV6 };
	size_t l4 = l4_of(spec);

	memset(given.memory, 0xa5, sizeof given.memory);
	given.pkt = given.memory + GSO_HEADROOM;
	given.len = pkt_make(spec, given.pkt);
	given.hdr = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = !size	? VIRTIO_NET_HDR_GSO_NONE
			    : spec->udp ? VIRTIO_NET_HDR_GSO_UDP_L4
					: tcp[spec->v6],
		.gso_size = size,
		.csum_start = (uint16_t)l4,
		.csum_offset = spec->udp ? 6 : 16,
	};
	inet_csum_store(given.pkt + l4 + given.hdr.csum_offset,
			inet_csum_fold(inet_csum_pseudo(
				given.pkt, spec->udp ? IPPROTO_UDP : IPPROTO_TCP, given.len - l4)));
}

static enum err begin(void)
{
	return gso_begin(&gso, &given.hdr, given.pkt, given.len);
}

static void assert_nothing_is_left(void)
{
	uint8_t *pkt;
	size_t len;

	assert_false(gso_next(&gso, &pkt, &len));
}

/* The next piece is the packet of SPEC. */
static void expect(const struct pkt_spec *spec)
{
	static uint8_t wanted[ROOM];
	size_t wanted_len = pkt_make(spec, wanted), len;
	uint8_t *pkt;

	assert_true(gso_next(&gso, &pkt, &len));
	assert_int_equal(len, wanted_len);
	assert_memory_equal(pkt, wanted, len);
	memset(pkt - GSO_HEADROOM, 0xee, GSO_HEADROOM + len);
}

/* Cuts the packet of SPEC in SIZE bytes: the pieces are the packets that the sender would have made
 * singly, whatever their users do with them. */
static void expect_pieces(const struct pkt_spec *spec, uint16_t size)
{
	struct pkt_spec piece = *spec;
	size_t end;

	give(spec, size);
	end = (size_t)(given.pkt - given.memory) + given.len;
	assert_int_equal(begin(), ERR_OK);
	for (size_t left = spec->payload; left; left -= piece.payload) {
		bool last = left <= size;

		piece.payload = last ? (uint16_t)left : size;
		piece.flags = spec->flags;
		if (left < spec->payload)
			piece.flags &= (uint8_t)~PKT_CWR;
		if (!last)
			piece.flags &= (uint8_t) ~(PKT_FIN | PKT_PSH);
		expect(&piece);
		piece.seq += size;
		piece.id++;
	}
	assert_nothing_is_left();
	for (size_t i = end; i < sizeof given.memory; i++)
		assert_int_equal(given.memory[i], 0xa5);
}

static void a_packet_that_needs_nothing_is_given_as_it_is(void **state)
{
	uint8_t any[] = "no IP at all", *pkt;
	struct virtio_net_hdr hdr = { .flags = VIRTIO_NET_HDR_F_DATA_VALID };
	size_t len;

	(void)state;
	assert_int_equal(gso_begin(&gso, &hdr, any, sizeof any), ERR_OK);
	assert_true(gso_next(&gso, &pkt, &len));
	assert_ptr_equal(pkt, any);
	assert_int_equal(len, sizeof any);
	assert_string_equal(any, "no IP at all");
	assert_nothing_is_left();
	assert_int_equal(gso_begin(&gso, &hdr, any, 0), ERR_SYNTAX);
}

static void a_checksum_left_to_the_device_is_finished(void **state)
{
	struct pkt_spec spec = TCP4;

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		spec.v6 = i & 1;
		spec.udp = i & 2;
		spec.payload = (uint16_t)(i < 20 ? i : 60 * i + 1);
		give(&spec, 0);
		assert_int_equal(begin(), ERR_OK);
		expect(&spec);
		assert_nothing_is_left();
	}
}

/* Makes the last two bytes of the payload so that the sum of everything is SUM. */
static void aim(uint8_t *pkt, size_t len, size_t l4, uint16_t sum)
{
	uint32_t want = sum;

	put_be16(pkt + len - 2, 0);
	want += (uint16_t)~inet_csum_fold(inet_csum_add(0, pkt + l4, len - l4));
	inet_csum_store(pkt + len - 2, inet_csum_fold(want));
}

static void a_udp_checksum_of_zero_is_sent_as_all_ones(void **state)
{
	struct pkt_spec spec = { .udp = true, .ttl = 1, .payload = 100 };
	uint8_t *pkt;
	size_t len;

	(void)state;
	give(&spec, 0);
	aim(given.pkt, given.len, 20, 0xffff);
	assert_int_equal(begin(), ERR_OK);
	assert_int_equal(get_be16(given.pkt + 26), 0xffff);
	spec.payload = 200;
	give(&spec, 100);
	/* the field is made for 208 bytes, the first piece has 108, and says so twice */
	put_be16(given.pkt + 24, 108);
	aim(given.pkt, 128, 20, inet_csum_fold((uint64_t)0xffff + htons(100)));
	put_be16(given.pkt + 24, 208);
	assert_int_equal(begin(), ERR_OK);
	assert_true(gso_next(&gso, &pkt, &len));
	assert_int_equal(get_be16(pkt + 26), 0xffff);
}

static void pieces_of_tcp_are_the_packets_that_it_would_have_sent_singly(void **state)
{
	static const uint16_t sizes[] = { 1, 7, 19, 20, 500, 1399, 1400, 2999 };
	struct pkt_spec spec = TCP4;

	(void)state;
	for (unsigned i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
		spec.v6 = i & 1;
		spec.options = (uint8_t)(4 * (i % 11));
		spec.payload = sizes[i / 2] == 1 ? 60 : 3000;
		expect_pieces(&spec, sizes[i / 2]);
	}
}

static void the_largest_super_packets_are_cut(void **state)
{
	struct pkt_spec spec = TCP4;

	(void)state;
	spec.payload = 65535 - 20 - 32;
	expect_pieces(&spec, 1348);
	expect_pieces(&spec, 40000);
	spec.v6 = true;
	spec.payload = 65535 - 32;
	expect_pieces(&spec, 1348);
}

static void a_last_piece_may_be_full(void **state)
{
	struct pkt_spec spec = TCP4;

	(void)state;
	expect_pieces(&spec, 1000);
	expect_pieces(&spec, 1500);
	spec.udp = true;
	expect_pieces(&spec, 1500);
}

static void fin_and_psh_stand_on_the_last_piece(void **state)
{
	struct pkt_spec spec = TCP4;
	uint8_t *pkt;
	size_t len;

	(void)state;
	spec.flags = PKT_ACK | PKT_FIN | PKT_PSH | PKT_URG;
	spec.urgent = 99;
	expect_pieces(&spec, 1400);
	give(&spec, 1400);
	assert_int_equal(begin(), ERR_OK);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(gso_next(&gso, &pkt, &len));
		assert_int_equal(pkt[33],
				 i < 2 ? PKT_ACK | PKT_URG : PKT_ACK | PKT_URG | PKT_FIN | PKT_PSH);
	}
}

static void cwr_stands_on_the_first_piece_and_ece_on_all(void **state)
{
	struct pkt_spec spec = TCP4;
	uint8_t *pkt;
	size_t len;

	(void)state;
	spec.flags = PKT_ACK | PKT_CWR | PKT_ECE;
	expect_pieces(&spec, 1400);
	give(&spec, 1400);
	given.hdr.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	assert_int_equal(begin(), ERR_OK);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(gso_next(&gso, &pkt, &len));
		assert_int_equal(pkt[33], PKT_ACK | PKT_ECE | (i ? 0 : PKT_CWR));
	}
	spec.v6 = true;
	spec.flags |= PKT_PSH;
	expect_pieces(&spec, 1400);
}

static void numbers_wrap_and_df_stays(void **state)
{
	struct pkt_spec spec = TCP4;

	(void)state;
	spec.id = 0xffff;
	spec.seq = 0xfffff000;
	spec.payload = 20000;
	expect_pieces(&spec, 1400);
	spec.frag = 0x4000;
	expect_pieces(&spec, 1400);
	spec.tos = 0x2e << 2 | 3;
	spec.ttl = 1;
	expect_pieces(&spec, 1400);
}

static void pieces_of_udp_are_the_datagrams_that_it_would_have_sent_singly(void **state)
{
	static const uint16_t sizes[] = { 1, 7, 8, 27, 28, 500, 1399, 1400 };
	struct pkt_spec spec = { .udp = true, .ttl = 64, .id = 0xfffe, .tos = 8 };

	(void)state;
	for (unsigned i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
		spec.v6 = i & 1;
		spec.payload = (uint16_t)(sizes[i / 2] * 20 + sizes[i / 2] / 2);
		expect_pieces(&spec, sizes[i / 2]);
	}
}

/* Puts N bytes behind the fixed IP header: IPv4 options, or an IPv6 extension header of KIND. */
static void insert(uint8_t kind, const uint8_t *bytes, size_t n)
{
	size_t header = given.pkt[0] >> 4 == 4 ? 20 : 40;

	memmove(given.pkt + header + n, given.pkt + header, given.len - header);
	memcpy(given.pkt + header, bytes, n);
	given.len += n;
	given.hdr.csum_start = (uint16_t)(header + n);
	if (header == 20) {
		given.pkt[0] = (uint8_t)(given.pkt[0] + n / 4);
		put_be16(given.pkt + 2, (unsigned)given.len);
		inet_csum_ipv4(given.pkt, header + n);
	} else {
		given.pkt[6] = kind;
		put_be16(given.pkt + 4, (unsigned)given.len - 40);
	}
}

static void ipv4_options_are_on_every_piece(void **state)
{
	static const uint8_t options[8] = { 1, 0x94, 4, 0, 0, 1, 1, 0 };
	uint8_t *pkt;
	size_t len;

	(void)state;
	give(&TCP4, 1400);
	insert(0, options, sizeof options);
	assert_int_equal(begin(), ERR_OK);
	for (unsigned i = 0; i < 3; i++) {
		size_t payload = i < 2 ? 1400 : 200;
		uint64_t sum;

		assert_true(gso_next(&gso, &pkt, &len));
		assert_int_equal(len, 28 + 32 + payload);
		assert_memory_equal(pkt + 20, options, sizeof options);
		assert_int_equal(inet_csum_fold(inet_csum_add(0, pkt, 28)), 0xffff);
		sum = inet_csum_pseudo(pkt, IPPROTO_TCP, len - 28);
		assert_int_equal(inet_csum_fold(inet_csum_add(sum, pkt + 28, len - 28)), 0xffff);
	}
	assert_nothing_is_left();
}

static void extension_headers_are_on_every_piece_and_what_they_do_to_the_sum(void **state)
{
	/* RFC 8200 8.1: the pseudo-header has the final destination, which is in here. */
	uint8_t routing[24] = { IPPROTO_TCP, 2, 2, 1, [8] = 0xfd, 9, [23] = 1 }, there[40];
	struct pkt_spec spec = TCP4;
	uint8_t *pkt;
	size_t len;

	(void)state;
	spec.v6 = true;
	give(&spec, 1400);
	memcpy(there, given.pkt, sizeof there);
	memcpy(there + 24, routing + 8, 16);
	insert(IPPROTO_ROUTING, routing, sizeof routing);
	inet_csum_store(given.pkt + 64 + 16,
			inet_csum_fold(inet_csum_pseudo(there, IPPROTO_TCP, given.len - 64)));
	assert_int_equal(begin(), ERR_OK);
	for (unsigned i = 0; i < 3; i++) {
		uint64_t sum;

		assert_true(gso_next(&gso, &pkt, &len));
		assert_int_equal(len, 64 + 32 + (i < 2 ? 1400 : 200));
		assert_int_equal(get_be16(pkt + 4), len - 40);
		assert_memory_equal(pkt + 40, routing, sizeof routing);
		sum = inet_csum_pseudo(there, IPPROTO_TCP, len - 64);
		assert_int_equal(inet_csum_fold(inet_csum_add(sum, pkt + 64, len - 64)), 0xffff);
	}
	assert_nothing_is_left();
}

static void tcp_whose_checksum_is_not_left_to_the_device_gets_new_ones(void **state)
{
	struct pkt_spec piece = TCP4;

	(void)state;
	piece.payload = 1500;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct pkt_spec whole = TCP4;

		whole.v6 = piece.v6 = v6;
		give(&whole, 1500);
		given.hdr.flags = 0;
		given.hdr.csum_start = given.hdr.csum_offset = 0;
		put_be16(given.pkt + l4_of(&whole) + 16, 0x1234);
		assert_int_equal(begin(), ERR_OK);
		piece.id = 7;
		piece.seq = 1000;
		expect(&piece);
		piece.id++;
		piece.seq += 1500;
		expect(&piece);
	}
}

static void a_payload_of_one_piece_is_not_cut(void **state)
{
	struct pkt_spec spec = TCP4;

	(void)state;
	spec.flags = PKT_ACK | PKT_CWR | PKT_PSH | PKT_FIN;
	for (unsigned i = 0; i < 4; i++) {
		spec.v6 = i & 1;
		spec.udp = i & 2;
		give(&spec, 3000);
		assert_int_equal(begin(), ERR_OK);
		expect(&spec);
		assert_nothing_is_left();
	}
	give(&TCP4, 65535);
	(void)pkt_make(&TCP4, given.pkt);
	given.hdr.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	given.len += 3;
	assert_int_equal(begin(), ERR_OK);
	expect(&TCP4);
}

static void bytes_behind_the_ip_packet_are_left_out(void **state)
{
	struct pkt_spec spec = TCP4;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		spec.v6 = i & 1;
		spec.payload = 3000;
		give(&spec, i & 2 ? 3000 : 0);
		given.len += 9;
		assert_int_equal(begin(), ERR_OK);
		expect(&spec);
		give(&spec, 2000);
		given.len += 9;
		assert_int_equal(begin(), ERR_OK);
		spec.payload = 2000;
		expect(&spec);
		spec.payload = 1000;
		spec.seq += 2000;
		spec.id++;
		expect(&spec);
		assert_nothing_is_left();
	}
}

static void refuse(void)
{
	assert_int_equal(begin(), ERR_SYNTAX);
	assert_nothing_is_left();
}

static void what_was_not_asked_for_is_refused(void **state)
{
	static const uint8_t types[] = { 2, 3, 6, 0x20 | 5, 0x40 | 5, 0x20 | 1, 0x80, 0x85, 0xff };

	(void)state;
	for (size_t i = 0; i < sizeof types; i++) {
		give(&TCP4, 1000);
		given.hdr.gso_type = types[i];
		refuse();
		give(&(struct pkt_spec){ .udp = true, .ttl = 64, .payload = 3000 }, 1000);
		given.hdr.gso_type = types[i];
		refuse();
	}
}

static void a_header_that_is_not_of_its_packet_is_refused(void **state)
{
	struct pkt_spec spec = TCP4;

	(void)state;
	give(&spec, 1000);
	given.hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
	refuse();
	given.hdr.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
	refuse();
	give(&spec, 1000);
	given.hdr.gso_size = 0;
	refuse();
	give(&spec, 1000);
	given.hdr.csum_start++;
	refuse();
	give(&spec, 1000);
	given.hdr.csum_offset = 6;
	refuse();
	spec.v6 = true;
	give(&spec, 1000);
	given.hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	refuse();
	spec.udp = true;
	give(&spec, 1000);
	given.hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
	refuse();
	give(&spec, 1000);
	given.hdr.flags = 0;
	refuse();
}

static void a_checksum_outside_the_packet_is_refused(void **state)
{
	struct pkt_spec spec = TCP4;

	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		spec.v6 = v6;
		give(&spec, 0);
		given.hdr.csum_start = (uint16_t)(l4_of(&spec) - 1);
		refuse();
		given.hdr.csum_start = (uint16_t)(given.len - 17);
		refuse();
		given.hdr.csum_start--;
		assert_int_equal(begin(), ERR_OK);
		given.hdr.csum_start = given.hdr.csum_offset = 0xffff;
		refuse();
		give(&spec, 0);
		given.len--;
		refuse();
		given.pkt[0] = 0x55;
		refuse();
	}
}

static void broken_headers_are_refused(void **state)
{
	struct pkt_spec udp = TCP4;

	(void)state;
	udp.udp = true;
	give(&TCP4, 1000);
	given.pkt[32] = 4 << 4; /* a TCP header of 16 bytes */
	refuse();
	give(&TCP4, 1000);
	put_be16(given.pkt + 2, 20 + 31); /* the packet ends in the TCP header */
	refuse();
	put_be16(given.pkt + 2, 20 + 19);
	refuse();
	put_be16(given.pkt + 2, 19);
	refuse();
	put_be16(given.pkt + 2, (unsigned)given.len + 1);
	refuse();
	give(&udp, 1000);
	put_be16(given.pkt + 24, 3007);
	refuse();
	put_be16(given.pkt + 24, 3009);
	refuse();
	give(&udp, 1000);
	put_be16(given.pkt + 2, 27);
	put_be16(given.pkt + 24, 7);
	refuse();
}

static void fragments_and_authenticated_packets_are_refused(void **state)
{
	static const uint8_t options[8] = { IPPROTO_FRAGMENT, 0, 1, 4 };
	uint8_t fragment[8] = { IPPROTO_TCP, 0, 0, 1 }, ah[24] = { IPPROTO_TCP, 4 };
	struct pkt_spec spec = TCP4;

	(void)state;
	spec.frag = 0x2000;
	give(&spec, 1000);
	refuse();
	spec.frag = 1;
	give(&spec, 1000);
	refuse();
	spec.v6 = true;
	for (unsigned offset = 0; offset < 2; offset++) {
		fragment[2] = (uint8_t)offset;
		give(&spec, 1000);
		insert(IPPROTO_FRAGMENT, fragment, sizeof fragment);
		refuse();
		insert(IPPROTO_HOPOPTS, options, sizeof options);
		given.hdr.csum_start = 56;
		refuse();
	}
	give(&spec, 1000);
	insert(IPPROTO_AH, ah, sizeof ah);
	refuse();
}

static void headers_of_any_sensible_length_are_cut_and_longer_ones_refused(void **state)
{
	uint8_t ext[GSO_HEADERS] = { IPPROTO_UDP };
	struct pkt_spec spec = { .v6 = true, .udp = true, .ttl = 64, .payload = 3000 };
	size_t most = GSO_HEADERS - 40 - 8;
	uint8_t *pkt;
	size_t len;

	(void)state;
	for (size_t n = 8; n <= most; n += 8) {
		give(&spec, 1000);
		ext[1] = (uint8_t)(n / 8 - 1);
		insert(IPPROTO_DSTOPTS, ext, n);
		assert_int_equal(begin(), ERR_OK);
		assert_true(gso_next(&gso, &pkt, &len));
		assert_int_equal(len, 40 + n + 8 + 1000);
	}
	give(&spec, 1000);
	ext[1] = (uint8_t)(most / 8);
	insert(IPPROTO_DSTOPTS, ext, most + 8);
	refuse();
}

/* Under the address sanitizer this shows reads behind the end, too. */
static void no_length_is_read_beyond(void **state)
{
	struct pkt_spec spec = TCP4;

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		spec.v6 = i & 1;
		spec.udp = i & 2;
		give(&spec, i & 4 ? 1000 : 0);
		for (size_t len = 0; len < 120; len++) {
			uint8_t *copy = malloc(len ? len : 1);

			memcpy(copy, given.pkt, len);
			assert_int_equal(gso_begin(&gso, &given.hdr, copy, len), ERR_SYNTAX);
			free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_that_needs_nothing_is_given_as_it_is),
		cmocka_unit_test(a_checksum_left_to_the_device_is_finished),
		cmocka_unit_test(a_udp_checksum_of_zero_is_sent_as_all_ones),
		cmocka_unit_test(pieces_of_tcp_are_the_packets_that_it_would_have_sent_singly),
		cmocka_unit_test(the_largest_super_packets_are_cut),
		cmocka_unit_test(a_last_piece_may_be_full),
		cmocka_unit_test(fin_and_psh_stand_on_the_last_piece),
		cmocka_unit_test(cwr_stands_on_the_first_piece_and_ece_on_all),
		cmocka_unit_test(numbers_wrap_and_df_stays),
		cmocka_unit_test(pieces_of_udp_are_the_datagrams_that_it_would_have_sent_singly),
		cmocka_unit_test(ipv4_options_are_on_every_piece),
		cmocka_unit_test(extension_headers_are_on_every_piece_and_what_they_do_to_the_sum),
		cmocka_unit_test(tcp_whose_checksum_is_not_left_to_the_device_gets_new_ones),
		cmocka_unit_test(a_payload_of_one_piece_is_not_cut),
		cmocka_unit_test(bytes_behind_the_ip_packet_are_left_out),
		cmocka_unit_test(what_was_not_asked_for_is_refused),
		cmocka_unit_test(a_header_that_is_not_of_its_packet_is_refused),
		cmocka_unit_test(a_checksum_outside_the_packet_is_refused),
		cmocka_unit_test(broken_headers_are_refused),
		cmocka_unit_test(fragments_and_authenticated_packets_are_refused),
		cmocka_unit_test(headers_of_any_sensible_length_are_cut_and_longer_ones_refused),
		cmocka_unit_test(no_length_is_read_beyond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
