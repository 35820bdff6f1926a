/* passwd.h - the password file of ocpasswd (admin.md 8).  Pure parsing; used by backend/plain.c. */
#ifndef AUTH_BACKEND_PASSWD_H
#define AUTH_BACKEND_PASSWD_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

#include "base/err.h"
#include "base/str.h"

enum { PASSWD_LINE_MAX = 511 }; /* longer lines are not entries */

/* USER:GROUPS:HASH; the members point into the line. */
struct passwd_entry {
	const char *user;
	const char *groups; /* as written */
	const char *hash;   /* "" when there is none */
};

/* Splits LINE of LEN bytes (with or without its line end) in place.  ERR_SYNTAX: not an entry. */
MUST_USE enum err passwd_line_parse(char *line, size_t len, struct passwd_entry *out);

/* Appends the names in the list GROUPS that mean a group and are not in OUT yet, up to
 * BACKEND_GROUPS_MAX; OUT->item is a child of CTX. */
MUST_USE enum err passwd_groups_parse(TALLOC_CTX *ctx, const char *groups, struct strv *out);

#endif /* AUTH_BACKEND_PASSWD_H */
