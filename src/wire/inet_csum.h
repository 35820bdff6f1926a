/* inet_csum.h - the Internet checksum (RFC 1071), as fast as memory gives the bytes.
 * Pure; used by the data path.  Sums are kept unfolded in memory order: they may be added to each
 * other and to the sums of further bytes, as long as every part but the last is of even length. */
#ifndef WIRE_INET_CSUM_H
#define WIRE_INET_CSUM_H

#include <stddef.h>
#include <stdint.h>

/* The sum of LEN bytes at DATA added to SUM. */
uint64_t inet_csum_add(uint64_t sum, const uint8_t *data, size_t len);

/* Two sums together. */
static inline uint64_t inet_csum_join(uint64_t a, uint64_t b)
{
	a += b;
	return a + (a < b);
}

/* 16 bits of SUM, in memory order and not complemented; 0xffff for a packet whose checksum is
 * right. */
uint16_t inet_csum_fold(uint64_t sum);

/* The sum of the pseudo-header of LEN bytes of PROTOCOL behind the IPv4 or IPv6 header at IP
 * (RFC 9293 3.1, RFC 8200 8.1). */
uint64_t inet_csum_pseudo(const uint8_t *ip, uint8_t protocol, size_t len);

/* Writes V, which inet_csum_fold has given, or its complement, to a checksum field. */
void inet_csum_store(uint8_t *field, uint16_t v);

/* Sets the checksum of the IPv4 header of LEN bytes at IP. */
void inet_csum_ipv4(uint8_t *ip, size_t len);

#endif /* WIRE_INET_CSUM_H */
