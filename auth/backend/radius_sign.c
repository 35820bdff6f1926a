/* radius_sign.c - Message-Authenticator of RADIUS packets (RFC 3579 3.2). */
#include "auth/backend/radius_sign.h"

#include <string.h>

#include <gnutls/gnutls.h>

#include <gnutls/crypto.h>

#include "base/bytes.h"
#include "base/secret.h"

enum {
	SEAL_TYPE = 80,
	SEAL_DIGEST = 16,
	SEAL_LEN = 2 + SEAL_DIGEST,
	LENGTH_AT = 2,
	VECTOR_AT = 4,
	ATTR_HEADER = 2,
};

static size_t length_of(const uint8_t *packet)
{
	return get_be16(packet + LENGTH_AT);
}

bool radius_is_packet(const uint8_t *packet, size_t len)
{
	size_t at = RADIUS_HEADER;

	if (len < RADIUS_HEADER || len > RADIUS_PACKET_MAX || length_of(packet) != len)
		return false;
	while (at < len) {
		if (len - at < ATTR_HEADER || packet[at + 1] < ATTR_HEADER ||
		    packet[at + 1] > len - at)
			return false;
		at += packet[at + 1];
	}
	return true;
}

/* Where the next attribute of TYPE begins, from the attribute at FROM on; 0: there is none. */
static size_t find(const uint8_t *packet, size_t len, uint8_t type, size_t from)
{
	for (size_t at = from; at < len; at += packet[at + 1])
		if (packet[at] == type)
			return at;
	return 0;
}

bool radius_has(const uint8_t *packet, size_t packet_len, uint8_t type, const void *data,
		size_t len)
{
	for (size_t at = find(packet, packet_len, type, RADIUS_HEADER); at;
	     at = find(packet, packet_len, type, at + packet[at + 1]))
		if (packet[at + 1] == len + ATTR_HEADER &&
		    memcmp(packet + at + ATTR_HEADER, data, len) == 0)
			return true;
	return false;
}

static bool digest(const uint8_t *packet, size_t len, const char *secret, uint8_t out[SEAL_DIGEST])
{
	return gnutls_hmac_fast(GNUTLS_MAC_MD5, secret, strlen(secret), packet, len, out) == 0;
}

enum err radius_seal(uint8_t *packet, size_t *len, const char *secret)
{
	uint8_t *at = packet + RADIUS_HEADER;
	size_t n = *len + SEAL_LEN;

	if (!radius_is_packet(packet, *len) || find(packet, *len, SEAL_TYPE, RADIUS_HEADER))
		return ERR_SYNTAX;
	if (n > RADIUS_PACKET_MAX)
		return ERR_TOO_LONG;
	memmove(at + SEAL_LEN, at, *len - RADIUS_HEADER);
	memset(at, 0, SEAL_LEN);
	at[0] = SEAL_TYPE;
	at[1] = SEAL_LEN;
	put_be16(packet + LENGTH_AT, (unsigned)n);
	if (!digest(packet, n, secret, at + ATTR_HEADER))
		return ERR_TLS;
	*len = n;
	return ERR_OK;
}

enum radius_seal radius_check(const uint8_t *packet, size_t len,
			      const uint8_t vector[RADIUS_VECTOR], const char *secret)
{
	uint8_t copy[RADIUS_PACKET_MAX], wanted[SEAL_DIGEST];
	size_t at;

	if (!radius_is_packet(packet, len))
		return RADIUS_SEAL_BAD;
	at = find(packet, len, SEAL_TYPE, RADIUS_HEADER);
	if (!at)
		return RADIUS_SEAL_NONE;
	if (packet[at + 1] != SEAL_LEN || find(packet, len, SEAL_TYPE, at + SEAL_LEN))
		return RADIUS_SEAL_BAD;
	memcpy(copy, packet, len);
	memcpy(copy + VECTOR_AT, vector, RADIUS_VECTOR);
	memset(copy + at + ATTR_HEADER, 0, SEAL_DIGEST);
	if (!digest(copy, len, secret, wanted))
		return RADIUS_SEAL_BAD;
	return secret_equal(wanted, packet + at + ATTR_HEADER, SEAL_DIGEST) ? RADIUS_SEAL_GOOD
									    : RADIUS_SEAL_BAD;
}
