/* fuzz_radius_packet.c - Message-Authenticator of packets from the network. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/backend/radius_sign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t vector[RADIUS_VECTOR] = { 1, 2, 3 };
	uint8_t packet[RADIUS_PACKET_MAX];
	enum radius_seal seal = radius_check(data, size, vector, "secret");
	size_t len = size;

	if ((seal == RADIUS_SEAL_NONE) && !radius_is_packet(data, size))
		abort();
	if (size > sizeof packet)
		return 0;
	memcpy(packet, data, size);
	if (!radius_seal(packet, &len, "secret") &&
	    (seal != RADIUS_SEAL_NONE ||
	     radius_check(packet, len, packet + 4, "secret") != RADIUS_SEAL_GOOD))
		abort();
	return 0;
}
