/* inet_csum.c - the Internet checksum, eight bytes at a time. */
#include "wire/inet_csum.h"

#include <arpa/inet.h>
#include <string.h>

#include "wire/ip_hdr.h"

static uint64_t word_at(const uint8_t *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof w);
	return w;
}

/* Four independent chains of native words: carries wait for each other otherwise.  Words are loaded
 * one by one, because compilers copy more than that to memory first. */
uint64_t inet_csum_add(uint64_t sum, const uint8_t *data, size_t len)
{
	uint64_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;

	for (; len >= 32; data += 32, len -= 32) {
		s0 = inet_csum_join(s0, word_at(data));
		s1 = inet_csum_join(s1, word_at(data + 8));
		s2 = inet_csum_join(s2, word_at(data + 16));
		s3 = inet_csum_join(s3, word_at(data + 24));
	}
	s0 = inet_csum_join(inet_csum_join(s0, s1), inet_csum_join(s2, s3));
	for (; len >= 8; data += 8, len -= 8)
		s0 = inet_csum_join(s0, word_at(data));
	if (len) {
		uint64_t last = 0;

		memcpy(&last, data, len);
		s0 = inet_csum_join(s0, last);
	}
	return inet_csum_join(sum, s0);
}

uint16_t inet_csum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint64_t inet_csum_pseudo(const uint8_t *ip, uint8_t protocol, size_t len)
{
	uint64_t sum = ip[0] >> 4 == 4 ? inet_csum_add(0, ip + IPV4_SRC, 8)
				       : inet_csum_add(0, ip + IPV6_SRC, 32);

	sum = inet_csum_join(sum, htons(protocol));
	return inet_csum_join(sum, htonl((uint32_t)len));
}

void inet_csum_store(uint8_t *field, uint16_t v)
{
	memcpy(field, &v, sizeof v);
}

void inet_csum_ipv4(uint8_t *ip, size_t len)
{
	inet_csum_store(ip + IPV4_CSUM, 0);
	inet_csum_store(ip + IPV4_CSUM, (uint16_t)~inet_csum_fold(inet_csum_add(0, ip, len)));
}
