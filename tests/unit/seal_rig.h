/* seal_rig.h - two ends of a GnuTLS session over memory, each of which may seal and open its own
 * records.  Used by the tests of worker/path/seal.c. */
#ifndef TESTS_UNIT_SEAL_RIG_H
#define TESTS_UNIT_SEAL_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gnutls/gnutls.h>

#include "worker/path/seal.h"

enum {
	SEAL_RIG_QUEUE = 64,	 /* datagrams on the way */
	SEAL_RIG_RECORD = 20000, /* bytes of one */
	SEAL_RIG_STREAM = 1 << 19,
	SEAL_RIG_NONCES = 1 << 14,
};

struct seal_end {
	gnutls_session_t s;
	struct seal *seal; /* NULL: the record layer does everything */
	struct seal_end *peer;
	bool dtls, gcm12;
	unsigned opened;	/* records of data that were opened here, not by GnuTLS */
	bool handshaking, owes; /* owes: GnuTLS may have to answer before the next data */
	int error;		/* what GnuTLS died of */
	int alert;		/* the last one received; -1 none */

	/* What has arrived: a stream, of which GnuTLS sees SHOWN, or datagrams. */
	uint8_t stream[SEAL_RIG_STREAM];
	size_t at, shown, end;
	uint8_t dgram[SEAL_RIG_QUEUE][SEAL_RIG_RECORD];
	size_t dgram_len[SEAL_RIG_QUEUE];
	unsigned dgrams;
	uint8_t now[SEAL_RIG_RECORD]; /* the datagram at hand */
	size_t now_at, now_len;
	const uint8_t *give; /* what GnuTLS may read of it */
	size_t give_len;

	/* Each key (counted) and nonce this end has ever put on the wire, where they can be seen.
	 */
	uint64_t nonce[SEAL_RIG_NONCES][2];
	unsigned nonces, key;
};

struct seal_rig {
	struct seal_end server, client;
};

/* An established pair; VERSION and CIPHER as in a priority string ("TLS1.2", "AES-128-GCM"), MORE
 * appended to it ("" mostly). */
struct seal_rig *seal_rig_new(const char *version, const char *cipher, const char *more);
void seal_rig_free(struct seal_rig *r);

/* Lets E seal and open by itself from now on.  False: its session cannot. */
bool seal_end_take(struct seal_end *e);

/* One record of data, by whoever is in charge. */
void seal_end_send(struct seal_end *e, const void *data, size_t len);

/* The next data for E: its length, or -1: nothing more has come. */
int seal_end_recv(struct seal_end *e, uint8_t *out, size_t cap);

/* The client asks for a renegotiation; goes on until both are through.  Data that arrive meanwhile
 * are counted in *LOST when not NULL. */
bool seal_rig_renegotiate(struct seal_rig *r, unsigned *lost);

/* TLS 1.3: new keys for what E sends, and for the peer when BOTH. */
void seal_end_key_update(struct seal_end *e, bool both);

/* A warning that changes nothing. */
void seal_end_warn(struct seal_end *e);

/* Lays LEN bytes on the wire to E. */
void seal_end_inject(struct seal_end *e, const void *data, size_t len);

/* The TLS 1.3 record that E would write next, with INNER inside instead; as long as E itself writes
 * nothing.  Returns its length. */
size_t seal_rig_craft(struct seal_end *e, const uint8_t *inner, size_t len, uint8_t *rec);

#endif /* TESTS_UNIT_SEAL_RIG_H */
