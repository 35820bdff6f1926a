/* assoc.h - one DTLS association: its GnuTLS session, its socket, its handshake.
 * The data path has an active and a pending one.  Used by udp_chan.c.  protocol.md 6.2, 6.4, 6.6.
 */
#ifndef WORKER_PATH_ASSOC_H
#define WORKER_PATH_ASSOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include <gnutls/gnutls.h>

#include "base/addr.h"
#include "base/err.h"
#include "worker/path/batch.h"
#include "worker/path/path.h"

/* What all associations of a tunnel share; outlives them. */
struct assoc_conf {
	const struct path_dtls *dtls;
	gnutls_session_t tls; /* of the CSTP channel, whose exporter gives the key */
	gnutls_psk_server_credentials_t psk;
	gnutls_certificate_credentials_t cert; /* empty: legacy mode wants the type, not a key */
	bool sealing;			       /* data records without GnuTLS's record layer */
};

/* Credentials for the mode of DTLS.  *OUT is a child of CTX; DTLS and TLS are borrowed. */
MUST_USE enum err assoc_conf_new(TALLOC_CTX *ctx, const struct path_dtls *dtls,
				 gnutls_session_t tls, bool sealing, struct assoc_conf **out);

struct assoc;

/* A new association waiting for its ClientHello.  FD is closed with it when OWN_FD.  *OUT is a
 * child of CTX; freeing it says nothing to the client. */
MUST_USE enum err assoc_new(TALLOC_CTX *ctx, const struct assoc_conf *conf, int fd, bool own_fd,
			    const struct endpoint *peer, uint64_t now, struct assoc **out);

int assoc_fd(const struct assoc *a);
bool assoc_owns_fd(const struct assoc *a);
const struct endpoint *assoc_peer(const struct assoc *a);

/* Whether data records are sealed and opened without GnuTLS. */
bool assoc_seals(const struct assoc *a);

/* Who closes the socket: for associations that follow each other on one. */
void assoc_set_owner(struct assoc *a, bool owns);

/* Another socket and address, both proven by an authentic record; closes the old one. */
void assoc_move(struct assoc *a, int fd, const struct endpoint *peer);

/* Lays one datagram, borrowed until the calls below have used it and their results are no longer
 * needed, before the session.  It may be overwritten. */
void assoc_give(struct assoc *a, uint8_t *data, size_t len);

/* Goes on with the handshake.  ERR_OK: established.  ERR_AGAIN: it waits.  Else it failed. */
MUST_USE enum err assoc_handshake(struct assoc *a, uint64_t now);

/* When assoc_handshake must be called for a retransmission; UINT64_MAX: no handshake runs. */
uint64_t assoc_deadline(const struct assoc *a);
bool assoc_is_open(const struct assoc *a);
uint64_t assoc_started(const struct assoc *a);

/* From now on records go to OUT (borrowed), not straight to the socket. */
void assoc_collect(struct assoc *a, struct batch_queue *out);

/* The next record of the datagram: *DATA lies in the datagram or in the CAP bytes at SPACE.
 * ERR_AGAIN: there is none, or it was not authentic. ERR_CLOSED: close_notify.  ERR_TLS: the
 * association is dead. */
MUST_USE enum err assoc_recv(struct assoc *a, uint8_t *space, size_t cap, uint8_t **data,
			     size_t *len, uint64_t now);

/* Sends one record.  ERR_TOO_LONG: beyond the MTU.  ERR_TLS: the association is dead.
 * ERR_EXHAUSTED: all numbers of its epoch are used. */
MUST_USE enum err assoc_send(struct assoc *a, const void *data, size_t len);

/* Sets the largest UDP payload and returns the largest plaintext of a record in it. */
unsigned assoc_set_payload(struct assoc *a, unsigned bytes);

/* Description of the cipher as GnuTLS prints it, child of CTX; NULL without memory. */
char *assoc_describe(TALLOC_CTX *ctx, const struct assoc *a);

/* Tells the client that the channel closes. */
void assoc_say_goodbye(struct assoc *a);

#endif /* WORKER_PATH_ASSOC_H */
