/* crl.h - takes a certificate revocation list (RFC 5280 5.1) apart.
 * Pure; used by auth/trust.c.  GnuTLS would build a tree of nodes for each revoked certificate: a
 * list of a hundred thousand would occupy hundreds of megabytes. */
#ifndef AUTH_CRL_H
#define AUTH_CRL_H

#include <stdint.h>

#include "base/der.h"

/* Parts of a list; they lie in the input. */
struct crl {
	struct der tbs;	      /* what is signed, with tag and length */
	struct der issuer;    /* the name, with tag and length */
	struct der revoked;   /* for crl_next; may be empty */
	struct der algorithm; /* contents of the signature algorithm's identifier */
	struct der signature;
	int64_t next_update; /* UNIX time; 0: not said */
};

/* Parses the whole of IN.  ERR_SYNTAX: it is no revocation list. */
MUST_USE enum err crl_parse(const struct der *in, struct crl *out);

/* Takes the first revoked certificate off REVOKED; *SERIAL is the contents of its number.
 * ERR_NOT_FOUND: that was all; ERR_SYNTAX. */
MUST_USE enum err crl_next(struct der *revoked, struct der *serial);

#endif /* AUTH_CRL_H */
