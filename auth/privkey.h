/* privkey.h - one private key: loading it, and every operation with it.  Used by auth/keys.c for
 * keys in files and by the process that holds tokens (auth/token_work.c) for all others. */
#ifndef AUTH_PRIVKEY_H
#define AUTH_PRIVKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "auth/chain.h"
#include "base/err.h"
#include "ipc/auth.pb-c.h"

/* What opens keys; NULL: not configured. */
struct privkey_pins {
	const char *key; /* of the key, or of its token */
	const char *srk; /* of a TPM's storage root key */
};

/* The state of privkey_give_pin. */
struct privkey_asked {
	const struct privkey_pins *pins;
	bool without; /* a token asked, and there is no PIN */
};

/* Why a key was not loaded. */
struct privkey_fault {
	char *text;	  /* a child of the context that was given */
	bool pin_refused; /* asking again with the same PIN may lock the token */
};

/* NAME is a URL, or FILE holds what only hardware can use: it blocks, so it is not for auth
 * itself.  FILE may be NULL for URLs. */
bool privkey_is_foreign(const char *name, const gnutls_datum_t *file);

/* Loads the key NAME, whose FILE was read already, or (FILE NULL) that is a URL.  *OUT is the
 * caller's, to be freed with gnutls_privkey_deinit; PINS must last as long.
 * ERR_CONF: FAULT says why. */
MUST_USE enum err privkey_load(TALLOC_CTX *ctx, const char *name, const gnutls_datum_t *file,
			       struct privkey_asked *asked, gnutls_privkey_t *out,
			       struct privkey_fault *fault);

/* For GnuTLS: the PIN of a token, once; ARG is a struct privkey_asked. */
int privkey_give_pin(void *arg, int attempt, const char *url, const char *label, unsigned flags,
		     char *pin, size_t cap);

/* SHA-256 of the public half.  ERR_TLS: some tokens do not give it away. */
MUST_USE enum err privkey_id(gnutls_privkey_t priv, uint8_t id[KEY_ID]);

/* Does what MSG asks; *OUT is a child of CTX.  ERR_DENIED: not an operation for keys; ERR_TLS:
 * *WHY (GnuTLS's error code) says more. */
MUST_USE enum err privkey_use(TALLOC_CTX *ctx, gnutls_privkey_t priv, const Sign *msg,
			      uint8_t **out, size_t *len, int *why);

#endif /* AUTH_PRIVKEY_H */
