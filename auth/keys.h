/* keys.h - every private key of the server and every operation with one.  Workers hold none: they
 * ask for each signature.  Used by auth, in no other process. */
#ifndef AUTH_KEYS_H
#define AUTH_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "auth/material.h"
#include "auth/tokens.h"
#include "auth/trust.h"
#include "base/err.h"
#include "conf/conf.h"
#include "ipc/auth.pb-c.h"
#include "ipc/main.pb-c.h"

/* The keys and certificate chains of one host, in the order of its options; what goes with them. */
struct keys;

/* Loads what HOST names; TOKENS, which must last as long, is for keys outside of files, and what
 * workers need of it goes to AREA.  *OUT is a child of CTX; freeing it wipes the keys.  ERR_CONF:
 * REPORT has at least one error more, every fault of the host is in it.  Errors without ERR_CONF
 * are those a host can serve with. */
MUST_USE enum err keys_load(TALLOC_CTX *ctx, const struct host_conf *host, struct tokens *tokens,
			    struct trust *area, struct keys_report *report, struct keys **out);

/* Whether A and B name the same material, so that what was loaded for one, and reported, serves
 * both.
 */
bool keys_are_same(const struct host_conf *a, const struct host_conf *b);

/* Reports certificates of K whose names do not cover VHOST. */
void keys_check_names(const struct keys *k, const char *vhost, struct keys_report *report);

/* Whether GnuTLS knows HOST's tls-priorities: workers use the string, but a worker cannot refuse a
 * file (config.md 8.3: unparsable is fatal).  ERR_CONF: REPORT has a line more. */
MUST_USE enum err keys_check_priorities(const struct host_conf *host, struct keys_report *report);

size_t keys_count(const struct keys *k);

/* Fills MSG, a child of CTX, with what K has in the area. */
MUST_USE enum err keys_chains(TALLOC_CTX *ctx, const struct keys *k, const char *vhost,
			      HostCerts **msg);

/* Adds what administrators see of K's keys to MSG; children of CTX. */
MUST_USE enum err keys_describe(TALLOC_CTX *ctx, const struct keys *k, const char *vhost,
				ServerKeys *msg);

/* Called once; DATA is borrowed.  ERR_TLS, and what tokens_sign has. */
typedef void keys_done_fn(void *arg, enum err err, const uint8_t *data, size_t len);

/* Does what MSG asks with key number MSG->key and calls DONE, before it returns if the key is ours,
 * later if it is a token's, unless OWNER was freed.  On an error DONE is not called.
 * ERR_RANGE: no such key; ERR_DENIED: not an operation for this key; ERR_TLS. */
MUST_USE enum err keys_sign(TALLOC_CTX *owner, const struct keys *k, const Sign *msg,
			    keys_done_fn *done, void *arg);

#endif /* AUTH_KEYS_H */
