/* stats.h - the numbers of `occtl show status` (admin.md 12) and the block logged at the end of a
 * period (admin.md 4.5).  Pure but for that log; used by main. */
#ifndef MAIN_STATS_H
#define MAIN_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ipc/types.pb-c.h"

/* Counted since the last reset of the period. */
struct stats_period {
	uint64_t closed, timed_out, idle, errors, auth_failures;
	uint64_t rx, tx;				   /* bytes of closed sessions */
	uint64_t auth_time_sum, auth_time_max, auth_count; /* seconds */
	uint64_t session_time_sum, session_time_max;	   /* whole minutes */
};

struct stats {
	int64_t last_reset; /* UNIX time */
	uint64_t total_closed, total_auth_failures;
	uint32_t min_mtu, max_mtu; /* 0: no session has told yet */
	struct stats_period now;
};

/* One tunnel that ended. */
struct stats_end {
	EndReason reason;
	uint64_t seconds; /* since it was connected */
	uint64_t rx, tx;  /* bytes */
};

void stats_init(struct stats *s, int64_t now);

/* A login succeeded SECONDS after its connection was accepted; one failed. */
void stats_login(struct stats *s, uint64_t seconds);
void stats_login_failed(struct stats *s);

/* A session told its data MTU. */
void stats_mtu(struct stats *s, uint32_t mtu);

/* Counts END.  Returns true when the period (RESET_TIME seconds, 0 endless) is over at NOW: the
 * caller logs it with stats_log and begins the next with stats_reset. */
bool stats_session_end(struct stats *s, const struct stats_end *end, int64_t now,
		       uint32_t reset_time);
void stats_log(const struct stats *s);
void stats_reset(struct stats *s, int64_t now);

uint64_t stats_auth_time_avg(const struct stats *s);
uint64_t stats_session_time_avg(const struct stats *s); /* minutes */

/* Text of admin.md 4.4 for REASON, static. */
const char *end_reason_text(EndReason reason);

/* What becomes of the ticket: true when it stays usable for cookie-timeout (config.md 16.1), as far
 * as the server decides that and not the client.  */
bool end_reason_keeps(EndReason reason);

#endif /* MAIN_STATS_H */
