/* control_pack.h - main's facts as messages for occtl.  Pure; used by control.c and its tests. */
#ifndef MAIN_CONTROL_PACK_H
#define MAIN_CONTROL_PACK_H

#include <talloc.h>

#include "base/err.h"
#include "main/control.h"

/* A message with what USER says; texts are borrowed from USER or children of CTX.  NULL without
 * memory. */
CtlUser *control_pack_user(TALLOC_CTX *ctx, const struct control_user *user);

void control_pack_status(const struct control_status *in, CtlStatus *out);

#endif /* MAIN_CONTROL_PACK_H */
