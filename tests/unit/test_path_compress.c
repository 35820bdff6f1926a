/* test_path_compress.c - compressed packets on both channels, against GnuTLS clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <string.h>

#include "tests/unit/path_rig.h"
#include "tests/unit/pkt_help.h"
#include "wire/cstp_frame.h"
#include "worker/path/compress.h"

enum { LIMIT = 256 };

static const enum cstp_encoding encodings[] = { CSTP_ENC_LZ4, CSTP_ENC_LZS };

static struct rig *tunnel(enum cstp_encoding tcp, enum cstp_encoding udp)
{
	struct rig_opt opt;
	rig_opt_init(&opt);
	opt.limits.tcp_encoding = tcp;
	opt.limits.udp_encoding = udp;
	opt.limits.no_compress = LIMIT;
	opt.limits.idle_timeout = 100;
	return rig_new(&opt);
}

/* What the client's end packs and unpacks with. */
static struct compress *peer(void)
{
	struct compress *c = NULL;
	assert_int_equal(compress_new(NULL, &c), ERR_OK);
	return c;
}

static void unpacks_to(struct compress *c, enum cstp_encoding enc, const uint8_t *data, size_t len,
		       const uint8_t *pkt, size_t pkt_len)
{
	const uint8_t *out = NULL;
	size_t n = 0;
	assert_int_equal(compress_unpack(c, enc, data, len, &out, &n), ERR_OK);
	assert_int_equal(n, pkt_len);
	assert_memory_equal(out, pkt, n);
}

static void packets_to_the_client_are_compressed_on_tls(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct rig *r = tunnel(encodings[i], 0);
		struct compress *c = peer();
		uint8_t pkt[1400], back[RIG_PACKET], type;
		for (uint32_t mark = 0; mark < 20; mark++) {
			rig_packet(pkt, sizeof pkt, "192.0.2.1", "10.0.0.2", IPPROTO_TCP, mark);
			rig_tun_put(r, pkt, sizeof pkt);
			int n = rig_recv(r, &type, back, sizeof back);
			assert_int_equal(type, CSTP_COMPRESSED);
			assert_in_range(n, 10, 150);
			unpacks_to(c, encodings[i], back, (size_t)n, pkt, sizeof pkt);
		}
		/* Inner bytes count. */
		assert_int_equal(path_counters(r->path)->tx_bytes, 20 * sizeof pkt);
		talloc_free(c);
		rig_free(r);
	}
}

static void packets_to_the_client_are_compressed_on_dtls(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct rig *r = tunnel(0, encodings[i]);
		struct compress *c = peer();
		struct rig_udp u;
		uint8_t pkt[1400], back[RIG_PACKET], type;
		rig_packet(pkt, sizeof pkt, "192.0.2.1", "10.0.0.2", IPPROTO_TCP, 7);
		rig_tun_put(r, pkt, sizeof pkt); /* TLS has not negotiated it */
		assert_int_equal(rig_recv(r, &type, back, sizeof back), sizeof pkt);
		assert_int_equal(type, CSTP_DATA);
		assert_true(rig_udp_connect(r, &u));
		rig_tun_put(r, pkt, sizeof pkt);
		int n = rig_udp_recv(&u, back, sizeof back);
		assert_int_equal(back[0], CSTP_COMPRESSED);
		assert_in_range(n, 10, 150);
		unpacks_to(c, encodings[i], back + 1, (size_t)n - 1, pkt, sizeof pkt);
		rig_udp_deinit(&u);
		talloc_free(c);
		rig_free(r);
	}
}

/* PKT, packed, reaches the TUN by TLS, or by DTLS when U. */
static void reaches_tun(struct rig *r, struct rig_udp *u, enum cstp_encoding enc)
{
	struct compress *c = peer();
	uint8_t pkt[1400], back[RIG_PACKET];
	for (uint32_t mark = 0; mark < 20; mark++) {
		size_t n = 0;
		rig_packet(pkt, sizeof pkt, "10.0.0.2", "192.0.2.1", IPPROTO_TCP, mark);
		uint8_t *packed = compress_pack(c, enc, pkt, sizeof pkt, &n);
		assert_non_null(packed);
		if (u) {
			packed[-1] = CSTP_COMPRESSED;
			rig_udp_send(u, packed - 1, n + 1);
		} else {
			rig_send(r, CSTP_COMPRESSED, packed, n);
		}
		assert_int_equal(rig_tun_get(r, back, sizeof back), sizeof pkt);
		assert_memory_equal(back, pkt, sizeof pkt);
	}
	assert_int_equal(path_counters(r->path)->rx_bytes, 20 * sizeof pkt);
	assert_int_equal(r->end, PATH_END_NONE);
	talloc_free(c);
}

static void compressed_packets_from_the_client_arrive(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct rig_udp u;
		struct rig *r = tunnel(encodings[i], 0);
		reaches_tun(r, NULL, encodings[i]);
		rig_free(r);
		r = tunnel(0, encodings[i]);
		assert_true(rig_udp_connect(r, &u));
		reaches_tun(r, &u, encodings[i]);
		rig_udp_deinit(&u);
		rig_free(r);
	}
}

/* A segment of flow I that compresses well.  Returns its length. */
static size_t plain_segment(uint8_t *pkt, uint8_t i)
{
	struct pkt_spec spec = {
		.flow = i, .ttl = 64, .flags = PKT_ACK, .payload = 1200, .frag = 0x4000
	};
	size_t len = pkt_make(&spec, pkt);
	struct addr src;
	assert_int_equal(addr_parse("10.0.0.2", &src), ERR_OK);
	memcpy(pkt + 12, src.bytes, 4);
	memset(pkt + 40, i, 1200);
	pkt_finish_ipv4(pkt, 20);
	pkt_finish(pkt, len, 20);
	return len;
}

/* Packets wait for others to join them, and all are unpacked to the same place. */
static void compressed_packets_in_one_wake_up_stay_apart(void **state)
{
	struct rig_opt opt;
	struct compress *c = peer();
	uint8_t pkt[1400], back[RIG_PACKET];
	const size_t head = sizeof(struct virtio_net_hdr);
	(void)state;
	rig_opt_init(&opt);
	opt.limits.tcp_encoding = CSTP_ENC_LZ4;
	opt.limits.tun_headers = true;
	struct rig *r = rig_new(&opt);
	for (uint8_t i = 0; i < 3; i++) {
		size_t n = 0;
		uint8_t *packed = compress_pack(c, CSTP_ENC_LZ4, pkt, plain_segment(pkt, i), &n);
		assert_non_null(packed);
		packed -= CSTP_HEADER;
		cstp_header_build(packed, CSTP_COMPRESSED, n);
		assert_true(gnutls_record_send(r->tls, packed, CSTP_HEADER + n) > 0);
	}
	for (uint8_t i = 0; i < 3; i++) {
		size_t len = plain_segment(pkt, i);
		assert_int_equal(rig_tun_get(r, back, sizeof back), head + len);
		assert_memory_equal(back + head, pkt, len);
	}
	talloc_free(c);
	rig_free(r);
}

/* protocol.md 5.9: larger than the limit, and smaller afterwards. */
static void short_packets_and_noise_go_as_they_are(void **state)
{
	(void)state;
	struct rig *r = tunnel(CSTP_ENC_LZ4, 0);
	uint8_t pkt[1400], back[RIG_PACKET], type;
	uint32_t seed = 3;
	rig_packet(pkt, LIMIT, "192.0.2.1", "10.0.0.2", IPPROTO_TCP, 1);
	rig_tun_put(r, pkt, LIMIT);
	assert_int_equal(rig_recv(r, &type, back, sizeof back), LIMIT);
	assert_int_equal(type, CSTP_DATA);
	rig_packet(pkt, LIMIT + 1, "192.0.2.1", "10.0.0.2", IPPROTO_TCP, 1);
	rig_tun_put(r, pkt, LIMIT + 1);
	assert_in_range(rig_recv(r, &type, back, sizeof back), 10, LIMIT);
	assert_int_equal(type, CSTP_COMPRESSED);
	rig_packet(pkt, sizeof pkt, "192.0.2.1", "10.0.0.2", IPPROTO_TCP, 1);
	for (size_t i = 20; i < sizeof pkt; i++) {
		seed = seed * 1103515245 + 12345;
		pkt[i] = (uint8_t)(seed >> 16);
	}
	rig_tun_put(r, pkt, sizeof pkt);
	assert_int_equal(rig_recv(r, &type, back, sizeof back), sizeof pkt);
	assert_int_equal(type, CSTP_DATA);
	assert_memory_equal(back, pkt, sizeof pkt);
	rig_free(r);
}

/* The tunnel ends after the LEN bytes DATA came compressed. */
static bool ends_after(enum cstp_encoding enc, bool udp, const void *data, size_t len)
{
	struct rig *r = tunnel(udp ? 0 : enc, udp ? enc : 0);
	struct rig_udp u;
	uint8_t frame[600] = { CSTP_COMPRESSED };
	if (udp) {
		assert_true(rig_udp_connect(r, &u));
		memcpy(frame + 1, data, len);
		rig_udp_send(&u, frame, len + 1);
		rig_udp_deinit(&u);
	} else {
		rig_send(r, CSTP_COMPRESSED, data, len);
	}
	bool ended = r->end == PATH_END_ERROR;
	rig_free(r);
	return ended;
}

/* protocol 80. */
static void what_cannot_be_decompressed_ends_the_tunnel(void **state)
{
	uint8_t bomb[500];
	(void)state;
	memset(bomb, 0xff, sizeof bomb);
	memcpy(bomb, "\x30\xe0\xff", 3); /* LZS: 'a', then a match longer than all limits */
	for (int udp = 0; udp < 2; udp++) {
		assert_true(ends_after(CSTP_ENC_LZS, udp, "abc", 3));
		assert_true(ends_after(CSTP_ENC_LZS, udp, "", 0));
		assert_true(ends_after(CSTP_ENC_LZS, udp, "\xc0\x00", 2)); /* an end, no packet */
		assert_true(ends_after(CSTP_ENC_LZS, udp, bomb, sizeof bomb));
		assert_true(ends_after(CSTP_ENC_LZ4, udp, "\xf0", 1));
		assert_true(ends_after(CSTP_ENC_LZ4, udp, "", 0));
		assert_true(ends_after(CSTP_ENC_LZ4, udp, "\0", 1)); /* no packet either */
		memcpy(bomb,
		       "\x1f"
		       "a\x01\x00",
		       4);
		assert_true(ends_after(CSTP_ENC_LZ4, udp, bomb, sizeof bomb));
		memcpy(bomb, "\x30\xe0\xff", 3);
	}
}

/* protocol 79. */
static void only_the_channel_that_negotiated_it_takes_it(void **state)
{
	(void)state;
	struct rig *r = tunnel(0, CSTP_ENC_LZS);
	rig_send(r, CSTP_COMPRESSED, "\x30\x98\x8c\x78\x00", 5);
	assert_int_equal(r->end, PATH_END_ERROR);
	rig_free(r);
	struct rig_udp u;
	uint8_t frame[6] = { CSTP_COMPRESSED, 0x30, 0x98, 0x8c, 0x78, 0x00 };
	r = tunnel(CSTP_ENC_LZS, 0);
	assert_true(rig_udp_connect(r, &u));
	rig_udp_send(&u, frame, sizeof frame);
	assert_int_equal(r->end, PATH_END_ERROR);
	rig_udp_deinit(&u);
	rig_free(r);
}

/* What decompresses well is still checked as any packet, and cannot exceed the device's MTU. */
static void odd_packets_are_dropped_and_the_tunnel_stays(void **state)
{
	(void)state;
	struct rig *r = tunnel(CSTP_ENC_LZ4, 0);
	struct compress *c = peer();
	uint8_t pkt[1600], back[RIG_PACKET];
	size_t n = 0;
	rig_packet(pkt, 1000, "10.0.0.3", "192.0.2.1", IPPROTO_TCP, 1);
	const uint8_t *packed = compress_pack(c, CSTP_ENC_LZ4, pkt, 1000, &n);
	rig_send(r, CSTP_COMPRESSED, packed, n);
	assert_int_equal(path_counters(r->path)->bad_source, 1);
	rig_packet(pkt, 1435, "10.0.0.2", "192.0.2.1", IPPROTO_TCP, 1);
	packed = compress_pack(c, CSTP_ENC_LZ4, pkt, 1435, &n);
	rig_send(r, CSTP_COMPRESSED, packed, n);
	assert_int_equal(path_counters(r->path)->dropped, 1);
	assert_int_equal(rig_tun_get(r, back, sizeof back), -1);
	rig_packet(pkt, 1434, "10.0.0.2", "192.0.2.1", IPPROTO_TCP, 1);
	packed = compress_pack(c, CSTP_ENC_LZ4, pkt, 1434, &n);
	rig_send(r, CSTP_COMPRESSED, packed, n);
	assert_int_equal(rig_tun_get(r, back, sizeof back), 1434);
	assert_int_equal(r->end, PATH_END_NONE);
	talloc_free(c);
	rig_free(r);
}

static void a_compressed_packet_shows_its_protocol_to_the_idle_timer(void **state)
{
	(void)state;
	for (int udp = 0; udp < 2; udp++) {
		struct rig *r = tunnel(CSTP_ENC_LZS, 0);
		struct compress *c = peer();
		uint8_t pkt[600];
		size_t n = 0;
		rig_packet(pkt, sizeof pkt, "10.0.0.2", "192.0.2.1",
			   udp ? IPPROTO_UDP : IPPROTO_ICMP, 1);
		const uint8_t *packed = compress_pack(c, CSTP_ENC_LZS, pkt, sizeof pkt, &n);
		rig_later(r, 60000);
		rig_send(r, CSTP_COMPRESSED, packed, n);
		rig_later(r, 60000);
		assert_int_equal(r->end, udp ? PATH_END_NONE : PATH_END_IDLE);
		talloc_free(c);
		rig_free(r);
	}
}

static void the_memory_of_an_idle_path_is_given_back(void **state)
{
	(void)state;
	struct rig *r = tunnel(CSTP_ENC_LZS, 0);
	struct compress *c = peer();
	uint8_t pkt[1000], back[RIG_PACKET], type;
	rig_packet(pkt, sizeof pkt, "192.0.2.1", "10.0.0.2", IPPROTO_TCP, 1);
	for (int i = 0; i < 2; i++) {
		rig_tun_put(r, pkt, sizeof pkt);
		int n = rig_recv(r, &type, back, sizeof back);
		assert_int_equal(type, CSTP_COMPRESSED);
		unpacks_to(c, CSTP_ENC_LZS, back, (size_t)n, pkt, sizeof pkt);
		rig_later(r, 1500);
	}
	talloc_free(c);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_to_the_client_are_compressed_on_tls),
		cmocka_unit_test(packets_to_the_client_are_compressed_on_dtls),
		cmocka_unit_test(compressed_packets_from_the_client_arrive),
		cmocka_unit_test(compressed_packets_in_one_wake_up_stay_apart),
		cmocka_unit_test(short_packets_and_noise_go_as_they_are),
		cmocka_unit_test(what_cannot_be_decompressed_ends_the_tunnel),
		cmocka_unit_test(only_the_channel_that_negotiated_it_takes_it),
		cmocka_unit_test(odd_packets_are_dropped_and_the_tunnel_stays),
		cmocka_unit_test(a_compressed_packet_shows_its_protocol_to_the_idle_timer),
		cmocka_unit_test(the_memory_of_an_idle_path_is_given_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
