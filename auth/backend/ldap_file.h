/* ldap_file.h - the file of ldap[config=FILE]: one `key = value` a line.  Pure; used by
 * backend/ldap_line.c. */
#ifndef AUTH_BACKEND_LDAP_FILE_H
#define AUTH_BACKEND_LDAP_FILE_H

#include <stddef.h>
#include <talloc.h>

#include "auth/backend/backend.h"

enum { LDAP_FILE_MAX = 65536, LDAP_PAIRS_MAX = 64 };

/* Appends the pairs of TEXT (LEN bytes) to OUT, whose array and texts are children of CTX.  Lines
 * that begin with # are comments; a value is everything behind the first '=', without blanks around
 * it and without one pair of double quotes.  ERR_SYNTAX: *LINE is the first that is none, or holds
 * a NUL byte; ERR_TOO_LONG: more than LDAP_PAIRS_MAX pairs. */
MUST_USE enum err ldap_file_parse(TALLOC_CTX *ctx, const char *text, size_t len,
				  struct backend_pairs *out, unsigned *line);

#endif /* AUTH_BACKEND_LDAP_FILE_H */
