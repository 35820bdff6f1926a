/* icmp_echo.c - one kind of ICMP message, both ways. */
#include "wire/icmp_echo.h"

#include <string.h>
#include <sys/socket.h>

#include "wire/inet_csum.h"
#include "wire/ip_hdr.h"

/* Message types. */
enum { ECHO4 = 8, ANSWER4 = 0, ECHO6 = 128, ANSWER6 = 129 };
/* Offsets: type, code, checksum, identifier, sequence number, then what is echoed. */
enum { TYPE = 0, CODE = 1, CHECKSUM = 2, DATA = 8 };

void icmp_echo_request(int family, const uint8_t token[ICMP_ECHO_TOKEN], uint8_t out[ICMP_ECHO_LEN])
{
	memset(out, 0, ICMP_ECHO_LEN);
	out[TYPE] = family == AF_INET ? ECHO4 : ECHO6;
	memcpy(out + DATA, token, ICMP_ECHO_TOKEN);
	if (family != AF_INET)
		return;
	inet_csum_store(out + CHECKSUM,
			(uint16_t)~inet_csum_fold(inet_csum_add(0, out, ICMP_ECHO_LEN)));
}

bool icmp_echo_answers(int family, const uint8_t token[ICMP_ECHO_TOKEN], const uint8_t *data,
		       size_t len)
{
	size_t head = 0;

	if (family == AF_INET) {
		head = len >= IPV4_HEADER ? (size_t)(data[0] & 0x0f) * 4 : IPV4_HEADER;
		if (head < IPV4_HEADER)
			return false;
	}
	if (len < head + ICMP_ECHO_LEN)
		return false;
	data += head;
	return data[TYPE] == (family == AF_INET ? ANSWER4 : ANSWER6) && data[CODE] == 0 &&
	       memcmp(data + DATA, token, ICMP_ECHO_TOKEN) == 0;
}
