/* test_path_rekey.c - new keys on the TLS channel, against a GnuTLS client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/unit/path_rig.h"
#include "wire/cstp_frame.h"
#include "worker/path/path_priv.h"

static const char tls12[] = "NORMAL:-VERS-ALL:+VERS-TLS1.2";

static struct rig *tunnel(const char *tls, unsigned interval, bool ssl)
{
	struct rig_opt opt;
	rig_opt_init(&opt);
	if (tls)
		opt.tls = tls;
	opt.limits.rekey = interval;
	opt.limits.rekey_ssl = ssl;
	opt.limits.dpd = 0;
	return rig_new(&opt);
}

static bool to_client(struct rig *r, uint32_t mark)
{
	uint8_t pkt[300], back[RIG_PACKET], type;
	rig_packet(pkt, sizeof pkt, "192.0.2.1", "10.0.0.2", IPPROTO_UDP, mark);
	rig_tun_put(r, pkt, sizeof pkt);
	return rig_recv(r, &type, back, sizeof back) == 300 && !memcmp(back, pkt, 300);
}

static bool from_client(struct rig *r, uint32_t mark)
{
	uint8_t pkt[300], back[RIG_PACKET];
	rig_packet(pkt, sizeof pkt, "10.0.0.2", "192.0.2.1", IPPROTO_UDP, mark);
	rig_send(r, CSTP_DATA, pkt, sizeof pkt);
	return rig_tun_get(r, back, sizeof back) == 300 && !memcmp(back, pkt, 300);
}

static void works(struct rig *r)
{
	for (uint32_t i = 0; i < 5; i++) {
		assert_true(to_client(r, i));
		assert_true(from_client(r, i));
	}
}

/* The client renegotiates as openconnect does: it waits for the end of the handshake. */
static int renegotiate(struct rig *r)
{
	int ret = GNUTLS_E_AGAIN;
	for (int i = 0; i < 500 && ret; i++) {
		ret = gnutls_handshake(r->tls);
		rig_run(r);
		if (ret && gnutls_error_is_fatal(ret))
			return ret;
		if (ret)
			usleep(200);
	}
	return ret;
}

/* protocol.md 2.8, 11. */
static void the_server_renews_tls13_keys_by_itself(void **state)
{
	(void)state;
	struct rig *r = tunnel(NULL, 100, true);
	works(r);
	for (unsigned i = 1; i <= 3; i++) {
		rig_later(r, 99000);
		assert_int_equal(r->rekeys, i - 1);
		rig_later(r, 1100);
		assert_int_equal(r->rekeys, i);
		works(r);
	}
	rig_free(r);
}

static void the_server_leaves_tls13_keys_alone_when_clients_make_new_tunnels(void **state)
{
	(void)state;
	struct rig *r = tunnel(NULL, 100, false);
	rig_later(r, 1000000);
	assert_int_equal(r->rekeys, 0);
	works(r);
	rig_free(r);
}

/* The key that the client reads with. */
static void read_key(struct rig *r, uint8_t key[32])
{
	gnutls_datum_t mac, iv, k;
	uint8_t seq[8];
	assert_int_equal(gnutls_record_get_state(r->tls, 1, &mac, &iv, &k, seq), 0);
	assert_in_range(k.size, 16, 32);
	memcpy(key, k.data, k.size);
}

static void a_key_update_of_the_client_is_answered(void **state)
{
	(void)state;
	struct rig *r = tunnel(NULL, 3600, true);
	uint8_t before[32] = { 0 }, after[32] = { 0 };
	works(r);
	for (int i = 0; i < 3; i++) {
		read_key(r, before);
		assert_int_equal(gnutls_session_key_update(r->tls, GNUTLS_KU_PEER), 0);
		assert_true(from_client(r, 9)); /* the update and data arrive together */
		works(r);
		read_key(r, after);
		assert_memory_not_equal(before, after, sizeof before);
	}
	assert_int_equal(r->end, PATH_END_NONE);
	rig_free(r);
}

/* protocol.md 2.8, 12. */
static void a_tls12_client_renegotiates(void **state)
{
	(void)state;
	struct rig *r = tunnel(tls12, 100, true);
	works(r);
	for (unsigned i = 1; i <= 2; i++) {
		rig_later(r, 60000);
		assert_int_equal(renegotiate(r), 0);
		assert_int_equal(r->rekeys, i);
		works(r);
	}
	rig_free(r);
}

/* To one that is left to GnuTLS, and back: the tunnel works on. */
static void a_renegotiation_may_bring_another_cipher(void **state)
{
	(void)state;
	static const char *const ciphers[] = { "AES-128-CBC", "CHACHA20-POLY1305", "AES-256-CBC",
					       "AES-128-GCM" };
	struct rig *r = tunnel(tls12, 100, true);
	works(r);
	for (unsigned i = 0; i < 4; i++) {
		char priority[100];
		snprintf(priority, sizeof priority, "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+%s",
			 ciphers[i]);
		assert_int_equal(gnutls_priority_set_direct(r->tls, priority, NULL), 0);
		rig_later(r, 60000);
		assert_int_equal(renegotiate(r), 0);
		works(r);
	}
	rig_free(r);
}

static void records_stay_our_own_after_new_keys(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct rig *r = tunnel(i ? tls12 : NULL, 100, true);
		const bool own = !(r->opt.limits.off & PATH_OFF_SEALING);
		assert_int_equal(r->path->seal != NULL, own);
		rig_later(r, 60000);
		assert_int_equal(i ? renegotiate(r) : gnutls_session_key_update(r->tls, 0), 0);
		works(r);
		assert_int_equal(r->path->seal != NULL, own);
		rig_free(r);
	}
}

/* Packets wait on both sides while the handshake runs; none is lost. */
static void a_renegotiation_loses_no_packet(void **state)
{
	(void)state;
	struct rig *r = tunnel(tls12, 100, true);
	uint8_t pkt[300], back[RIG_PACKET], type, frame[8 + 300];
	works(r);
	rig_later(r, 60000);
	for (uint32_t i = 0; i < 20; i++) {
		cstp_header_build(frame, CSTP_DATA, 300);
		rig_packet(frame + 8, 300, "10.0.0.2", "192.0.2.1", IPPROTO_UDP, i);
		assert_int_equal(gnutls_record_send(r->tls, frame, sizeof frame), sizeof frame);
	}
	int ret = gnutls_handshake(r->tls);
	assert_int_equal(ret, GNUTLS_E_AGAIN);
	rig_run(r); /* the server is in the middle of it now */
	for (uint32_t i = 0; i < 20; i++) {
		rig_packet(pkt, 300, "192.0.2.1", "10.0.0.2", IPPROTO_UDP, i);
		assert_int_equal(send(r->tun, pkt, 300, 0), 300);
	}
	rig_run(r);
	assert_int_equal(renegotiate(r), 0);
	for (uint32_t i = 0; i < 20; i++) {
		rig_packet(pkt, 300, "192.0.2.1", "10.0.0.2", IPPROTO_UDP, i);
		assert_int_equal(rig_recv(r, &type, back, sizeof back), 300);
		assert_memory_equal(pkt, back, 300);
		assert_int_equal(rig_tun_get(r, back, sizeof back), 300);
		rig_packet(pkt, 300, "10.0.0.2", "192.0.2.1", IPPROTO_UDP, i);
		assert_memory_equal(pkt, back, 300);
	}
	works(r);
	rig_free(r);
}

static void a_renegotiation_too_soon_ends_the_tunnel(void **state)
{
	(void)state;
	struct rig *r = tunnel(tls12, 100, true);
	rig_later(r, 40000);
	assert_int_not_equal(renegotiate(r), 0);
	assert_int_equal(r->end, PATH_END_ERROR);
	rig_free(r);
}

static void a_renegotiation_nobody_agreed_to_ends_the_tunnel(void **state)
{
	(void)state;
	struct rig *r = tunnel(tls12, 0, false);
	rig_later(r, 100000);
	assert_int_not_equal(renegotiate(r), 0);
	assert_int_equal(r->end, PATH_END_ERROR);
	assert_int_equal(r->rekeys, 0);
	rig_free(r);
}

static struct rig *tunnel_with_certificate(bool shown)
{
	struct rig_opt opt;
	rig_opt_init(&opt);
	opt.tls = tls12;
	opt.limits.rekey = 100;
	opt.limits.dpd = 0;
	opt.client_cert = shown;
	struct rig *r = rig_new(&opt);
	rig_later(r, 60000);
	return r;
}

static void find_text(void *arg, enum log_level level, const char *text)
{
	bool *found = arg;
	(void)level;
	*found |= strstr(text, "user switched during renegotiation!") != NULL;
}

/* radius.md 10, protocol.md 2.6 and 13: the session belongs to whoever logged in. */
static void another_certificate_in_a_renegotiation_ends_the_tunnel(void **state)
{
	(void)state;
	bool said = false;
	struct log_sink sink = {
		.write = find_text, .arg = &said, .max = LOG_LVL_INFO, .process = "test"
	};
	struct rig *r = tunnel_with_certificate(true);
	assert_int_equal(renegotiate(r), 0);
	works(r);
	rig_later(r, 60000);
	rig_switch_cert(r, true);
	log_set_sink(&sink);
	(void)renegotiate(r);
	log_set_sink(NULL);
	assert_int_equal(r->end, PATH_END_ERROR);
	assert_true(said);
	rig_free(r);
}

static void no_certificate_in_a_renegotiation_is_tolerated(void **state)
{
	(void)state;
	struct rig *r = tunnel_with_certificate(true);
	rig_switch_cert(r, false);
	assert_int_equal(renegotiate(r), 0);
	assert_int_equal(r->end, PATH_END_NONE);
	works(r);
	rig_free(r);
}

static void dtls_after_a_renegotiation_uses_the_new_key(void **state)
{
	(void)state;
	struct rig *r = tunnel(tls12, 100, true);
	struct rig_udp u, v;
	uint8_t old[32], new[32];
	assert_true(rig_udp_connect(r, &u));
	memcpy(old, u.key.data, 32);
	rig_later(r, 60000);
	assert_int_equal(renegotiate(r), 0);
	assert_true(rig_udp_connect(r, &v));
	memcpy(new, v.key.data, 32);
	assert_memory_not_equal(old, new, 32);
	rig_udp_deinit(&u);
	rig_udp_deinit(&v);
	rig_free(r);
}

static void a_dtls_renegotiation_keeps_the_key_of_its_channel(void **state)
{
	(void)state;
	struct rig *r = tunnel(tls12, 100, true);
	struct rig_udp u;
	uint8_t frame[2] = { CSTP_DPD_REQ, 1 }, back[RIG_PACKET];
	assert_true(rig_udp_connect(r, &u));
	rig_later(r, 60000);
	assert_int_equal(renegotiate(r), 0); /* the exporter gives another key now */
	assert_true(rig_udp_handshake(&u));  /* the client has only the old one */
	rig_udp_send(&u, frame, sizeof frame);
	assert_int_equal(rig_udp_recv(&u, back, sizeof back), 2);
	rig_udp_deinit(&u);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_server_renews_tls13_keys_by_itself),
		cmocka_unit_test(the_server_leaves_tls13_keys_alone_when_clients_make_new_tunnels),
		cmocka_unit_test(a_key_update_of_the_client_is_answered),
		cmocka_unit_test(a_tls12_client_renegotiates),
		cmocka_unit_test(a_renegotiation_may_bring_another_cipher),
		cmocka_unit_test(records_stay_our_own_after_new_keys),
		cmocka_unit_test(a_renegotiation_loses_no_packet),
		cmocka_unit_test(a_renegotiation_too_soon_ends_the_tunnel),
		cmocka_unit_test(a_renegotiation_nobody_agreed_to_ends_the_tunnel),
		cmocka_unit_test(another_certificate_in_a_renegotiation_ends_the_tunnel),
		cmocka_unit_test(no_certificate_in_a_renegotiation_is_tolerated),
		cmocka_unit_test(dtls_after_a_renegotiation_uses_the_new_key),
		cmocka_unit_test(a_dtls_renegotiation_keeps_the_key_of_its_channel),
	};
	int failed = cmocka_run_group_tests_name("records of our own", tests, NULL, NULL);
	rig_default_off(PATH_OFF_SEALING);
	return failed + cmocka_run_group_tests_name("GnuTLS's records", tests, NULL, NULL);
}
