/* keys.h - every private key of the server and every operation with one.  Workers hold none: they
 * ask for each signature.  Used by auth, in no other process. */
#ifndef AUTH_KEYS_H
#define AUTH_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "auth/material.h"
#include "base/err.h"
#include "conf/conf.h"
#include "ipc/auth.pb-c.h"
#include "ipc/main.pb-c.h"

struct keys; /* the keys and certificate chains of one host, in the order of its options */

/* Loads what HOST names.  *OUT is a child of CTX; freeing it wipes the keys.  ERR_CONF: REPORT has
 * at least one error more, every fault of the host is in it. */
MUST_USE enum err keys_load(TALLOC_CTX *ctx, const struct host_conf *host,
			    struct keys_report *report, struct keys **out);

size_t keys_count(const struct keys *k);

/* Fills MSG, a child of CTX, with the chains of K in DER. */
MUST_USE enum err keys_chains(TALLOC_CTX *ctx, const struct keys *k, const char *vhost,
			      HostCerts **msg);

/* Logs the pin-sha256 of each public key. */
void keys_log(const struct keys *k, const char *vhost);

/* Does what MSG asks with key number MSG->key; *OUT is a child of CTX.
 * ERR_RANGE: no such key; ERR_DENIED: not an operation for this key; ERR_TLS. */
MUST_USE enum err keys_sign(TALLOC_CTX *ctx, const struct keys *k, const Sign *msg, uint8_t **out,
			    size_t *len);

#endif /* AUTH_KEYS_H */
