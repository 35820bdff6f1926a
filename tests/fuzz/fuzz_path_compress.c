/* fuzz_path_compress.c - compressed packets as the data path packs and unpacks them: the first byte
 * chooses the algorithm, the rest is the packet, in either form. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "worker/path/compress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct compress *here, *there;
	const uint8_t *out;
	uint8_t *packed;
	size_t n = 0, back = 0;
	if (!here && (compress_new(NULL, &here) || compress_new(NULL, &there)))
		abort();
	if (size == 0)
		return 0;
	enum cstp_encoding enc = *data & 1 ? CSTP_ENC_LZS : CSTP_ENC_LZ4;
	uint8_t *copy = malloc(size);
	memcpy(copy, data + 1, size - 1);
	size--;
	if (compress_unpack(here, enc, copy, size, &out, &n) == ERR_OK &&
	    (n == 0 || n > COMPRESS_MAX))
		abort();
	packed = compress_pack(here, enc, copy, size, &n);
	if (packed) {
		memset(packed - COMPRESS_HEADROOM, 0xff, COMPRESS_HEADROOM);
		if (n >= size || compress_unpack(there, enc, packed, n, &out, &back) ||
		    back != size || memcmp(out, copy, size) != 0)
			abort();
	}
	free(copy);
	return 0;
}
