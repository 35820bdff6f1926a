/* serials.c - a sorted table of serial numbers. */
#include "base/serials.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, SERIAL_RECORD);
}

enum err serial_put(uint8_t record[SERIAL_RECORD], const uint8_t *data, size_t len)
{
	/* Some authorities write zeros in front of some numbers and not of others. */
	for (; len > 1 && *data == 0; len--)
		data++;
	if (!len || len > SERIAL_MAX)
		return ERR_RANGE;
	memset(record, 0, SERIAL_RECORD);
	record[0] = (uint8_t)len;
	memcpy(record + 1, data, len);
	return ERR_OK;
}

void serials_sort(uint8_t *table, size_t n)
{
	if (n)
		qsort(table, n, SERIAL_RECORD, compare);
}

bool serials_have(const uint8_t *table, size_t n, const uint8_t *data, size_t len)
{
	uint8_t key[SERIAL_RECORD];

	if (!n || serial_put(key, data, len))
		return false;
	return bsearch(key, table, n, SERIAL_RECORD, compare);
}
