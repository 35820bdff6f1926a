/* icmp_echo.h - the echo request and the answer to it (RFC 792, RFC 4443 4).  Pure; used by main,
 * which asks whether somebody has an address. */
#ifndef WIRE_ICMP_ECHO_H
#define WIRE_ICMP_ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ICMP_ECHO_TOKEN = 16, /* random bytes by which the answer is known */
	ICMP_ECHO_LEN = 8 + ICMP_ECHO_TOKEN,
};

/* A request with TOKEN for FAMILY (AF_INET or AF_INET6).  The checksum of ICMPv6 covers addresses
 * that only the kernel knows: it is left 0. */
void icmp_echo_request(int family, const uint8_t token[ICMP_ECHO_TOKEN],
		       uint8_t out[ICMP_ECHO_LEN]);

/* Whether the LEN bytes at DATA, as a raw socket of FAMILY gives them (IPv4 with its header),
 * answer the request with TOKEN. */
bool icmp_echo_answers(int family, const uint8_t token[ICMP_ECHO_TOKEN], const uint8_t *data,
		       size_t len);

#endif /* WIRE_ICMP_ECHO_H */
