/* kkdcp.h - the KDCs of one realm, for the halves of the backend `kkdcp`.  It is no way to log in:
 * it carries Kerberos messages (protocol.md 8). */
#ifndef AUTH_BACKEND_KKDCP_H
#define AUTH_BACKEND_KKDCP_H

#include "auth/backend/backend.h"

struct kdc {
	bool tcp;
	const char *name; /* as the configuration says it, for the log */
	const char *host, *port;
};

/* Its options are `server`, once or more, each PROTO@HOST:PORT. */
struct kkdcp {
	struct kdc *item; /* in the order of preference */
	size_t n;
	uint64_t time_ms; /* for one message, all servers together */
};

#endif /* AUTH_BACKEND_KKDCP_H */
