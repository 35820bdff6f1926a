/* nft.h - runs nft's commands inside this process.  The only user of libnftables.
 * Used by main's firewall and by sallyport-fw; every call may take long (firewall.h). */
#ifndef MAIN_NFT_H
#define MAIN_NFT_H

#include <talloc.h>

#include "base/err.h"

/* Runs the commands of TEXT as one transaction: all of them or none.  *WHY (may be NULL) is set on
 * failure: one line, child of CTX.  ERR_SYS: the kernel or the library refuses; ERR_NOMEM. */
MUST_USE enum err nft_run(TALLOC_CTX *ctx, const char *text, char **why);

/* What the command TEXT prints, child of CTX.  Errors as above. */
MUST_USE enum err nft_query(TALLOC_CTX *ctx, const char *text, char **out);

#endif /* MAIN_NFT_H */
