/* rekey.h - new keys for the TLS channel: key updates in TLS 1.3, the client's renegotiations
 * before it.  Used by the data path.  protocol.md 2.8. */
#ifndef WORKER_PATH_REKEY_H
#define WORKER_PATH_REKEY_H

#include <stdbool.h>
#include <stdint.h>

#include <gnutls/gnutls.h>

#include "base/err.h"
#include "worker/path/path.h"

struct rekey {
	gnutls_session_t tls; /* borrowed */
	uint64_t interval;    /* ms; 0: no rekeying */
	uint64_t last;	      /* when keys were new */
	bool tls13, ours;     /* ours: the server renews the keys by itself */
	bool running;	      /* a renegotiation is under way: no data may be sent */
	uint8_t peer[32];     /* hash of the client's certificate while it runs */
	bool has_peer;
};

void rekey_init(struct rekey *r, gnutls_session_t tls, const struct path_limits *limits,
		uint64_t now);

/* When rekey_update must be called; UINT64_MAX never. */
uint64_t rekey_deadline(const struct rekey *r);

/* Sends a KeyUpdate that asks for the client's too.  ERR_TLS ends the tunnel. */
MUST_USE enum err rekey_update(struct rekey *r, uint64_t now);

/* The client asks for a renegotiation (GNUTLS_E_REHANDSHAKE); on success call rekey_continue.
 * ERR_DENIED: too soon, or rekeying is off; end the tunnel. */
MUST_USE enum err rekey_begin(struct rekey *r, uint64_t now);

/* Goes on with a running renegotiation.  ERR_OK: done.  ERR_AGAIN: it waits for the client.
 * ERR_STATE: application data must be received first.  ERR_DENIED: another client certificate.
 * ERR_TLS: failed. */
MUST_USE enum err rekey_continue(struct rekey *r, uint64_t now);

#endif /* WORKER_PATH_REKEY_H */
