/* image.c - loads what workers share. */
#include "worker/image.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/pack.h"
#include "ipc/msg.h"
#include "ipc/zygote.pb-c.h"

enum { MEMORY_GROWTH = 64 * 1024 * 1024 };

static int image_free(struct image *image)
{
	trust_unmap(&image->area);
	for (size_t i = 0; image->vhost && i < image->conf->n_hosts; i++) {
		struct vhost *v = &image->vhost[i];
		if (v->cred)
			gnutls_certificate_free_credentials(v->cred);
		if (v->dh)
			gnutls_dh_params_deinit(v->dh);
		if (v->priorities)
			gnutls_priority_deinit(v->priorities);
	}
	return 0;
}

/* Unpacks the whole file; *OUT is a child of CTX. */
static enum err read_conf(TALLOC_CTX *ctx, int fd, WorkerConf **out)
{
	ProtobufCMessage *msg = NULL;
	struct stat st;
	enum err err;
	void *map;

	if (fstat(fd, &st) < 0)
		return ERR_SYS;
	if (st.st_size <= 0 || st.st_size > CONF_PACK_MAX)
		return ERR_TOO_LONG;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return ERR_SYS;
	err = ipc_unpack(ctx, &worker_conf__descriptor, map, (size_t)st.st_size, &msg);
	munmap(map, (size_t)st.st_size);
	if (!err)
		*out = (WorkerConf *)msg;
	return err;
}

static enum err load_rows(struct image *image, const WorkerConf *wc)
{
	TALLOC_CTX *tmp = talloc_new(image);
	struct conf_rows rows = { 0 };
	enum err err = tmp ? ERR_OK : ERR_NOMEM;

	if (!err && wc->rows)
		err = conf_rows_from_msg(tmp, wc->rows->row, wc->rows->n_row, &rows);
	if (!err)
		err = conf_from_rows(image, &rows, CONF_SHARE, NULL, &image->conf);
	talloc_free(tmp);
	return err;
}

char *image_priorities(TALLOC_CTX *ctx, const struct host_conf *host)
{
	/* Not written by the administrator: nothing older than TLS 1.2 (protocol.md 2.2).  That
	 * cisco-client-compat forbids TLS 1.3 is in the value already. */
	bool ours = !host->origin || !host->origin[CONF_OPT_tls_priorities];

	return talloc_asprintf(ctx, "%s%s", host->tls_priorities,
			       ours ? ":-VERS-SSL3.0:-VERS-TLS1.0:-VERS-TLS1.1" : "");
}

/* A key of the TLS session (PSK-NEGOTIATE) goes with AEAD ciphers only: a MAC of its own would need
 * encrypt-then-MAC, which clients of that mode do not offer (protocol.md 6.2). */
static enum err load_dtls_priorities(struct image *image, struct vhost *v)
{
	char *text =
		talloc_asprintf(image, "%s" IMAGE_DTLS_PSK ":-MAC-ALL:+AEAD", v->priority_text);
	gnutls_priority_t probe;

	if (!text)
		return ERR_NOMEM;
	if (gnutls_priority_init(&probe, text, NULL) < 0) {
		talloc_free(text);
		return ERR_OK;
	}
	gnutls_priority_deinit(probe);
	v->dtls_priorities = text;
	return ERR_OK;
}

static enum err load_priorities(struct image *image, struct vhost *v)
{
	const char *at = NULL;

	v->priority_text = image_priorities(image, v->host);
	if (!v->priority_text)
		return ERR_NOMEM;
	if (gnutls_priority_init(&v->priorities, v->priority_text, &at) < 0) {
		log_err(NULL, "tls-priorities-bad", kv_str("vhost", v->host->name),
			kv_str("at", at));
		return ERR_CONF;
	}
	return load_dtls_priorities(image, v);
}

/* dh-params, or what clients expect to be good. */
static enum err load_dh(const struct image *image, struct vhost *v, const Span *span)
{
	struct der dh;
	gnutls_datum_t der;
	enum err err = trust_span(&image->area, span, &dh);

	if (err)
		return err;
	if (!dh.len) {
		(void)gnutls_certificate_set_known_dh_params(v->cred, GNUTLS_SEC_PARAM_MEDIUM);
		return ERR_OK;
	}
	der = (gnutls_datum_t){ (uint8_t *)(uintptr_t)dh.p, (unsigned)dh.len };
	if (gnutls_dh_params_init(&v->dh) < 0)
		return ERR_NOMEM;
	if (gnutls_dh_params_import_pkcs3(v->dh, &der, GNUTLS_X509_FMT_DER) < 0)
		return ERR_SYNTAX;
	gnutls_certificate_set_dh_params(v->cred, v->dh);
	return ERR_OK;
}

/* GnuTLS orders chains as it likes; ours have the numbers that auth knows them by.  They stay in
 * the area, which lasts as long. */
static enum err keep_leaves(struct image *image, struct vhost *v, const HostCerts *certs)
{
	enum err err = ERR_OK;

	v->leaf = talloc_zero_array(image, gnutls_datum_t, (unsigned)certs->n_chain);
	if (!v->leaf)
		return ERR_NOMEM;
	for (; !err && v->n_leaf < certs->n_chain; v->n_leaf++) {
		gnutls_datum_t *leaf = &v->leaf[v->n_leaf];
		struct der_item item;
		struct der all;

		err = trust_span(&image->area, certs->chain[v->n_leaf]->certs, &all);
		if (!err)
			err = der_next(&all, &item);
		if (!err)
			*leaf = (gnutls_datum_t){ (uint8_t *)(uintptr_t)item.whole.p,
						  (unsigned)item.whole.len };
	}
	return err;
}

static enum err load_certs(struct image *image, struct vhost *v, const HostCerts *certs)
{
	char *name = talloc_strdup(image, certs->vhost);
	enum err err = ERR_OK;

	if (!name || gnutls_certificate_allocate_credentials(&v->cred) < 0)
		return ERR_NOMEM;
	/* The match would be tried by signing, and nobody can sign before a worker exists. */
	gnutls_certificate_set_flags(v->cred, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
	err = load_dh(image, v, certs->dh);
	for (size_t i = 0; !err && i < certs->n_chain; i++)
		err = keys_add_chain(image, v->cred, &image->area, certs->chain[i], name,
				     &image->keys);
	if (!err)
		err = keep_leaves(image, v, certs);
	if (!err)
		err = trust_take(image, &image->area, certs, v->cred, &v->trust);
	return err ? err : trust_span(&image->area, certs->profile, &v->profile);
}

/* The default host is called "" in rows and "default" where it is printed. */
static bool is_host(const struct image *image, size_t i, const char *name)
{
	return strcmp(image->conf->host[i]->name, name) == 0 || (i == 0 && *name == '\0');
}

static enum err load_vhost(struct image *image, size_t i, const WorkerConf *wc)
{
	struct vhost *v = &image->vhost[i];
	enum err err;

	v->host = image->conf->host[i];
	err = load_priorities(image, v);
	for (size_t k = 0; !err && k < wc->n_host; k++)
		if (!v->cred && is_host(image, i, wc->host[k]->vhost))
			err = load_certs(image, v, wc->host[k]);
	if (err)
		log_err(NULL, "vhost-not-loaded", kv_str("vhost", v->host->name), kv_err(err));
	return err;
}

/* limit-worker-memory: what the image occupies now and 64 MiB (config.md 8.1). */
static uint64_t memory_limit(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f && fscanf(f, "%lu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages ? (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) + MEMORY_GROWTH : 0;
}

enum err image_load(TALLOC_CTX *ctx, int fd, int area, uint64_t generation, unsigned verbosity,
		    struct image **out)
{
	struct image *image = talloc_zero(ctx, struct image);
	TALLOC_CTX *tmp = talloc_new(image);
	WorkerConf *wc = NULL;
	enum err err = tmp ? read_conf(tmp, fd, &wc) : ERR_NOMEM;

	if (!err)
		err = load_rows(image, wc);
	if (!err)
		err = trust_map(area, &image->area);
	if (!err) {
		image->generation = generation;
		image->verbosity = verbosity;
		talloc_set_destructor(image, image_free);
		image->vhost = talloc_zero_size(image, image->conf->n_hosts * sizeof *image->vhost);
		err = image->vhost ? ERR_OK : ERR_NOMEM;
	}
	for (size_t i = 0; !err && i < image->conf->n_hosts; i++)
		err = load_vhost(image, i, wc);
	if (!err && image->conf->isolate_workers)
		err = sandbox_new(image, &image->sandbox);
	if (!err && image->conf->limit_worker_memory)
		image->memory_limit = memory_limit();
	talloc_free(tmp);
	if (err)
		talloc_free(image);
	else
		*out = image;
	return err;
}

const struct vhost *image_vhost(const struct image *image, const char *sni)
{
	const struct host_conf *host = conf_host(image->conf, sni);

	for (size_t i = 0; i < image->conf->n_hosts; i++)
		if (image->vhost[i].host == host)
			return &image->vhost[i];
	return &image->vhost[0];
}

gnutls_certificate_credentials_t image_cred(const struct image *image, const struct vhost *v)
{
	return v->cred ? v->cred : image->vhost[0].cred;
}

const gnutls_datum_t *image_leaf(const struct image *image, const struct vhost *v, uint32_t chain)
{
	const struct vhost *owner = v->cred ? v : &image->vhost[0];

	return chain < owner->n_leaf ? &owner->leaf[chain] : NULL;
}
