/* fuzz_proxy_hdr.c - PROXY headers: a decided header does not change its meaning with more bytes,
 * and needs every one of its own. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/proxy_hdr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_hdr h, again;
	uint8_t *copy = malloc(size ? size : 1);

	if (size)
		memcpy(copy, data, size);
	if (proxy_hdr_parse(copy, size, &h) == ERR_OK) {
		if (h.len > size || h.len > PROXY_MAX || strlen(h.ssl_cn) >= sizeof h.ssl_cn)
			abort();
		if (proxy_hdr_parse(copy, h.len, &again) || again.len != h.len ||
		    proxy_hdr_parse(copy, h.len - 1, &again) != ERR_AGAIN)
			abort();
	}
	free(copy);
	return 0;
}
