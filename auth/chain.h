/* chain.h - certificate chains of the server: from PEM or from a token, and what is strange about
 * them.  Used by auth/keys.c and by the process that holds tokens (auth/token_work.c). */
#ifndef AUTH_CHAIN_H
#define AUTH_CHAIN_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "auth/material.h"
#include "base/err.h"
#include "ipc/main.pb-c.h"

enum {
	KEY_ID = 32,	/* SHA-256 of a public key, what pin-sha256 has in base64 */
	CHAIN_MAX = 16, /* certificates of one chain */
};

/* Leaf first; without the root, which clients have already.  All zero: none. */
struct chain {
	gnutls_x509_crt_t *cert;
	unsigned n;
};

/* Each makes a chain that chain_free() frees.  ERR_CONF: *WHY, borrowed for ever, says what is
 * wrong.  FILE is PEM; PIN (NULL: none) is for tokens that show certificates to nobody else. */
MUST_USE enum err chain_from_pem(const gnutls_datum_t *file, struct chain *out, const char **why);
MUST_USE enum err chain_from_url(const char *url, const char *pin, struct chain *out,
				 const char **why);
MUST_USE enum err chain_from_der(const ProtobufCBinaryData *der, size_t n, struct chain *out,
				 const char **why);

void chain_free(struct chain *chain);

/* The certificates in DER; the array and its contents are children of CTX. */
MUST_USE enum err chain_to_der(TALLOC_CTX *ctx, const struct chain *chain,
			       ProtobufCBinaryData **out, size_t *n);

MUST_USE enum err chain_key_id(const struct chain *chain, uint8_t id[KEY_ID]);

/* What administrators should know of the leaf and its key, a child of CTX; NULL without memory. */
ServerKey *chain_describe(TALLOC_CTX *ctx, const struct chain *chain, const char *vhost);

/* Reports what is legal but seldom meant (end of config.md 8.3) of the certificate called NAME. */
void chain_look_over(const struct chain *chain, const char *name, struct keys_report *report);

/* Reports it when the leaf's names do not cover VHOST. */
void chain_check_name(const struct chain *chain, const char *vhost, struct keys_report *report);

#endif /* AUTH_CHAIN_H */
