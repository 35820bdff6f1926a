/* ticket.c - digests of cookies. */
#include "auth/store/ticket.h"

#include <stddef.h>
#include <string.h>

#include <gnutls/crypto.h>

#include "base/log.h"
#include "base/str.h"

enum { SHA1_LEN = 20 };

/* A digest that fails would let every cookie through or none: neither may go on. */
static void digest(gnutls_digest_algorithm_t algorithm, const uint8_t *cookie, uint8_t *out)
{
	if (gnutls_hash_fast(algorithm, cookie, TICKET_COOKIE, out) < 0)
		fatal_bug("no digest");
}

void ticket_key(const uint8_t cookie[TICKET_COOKIE], uint8_t key[TICKET_KEY])
{
	digest(GNUTLS_DIG_SHA256, cookie, key);
}

void ticket_sid(const uint8_t cookie[TICKET_COOKIE], char sid[TICKET_SID + 1])
{
	uint8_t sha1[SHA1_LEN];
	char *text;

	digest(GNUTLS_DIG_SHA1, cookie, sha1);
	text = base64_encode(NULL, sha1, sizeof sha1);
	if (text && strlen(text) == TICKET_SID)
		memcpy(sid, text, TICKET_SID + 1);
	else
		fatal_bug("no session id");
	talloc_free(text);
}
