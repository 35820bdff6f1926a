/* clock.h - time as the project counts it.  Used by all processes. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC: for timers; the same in all processes of one machine. */
uint64_t clock_ms(void);

/* Seconds since 1970: for people and for what outlives a restart. */
int64_t clock_unix(void);

#endif /* BASE_CLOCK_H */
