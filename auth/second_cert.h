/* second_cert.h - the step of the login dialogue in which a second certificate is asked for
 * (multiple-cert-auth, protocol.md 4.16).
 *
 *	ASK_CERT   the document with a number was sent; the reply's signature covers it
 *
 * The number is made here, is good for one answer, and never the same again.  Workers check the
 * signature, as they check the certificate of the TLS connection.  Used by auth/dialogue.c and
 * auth/logins.c. */
#ifndef AUTH_SECOND_CERT_H
#define AUTH_SECOND_CERT_H

#include "auth/login.h"

/* Whether the method of G needs one that was not shown yet. */
bool second_cert_wanted(const struct login *g, const struct login_policy *policy);

/* Sends the document to the client of the step MSG, or ends the login when it cannot answer. */
void second_cert_ask(struct login *g, const Step *msg);

/* The reply to it.  True: the certificate is good, the login goes on; else it was answered, and G
 * may be freed. */
bool second_cert_reply(struct login *g, const Step *msg);

/* The certificate that counts after a step: user and groups of the second one, as long as the
 * connection shows the same machine as when it was asked for. */
MUST_USE enum err second_cert_apply(struct login *g);

#endif /* AUTH_SECOND_CERT_H */
