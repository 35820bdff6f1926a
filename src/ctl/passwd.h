/* passwd.h - editing the text of a password file (admin.md 8).  Pure; used by ocpasswd. */
#ifndef CTL_PASSWD_H
#define CTL_PASSWD_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

#include "base/err.h"

enum { PASSWD_LINE = 511 }; /* characters of a line that the server reads */

enum passwd_action { PASSWD_SET, PASSWD_DELETE, PASSWD_LOCK, PASSWD_UNLOCK };

struct passwd_edit {
	enum passwd_action action;
	const char *user;
	const char *groups, *hash; /* PASSWD_SET; groups "*" for none */
};

/* A user name or group list that the file format can carry: not empty, no colon, no control
 * characters. */
bool passwd_is_valid_field(const char *text);

/* The file TEXT (LEN bytes; NULL when there is none) after EDIT.  Other users' lines stay as they
 * are; lines without a colon are dropped.  A user's repeated lines, of which the server reads only
 * the first, are edited alike, and PASSWD_SET leaves one.  *OUT is a NUL-terminated child of CTX
 * with *OUT_LEN bytes.  ERR_TOO_LONG: the new line or file is longer than the server reads.
 * ERR_SYNTAX: an invalid field, or TEXT holds a NUL. */
MUST_USE enum err passwd_apply(TALLOC_CTX *ctx, const char *text, size_t len,
			       const struct passwd_edit *edit, char **out, size_t *out_len);

#endif /* CTL_PASSWD_H */
