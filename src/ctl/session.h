/* session.h - how occtl shows sessions (admin.md 6.11, 6.12).  Pure but for the stream. */
#ifndef CTL_SESSION_H
#define CTL_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <talloc.h>

#include <jansson.h>

#include "ipc/main.pb-c.h"

enum { SESSION_SHORT_ID = 6, SESSION_FULL_ID = 28 };

/* The session can be used to connect. */
bool session_is_valid(const SessionRow *s);

/* SID is the beginning of its id. */
bool session_has_prefix(const SessionRow *s, const char *sid);

/* SID could be the beginning of some id: base64 of 20 bytes. */
bool session_is_id(const char *sid);

void session_print_header(FILE *out);
void session_print_row(TALLOC_CTX *ctx, FILE *out, const SessionRow *s, int64_t now);
void session_print(TALLOC_CTX *ctx, FILE *out, const SessionRow *s);
json_t *session_json(const SessionRow *s); /* the caller owns it */

#endif /* CTL_SESSION_H */
