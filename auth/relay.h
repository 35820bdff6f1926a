/* relay.h - Kerberos messages of clients without a login, to the KDCs of their host (protocol.md
 * 8). Used by auth. */
#ifndef AUTH_RELAY_H
#define AUTH_RELAY_H

#include <stddef.h>
#include <talloc.h>

#include "auth/backend/backend.h"
#include "base/err.h"
#include "conf/conf.h"
#include "ipc/auth.pb-c.h"

struct worker;

/* The KDCs of one realm behind one path, in the order of preference. */
struct relay {
	const char *path, *realm;
	struct backend_pairs servers; /* options of the backend `kkdcp` */
};

struct relays {
	struct relay *item;
	size_t n;
};

/* What the lines kkdcp of HOST amount to; everything is borrowed from HOST or a child of CTX. */
MUST_USE enum err relays_make(TALLOC_CTX *ctx, const struct host_conf *host, struct relays *out);

/* The relay for REALM ("": the first) at PATH, NULL when there is none. */
const struct relay *relays_find(const struct relays *r, const char *path, const char *realm);

/* Charges W's client and answers it, now or later.  ERR_STATE: an earlier request of W still waits
 * for its answer. */
MUST_USE enum err relay_request(struct worker *w, const Relay *msg);

#endif /* AUTH_RELAY_H */
