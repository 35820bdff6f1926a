/* fuzz_dtls_hello.c - first datagrams from anybody. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/dtls_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dtls_hello strict, lax;
	uint8_t *copy = malloc(size ? size : 1);
	enum err err;

	if (size)
		memcpy(copy, data, size);
	(void)dtls_is_record(copy, size);
	err = dtls_hello_parse(copy, size, true, &lax);
	if (err == ERR_OK && (lax.id_len < 1 || lax.id_len > DTLS_HELLO_ID))
		abort();
	if (dtls_hello_parse(copy, size, false, &strict) == ERR_OK &&
	    (err != ERR_OK || !dtls_is_handshake(copy, size) || !dtls_is_record(copy, size)))
		abort();
	free(copy);
	return 0;
}
