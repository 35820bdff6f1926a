/* resume_keys.h - keys of TLS session tickets, one for each client address, host and certificate
 * chain, all derived from secrets that change with time.  Pure but for the random numbers; used by
 * auth/resume.c.
 *
 * A worker gets the key of its own client at its own host: that is all that a worker in hostile
 * hands can open, and a ticket from anywhere else does not open (protocol.md 2.7). */
#ifndef AUTH_RESUME_KEYS_H
#define AUTH_RESUME_KEYS_H

#include <stdint.h>
#include <talloc.h>

#include "base/addr.h"
#include "base/err.h"

enum {
	RESUME_KEY = 64,		 /* bytes; what GnuTLS wants */
	RESUME_NAME = 16,		 /* what a ticket begins with */
	RESUME_LIFETIME = 7 * 24 * 3600, /* seconds, at most (RFC 8446 4.6.1) */
};

struct resume_keys; /* the secrets: of now, and of the period before */

/* Whose tickets. */
struct resume_scope {
	const char *vhost;
	uint32_t chain; /* number of the certificate chain that the client saw */
	struct addr client;
};

/* New secrets, which change every PERIOD seconds, the longest lifetime of a ticket.  NOW: clock_ms.
 * *OUT is a child of CTX; freeing it wipes them. */
MUST_USE enum err resume_keys_new(TALLOC_CTX *ctx, uint32_t period, uint64_t now,
				  struct resume_keys **out);

/* Changes the secrets when it is time to; those of two periods ago are wiped. */
void resume_keys_rotate(struct resume_keys *k, uint64_t now);

/* The key for new tickets of SCOPE. */
MUST_USE enum err resume_key(const struct resume_keys *k, const struct resume_scope *scope,
			     uint8_t out[RESUME_KEY]);

/* The key of a ticket that begins with NAME, of now or of the period before.  LIFETIME: that of the
 * host's tickets, not 0; UNIX_NOW: UNIX time.  ERR_NOT_FOUND: the ticket is not of SCOPE, or too
 * old. */
MUST_USE enum err resume_key_find(const struct resume_keys *k, const struct resume_scope *scope,
				  const uint8_t name[RESUME_NAME], uint32_t lifetime,
				  int64_t unix_now, uint8_t out[RESUME_KEY]);

#endif /* AUTH_RESUME_KEYS_H */
