/* ldap_net.h - a connected socket to a directory server, within a time.  libldap would look up,
 * connect and shake hands by itself, but waits for ever (and spins) when a server goes silent in
 * the middle of a handshake.  Used by backend/ldap_dir.c. */
#ifndef AUTH_BACKEND_LDAP_NET_H
#define AUTH_BACKEND_LDAP_NET_H

#include <stdint.h>

#include "base/err.h"

/* Connects to PORT of HOST, a name or an address, trying all addresses it has; UNTIL in clock_ms.
 * *FD does not block.  ERR_NOT_FOUND: HOST has no address; ERR_TIMEOUT; ERR_CLOSED. */
MUST_USE enum err ldap_net_connect(const char *host, uint16_t port, uint64_t until, int *fd);

/* The same for the socket file PATH. */
MUST_USE enum err ldap_net_connect_local(const char *path, int *fd);

/* Waits until FD is ready for EVENTS of poll(2).  ERR_TIMEOUT. */
MUST_USE enum err ldap_net_wait(int fd, short events, uint64_t until);

#endif /* AUTH_BACKEND_LDAP_NET_H */
