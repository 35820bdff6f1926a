/* template.h - expands %{U} and friends in administrators' texts.
 * Pure; used by main (route commands) and the worker (headers).  config.md 8.7, 8.13. */
#ifndef WIRE_TEMPLATE_H
#define WIRE_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

#include "base/err.h"

/* One placeholder.  The list ends with a NULL name. */
struct template_var {
	const char *name;  /* "U" in %{U} */
	const char *value; /* NULL counts as "" */
	bool bare;	   /* also as %U; for one-letter names */
};

enum { TEMPLATE_MAX = 8192 }; /* longest result */

/* *OUT is a child of CTX.  ERR_SYNTAX: a % that starts no placeholder of VARS, also at the end.
 * ERR_TOO_LONG: the result passes TEMPLATE_MAX. */
MUST_USE enum err template_expand(TALLOC_CTX *ctx, const char *text,
				  const struct template_var *vars, char **out);

#endif /* WIRE_TEMPLATE_H */
