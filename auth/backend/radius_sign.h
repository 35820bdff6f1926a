/* radius_sign.h - Message-Authenticator (RFC 3579 3.2), which binds a login's packets to the shared
 * secret; without it a forger on the way can turn a refusal into an acceptance (CVE-2024-3596).
 * The packaged radcli neither sends nor checks it for passwords.  Pure; used by radius_relay.c. */
#ifndef AUTH_BACKEND_RADIUS_SIGN_H
#define AUTH_BACKEND_RADIUS_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { RADIUS_HEADER = 20, RADIUS_PACKET_MAX = 4096, RADIUS_VECTOR = 16 };

enum radius_seal {
	RADIUS_SEAL_NONE, /* the packet has no Message-Authenticator */
	RADIUS_SEAL_GOOD,
	RADIUS_SEAL_BAD, /* a wrong or a second one, or no RADIUS packet at all */
};

/* Is PACKET of LEN bytes one RADIUS packet whose attributes fill it exactly? */
bool radius_is_packet(const uint8_t *packet, size_t len);

/* Puts a Message-Authenticator before the other attributes of the Access-Request PACKET, which has
 * room for RADIUS_PACKET_MAX bytes.  ERR_SYNTAX: no packet, or it has one already; ERR_TOO_LONG;
 * ERR_TLS: the library has no HMAC-MD5. */
MUST_USE enum err radius_seal(uint8_t *packet, size_t *len, const char *secret);

/* Judges the reply of LEN bytes to a request with the authenticator VECTOR. */
enum radius_seal radius_check(const uint8_t *packet, size_t len,
			      const uint8_t vector[RADIUS_VECTOR], const char *secret);

/* Does PACKET, which radius_is_packet, have an attribute TYPE of exactly the LEN bytes DATA? */
bool radius_has(const uint8_t *packet, size_t packet_len, uint8_t type, const void *data,
		size_t len);

#endif /* AUTH_BACKEND_RADIUS_SIGN_H */
