/* second_cert.c - a certificate and a signature in PKCS#7 and base64. */
#include "worker/second_cert.h"

#include <ctype.h>
#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/pkcs7.h>
#include <gnutls/x509.h>

#include "worker/client_cert.h"

enum { CHAIN_MAX = 10, PKCS7_MAX = 128 * 1024, SIGNATURE_MAX = 4 * 1024 };

/* What the client sent, in DER: the certificates in any order, the signer first once it is found.
 */
struct second {
	const struct worker *w;
	gnutls_x509_crt_t cert[CHAIN_MAX];
	gnutls_datum_t der[CHAIN_MAX]; /* children of the call's context */
	unsigned n;
};

static void log_bad(const struct worker *w, const char *reason)
{
	log_info(&w->log, "second-certificate-bad",
		 kv_text("second certificate verification failed"), kv_str("reason", reason));
}

/* ---- reading -------------------------------------------------------------- */

/* Clients break the lines. */
static enum err decode(TALLOC_CTX *ctx, const char *text, size_t limit, gnutls_datum_t *out)
{
	size_t len = strlen(text), n = 0;
	char *plain = talloc_size(ctx, len + 1);
	enum err err = plain ? ERR_OK : ERR_NOMEM;

	for (size_t i = 0; !err && i < len; i++)
		if (!isspace((unsigned char)text[i]))
			plain[n++] = text[i];
	out->data = talloc_size(ctx, limit);
	if (!out->data)
		err = ERR_NOMEM;
	if (!err)
		err = base64_decode(plain, n, out->data, limit, &n);
	out->size = (unsigned)n;
	return err;
}

static enum err take_cert(TALLOC_CTX *ctx, struct second *s, const gnutls_datum_t *der)
{
	gnutls_x509_crt_t *cert = &s->cert[s->n];
	gnutls_datum_t *copy = &s->der[s->n];

	copy->data = talloc_memdup(ctx, der->data, der->size);
	copy->size = der->size;
	if (!copy->data || gnutls_x509_crt_init(cert) < 0)
		return ERR_NOMEM;
	s->n++; /* from here on it is released with the others */
	return gnutls_x509_crt_import(*cert, der, GNUTLS_X509_FMT_DER) < 0 ? ERR_SYNTAX : ERR_OK;
}

static enum err take_certs(TALLOC_CTX *ctx, struct second *s, gnutls_pkcs7_t p7)
{
	int n = gnutls_pkcs7_get_crt_count(p7);
	enum err err = n > 0 && n <= CHAIN_MAX ? ERR_OK : ERR_SYNTAX;

	for (int i = 0; !err && i < n; i++) {
		gnutls_datum_t der;

		if (gnutls_pkcs7_get_crt_raw2(p7, (unsigned)i, &der) < 0)
			return ERR_SYNTAX;
		err = take_cert(ctx, s, &der);
		gnutls_free(der.data);
	}
	return err;
}

static enum err read_certs(TALLOC_CTX *ctx, struct second *s, const char *text)
{
	gnutls_datum_t der;
	gnutls_pkcs7_t p7;
	enum err err = decode(ctx, text, PKCS7_MAX, &der);

	if (err)
		return err;
	if (gnutls_pkcs7_init(&p7) < 0)
		return ERR_NOMEM;
	err = gnutls_pkcs7_import(p7, &der, GNUTLS_X509_FMT_DER) < 0 ? ERR_SYNTAX
								     : take_certs(ctx, s, p7);
	gnutls_pkcs7_deinit(p7);
	return err;
}

/* ---- checking ------------------------------------------------------------- */

/* Only what the document offers. */
static gnutls_digest_algorithm_t hash_named(const char *name)
{
	if (strcmp(name, "sha256") == 0)
		return GNUTLS_DIG_SHA256;
	if (strcmp(name, "sha384") == 0)
		return GNUTLS_DIG_SHA384;
	return strcmp(name, "sha512") == 0 ? GNUTLS_DIG_SHA512 : GNUTLS_DIG_UNKNOWN;
}

static bool has_signed(gnutls_x509_crt_t cert, gnutls_digest_algorithm_t hash,
		       const gnutls_datum_t *document, const gnutls_datum_t *signature)
{
	gnutls_pubkey_t key;
	gnutls_sign_algorithm_t sign;
	bool good = false;

	if (gnutls_pubkey_init(&key) < 0)
		return false;
	if (gnutls_pubkey_import_x509(key, cert, 0) >= 0) {
		sign = gnutls_pk_to_sign(
			(gnutls_pk_algorithm_t)gnutls_pubkey_get_pk_algorithm(key, NULL), hash);
		good = sign != GNUTLS_SIGN_UNKNOWN &&
		       gnutls_pubkey_verify_data2(key, sign, 0, document, signature) >= 0;
	}
	gnutls_pubkey_deinit(key);
	return good;
}

/* Puts the certificate that made the signature in front.  ERR_NOT_FOUND: none has. */
static enum err find_signer(struct second *s, gnutls_digest_algorithm_t hash,
			    const gnutls_datum_t *document, const gnutls_datum_t *signature)
{
	for (unsigned i = 0; i < s->n; i++) {
		gnutls_x509_crt_t cert = s->cert[i];
		gnutls_datum_t der = s->der[i];

		if (!has_signed(cert, hash, document, signature))
			continue;
		s->cert[i] = s->cert[0];
		s->der[i] = s->der[0];
		s->cert[0] = cert;
		s->der[0] = der;
		return ERR_OK;
	}
	return ERR_NOT_FOUND;
}

/* Whoever has one key only has proved no more than the TLS connection did. */
static bool is_the_first(const struct second *s)
{
	unsigned n = 0;
	const gnutls_datum_t *first = gnutls_certificate_get_peers(s->w->tls, &n);

	return first && n &&
	       der_equal(&(struct der){ first->data, first->size },
			 &(struct der){ s->der[0].data, s->der[0].size });
}

/* The same rules as for the certificate of the TLS connection. */
static bool is_trusted(struct second *s)
{
	gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (uint8_t *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT,
	};
	gnutls_x509_trust_list_t list;
	unsigned status = 0;
	int ret;

	gnutls_certificate_get_trust_list(image_cred(s->w->image, s->w->vhost), &list);
	/* The strength that GnuTLS wants of certificates of TLS by default. */
	ret = gnutls_x509_trust_list_verify_crt2(list, s->cert, s->n, &purpose, 1,
						 GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_LOW),
						 &status, NULL);
	return client_cert_judge(s->w, "second", ret, status, s->der, s->n);
}

static bool check(TALLOC_CTX *ctx, struct second *s, const struct der *document,
		  const struct auth_input *input)
{
	const gnutls_datum_t data = { (uint8_t *)(uintptr_t)document->p, (unsigned)document->len };
	gnutls_digest_algorithm_t hash = hash_named(input->cert_hash ? input->cert_hash : "");
	gnutls_datum_t signature;

	if (!input->cert_signature || hash == GNUTLS_DIG_UNKNOWN ||
	    read_certs(ctx, s, input->cert_pkcs7) ||
	    decode(ctx, input->cert_signature, SIGNATURE_MAX, &signature)) {
		log_bad(s->w, "malformed");
		return false;
	}
	if (find_signer(s, hash, &data, &signature)) {
		log_bad(s->w,
			"the signature is not by one of the certificates, or not of this login");
		return false;
	}
	if (is_the_first(s)) {
		log_bad(s->w, "it is the certificate of the TLS connection once more");
		return false;
	}
	return is_trusted(s);
}

void second_cert_check(const struct worker *w, TALLOC_CTX *ctx, const struct der *document,
		       const struct auth_input *input, struct login_second *out)
{
	TALLOC_CTX *tmp = talloc_new(ctx);
	struct second s = { .w = w };
	struct cert_id *id = NULL;

	*out = (struct login_second){ .good = tmp && check(tmp, &s, document, input) };
	if (out->good)
		id = client_cert_identity(ctx, w, &s.der[0]);
	if (id) {
		out->user = id->user;
		out->groups = id->groups;
	}
	for (unsigned i = 0; i < s.n; i++)
		gnutls_x509_crt_deinit(s.cert[i]);
	talloc_free(tmp);
}
