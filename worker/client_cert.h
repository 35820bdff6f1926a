/* client_cert.h - the certificate a client shows: asked for as its host wants it, verified inside
 * the handshake, turned into a user name and groups.  Used by the worker. */
#ifndef WORKER_CLIENT_CERT_H
#define WORKER_CLIENT_CERT_H

#include <gnutls/gnutls.h>

#include "worker/worker.h"

/* Before the handshake of W. */
void client_cert_init(struct worker *w);

/* The host is known: whether a certificate is asked for, or demanded (config.md 6.1). */
void client_cert_ask(const struct worker *w);

/* GnuTLS's verdict on a chain is STATUS of RET; then whether one of the N certificates of CHAIN is
 * revoked.  True: it is good.  What is not is logged as about WHICH certificate. */
bool client_cert_judge(const struct worker *w, const char *which, int ret, unsigned status,
		       const gnutls_datum_t *chain, unsigned n);

/* Whom CERT names (cert_id.h), a child of CTX; NULL: nobody, which was logged. */
struct cert_id *client_cert_identity(TALLOC_CTX *ctx, const struct worker *w,
				     const gnutls_datum_t *cert);

/* The handshake is over: W->cert says whom the certificate names. */
void client_cert_read(struct worker *w);

#endif /* WORKER_CLIENT_CERT_H */
