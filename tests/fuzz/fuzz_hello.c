/* fuzz_hello.c - any bytes as a ClientHello: a name that comes out is text, of its length. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "worker/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const gnutls_datum_t msg = { (uint8_t *)(uintptr_t)data, (unsigned)size };
	struct hello h;

	hello_read(&msg, &h);
	if (!memchr(h.name, '\0', sizeof h.name) ||
	    h.offers & ~(unsigned)(HELLO_TLS12 | HELLO_TLS13))
		abort();
	return 0;
}
