/* privkey.c - loads a private key, and signs with it. */
#include "auth/privkey.h"

#include <string.h>
#include <strings.h>

#include <gnutls/tpm.h>
#include <gnutls/urls.h>

#include "auth/material.h"
#include "base/secret.h"

enum {
	SIGN_MAX = 16384, /* bytes; what TLS signs is a few hundred */
	PREMASTER = 48,	  /* RFC 5246 7.4.7.1 */
};

/* ---- what it is ---- */

static bool has(const gnutls_datum_t *file, const char *text)
{
	return memmem(file->data, file->size, text, strlen(text)) != NULL;
}

/* Not gnutls_url_is_supported(): without support it is still no file. */
static bool is_tpm_url(const char *name)
{
	return str_starts_nocase(name, "tpmkey:");
}

/* TPM 2.0 keys are files that only the TPM which made them can read; "TSS KEY BLOB" is 1.2's. */
static bool is_tpm_file(const gnutls_datum_t *file)
{
	return has(file, "-----BEGIN TSS");
}

bool privkey_is_foreign(const char *name, const gnutls_datum_t *file)
{
	return gnutls_url_is_supported(name) || is_tpm_url(name) || (file && is_tpm_file(file));
}

/* PKCS#8, and RFC 1421's header in the traditional form. */
static bool is_encrypted(const gnutls_datum_t *file)
{
	return has(file, "-----BEGIN ENCRYPTED PRIVATE KEY") || has(file, "Proc-Type: 4,ENCRYPTED");
}

/* ---- loading ---- */

int privkey_give_pin(void *arg, int attempt, const char *url, const char *label, unsigned flags,
		     char *pin, size_t cap)
{
	struct privkey_asked *asked = arg;
	const char *key = asked->pins->key;

	(void)url;
	(void)label;
	asked->without = asked->without || !key;
	/* Trying a wrong PIN again could lock the token. */
	if (!key || attempt > 0 || (flags & GNUTLS_PIN_WRONG) || strlen(key) >= cap)
		return -1;
	str_copy(pin, cap, key);
	return 0;
}

static const char no_tpm[] = "it is a key of a TPM, and this GnuTLS was built without TPM support";

/* An error of GnuTLS in words that tell what to do. */
static const char *reason(int ret, const struct privkey_asked *asked, bool tpm,
			  const gnutls_datum_t *file)
{
	bool cut = file && !material_is_whole(file), locked = file && is_encrypted(file);

	if (tpm &&
	    (ret == GNUTLS_E_UNIMPLEMENTED_FEATURE || ret == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE))
		return no_tpm;
	if (cut)
		return "the file breaks off in the middle of the key";
	if (locked && !asked->pins->key)
		return "it is encrypted; write its passphrase to key-pin or pin-file";
	if (locked)
		return "the passphrase of key-pin or pin-file does not open it";
	switch (ret) {
	case GNUTLS_E_PKCS11_PIN_ERROR:
		return asked->without ? "its token wants a PIN; write it to key-pin or pin-file"
				      : "its token refuses the PIN";
	case GNUTLS_E_PKCS11_PIN_LOCKED:
		return "the PIN of its token is locked";
	case GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE:
		return "no token has such a private key";
	default:
		return gnutls_strerror(ret);
	}
}

static int import_file(gnutls_privkey_t priv, const gnutls_datum_t *file, const char *pin)
{
	if (!material_is_whole(file))
		return GNUTLS_E_PARSING_ERROR;
	/* The PIN beside an unencrypted file is another key's. */
	return gnutls_privkey_import_x509_raw(priv, file, GNUTLS_X509_FMT_PEM,
					      is_encrypted(file) || is_tpm_file(file) ? pin : NULL,
					      0);
}

enum err privkey_load(TALLOC_CTX *ctx, const char *name, const gnutls_datum_t *file,
		      struct privkey_asked *asked, gnutls_privkey_t *out,
		      struct privkey_fault *fault)
{
	bool tpm = is_tpm_url(name) || (file && is_tpm_file(file));
	gnutls_privkey_t priv;
	int ret = gnutls_privkey_init(&priv);

	if (ret < 0)
		return ERR_NOMEM;
	gnutls_privkey_set_pin_function(priv, privkey_give_pin, asked);
	if (file)
		ret = import_file(priv, file, asked->pins->key);
	else if (is_tpm_url(name))
		ret = gnutls_privkey_import_tpm_url(priv, name, asked->pins->srk, asked->pins->key,
						    0);
	else
		ret = gnutls_privkey_import_url(priv, name, 0);
	if (ret >= 0) {
		*out = priv;
		return ERR_OK;
	}
	gnutls_privkey_deinit(priv);
	fault->pin_refused = ret == GNUTLS_E_PKCS11_PIN_ERROR || ret == GNUTLS_E_PKCS11_PIN_LOCKED;
	fault->text = talloc_strdup(ctx, reason(ret, asked, tpm, file));
	return fault->text ? ERR_CONF : ERR_NOMEM;
}

/* ---- use ---- */

enum err privkey_id(gnutls_privkey_t priv, uint8_t id[KEY_ID])
{
	gnutls_pubkey_t pub;
	size_t len = KEY_ID;
	enum err err = ERR_OK;

	if (gnutls_pubkey_init(&pub) < 0)
		return ERR_NOMEM;
	if (gnutls_pubkey_import_privkey(pub, priv, 0, 0) < 0 ||
	    gnutls_pubkey_get_key_id(pub, GNUTLS_KEYID_USE_SHA256, id, &len) < 0)
		err = ERR_TLS;
	gnutls_pubkey_deinit(pub);
	return err;
}

static int sign(gnutls_privkey_t priv, const Sign *msg, const gnutls_datum_t *in,
		gnutls_datum_t *out)
{
	gnutls_sign_algorithm_t algorithm = (gnutls_sign_algorithm_t)msg->algorithm;
	unsigned flags = 0;

	if (msg->op == SIGN_OP__SIGN_DATA)
		return gnutls_privkey_sign_data2(priv, algorithm, 0, in, out);
	/* TLS before 1.2 signs MD5 and SHA-1 together, which has no algorithm of its own. */
	if (algorithm == GNUTLS_SIGN_RSA_RAW)
		flags = GNUTLS_PRIVKEY_SIGN_FLAG_TLS1_RSA;
	return gnutls_privkey_sign_hash2(priv, algorithm, flags, in, out);
}

/* RFC 5246 7.4.7.1: a bad ciphertext must look like a good one, here too; the random secret then
 * makes the handshake fail at its Finished. */
static enum err decrypt(TALLOC_CTX *ctx, gnutls_privkey_t priv, const gnutls_datum_t *in,
			uint8_t **out, size_t *len)
{
	uint8_t *secret = talloc_size(ctx, PREMASTER);

	if (!secret)
		return ERR_NOMEM;
	secret_mark(secret);
	secret_random(secret, PREMASTER);
	(void)gnutls_privkey_decrypt_data2(priv, 0, in, secret, PREMASTER);
	*out = secret;
	*len = PREMASTER;
	return ERR_OK;
}

enum err privkey_use(TALLOC_CTX *ctx, gnutls_privkey_t priv, const Sign *msg, uint8_t **out,
		     size_t *len, int *why)
{
	gnutls_datum_t in = { msg->data.data, (unsigned)msg->data.len };
	gnutls_datum_t signature = { NULL, 0 };

	*why = 0;
	if (msg->data.len > SIGN_MAX)
		return ERR_DENIED;
	if (msg->op == SIGN_OP__SIGN_DECRYPT)
		return decrypt(ctx, priv, &in, out, len);
	*why = sign(priv, msg, &in, &signature);
	if (*why < 0)
		return ERR_TLS;
	*out = talloc_memdup(ctx, signature.data, signature.size);
	*len = signature.size;
	gnutls_free(signature.data);
	return *out ? ERR_OK : ERR_NOMEM;
}
