/* legacy.c - the fake session resumption of old clients.  Used by assoc.c. */
#include "worker/path/legacy.h"

#include <stdio.h>

struct cipher_name {
	enum suite_cipher cipher;
	gnutls_cipher_algorithm_t id;
	const char *name;
};

/* The ciphers of the table in 6.4. */
static const struct cipher_name ciphers[] = {
	{ SUITE_AES_128_CBC, GNUTLS_CIPHER_AES_128_CBC, "AES-128-CBC" },
	{ SUITE_AES_256_CBC, GNUTLS_CIPHER_AES_256_CBC, "AES-256-CBC" },
	{ SUITE_3DES_CBC, GNUTLS_CIPHER_3DES_CBC, "3DES-CBC" },
	{ SUITE_AES_128_GCM, GNUTLS_CIPHER_AES_128_GCM, "AES-128-GCM" },
	{ SUITE_AES_256_GCM, GNUTLS_CIPHER_AES_256_GCM, "AES-256-GCM" },
};

static const struct cipher_name *cipher_find(enum suite_cipher cipher)
{
	for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
		if (ciphers[i].cipher == cipher)
			return &ciphers[i];
	}
	return NULL;
}

/* The one suite the client was promised, and nothing it could negotiate away from. */
static enum err set_priority(gnutls_session_t s, const struct dtls_choice *c, const char *cipher)
{
	char text[256];
	const char *kx = "+RSA";
	if (c->kx == SUITE_ECDHE_RSA)
		kx = c->prf_sha384 ? "+ECDHE-RSA:+SHA384" : "+ECDHE-RSA:+SHA256";
	snprintf(text, sizeof text,
		 "NONE:+VERS-DTLS%s:+COMP-NULL:+%s:+%s:%s:+SIGN-ALL:"
		 "%%DISABLE_SAFE_RENEGOTIATION:%%NO_SESSION_HASH",
		 c->version == SUITE_DTLS_0_9 ? "0.9" : "1.2", cipher,
		 c->mac == SUITE_SHA1 ? "SHA1" : "AEAD", kx);
	return gnutls_priority_set_direct(s, text, NULL) < 0 ? ERR_TLS : ERR_OK;
}

enum err legacy_setup(gnutls_session_t s, const struct path_dtls *dtls,
		      gnutls_certificate_credentials_t cert)
{
	const struct dtls_choice *c = &dtls->choice;
	const struct cipher_name *cipher = cipher_find(c->cipher);
	gnutls_datum_t master = { (void *)(uintptr_t)dtls->master, sizeof dtls->master };
	gnutls_datum_t id = { (void *)(uintptr_t)dtls->session_id, sizeof dtls->session_id };
	if (!cipher)
		return ERR_UNSUPPORTED;
	enum err err = set_priority(s, c, cipher->name);
	if (err)
		return err;
	/* Despite its name the function takes the master secret. */
	int ret = gnutls_session_set_premaster(
		s, GNUTLS_SERVER, c->version == SUITE_DTLS_0_9 ? GNUTLS_DTLS0_9 : GNUTLS_DTLS1_2,
		c->kx == SUITE_ECDHE_RSA ? GNUTLS_KX_ECDHE_RSA : GNUTLS_KX_RSA, cipher->id,
		c->mac == SUITE_SHA1 ? GNUTLS_MAC_SHA1 : GNUTLS_MAC_AEAD, GNUTLS_COMP_NULL, &master,
		&id);
	if (ret < 0 || gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, cert) < 0)
		return ERR_TLS;
	gnutls_certificate_server_set_request(s, GNUTLS_CERT_IGNORE);
	return ERR_OK;
}
