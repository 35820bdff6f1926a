/* test_path_seal.c - records of our own making, against a GnuTLS peer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tests/unit/seal_rig.h"
#include "worker/path/replay.h"

static const char *const versions[] = { "DTLS1.2", "TLS1.2", "TLS1.3" };
static const char *const ciphers[] = { "AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305" };
enum { VERSIONS = 3, CIPHERS = 3, MOST = 16384 };

static void fill(uint8_t *data, size_t len, unsigned mark)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 7 + mark);
}

static void passes(struct seal_end *from, size_t len, unsigned mark)
{
	static uint8_t data[MOST], back[SEAL_RIG_RECORD];
	fill(data, len, mark);
	unsigned opened = from->peer->opened;
	seal_end_send(from, data, len);
	int n = seal_end_recv(from->peer, back, sizeof back);
	assert_int_equal(from->peer->opened - opened, from->peer->seal != NULL);
	assert_int_equal(from->peer->error, 0);
	assert_int_equal(n, len);
	assert_memory_equal(back, data, len);
}

static void works(struct seal_rig *r)
{
	passes(&r->server, 1400, 1);
	passes(&r->client, 1400, 2);
}

/* WHO: bit 0 the server, bit 1 the client makes its own records. */
static struct seal_rig *pair(const char *version, const char *cipher, int who)
{
	struct seal_rig *r = seal_rig_new(version, cipher, "");
	assert_true(!(who & 1) || seal_end_take(&r->server));
	assert_true(!(who & 2) || seal_end_take(&r->client));
	return r;
}

static void each_version_and_cipher(void (*test)(struct seal_rig *r))
{
	for (int i = 0; i < VERSIONS * CIPHERS * 3; i++) {
		struct seal_rig *r =
			pair(versions[i % VERSIONS], ciphers[i / VERSIONS % CIPHERS], i / 9 + 1);
		test(r);
		assert_int_equal(r->server.error, 0);
		assert_int_equal(r->client.error, 0);
		seal_rig_free(r);
	}
}

static void sizes(struct seal_rig *r)
{
	static const size_t len[] = { 1, 2, 15, 16, 17, 64, 1399, 1400, 1401, 15000, MOST };
	for (unsigned i = 0; i < sizeof len / sizeof *len; i++) {
		if (r->server.dtls && len[i] > 15000) /* the MTU GnuTLS was told */
			continue;
		passes(&r->server, len[i], i);
		passes(&r->client, len[i], i + 1);
	}
}

static void records_pass_between_us_and_gnutls(void **state)
{
	(void)state;
	each_version_and_cipher(sizes);
}

static void the_overhead_is_what_the_specification_says(void **state)
{
	/* protocol.md 6.8, and its last paragraph for the stream. */
	static const size_t overhead[VERSIONS][CIPHERS] = { { 37, 37, 29 },
							    { 29, 29, 21 },
							    { 22, 22, 22 } };
	(void)state;
	for (int v = 0; v < VERSIONS; v++) {
		for (int c = 0; c < CIPHERS; c++) {
			struct seal_rig *r = pair(versions[v], ciphers[c], 1);
			assert_int_equal(seal_overhead(r->server.seal), overhead[v][c]);
			seal_rig_free(r);
		}
	}
}

static void other_ciphers_are_left_to_the_record_layer(void **state)
{
	static const char *const other[][2] = {
		{ "DTLS1.2", "AES-128-CCM" },  { "DTLS1.2", "AES-128-CBC" },
		{ "DTLS1.0", "AES-128-CBC" },  { "TLS1.2", "AES-256-CCM" },
		{ "TLS1.2", "AES-128-CCM-8" }, { "TLS1.2", "AES-256-CBC" },
		{ "TLS1.1", "AES-128-CBC" },   { "TLS1.3", "AES-128-CCM" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
		struct seal_rig *r = seal_rig_new(other[i][0], other[i][1], "");
		struct seal *s;
		assert_int_equal(seal_new(NULL, r->server.s, &s), ERR_UNSUPPORTED);
		works(r);
		seal_rig_free(r);
	}
}

static void a_session_without_keys_is_refused(void **state)
{
	gnutls_session_t s;
	struct seal *seal;
	(void)state;
	gnutls_init(&s, GNUTLS_SERVER);
	assert_int_equal(seal_new(NULL, s, &seal), ERR_UNSUPPORTED);
	gnutls_deinit(s);
}

static void empty_records(struct seal_rig *r)
{
	uint8_t back[100];
	if (!r->server.seal || !r->client.seal)
		return;
	seal_end_send(&r->client, "", 0);
	assert_int_equal(seal_end_recv(&r->server, back, sizeof back), 0);
	works(r);
}

static void records_may_be_empty(void **state)
{
	(void)state;
	each_version_and_cipher(empty_records);
}

/* ---- changes of hands ---- */

static void renegotiate(struct seal_rig *r)
{
	unsigned lost = 0;
	if (gnutls_protocol_get_version(r->server.s) == GNUTLS_TLS1_3)
		return;
	for (int i = 0; i < 3; i++) {
		works(r);
		assert_true(seal_rig_renegotiate(r, &lost));
		assert_int_equal(lost, 0);
		works(r);
	}
}

static void a_renegotiation_brings_new_keys(void **state)
{
	(void)state;
	each_version_and_cipher(renegotiate);
}

static void key_updates(struct seal_rig *r)
{
	if (gnutls_protocol_get_version(r->server.s) != GNUTLS_TLS1_3)
		return;
	for (int i = 0; i < 4; i++) {
		seal_end_key_update(i & 1 ? &r->server : &r->client, i & 2);
		works(r);
		works(r);
	}
}

static void a_key_update_brings_new_keys(void **state)
{
	(void)state;
	each_version_and_cipher(key_updates);
}

static void warnings(struct seal_rig *r)
{
	if (gnutls_protocol_get_version(r->server.s) == GNUTLS_TLS1_3) /* which has none */
		return;
	for (int i = 0; i < 3; i++) {
		uint8_t none[100];
		seal_end_warn(i & 1 ? &r->server : &r->client);
		(void)seal_end_recv(&r->server, none, sizeof none);
		(void)seal_end_recv(&r->client, none, sizeof none);
		works(r);
	}
	assert_int_equal(r->server.alert, GNUTLS_A_USER_CANCELED);
	assert_int_equal(r->client.alert, GNUTLS_A_USER_CANCELED);
}

static void alerts_pass_between_data(void **state)
{
	(void)state;
	each_version_and_cipher(warnings);
}

static void goodbye(struct seal_rig *r)
{
	struct seal_end *e = r->server.seal ? &r->server : &r->client;
	uint8_t back[100];
	works(r);
	seal_lend(e->seal);
	assert_int_equal(gnutls_bye(e->s, GNUTLS_SHUT_WR), 0);
	if (!e->peer->seal)
		assert_int_equal(gnutls_record_recv(e->peer->s, back, sizeof back), 0);
}

static void close_notify_has_the_next_number(void **state)
{
	(void)state;
	each_version_and_cipher(goodbye);
}

/* One random thing that an end may do. */
static void act(struct seal_rig *r, bool tls13)
{
	struct seal_end *e = random() & 1 ? &r->server : &r->client;
	unsigned lost = 0;
	switch (random() % 12) {
	case 0:
		if (!tls13)
			seal_end_warn(e);
		break;
	case 1:
		/* GnuTLS bears eight of the peer's in a second. */
		if (tls13 && e->key < 3) {
			seal_end_key_update(e, random() & 1);
			e->key++;
		} else if (!tls13 && random() % 2 == 0) {
			assert_true(seal_rig_renegotiate(r, &lost));
			assert_int_equal(lost, 0);
		}
		break;
	case 2: /* several before the peer looks */
		for (int i = 0; i < 3; i++)
			seal_end_send(e, "abc", 3);
		for (int i = 0; i < 3; i++) {
			uint8_t back[10];
			assert_int_equal(seal_end_recv(e->peer, back, sizeof back), 3);
		}
		break;
	default:
		passes(e, 1 + (size_t)random() % 3000, (unsigned)random());
	}
}

/* The rig watches the wire for nonces used twice; where they do not show, a number used twice would
 * be a record the peer cannot open. */
static void at_random(struct seal_rig *r)
{
	bool tls13 = gnutls_protocol_get_version(r->server.s) == GNUTLS_TLS1_3;
	srandom(7);
	for (int i = 0; i < 200; i++)
		act(r, tls13);
	if (r->server.gcm12 || r->server.dtls)
		assert_true(r->server.nonces > 50 && r->client.nonces > 50);
}

static void no_nonce_is_used_twice_whoever_writes(void **state)
{
	(void)state;
	each_version_and_cipher(at_random);
}

static void nothing_is_sealed_while_the_numbers_are_lent(void **state)
{
	uint8_t rec[100];
	struct seal_rig *r = pair("TLS1.3", "AES-256-GCM", 1);
	(void)state;
	seal_lend(r->server.seal);
	assert_int_equal(seal_write(r->server.seal, (const uint8_t *)"x", 1, rec), 0);
	assert_int_equal(seal_return(r->server.seal), 0);
	works(r);
	assert_int_equal(seal_return(r->server.seal), 0); /* not lent: nothing happens */
	works(r);
	seal_rig_free(r);
}

static void a_renegotiation_to_another_cipher_ends_it(void **state)
{
	static const char *const tls[] = { "TLS1.2", "DTLS1.2" };
	unsigned lost = 0;
	(void)state;
	for (int i = 0; i < 2; i++) {
		char only[100];
		struct seal_rig *r = seal_rig_new(tls[i], "AES-128-GCM", ":+AES-128-CBC");
		assert_true(seal_end_take(&r->server));
		works(r);
		r->server.gcm12 = r->client.gcm12 = false; /* no nonces to be seen then */
		snprintf(only, sizeof only, "NORMAL:-VERS-ALL:+VERS-%s:-CIPHER-ALL:+AES-128-CBC",
			 tls[i]);
		assert_int_equal(gnutls_priority_set_direct(r->client.s, only, NULL), 0);
		assert_true(seal_rig_renegotiate(r, &lost));
		assert_null(r->server.seal);
		works(r);
		seal_rig_free(r);
	}
}

/* ---- DTLS ---- */

/* Takes what lies on the wire to E away; returns its length. */
static size_t intercept(struct seal_end *e, uint8_t *out)
{
	size_t len = e->dgram_len[--e->dgrams];
	memcpy(out, e->dgram[e->dgrams], len);
	return len;
}

static size_t sealed(struct seal_end *from, unsigned mark, uint8_t *rec)
{
	uint8_t data[100];
	fill(data, sizeof data, mark);
	seal_end_send(from, data, sizeof data);
	return intercept(from->peer, rec);
}

static int arrives(struct seal_end *e, const uint8_t *data, size_t len)
{
	static uint8_t back[SEAL_RIG_RECORD];
	seal_end_inject(e, data, len);
	return seal_end_recv(e, back, sizeof back);
}

static void a_datagram_is_taken_once(void **state)
{
	uint8_t rec[200];
	(void)state;
	for (int c = 0; c < CIPHERS; c++) {
		struct seal_rig *r = pair("DTLS1.2", ciphers[c], 1);
		size_t n = sealed(&r->client, 1, rec);
		assert_int_equal(arrives(&r->server, rec, n), 100);
		assert_int_equal(arrives(&r->server, rec, n), -1);
		works(r);
		assert_int_equal(arrives(&r->server, rec, n), -1);
		/* Nor after GnuTLS has had its turn, whose own window knows nothing of it. */
		seal_end_warn(&r->server);
		seal_end_warn(&r->client);
		assert_int_equal(arrives(&r->server, rec, n), -1);
		works(r);
		seal_rig_free(r);
	}
}

static void what_gnutls_has_read_before_does_not_come_again(void **state)
{
	uint8_t rec[200];
	struct seal_rig *r = pair("DTLS1.2", "AES-256-GCM", 0);
	(void)state;
	size_t n = sealed(&r->client, 1, rec);
	assert_int_equal(arrives(&r->server, rec, n), 100);
	assert_true(seal_end_take(&r->server));
	assert_int_equal(arrives(&r->server, rec, n), -1);
	works(r);
	seal_rig_free(r);
}

static void datagrams_may_come_in_any_order_within_the_window(void **state)
{
	enum { N = REPLAY_WINDOW + 2 };
	static uint8_t rec[N][200];
	size_t len[N];
	struct seal_rig *r = pair("DTLS1.2", "AES-256-GCM", 3);
	(void)state;
	for (unsigned i = 0; i < N; i++)
		len[i] = sealed(&r->client, i, rec[i]);
	assert_int_equal(arrives(&r->server, rec[N - 1], len[N - 1]), 100);
	for (unsigned i = N - 2; i >= 2; i--)
		assert_int_equal(arrives(&r->server, rec[i], len[i]), 100);
	assert_int_equal(arrives(&r->server, rec[0], len[0]), -1);
	seal_rig_free(r);
}

/* Records of every kind of damage; none counts, and none does harm. */
static void what_is_not_authentic_leaves_no_trace(void **state)
{
	uint8_t rec[200], bad[200];
	(void)state;
	for (int c = 0; c < CIPHERS; c++) {
		struct seal_rig *r = pair("DTLS1.2", ciphers[c], 1);
		size_t n = sealed(&r->client, 1, rec);
		for (size_t i = 0; i < n; i++) {
			memcpy(bad, rec, n);
			bad[i] ^= 0x80;
			assert_int_equal(arrives(&r->server, bad, n), -1);
			assert_int_equal(arrives(&r->server, rec, i), -1);
		}
		/* Far ahead: must not move the window past the genuine one. */
		memcpy(bad, rec, n);
		put_be32(bad + 6, 0x70000000);
		assert_int_equal(arrives(&r->server, bad, n), -1);
		assert_int_equal(r->server.error, 0);
		assert_int_equal(arrives(&r->server, rec, n), 100);
		works(r);
		seal_rig_free(r);
	}
}

static void a_datagram_may_hold_several_records(void **state)
{
	uint8_t all[1000], back[SEAL_RIG_RECORD];
	size_t len = 0;
	struct seal_rig *r = pair("DTLS1.2", "CHACHA20-POLY1305", 1);
	(void)state;
	for (unsigned i = 0; i < 5; i++)
		len += sealed(&r->client, i, all + len);
	all[150] ^= 1; /* the second is damaged */
	seal_end_inject(&r->server, all, len);
	for (int i = 0; i < 4; i++)
		assert_int_equal(seal_end_recv(&r->server, back, sizeof back), 100);
	assert_int_equal(seal_end_recv(&r->server, back, sizeof back), -1);
	seal_rig_free(r);
}

static void records_of_an_old_epoch_are_dropped(void **state)
{
	uint8_t rec[200];
	unsigned lost = 0;
	struct seal_rig *r = pair("DTLS1.2", "AES-128-GCM", 1);
	(void)state;
	size_t n = sealed(&r->client, 1, rec);
	assert_true(seal_rig_renegotiate(r, &lost));
	assert_int_equal(arrives(&r->server, rec, n), -1);
	works(r);
	seal_rig_free(r);
}

static void data_in_the_middle_of_a_renegotiation_are_not_lost(void **state)
{
	unsigned got = 0;
	struct seal_rig *r = pair("DTLS1.2", "AES-128-GCM", 1);
	(void)state;
	for (int i = 0; i < 5; i++)
		seal_end_send(&r->client, "abc", 3);
	assert_true(seal_rig_renegotiate(r, &got));
	assert_int_equal(got, 5);
	works(r);
	seal_rig_free(r);
}

static void the_numbers_of_an_epoch_do_not_run_over(void **state)
{
	static const uint8_t late[8] = { 0, 1, 0xff, 0xff, 0xff, 0xef, 0xff, 0xf0 };
	uint8_t rec[200], back[100];
	struct seal_rig *r = seal_rig_new("DTLS1.2", "AES-256-GCM", "");
	(void)state;
	assert_int_equal(gnutls_record_set_state(r->server.s, 0, late), 0);
	assert_true(seal_end_take(&r->server));
	for (int i = 0; i < 16; i++)
		passes(&r->server, 100, 1);
	assert_int_equal(seal_write(r->server.seal, (const uint8_t *)"x", 1, rec), 0);
	seal_end_warn(&r->server); /* enough is left to say so */
	assert_int_equal(seal_end_recv(&r->client, back, sizeof back), -1);
	assert_int_equal(r->client.alert, GNUTLS_A_USER_CANCELED);
	seal_rig_free(r);
}

/* ---- TLS ---- */

static void a_damaged_record_ends_the_stream(void **state)
{
	uint8_t back[SEAL_RIG_RECORD];
	(void)state;
	for (int i = 0; i < 2 * CIPHERS; i++) {
		struct seal_rig *r = pair(versions[1 + i % 2], ciphers[i / 2], 1);
		seal_end_send(&r->client, "hello", 5);
		r->server.stream[r->server.end - 1] ^= 1;
		seal_end_send(&r->client, "hello", 5);
		assert_int_equal(seal_end_recv(&r->server, back, sizeof back), -1);
		assert_int_equal(r->server.error, GNUTLS_E_DECRYPTION_FAILED);
		seal_lend(r->server.seal);
		assert_int_equal(gnutls_alert_send_appropriate(r->server.s, r->server.error), 0);
		assert_int_equal(seal_end_recv(&r->client, back, sizeof back), -1);
		assert_int_equal(r->client.alert, GNUTLS_A_BAD_RECORD_MAC);
		seal_rig_free(r);
	}
}

static void a_record_sent_twice_ends_the_stream(void **state)
{
	uint8_t back[SEAL_RIG_RECORD], rec[100];
	(void)state;
	for (int v = 1; v < VERSIONS; v++) {
		struct seal_rig *r = pair(versions[v], "AES-128-GCM", 1);
		size_t at = r->server.end;
		seal_end_send(&r->client, "hello", 5);
		memcpy(rec, r->server.stream + at, r->server.end - at);
		seal_end_inject(&r->server, rec, r->server.end - at);
		assert_int_equal(seal_end_recv(&r->server, back, sizeof back), 5);
		assert_int_equal(seal_end_recv(&r->server, back, sizeof back), -1);
		assert_int_equal(r->server.error, GNUTLS_E_DECRYPTION_FAILED);
		seal_rig_free(r);
	}
}

static void a_record_is_opened_when_all_of_it_has_come(void **state)
{
	static uint8_t wire[4000];
	uint8_t back[SEAL_RIG_RECORD];
	(void)state;
	for (int v = 1; v < VERSIONS; v++) {
		struct seal_rig *r = pair(versions[v], "AES-256-GCM", 1);
		size_t at = r->server.end;
		fill(back, 1000, 1);
		seal_end_send(&r->client, back, 1000);
		size_t n = r->server.end - at;
		memcpy(wire, r->server.stream + at, n);
		r->server.end = at;
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(seal_end_recv(&r->server, back, sizeof back), -1);
			seal_end_inject(&r->server, wire + i, 1);
		}
		assert_int_equal(seal_end_recv(&r->server, back, sizeof back), 1000);
		works(r);
		seal_rig_free(r);
	}
}

static void what_is_no_record_is_gnutls_business(void **state)
{
	static const uint8_t junk[][8] = { "POST / ",
					   { 23, 3, 3, 0xff, 0xff },
					   { 23, 3, 3, 0, 1 },
					   { 99, 3, 3, 0, 2 },
					   { 23, 9, 9, 0, 1 } };
	uint8_t back[SEAL_RIG_RECORD];
	(void)state;
	for (unsigned i = 0; i < 2 * sizeof junk / sizeof *junk; i++) {
		struct seal_rig *r = pair(versions[1 + i % 2], "AES-256-GCM", 1);
		seal_end_inject(&r->server, junk[i / 2], sizeof junk[0]);
		for (int k = 0; k < 9; k++)
			assert_int_equal(seal_end_recv(&r->server, back, sizeof back), -1);
		assert_int_not_equal(r->server.error, 0);
		seal_rig_free(r);
	}
}

static void a_length_that_is_wrong_is_noticed(void **state)
{
	uint8_t back[SEAL_RIG_RECORD];
	(void)state;
	for (int i = 0; i < 2 * CIPHERS; i++) {
		struct seal_rig *r = pair(versions[1 + i % 2], ciphers[i / 2], 1);
		size_t at = r->server.end;
		seal_end_send(&r->client, "hello", 5);
		r->server.stream[at + 3] = 0x5a; /* so large that it is no record */
		assert_int_equal(seal_end_recv(&r->server, back, sizeof back), -1);
		assert_int_not_equal(r->server.error, 0);
		seal_rig_free(r);
	}
}

static void nothing_is_opened_while_the_numbers_are_lent(void **state)
{
	uint8_t back[SEAL_RIG_RECORD], *text;
	size_t len;
	struct seal_rig *r = pair("TLS1.2", "AES-256-GCM", 1);
	(void)state;
	seal_lend(r->server.seal);
	seal_end_send(&r->client, "hello", 5);
	uint8_t *rec = r->server.stream + r->server.at;
	size_t n = r->server.end - r->server.at;
	assert_int_equal(seal_open(r->server.seal, rec, n, &text, &len), SEAL_OTHER);
	assert_int_equal(seal_return(r->server.seal), 0);
	assert_int_equal(seal_end_recv(&r->server, back, sizeof back), 5);
	seal_rig_free(r);
}

/* RFC 8446 5.4. */
static void padding_is_taken_off(void **state)
{
	static uint8_t data[1000], back[SEAL_RIG_RECORD];
	uint8_t *text;
	size_t len, n;
	struct seal_rig *r = pair("TLS1.3", "AES-128-GCM", 1);
	(void)state;
	for (size_t pad = 0; pad < 300; pad++) {
		memset(data, 0, sizeof data); /* the data may end in zeros, too */
		ssize_t k = gnutls_record_send2(r->client.s, data, 1 + pad, pad, 0);
		assert_int_equal(k, 1 + pad);
		assert_int_equal(seal_end_recv(&r->server, back, sizeof back), 1 + pad);
	}
	works(r);
	seal_rig_free(r);
	r = pair("TLS1.3", "AES-128-GCM", 1);
	n = seal_rig_craft(&r->client, (const uint8_t *)"ab\0\x17\0\0", 6, back);
	assert_int_equal(seal_open(r->server.seal, back, n, &text, &len), SEAL_DATA);
	assert_int_equal(len, 3);
	assert_memory_equal(text, "ab\0", 3);
	seal_rig_free(r);
}

/* RFC 8446 5.2. */
static void a_record_with_too_much_in_it_is_refused(void **state)
{
	static uint8_t inner[MOST + 2], rec[SEAL_RIG_RECORD], back[SEAL_RIG_RECORD];
	struct seal_rig *r = pair("TLS1.3", "AES-128-GCM", 1);
	(void)state;
	inner[MOST + 1] = 23;
	seal_end_inject(&r->server, rec, seal_rig_craft(&r->client, inner, sizeof inner, rec));
	assert_int_equal(seal_end_recv(&r->server, back, sizeof back), -1);
	assert_int_not_equal(r->server.error, 0);
	seal_rig_free(r);
}

static void a_record_without_a_type_is_refused(void **state)
{
	static const uint8_t inner[][4] = { { 0, 0, 0, 0 }, { 1, 2, 3, 99 }, { 0, 0, 0, 20 } };
	uint8_t rec[100], back[SEAL_RIG_RECORD];
	(void)state;
	for (size_t i = 0; i < sizeof inner / sizeof *inner; i++) {
		struct seal_rig *r = pair("TLS1.3", "AES-128-GCM", 1);
		seal_end_inject(&r->server, rec, seal_rig_craft(&r->client, inner[i], 4, rec));
		assert_int_equal(seal_end_recv(&r->server, back, sizeof back), -1);
		assert_int_not_equal(r->server.error, 0);
		seal_rig_free(r);
	}
}

static void what_is_for_gnutls_comes_back_as_it_was(void **state)
{
	static const uint8_t alert[] = { 1, GNUTLS_A_USER_CANCELED, 21, 0, 0 };
	uint8_t rec[200], before[200], *text;
	size_t len, n = 0;
	(void)state;
	for (int c = 0; c < CIPHERS; c++) {
		struct seal_rig *r = pair("TLS1.3", ciphers[c], 1);
		n = seal_rig_craft(&r->client, alert, sizeof alert, rec);
		memcpy(before, rec, n);
		assert_int_equal(seal_open(r->server.seal, rec, n, &text, &len), SEAL_OTHER);
		assert_memory_equal(rec, before, n);
		seal_rig_free(r);
		r = pair("DTLS1.2", ciphers[c], 1);
		seal_end_warn(&r->client);
		n = intercept(&r->server, rec);
		memcpy(before, rec, n);
		assert_int_equal(seal_open(r->server.seal, rec, n, &text, &len), SEAL_OTHER);
		assert_memory_equal(rec, before, n);
		assert_int_equal(seal_open(r->server.seal, rec, n, &text, &len), SEAL_DROP);
		seal_rig_free(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_pass_between_us_and_gnutls),
		cmocka_unit_test(the_overhead_is_what_the_specification_says),
		cmocka_unit_test(other_ciphers_are_left_to_the_record_layer),
		cmocka_unit_test(a_session_without_keys_is_refused),
		cmocka_unit_test(records_may_be_empty),
		cmocka_unit_test(a_renegotiation_brings_new_keys),
		cmocka_unit_test(a_key_update_brings_new_keys),
		cmocka_unit_test(alerts_pass_between_data),
		cmocka_unit_test(close_notify_has_the_next_number),
		cmocka_unit_test(no_nonce_is_used_twice_whoever_writes),
		cmocka_unit_test(nothing_is_sealed_while_the_numbers_are_lent),
		cmocka_unit_test(a_renegotiation_to_another_cipher_ends_it),
		cmocka_unit_test(a_datagram_is_taken_once),
		cmocka_unit_test(what_gnutls_has_read_before_does_not_come_again),
		cmocka_unit_test(datagrams_may_come_in_any_order_within_the_window),
		cmocka_unit_test(what_is_not_authentic_leaves_no_trace),
		cmocka_unit_test(a_datagram_may_hold_several_records),
		cmocka_unit_test(records_of_an_old_epoch_are_dropped),
		cmocka_unit_test(data_in_the_middle_of_a_renegotiation_are_not_lost),
		cmocka_unit_test(the_numbers_of_an_epoch_do_not_run_over),
		cmocka_unit_test(a_damaged_record_ends_the_stream),
		cmocka_unit_test(a_record_sent_twice_ends_the_stream),
		cmocka_unit_test(a_record_is_opened_when_all_of_it_has_come),
		cmocka_unit_test(what_is_no_record_is_gnutls_business),
		cmocka_unit_test(a_length_that_is_wrong_is_noticed),
		cmocka_unit_test(nothing_is_opened_while_the_numbers_are_lent),
		cmocka_unit_test(a_record_with_too_much_in_it_is_refused),
		cmocka_unit_test(padding_is_taken_off),
		cmocka_unit_test(a_record_without_a_type_is_refused),
		cmocka_unit_test(what_is_for_gnutls_comes_back_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
