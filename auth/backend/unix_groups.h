/* unix_groups.h - groups of this machine's accounts, whatever name service they come from.
 * Used by the runners of backends whose users are unix accounts (pam, gssapi); may block. */
#ifndef AUTH_BACKEND_UNIX_GROUPS_H
#define AUTH_BACKEND_UNIX_GROUPS_H

#include <stdint.h>
#include <talloc.h>

#include "base/err.h"
#include "base/str.h"

/* The groups of the account USER: its primary group first, then the others, at most
 * BACKEND_GROUPS_MAX.  OUT->item is a child of CTX.  ERR_NOT_FOUND: there is no such account;
 * ERR_SYS: the name service failed. */
MUST_USE enum err unix_groups_of(TALLOC_CTX *ctx, const char *user, struct strv *out);

/* Every group whose number is MIN or higher, for auto-select-group; otherwise the same. */
MUST_USE enum err unix_groups_all(TALLOC_CTX *ctx, uint32_t min, struct strv *out);

#endif /* AUTH_BACKEND_UNIX_GROUPS_H */
