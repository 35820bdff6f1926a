/* status.h - how occtl shows the server's state (admin.md 6.8).  Pure but for the stream. */
#ifndef CTL_STATUS_H
#define CTL_STATUS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "ipc/ctl.pb-c.h"

void status_print(FILE *out, const CtlStatus *s, int64_t now);

/* The caller owns it.  DEBUG adds the fields that only developers want. */
json_t *status_json(const CtlStatus *s, int64_t now, bool debug);

#endif /* CTL_STATUS_H */
