/* icmp_echo.c - one kind of ICMP message, both ways. */
#include "wire/icmp_echo.h"

#include <string.h>
#include <sys/socket.h>

/* Message types. */
enum { ECHO4 = 8, ANSWER4 = 0, ECHO6 = 128, ANSWER6 = 129 };
/* Offsets: type, code, checksum, identifier, sequence number, then what is echoed. */
enum { TYPE = 0, CODE = 1, CHECKSUM = 2, DATA = 8, IPV4_MIN = 20 };

/* RFC 1071. */
static uint16_t checksum(const uint8_t *data, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void icmp_echo_request(int family, const uint8_t token[ICMP_ECHO_TOKEN], uint8_t out[ICMP_ECHO_LEN])
{
	uint16_t sum;

	memset(out, 0, ICMP_ECHO_LEN);
	out[TYPE] = family == AF_INET ? ECHO4 : ECHO6;
	memcpy(out + DATA, token, ICMP_ECHO_TOKEN);
	if (family != AF_INET)
		return;
	sum = checksum(out, ICMP_ECHO_LEN);
	out[CHECKSUM] = (uint8_t)(sum >> 8);
	out[CHECKSUM + 1] = (uint8_t)sum;
}

bool icmp_echo_answers(int family, const uint8_t token[ICMP_ECHO_TOKEN], const uint8_t *data,
		       size_t len)
{
	size_t head = 0;

	if (family == AF_INET) {
		head = len >= IPV4_MIN ? (size_t)(data[0] & 0x0f) * 4 : IPV4_MIN;
		if (head < IPV4_MIN)
			return false;
	}
	if (len < head + ICMP_ECHO_LEN)
		return false;
	data += head;
	return data[TYPE] == (family == AF_INET ? ANSWER4 : ANSWER6) && data[CODE] == 0 &&
	       memcmp(data + DATA, token, ICMP_ECHO_TOKEN) == 0;
}
