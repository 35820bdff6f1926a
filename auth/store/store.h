/* store.h - VPN sessions (successful logins) while their cookies live: the records behind one small
 * interface, so that another store can stand in for the one in memory.  Used by auth.
 *
 * The cookie itself is never kept: a record is found by the SHA-256 of it.  Every change is written
 * to the journal, from which a restarted auth process builds the store again. */
#ifndef AUTH_STORE_STORE_H
#define AUTH_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "auth/store/ticket.h"
#include "base/addr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/journal.h"

struct store;

/* A configuration row that the backend granted (RADIUS). */
struct session_row {
	const char *option, *value;
};

struct session {
	uint8_t key[TICKET_KEY];
	char sid[TICKET_SID + 1];
	/* Strings are children of the session, never NULL. */
	const char *user, *group, *vhost, *user_agent;
	const char *cert_user; /* whom the certificate of its connections must name; "": none */
	const char *backend;   /* whose word the login was; "": a certificate's alone */
	struct session_row *row;
	size_t n_rows;
	struct addr remote; /* where the login came from */
	int64_t started;    /* UNIX time of the login */
	int64_t expires;    /* UNIX time the cookie dies; 0 while a tunnel uses it */
	int64_t deadline;   /* of session-timeout; 0: none known */
	uint64_t worker;    /* whose tunnel it is; 0: none */
	bool opened;	    /* a tunnel was opened and has not ended for good */
	bool tls_auth_ok;   /* the login used a client certificate */

	/* Until then a tunnel may still be opening and the session must not expire; not in the
	 * journal: after a restart the worker asks again. */
	int64_t opening;

	/* For the store only. */
	struct session *by_key, *by_sid, *next, **prev;
};

/* Empty store that writes to J, which is borrowed.  *OUT is a child of CTX. */
MUST_USE enum err store_new(TALLOC_CTX *ctx, struct journal *j, struct store **out);

/* Takes over what the journal holds.  Records that do not decode are removed from it. */
void store_restore(struct store *st);

/* Adds a session of COOKIE with the members of INIT (strings are copied, NULL means ""), and
 * writes it.  *OUT belongs to the store. */
MUST_USE enum err store_add(struct store *st, const uint8_t cookie[TICKET_COOKIE],
			    const struct session *init, struct session **out);

/* The session of the cookie in COOKIE (any length; only the right one finds anything), compared in
 * constant time.  NULL: unknown. */
struct session *store_by_cookie(const struct store *st, const uint8_t *cookie, size_t len);
struct session *store_by_sid(const struct store *st, const char *sid);

/* Writes changed members of S to the journal.  A failure is logged: the session goes on, but would
 * not survive a restart as it is now. */
void store_save(struct store *st, const struct session *s);

/* Removes and frees S. */
void store_forget(struct store *st, struct session *s);

/* All sessions: for (s = store_first(st); s; s = s->next). */
struct session *store_first(const struct store *st);
size_t store_count(const struct store *st);

/* Appends S to OUT as a journal value, and reads one back as a child of CTX.  Pure.
 * ERR_TOO_LONG; ERR_SYNTAX. */
MUST_USE enum err session_encode(const struct session *s, struct buf *out);
MUST_USE enum err session_decode(TALLOC_CTX *ctx, const uint8_t key[TICKET_KEY],
				 const uint8_t *data, size_t len, struct session **out);

#endif /* AUTH_STORE_STORE_H */
