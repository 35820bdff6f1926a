/* fuzz_lzs.c - LZS both ways: any input is refused or gives at most what fits, and what was
 * compressed comes back.  Nothing but the room given is written, and one packet's table serves the
 * next. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/lzs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 16384 };

static void any_input(const uint8_t *data, size_t size, size_t cap)
{
	uint8_t *out = malloc(cap ? cap : 1);
	size_t n = SIZE_MAX;
	if (lzs_decompress(data, size, out, cap, &n) == ERR_OK && n > cap)
		abort();
	free(out);
}

static void there_and_back(struct lzs_table *t, const uint8_t *data, size_t size, size_t cap)
{
	uint8_t *packed = malloc(cap ? cap : 1), *plain = malloc(size ? size : 1);
	size_t n = lzs_compress(t, data, size, packed, cap), back = 0;
	if (n > cap)
		abort();
	if (n && (lzs_decompress(packed, n, plain, size, &back) || back != size ||
		  memcmp(plain, data, size) != 0))
		abort();
	free(packed);
	free(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lzs_table table;
	struct lzs_table odd;
	uint8_t *copy = malloc(size ? size : 1);
	if (size)
		memcpy(copy, data, size);
	any_input(copy, size, LIMIT);
	any_input(copy, size, size);
	there_and_back(&table, copy, size, size * 2 + 8);
	there_and_back(&table, copy, size, size ? size - 1 : 0);
	/* Whatever a table holds, the result is right. */
	memset(&odd, 0, sizeof odd);
	for (size_t i = 0; i < size && i < sizeof odd; i++)
		((uint8_t *)&odd)[i] = copy[i];
	there_and_back(&odd, copy, size, size);
	free(copy);
	return 0;
}
