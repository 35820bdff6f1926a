/* cert_id.h - whom a certificate names (radius.md 10): user and groups, read from its DER.
 * Pure; used by the worker for certificates that GnuTLS has verified.
 *
 * GnuTLS's own functions would cut a name at an embedded NUL, or give one in an unknown encoding.
 */
#ifndef WORKER_CERT_ID_H
#define WORKER_CERT_ID_H

#include <talloc.h>

#include "base/der.h"
#include "base/err.h"
#include "base/str.h"

enum { CERT_NAME_MAX = 63, CERT_GROUPS_MAX = 512 }; /* bytes of a name; groups in all */

/* Parts of a certificate; they lie in the input. */
struct cert_parts {
	struct der serial;  /* contents of the INTEGER */
	struct der issuer;  /* the name, with tag and length */
	struct der subject; /* contents of the name */
	struct der san;	    /* contents of subjectAltName; empty: there is none */
};

struct cert_id {
	const char *user; /* NULL: none where it should be */
	struct strv groups;
};

/* Parses the whole of CERT.  ERR_SYNTAX. */
MUST_USE enum err cert_parts_parse(const struct der *cert, struct cert_parts *out);

/* Reads the name at USER_OID (cert-user-oid: an OID of the subject, SAN(rfc822name) or SAN(upn);
 * the first one counts) and all at GROUP_OID (NULL: no groups).  *OUT is a child of CTX.
 *	ERR_SYNTAX	a name is not valid text, or has a control character (NUL included)
 *	ERR_TOO_LONG	a name is longer than CERT_NAME_MAX, or there are too many groups */
MUST_USE enum err cert_id_read(TALLOC_CTX *ctx, const struct cert_parts *cert, const char *user_oid,
			       const char *group_oid, struct cert_id **out);

#endif /* WORKER_CERT_ID_H */
