/* resume.h - gives workers the keys of their clients' TLS session tickets (doc/design.md, "TLS
 * sessions that are resumed").  Used by the files of auth that handle messages. */
#ifndef AUTH_RESUME_H
#define AUTH_RESUME_H

#include "auth/process.h"

/* New secrets for the configuration that A now serves; tickets from before do not open any more.
 * Without memory there are no tickets. */
void resume_start(struct auth *a);

/* Now and then, so that old secrets are wiped in time. */
void resume_tick(struct auth *a);

/* The key for new tickets that MSG asks for; child of CTX, wiped when freed; NULL: none. */
TicketKey *resume_issue(TALLOC_CTX *ctx, const struct worker *w, const Sign *msg);

/* Answers MSG, as soon as the client is known: with the key of that ticket, else with one for new
 * tickets, else with none.  ERR_PROTO; ERR_STATE: one waits already. */
MUST_USE enum err resume_find(struct worker *w, const TicketFind *msg);

/* Main has named the client of W, which may end: a question that has waited for it is answered. */
void resume_client_known(struct worker *w);

#endif /* AUTH_RESUME_H */
