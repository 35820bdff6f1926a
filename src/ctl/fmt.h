/* fmt.h - how occtl writes times and amounts (admin.md 6.6).  Pure. */
#ifndef CTL_FMT_H
#define CTL_FMT_H

#include <stdint.h>

enum { FMT_TEXT = 48 }; /* room for any of these */

/* "    3s", " 1m:10s", " 5h:07m", " 3days"; "   ?   " for a negative age. */
char *fmt_interval(int64_t seconds, char text[FMT_TEXT]);

/* "488 bytes", "40.0 kB", "1.2 MB", "3.4 GB": steps of 1000.  fmt_rate appends "/s". */
char *fmt_amount(uint64_t bytes, char text[FMT_TEXT]);
char *fmt_rate(uint64_t bytes, char text[FMT_TEXT]);

/* "2026-11-22 07:01" in local time. */
char *fmt_date(int64_t unix_time, char text[FMT_TEXT]);

/* The part of a ciphersuite text that names the cipher: "(DTLS1.2)-(PSK)-(AES-256-GCM)" gives
 * "(AES-256-GCM)".  Borrowed from SUITE. */
const char *fmt_cipher(const char *suite);

#endif /* CTL_FMT_H */
