/* staple.h - the OCSP response of a host (ocsp-response): read, and matched with its certificate.
 * Used by auth/keys.c. */
#ifndef AUTH_STAPLE_H
#define AUTH_STAPLE_H

#include <talloc.h>

#include <gnutls/ocsp.h>

#include "auth/chain.h"
#include "auth/material.h"
#include "base/err.h"

struct staple;

/* Reads the file PATH.  *OUT is a child of CTX.  ERR_CONF: REPORT has a line more; whoever loads
 * goes on without, because clients do (config.md 8.3). */
MUST_USE enum err staple_load(TALLOC_CTX *ctx, const char *path, struct keys_report *report,
			      struct staple **out);

/* The response in DER if it is about the leaf of CHAIN and can be used now, borrowed from S; NULL
 * if not.  REPORT hears why one that is about it cannot be used. */
const gnutls_datum_t *staple_for(const struct staple *s, const struct chain *chain,
				 struct keys_report *report, bool *about);

#endif /* AUTH_STAPLE_H */
