/* ldap_text.h - filters and distinguished names as text: user names go into them, group names come
 * out.  Pure; used by the backend ldap. */
#ifndef AUTH_BACKEND_LDAP_TEXT_H
#define AUTH_BACKEND_LDAP_TEXT_H

#include <stdbool.h>
#include <talloc.h>

#include "base/err.h"

enum ldap_quoting { LDAP_FOR_FILTER, LDAP_FOR_DN };

/* What %u and %d stand for.  NULL stands for anything: `*`, in filters only. */
struct ldap_names {
	const char *user, *dn;
};

/* TEMPLATE with %u, %d and %% replaced, names escaped so that they can be nothing but values (RFC
 * 4515 3, RFC 4514 2.4).  *OUT is a child of CTX.  ERR_TOO_LONG; ERR_SYNTAX: TEMPLATE is none, or
 * NAMES lacks what a DN needs. */
MUST_USE enum err ldap_expand(TALLOC_CTX *ctx, const char *template, enum ldap_quoting quoting,
			      const struct ldap_names *names, char **out);

/* What is wrong with a filter in which only LETTERS ("u", "ud") may follow a %, as the rest of a
 * sentence; NULL: nothing.  They must stand for values; NEEDED: at least one must be there. */
const char *ldap_filter_fault(const char *filter, const char *letters, bool needed);

/* The same for a DN, which must contain %u as a value. */
const char *ldap_dn_fault(const char *dn);

/* The attribute that TEMPLATE compares with the whole of %u: "uid" of "(uid=%u)" or of
 * "uid=%u,dc=x".  A child of CTX, or NULL when there is none. */
char *ldap_user_attr(TALLOC_CTX *ctx, const char *template);

/* The value of the first RDN of DN (RFC 4514), unescaped, a child of CTX.  ERR_SYNTAX: TEXT is no
 * DN.  ERR_UNSUPPORTED: it is one, but its value is no readable name. */
MUST_USE enum err ldap_rdn_value(TALLOC_CTX *ctx, const char *text, char **out);

/* Why Active Directory refused a password, from the diagnostic message of its answer; NULL: it does
 * not say.  *EXPIRED: the password was right but has to be changed. */
const char *ldap_ad_reason(const char *diagnostic, bool *expired);

#endif /* AUTH_BACKEND_LDAP_TEXT_H */
