/* seal_rig.c - see seal_rig.h.  Used by the tests of worker/path/seal.c. */
#include "tests/unit/seal_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gnutls/crypto.h>
#include <gnutls/dtls.h>
#include <gnutls/x509.h>

#include "base/bytes.h"

static void must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "seal rig: %s\n", what);
		abort();
	}
}

/* ---- the wire ---- */

static void note_nonce(struct seal_end *e, uint64_t key, uint64_t nonce)
{
	for (unsigned i = 0; i < e->nonces; i++)
		must(e->nonce[i][0] != key || e->nonce[i][1] != nonce, "a nonce was used twice");
	must(e->nonces < SEAL_RIG_NONCES, "room for nonces");
	e->nonce[e->nonces][0] = key;
	e->nonce[e->nonces++][1] = nonce;
}

/* DTLS shows all numbers, TLS 1.2 with GCM the nonces.  Where nothing is to be seen the number is
 * implicit, and the peer cannot open a record that has the number of another one. */
static void watch(struct seal_end *e, const uint8_t *rec, size_t len)
{
	size_t header = e->dtls ? 13 : 5;
	for (size_t n; len >= header; rec += n, len -= n) {
		n = header + get_be16(rec + header - 2);
		must(n <= len, "a whole record");
		if (e->dtls && get_be16(rec + 3))
			note_nonce(e, get_be16(rec + 3), get_be64(rec + 3));
		if (e->dtls && get_be16(rec + 3) && e->gcm12)
			must(get_be64(rec + 3) == get_be64(rec + 13), "the explicit nonce");
		if (!e->dtls && e->gcm12)
			note_nonce(e, e->key, get_be64(rec + 5));
		if (!e->dtls && rec[0] == 20)
			e->key++;
	}
}

void seal_end_inject(struct seal_end *e, const void *data, size_t len)
{
	if (e->dtls) {
		if (e->dgrams == SEAL_RIG_QUEUE || len > SEAL_RIG_RECORD)
			return;
		memcpy(e->dgram[e->dgrams], data, len);
		e->dgram_len[e->dgrams++] = len;
		return;
	}
	if (e->end + len > SEAL_RIG_STREAM) {
		memmove(e->stream, e->stream + e->at, e->end - e->at);
		e->end -= e->at;
		e->shown -= e->at;
		e->at = 0;
	}
	must(e->end + len <= SEAL_RIG_STREAM, "room in the stream");
	memcpy(e->stream + e->end, data, len);
	e->end += len;
	if (!e->seal)
		e->shown = e->end;
}

static void put(struct seal_end *e, const void *data, size_t len)
{
	if (e->seal || e->peer->seal)
		watch(e, data, len);
	seal_end_inject(e->peer, data, len);
}

static ssize_t push(gnutls_transport_ptr_t ptr, const void *data, size_t len)
{
	put(ptr, data, len);
	return (ssize_t)len;
}

/* The next datagram becomes the one at hand. */
static bool next_datagram(struct seal_end *e)
{
	if (e->dgrams == 0)
		return false;
	memcpy(e->now, e->dgram[0], e->dgram_len[0]);
	e->now_at = 0;
	e->now_len = e->dgram_len[0];
	e->dgrams--;
	memmove(e->dgram[0], e->dgram[1], e->dgrams * sizeof e->dgram[0]);
	memmove(e->dgram_len, e->dgram_len + 1, e->dgrams * sizeof e->dgram_len[0]);
	return true;
}

static ssize_t pull_datagram(struct seal_end *e, void *data, size_t len)
{
	if (!e->seal && !e->give_len && next_datagram(e)) {
		e->give = e->now;
		e->give_len = e->now_len;
	}
	size_t take = len < e->give_len ? len : e->give_len;
	if (take)
		memcpy(data, e->give, take);
	e->give_len = 0;
	return (ssize_t)take;
}

static ssize_t pull(gnutls_transport_ptr_t ptr, void *data, size_t len)
{
	struct seal_end *e = ptr;
	size_t have = e->shown - e->at, take = len < have ? len : have;
	ssize_t k = (ssize_t)take;
	if (e->dtls)
		k = pull_datagram(e, data, len);
	else if (take)
		memcpy(data, e->stream + e->at, take);
	if (!e->dtls)
		e->at += take;
	if (k > 0)
		return k;
	gnutls_transport_set_errno(e->s, EAGAIN);
	return -1;
}

static int pull_timeout(gnutls_transport_ptr_t ptr, unsigned ms)
{
	const struct seal_end *e = ptr;
	(void)ms;
	return e->dtls ? e->give_len || (!e->seal && e->dgrams) : e->at < e->shown;
}

/* ---- sessions ---- */

/* One for the whole program: making a key takes longer than a test. */
static gnutls_certificate_credentials_t credentials(void)
{
	static gnutls_certificate_credentials_t cred;
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	if (cred)
		return cred;
	gnutls_certificate_allocate_credentials(&cred);
	gnutls_x509_privkey_init(&key);
	gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
				     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	gnutls_x509_crt_init(&crt);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, "\1", 1);
	gnutls_x509_crt_set_activation_time(crt, time(NULL) - 3600);
	gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 86400);
	gnutls_x509_crt_set_key(crt, key);
	gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
	must(gnutls_certificate_set_x509_key(cred, &crt, 1, key) >= 0, "certificate");
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
	return cred;
}

static void end_init(struct seal_end *e, struct seal_end *peer, bool server, const char *priority)
{
	unsigned flags = GNUTLS_NONBLOCK | (server ? GNUTLS_SERVER : GNUTLS_CLIENT);
	e->peer = peer;
	e->alert = -1;
	gnutls_init(&e->s, flags | (e->dtls ? GNUTLS_DATAGRAM : 0));
	must(gnutls_priority_set_direct(e->s, priority, NULL) >= 0, priority);
	gnutls_credentials_set(e->s, GNUTLS_CRD_CERTIFICATE, credentials());
	gnutls_transport_set_ptr(e->s, e);
	gnutls_transport_set_push_function(e->s, push);
	gnutls_transport_set_pull_function(e->s, pull);
	gnutls_transport_set_pull_timeout_function(e->s, pull_timeout);
	if (e->dtls)
		gnutls_dtls_set_mtu(e->s, 16000);
	else
		gnutls_handshake_set_timeout(e->s, 0);
}

struct seal_rig *seal_rig_new(const char *version, const char *cipher, const char *more)
{
	struct seal_rig *r = calloc(1, sizeof *r);
	char priority[300];
	int a = -1, b = -1;
	must(r, "memory");
	snprintf(priority, sizeof priority, "NORMAL:-VERS-ALL:+VERS-%s:-CIPHER-ALL:+%s:%s%s",
		 version, cipher, "%SAFE_RENEGOTIATION", more);
	r->server.dtls = r->client.dtls = version[0] == 'D';
	r->server.gcm12 = r->client.gcm12 = strstr(cipher, "GCM") && !strstr(version, "1.3");
	end_init(&r->server, &r->client, true, priority);
	end_init(&r->client, &r->server, false, priority);
	for (int i = 0; i < 100 && (a || b); i++) {
		b = b ? gnutls_handshake(r->client.s) : 0;
		a = a ? gnutls_handshake(r->server.s) : 0;
	}
	must(!a && !b, "handshake");
	/* What is left of it (session tickets of TLS 1.3). */
	must(seal_end_recv(&r->client, NULL, 0) < 0, "nothing sent yet");
	return r;
}

void seal_rig_free(struct seal_rig *r)
{
	talloc_free(r->server.seal);
	talloc_free(r->client.seal);
	gnutls_deinit(r->server.s);
	gnutls_deinit(r->client.s);
	free(r);
}

bool seal_end_take(struct seal_end *e)
{
	return seal_new(NULL, e->s, &e->seal) == ERR_OK;
}

/* ---- what both ways have in common with GnuTLS ---- */

static void lend(struct seal_end *e)
{
	if (e->seal)
		seal_lend(e->seal);
}

static void take_back(struct seal_end *e)
{
	if (!e->seal || e->handshaking || !seal_return(e->seal))
		return;
	talloc_free(e->seal);
	e->seal = NULL;
	e->shown = e->end;
}

void seal_end_send(struct seal_end *e, const void *data, size_t len)
{
	static uint8_t rec[SEAL_RIG_RECORD];
	if (e->seal && !e->handshaking && !e->owes) {
		size_t n = seal_write(e->seal, data, len, rec);
		must(n == len + seal_overhead(e->seal), "seal_write");
		put(e, rec, n);
		return;
	}
	lend(e);
	ssize_t k = gnutls_record_send(e->s, data, len);
	must(k == (ssize_t)len, "gnutls_record_send");
	e->owes = false;
	take_back(e);
}

static void handshake(struct seal_end *e)
{
	int ret = gnutls_handshake(e->s);
	if (ret == 0)
		e->handshaking = false;
	else if (gnutls_error_is_fatal(ret))
		e->error = ret;
}

/* Lets GnuTLS go on.  Length of data it gave, or -1. */
static int ask_gnutls(struct seal_end *e, uint8_t *out, size_t cap)
{
	lend(e);
	if (e->handshaking)
		handshake(e);
	ssize_t k = GNUTLS_E_AGAIN;
	if (!e->error && !(e->handshaking && e->dtls))
		k = gnutls_record_recv(e->s, out, cap);
	if (k == GNUTLS_E_WARNING_ALERT_RECEIVED || k == GNUTLS_E_FATAL_ALERT_RECEIVED)
		e->alert = (int)gnutls_alert_get(e->s);
	if (k == GNUTLS_E_REHANDSHAKE && !e->handshaking) {
		e->handshaking = true;
		handshake(e);
	}
	if (k < 0 && k != GNUTLS_E_REHANDSHAKE && gnutls_error_is_fatal((int)k))
		e->error = (int)k;
	e->owes = true;
	take_back(e);
	return k >= 0 ? (int)k : -1;
}

/* ---- receiving ---- */

static int opened(struct seal_end *e, uint8_t *out, size_t cap, const uint8_t *text, size_t len)
{
	e->opened++;
	must(len <= cap, "room for the text");
	if (len)
		memcpy(out, text, len);
	return (int)len;
}

static int recv_stream(struct seal_end *e, uint8_t *out, size_t cap)
{
	size_t n, len;
	while (!e->error && e->seal &&
	       (n = seal_record(e->seal, e->stream + e->at, e->end - e->at))) {
		uint8_t *text;
		if (seal_open(e->seal, e->stream + e->at, n, &text, &len) == SEAL_DATA) {
			e->at += n;
			e->shown = e->at;
			return opened(e, out, cap, text, len);
		}
		e->shown = e->at + n;
		int k = ask_gnutls(e, out, cap);
		if (k > 0)
			return k;
	}
	return -1;
}

static int recv_datagrams(struct seal_end *e, uint8_t *out, size_t cap)
{
	size_t n, len;
	while (!e->error && e->seal) {
		uint8_t *text, *rec = e->now + e->now_at;
		n = seal_record(e->seal, rec, e->now_len - e->now_at);
		if (n == 0 && !next_datagram(e))
			return -1;
		if (n == 0)
			continue;
		e->now_at += n;
		enum seal_verdict v = seal_open(e->seal, rec, n, &text, &len);
		must(v != SEAL_BAD, "a bad record is dropped");
		if (v == SEAL_DATA)
			return opened(e, out, cap, text, len);
		e->give = rec;
		e->give_len = v == SEAL_OTHER ? n : 0;
		int k = v == SEAL_OTHER ? ask_gnutls(e, out, cap) : -1;
		if (k > 0)
			return k;
	}
	return -1;
}

int seal_end_recv(struct seal_end *e, uint8_t *out, size_t cap)
{
	int k = -1;
	if (e->seal)
		k = e->dtls ? recv_datagrams(e, out, cap) : recv_stream(e, out, cap);
	/* Again when the way has changed in between. */
	while (!e->error && !e->seal && k < 0 &&
	       (e->dtls ? e->dgrams || e->give_len : e->at < e->shown))
		k = ask_gnutls(e, out, cap);
	return k;
}

/* ---- what is not data ---- */

bool seal_rig_renegotiate(struct seal_rig *r, unsigned *lost)
{
	static uint8_t sink[SEAL_RIG_RECORD];
	r->client.handshaking = true;
	lend(&r->client);
	handshake(&r->client);
	for (int i = 0; i < 100; i++) {
		while (seal_end_recv(&r->server, sink, sizeof sink) >= 0)
			*lost += 1;
		while (seal_end_recv(&r->client, sink, sizeof sink) >= 0)
			*lost += 1;
		if (r->server.error || r->client.error)
			return false;
		if (!r->server.handshaking && !r->client.handshaking)
			return true;
	}
	return false;
}

void seal_end_key_update(struct seal_end *e, bool both)
{
	lend(e);
	must(gnutls_session_key_update(e->s, both ? GNUTLS_KU_PEER : 0) == 0, "key update");
	take_back(e);
}

void seal_end_warn(struct seal_end *e)
{
	lend(e);
	must(gnutls_alert_send(e->s, GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED) == 0, "alert");
	take_back(e);
}

size_t seal_rig_craft(struct seal_end *e, const uint8_t *inner, size_t len, uint8_t *rec)
{
	gnutls_datum_t mac, iv, key;
	gnutls_aead_cipher_hd_t h;
	uint8_t seq[8], nonce[12];
	size_t room = len + 16;
	must(gnutls_record_get_state(e->s, 0, &mac, &iv, &key, seq) == 0 && iv.size == 12 &&
		     gnutls_aead_cipher_init(&h, gnutls_cipher_get(e->s), &key) == 0,
	     "keys");
	memcpy(nonce, iv.data, 12);
	for (int i = 0; i < 8; i++)
		nonce[4 + i] ^= seq[i];
	rec[0] = 23;
	put_be16(rec + 1, 0x0303);
	put_be16(rec + 3, (unsigned)room);
	must(gnutls_aead_cipher_encrypt(h, nonce, 12, rec, 5, 16, inner, len, rec + 5, &room) == 0,
	     "encrypt");
	gnutls_aead_cipher_deinit(h);
	return 5 + room;
}
