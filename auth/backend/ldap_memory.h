/* ldap_memory.h - makes the LDAP libraries forget passwords.  Used by backend/ldap_dir.c. */
#ifndef AUTH_BACKEND_LDAP_MEMORY_H
#define AUTH_BACKEND_LDAP_MEMORY_H

/* From now on liblber and libldap wipe what they free: requests with passwords are built in such
 * memory.  To be called before anything else of them; further calls change nothing. */
void ldap_memory_wipes(void);

#endif /* AUTH_BACKEND_LDAP_MEMORY_H */
