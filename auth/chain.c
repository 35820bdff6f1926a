/* chain.c - the server's certificates. */
#include "auth/chain.h"

#include <inttypes.h>
#include <strings.h>

#include "auth/privkey.h"
#include "base/clock.h"

enum { DAY = 24 * 60 * 60, SOON = 14 * DAY };

/* ---- where they come from ---- */

void chain_free(struct chain *chain)
{
	for (unsigned i = 0; i < chain->n; i++)
		gnutls_x509_crt_deinit(chain->cert[i]);
	gnutls_free(chain->cert);
	*chain = (struct chain){ NULL, 0 };
}

/* Clients have the root already, and all of them must read what we send. */
static void drop_root(struct chain *chain)
{
	gnutls_x509_crt_t last = chain->cert[chain->n - 1];

	if (chain->n < 2 || !gnutls_x509_crt_check_issuer(last, last))
		return;
	gnutls_x509_crt_deinit(last);
	chain->n--;
}

/* RET is what made CHAIN. */
static enum err take(int ret, struct chain *chain, struct chain *out, const char **why)
{
	if (ret >= 0 && !chain->n)
		ret = GNUTLS_E_NO_CERTIFICATE_FOUND;
	if (ret >= 0 && chain->n > CHAIN_MAX)
		ret = GNUTLS_E_SHORT_MEMORY_BUFFER;
	if (ret < 0) {
		*why = ret == GNUTLS_E_SHORT_MEMORY_BUFFER ? "too many certificates in one chain"
							   : gnutls_strerror(ret);
		chain_free(chain);
		return ERR_CONF;
	}
	drop_root(chain);
	*out = *chain;
	return ERR_OK;
}

enum err chain_from_pem(const gnutls_datum_t *file, struct chain *out, const char **why)
{
	struct chain chain = { NULL, 0 };
	int ret;

	/* GnuTLS would leave out what it cannot read, and clients would lack an issuer. */
	if (!material_is_whole(file)) {
		*why = "the file breaks off in the middle of a certificate";
		return ERR_CONF;
	}
	ret = gnutls_x509_crt_list_import2(&chain.cert, &chain.n, file, GNUTLS_X509_FMT_PEM,
					   GNUTLS_X509_CRT_LIST_SORT);
	return take(ret, &chain, out, why);
}

enum err chain_from_url(const char *url, const char *pin, struct chain *out, const char **why)
{
	struct privkey_pins pins = { pin, NULL };
	struct privkey_asked asked = { &pins, false };
	struct chain chain = { NULL, 0 };
	int ret = gnutls_x509_crt_list_import_url(&chain.cert, &chain.n, url, privkey_give_pin,
						  &asked, 0);

	if (ret == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
		*why = "no token has such a certificate";
		return ERR_CONF;
	}
	return take(ret, &chain, out, why);
}

enum err chain_from_der(const ProtobufCBinaryData *der, size_t n, struct chain *out,
			const char **why)
{
	struct chain chain = { NULL, 0 };
	int ret = 0;

	if (n > CHAIN_MAX)
		return take(GNUTLS_E_SHORT_MEMORY_BUFFER, &chain, out, why);
	chain.cert = gnutls_calloc(n + 1, sizeof *chain.cert);
	if (!chain.cert)
		return ERR_NOMEM;
	for (size_t i = 0; ret >= 0 && i < n; i++) {
		const gnutls_datum_t one = { der[i].data, (unsigned)der[i].len };

		ret = gnutls_x509_crt_init(&chain.cert[i]);
		if (ret < 0)
			break;
		chain.n++;
		ret = gnutls_x509_crt_import(chain.cert[i], &one, GNUTLS_X509_FMT_DER);
	}
	return take(ret, &chain, out, why);
}

/* ---- what is in them ---- */

static enum err put_cert(TALLOC_CTX *ctx, gnutls_x509_crt_t cert, ProtobufCBinaryData *out)
{
	gnutls_datum_t der;

	if (gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_DER, &der) < 0)
		return ERR_TLS;
	out->len = der.size;
	out->data = talloc_memdup(ctx, der.data, der.size);
	gnutls_free(der.data);
	return out->data ? ERR_OK : ERR_NOMEM;
}

enum err chain_to_der(TALLOC_CTX *ctx, const struct chain *chain, ProtobufCBinaryData **out,
		      size_t *n)
{
	ProtobufCBinaryData *der = talloc_array(ctx, ProtobufCBinaryData, chain->n);
	enum err err = der ? ERR_OK : ERR_NOMEM;

	for (unsigned i = 0; !err && i < chain->n; i++)
		err = put_cert(der, chain->cert[i], &der[i]);
	if (err)
		return err;
	*out = der;
	*n = chain->n;
	return ERR_OK;
}

enum err chain_key_id(const struct chain *chain, uint8_t id[KEY_ID])
{
	size_t len = KEY_ID;

	return gnutls_x509_crt_get_key_id(chain->cert[0], GNUTLS_KEYID_USE_SHA256, id, &len) < 0
		       ? ERR_TLS
		       : ERR_OK;
}

/* "RSA-2048", "ECDSA-P256", "Ed25519". */
static char *algorithm_text(TALLOC_CTX *ctx, gnutls_x509_crt_t leaf)
{
	unsigned bits = 0;
	int pk = gnutls_x509_crt_get_pk_algorithm(leaf, &bits);

	switch (pk) {
	case GNUTLS_PK_RSA:
		return talloc_asprintf(ctx, "RSA-%u", bits);
	case GNUTLS_PK_RSA_PSS:
		return talloc_asprintf(ctx, "RSA-PSS-%u", bits);
	case GNUTLS_PK_ECDSA:
		return talloc_asprintf(ctx, "ECDSA-P%u", bits);
	case GNUTLS_PK_EDDSA_ED25519:
		return talloc_strdup(ctx, "Ed25519");
	case GNUTLS_PK_EDDSA_ED448:
		return talloc_strdup(ctx, "Ed448");
	default:
		return talloc_strdup(ctx, gnutls_pk_algorithm_get_name((gnutls_pk_algorithm_t)pk));
	}
}

ServerKey *chain_describe(TALLOC_CTX *ctx, const struct chain *chain, const char *vhost)
{
	ServerKey *key = talloc(ctx, ServerKey);
	uint8_t id[KEY_ID];
	char *pin;

	if (!key || chain_key_id(chain, id))
		return NULL;
	server_key__init(key);
	pin = base64_encode(key, id, sizeof id);
	key->vhost = talloc_strdup(key, vhost);
	key->algorithm = algorithm_text(key, chain->cert[0]);
	key->pin = pin ? talloc_asprintf(key, "pin-sha256:%s", pin) : NULL;
	key->not_after = gnutls_x509_crt_get_expiration_time(chain->cert[0]);
	return key->vhost && key->algorithm && key->pin ? key : NULL;
}

/* ---- what is strange ---- */

static void check_dates(gnutls_x509_crt_t leaf, const char *name, struct keys_report *report)
{
	int64_t now = clock_unix(), end = gnutls_x509_crt_get_expiration_time(leaf);

	if (end < now)
		report_caution(report, "the certificate '%s' has expired", name);
	else if (end < now + SOON)
		report_caution(report, "the certificate '%s' expires in %" PRId64 " days", name,
			       (end - now) / DAY);
	if (gnutls_x509_crt_get_activation_time(leaf) > now)
		report_caution(report, "the certificate '%s' is not yet valid", name);
}

void chain_look_over(const struct chain *chain, const char *name, struct keys_report *report)
{
	gnutls_x509_crt_t leaf = chain->cert[0];
	unsigned usage = 0;

	check_dates(leaf, name, report);
	if (gnutls_x509_crt_get_pk_algorithm(leaf, NULL) == GNUTLS_PK_RSA &&
	    gnutls_x509_crt_get_key_usage(leaf, &usage, NULL) >= 0 &&
	    !(usage & GNUTLS_KEY_KEY_ENCIPHERMENT))
		report_caution(
			report,
			"the key usage of the certificate '%s' lacks key encipherment; clients "
			"that need RSA key transport cannot connect",
			name);
}

void chain_check_name(const struct chain *chain, const char *vhost, struct keys_report *report)
{
	if (strcasecmp(vhost, "default") != 0 &&
	    !gnutls_x509_crt_check_hostname(chain->cert[0], vhost))
		report_caution(report, "The DN certificate's name doesn't match for vhost %s",
			       vhost);
}
