/* trust.h - who may issue client certificates, and which of those are revoked: ca-cert and crl of
 * all hosts of a generation.
 *
 * Auth reads and checks the files, because only it can refuse a configuration; workers need the
 * contents.  They go into one area that ends as a sealed memfd, which every zygote maps: nothing of
 * it is private memory of a process.  Used by auth/hosts.c. */
#ifndef AUTH_TRUST_H
#define AUTH_TRUST_H

#include <talloc.h>

#include "auth/material.h"
#include "base/err.h"
#include "conf/conf.h"
#include "ipc/main.pb-c.h"

struct trust; /* the area under construction */

/* Bytes in the area. */
struct trust_span {
	uint64_t at, len;
};

/* The serial numbers that one issuer revoked. */
struct trust_revoked {
	struct trust_span issuer;  /* its name in DER */
	struct trust_span serials; /* records of base/serials.h, sorted */
};

struct trust_host {
	struct trust_span ca; /* certificates in DER, one after the other */
	struct trust_revoked *revoked;
	size_t n_revoked;
};

/* Empty area; *OUT is a child of CTX. */
MUST_USE enum err trust_new(TALLOC_CTX *ctx, struct trust **out);

/* Adds what HOST names, if it asks for certificates at all; OUT's array belongs to T and may be
 * shared with another host that names the same files.  ERR_CONF: REPORT has a line more. */
MUST_USE enum err trust_load(struct trust *t, const struct host_conf *host,
			     struct keys_report *report, struct trust_host *out);

/* Adds LEN bytes that are no certificates; *OUT is set when they are in. */
MUST_USE enum err trust_put(struct trust *t, const void *data, size_t len, struct trust_span *out);

/* The message for SPAN, a child of CTX; NULL without memory. */
Span *trust_span_msg(TALLOC_CTX *ctx, const struct trust_span *span);

/* Fills in MSG's part about HOST; the messages are children of CTX. */
MUST_USE enum err trust_fill(TALLOC_CTX *ctx, const struct trust_host *host, HostCerts *msg);

/* The area as a sealed memfd, the caller's. */
MUST_USE enum err trust_fd(const struct trust *t, int *out);

#endif /* AUTH_TRUST_H */
