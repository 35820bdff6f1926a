/* keys.h - certificates whose private keys live in auth.  Used by the zygote, which loads them, and
 * by workers, whose handshakes sign with them. */
#ifndef WORKER_KEYS_H
#define WORKER_KEYS_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include <gnutls/gnutls.h>

#include "base/err.h"
#include "ipc/auth.pb-c.h"
#include "ipc/main.pb-c.h"
#include "worker/trust.h"

/* How a worker asks for the use of a key; filled in after the fork, NULL before.
 * SIGN asks auth and waits; *OUT is a child of CTX. */
struct keys_owner {
	enum err (*sign)(void *arg, TALLOC_CTX *ctx, const Sign *request, ProtobufCBinaryData *out);
	void *arg;
};

/* Adds CHAIN to CRED, and what it staples, with a key that asks OWNER, as key number CHAIN->key of
 * VHOST.  Both are borrowed as long as CRED lives.  ERR_SYNTAX: not certificates; ERR_RANGE: they
 * lie outside of AREA; ERR_TLS. */
MUST_USE enum err keys_add_chain(TALLOC_CTX *ctx, gnutls_certificate_credentials_t cred,
				 const struct trust_area *area, const CertChain *chain,
				 const char *vhost, struct keys_owner *owner);

#endif /* WORKER_KEYS_H */
