/* route.h - routes as administrators write them and as they are sent and stored.
 * Pure; used by main and the worker.  config.md 13.1. */
#ifndef WIRE_ROUTE_H
#define WIRE_ROUTE_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/err.h"

struct route {
	bool is_default;     /* the word "default"; net is unset */
	struct addr_net net; /* host bits as written */
};

/* Parses "default", A.B.C.D/N, A.B.C.D/M.M.M.M or X::Y/N.  ERR_SYNTAX; ERR_RANGE: bad prefix or
 * mask. */
MUST_USE enum err route_parse(const char *text, struct route *out);

/* The stored form: "default", "10.0.0.0/255.0.0.0", "fd00::/8".  TEXT is returned. */
char *route_print(const struct route *route, char text[ADDR_NET_TEXT]);

/* The CIDR form: "10.0.0.0/8"; 0.0.0.0/0 for default. */
char *route_print_cidr(const struct route *route, char text[ADDR_NET_TEXT]);

/* The default route, also written as 0.0.0.0/0.  ::/0 is an ordinary route: who adds it to IPv4
 * networks wants all of IPv6 through the tunnel, but not all of IPv4. */
bool route_is_default(const struct route *route);

#endif /* WIRE_ROUTE_H */
