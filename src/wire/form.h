/* form.h - application/x-www-form-urlencoded bodies and percent-decoding.
 * Pure; used by the worker.  protocol.md 4.14. */
#ifndef WIRE_FORM_H
#define WIRE_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

#include "base/err.h"

enum { FORM_FIELDS = 64 };

struct form_field {
	const char *name, *value; /* decoded; value "" when empty or without '=' */
};

/* Wiped when freed: it holds passwords. */
struct form {
	size_t n;
	struct form_field field[FORM_FIELDS];
	char text[]; /* what the fields point to */
};

/* Decodes LEN bytes of BODY; *OUT is a child of CTX.  %XX and '+' are decoded in names and values,
 * a stray % stays.  ERR_TOO_LONG: more than FORM_FIELDS fields.  ERR_SYNTAX: a NUL, which would cut
 * a value short. */
MUST_USE enum err form_parse(TALLOC_CTX *ctx, const char *body, size_t len, struct form **out);

/* Value of the first field NAME, NULL without one. */
const char *form_get(const struct form *form, const char *name);

/* Percent-decodes LEN bytes of TEXT into OUT (LEN + 1 bytes), '+' to blank where PLUS is set.
 * ERR_SYNTAX: the result would hold a NUL. */
MUST_USE enum err percent_decode(const char *text, size_t len, bool plus, char *out);

#endif /* WIRE_FORM_H */
