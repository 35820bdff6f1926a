/* tls.h - the TLS session with the client during the login phase.  Used by the worker. */
#ifndef WORKER_TLS_H
#define WORKER_TLS_H

#include "worker/worker.h"

/* Waits for the first byte and does the handshake: w->tls, w->vhost, w->peer and w->facts.
 *	ERR_NOT_FOUND	the client left without a byte: a health probe
 *	ERR_TIMEOUT, ERR_STATE, ERR_CLOSED as in io.h; ERR_TLS */
MUST_USE enum err tls_accept(struct worker *w);

/* Receives at least one byte, or sends all LEN.  ERR_PROTO: a renegotiation, which has no place
 * before the tunnel.  The rest as above. */
MUST_USE enum err tls_read(struct worker *w, void *data, size_t cap, size_t *len);
MUST_USE enum err tls_write(struct worker *w, const void *data, size_t len);

/* Whether a byte of the client waits to be read.  Takes that byte: for a connection that is to end
 * because of it. */
bool tls_has_more(struct worker *w);

/* Says goodbye as far as the socket takes it at once; DENIED: with an alert. */
void tls_goodbye(struct worker *w, bool denied);

/* Priorities of PSK DTLS beside the TLS session of W (protocol.md 6.2): DTLS 1.2, plain PSK, AEAD
 * only; with match-tls-dtls-ciphers the cipher of TLS.  Child of CTX, NULL without memory. */
char *tls_dtls_priorities(TALLOC_CTX *ctx, const struct worker *w);

/* GnuTLS's names for ciphers and MACs as the wire library's. */
enum suite_cipher tls_suite_cipher(gnutls_cipher_algorithm_t cipher);
enum suite_mac tls_suite_mac(gnutls_mac_algorithm_t mac);

#endif /* WORKER_TLS_H */
