/* test_path_large.c - a device that gives and takes large packets, behind both channels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/bytes.h"
#include "tests/unit/path_rig.h"
#include "tests/unit/pkt_help.h"
#include "wire/cstp_frame.h"
#include "wire/inet_csum.h"

enum { HEAD = 40, VNET = sizeof(struct virtio_net_hdr), LARGE = VNET + 65535 };

static struct rig *tunnel(uint64_t tx_rate, unsigned off)
{
	struct rig_opt opt;
	rig_opt_init(&opt);
	opt.limits.tun_headers = opt.limits.tun_uso = true;
	opt.limits.tx_rate = tx_rate;
	opt.limits.off |= off;
	return rig_new(&opt);
}

/* A TCP segment without its checksum: SEQ counts bytes, whose values follow from their place. */
static void segment(uint8_t *pkt, size_t payload, bool up, uint32_t seq)
{
	rig_packet(pkt, HEAD + payload, up ? "10.0.0.2" : "192.0.2.1",
		   up ? "192.0.2.1" : "10.0.0.2", IPPROTO_TCP, 0);
	pkt[6] = 0x40; /* DF */
	memset(pkt + 20, 0, 20);
	put_be32(pkt + 20, UINT32_C(80) << 16 | 4000);
	put_be32(pkt + 24, seq);
	pkt[32] = 5 << 4;
	pkt[33] = PKT_ACK;
	for (size_t i = 0; i < payload; i++)
		pkt[HEAD + i] = (uint8_t)((seq + i) * 7 + ((seq + i) >> 8));
}

/* What a kernel with segmentation offload hands over: PAYLOAD bytes, to be cut after every SIZE. */
static void put_large(struct rig *r, size_t payload, uint16_t size)
{
	static uint8_t buf[LARGE];
	uint8_t *pkt = buf + VNET;
	struct virtio_net_hdr h = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				    .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
				    .hdr_len = HEAD,
				    .gso_size = size,
				    .csum_start = 20,
				    .csum_offset = 16 };
	segment(pkt, payload, false, 1000);
	inet_csum_ipv4(pkt, 20);
	inet_csum_store(pkt + 36, inet_csum_fold(inet_csum_pseudo(pkt, IPPROTO_TCP, 20 + payload)));
	memcpy(buf, &h, sizeof h);
	rig_tun_put(r, buf, VNET + HEAD + payload);
}

/* Piece number I of put_large's packet. */
static void check_piece(const uint8_t *pkt, int len, size_t i, size_t payload, uint16_t size)
{
	static uint8_t want[2048];
	size_t left = payload - i * size, n = left < size ? left : size;
	segment(want, n, false, (uint32_t)(1000 + i * size));
	put_be16(want + 4, (unsigned)i); /* identification */
	inet_csum_ipv4(want, 20);
	pkt_finish(want, HEAD + n, 20);
	assert_int_equal(len, HEAD + n);
	assert_memory_equal(pkt, want, HEAD + n);
}

static void a_large_packet_is_cut_for_udp(void **state)
{
	struct rig *r = tunnel(0, 0);
	struct rig_udp u;
	uint8_t back[RIG_PACKET];
	(void)state;
	assert_true(rig_udp_connect(r, &u));
	put_large(r, 40000, 1300);
	for (size_t i = 0; i < 31; i++)
		check_piece(back + 1, rig_udp_recv(&u, back, sizeof back) - 1, i, 40000, 1300);
	assert_int_equal(rig_udp_recv(&u, back, sizeof back), -1);
	assert_int_equal(path_counters(r->path)->tx_packets, 31);
	assert_int_equal(path_counters(r->path)->tx_bytes, 40000 + 31 * HEAD);
	rig_udp_deinit(&u);
	rig_free(r);
}

/* More records than the queue of a wake-up holds: the rest goes on when there is room, and nothing
 * but that has to happen. */
static void a_packet_of_a_thousand_pieces_loses_none(void **state)
{
	struct rig *r = tunnel(0, 0);
	uint8_t back[RIG_PACKET], type;
	(void)state;
	put_large(r, 64000, 40);
	for (size_t i = 0; i < 1600; i++)
		check_piece(back, rig_recv(r, &type, back, sizeof back), i, 64000, 40);
	assert_int_equal(path_counters(r->path)->dropped, 0);
	rig_free(r);
}

/* The socket of this client holds some dozens of datagrams; here only the path's own queue counts,
 * so the client's losses are none of its drops. */
static void the_queue_of_datagrams_is_not_overrun(void **state)
{
	struct rig *r = tunnel(0, 0);
	struct rig_udp u;
	(void)state;
	assert_true(rig_udp_connect(r, &u));
	put_large(r, 64000, 40);
	assert_int_equal(path_counters(r->path)->dropped, 0);
	assert_int_equal(path_counters(r->path)->tx_packets, 1600);
	rig_udp_deinit(&u);
	rig_free(r);
}

/* Buffers of a tunnel that rests are given back, but not what a limit keeps waiting. */
static void a_long_wait_spares_the_rest_of_a_large_packet(void **state)
{
	struct rig *r = tunnel(500, 0);
	uint8_t back[RIG_PACKET], type;
	size_t n = 0;
	(void)state;
	put_large(r, 8000, 1000);
	for (unsigned turns = 0; n < 8 && turns < 100; turns++) {
		for (int k; (k = rig_recv(r, &type, back, sizeof back)) > 0; n++)
			check_piece(back, k, n, 8000, 1000);
		rig_later(r, 1500);
	}
	assert_int_equal(n, 8);
	rig_free(r);
}

static void a_limit_holds_inside_a_large_packet(void **state)
{
	struct rig *r = tunnel(20000, 0);
	uint8_t back[RIG_PACKET], type;
	size_t n = 0;
	(void)state;
	put_large(r, 60000, 1000);
	while (rig_recv(r, &type, back, sizeof back) > 0)
		n++;
	assert_true(n < 10);
	for (unsigned turns = 0; n < 60 && turns < 100; turns++) {
		rig_later(r, 50);
		for (int k; (k = rig_recv(r, &type, back, sizeof back)) > 0; n++)
			check_piece(back, k, n, 60000, 1000);
	}
	assert_int_equal(n, 60);
	rig_free(r);
}

/* Thirty segments in as many records: returns the writes they became. */
static unsigned upload(struct rig *r, struct rig_udp *u)
{
	static uint8_t buf[LARGE];
	uint8_t frame[CSTP_HEADER + HEAD + 1000];
	uint8_t *pkt = frame + CSTP_HEADER;
	unsigned writes = 0;
	size_t bytes = 0;
	for (unsigned i = 0; i < 30; i++) {
		segment(pkt, 1000, true, i * 1000);
		inet_csum_ipv4(pkt, 20);
		pkt_finish(pkt, HEAD + 1000, 20);
		pkt[-1] = CSTP_DATA;
		if (u)
			assert_true(gnutls_record_send(u->s, pkt - 1, HEAD + 1001) > 0);
		else
			cstp_header_build(frame, CSTP_DATA, HEAD + 1000);
		if (!u)
			assert_true(gnutls_record_send(r->tls, frame, sizeof frame) > 0);
	}
	for (int k; (k = rig_tun_get(r, buf, sizeof buf)) > 0; writes++) {
		assert_true(k > VNET + HEAD);
		for (int i = VNET + HEAD; i < k; i++, bytes++)
			assert_int_equal(buf[i], (uint8_t)(bytes * 7 + (bytes >> 8)));
	}
	assert_int_equal(bytes, 30000);
	assert_int_equal(path_counters(r->path)->rx_packets, 30);
	assert_int_equal(path_counters(r->path)->rx_bytes, 30 * (HEAD + 1000));
	return writes;
}

static void segments_of_the_client_are_joined(void **state)
{
	struct rig *r = tunnel(0, 0);
	struct rig_udp u;
	(void)state;
	assert_true(upload(r, NULL) < 10);
	rig_free(r);
	r = tunnel(0, 0);
	assert_true(rig_udp_connect(r, &u));
	assert_true(upload(r, &u) < 10);
	rig_udp_deinit(&u);
	rig_free(r);
}

static void without_batches_each_packet_goes_alone(void **state)
{
	struct rig *r = tunnel(0, PATH_OFF_BATCH);
	struct rig_udp u;
	(void)state;
	assert_int_equal(upload(r, NULL), 30);
	rig_free(r);
	r = tunnel(0, PATH_OFF_BATCH | PATH_OFF_UDP_GRO | PATH_OFF_UDP_GSO);
	assert_true(rig_udp_connect(r, &u));
	assert_int_equal(upload(r, &u), 30);
	rig_udp_deinit(&u);
	rig_free(r);
}

/* Frames need not end where records do (protocol.md 5.6): such a packet is put together in memory
 * that the next one uses again. */
static void packets_across_records_arrive_whole(void **state)
{
	static uint8_t stream[20 * (CSTP_HEADER + HEAD + 1000)], buf[LARGE];
	struct rig *r = tunnel(0, 0);
	size_t one = CSTP_HEADER + HEAD + 1000, bytes = 0;
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		uint8_t *pkt = stream + i * one + CSTP_HEADER;
		segment(pkt, 1000, true, i * 1000);
		inet_csum_ipv4(pkt, 20);
		pkt_finish(pkt, HEAD + 1000, 20);
		cstp_header_build(stream + i * one, CSTP_DATA, HEAD + 1000);
	}
	for (size_t at = 0, n; at < sizeof stream; at += n) {
		n = sizeof stream - at < 700 ? sizeof stream - at : 700;
		assert_true(gnutls_record_send(r->tls, stream + at, n) > 0);
	}
	for (int k; (k = rig_tun_get(r, buf, sizeof buf)) > 0;)
		for (int i = VNET + HEAD; i < k; i++, bytes++)
			assert_int_equal(buf[i], (uint8_t)(bytes * 7 + (bytes >> 8)));
	assert_int_equal(bytes, 20000);
	rig_free(r);
}

/* Thirty equal datagrams; returns the writes they became. */
static unsigned upload_datagrams(bool uso, unsigned off)
{
	struct rig_opt opt;
	struct pkt_spec spec = { .udp = true, .payload = 500, .ttl = 64, .frag = 0x4000 };
	uint8_t frame[CSTP_HEADER + 600];
	static uint8_t buf[LARGE];
	unsigned writes = 0;
	rig_opt_init(&opt);
	opt.limits.tun_headers = true;
	opt.limits.tun_uso = uso;
	opt.limits.off |= off;
	struct rig *r = rig_new(&opt);
	for (uint32_t i = 0; i < 30; i++) {
		uint8_t *pkt = frame + CSTP_HEADER;
		spec.seq = i * 500;
		size_t len = pkt_make(&spec, pkt);
		memcpy(pkt + 12, opt.limits.v4.bytes, 4);
		pkt_finish_ipv4(pkt, 20);
		pkt_finish(pkt, len, 20);
		cstp_header_build(frame, CSTP_DATA, len);
		assert_true(gnutls_record_send(r->tls, frame, CSTP_HEADER + len) > 0);
	}
	while (rig_tun_get(r, buf, sizeof buf) > 0)
		writes++;
	assert_int_equal(path_counters(r->path)->rx_packets, 30);
	assert_int_equal(path_counters(r->path)->rx_bytes, 30 * 528);
	rig_free(r);
	return writes;
}

static void datagrams_are_joined_for_devices_that_take_them(void **state)
{
	(void)state;
	assert_true(upload_datagrams(true, 0) < 10);
	assert_int_equal(upload_datagrams(false, 0), 30);
	assert_int_equal(upload_datagrams(true, PATH_OFF_USO), 30);
}

/* One segment as a frame of DTLS, at FRAME. */
static void dtls_segment(uint8_t frame[1 + HEAD + 1000])
{
	segment(frame + 1, 1000, true, 0);
	inet_csum_ipv4(frame + 1, 20);
	pkt_finish(frame + 1, HEAD + 1000, 20);
	frame[0] = CSTP_DATA;
}

static void check_written(struct rig *r, const uint8_t *pkt)
{
	static uint8_t buf[LARGE];
	assert_int_equal(rig_tun_get(r, buf, sizeof buf), VNET + HEAD + 1000);
	assert_memory_equal(buf + VNET, pkt, HEAD + 1000);
}

/* What brings the news of another port is a packet like others, in memory that goes at once. */
static void a_packet_that_shows_a_new_port_is_written_whole(void **state)
{
	struct rig *r = tunnel(0, 0);
	struct rig_udp u;
	uint8_t frame[1 + HEAD + 1000];
	(void)state;
	assert_true(rig_udp_connect(r, &u));
	rig_udp_rebind(&u);
	dtls_segment(frame);
	rig_udp_send(&u, frame, sizeof frame);
	check_written(r, frame + 1);
	rig_udp_deinit(&u);
	rig_free(r);
}

/* The last flight of the second handshake and a packet of the first are there at once. */
static void a_packet_is_written_before_a_handshake_takes_its_memory(void **state)
{
	struct rig *r = tunnel(0, 0);
	struct rig_udp u, next;
	uint8_t frame[1 + HEAD + 1000];
	(void)state;
	assert_true(rig_udp_connect(r, &u));
	rig_later(r, 5000);
	rig_udp_init(r, &next);
	assert_int_equal(gnutls_handshake(next.s), GNUTLS_E_AGAIN);
	rig_run(r);
	assert_int_equal(gnutls_handshake(next.s), GNUTLS_E_AGAIN);
	dtls_segment(frame);
	assert_true(gnutls_record_send(u.s, frame, sizeof frame) > 0);
	rig_run(r);
	check_written(r, frame + 1);
	assert_true(rig_udp_handshake(&next));
	rig_udp_deinit(&next);
	rig_udp_deinit(&u);
	rig_free(r);
}

static void what_the_device_does_not_take_is_counted(void **state)
{
	struct rig *r = tunnel(0, PATH_OFF_BATCH);
	uint8_t pkt[HEAD + 1000];
	const struct path_counters *c = path_counters(r->path);
	(void)state;
	for (uint32_t i = 0; i < 2000 && !c->dropped; i++) {
		segment(pkt, 1000, true, i * 1000);
		inet_csum_ipv4(pkt, 20);
		pkt_finish(pkt, sizeof pkt, 20);
		rig_send(r, CSTP_DATA, pkt, sizeof pkt);
		rig_run(r);
	}
	assert_int_equal(c->dropped, 1);
	assert_int_equal(c->rx_bytes, c->rx_packets * sizeof pkt);
	assert_int_equal(r->end, PATH_END_NONE);
	rig_free(r);
}

/* A limit on what comes from the client: its own sending slows down, nothing is lost. */
static void a_limit_holds_for_what_the_client_sends(void **state)
{
	struct rig_opt opt;
	uint8_t frame[CSTP_HEADER + HEAD + 1000], *pkt = frame + CSTP_HEADER;
	(void)state;
	rig_opt_init(&opt);
	opt.limits.tun_headers = true;
	opt.limits.rx_rate = 20000;
	struct rig *r = rig_new(&opt);
	cstp_header_build(frame, CSTP_DATA, HEAD + 1000);
	for (uint32_t i = 0; i < 60; i++) {
		segment(pkt, 1000, true, i * 1000);
		inet_csum_ipv4(pkt, 20);
		pkt_finish(pkt, HEAD + 1000, 20);
		assert_true(gnutls_record_send(r->tls, frame, sizeof frame) > 0);
	}
	rig_run(r);
	assert_true(path_counters(r->path)->rx_packets < 15);
	for (unsigned turns = 0; turns < 100; turns++)
		rig_later(r, 50);
	assert_int_equal(path_counters(r->path)->rx_packets, 60);
	rig_free(r);
}

/* Makes the kernel refuse all writes of more than two pieces, for good. */
static void refuse_large_writes(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_writev, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof code / sizeof code[0], code };
	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog), 0);
}

static void a_kernel_that_refuses_large_packets_gets_single_ones(void **state)
{
	struct rig *r = tunnel(0, 0);
	(void)state;
	refuse_large_writes();
	assert_int_equal(upload(r, NULL), 30);
	assert_int_equal(path_counters(r->path)->dropped, 0);
	rig_free(r);
}

/* A packet that was checked waits for others.  Nothing the client sends meanwhile, in whatever
 * records, may change it: its source could be anybody then. */
static void a_packet_that_waits_is_not_overwritten(void **state)
{
	enum { ONE = CSTP_HEADER + HEAD + 1000, FILL = 16000 };
	static uint8_t stream[2 * ONE], fill[CSTP_HEADER + FILL], buf[LARGE];
	struct rig *r = tunnel(0, 0);
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *pkt = stream + i * ONE + CSTP_HEADER;
		segment(pkt, 1000, true, i * 5000);
		inet_csum_ipv4(pkt, 20);
		pkt_finish(pkt, HEAD + 1000, 20);
		cstp_header_build(stream + i * ONE, CSTP_DATA, HEAD + 1000);
	}
	memset(fill, 0x5a, sizeof fill);
	cstp_header_build(fill, CSTP_KEEPALIVE, FILL);
	/* The first is put together from two records, the second lies whole in the latter. */
	assert_true(gnutls_record_send(r->tls, stream, 700) > 0);
	assert_true(gnutls_record_send(r->tls, stream + 700, sizeof stream - 700) > 0);
	for (unsigned i = 0; i < 3; i++)
		assert_true(gnutls_record_send(r->tls, fill, sizeof fill) > 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(rig_tun_get(r, buf, sizeof buf), VNET + HEAD + 1000);
		assert_memory_equal(buf + VNET, stream + i * ONE + CSTP_HEADER, HEAD + 1000);
	}
	rig_free(r);
}

enum { SENT = 400, PACKET = 1500, FRAME = CSTP_HEADER + PACKET };

/* Packets on their way: what was sent, what of it has come out of the device. */
struct crowd {
	uint8_t pkt[SENT][PACKET];
	size_t len[SENT];
	bool seen[SENT];
	unsigned n;
};

/* A packet out of the device must be the next one of its flow, byte for byte. */
static void next_of_flow(void *arg, const uint8_t *pkt, size_t len)
{
	struct crowd *c = arg;
	for (unsigned i = 0; i < SENT; i++) {
		if (c->seen[i] || memcmp(c->pkt[i] + 9, pkt + 9, 1) ||
		    memcmp(c->pkt[i] + 20, pkt + 20, 2))
			continue;
		assert_int_equal(c->len[i], len);
		assert_memory_equal(c->pkt[i], pkt, len);
		c->seen[i] = true;
		c->n++;
		return;
	}
	fail();
}

static void make_crowd(struct crowd *c)
{
	static uint32_t seq[4];
	memset(c, 0, sizeof *c);
	for (unsigned i = 0; i < SENT; i++) {
		struct pkt_spec spec = { .udp = rand() % 4 == 0,
					 .flow = (uint8_t)(rand() % 4),
					 .ttl = 64,
					 .id = (uint16_t)i,
					 .flags = PKT_ACK | (rand() % 9 ? 0 : PKT_PSH),
					 .payload = 1000 };
		if (rand() % 5 == 0)
			spec.payload = (uint16_t)(rand() % 1000);
		spec.seq = seq[spec.flow];
		seq[spec.flow] += spec.udp ? 0 : spec.payload;
		c->len[i] = pkt_make(&spec, c->pkt[i]);
	}
}

/* Frames of C as one stream; returns its length. */
static size_t frame_crowd(const struct crowd *c, uint8_t *out)
{
	size_t at = 0;
	for (unsigned i = 0; i < SENT; i++) {
		cstp_header_build(out + at, CSTP_DATA, c->len[i]);
		memcpy(out + at + CSTP_HEADER, c->pkt[i], c->len[i]);
		at += CSTP_HEADER + c->len[i];
	}
	return at;
}

static void take_all(struct rig *r, struct crowd *c)
{
	static uint8_t buf[LARGE];
	struct virtio_net_hdr h;
	for (int k; (k = rig_tun_get(r, buf, sizeof buf)) > 0;) {
		memcpy(&h, buf, sizeof h);
		assert_true(pkt_cut(&h, buf + VNET, (size_t)k - VNET, next_of_flow, c));
	}
}

/* However the client cuts its frames into records, and whenever they come. */
static void any_records_bring_the_same_packets(void **state)
{
	static struct crowd c;
	static uint8_t stream[SENT * FRAME];
	struct rig_opt opt;
	struct addr_net all;
	(void)state;
	assert_int_equal(addr_net_parse("0.0.0.0/0", &all), ERR_OK);
	for (unsigned seed = 1; seed <= 5; seed++) {
		srand(seed);
		rig_opt_init(&opt);
		opt.limits.tun_headers = opt.limits.tun_uso = true;
		opt.limits.behind = &all;
		opt.limits.behind_n = 1;
		struct rig *r = rig_new(&opt);
		make_crowd(&c);
		size_t len = frame_crowd(&c, stream), taken = 0;
		for (size_t at = 0, n; at < len; at += n) {
			n = 1 + (size_t)(rand() % (rand() % 2 ? 16000 : 1500));
			n = n < len - at ? n : len - at;
			assert_int_equal(gnutls_record_send(r->tls, stream + at, n), n);
			/* More at once would not fit into the socket that plays the device. */
			if (at + n - taken > (size_t)(rand() % 40000)) {
				take_all(r, &c);
				taken = at + n;
			}
		}
		take_all(r, &c);
		assert_int_equal(path_counters(r->path)->dropped, 0);
		assert_int_equal(c.n, SENT);
		rig_free(r);
	}
}

static void what_cannot_be_cut_is_dropped_and_counted(void **state)
{
	struct rig *r = tunnel(0, 0);
	uint8_t buf[VNET + HEAD + 100], back[RIG_PACKET], type;
	struct virtio_net_hdr h = { .gso_type = 99, .gso_size = 10 };
	(void)state;
	segment(buf + VNET, 100, false, 1000);
	memcpy(buf, &h, sizeof h);
	rig_tun_put(r, buf, sizeof buf);
	assert_int_equal(rig_recv(r, &type, back, sizeof back), -1);
	assert_int_equal(path_counters(r->path)->dropped, 1);
	put_large(r, 2000, 1000);
	check_piece(back, rig_recv(r, &type, back, sizeof back), 0, 2000, 1000);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_large_packet_is_cut_for_udp),
		cmocka_unit_test(a_packet_of_a_thousand_pieces_loses_none),
		cmocka_unit_test(the_queue_of_datagrams_is_not_overrun),
		cmocka_unit_test(a_long_wait_spares_the_rest_of_a_large_packet),
		cmocka_unit_test(a_limit_holds_inside_a_large_packet),
		cmocka_unit_test(segments_of_the_client_are_joined),
		cmocka_unit_test(without_batches_each_packet_goes_alone),
		cmocka_unit_test(packets_across_records_arrive_whole),
		cmocka_unit_test(a_packet_that_waits_is_not_overwritten),
		cmocka_unit_test(any_records_bring_the_same_packets),
		cmocka_unit_test(what_cannot_be_cut_is_dropped_and_counted),
		cmocka_unit_test(datagrams_are_joined_for_devices_that_take_them),
		cmocka_unit_test(a_packet_that_shows_a_new_port_is_written_whole),
		cmocka_unit_test(a_packet_is_written_before_a_handshake_takes_its_memory),
		cmocka_unit_test(what_the_device_does_not_take_is_counted),
		cmocka_unit_test(a_limit_holds_for_what_the_client_sends),
	};
	const struct CMUnitTest last[] = {
		cmocka_unit_test(a_kernel_that_refuses_large_packets_gets_single_ones),
	};
	int failed = cmocka_run_group_tests_name("records of our own", tests, NULL, NULL);
	rig_default_off(PATH_OFF_SEALING);
	failed += cmocka_run_group_tests_name("GnuTLS's records", tests, NULL, NULL);
	return failed + cmocka_run_group_tests_name("a filter", last, NULL, NULL);
}
