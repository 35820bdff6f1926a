/* image.h - what all workers of one configuration share: settings, certificates, priorities, the
 * system-call filters.  Made once by the zygote; read by the workers it forks. */
#ifndef WORKER_IMAGE_H
#define WORKER_IMAGE_H

#include <stdint.h>
#include <talloc.h>

#include <gnutls/gnutls.h>

#include "base/err.h"
#include "conf/conf.h"
#include "worker/keys.h"
#include "worker/sandbox.h"
#include "worker/trust.h"

/* What is added to priorities for DTLS with a key of the TLS session (protocol.md 6.2). */
#define IMAGE_DTLS_PSK ":-VERS-ALL:+VERS-DTLS1.2:-KX-ALL:+PSK"

/* A host as TLS sees it. */
struct vhost {
	const struct host_conf *host;
	gnutls_certificate_credentials_t cred; /* NULL: that of the default host */
	gnutls_dh_params_t dh;		       /* of CRED; NULL: those built in */
	gnutls_priority_t priorities;
	const char *priority_text;
	const char *dtls_priorities; /* with a key of the TLS session; NULL: no cipher is left */
	gnutls_datum_t *leaf;	     /* the server's own certificates, one per chain, in DER */
	size_t n_leaf;
	struct trust trust; /* for client certificates, beside what CRED has */
	struct der profile; /* for those who have none of their own, in the area */
};

struct image {
	uint64_t generation;
	unsigned verbosity;
	struct conf *conf;
	struct vhost *vhost; /* one per conf->host, in its order */
	struct keys_owner keys;
	struct trust_area area;	 /* what the hosts' trust points into */
	uint64_t memory_limit;	 /* address space of a worker, bytes; 0 unlimited */
	struct sandbox *sandbox; /* NULL: isolate-workers = false */
};

/* Reads the packed WorkerConf in FD, whose spans lie in the memfd AREA; both are borrowed.
 * *OUT is a child of CTX. */
MUST_USE enum err image_load(TALLOC_CTX *ctx, int fd, int area, uint64_t generation,
			     unsigned verbosity, struct image **out);

/* The host that the name of a ClientHello selects; the default host for NULL and unknown names. */
const struct vhost *image_vhost(const struct image *image, const char *sni);

/* The certificates V presents. */
gnutls_certificate_credentials_t image_cred(const struct image *image, const struct vhost *v);

/* The certificate of V's chain number CHAIN; NULL: there is none. */
const gnutls_datum_t *image_leaf(const struct image *image, const struct vhost *v, uint32_t chain);

/* Priority string of TLS for HOST (protocol.md 2.2); child of CTX, NULL without memory. */
char *image_priorities(TALLOC_CTX *ctx, const struct host_conf *host);

#endif /* WORKER_IMAGE_H */
