/* trust.h - whom a host trusts to issue client certificates, and what they revoked.  Loaded by the
 * zygote into memory that all workers share; auth has checked all of it. */
#ifndef WORKER_TRUST_H
#define WORKER_TRUST_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include <gnutls/gnutls.h>

#include "base/err.h"
#include "ipc/main.pb-c.h"
#include "worker/cert_id.h"

/* The area that spans point into, mapped read-only. */
struct trust_area {
	const uint8_t *data;
	size_t len;
};

/* What one issuer revoked; both members lie in the area. */
struct trust_list {
	struct der issuer;
	struct der serials;
};

/* One host's; all zero: it trusts nobody. */
struct trust {
	struct trust_list *list;
	size_t n;
};

/* Maps FD (borrowed), and gives the memory back. */
MUST_USE enum err trust_map(int fd, struct trust_area *out);
void trust_unmap(struct trust_area *area);

/* The bytes of SPAN in the area; none without a SPAN.  ERR_RANGE: it lies outside. */
MUST_USE enum err trust_span(const struct trust_area *area, const Span *span, struct der *out);

/* Makes CRED trust what MSG names.  OUT's array is a child of CTX.
 * ERR_RANGE: a span lies outside of the area; ERR_SYNTAX: not certificates. */
MUST_USE enum err trust_take(TALLOC_CTX *ctx, const struct trust_area *area, const HostCerts *msg,
			     gnutls_certificate_credentials_t cred, struct trust *out);

/* Whether CERT's issuer revoked it. */
bool trust_revoked(const struct trust *trust, const struct cert_parts *cert);

#endif /* WORKER_TRUST_H */
