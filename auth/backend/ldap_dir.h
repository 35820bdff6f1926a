/* ldap_dir.h - a connection to one directory server: TLS, binds, searches.  The only part of the
 * backend ldap that sees libldap. */
#ifndef AUTH_BACKEND_LDAP_DIR_H
#define AUTH_BACKEND_LDAP_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "auth/backend/ldap.h"
#include "base/err.h"
#include "base/str.h"

struct dir;

struct dir_attr {
	char *name; /* as the server spells it */
	struct strv value;
};

/* Everything in it is a child of the array that holds it. */
struct dir_entry {
	char *dn;
	struct dir_attr *attr;
	size_t n_attr;
};

struct dir_entries {
	struct dir_entry *item;
	size_t n;
};

/* What a server says about a password beside right and wrong. */
struct dir_policy {
	const char *reason; /* NULL: nothing */
	bool expired;	    /* the password was right, but must be changed before it is of use */
};

struct dir_query {
	const char *base;
	enum ldap_scope scope;
	const char *filter;
	const char *const *attrs; /* ends with NULL */
	int limit;		  /* most entries that are wanted */
};

/* Connects to URI, with TLS as LINE says, until UNTIL (clock_ms) at the latest; so long every later
 * call may take, and LINE's timeout for each answer.  LINE and URI are borrowed.  *OUT is a child
 * of CTX, freeing it closes the connection.  Errors, all of them trouble, are logged; so is what is
 * wrong with the server's certificate. */
MUST_USE enum err dir_open(TALLOC_CTX *ctx, const struct ldap_line *line, const char *uri,
			   uint64_t until, struct dir **out);

/* Makes the connection one of DN.  ERR_CREDENTIALS: the server refuses it, *POLICY may tell why;
 * POLICY may tell something with ERR_OK, too.  PASSWORD must not be "", which servers take for a
 * wish to be nobody: ERR_STATE. */
MUST_USE enum err dir_bind(struct dir *d, const char *dn, const char *password,
			   struct dir_policy *policy);

/* *OUT is a child of CTX.  ERR_NOT_FOUND: there is no such base, or it is hidden from us.
 * ERR_EXHAUSTED: there are more entries than the limit of the query or of the server; *OUT holds
 * those that came. */
MUST_USE enum err dir_search(TALLOC_CTX *ctx, struct dir *d, const struct dir_query *q,
			     struct dir_entries *out);

/* Whether the server is an Active Directory, whose matching rules follow nested groups. */
bool dir_is_active_directory(struct dir *d);

/* Values of the attribute NAME in any case; an empty list when there are none. */
const struct strv *dir_values(const struct dir_entry *e, const char *name);

/* The errors after which another server may have an answer. */
bool dir_is_trouble(enum err err);

#endif /* AUTH_BACKEND_LDAP_DIR_H */
