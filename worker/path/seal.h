/* seal.h - application data records of an established GnuTLS session, sealed and opened with the
 * AEAD itself: no copies, no allocation.  Everything else in the session (alerts, handshakes, key
 * updates) stays the business of GnuTLS, and so does a session with a cipher that is not known
 * here.  Used by the data path.  datapath.md 7.
 *
 * Two writers on one key would use a nonce twice, so the numbers have one owner at a time:
 *	ours	seal_write and seal_open; the session must not be used
 *	lent	from seal_lend to seal_return: the session may write, and over TLS read
 * A handshake that takes several calls keeps the numbers lent until it is over. */
#ifndef WORKER_PATH_SEAL_H
#define WORKER_PATH_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include <gnutls/gnutls.h>

#include "base/err.h"

struct seal;

/* What seal_open makes of a record. */
enum seal_verdict {
	SEAL_DATA,  /* application data */
	SEAL_DROP,  /* DTLS: not authentic, seen before, too old: as if it had never come */
	SEAL_OTHER, /* for GnuTLS, byte for byte as it came */
	SEAL_BAD,   /* TLS: not authentic.  GnuTLS finds so, too, and sends the alert */
};

/* Takes the keys of S (borrowed), an established session.  The numbers are ours from now on.
 * *OUT is a child of CTX; freeing it wipes the keys but does not give the numbers back.
 *	ERR_UNSUPPORTED	neither (D)TLS 1.2 nor TLS 1.3, or none of AES-128-GCM, AES-256-GCM,
 *			CHACHA20-POLY1305: use the record layer */
MUST_USE enum err seal_new(TALLOC_CTX *ctx, gnutls_session_t s, struct seal **out);

/* Bytes that a record has beyond its plaintext. */
size_t seal_overhead(const struct seal *s);

/* Seals LEN bytes (at most 16384) at DATA as one record, which has seal_overhead more, at OUT.
 * DATA may be anywhere, but must not overlap OUT.  Returns the length of the record; 0: the numbers
 * of this key are used up or lent, and it must not be used any more. */
size_t seal_write(struct seal *s, const uint8_t *data, size_t len, uint8_t *out);

/* TLS 1.3: so much was sealed that the key should be replaced (RFC 8446 5.5). */
bool seal_is_worn(const struct seal *s);

/* Length of the record at the beginning of HAVE bytes at DATA.  0: it is not all there.  TLS: bytes
 * that cannot become a record count as one of all HAVE bytes, for GnuTLS to complain of. */
size_t seal_record(const struct seal *s, const uint8_t *data, size_t have);

/* Opens the record of LEN bytes (seal_record's) at REC in place.  With SEAL_DATA *TEXT is the
 * plaintext inside REC and *TEXT_LEN its length, which may be 0.  Records opened are TLS's next
 * one, or of any number in DTLS.  Over DTLS records may be opened while the numbers are lent. */
enum seal_verdict seal_open(struct seal *s, uint8_t *rec, size_t len, uint8_t **text,
			    size_t *text_len);

/* Gives the numbers to GnuTLS, before it writes or over TLS reads.  Nothing when they are lent
 * already. */
void seal_lend(struct seal *s);

/* Takes them back, and the keys when they have changed; no handshake may be under way.
 * ERR_UNSUPPORTED: the session has another cipher now.  Free S then and use the record layer. */
MUST_USE enum err seal_return(struct seal *s);

#endif /* WORKER_PATH_SEAL_H */
