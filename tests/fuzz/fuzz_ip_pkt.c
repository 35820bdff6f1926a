/* fuzz_ip_pkt.c - inner packets; what is reported lies inside them. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/ip_pkt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct ip_pkt p;

	if (size)
		memcpy(copy, data, size);
	if (ip_pkt_parse(copy, size, &p) == ERR_OK) {
		if (p.len > size || p.l4 > p.len || (p.version != 4 && p.version != 6) ||
		    addr_len(&p.src) != addr_len(&p.dst))
			abort();
		(void)ip_pkt_is_activity(&p);
	}
	free(copy);
	return 0;
}
