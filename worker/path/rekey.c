/* rekey.c - rekeying of the TLS channel.  Used by the data path. */
#include "worker/path/rekey.h"

#include <string.h>

#include <gnutls/crypto.h>

#include "base/secret.h"

void rekey_init(struct rekey *r, gnutls_session_t tls, const struct path_limits *limits,
		uint64_t now)
{
	memset(r, 0, sizeof *r);
	r->tls = tls;
	r->interval = limits->rekey * UINT64_C(1000);
	r->last = now;
	r->tls13 = gnutls_protocol_get_version(tls) == GNUTLS_TLS1_3;
	r->ours = r->tls13 && limits->rekey_ssl && r->interval;
}

uint64_t rekey_deadline(const struct rekey *r)
{
	return r->ours ? r->last + r->interval : UINT64_MAX;
}

enum err rekey_update(struct rekey *r, uint64_t now)
{
	r->last = now;
	return gnutls_session_key_update(r->tls, GNUTLS_KU_PEER) < 0 ? ERR_TLS : ERR_OK;
}

/* SHA-256 of the client's certificate.  False: it showed none. */
static bool peer_hash(gnutls_session_t tls, uint8_t out[32])
{
	unsigned n = 0;
	if (gnutls_auth_client_get_type(tls) != GNUTLS_CRD_CERTIFICATE)
		return false;
	const gnutls_datum_t *crt = gnutls_certificate_get_peers(tls, &n);
	return crt && n && gnutls_hash_fast(GNUTLS_DIG_SHA256, crt->data, crt->size, out) == 0;
}

enum err rekey_begin(struct rekey *r, uint64_t now)
{
	/* GnuTLS keeps the hello: the choice is to go on with it or to end the connection. */
	if (!r->interval || now - r->last < r->interval / 2)
		return ERR_DENIED;
	r->has_peer = peer_hash(r->tls, r->peer);
	r->running = true;
	return ERR_OK;
}

enum err rekey_continue(struct rekey *r, uint64_t now)
{
	uint8_t peer[sizeof r->peer];
	int ret = gnutls_handshake(r->tls);
	/* A warning alert inside the handshake: what follows it is in memory already. */
	while (ret == GNUTLS_E_WARNING_ALERT_RECEIVED || ret == GNUTLS_E_INTERRUPTED)
		ret = gnutls_handshake(r->tls);
	if (ret == GNUTLS_E_AGAIN)
		return ERR_AGAIN;
	if (ret == GNUTLS_E_GOT_APPLICATION_DATA)
		return ERR_STATE;
	/* GnuTLS sees the switch, too, when there was a certificate before. */
	if (ret < 0)
		return ret == GNUTLS_E_SESSION_USER_ID_CHANGED ? ERR_DENIED : ERR_TLS;
	r->running = false;
	r->last = now;
	/* The session belongs to whoever logged in: nobody else may take its place (10.17). */
	bool has_peer = peer_hash(r->tls, peer);
	if (has_peer && (!r->has_peer || !secret_equal(peer, r->peer, sizeof peer)))
		return ERR_DENIED;
	return ERR_OK;
}
