/* user.h - how occtl shows a connection.  Pure but for the output stream. */
#ifndef CTL_USER_H
#define CTL_USER_H

#include <stdio.h>
#include <talloc.h>

#include <jansson.h>

#include "ipc/ctl.pb-c.h"

/* A row of "show users", and its header. */
void user_print_header(FILE *out);
void user_print_row(TALLOC_CTX *ctx, FILE *out, const CtlUser *u, int64_t now);

/* The record of "show user", with its empty line at the end. */
void user_print(TALLOC_CTX *ctx, FILE *out, const CtlUser *u, int64_t now);

/* The object of admin.md 6.10; the caller owns it. */
json_t *user_json(TALLOC_CTX *ctx, const CtlUser *u, int64_t now);

/* The IPv4 address, else the IPv6 address, else "". */
const char *user_vpn_ip(const CtlUser *u);

#endif /* CTL_USER_H */
