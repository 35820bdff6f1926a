/* ldap_keep.h - what logins of one auth line tell later ones: which servers are dead, and how long
 * a password check takes.  Travels as text in verdict.keep, one fact a line.  Pure; used by the
 * backend ldap. */
#ifndef AUTH_BACKEND_LDAP_KEEP_H
#define AUTH_BACKEND_LDAP_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"

enum {
	LDAP_SERVERS_MAX = 16,
	LDAP_DEAD_SECONDS = 60, /* a dead server is asked last for so long */
	LDAP_WAIT_STEP_MS = 250,
	LDAP_WAIT_MAX_MS = 5000,
	LDAP_CHECK_SECONDS = 900,
};

struct ldap_dead {
	const char *uri;
	int64_t until; /* UNIX time */
};

struct ldap_keep {
	struct ldap_dead dead[LDAP_SERVERS_MAX];
	size_t n_dead;
	unsigned check_ms;   /* the longest that checking a password took lately; 0: not known */
	int64_t check_until; /* UNIX time after which that is old */
};

/* Reads DATA (NULL: nothing was kept); what makes no sense in it is left out.  Strings are children
 * of CTX. */
MUST_USE enum err ldap_keep_read(TALLOC_CTX *ctx, const uint8_t *data, size_t len,
				 struct ldap_keep *out);

/* K for the next one; *OUT is a child of CTX. */
MUST_USE enum err ldap_keep_write(TALLOC_CTX *ctx, const struct ldap_keep *k, const uint8_t **out,
				  size_t *len);

bool ldap_keep_is_dead(const struct ldap_keep *k, const char *uri, int64_t now);

/* URI is borrowed as long as K is used. */
void ldap_keep_set_dead(struct ldap_keep *k, const char *uri, int64_t now);
void ldap_keep_set_alive(struct ldap_keep *k, const char *uri);

/* A server took MS for one password check. */
void ldap_keep_took(struct ldap_keep *k, unsigned ms, int64_t now);

/* Milliseconds that every refusal takes at least, whatever its reason: more than a check of a
 * password lately, in steps, so that the checks of others hardly ever change it: a change would
 * tell that the last name exists. */
unsigned ldap_keep_wait(const struct ldap_keep *k);

#endif /* AUTH_BACKEND_LDAP_KEEP_H */
