/* ldap_groups.h - the groups of a user of a directory.  Used by backend/ldap.c. */
#ifndef AUTH_BACKEND_LDAP_GROUPS_H
#define AUTH_BACKEND_LDAP_GROUPS_H

#include "auth/backend/ldap_dir.h"

/* Adds the names of the groups of the user USER with the entry ENTRY to *OUT (children of CTX),
 * each once, the direct ones first.  Groups of groups as LINE says; too many or too deep ones are
 * left out and logged.  ERR of dir_search when the server fails on the way. */
MUST_USE enum err ldap_groups_of(TALLOC_CTX *ctx, struct dir *d, const struct ldap_line *line,
				 const char *user, const struct dir_entry *entry, struct strv *out);

/* Whether that takes more than ENTRY. */
bool ldap_groups_ask(const struct ldap_line *line);

/* All groups below LINE's group-base; none without one. */
MUST_USE enum err ldap_groups_all(TALLOC_CTX *ctx, struct dir *d, const struct ldap_line *line,
				  struct strv *out);

#endif /* AUTH_BACKEND_LDAP_GROUPS_H */
