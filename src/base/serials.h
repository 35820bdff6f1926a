/* serials.h - a sorted table of certificate serial numbers, made by auth and searched by workers,
 * in memory that all of them share: a list of a hundred thousand revoked certificates must not
 * weigh on each session.  Pure. */
#ifndef BASE_SERIALS_H
#define BASE_SERIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* RFC 5280 4.1.2.2: at most 20 octets; one more where the first would look like a sign. */
enum { SERIAL_MAX = 21, SERIAL_RECORD = SERIAL_MAX + 1 };

/* Writes the record of the LEN octets of an INTEGER at DATA; leading zeros do not count.
 * ERR_RANGE: none, or too many. */
MUST_USE enum err serial_put(uint8_t record[SERIAL_RECORD], const uint8_t *data, size_t len);

/* Sorts N records in place. */
void serials_sort(uint8_t *table, size_t n);

/* Whether the sorted TABLE of N records has the INTEGER with LEN octets at DATA. */
bool serials_have(const uint8_t *table, size_t n, const uint8_t *data, size_t len);

#endif /* BASE_SERIALS_H */
