/* fuzz_cstp_frame.c - the frame stream: cut at the places the first byte chooses or not at all, the
 * same frames come out. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "wire/cstp_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct summary {
	enum err err;
	size_t frames, bytes;
	uint32_t sum;
};

static struct summary run(const uint8_t *data, size_t size, size_t step)
{
	struct cstp_stream *s = cstp_stream_new(NULL);
	struct summary out = { .err = ERR_AGAIN };

	for (size_t i = 0; i < size && out.err == ERR_AGAIN; i += step) {
		size_t n = size - i < step ? size - i : step, left = n;
		uint8_t *copy = malloc(n);
		const uint8_t *at = memcpy(copy, data + i, n);
		struct cstp_frame f;
		while ((out.err = cstp_stream_next(s, &at, &left, &f)) == ERR_OK) {
			struct cstp_bye bye;
			out.frames++;
			out.bytes += f.len;
			out.sum = out.sum * 31 + f.type;
			for (size_t k = 0; k < f.len; k++)
				out.sum = out.sum * 31 + f.data[k];
			cstp_bye_parse(f.data, f.len, &bye);
		}
		free(copy);
	}
	talloc_free(s);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cstp_frame f;
	struct summary a, b;

	if (size < 2)
		return 0;
	a = run(data + 1, size - 1, size);
	b = run(data + 1, size - 1, (size_t)data[0] + 1);
	if (a.err != b.err || a.frames != b.frames || a.bytes != b.bytes || a.sum != b.sum)
		abort();
	(void)dtls_frame_parse(data, size, &f);
	return 0;
}
