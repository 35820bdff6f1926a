/* ticket.h - the secret of a session cookie and the two names made from it.  Used by auth. */
#ifndef AUTH_STORE_TICKET_H
#define AUTH_STORE_TICKET_H

#include <stdint.h>

enum {
	TICKET_COOKIE = 32, /* random bytes of the cookie */
	TICKET_KEY = 32,    /* SHA-256 of it: what is stored */
	TICKET_SID = 28,    /* base64 of SHA-1 of it: what may be shown (admin.md 6.11) */
	TICKET_SHORT = 6,   /* first characters of the sid, for the log */
};

void ticket_key(const uint8_t cookie[TICKET_COOKIE], uint8_t key[TICKET_KEY]);
void ticket_sid(const uint8_t cookie[TICKET_COOKIE], char sid[TICKET_SID + 1]);

#endif /* AUTH_STORE_TICKET_H */
