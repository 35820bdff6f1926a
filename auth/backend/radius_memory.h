/* radius_memory.h - what all runners of a line know of its servers (verdict.keep): which one did
 * not answer, and which one has proved that it sends Message-Authenticators.  Pure; used by
 * radius_round.c. */
#ifndef AUTH_BACKEND_RADIUS_MEMORY_H
#define AUTH_BACKEND_RADIUS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "auth/backend/radius_conf.h"
#include "base/err.h"

struct radius_knowledge {
	int64_t dead_until; /* UNIX time; 0: it answers */
	bool seals;
};

/* Beside the servers of a list, in the same order. */
struct radius_memory {
	struct radius_knowledge item[RADIUS_SERVERS_MAX];
};

/* What KEPT, LEN bytes, says of SERVERS; what it says of others is forgotten. */
void radius_memory_read(const uint8_t *kept, size_t len, const struct radius_servers *servers,
			struct radius_memory *out);

/* The same as a text, child of CTX; NULL without memory. */
char *radius_memory_write(TALLOC_CTX *ctx, const struct radius_servers *servers,
			  const struct radius_memory *memory);

/* In which order to ask at time NOW: the server called FIRST (NULL: none is wanted) before all
 * others, those that answer before the dead ones, otherwise as in the file.  Gives how many of
 * ORDER to ask: a dead one only when no other is left. */
size_t radius_memory_order(const struct radius_servers *servers, const struct radius_memory *memory,
			   const char *first, int64_t now, size_t order[RADIUS_SERVERS_MAX]);

#endif /* AUTH_BACKEND_RADIUS_MEMORY_H */
