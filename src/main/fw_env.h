/* fw_env.h - restrictions of a session read back from the variables of a script (admin.md 10.2).
 * Pure; used by sallyport-fw. */
#ifndef MAIN_FW_ENV_H
#define MAIN_FW_ENV_H

#include <talloc.h>

#include "base/err.h"
#include "main/firewall_rules.h"

/* Reads DEVICE, OCSERV_RESTRICT_TO_ROUTES, OCSERV_ROUTES, OCSERV_NO_ROUTES, OCSERV_DNS,
 * OCSERV_ALLOW_PORTS and OCSERV_DENY_PORTS of ENV (as environ).  OUT borrows from CTX and ENV.
 * ERR_SYNTAX: *WHY says which value is none, child of CTX; ERR_NOMEM. */
MUST_USE enum err fw_env_read(TALLOC_CTX *ctx, char *const *env, struct fw_rules *out,
			      const char **why);

/* The value of NAME in ENV; NULL when it is not there. */
const char *fw_env_get(char *const *env, const char *name);

#endif /* MAIN_FW_ENV_H */
