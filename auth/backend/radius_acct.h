/* radius_acct.h - accounting records by RADIUS (radius.md 5.2); may block.  Used by radius.c. */
#ifndef AUTH_BACKEND_RADIUS_ACCT_H
#define AUTH_BACKEND_RADIUS_ACCT_H

#include "auth/backend/radius.h"
#include "auth/backend/radius_attrs.h"
#include "auth/backend/work.h"
#include "base/err.h"

/* See backend_work.account: ACCEPT when a server has acknowledged the record. */
MUST_USE enum err radius_account(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
				 const struct acct_record *rec, struct verdict *out);

/* The attributes of REC, children of CTX.  Pure. */
MUST_USE enum err radius_acct_request(TALLOC_CTX *ctx, const struct radius *line,
				      const struct backend_input *in, const struct acct_record *rec,
				      struct radius_attrs *out);

#endif /* AUTH_BACKEND_RADIUS_ACCT_H */
