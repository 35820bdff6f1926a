/* user.h - how occtl shows a connection.  Pure but for the output stream. */
#ifndef CTL_USER_H
#define CTL_USER_H

#include <jansson.h>

#include "ctl/table.h"
#include "ipc/ctl.pb-c.h"

/* The table of "show users", and a row of it (T may be NULL). */
struct table *user_table(const struct view *v);
void user_row(const struct view *v, struct table *t, const CtlUser *u);

/* The record of "show user", with its empty line at the end. */
void user_print(const struct view *v, const CtlUser *u);

/* The object of admin.md 6.10; the caller owns it. */
json_t *user_json(const struct view *v, const CtlUser *u);

/* The IPv4 address, else the IPv6 address, else "". */
const char *user_vpn_ip(const CtlUser *u);

/* "(none)" for a user or group that is not known yet. */
const char *user_or_none(const char *name);

#endif /* CTL_USER_H */
