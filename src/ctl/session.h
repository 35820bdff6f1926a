/* session.h - how occtl shows sessions (admin.md 6.11, 6.12).  Pure but for the stream. */
#ifndef CTL_SESSION_H
#define CTL_SESSION_H

#include <stdbool.h>

#include <jansson.h>

#include "ctl/table.h"
#include "ipc/main.pb-c.h"

enum { SESSION_SHORT_ID = 6, SESSION_FULL_ID = 28 };

/* The session can be used to connect. */
bool session_is_valid(const SessionRow *s);

/* SID is the beginning of its id. */
bool session_has_prefix(const SessionRow *s, const char *sid);

/* SID could be the beginning of some id: base64 of 20 bytes. */
bool session_is_id(const char *sid);

/* The table of "show sessions", and a row of it (T may be NULL). */
struct table *session_table(const struct view *v);
void session_row(const struct view *v, struct table *t, const SessionRow *s);

/* The record and the object of "show session"; the caller owns the latter. */
void session_print(const struct view *v, const SessionRow *s);
json_t *session_json(const struct view *v, const SessionRow *s);

#endif /* CTL_SESSION_H */
