/* ldap_tls.h - TLS to a directory server: the handshake, and the layer through which libldap reads
 * and writes then.  Used by backend/ldap_dir.c. */
#ifndef AUTH_BACKEND_LDAP_TLS_H
#define AUTH_BACKEND_LDAP_TLS_H

#include <lber.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"

struct ldap_tls;

/* Speaks TLS over the socket FD with a server that must prove to be HOST, by an authority of the
 * file CA (NULL: those of the system).  UNTIL, in clock_ms, bounds this and every later write.
 * *OUT is a child of CTX and borrows FD.  ERR_TLS, ERR_TIMEOUT: *WHY is a child of CTX that says
 * what happened. */
MUST_USE enum err ldap_tls_start(TALLOC_CTX *ctx, int fd, const char *host, const char *ca,
				 uint64_t until, struct ldap_tls **out, const char **why);

/* Makes SB, whose socket is T's, speak through T, which must outlive it. */
MUST_USE enum err ldap_tls_install(struct ldap_tls *t, Sockbuf *sb);

#endif /* AUTH_BACKEND_LDAP_TLS_H */
