/* second_cert.h - the user's certificate inside the login dialogue, beside the machine's of the TLS
 * connection (protocol.md 4.16).  Used by the worker. */
#ifndef WORKER_SECOND_CERT_H
#define WORKER_SECOND_CERT_H

#include "base/der.h"
#include "worker/http/http.h"
#include "worker/worker.h"

/* Whether the certificate in INPUT has signed DOCUMENT, verifies like one of TLS, and whom it
 * names; what OUT points to is a child of CTX.  What is wrong with it is logged. */
void second_cert_check(const struct worker *w, TALLOC_CTX *ctx, const struct der *document,
		       const struct auth_input *input, struct login_second *out);

#endif /* WORKER_SECOND_CERT_H */
