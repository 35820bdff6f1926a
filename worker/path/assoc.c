/* assoc.c - one DTLS association: its handshakes are those of GnuTLS, its data records are sealed
 * and opened here where seal.c can.  Used by udp_chan.c. */
#include "worker/path/assoc.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/dtls.h>

#include "base/secret.h"
#include "worker/path/legacy.h"
#include "worker/path/seal.h"

enum {
	RETRANSMIT_MS = 400,
	HANDSHAKE_MS = 60000,
	PSK_LEN = 32,
};

struct assoc {
	const struct assoc_conf *conf;
	gnutls_session_t s;
	struct batch_queue *out; /* NULL: straight to the socket */
	int fd;
	bool own_fd;
	struct endpoint peer;
	uint8_t *in; /* what GnuTLS may read: the datagram at hand, or one record of it */
	size_t in_len;
	struct seal *seal; /* NULL: GnuTLS does everything */
	uint8_t *rest;	   /* with seal: the records of the datagram not yet looked at */
	size_t rest_len;
	size_t proven; /* GnuTLS has made a record of so much, within all limits */
	bool open, renegotiating;
	uint64_t started, retry;
	uint8_t key[PSK_LEN];
};

static ssize_t push(gnutls_transport_ptr_t ptr, const void *data, size_t len)
{
	struct assoc *a = ptr;
	if (a->out)
		batch_put(a->out, data, len);
	else
		(void)send(a->fd, data, len, MSG_DONTWAIT); /* lost ones are sent again */
	return (ssize_t)len;
}

static ssize_t pull(gnutls_transport_ptr_t ptr, void *data, size_t len)
{
	struct assoc *a = ptr;
	if (a->in_len == 0) {
		gnutls_transport_set_errno(a->s, EAGAIN);
		return -1;
	}
	/* A datagram is taken whole; what does not fit is no record of ours. */
	size_t take = len < a->in_len ? len : a->in_len;
	memcpy(data, a->in, take);
	a->in_len = 0;
	return (ssize_t)take;
}

static int pull_timeout(gnutls_transport_ptr_t ptr, unsigned ms)
{
	struct assoc *a = ptr;
	(void)ms;
	return a->in_len > 0;
}

/* The key of PSK-NEGOTIATE, derived for each association: it changes when the TLS session is
 * renegotiated.  A renegotiation of the association itself uses its first key again, as the client
 * does. */
static enum err derive_key(struct assoc *a)
{
	static const char label[] = "EXPORTER-openconnect-psk";
	int ret = gnutls_prf_rfc5705(a->conf->tls, sizeof label - 1, label, 0, NULL, PSK_LEN,
				     (char *)a->key);
	return ret < 0 ? ERR_TLS : ERR_OK;
}

/* The identity means nothing. */
static int psk_key(gnutls_session_t s, const char *user, gnutls_datum_t *key)
{
	const struct assoc *a = gnutls_session_get_ptr(s);
	(void)user;
	key->data = gnutls_malloc(PSK_LEN);
	if (!key->data)
		return -1;
	key->size = PSK_LEN;
	memcpy(key->data, a->key, PSK_LEN);
	return 0;
}

static int conf_deinit(struct assoc_conf *c)
{
	if (c->psk)
		gnutls_psk_free_server_credentials(c->psk);
	if (c->cert)
		gnutls_certificate_free_credentials(c->cert);
	return 0;
}

enum err assoc_conf_new(TALLOC_CTX *ctx, const struct path_dtls *dtls, gnutls_session_t tls,
			bool sealing, struct assoc_conf **out)
{
	struct assoc_conf *c = talloc_zero(ctx, struct assoc_conf);
	if (!c)
		return ERR_NOMEM;
	c->dtls = dtls;
	c->tls = tls;
	c->sealing = sealing;
	talloc_set_destructor(c, conf_deinit);
	int ret = 0;
	if (dtls->choice.mode == DTLS_PSK)
		ret = gnutls_psk_allocate_server_credentials(&c->psk);
	else if (dtls->choice.mode == DTLS_LEGACY)
		ret = gnutls_certificate_allocate_credentials(&c->cert);
	if (ret < 0) {
		talloc_free(c);
		return ERR_NOMEM;
	}
	if (c->psk)
		gnutls_psk_set_server_credentials_function(c->psk, psk_key);
	*out = c;
	return ERR_OK;
}

static int assoc_deinit(struct assoc *a)
{
	gnutls_deinit(a->s);
	secret_wipe(a->key, sizeof a->key);
	if (a->own_fd)
		close(a->fd);
	return 0;
}

static enum err set_mode(struct assoc *a)
{
	const struct assoc_conf *c = a->conf;
	if (c->dtls->choice.mode == DTLS_LEGACY)
		return legacy_setup(a->s, c->dtls, c->cert);
	if (c->dtls->choice.mode != DTLS_PSK)
		return ERR_STATE;
	if (gnutls_priority_set_direct(a->s, c->dtls->priorities, NULL) < 0 ||
	    gnutls_credentials_set(a->s, GNUTLS_CRD_PSK, c->psk) < 0)
		return ERR_TLS;
	return derive_key(a);
}

enum err assoc_new(TALLOC_CTX *ctx, const struct assoc_conf *conf, int fd, bool own_fd,
		   const struct endpoint *peer, uint64_t now, struct assoc **out)
{
	struct assoc *a = talloc_zero(ctx, struct assoc);
	if (!a)
		return ERR_NOMEM;
	a->conf = conf;
	a->fd = fd;
	a->peer = *peer;
	a->started = now;
	a->retry = now + RETRANSMIT_MS;
	if (gnutls_init(&a->s, GNUTLS_SERVER | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK) < 0) {
		talloc_free(a);
		return ERR_NOMEM;
	}
	talloc_set_destructor(a, assoc_deinit);
	enum err err = set_mode(a);
	if (err) {
		talloc_free(a);
		return err;
	}
	gnutls_session_set_ptr(a->s, a);
	gnutls_transport_set_ptr(a->s, a);
	gnutls_transport_set_push_function(a->s, push);
	gnutls_transport_set_pull_function(a->s, pull);
	gnutls_transport_set_pull_timeout_function(a->s, pull_timeout);
	gnutls_dtls_set_timeouts(a->s, RETRANSMIT_MS, HANDSHAKE_MS);
	a->own_fd = own_fd;
	*out = a;
	return ERR_OK;
}

int assoc_fd(const struct assoc *a)
{
	return a->fd;
}

bool assoc_seals(const struct assoc *a)
{
	return a->seal != NULL;
}

bool assoc_owns_fd(const struct assoc *a)
{
	return a->own_fd;
}

const struct endpoint *assoc_peer(const struct assoc *a)
{
	return &a->peer;
}

void assoc_set_owner(struct assoc *a, bool owns)
{
	a->own_fd = owns;
}

void assoc_move(struct assoc *a, int fd, const struct endpoint *peer)
{
	if (a->own_fd)
		close(a->fd);
	a->fd = fd;
	a->own_fd = true;
	a->peer = *peer;
}

void assoc_give(struct assoc *a, uint8_t *data, size_t len)
{
	a->in = data;
	a->in_len = a->seal ? 0 : len;
	a->rest = data;
	a->rest_len = len;
}

/* GnuTLS says how long its flight has to be answered; 0 also when it has sent none yet. */
static void schedule(struct assoc *a, uint64_t now)
{
	unsigned ms = gnutls_dtls_get_timeout(a->s);
	a->retry = now + (ms ? ms : RETRANSMIT_MS);
}

static enum err on_established(struct assoc *a)
{
	/* A full handshake in legacy mode would have authenticated nobody. */
	if (a->conf->dtls->choice.mode == DTLS_LEGACY && !gnutls_session_is_resumed(a->s))
		return ERR_DENIED;
	/* A cipher that cannot be sealed here has the record layer for good. */
	if (!a->open && a->conf->sealing)
		(void)!seal_new(a, a->s, &a->seal);
	a->open = true;
	a->renegotiating = false;
	return ERR_OK;
}

enum err assoc_handshake(struct assoc *a, uint64_t now)
{
	if (!a->open && now - a->started > HANDSHAKE_MS)
		return ERR_TIMEOUT;
	for (;;) {
		int ret = gnutls_handshake(a->s);
		if (ret == GNUTLS_E_SUCCESS)
			return on_established(a);
		if (gnutls_error_is_fatal(ret))
			return ERR_TLS;
		/* Everything else but "nothing left to read" goes on with what is at hand. */
		if (ret == GNUTLS_E_AGAIN || a->in_len == 0)
			break;
	}
	schedule(a, now);
	return ERR_AGAIN;
}

uint64_t assoc_deadline(const struct assoc *a)
{
	return !a->open || a->renegotiating ? a->retry : UINT64_MAX;
}

bool assoc_is_open(const struct assoc *a)
{
	return a->open;
}

uint64_t assoc_started(const struct assoc *a)
{
	return a->started;
}

void assoc_collect(struct assoc *a, struct batch_queue *out)
{
	a->out = out;
}

/* ---- records, ours and those of GnuTLS ---- */

/* Before GnuTLS may write. */
static void lend(struct assoc *a)
{
	if (a->seal)
		seal_lend(a->seal);
}

/* After that.  What takes several turns keeps the numbers until its end. */
static void take_back(struct assoc *a)
{
	if (a->seal && !a->renegotiating && seal_return(a->seal))
		TALLOC_FREE(a->seal);
}

/* A renegotiation inside the association (6.10) takes the records before data does. */
static enum err renegotiate(struct assoc *a, uint64_t now)
{
	enum err err = assoc_handshake(a, now);
	if (err == ERR_OK || err == ERR_AGAIN)
		return ERR_AGAIN;
	return ERR_TLS;
}

static enum err recv_gnutls(struct assoc *a, uint8_t *space, size_t cap, uint8_t **data,
			    size_t *len, uint64_t now)
{
	if (a->renegotiating)
		return renegotiate(a, now);
	ssize_t k = gnutls_record_recv(a->s, space, cap);
	if (k > 0) {
		*data = space;
		*len = (size_t)k;
		return ERR_OK;
	}
	if (k == 0)
		return ERR_CLOSED;
	if (k == GNUTLS_E_REHANDSHAKE) {
		a->renegotiating = true;
		return renegotiate(a, now);
	}
	return gnutls_error_is_fatal((int)k) ? ERR_TLS : ERR_AGAIN;
}

/* Opens the next record of the datagram, or lays it before GnuTLS. */
static enum seal_verdict open_next(struct assoc *a, uint8_t **data, size_t *len)
{
	uint8_t *rec = a->rest;
	size_t n = seal_record(a->seal, rec, a->rest_len);
	a->rest += n;
	a->rest_len = n ? a->rest_len - n : 0; /* a piece of a record: no use */
	enum seal_verdict verdict = n ? seal_open(a->seal, rec, n, data, len) : SEAL_DROP;
	a->in = rec;
	a->in_len = verdict == SEAL_OTHER ? n : 0;
	return verdict;
}

static enum err through_gnutls(struct assoc *a, uint8_t *space, size_t cap, uint8_t **data,
			       size_t *len, uint64_t now)
{
	bool before = a->renegotiating;
	lend(a);
	enum err err = recv_gnutls(a, space, cap, data, len, now);
	take_back(a);
	/* The hello may have brought other limits. */
	if (before || a->renegotiating)
		a->proven = 0;
	return err;
}

enum err assoc_recv(struct assoc *a, uint8_t *space, size_t cap, uint8_t **data, size_t *len,
		    uint64_t now)
{
	enum err err = ERR_AGAIN;
	/* Without a datagram it is a timer of the renegotiation. */
	if (!a->seal || (a->renegotiating && !a->rest_len))
		return through_gnutls(a, space, cap, data, len, now);
	while (err == ERR_AGAIN && a->seal && a->rest_len) {
		enum seal_verdict verdict = open_next(a, data, len);
		if (verdict == SEAL_DATA && *len)
			return ERR_OK;
		if (verdict == SEAL_OTHER)
			err = through_gnutls(a, space, cap, data, len, now);
	}
	return err;
}

static enum err send_sealed(struct assoc *a, const void *data, size_t len)
{
	size_t n = len + seal_overhead(a->seal);
	uint8_t *room = batch_room(a->out, n);
	if (!room)
		return ERR_OK; /* dropped and counted, as by a router */
	if (!seal_write(a->seal, data, len, room))
		return ERR_EXHAUSTED;
	batch_commit(a->out, n);
	return ERR_OK;
}

/* GnuTLS alone knows all limits there are to a record (MTU, what the client announced): the first
 * one of each larger size is left to it. */
static enum err send_gnutls(struct assoc *a, const void *data, size_t len)
{
	lend(a);
	ssize_t k = gnutls_record_send(a->s, data, len);
	take_back(a);
	if (k == (ssize_t)len && len > a->proven)
		a->proven = len;
	if (k == GNUTLS_E_LARGE_PACKET)
		return ERR_TOO_LONG;
	return k < 0 && gnutls_error_is_fatal((int)k) ? ERR_TLS : ERR_OK;
}

enum err assoc_send(struct assoc *a, const void *data, size_t len)
{
	if (a->seal && a->out && len <= a->proven && !a->renegotiating)
		return send_sealed(a, data, len);
	return send_gnutls(a, data, len);
}

unsigned assoc_set_payload(struct assoc *a, unsigned bytes)
{
	gnutls_dtls_set_mtu(a->s, bytes);
	unsigned most = gnutls_dtls_get_data_mtu(a->s);
	if (a->proven > most)
		a->proven = most;
	return most;
}

char *assoc_describe(TALLOC_CTX *ctx, const struct assoc *a)
{
	char *desc = gnutls_session_get_desc(a->s);
	char *copy = desc ? talloc_strdup(ctx, desc) : NULL;
	gnutls_free(desc);
	return copy;
}

void assoc_say_goodbye(struct assoc *a)
{
	if (!a->open)
		return;
	lend(a); /* for good: nothing comes after this */
	(void)gnutls_bye(a->s, GNUTLS_SHUT_WR);
}
