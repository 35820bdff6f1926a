/* staple.c - one file holds one response; with several certificates it is stapled to that whose
 * serial number and issuer are in the response's CertID (RFC 6960 4.1.1). */
#include "auth/staple.h"

#include <string.h>

#include "base/clock.h"

enum { RESPONSE_MAX = 32 * 1024, REASON = 128 };

struct staple {
	const char *path; /* borrowed from the configuration */
	gnutls_datum_t der;
	gnutls_ocsp_resp_t resp;
};

static int staple_destroy(struct staple *s)
{
	gnutls_ocsp_resp_deinit(s->resp);
	return 0;
}

static enum err bad(struct keys_report *report, const char *path, const char *why)
{
	report_fault(report, "error reading the OCSP response (%s) file: %s", path, why);
	return ERR_CONF;
}

/* RFC 6960 4.2.1: a responder that cannot tell answers, too. */
static enum err check(const struct staple *s, struct keys_report *report)
{
	int ret = gnutls_ocsp_resp_import(s->resp, &s->der);
	char why[REASON];

	if (ret < 0)
		return bad(report, s->path, "not an OCSP response in DER");
	ret = gnutls_ocsp_resp_get_status(s->resp);
	if (ret == GNUTLS_OCSP_RESP_SUCCESSFUL)
		return ERR_OK;
	snprintf(why, sizeof why, "the responder answered with an error (status %d)", ret);
	return bad(report, s->path, why);
}

enum err staple_load(TALLOC_CTX *ctx, const char *path, struct keys_report *report,
		     struct staple **out)
{
	struct staple *s = talloc_zero(ctx, struct staple);
	enum err err;

	if (!s || gnutls_ocsp_resp_init(&s->resp) < 0) {
		talloc_free(s);
		return ERR_NOMEM;
	}
	talloc_set_destructor(s, staple_destroy);
	s->path = path;
	err = material_read(s, path, RESPONSE_MAX, &s->der);
	if (err == ERR_TOO_LONG)
		err = bad(report, path, "too large");
	else if (err)
		report_fault(report, "cannot open file %s: %s", path, err_reason(err));
	else
		err = check(s, report);
	if (err)
		talloc_free(s);
	else
		*out = s;
	return err;
}

/* Its place in the response; -1: none is about CERT. */
static int find(const struct staple *s, gnutls_x509_crt_t cert)
{
	for (unsigned i = 0;; i++) {
		int ret = gnutls_ocsp_resp_check_crt(s->resp, i, cert);

		if (ret >= 0)
			return (int)i;
		if (ret != GNUTLS_E_OCSP_RESPONSE_ERROR)
			return -1;
	}
}

const gnutls_datum_t *staple_for(const struct staple *s, const struct chain *chain,
				 struct keys_report *report, bool *about)
{
	int at = find(s, chain->cert[0]);
	unsigned status = GNUTLS_OCSP_CERT_UNKNOWN;
	time_t next = -1;

	if (at < 0)
		return NULL;
	*about = true;
	if (gnutls_ocsp_resp_get_single(s->resp, (unsigned)at, NULL, NULL, NULL, NULL, &status,
					NULL, &next, NULL, NULL) < 0)
		return NULL;
	if (status == GNUTLS_OCSP_CERT_REVOKED)
		report_caution(report,
			       "the OCSP response '%s' says that the certificate is revoked",
			       s->path);
	/* Clients that look at it would refuse us for it, and those that do not need none. */
	if (next != (time_t)-1 && next < clock_unix()) {
		report_caution(report, "the OCSP response '%s' has expired; it is not used",
			       s->path);
		return NULL;
	}
	return &s->der;
}
