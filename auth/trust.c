/* trust.c - loads ca-cert and crl. */
#include "auth/trust.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#include "auth/crl.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/serials.h"
#include "conf/auth_rules.h"

enum { CA_FILE_MAX = 4 * 1024 * 1024, CRL_FILE_MAX = 64 * 1024 * 1024, AREA_MIN = 64 * 1024 };

/* Files that were loaded for a host before; most hosts name the same. */
struct loaded {
	const char *ca, *crl; /* borrowed from the configuration; NULL: none */
	struct trust_host host;
	struct loaded *next;
};

struct trust {
	uint8_t *data;
	size_t len, cap;
	struct loaded *loaded;
};

/* What loading one host has at hand. */
struct load {
	struct trust *t;
	TALLOC_CTX *tmp;
	const struct host_conf *host;
	struct keys_report *report;
	gnutls_x509_crt_t *ca;
	unsigned n_ca;
	struct trust_host *out;
};

enum err trust_new(TALLOC_CTX *ctx, struct trust **out)
{
	*out = talloc_zero(ctx, struct trust);
	return *out ? ERR_OK : ERR_NOMEM;
}

/* Room for LEN bytes at the end of the area; NULL without memory. */
static uint8_t *extend(struct trust *t, size_t len)
{
	uint8_t *at;

	if (len > t->cap - t->len) {
		size_t cap = t->cap ? 2 * t->cap : AREA_MIN;

		while (cap < t->len + len)
			cap *= 2;
		at = talloc_realloc_size(t, t->data, cap);
		if (!at)
			return NULL;
		t->data = at;
		t->cap = cap;
	}
	at = t->data + t->len;
	t->len += len;
	return at;
}

enum err trust_put(struct trust *t, const void *data, size_t len, struct trust_span *span)
{
	uint64_t at = t->len;
	uint8_t *to = extend(t, len);

	if (!to)
		return ERR_NOMEM;
	memcpy(to, data, len);
	*span = (struct trust_span){ at, len };
	return ERR_OK;
}

/* ---- revocation lists ----------------------------------------------------- */

static enum err bad_crl(const struct load *l, const char *why)
{
	report_fault(l->report, "error reading the CRL (%s) file: %s", l->host->crl, why);
	return ERR_CONF;
}

/* Whether CA's key made the signature.  Its strength is the administrator's choice, as the file is.
 */
static bool is_signed_by(const struct crl *crl, gnutls_sign_algorithm_t sign, gnutls_x509_crt_t ca)
{
	const gnutls_datum_t tbs = { (uint8_t *)(uintptr_t)crl->tbs.p, (unsigned)crl->tbs.len };
	const gnutls_datum_t sig = { (uint8_t *)(uintptr_t)crl->signature.p,
				     (unsigned)crl->signature.len };
	gnutls_pubkey_t key;
	bool good = false;

	if (gnutls_pubkey_init(&key) < 0)
		return false;
	if (gnutls_pubkey_import_x509(key, ca, 0) >= 0)
		good = gnutls_pubkey_verify_data2(key, sign, GNUTLS_VERIFY_ALLOW_BROKEN, &tbs,
						  &sig) >= 0;
	gnutls_pubkey_deinit(key);
	return good;
}

static bool has_name(gnutls_x509_crt_t ca, const struct der *name)
{
	gnutls_datum_t dn = { 0 };
	bool same = gnutls_x509_crt_get_raw_dn(ca, &dn) >= 0 && dn.size == name->len &&
		    memcmp(dn.data, name->p, name->len) == 0;

	gnutls_free(dn.data);
	return same;
}

/* A list whose issuer is among the authorities must be theirs.  One of an intermediate authority
 * that only clients bring along cannot be checked, and counts: the file is the administrator's. */
static enum err check_issuer(const struct load *l, const struct crl *crl)
{
	char oid[DER_OID_TEXT];
	gnutls_sign_algorithm_t sign = GNUTLS_SIGN_UNKNOWN;
	bool named = false, good = false;

	if (!der_oid_text(&crl->algorithm, oid))
		sign = gnutls_oid_to_sign(oid);
	for (unsigned i = 0; i < l->n_ca && !good; i++) {
		if (!has_name(l->ca[i], &crl->issuer))
			continue;
		named = true;
		good = sign == GNUTLS_SIGN_UNKNOWN || is_signed_by(crl, sign, l->ca[i]);
	}
	if (!named)
		report_caution(l->report,
			       "the CRL '%s' was issued by none of the authorities in '%s'",
			       l->host->crl, l->host->ca_cert ? l->host->ca_cert : "");
	else if (!good)
		return bad_crl(l, "its signature is not that of its issuer");
	return ERR_OK;
}

static enum err put_serials(const struct load *l, const struct crl *crl, struct trust_span *span)
{
	struct der rest = crl->revoked, serial;
	uint64_t at = l->t->len;
	size_t n = 0;
	enum err err;

	while (!(err = crl_next(&rest, &serial))) {
		uint8_t *record = extend(l->t, SERIAL_RECORD);

		if (!record)
			return ERR_NOMEM;
		if (serial_put(record, serial.p, serial.len))
			return bad_crl(l, "a serial number has more than 20 octets");
		n++;
	}
	if (err != ERR_NOT_FOUND)
		return bad_crl(l, "not a certificate revocation list");
	*span = (struct trust_span){ at, n * SERIAL_RECORD };
	serials_sort(l->t->data + at, n);
	return ERR_OK;
}

static enum err add_crl(struct load *l, const struct der *der)
{
	struct trust_host *out = l->out;
	struct trust_revoked *all;
	struct crl crl;
	enum err err;

	if (crl_parse(der, &crl))
		return bad_crl(l, "not a certificate revocation list");
	err = check_issuer(l, &crl);
	if (err)
		return err;
	if (crl.next_update && crl.next_update < clock_unix())
		report_caution(l->report, "the CRL '%s' is out of date: its next update was due",
			       l->host->crl);
	all = talloc_realloc(l->t, out->revoked, struct trust_revoked,
			     (unsigned)out->n_revoked + 1);
	if (!all)
		return ERR_NOMEM;
	out->revoked = all;
	err = trust_put(l->t, crl.issuer.p, crl.issuer.len, &all[out->n_revoked].issuer);
	if (!err)
		err = put_serials(l, &crl, &all[out->n_revoked].serials);
	out->n_revoked += !err;
	return err;
}

/* Moves REST behind the next TEXT in it.  False: there is none. */
static bool skip_to(gnutls_datum_t *rest, const char *text)
{
	const uint8_t *at = memmem(rest->data, rest->size, text, strlen(text));

	if (!at)
		return false;
	at += strlen(text);
	rest->size -= (unsigned)(at - rest->data);
	rest->data += at - rest->data;
	return true;
}

/* Every list of a PEM file.  One that breaks off makes the whole file bad: somebody is writing it,
 * and what it still lacks may be what matters. */
static enum err add_pem_crls(struct load *l, const gnutls_datum_t *file)
{
	static const char begin[] = "-----BEGIN ", end[] = "-----END ";
	gnutls_datum_t rest = *file, der;
	enum err err = ERR_OK;
	size_t n = 0;

	for (; !err && memmem(rest.data, rest.size, begin, sizeof begin - 1); n++) {
		if (gnutls_pem_base64_decode2("X509 CRL", &rest, &der) < 0)
			return bad_crl(l, "not a certificate revocation list");
		err = add_crl(l, &(struct der){ der.data, der.size });
		gnutls_free(der.data);
		if (!skip_to(&rest, end))
			break;
	}
	return n || err ? err : bad_crl(l, "not a certificate revocation list");
}

static enum err load_crls(struct load *l)
{
	gnutls_datum_t file;
	enum err err;

	if (!l->host->crl)
		return ERR_OK;
	err = material_read(l->tmp, l->host->crl, CRL_FILE_MAX, &file);
	if (err)
		return bad_crl(l, err_reason(err));
	if (file.size && *file.data == DER_SEQUENCE)
		err = add_crl(l, &(struct der){ file.data, file.size });
	else
		err = add_pem_crls(l, &file);
	if (!err)
		log_info(NULL, "crl-loaded", kv_str("vhost", l->host->name),
			 kv_text(talloc_asprintf(l->tmp, "loaded CRL: %s", l->host->crl)));
	return err;
}

/* ---- authorities ---------------------------------------------------------- */

static enum err bad_ca(const struct load *l, const char *why)
{
	report_fault(l->report, "error setting the CA (%s) file: %s", l->host->ca_cert, why);
	return ERR_CONF;
}

static int import_cas(struct load *l, const gnutls_datum_t *file)
{
	int ret = gnutls_x509_crt_list_import2(&l->ca, &l->n_ca, file, GNUTLS_X509_FMT_PEM, 0);

	if (ret < 0 && file->size && *file->data == DER_SEQUENCE)
		ret = gnutls_x509_crt_list_import2(&l->ca, &l->n_ca, file, GNUTLS_X509_FMT_DER, 0);
	return ret;
}

static enum err load_cas(struct load *l)
{
	gnutls_datum_t file;
	enum err err;
	int ret;

	if (!l->host->ca_cert)
		return ERR_OK;
	err = material_read(l->tmp, l->host->ca_cert, CA_FILE_MAX, &file);
	if (err)
		return bad_ca(l, err_reason(err));
	ret = import_cas(l, &file);
	if (ret < 0 || !l->n_ca)
		return bad_ca(l, gnutls_strerror(ret < 0 ? ret : GNUTLS_E_NO_CERTIFICATE_FOUND));
	log_info(NULL, "ca-loaded", kv_str("vhost", l->host->name),
		 kv_text(talloc_asprintf(l->tmp, "processed %u CA certificate(s)", l->n_ca)));
	return ERR_OK;
}

/* GnuTLS stops at the first certificate it trusts, so a revoked one must not be trusted. */
static bool is_revoked(const struct load *l, gnutls_x509_crt_t ca)
{
	uint8_t serial[SERIAL_MAX];
	size_t len = sizeof serial;
	gnutls_datum_t dn = { 0 };
	bool found = false;

	if (gnutls_x509_crt_get_serial(ca, serial, &len) < 0 ||
	    gnutls_x509_crt_get_raw_issuer_dn(ca, &dn) < 0)
		return false;
	for (size_t i = 0; i < l->out->n_revoked && !found; i++) {
		const struct trust_revoked *r = &l->out->revoked[i];

		found = dn.size == r->issuer.len &&
			memcmp(dn.data, l->t->data + r->issuer.at, dn.size) == 0 &&
			serials_have(l->t->data + r->serials.at, r->serials.len / SERIAL_RECORD,
				     serial, len);
	}
	gnutls_free(dn.data);
	return found;
}

static enum err put_ca(struct load *l, gnutls_x509_crt_t ca)
{
	struct trust_span span;
	gnutls_datum_t der;
	enum err err;

	if (is_revoked(l, ca)) {
		report_caution(l->report, "an authority in '%s' is revoked by '%s'; it is not used",
			       l->host->ca_cert, l->host->crl);
		return ERR_OK;
	}
	if (gnutls_x509_crt_get_expiration_time(ca) < clock_unix())
		report_caution(l->report, "an authority in '%s' has expired", l->host->ca_cert);
	if (gnutls_x509_crt_export2(ca, GNUTLS_X509_FMT_DER, &der) < 0)
		return ERR_TLS;
	err = trust_put(l->t, der.data, der.size, &span);
	gnutls_free(der.data);
	return err;
}

static enum err put_cas(struct load *l)
{
	uint64_t at = l->t->len;
	enum err err = ERR_OK;

	for (unsigned i = 0; !err && i < l->n_ca; i++)
		err = put_ca(l, l->ca[i]);
	l->out->ca = (struct trust_span){ at, l->t->len - at };
	return err;
}

/* ---- hosts ---------------------------------------------------------------- */

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static const struct loaded *find_loaded(const struct trust *t, const struct host_conf *host)
{
	const struct loaded *f = t->loaded;

	while (f && !(same(f->ca, host->ca_cert) && same(f->crl, host->crl)))
		f = f->next;
	return f;
}

static enum err load_files(struct trust *t, const struct host_conf *host,
			   struct keys_report *report, struct trust_host *out)
{
	struct load l = { t, talloc_new(t), host, report, NULL, 0, out };
	enum err err = l.tmp ? load_cas(&l) : ERR_NOMEM;
	enum err err_crl = l.tmp ? load_crls(&l) : ERR_NOMEM;

	if (!err && !err_crl)
		err = put_cas(&l);
	for (unsigned i = 0; i < l.n_ca; i++)
		gnutls_x509_crt_deinit(l.ca[i]);
	gnutls_free(l.ca);
	talloc_free(l.tmp);
	return err ? err : err_crl;
}

enum err trust_load(struct trust *t, const struct host_conf *host, struct keys_report *report,
		    struct trust_host *out)
{
	const struct loaded *before = find_loaded(t, host);
	struct loaded *f;
	enum err err;

	*out = (struct trust_host){ .n_revoked = 0 };
	if (!conf_wants_certificate(host))
		return ERR_OK;
	if (before) {
		*out = before->host;
		return ERR_OK;
	}
	if (!host->ca_cert)
		report_caution(report,
			       "vhost:%s: no client certificate can be verified without ca-cert; "
			       "write ca-cert = FILE",
			       host->name);
	err = load_files(t, host, report, out);
	f = err ? NULL : talloc(t, struct loaded);
	if (!f)
		return err ? err : ERR_NOMEM;
	*f = (struct loaded){ host->ca_cert, host->crl, *out, t->loaded };
	t->loaded = f;
	return ERR_OK;
}

Span *trust_span_msg(TALLOC_CTX *ctx, const struct trust_span *span)
{
	Span *msg = talloc(ctx, Span);

	if (msg) {
		span__init(msg);
		msg->at = span->at;
		msg->len = span->len;
	}
	return msg;
}

enum err trust_fill(TALLOC_CTX *ctx, const struct trust_host *host, HostCerts *msg)
{
	msg->ca = trust_span_msg(ctx, &host->ca);
	msg->revoked = talloc_array(ctx, Revoked *, (unsigned)host->n_revoked);
	if (!msg->ca || !msg->revoked)
		return ERR_NOMEM;
	for (; msg->n_revoked < host->n_revoked; msg->n_revoked++) {
		Revoked *r = talloc(ctx, Revoked);

		if (!r)
			return ERR_NOMEM;
		revoked__init(r);
		r->issuer = trust_span_msg(ctx, &host->revoked[msg->n_revoked].issuer);
		r->serial = trust_span_msg(ctx, &host->revoked[msg->n_revoked].serials);
		if (!r->issuer || !r->serial)
			return ERR_NOMEM;
		msg->revoked[msg->n_revoked] = r;
	}
	return ERR_OK;
}

enum err trust_fd(const struct trust *t, int *out)
{
	return file_sealed("sallyport-trust", t->data, t->len, out);
}
