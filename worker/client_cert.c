/* client_cert.c - the client's certificate.
 *
 * Protocol.md 2.6: a host that knows no other way in refuses a bad certificate, or none, by an
 * alert.  Any other goes on, so that the user sees a page; auth then lets nobody in who showed a
 * bad one, whatever else he knows (compat-checklist 60). */
#include "worker/client_cert.h"

#include <string.h>

#include <gnutls/x509.h>

#include "conf/auth_rules.h"

enum { CHAIN_MAX = 16, REASON = 256 };

/* ---- verification --------------------------------------------------------- */

static void log_bad(const struct worker *w, const char *which, const char *reason)
{
	char *text = talloc_asprintf(NULL, "%s certificate verification failed: %s", which, reason);

	if (text)
		log_info(&w->log, "client-certificate-bad", kv_text(text));
	talloc_free(text);
}

/* GnuTLS's words for what its verification found. */
static void log_status(const struct worker *w, const char *which, unsigned status)
{
	gnutls_datum_t text = { 0 };
	char reason[REASON];
	size_t len;

	if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) < 0) {
		log_bad(w, which, "unknown reason");
		return;
	}
	str_copy(reason, sizeof reason, (const char *)text.data);
	for (len = strlen(reason); len && reason[len - 1] == ' '; len--)
		reason[len - 1] = '\0';
	log_bad(w, which, reason);
	gnutls_free(text.data);
}

/* RFC 5280 6.3: for each certificate of the chain.  One we cannot read is as bad as a revoked one.
 */
static bool is_revoked(const struct worker *w, const gnutls_datum_t *chain, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct der der = { chain[i].data, chain[i].size };
		struct cert_parts parts;

		if (i == CHAIN_MAX || cert_parts_parse(&der, &parts) ||
		    trust_revoked(&w->vhost->trust, &parts))
			return true;
	}
	return false;
}

bool client_cert_judge(const struct worker *w, const char *which, int ret, unsigned status,
		       const gnutls_datum_t *chain, unsigned n)
{
	if (ret < 0)
		log_bad(w, which, gnutls_strerror(ret));
	else if (status)
		log_status(w, which, status);
	else if (is_revoked(w, chain, n))
		log_bad(w, which, "The certificate chain is revoked.");
	else
		return true;
	return false;
}

static bool is_good(const struct worker *w, gnutls_session_t tls, const gnutls_datum_t *chain,
		    unsigned n)
{
	/* Certificates without extended key usage pass; those for something else do not. */
	gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (uint8_t *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT,
	};
	unsigned status = 0;
	int ret = gnutls_certificate_verify_peers(tls, &purpose, 1, &status);

	return client_cert_judge(w, "client", ret, status, chain, n);
}

/* Whether the handshake must end because of a bad certificate.  In a renegotiation it must where
 * the session began with a good one: it has expired since. */
static bool must_be_good(const struct worker *w)
{
	if (w->state == WORKER_TUNNEL)
		return w->cert.good;
	return conf_cert_policy(w->vhost->host) == CONF_CERT_REQUIRE;
}

/* GnuTLS calls this when the certificate has come, for a renegotiation again; then the session has
 * gone over to the data path, and is no longer the worker's. */
static int on_certificate(gnutls_session_t tls)
{
	struct worker *w = gnutls_session_get_ptr(tls);
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(tls, &n);
	bool good;

	if (conf_cert_policy(w->vhost->host) == CONF_CERT_NONE || !chain || !n)
		return 0; /* whether that may be GnuTLS decides by what it was told to ask */
	good = is_good(w, tls, chain, n);
	if (good)
		log_info(&w->log, "client-certificate",
			 kv_text("client certificate verification succeeded"));
	else if (must_be_good(w))
		return GNUTLS_E_CERTIFICATE_ERROR;
	if (w->state != WORKER_TUNNEL) {
		w->cert.shown = true;
		w->cert.good = good;
	}
	return 0;
}

/* ---- asking --------------------------------------------------------------- */

void client_cert_init(struct worker *w)
{
	gnutls_certificate_server_set_request(w->tls, GNUTLS_CERT_IGNORE);
	gnutls_session_set_verify_function(w->tls, on_certificate);
}

void client_cert_ask(const struct worker *w)
{
	switch (conf_cert_policy(w->vhost->host)) {
	case CONF_CERT_NONE:
		gnutls_certificate_server_set_request(w->tls, GNUTLS_CERT_IGNORE);
		break;
	case CONF_CERT_REQUEST:
		gnutls_certificate_server_set_request(w->tls, GNUTLS_CERT_REQUEST);
		break;
	case CONF_CERT_REQUIRE:
		gnutls_certificate_server_set_request(w->tls, GNUTLS_CERT_REQUIRE);
		break;
	}
}

/* ---- identity ------------------------------------------------------------- */

static void log_nameless(const struct worker *w, enum err err)
{
	const char *oid = w->vhost->host->cert_user_oid;
	char *text = talloc_asprintf(NULL,
				     "cert-user-oid '%s' configured but no username found in "
				     "certificate; rejecting",
				     oid ? oid : "");

	if (text && err)
		log_info(&w->log, "certificate-nameless", kv_text(text), kv_err(err));
	else if (text)
		log_info(&w->log, "certificate-nameless", kv_text(text));
	talloc_free(text);
}

/* A name that cannot be used is like none: nobody logs in with this certificate. */
struct cert_id *client_cert_identity(TALLOC_CTX *ctx, const struct worker *w,
				     const gnutls_datum_t *cert)
{
	const struct host_conf *host = w->vhost->host;
	const struct der der = { cert->data, cert->size };
	struct cert_parts parts;
	struct cert_id *id = NULL;
	enum err err = host->cert_user_oid ? cert_parts_parse(&der, &parts) : ERR_NOT_FOUND;

	if (!err)
		err = cert_id_read(ctx, &parts, host->cert_user_oid, host->cert_group_oid, &id);
	if (err || !id->user)
		log_nameless(w, err);
	return id;
}

void client_cert_read(struct worker *w)
{
	enum conf_cert_policy policy = conf_cert_policy(w->vhost->host);

	if (w->cert.good)
		w->cert.id = client_cert_identity(w, w, gnutls_certificate_get_peers(w->tls, NULL));
	else if (policy == CONF_CERT_REQUEST && !w->cert.shown)
		log_info(&w->log, "no-client-certificate",
			 kv_text("no certificate was found (not required for this session)"));
	/* Protocol.md 2.6: one that is missing in a renegotiation is tolerated. */
	if (policy == CONF_CERT_REQUIRE)
		gnutls_certificate_server_set_request(w->tls, GNUTLS_CERT_REQUEST);
}
