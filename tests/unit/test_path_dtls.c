/* test_path_dtls.c - the data path over DTLS, against GnuTLS clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/dtls.h>

#include "tests/unit/path_rig.h"
#include "wire/cstp_frame.h"
#include "worker/path/path_priv.h"

static const char tls12[] = "NORMAL:-VERS-ALL:+VERS-TLS1.2";

static struct rig *tunnel(void)
{
	struct rig_opt opt;
	rig_opt_init(&opt);
	return rig_new(&opt);
}

/* A packet from the TUN comes out at the DTLS client. */
static bool comes_by_udp(struct rig *r, struct rig_udp *u, uint32_t mark)
{
	uint8_t pkt[500], back[RIG_PACKET];
	rig_packet(pkt, sizeof pkt, "192.0.2.1", "10.0.0.2", IPPROTO_UDP, mark);
	rig_tun_put(r, pkt, sizeof pkt);
	return rig_udp_recv(u, back, sizeof back) == 501 && back[0] == CSTP_DATA &&
	       !memcmp(back + 1, pkt, sizeof pkt);
}

static bool comes_by_tcp(struct rig *r, uint32_t mark)
{
	uint8_t pkt[500], back[RIG_PACKET], type;
	rig_packet(pkt, sizeof pkt, "192.0.2.1", "10.0.0.2", IPPROTO_UDP, mark);
	rig_tun_put(r, pkt, sizeof pkt);
	return rig_recv(r, &type, back, sizeof back) == 500 && type == CSTP_DATA &&
	       !memcmp(back, pkt, sizeof pkt);
}

/* A packet from the DTLS client comes out of the TUN. */
static bool reaches_tun(struct rig *r, struct rig_udp *u, uint32_t mark)
{
	uint8_t frame[501] = { CSTP_DATA }, back[RIG_PACKET];
	rig_packet(frame + 1, 500, "10.0.0.2", "192.0.2.1", IPPROTO_UDP, mark);
	rig_udp_send(u, frame, sizeof frame);
	return rig_tun_get(r, back, sizeof back) == 500 && !memcmp(back, frame + 1, 500);
}

static void works(struct rig *r, struct rig_udp *u)
{
	for (uint32_t i = 0; i < 50; i++) {
		assert_true(reaches_tun(r, u, i));
		assert_true(comes_by_udp(r, u, i));
	}
}

static void psk_carries_packets_with(const char *tls)
{
	struct rig_opt opt;
	struct rig_udp u;
	rig_opt_init(&opt);
	opt.tls = tls;
	struct rig *r = rig_new(&opt);
	assert_true(comes_by_tcp(r, 1)); /* before DTLS */
	assert_true(rig_udp_connect(r, &u));
	assert_true(r->dtls_up);
	assert_non_null(strstr(r->cipher, "PSK"));
	works(r, &u);
	assert_int_equal(r->end, PATH_END_NONE);
	rig_udp_deinit(&u);
	rig_free(r);
}

static void psk_carries_packets_beside_tls13(void **state)
{
	(void)state;
	psk_carries_packets_with("NORMAL:-VERS-ALL:+VERS-TLS1.3");
}

static void psk_carries_packets_beside_tls12(void **state)
{
	(void)state;
	psk_carries_packets_with(tls12);
}

static void legacy_carries_packets(const struct dtls_choice *choice)
{
	struct rig_opt opt;
	struct rig_udp u;
	rig_opt_init(&opt);
	opt.mode = DTLS_LEGACY;
	opt.legacy = *choice;
	struct rig *r = rig_new(&opt);
	assert_true(rig_udp_connect(r, &u));
	assert_true(gnutls_session_is_resumed(u.s));
	works(r, &u);
	rig_udp_deinit(&u);
	rig_free(r);
}

static void legacy_dtls12_with_rsa_names_works(void **state)
{
	(void)state;
	legacy_carries_packets(&(struct dtls_choice){ .version = SUITE_DTLS_1_2,
						      .cipher = SUITE_AES_256_GCM,
						      .mac = SUITE_AEAD,
						      .kx = SUITE_RSA,
						      .prf_sha384 = true });
	legacy_carries_packets(&(struct dtls_choice){ .version = SUITE_DTLS_1_2,
						      .cipher = SUITE_AES_128_GCM,
						      .mac = SUITE_AEAD,
						      .kx = SUITE_RSA });
}

static void legacy_dtls12_with_ecdhe_names_works(void **state)
{
	(void)state;
	legacy_carries_packets(&(struct dtls_choice){ .version = SUITE_DTLS_1_2,
						      .cipher = SUITE_AES_128_GCM,
						      .mac = SUITE_AEAD,
						      .kx = SUITE_ECDHE_RSA });
	legacy_carries_packets(&(struct dtls_choice){ .version = SUITE_DTLS_1_2,
						      .cipher = SUITE_AES_256_GCM,
						      .mac = SUITE_AEAD,
						      .kx = SUITE_ECDHE_RSA,
						      .prf_sha384 = true });
}

static void legacy_dtls09_works(void **state)
{
	(void)state;
	legacy_carries_packets(&(struct dtls_choice){ .version = SUITE_DTLS_0_9,
						      .cipher = SUITE_AES_128_CBC,
						      .mac = SUITE_SHA1,
						      .kx = SUITE_RSA });
}

static void legacy_with_another_secret_fails(void **state)
{
	(void)state;
	struct rig_opt opt;
	struct rig_udp u;
	rig_opt_init(&opt);
	opt.mode = DTLS_LEGACY;
	opt.legacy = (struct dtls_choice){ .version = SUITE_DTLS_1_2,
					   .cipher = SUITE_AES_128_GCM,
					   .mac = SUITE_AEAD,
					   .kx = SUITE_RSA };
	struct rig *r = rig_new(&opt);
	r->master[0] ^= 1;
	assert_false(rig_udp_connect(r, &u));
	assert_false(r->dtls_up);
	rig_udp_deinit(&u);
	rig_later(r, 61000); /* and is forgotten */
	struct path_wants w;
	path_wants(r->path, &w);
	assert_int_equal(w.udp_new, -1);
	rig_free(r);
}

static void a_burst_leaves_in_order_and_whole(void **state)
{
	(void)state;
	struct rig *r = tunnel();
	struct rig_udp u;
	uint8_t pkt[RIG_PACKET], back[RIG_PACKET];
	assert_true(rig_udp_connect(r, &u));
	unsigned steps = r->steps;
	/* Sizes that close batches: equal ones, shorter, longer. */
	static const size_t sizes[] = { 1400, 1400, 1400, 900, 1400, 60, 61, 1400, 1400 };
	for (uint32_t i = 0; i < 63; i++) {
		size_t len = sizes[i % 9];
		rig_packet(pkt, len, "192.0.2.1", "10.0.0.2", IPPROTO_UDP, i);
		assert_int_equal(send(r->tun, pkt, len, 0), len);
	}
	for (uint32_t i = 0; i < 63; i++) {
		size_t len = sizes[i % 9];
		rig_packet(pkt, len, "192.0.2.1", "10.0.0.2", IPPROTO_UDP, i);
		assert_int_equal(rig_udp_recv(&u, back, sizeof back), len + 1);
		assert_memory_equal(back + 1, pkt, len);
	}
	assert_true(r->steps - steps < 10);
	assert_int_equal(path_counters(r->path)->dropped, 0);
	rig_udp_deinit(&u);
	rig_free(r);
}

/* protocol.md 89. */
static void a_dpd_request_is_answered_in_full_length(void **state)
{
	(void)state;
	struct rig *r = tunnel();
	struct rig_udp u;
	uint8_t ask[1435], back[RIG_PACKET];
	assert_true(rig_udp_connect(r, &u));
	memset(ask, 0x5a, sizeof ask);
	ask[0] = CSTP_DPD_REQ;
	static const size_t sizes[] = { 1, 2, 577, 1435 };
	for (size_t i = 0; i < 4; i++) {
		rig_udp_send(&u, ask, sizes[i]);
		assert_int_equal(rig_udp_recv(&u, back, sizeof back), sizes[i]);
		assert_int_equal(back[0], CSTP_DPD_RESP);
		assert_memory_equal(back + 1, ask + 1, sizes[i] - 1);
	}
	rig_udp_deinit(&u);
	rig_free(r);
}

static void a_larger_probe_raises_the_mtu_within_the_link(void **state)
{
	(void)state;
	struct rig_opt opt;
	struct rig_udp u;
	uint8_t ask[1600] = { CSTP_DPD_REQ }, back[RIG_PACKET];
	rig_opt_init(&opt);
	opt.limits.data_mtu = 1300;
	struct rig *r = rig_new(&opt);
	assert_true(rig_udp_connect(r, &u));
	assert_int_equal(path_data_mtu(r->path), 1300);
	rig_udp_send(&u, ask, 1401);
	assert_int_equal(rig_udp_recv(&u, back, sizeof back), 1401);
	assert_int_equal(r->mtu, 1400);
	assert_int_equal(path_data_mtu(r->path), 1400);
	/* Beyond the link MTU: the path carried it, but we do not; one byte says so. */
	gnutls_dtls_set_mtu(u.s, 1700);
	rig_udp_send(&u, ask, 1600);
	assert_int_equal(rig_udp_recv(&u, back, sizeof back), 1);
	assert_int_equal(back[0], CSTP_DPD_RESP);
	assert_int_equal(path_data_mtu(r->path), 1400);
	rig_udp_deinit(&u);
	rig_free(r);
}

static void packets_too_large_for_dtls_take_tcp(void **state)
{
	(void)state;
	struct rig *r = tunnel();
	struct rig_udp u;
	uint8_t pkt[1600], back[RIG_PACKET], type;
	assert_true(rig_udp_connect(r, &u));
	rig_packet(pkt, sizeof pkt, "192.0.2.1", "10.0.0.2", IPPROTO_UDP, 7);
	rig_tun_put(r, pkt, sizeof pkt);
	assert_int_equal(rig_recv(r, &type, back, sizeof back), 1600);
	assert_true(comes_by_udp(r, &u, 8));
	rig_udp_deinit(&u);
	rig_free(r);
}

static void data_on_tcp_means_the_client_lost_udp(void **state)
{
	(void)state;
	struct rig *r = tunnel();
	struct rig_udp u;
	uint8_t pkt[100], back[RIG_PACKET];
	assert_true(rig_udp_connect(r, &u));
	rig_send(r, CSTP_KEEPALIVE, NULL, 0); /* is no data */
	assert_true(comes_by_udp(r, &u, 1));
	rig_packet(pkt, sizeof pkt, "10.0.0.2", "192.0.2.1", IPPROTO_UDP, 2);
	rig_send(r, CSTP_DATA, pkt, sizeof pkt);
	assert_int_equal(rig_tun_get(r, back, sizeof back), 100);
	assert_true(comes_by_tcp(r, 3));
	assert_true(reaches_tun(r, &u, 4)); /* UDP is heard again */
	assert_true(comes_by_udp(r, &u, 5));
	rig_udp_deinit(&u);
	rig_free(r);
}

static void silent_udp_is_asked_and_left_for_tcp(void **state)
{
	(void)state;
	struct rig *r = tunnel();
	struct rig_udp u;
	uint8_t back[RIG_PACKET];
	assert_true(rig_udp_connect(r, &u));
	rig_later(r, 13000);
	/* Half of switch-to-tcp-timeout: a probe goes along with the packet. */
	uint8_t pkt[500];
	rig_packet(pkt, sizeof pkt, "192.0.2.1", "10.0.0.2", IPPROTO_UDP, 1);
	rig_tun_put(r, pkt, sizeof pkt);
	assert_int_equal(rig_udp_recv(&u, back, sizeof back), 1435);
	assert_int_equal(back[0], CSTP_DPD_REQ);
	assert_int_equal(rig_udp_recv(&u, back, sizeof back), 501);
	rig_later(r, 13000);
	assert_true(comes_by_tcp(r, 2));
	assert_true(reaches_tun(r, &u, 3));
	assert_true(comes_by_udp(r, &u, 4));
	rig_udp_deinit(&u);
	rig_free(r);
}

static void dpd_on_udp_is_a_full_packet_and_its_silence_switches(void **state)
{
	(void)state;
	struct rig_opt opt;
	struct rig_udp u;
	uint8_t back[RIG_PACKET], type;
	rig_opt_init(&opt);
	opt.limits.switch_to_tcp = 0;
	struct rig *r = rig_new(&opt);
	assert_true(rig_udp_connect(r, &u));
	rig_later(r, 181000);
	assert_int_equal(rig_udp_recv(&u, back, sizeof back), 1435);
	assert_int_equal(back[0], CSTP_DPD_REQ);
	assert_int_equal(rig_recv(r, &type, back, sizeof back), 0);
	rig_send(r, CSTP_DPD_RESP, NULL, 0); /* TCP lives */
	assert_true(comes_by_udp(r, &u, 1));
	rig_later(r, 91000);
	assert_int_equal(r->end, PATH_END_NONE);
	assert_true(comes_by_tcp(r, 2));
	rig_udp_deinit(&u);
	rig_free(r);
}

static void close_notify_leaves_the_tunnel_on_tcp(void **state)
{
	(void)state;
	struct rig *r = tunnel();
	struct rig_udp u, v;
	assert_true(rig_udp_connect(r, &u));
	gnutls_bye(u.s, GNUTLS_SHUT_WR);
	rig_run(r);
	assert_false(r->dtls_up);
	assert_int_equal(r->dtls_calls, 2);
	assert_true(comes_by_tcp(r, 1));
	assert_int_equal(r->end, PATH_END_NONE);
	assert_true(rig_udp_connect(r, &v)); /* and may come again with the same id */
	works(r, &v);
	rig_udp_deinit(&u);
	rig_udp_deinit(&v);
	rig_free(r);
}

/* protocol.md 93. */
static void a_new_client_socket_replaces_the_old_channel(void **state)
{
	(void)state;
	struct rig *r = tunnel();
	struct rig_udp u, v;
	assert_true(rig_udp_connect(r, &u));
	works(r, &u);
	assert_true(rig_udp_connect(r, &v));
	works(r, &v);
	assert_int_equal(r->peers, 2);
	rig_udp_deinit(&u);
	rig_udp_deinit(&v);
	rig_free(r);
}

/* Sends one datagram to the server from a socket of its own. */
static int attack(struct rig *r, const void *data, size_t len)
{
	struct sockaddr_storage to;
	socklen_t tolen = endpoint_to_sockaddr(&r->server, &to);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(sendto(fd, data, len, 0, (void *)&to, tolen), len);
	rig_run(r);
	return fd;
}

static void a_replayed_hello_does_not_disturb_the_channel(void **state)
{
	(void)state;
	struct rig *r = tunnel();
	struct rig_udp u;
	assert_true(rig_udp_connect(r, &u));
	int fd[3];
	for (int i = 0; i < 3; i++) {
		fd[i] = attack(r, u.hello, u.hello_len);
		works(r, &u);
		rig_later(r, 5000);
	}
	assert_int_equal(r->peers, 1);
	rig_later(r, 61000); /* the unfinished handshakes are forgotten */
	struct path_wants w;
	path_wants(r->path, &w);
	assert_int_equal(w.udp_new, -1);
	assert_true(reaches_tun(r, &u, 1));
	works(r, &u);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
	rig_udp_deinit(&u);
	rig_free(r);
}

static void a_forged_record_from_elsewhere_is_not_followed(void **state)
{
	(void)state;
	struct rig *r = tunnel();
	struct rig_udp u;
	uint8_t forged[100] = { 23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 99, 0, 87 };
	assert_true(rig_udp_connect(r, &u));
	works(r, &u);
	close(attack(r, forged, sizeof forged));
	close(attack(r, u.last, u.last_len)); /* a true record, replayed */
	close(attack(r, "x", 1));
	assert_int_equal(r->peers, 1);
	works(r, &u);
	rig_udp_deinit(&u);
	rig_free(r);
}

static void the_path_follows_a_client_whose_port_changed(void **state)
{
	(void)state;
	struct rig *r = tunnel();
	struct rig_udp u;
	assert_true(rig_udp_connect(r, &u));
	works(r, &u);
	for (unsigned i = 0; i < 3; i++) {
		rig_udp_rebind(&u);
		assert_true(reaches_tun(r, &u, i));
		works(r, &u);
		assert_int_equal(r->peers, 2 + i);
	}
	rig_udp_deinit(&u);
	rig_free(r);
}

static void a_failed_handshake_leaves_nothing_to_do(void **state)
{
	(void)state;
	struct rig *r = tunnel();
	struct rig_udp u;
	rig_udp_init(r, &u);
	gnutls_psk_free_client_credentials(u.psk);
	gnutls_psk_allocate_client_credentials(&u.psk);
	u.key.data[0] ^= 1;
	gnutls_psk_set_client_credentials(u.psk, "psk", &u.key, GNUTLS_PSK_KEY_RAW);
	gnutls_credentials_set(u.s, GNUTLS_CRD_PSK, u.psk);
	assert_false(rig_udp_handshake(&u));
	rig_later(r, 61000);
	struct path_wants w;
	path_wants(r->path, &w);
	assert_int_equal(w.udp, -1);
	assert_int_equal(w.udp_new, -1);
	unsigned steps = r->steps;
	for (int i = 0; i < 20; i++)
		rig_run(r);
	assert_true(r->steps - steps < 3);
	assert_true(comes_by_tcp(r, 1));
	rig_udp_deinit(&u);
	rig_free(r);
}

static void a_hello_inside_the_same_socket_starts_a_new_channel(void **state)
{
	(void)state;
	struct rig *r = tunnel();
	struct rig_udp u, v;
	assert_true(rig_udp_connect(r, &u));
	works(r, &u);
	rig_later(r, 4000);
	rig_udp_init(r, &v);
	close(v.fd);
	v.fd = dup(u.fd); /* the same address and port */
	assert_true(rig_udp_handshake(&v));
	works(r, &v);
	assert_int_equal(r->dtls_calls, 2);
	rig_udp_deinit(&u);
	works(r, &v);
	rig_udp_deinit(&v);
	rig_free(r);
}

static void a_renegotiation_inside_the_channel_works(void **state)
{
	(void)state;
	struct rig *r = tunnel();
	struct rig_udp u;
	assert_true(rig_udp_connect(r, &u));
	works(r, &u);
	for (int i = 0; i < 3; i++) {
		assert_true(rig_udp_handshake(&u));
		works(r, &u);
	}
	rig_udp_deinit(&u);
	rig_free(r);
}

static int merges(unsigned off, uint64_t rx_rate)
{
	struct rig_opt opt;
	struct rig_udp u;
	int on = -1;
	socklen_t len = sizeof on;
	rig_opt_init(&opt);
	opt.limits.off |= off;
	opt.limits.rx_rate = rx_rate;
	struct rig *r = rig_new(&opt);
	assert_true(rig_udp_connect(r, &u));
	assert_int_equal(getsockopt(assoc_fd(r->path->udp.active), IPPROTO_UDP, UDP_GRO, &on, &len),
			 0);
	rig_udp_deinit(&u);
	rig_free(r);
	return on;
}

/* A merged message comes whole or not at all, which is too coarse for a limit. */
static void datagrams_are_merged_unless_a_limit_counts_them(void **state)
{
	(void)state;
	assert_int_equal(merges(0, 0), 1);
	assert_int_equal(merges(PATH_OFF_UDP_GRO, 0), 0);
	assert_int_equal(merges(0, 100000), 0);
}

/* The client waits for so long that only the server can help. */
static void a_lost_flight_of_a_renegotiation_comes_again(void **state)
{
	(void)state;
	struct rig *r = tunnel();
	struct rig_udp u;
	assert_true(rig_udp_connect(r, &u));
	works(r, &u);
	gnutls_dtls_set_timeouts(u.s, 50000, 60000);
	u.lose_input = true;
	int ret = gnutls_handshake(u.s);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ret, GNUTLS_E_AGAIN);
		rig_run(r);
		ret = gnutls_handshake(u.s);
	}
	u.lose_input = false;
	for (int i = 0; i < 500 && ret; i++) {
		usleep(20000);
		rig_run(r);
		ret = gnutls_handshake(u.s);
	}
	assert_int_equal(ret, 0);
	works(r, &u);
	rig_udp_deinit(&u);
	rig_free(r);
}

static void data_is_sealed_here_unless_switched_off(void **state)
{
	(void)state;
	struct rig_udp u;
	struct rig *r = tunnel();
	assert_true(rig_udp_connect(r, &u));
	assert_int_equal(assoc_seals(r->path->udp.active), !(r->opt.limits.off & PATH_OFF_SEALING));
	works(r, &u);
	rig_udp_deinit(&u);
	rig_free(r);
}

/* From the client's own socket. */
static void resend(struct rig *r, struct rig_udp *u, const uint8_t *data, size_t len)
{
	struct sockaddr_storage to;
	socklen_t tolen = endpoint_to_sockaddr(&r->server, &to);
	assert_int_equal(sendto(u->fd, data, len, 0, (void *)&to, tolen), len);
}

/* RFC 6347 4.1.2.6. */
static void a_datagram_that_comes_again_is_not_delivered(void **state)
{
	(void)state;
	uint8_t back[RIG_PACKET], again[2048];
	struct rig_udp u;
	struct rig *r = tunnel();
	assert_true(rig_udp_connect(r, &u));
	for (int i = 0; i < 3; i++) {
		assert_true(reaches_tun(r, &u, 5));
		size_t len = u.last_len;
		memcpy(again, u.last, len);
		resend(r, &u, again, len);
		assert_int_equal(rig_tun_get(r, back, sizeof back), -1);
		works(r, &u);
		resend(r, &u, again, len);
		assert_int_equal(rig_tun_get(r, back, sizeof back), -1);
		assert_true(rig_udp_handshake(&u));
		resend(r, &u, again, len);
		assert_int_equal(rig_tun_get(r, back, sizeof back), -1);
	}
	rig_udp_deinit(&u);
	rig_free(r);
}

/* The alert is GnuTLS's, after records that may not have been: a number used twice would make it a
 * replay to the client, and give away two plaintexts to everybody. */
static void a_goodbye_after_data_is_authentic(void **state)
{
	(void)state;
	struct rig *r = tunnel();
	struct rig_udp u;
	uint8_t back[RIG_PACKET];
	assert_true(rig_udp_connect(r, &u));
	for (uint32_t mark = 0; mark < 5; mark++)
		assert_true(comes_by_udp(r, &u, mark));
	path_say_goodbye(r->path, "the end");
	assert_int_equal(gnutls_record_recv(u.s, back, sizeof back), 0);
	rig_udp_deinit(&u);
	rig_free(r);
}

/* RFC 6347 4.1.1: a datagram may hold several records; a bad one spoils no other. */
static void a_record_behind_a_repeated_one_counts(void **state)
{
	(void)state;
	struct rig *r = tunnel();
	struct rig_udp u;
	uint8_t pkt[100], frame[101], both[2048], back[RIG_PACKET];
	assert_true(rig_udp_connect(r, &u));
	assert_true(reaches_tun(r, &u, 1));
	size_t first = u.last_len;
	memcpy(both, u.last, first);
	rig_packet(pkt, sizeof pkt, "10.0.0.2", "192.0.2.1", IPPROTO_UDP, 2);
	frame[0] = CSTP_DATA;
	memcpy(frame + 1, pkt, sizeof pkt);
	int fd = u.fd;
	u.fd = -1; /* only to have it sealed */
	(void)!gnutls_record_send(u.s, frame, sizeof frame);
	u.fd = fd;
	assert_in_range(first + u.last_len, 200, sizeof both);
	memcpy(both + first, u.last, u.last_len);
	resend(r, &u, both, first + u.last_len);
	assert_int_equal(rig_tun_get(r, back, sizeof back), sizeof pkt);
	assert_memory_equal(back, pkt, sizeof pkt);
	assert_int_equal(rig_tun_get(r, back, sizeof back), -1);
	rig_udp_deinit(&u);
	rig_free(r);
}

static void udp_is_ignored_when_it_was_not_offered(void **state)
{
	(void)state;
	struct rig_opt opt;
	struct rig_udp u;
	rig_opt_init(&opt);
	struct rig *r = rig_new(&opt);
	rig_free(r);
	opt.mode = DTLS_NONE;
	r = rig_new(&opt);
	r->opt.mode = DTLS_PSK; /* the client tries all the same */
	assert_false(rig_udp_connect(r, &u));
	assert_false(r->dtls_up);
	assert_true(comes_by_tcp(r, 1));
	rig_udp_deinit(&u);
	rig_free(r);
}

/* On a device that shrinks, in a namespace of our own (needs root). */
static void the_mtu_follows_the_device_without(unsigned off)
{
	struct rig_opt opt;
	struct rig_udp u;
	uint8_t pkt[1434], back[RIG_PACKET];
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(system("ip link set lo up mtu 1500"), 0);
	rig_opt_init(&opt);
	opt.limits.probe_mtu = true;
	opt.limits.off |= off;
	struct rig *r = rig_new(&opt);
	assert_true(rig_udp_connect(r, &u));
	rig_packet(pkt, sizeof pkt, "192.0.2.1", "10.0.0.2", IPPROTO_UDP, 1);
	rig_tun_put(r, pkt, sizeof pkt);
	while (rig_udp_recv(&u, back, sizeof back) > 0 && back[0] != CSTP_DATA)
		;
	assert_int_equal(back[0], CSTP_DATA);
	assert_int_equal(system("ip link set lo mtu 1300"), 0);
	rig_tun_put(r, pkt, sizeof pkt);
	assert_true(r->mtu <= 1300 - 28 - 37 - 1);
	assert_true(comes_by_udp(r, &u, 2));
	assert_int_equal(path_counters(r->path)->dropped, 1);
	rig_udp_deinit(&u);
	rig_free(r);
}

static void the_mtu_follows_a_device_that_shrinks(void **state)
{
	(void)state;
	the_mtu_follows_the_device_without(0);
	the_mtu_follows_the_device_without(PATH_OFF_BATCH);
	the_mtu_follows_the_device_without(PATH_OFF_UDP_GSO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(psk_carries_packets_beside_tls13),
		cmocka_unit_test(psk_carries_packets_beside_tls12),
		cmocka_unit_test(legacy_dtls12_with_rsa_names_works),
		cmocka_unit_test(legacy_dtls12_with_ecdhe_names_works),
		cmocka_unit_test(legacy_dtls09_works),
		cmocka_unit_test(legacy_with_another_secret_fails),
		cmocka_unit_test(a_burst_leaves_in_order_and_whole),
		cmocka_unit_test(a_dpd_request_is_answered_in_full_length),
		cmocka_unit_test(the_mtu_follows_a_device_that_shrinks),
		cmocka_unit_test(a_larger_probe_raises_the_mtu_within_the_link),
		cmocka_unit_test(packets_too_large_for_dtls_take_tcp),
		cmocka_unit_test(data_on_tcp_means_the_client_lost_udp),
		cmocka_unit_test(silent_udp_is_asked_and_left_for_tcp),
		cmocka_unit_test(dpd_on_udp_is_a_full_packet_and_its_silence_switches),
		cmocka_unit_test(close_notify_leaves_the_tunnel_on_tcp),
		cmocka_unit_test(a_new_client_socket_replaces_the_old_channel),
		cmocka_unit_test(a_replayed_hello_does_not_disturb_the_channel),
		cmocka_unit_test(a_forged_record_from_elsewhere_is_not_followed),
		cmocka_unit_test(the_path_follows_a_client_whose_port_changed),
		cmocka_unit_test(a_failed_handshake_leaves_nothing_to_do),
		cmocka_unit_test(a_hello_inside_the_same_socket_starts_a_new_channel),
		cmocka_unit_test(a_renegotiation_inside_the_channel_works),
		cmocka_unit_test(datagrams_are_merged_unless_a_limit_counts_them),
		cmocka_unit_test(a_lost_flight_of_a_renegotiation_comes_again),
		cmocka_unit_test(data_is_sealed_here_unless_switched_off),
		cmocka_unit_test(a_datagram_that_comes_again_is_not_delivered),
		cmocka_unit_test(a_goodbye_after_data_is_authentic),
		cmocka_unit_test(a_record_behind_a_repeated_one_counts),
		cmocka_unit_test(udp_is_ignored_when_it_was_not_offered),
	};
	int failed = cmocka_run_group_tests_name("records of our own", tests, NULL, NULL);
	rig_default_off(PATH_OFF_SEALING);
	return failed + cmocka_run_group_tests_name("GnuTLS's records", tests, NULL, NULL);
}
