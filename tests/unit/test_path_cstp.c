/* test_path_cstp.c - the data path over TLS, against a GnuTLS client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/path_rig.h"
#include "wire/cstp_frame.h"
#include "worker/path/path_priv.h"

static struct rig *tunnel(unsigned flags)
{
	struct rig_opt opt;
	rig_opt_init(&opt);
	(void)flags;
	return rig_new(&opt);
}

static void packets_pass_both_ways_on(const char *tls)
{
	struct rig_opt opt;
	rig_opt_init(&opt);
	opt.tls = tls;
	struct rig *r = rig_new(&opt);
	uint8_t pkt[RIG_PACKET], back[RIG_PACKET], type;
	for (uint32_t i = 0; i < 200; i++) {
		size_t len = 40 + i * 37 % 200 * 7;
		rig_packet(pkt, len, "10.0.0.2", "192.0.2.1", IPPROTO_UDP, i);
		rig_send(r, CSTP_DATA, pkt, len);
		assert_int_equal(rig_tun_get(r, back, sizeof back), len);
		assert_memory_equal(pkt, back, len);
		rig_packet(pkt, len, "192.0.2.1", "10.0.0.2", IPPROTO_UDP, i);
		rig_tun_put(r, pkt, len);
		assert_int_equal(rig_recv(r, &type, back, sizeof back), len);
		assert_int_equal(type, CSTP_DATA);
		assert_memory_equal(pkt, back, len);
	}
	const struct path_counters *c = path_counters(r->path);
	assert_int_equal(c->rx_packets, 200);
	assert_int_equal(c->tx_packets, 200);
	assert_int_equal(c->rx_bytes, c->tx_bytes);
	assert_int_equal(r->end, PATH_END_NONE);
	rig_free(r);
}

static void packets_pass_both_ways_on_tls13(void **state)
{
	(void)state;
	packets_pass_both_ways_on("NORMAL:-VERS-ALL:+VERS-TLS1.3");
}

static void packets_pass_both_ways_on_tls12(void **state)
{
	(void)state;
	packets_pass_both_ways_on("NORMAL:-VERS-ALL:+VERS-TLS1.2");
}

static void packets_pass_with_ciphers_that_are_left_to_gnutls(void **state)
{
	(void)state;
	packets_pass_both_ways_on("NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC");
	packets_pass_both_ways_on("NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-CCM");
}

/* The alert is GnuTLS's, after records that may not have been: with a number used twice the client
 * would find it forged, and two plaintexts would be given away. */
static void a_goodbye_after_data_is_authentic_on(const char *tls)
{
	struct rig_opt opt;
	rig_opt_init(&opt);
	opt.tls = tls;
	struct rig *r = rig_new(&opt);
	uint8_t pkt[500], back[RIG_PACKET], type;
	for (uint32_t i = 0; i < 5; i++) {
		rig_packet(pkt, sizeof pkt, "192.0.2.1", "10.0.0.2", IPPROTO_UDP, i);
		rig_tun_put(r, pkt, sizeof pkt);
		assert_int_equal(rig_recv(r, &type, back, sizeof back), sizeof pkt);
	}
	path_say_goodbye(r->path, "the end");
	assert_int_equal(rig_recv(r, &type, back, sizeof back), 8);
	assert_int_equal(type, CSTP_DISCONNECT);
	ssize_t k;
	do
		k = gnutls_record_recv(r->tls, back, sizeof back);
	while (k == GNUTLS_E_AGAIN);
	assert_int_equal(k, 0);
	rig_free(r);
}

static void a_goodbye_after_data_is_authentic(void **state)
{
	(void)state;
	a_goodbye_after_data_is_authentic_on("NORMAL:-VERS-ALL:+VERS-TLS1.2");
	a_goodbye_after_data_is_authentic_on("NORMAL:-VERS-ALL:+VERS-TLS1.3");
}

static void a_burst_leaves_in_order_and_in_few_steps(void **state)
{
	(void)state;
	struct rig *r = tunnel(0);
	uint8_t pkt[RIG_PACKET], back[RIG_PACKET], type;
	unsigned steps = r->steps;
	for (uint32_t i = 0; i < 64; i++) {
		rig_packet(pkt, 1000, "192.0.2.1", "10.0.0.2", IPPROTO_UDP, i);
		assert_int_equal(send(r->tun, pkt, 1000, 0), 1000);
	}
	for (uint32_t i = 0; i < 64; i++) {
		uint32_t mark;
		assert_int_equal(rig_recv(r, &type, back, sizeof back), 1000);
		memcpy(&mark, back + 28, 4);
		assert_int_equal(mark, i);
	}
	assert_true(r->steps - steps < 10);
	rig_free(r);
}

static void frames_split_and_joined_are_understood(void **state)
{
	(void)state;
	struct rig *r = tunnel(0);
	uint8_t buf[3 * 508], back[RIG_PACKET];
	for (uint32_t i = 0; i < 3; i++) {
		cstp_header_build(buf + i * 508, CSTP_DATA, 500);
		rig_packet(buf + i * 508 + 8, 500, "10.0.0.2", "192.0.2.1", IPPROTO_UDP, i);
	}
	rig_send_raw(r, buf, sizeof buf);
	for (int i = 0; i < 3; i++)
		assert_int_equal(rig_tun_get(r, back, sizeof back), 500);
	for (size_t at = 0; at < sizeof buf; at += 3)
		rig_send_raw(r, buf + at, sizeof buf - at < 3 ? sizeof buf - at : 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(rig_tun_get(r, back, sizeof back), 500);
		assert_memory_equal(back, buf + i * 508 + 8, 500);
	}
	assert_int_equal(rig_tun_get(r, back, sizeof back), -1);
	rig_free(r);
}

static void data_is_sealed_here_unless_switched_off(void **state)
{
	(void)state;
	struct rig *r = tunnel(0);
	assert_int_equal(r->path->seal != NULL, !(r->opt.limits.off & PATH_OFF_SEALING));
	rig_free(r);
}

/* RFC 8449: a frame takes several records then. */
static void a_client_may_limit_the_size_of_records(void **state)
{
	(void)state;
	static const char *const tls[] = { "NORMAL:-VERS-ALL:+VERS-TLS1.3",
					   "NORMAL:-VERS-ALL:+VERS-TLS1.2" };
	uint8_t pkt[1300], back[RIG_PACKET];
	for (int i = 0; i < 20; i++) {
		struct rig_opt opt;
		size_t got = 0;
		rig_opt_init(&opt);
		opt.tls = tls[i % 2];
		opt.record = 600;
		struct rig *r = rig_new(&opt);
		for (int k = 0; k < 4; k++, got = 0) {
			size_t len = k % 2 ? 1300 : 300;
			rig_packet(pkt, len, "192.0.2.1", "10.0.0.2", IPPROTO_UDP, 1);
			rig_tun_put(r, pkt, len);
			for (int wait = 0; wait < 50 && got < 8 + len; wait++) {
				ssize_t n =
					gnutls_record_recv(r->tls, back + got, sizeof back - got);
				got += n > 0 ? (size_t)n : 0;
				if (n < 0)
					usleep(200);
			}
			assert_int_equal(got, 8 + len);
			assert_memory_equal(back + 8, pkt, len);
		}
		rig_free(r);
	}
}

/* Sends half, lets the path look, and sends the rest. */
static ssize_t push_halves(gnutls_transport_ptr_t ptr, const void *data, size_t len)
{
	struct rig *r = gnutls_session_get_ptr(*(gnutls_session_t *)ptr);
	const uint8_t *p = data;
	for (size_t at = 0, n; at < len; at += n, rig_run(r)) {
		n = at == 0 ? len / 2 : len - at;
		assert_int_equal(send(r->tcp, p + at, n, 0), n);
	}
	return (ssize_t)len;
}

static ssize_t pull_socket(gnutls_transport_ptr_t ptr, void *data, size_t len)
{
	const struct rig *r = gnutls_session_get_ptr(*(gnutls_session_t *)ptr);
	return recv(r->tcp, data, len, MSG_DONTWAIT);
}

static void records_may_come_in_pieces(void **state)
{
	(void)state;
	struct rig *r = tunnel(0);
	uint8_t pkt[RIG_PACKET], back[RIG_PACKET], type;
	gnutls_session_set_ptr(r->tls, r);
	gnutls_transport_set_ptr(r->tls, &r->tls);
	gnutls_transport_set_push_function(r->tls, push_halves);
	gnutls_transport_set_pull_function(r->tls, pull_socket);
	for (uint32_t i = 0; i < 100; i++) {
		if (i % 20 == 10)
			assert_int_equal(gnutls_session_key_update(r->tls, GNUTLS_KU_PEER), 0);
		rig_packet(pkt, 100 + i, "10.0.0.2", "192.0.2.1", IPPROTO_UDP, i);
		rig_send(r, CSTP_DATA, pkt, 100 + i);
		assert_int_equal(rig_tun_get(r, back, sizeof back), 100 + i);
		assert_memory_equal(pkt, back, 100 + i);
	}
	rig_send(r, CSTP_DPD_REQ, NULL, 0);
	assert_int_equal(rig_recv(r, &type, back, sizeof back), 0);
	rig_free(r);
}

/* RFC 8446 6.2: the client is told. */
static void a_forged_record_ends_the_tunnel_with_an_alert(void **state)
{
	(void)state;
	static const uint8_t forged[5 + 48] = { 23, 3, 3, 0, 48, 1, 2, 3 };
	uint8_t back[RIG_PACKET], type;
	struct rig *r = tunnel(0);
	for (int i = 0; i < 5; i++) {
		rig_send(r, CSTP_DPD_REQ, NULL, 0);
		assert_int_equal(rig_recv(r, &type, back, sizeof back), 0);
	}
	assert_int_equal(send(r->tcp, forged, sizeof forged, 0), sizeof forged);
	assert_int_equal(rig_recv(r, &type, back, sizeof back), -1);
	assert_int_equal(r->end, PATH_END_ERROR);
	assert_true(r->tcp_closed);
	assert_int_equal(gnutls_alert_get(r->tls), GNUTLS_A_BAD_RECORD_MAC);
	rig_free(r);
}

static void a_dpd_request_is_echoed(void **state)
{
	(void)state;
	struct rig *r = tunnel(0);
	uint8_t ask[600], back[RIG_PACKET], type;
	memset(ask, 0x5a, sizeof ask);
	static const size_t sizes[] = { 0, 1, 600 };
	for (size_t i = 0; i < 3; i++) {
		rig_send(r, CSTP_DPD_REQ, ask, sizes[i]);
		assert_int_equal(rig_recv(r, &type, back, sizeof back), sizes[i]);
		assert_int_equal(type, CSTP_DPD_RESP);
		assert_memory_equal(ask, back, sizes[i]);
	}
	rig_send(r, CSTP_KEEPALIVE, NULL, 0);
	rig_send(r, CSTP_DPD_RESP, NULL, 0);
	rig_send(r, 0x77, NULL, 0); /* unknown: ignored */
	assert_int_equal(rig_recv(r, &type, back, sizeof back), -1);
	assert_int_equal(r->end, PATH_END_NONE);
	rig_free(r);
}

static void bad_magic_ends_the_tunnel(void **state)
{
	(void)state;
	struct rig *r = tunnel(0);
	rig_send_raw(r, "STX\1\0\0\0\0", 8);
	assert_int_equal(r->end, PATH_END_ERROR);
	rig_free(r);
}

static void compressed_data_that_nobody_agreed_to_ends_the_tunnel(void **state)
{
	(void)state;
	struct rig *r = tunnel(0);
	rig_send(r, CSTP_COMPRESSED, "abc", 3);
	assert_int_equal(r->end, PATH_END_ERROR);
	rig_free(r);
}

static enum path_end end_after(const void *payload, size_t len)
{
	struct rig *r = tunnel(0);
	rig_send(r, CSTP_DISCONNECT, payload, len);
	enum path_end end = r->end;
	rig_free(r);
	return end;
}

static void disconnect_reasons_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(end_after("\xb0"
				   "bye",
				   4),
			 PATH_END_USER);
	assert_int_equal(end_after("\x91", 1), PATH_END_PAUSE);
	assert_int_equal(end_after("\x70", 1), PATH_END_PAUSE);
	assert_int_equal(end_after("\xd1", 1), PATH_END_PAUSE);
	assert_int_equal(end_after(NULL, 0), PATH_END_PAUSE);
}

static void a_closed_connection_ends_the_tunnel_quietly(void **state)
{
	(void)state;
	struct rig *r = tunnel(0);
	shutdown(r->tcp, SHUT_RDWR);
	rig_run(r);
	assert_int_equal(r->end, PATH_END_CLOSED);
	rig_free(r);
}

static void data_sent_just_before_closing_still_arrives(void **state)
{
	(void)state;
	struct rig *r = tunnel(0);
	uint8_t frame[108], back[RIG_PACKET];
	cstp_header_build(frame, CSTP_DATA, 100);
	rig_packet(frame + 8, 100, "10.0.0.2", "192.0.2.1", IPPROTO_TCP, 1);
	assert_int_equal(gnutls_record_send(r->tls, frame, sizeof frame), sizeof frame);
	gnutls_bye(r->tls, GNUTLS_SHUT_WR);
	shutdown(r->tcp, SHUT_WR);
	rig_run(r);
	assert_int_equal(r->end, PATH_END_CLOSED);
	assert_int_equal(recv(r->tun, back, sizeof back, MSG_DONTWAIT), 100);
	rig_free(r);
}

static void a_foreign_source_is_dropped_and_counted(void **state)
{
	(void)state;
	struct rig *r = tunnel(0);
	uint8_t pkt[100], back[RIG_PACKET];
	rig_packet(pkt, sizeof pkt, "10.0.0.3", "192.0.2.1", IPPROTO_UDP, 1);
	rig_send(r, CSTP_DATA, pkt, sizeof pkt);
	memset(pkt, 0, sizeof pkt);
	pkt[0] = 0x60; /* IPv6, which this client was not given */
	pkt[5] = 60;
	pkt[6] = IPPROTO_UDP;
	rig_send(r, CSTP_DATA, pkt, sizeof pkt);
	assert_int_equal(rig_tun_get(r, back, sizeof back), -1);
	assert_int_equal(path_counters(r->path)->bad_source, 2);
	rig_send(r, CSTP_DATA, "\x15 not IP", 8);
	rig_send(r, CSTP_DATA, NULL, 0); /* legal, of no meaning */
	assert_int_equal(path_counters(r->path)->dropped, 1);
	assert_int_equal(r->end, PATH_END_NONE);
	rig_free(r);
}

static void sources_of_ipv6_are_those_of_the_clients_block(void **state)
{
	(void)state;
	struct rig_opt opt;
	rig_opt_init(&opt);
	assert_int_equal(addr_net_parse("fd00:1::/112", &opt.limits.v6), ERR_OK);
	struct rig *r = rig_new(&opt);
	uint8_t pkt[60] = { 0x60, [5] = 20, [6] = IPPROTO_UDP }, back[RIG_PACKET];
	memcpy(pkt + 8, opt.limits.v6.addr.bytes, 16);
	pkt[23] = 7;
	rig_send(r, CSTP_DATA, pkt, sizeof pkt);
	assert_int_equal(rig_tun_get(r, back, sizeof back), sizeof pkt);
	pkt[21] = 1;
	rig_send(r, CSTP_DATA, pkt, sizeof pkt);
	assert_int_equal(rig_tun_get(r, back, sizeof back), -1);
	assert_int_equal(path_counters(r->path)->bad_source, 1);
	rig_free(r);
}

static void a_network_behind_the_client_may_be_a_source(void **state)
{
	(void)state;
	struct rig_opt opt;
	struct addr_net behind;
	rig_opt_init(&opt);
	assert_int_equal(addr_net_parse("172.20.0.0/16", &behind), ERR_OK);
	opt.limits.behind = &behind;
	opt.limits.behind_n = 1;
	struct rig *r = rig_new(&opt);
	uint8_t pkt[100], back[RIG_PACKET];
	rig_packet(pkt, sizeof pkt, "172.20.3.4", "192.0.2.1", IPPROTO_UDP, 1);
	rig_send(r, CSTP_DATA, pkt, sizeof pkt);
	assert_int_equal(rig_tun_get(r, back, sizeof back), 100);
	rig_packet(pkt, sizeof pkt, "172.21.3.4", "192.0.2.1", IPPROTO_UDP, 1);
	rig_send(r, CSTP_DATA, pkt, sizeof pkt);
	assert_int_equal(path_counters(r->path)->bad_source, 1);
	rig_free(r);
}

static void a_client_that_stops_reading_is_dropped(void **state)
{
	(void)state;
	struct rig *r = tunnel(0);
	uint8_t pkt[1400];
	rig_packet(pkt, sizeof pkt, "192.0.2.1", "10.0.0.2", IPPROTO_UDP, 1);
	/* The path stops reading the TUN: memory stays bounded. */
	unsigned n = 0;
	while (send(r->tun, pkt, sizeof pkt, MSG_DONTWAIT) > 0 && n < 100000) {
		n++;
		rig_run(r);
	}
	assert_true(n < 100000);
	assert_int_equal(r->end, PATH_END_NONE);
	rig_later(r, 9000);
	assert_int_equal(r->end, PATH_END_NONE);
	rig_later(r, 2000);
	assert_int_equal(r->end, PATH_END_STALLED);
	rig_free(r);
}

static void a_client_that_asks_without_reading_costs_bounded_memory(void **state)
{
	(void)state;
	struct rig *r = tunnel(0);
	uint8_t ask[8000], frame[8 + sizeof ask];
	memset(ask, 1, sizeof ask);
	cstp_header_build(frame, CSTP_DPD_REQ, sizeof ask);
	memcpy(frame + 8, ask, sizeof ask);
	for (int i = 0; i < 4000 && r->end == PATH_END_NONE; i++) {
		(void)gnutls_record_send(r->tls, frame, sizeof frame);
		rig_run(r);
	}
	assert_int_equal(r->end, PATH_END_NONE);
	rig_later(r, 11000);
	assert_int_equal(r->end, PATH_END_STALLED);
	rig_free(r);
}

static void a_silent_client_is_asked_and_then_dropped(void **state)
{
	(void)state;
	struct rig *r = tunnel(0);
	uint8_t back[64], type;
	rig_later(r, 179000);
	assert_int_equal(rig_recv(r, &type, back, sizeof back), -1);
	rig_later(r, 2000);
	assert_int_equal(rig_recv(r, &type, back, sizeof back), 0);
	assert_int_equal(type, CSTP_DPD_REQ);
	rig_send(r, CSTP_DPD_RESP, NULL, 0); /* alive after all */
	rig_later(r, 181000);
	assert_int_equal(rig_recv(r, &type, back, sizeof back), 0);
	rig_later(r, 91000);
	assert_int_equal(r->end, PATH_END_DPD);
	rig_free(r);
}

static void an_idle_tunnel_is_not_stepped(void **state)
{
	(void)state;
	struct rig_opt opt;
	rig_opt_init(&opt);
	opt.limits.dpd = 0;
	opt.limits.rekey = 0;
	struct rig *r = rig_new(&opt);
	struct path_wants w;
	rig_later(r, 10000);
	unsigned steps = r->steps;
	rig_later(r, 1000000);
	assert_int_equal(r->steps, steps);
	path_wants(r->path, &w);
	assert_true(w.deadline == UINT64_MAX);
	rig_free(r);
}

static void the_owner_hears_of_traffic_once_a_second(void **state)
{
	(void)state;
	struct rig *r = tunnel(0);
	uint8_t pkt[100];
	rig_later(r, 5000);
	assert_int_equal(r->counter_calls, 0);
	for (unsigned second = 1; second <= 3; second++) {
		for (uint32_t i = 0; i < 10; i++) {
			rig_packet(pkt, sizeof pkt, "10.0.0.2", "192.0.2.1", IPPROTO_UDP, i);
			rig_send(r, CSTP_DATA, pkt, sizeof pkt);
			rig_run(r);
		}
		rig_later(r, 1001);
		assert_int_equal(r->counter_calls, second);
	}
	rig_later(r, 5000);
	assert_int_equal(r->counter_calls, 3);
	rig_free(r);
}

static void icmp_does_not_keep_a_session_from_being_idle(void **state)
{
	(void)state;
	struct rig_opt opt;
	rig_opt_init(&opt);
	opt.limits.idle_timeout = 60;
	struct rig *r = rig_new(&opt);
	uint8_t pkt[100];
	rig_later(r, 50000);
	rig_packet(pkt, sizeof pkt, "10.0.0.2", "192.0.2.1", IPPROTO_TCP, 1);
	rig_send(r, CSTP_DATA, pkt, sizeof pkt);
	rig_later(r, 50000);
	assert_int_equal(r->end, PATH_END_NONE);
	rig_packet(pkt, sizeof pkt, "10.0.0.2", "192.0.2.1", IPPROTO_ICMP, 1);
	rig_send(r, CSTP_DATA, pkt, sizeof pkt);
	rig_packet(pkt, sizeof pkt, "192.0.2.1", "10.0.0.2", IPPROTO_ICMP, 1);
	rig_tun_put(r, pkt, sizeof pkt);
	rig_later(r, 11000);
	assert_int_equal(r->end, PATH_END_IDLE);
	rig_free(r);
}

static void a_session_ends_at_its_time(void **state)
{
	(void)state;
	struct rig_opt opt;
	rig_opt_init(&opt);
	opt.limits.session_left = 100;
	struct rig *r = rig_new(&opt);
	uint8_t back[64], type;
	rig_later(r, 99000);
	assert_int_equal(r->end, PATH_END_NONE);
	rig_later(r, 1100);
	assert_int_equal(r->end, PATH_END_SESSION_TIMEOUT);
	path_say_goodbye(r->path, "session time is over");
	assert_int_equal(rig_recv(r, &type, back, sizeof back), 21);
	assert_int_equal(type, CSTP_DISCONNECT);
	assert_memory_equal(back + 1, "session time is over", 20);
	assert_int_equal(rig_recv(r, &type, back, sizeof back), -1);
	assert_true(r->tcp_closed);
	rig_free(r);
}

static void the_memory_of_an_idle_path_is_given_back(void **state)
{
	(void)state;
	struct rig *r = tunnel(0);
	uint8_t pkt[1000], back[RIG_PACKET], type;
	rig_packet(pkt, sizeof pkt, "192.0.2.1", "10.0.0.2", IPPROTO_TCP, 1);
	rig_tun_put(r, pkt, sizeof pkt);
	assert_int_equal(rig_recv(r, &type, back, sizeof back), 1000);
	rig_later(r, 1500); /* and works again afterwards */
	rig_tun_put(r, pkt, sizeof pkt);
	assert_int_equal(rig_recv(r, &type, back, sizeof back), 1000);
	assert_memory_equal(pkt, back, sizeof pkt);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_pass_both_ways_on_tls13),
		cmocka_unit_test(packets_pass_both_ways_on_tls12),
		cmocka_unit_test(packets_pass_with_ciphers_that_are_left_to_gnutls),
		cmocka_unit_test(a_goodbye_after_data_is_authentic),
		cmocka_unit_test(a_burst_leaves_in_order_and_in_few_steps),
		cmocka_unit_test(frames_split_and_joined_are_understood),
		cmocka_unit_test(data_is_sealed_here_unless_switched_off),
		cmocka_unit_test(a_client_may_limit_the_size_of_records),
		cmocka_unit_test(records_may_come_in_pieces),
		cmocka_unit_test(a_forged_record_ends_the_tunnel_with_an_alert),
		cmocka_unit_test(a_dpd_request_is_echoed),
		cmocka_unit_test(bad_magic_ends_the_tunnel),
		cmocka_unit_test(compressed_data_that_nobody_agreed_to_ends_the_tunnel),
		cmocka_unit_test(disconnect_reasons_are_told_apart),
		cmocka_unit_test(a_closed_connection_ends_the_tunnel_quietly),
		cmocka_unit_test(data_sent_just_before_closing_still_arrives),
		cmocka_unit_test(a_foreign_source_is_dropped_and_counted),
		cmocka_unit_test(sources_of_ipv6_are_those_of_the_clients_block),
		cmocka_unit_test(a_network_behind_the_client_may_be_a_source),
		cmocka_unit_test(a_client_that_stops_reading_is_dropped),
		cmocka_unit_test(a_client_that_asks_without_reading_costs_bounded_memory),
		cmocka_unit_test(a_silent_client_is_asked_and_then_dropped),
		cmocka_unit_test(an_idle_tunnel_is_not_stepped),
		cmocka_unit_test(the_owner_hears_of_traffic_once_a_second),
		cmocka_unit_test(icmp_does_not_keep_a_session_from_being_idle),
		cmocka_unit_test(a_session_ends_at_its_time),
		cmocka_unit_test(the_memory_of_an_idle_path_is_given_back),
	};
	int failed = cmocka_run_group_tests_name("records of our own", tests, NULL, NULL);
	rig_default_off(PATH_OFF_SEALING);
	return failed + cmocka_run_group_tests_name("GnuTLS's records", tests, NULL, NULL);
}
