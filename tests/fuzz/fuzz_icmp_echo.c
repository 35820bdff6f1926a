/* fuzz_icmp_echo.c - any packet as an answer: reads nothing outside, and is one only with the token
 * in it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "wire/icmp_echo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t token[ICMP_ECHO_TOKEN] = "0123456789abcdef";
	uint8_t *copy = malloc(size ? size : 1);

	if (size)
		memcpy(copy, data, size);
	if ((icmp_echo_answers(AF_INET, token, copy, size) ||
	     icmp_echo_answers(AF_INET6, token, copy, size)) &&
	    !memmem(copy, size, token, sizeof token))
		abort();
	free(copy);
	return 0;
}
