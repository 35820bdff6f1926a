/* dh.h - parameters for the key exchange DHE of TLS 1.2 (dh-params).  Used by auth/keys.c. */
#ifndef AUTH_DH_H
#define AUTH_DH_H

#include <talloc.h>

#include "auth/material.h"
#include "base/err.h"

/* Reads PEM (PKCS#3) from the file PATH.  *OUT is DER, a child of CTX.  ERR_CONF: REPORT has a line
 * more; parameters that modern clients refuse are a warning. */
MUST_USE enum err dh_load(TALLOC_CTX *ctx, const char *path, struct keys_report *report,
			  gnutls_datum_t *out);

#endif /* AUTH_DH_H */
