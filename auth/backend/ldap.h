/* ldap.h - the auth line of the backend `ldap`, for its two halves. */
#ifndef AUTH_BACKEND_LDAP_H
#define AUTH_BACKEND_LDAP_H

#include "auth/backend/backend.h"

enum ldap_scope { LDAP_SCOPE_TREE, LDAP_SCOPE_LEVEL, LDAP_SCOPE_ENTRY };

/* Groups of groups. */
enum ldap_nested {
	LDAP_NESTED_NO,
	LDAP_NESTED_YES,   /* whatever suits the server */
	LDAP_NESTED_CHAIN, /* one search with Active Directory's matching rule */
};

/* The sub-options, of the auth line or of the file that it names.  NULL where one was not given and
 * has no default. */
struct ldap_line {
	struct strv uri;
	bool starttls, insecure;
	const char *ca;
	unsigned timeout; /* seconds for one answer of a server */
	const char *base;
	enum ldap_scope scope;
	const char *filter;
	const char *binddn, *bindpw_file; /* both or none */
	const char *user_dn;		  /* template; NULL: the user is searched for */
	const char *user_attr;		  /* whose value is the user's name here */
	const char *group_attr;
	const char *group_base, *group_filter; /* both or none */
	enum ldap_nested nested;
};

#endif /* AUTH_BACKEND_LDAP_H */
