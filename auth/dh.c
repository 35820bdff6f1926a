/* dh.c - reads Diffie-Hellman parameters. */
#include "auth/dh.h"

enum { FILE_LIMIT = 64 * 1024, BITS_MIN = 2048 };

static enum err bad(struct keys_report *report, const char *path, const char *why)
{
	report_fault(report, "error reading the DH parameters (%s) file: %s", path, why);
	return ERR_CONF;
}

static enum err import(TALLOC_CTX *ctx, gnutls_dh_params_t dh, const gnutls_datum_t *file,
		       unsigned *bits, gnutls_datum_t *out)
{
	gnutls_datum_t der, prime, generator;

	if (gnutls_dh_params_import_pkcs3(dh, file, GNUTLS_X509_FMT_PEM) < 0 ||
	    gnutls_dh_params_export_raw(dh, &prime, &generator, bits) < 0)
		return ERR_SYNTAX;
	/* This BITS is a private exponent's, if the file limits it; the prime has no leading zero
	 * but one. */
	*bits = 8 * (prime.size - (prime.size && !prime.data[0]));
	gnutls_free(prime.data);
	gnutls_free(generator.data);
	if (gnutls_dh_params_export2_pkcs3(dh, GNUTLS_X509_FMT_DER, &der) < 0)
		return ERR_SYNTAX;
	out->data = talloc_memdup(ctx, der.data, der.size);
	out->size = der.size;
	gnutls_free(der.data);
	return out->data ? ERR_OK : ERR_NOMEM;
}

enum err dh_load(TALLOC_CTX *ctx, const char *path, struct keys_report *report, gnutls_datum_t *out)
{
	TALLOC_CTX *tmp = talloc_new(ctx);
	gnutls_dh_params_t dh;
	gnutls_datum_t file;
	unsigned bits = 0;
	enum err err = material_read(tmp, path, FILE_LIMIT, &file);

	if (err) {
		report_unreadable(report, path, err);
		talloc_free(tmp);
		return ERR_CONF;
	}
	if (gnutls_dh_params_init(&dh) < 0) {
		talloc_free(tmp);
		return ERR_NOMEM;
	}
	err = import(ctx, dh, &file, &bits, out);
	gnutls_dh_params_deinit(dh);
	talloc_free(tmp);
	if (err == ERR_SYNTAX)
		return bad(report, path, "not PEM of PKCS#3 (-----BEGIN DH PARAMETERS-----)");
	if (!err && bits < BITS_MIN)
		report_caution(
			report,
			"the DH parameters '%s' have %u bits; clients may refuse less than %d",
			path, bits, BITS_MIN);
	return err;
}
