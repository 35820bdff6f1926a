/* geo.h - where an address is, from a MaxMind database on the administrator's machine.  occtl looks
 * it up itself: the server opens no such file. */
#ifndef CTL_GEO_H
#define CTL_GEO_H

#include <talloc.h>

struct geo;

/* FILE is the database; NULL: the first of the usual places (occtl.8); "": none.  It is opened when
 * the first address is looked up; one that cannot be opened is told on stderr if it was named.
 * A child of CTX; NULL without memory. */
struct geo *geo_new(TALLOC_CTX *ctx, const char *file);

/* "Germany, Berlin", "Germany", or "unknown"; static or a child of CTX.  G may be NULL. */
const char *geo_location(TALLOC_CTX *ctx, struct geo *g, const char *ip);

#endif /* CTL_GEO_H */
