/* resume.h - TLS sessions that clients resume with tickets: keys come from auth, for this client at
 * this host only.  Used by the worker's TLS. */
#ifndef WORKER_RESUME_H
#define WORKER_RESUME_H

#include <gnutls/gnutls.h>

#include "worker/worker.h"

/* The host of a ClientHello is known, GnuTLS has not looked at the ticket yet: makes it able to.
 * BEFORE: the host of the hello before, or the default one.  Gives 0, or the error of GnuTLS to end
 * the handshake with. */
int resume_on_hello(struct worker *w, const struct vhost *before);

/* A signature with certificate CHAIN is asked for: the name of the host whose key for new tickets
 * shall come with it; NULL: none is needed. */
const char *resume_wants(struct worker *w, uint32_t chain);

/* It came, and is wiped; KEY NULL: there is none. */
void resume_take(struct worker *w, const TicketKey *key);

/* The handshake is over.  ERR_TLS: the session was resumed though it must not be. */
MUST_USE enum err resume_check(struct worker *w);

/* Sends a ticket, where that is not a part of the handshake.  True: call again when the client
 * takes more. */
bool resume_send(struct worker *w);

/* The certificate that we showed the client: in this handshake, or in the one whose session this
 * one resumes.  NULL: none. */
const gnutls_datum_t *resume_certificate(const struct worker *w);

#endif /* WORKER_RESUME_H */
