/* status.h - how occtl shows the server's state (admin.md 6.8).  Pure but for the stream. */
#ifndef CTL_STATUS_H
#define CTL_STATUS_H

#include <stdint.h>

#include <jansson.h>

#include "ctl/view.h"
#include "ipc/ctl.pb-c.h"

/* ENTRIES is how many sessions auth remembers; negative: it was not asked (only --debug does). */
void status_print(const struct view *v, const CtlStatus *s, int64_t entries);

/* The caller owns it. */
json_t *status_json(const struct view *v, const CtlStatus *s, int64_t entries);

#endif /* CTL_STATUS_H */
