/* keys.c - loads private keys and certificate chains, and signs with them.  The only file of auth
 * that sees gnutls/abstract.h. */
#include "auth/keys.h"

#include <string.h>
#include <strings.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/urls.h>
#include <gnutls/x509.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"

enum {
	FILE_MAX = 1024 * 1024, /* of a certificate or key file */
	KEY_ID = 32,		/* SHA-256 of a public key */
	SIGN_MAX = 16384,	/* bytes; what TLS signs is a few hundred */
	PREMASTER = 48,		/* RFC 5246 7.4.7.1 */
};

struct key {
	gnutls_privkey_t priv;
	gnutls_x509_crt_t *cert; /* the chain, leaf first */
	unsigned n_cert;
};

struct keys {
	struct key *key;
	size_t n;
};

/* What loading one host has at hand. */
struct load {
	TALLOC_CTX *tmp;
	const struct host_conf *host;
	struct keys_report *report;
	const char *pin; /* NULL: none configured */
};

/* ---- files ---------------------------------------------------------------- */

static bool is_url(const char *name)
{
	return gnutls_url_is_supported(name) != 0;
}

/* Wiped when freed; a fault is reported. */
static enum err read_file(const struct load *l, const char *path, gnutls_datum_t *out)
{
	enum err err = material_read(l->tmp, path, FILE_MAX, out);

	if (err)
		report_fault(l->report, "cannot open file '%s'", path);
	return err;
}

/* The PIN itself, else the first line of the file with it. */
static enum err find_pin(struct load *l)
{
	gnutls_datum_t file;
	enum err err;

	if (l->host->key_pin) {
		l->pin = secret_text(l->host->key_pin);
		return ERR_OK;
	}
	if (!l->host->pin_file)
		return ERR_OK;
	err = read_file(l, l->host->pin_file, &file);
	if (err)
		return err;
	file.data[strcspn((char *)file.data, "\r\n")] = '\0';
	l->pin = (const char *)file.data;
	return ERR_OK;
}

/* ---- certificates --------------------------------------------------------- */

/* Clients have the root already, and all of them must read what we send. */
static void drop_root(struct key *k)
{
	gnutls_x509_crt_t last = k->cert[k->n_cert - 1];

	if (k->n_cert < 2 || !gnutls_x509_crt_check_issuer(last, last))
		return;
	gnutls_x509_crt_deinit(last);
	k->n_cert--;
}

static enum err load_chain(const struct load *l, const char *name, struct key *k)
{
	gnutls_datum_t file;
	int ret;

	if (is_url(name)) {
		ret = gnutls_x509_crt_list_import_url(&k->cert, &k->n_cert, name, NULL, NULL, 0);
	} else {
		if (read_file(l, name, &file))
			return ERR_CONF;
		ret = gnutls_x509_crt_list_import2(&k->cert, &k->n_cert, &file, GNUTLS_X509_FMT_PEM,
						   GNUTLS_X509_CRT_LIST_SORT);
	}
	if (ret < 0 || !k->n_cert) {
		report_fault(l->report, "error loading the certificate '%s': %s", name,
			     gnutls_strerror(ret < 0 ? ret : GNUTLS_E_NO_CERTIFICATE_FOUND));
		return ERR_CONF;
	}
	drop_root(k);
	return ERR_OK;
}

/* What is legal but seldom meant (end of config.md 8.3). */
static void look_over(const struct load *l, const char *name, gnutls_x509_crt_t leaf)
{
	int64_t now = clock_unix();
	unsigned usage = 0;

	if (gnutls_x509_crt_get_expiration_time(leaf) < now)
		report_caution(l->report, "the certificate '%s' has expired", name);
	if (gnutls_x509_crt_get_activation_time(leaf) > now)
		report_caution(l->report, "the certificate '%s' is not yet valid", name);
	if (gnutls_x509_crt_get_pk_algorithm(leaf, NULL) == GNUTLS_PK_RSA &&
	    gnutls_x509_crt_get_key_usage(leaf, &usage, NULL) >= 0 &&
	    !(usage & GNUTLS_KEY_KEY_ENCIPHERMENT))
		report_caution(
			l->report,
			"the key usage of the certificate '%s' lacks key encipherment; clients "
			"that need RSA key transport cannot connect",
			name);
	if (strcasecmp(l->host->name, "default") != 0 &&
	    !gnutls_x509_crt_check_hostname(leaf, l->host->name))
		report_caution(l->report, "The DN certificate's name doesn't match for vhost %s",
			       l->host->name);
}

/* ---- private keys --------------------------------------------------------- */

static int give_pin(void *arg, int attempt, const char *url, const char *label, unsigned flags,
		    char *pin, size_t cap)
{
	const struct load *l = arg;

	(void)url;
	(void)label;
	/* Trying a wrong PIN again could lock the token. */
	if (!l->pin || attempt > 0 || (flags & GNUTLS_PIN_WRONG) || strlen(l->pin) >= cap)
		return -1;
	str_copy(pin, cap, l->pin);
	return 0;
}

static int import_file(const struct load *l, gnutls_privkey_t priv, const gnutls_datum_t *file)
{
	int ret = gnutls_privkey_import_x509_raw(priv, file, GNUTLS_X509_FMT_PEM, l->pin, 0);

	/* An unencrypted file beside a token's PIN. */
	if (ret < 0 && l->pin)
		ret = gnutls_privkey_import_x509_raw(priv, file, GNUTLS_X509_FMT_PEM, NULL, 0);
	return ret;
}

/* One private key; a wrong or missing PIN is told apart, because it is the usual mistake. */
static enum err load_private(struct load *l, const char *name, struct key *k)
{
	gnutls_datum_t file;
	int ret = gnutls_privkey_init(&k->priv);

	if (ret < 0)
		return ERR_NOMEM;
	if (is_url(name)) {
		gnutls_privkey_set_pin_function(k->priv, give_pin, l);
		ret = gnutls_privkey_import_url(k->priv, name, 0);
	} else {
		if (read_file(l, name, &file))
			return ERR_CONF;
		ret = import_file(l, k->priv, &file);
	}
	if (ret >= 0)
		return ERR_OK;
	if (!l->pin && (ret == GNUTLS_E_DECRYPTION_FAILED || ret == GNUTLS_E_PK_INVALID_PRIVKEY))
		report_fault(
			l->report,
			"error loading the private key '%s': %s (key-pin or pin-file missing?)",
			name, gnutls_strerror(ret));
	else
		report_fault(l->report, "error loading the private key '%s': %s", name,
			     gnutls_strerror(ret));
	return ERR_CONF;
}

static enum err public_id(gnutls_privkey_t priv, uint8_t id[KEY_ID])
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

static enum err cert_id(gnutls_x509_crt_t cert, uint8_t id[KEY_ID])
{
	size_t len = KEY_ID;

	return gnutls_x509_crt_get_key_id(cert, GNUTLS_KEYID_USE_SHA256, id, &len) < 0 ? ERR_TLS
										       : ERR_OK;
}

/* Some tokens do not give the public half away; then only use shows whether the two belong
 * together. */
static enum err check_pair(const struct load *l, size_t i, const struct key *k)
{
	uint8_t of_key[KEY_ID], of_cert[KEY_ID];

	if (public_id(k->priv, of_key) || cert_id(k->cert[0], of_cert) ||
	    memcmp(of_key, of_cert, KEY_ID) == 0)
		return ERR_OK;
	report_fault(l->report, "the private key '%s' does not belong to the certificate '%s'",
		     l->host->server_key.item[i], l->host->server_cert.item[i]);
	return ERR_CONF;
}

/* ---- the set -------------------------------------------------------------- */

static int keys_destroy(struct keys *k)
{
	for (size_t i = 0; i < k->n; i++) {
		if (k->key[i].priv)
			gnutls_privkey_deinit(k->key[i].priv);
		for (unsigned c = 0; c < k->key[i].n_cert; c++)
			gnutls_x509_crt_deinit(k->key[i].cert[c]);
		gnutls_free(k->key[i].cert);
	}
	return 0;
}

static enum err load_one(struct load *l, size_t i, struct key *k)
{
	const char *cert = l->host->server_cert.item[i];
	enum err err = load_chain(l, cert, k);
	enum err err_key = load_private(l, l->host->server_key.item[i], k);

	if (!err)
		look_over(l, cert, k->cert[0]);
	if (err || err_key)
		return err ? err : err_key;
	return check_pair(l, i, k);
}

/* Workers use the string, but a worker cannot refuse a file (config.md 8.3: unparsable is fatal).
 */
static enum err check_priorities(const struct load *l)
{
	const struct conf_row *row = l->host->origin[CONF_OPT_tls_priorities];
	gnutls_priority_t priorities;
	const char *at = "";

	if (gnutls_priority_init(&priorities, l->host->tls_priorities, &at) < 0) {
		report_fault(l->report, "%s:%u: tls-priorities: GnuTLS does not know '%s'",
			     row ? row->file : "", row ? row->line : 0, at);
		return ERR_CONF;
	}
	gnutls_priority_deinit(priorities);
	return ERR_OK;
}

static enum err load_all(struct load *l, struct keys *k)
{
	enum err first = find_pin(l), err = check_priorities(l);

	if (!first)
		first = err;

	for (size_t i = 0; i < k->n; i++) {
		err = load_one(l, i, &k->key[i]);
		if (!first)
			first = err;
	}
	return first;
}

enum err keys_load(TALLOC_CTX *ctx, const struct host_conf *host, struct keys_report *report,
		   struct keys **out)
{
	struct load l = { .host = host, .report = report };
	struct keys *k = talloc_zero(ctx, struct keys);
	enum err err;

	if (!k)
		return ERR_NOMEM;
	l.tmp = talloc_new(k);
	if (!host->server_cert.n || !host->server_key.n)
		report_fault(
			l.report,
			"the 'server-cert' and 'server-key' configuration options must be specified!");
	else if (host->server_cert.n != host->server_key.n)
		report_fault(l.report,
			     "the specified number of keys doesn't match the certificates");
	else
		k->n = host->server_key.n;
	k->key = talloc_zero_array(k, struct key, (unsigned)k->n);
	if (k->key)
		talloc_set_destructor(k, keys_destroy);
	err = !k->key ? ERR_NOMEM : !k->n ? ERR_CONF : load_all(&l, k);
	talloc_free(l.tmp);
	if (err)
		talloc_free(k);
	else
		*out = k;
	return err;
}

size_t keys_count(const struct keys *k)
{
	return k->n;
}

void keys_log(const struct keys *k, const char *vhost)
{
	struct log_ctx log = { .vhost = vhost };

	for (size_t i = 0; i < k->n; i++) {
		uint8_t id[KEY_ID];
		char *pin = NULL;

		if (!cert_id(k->key[i].cert[0], id))
			pin = base64_encode(NULL, id, sizeof id);
		if (pin)
			log_info(&log, "key-loaded", kv_str("pin-sha256", pin));
		talloc_free(pin);
	}
}

/* ---- for the workers ------------------------------------------------------ */

/* Workers get certificates in DER, so that they need no PEM parser for what we have checked. */
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

static enum err put_chain(TALLOC_CTX *ctx, const struct key *k, uint32_t index, CertChain **out)
{
	CertChain *chain = talloc(ctx, CertChain);
	enum err err = ERR_OK;

	if (!chain)
		return ERR_NOMEM;
	cert_chain__init(chain);
	chain->key = index;
	chain->der = talloc_array(ctx, ProtobufCBinaryData, k->n_cert);
	if (!chain->der)
		return ERR_NOMEM;
	for (; !err && chain->n_der < k->n_cert; chain->n_der++)
		err = put_cert(ctx, k->cert[chain->n_der], &chain->der[chain->n_der]);
	*out = chain;
	return err;
}

enum err keys_chains(TALLOC_CTX *ctx, const struct keys *k, const char *vhost, HostCerts **out)
{
	HostCerts *msg = talloc(ctx, HostCerts);
	enum err err = ERR_OK;

	if (!msg)
		return ERR_NOMEM;
	host_certs__init(msg);
	msg->vhost = talloc_strdup(ctx, vhost);
	msg->chain = talloc_array(ctx, CertChain *, (unsigned)k->n);
	if (!msg->vhost || !msg->chain)
		return ERR_NOMEM;
	for (; !err && msg->n_chain < k->n; msg->n_chain++)
		err = put_chain(ctx, &k->key[msg->n_chain], (uint32_t)msg->n_chain,
				&msg->chain[msg->n_chain]);
	if (!err)
		*out = msg;
	return err;
}

static int sign(const struct key *k, const Sign *msg, const gnutls_datum_t *in, gnutls_datum_t *out)
{
	gnutls_sign_algorithm_t algorithm = (gnutls_sign_algorithm_t)msg->algorithm;
	unsigned flags = 0;

	if (msg->op == SIGN_OP__SIGN_DATA)
		return gnutls_privkey_sign_data2(k->priv, algorithm, 0, in, out);
	/* TLS before 1.2 signs MD5 and SHA-1 together, which has no algorithm of its own. */
	if (algorithm == GNUTLS_SIGN_RSA_RAW)
		flags = GNUTLS_PRIVKEY_SIGN_FLAG_TLS1_RSA;
	return gnutls_privkey_sign_hash2(k->priv, algorithm, flags, in, out);
}

/* RFC 5246 7.4.7.1: a bad ciphertext must look like a good one, here too; the random secret then
 * makes the handshake fail at its Finished. */
static enum err decrypt(TALLOC_CTX *ctx, const struct key *k, const gnutls_datum_t *in,
			uint8_t **out, size_t *len)
{
	uint8_t *secret = talloc_size(ctx, PREMASTER);

	if (!secret)
		return ERR_NOMEM;
	secret_mark(secret);
	secret_random(secret, PREMASTER);
	(void)gnutls_privkey_decrypt_data2(k->priv, 0, in, secret, PREMASTER);
	*out = secret;
	*len = PREMASTER;
	return ERR_OK;
}

enum err keys_sign(TALLOC_CTX *ctx, const struct keys *k, const Sign *msg, uint8_t **out,
		   size_t *len)
{
	gnutls_datum_t in = { msg->data.data, (unsigned)msg->data.len };
	gnutls_datum_t signature = { NULL, 0 };
	const struct key *key;
	enum err err = ERR_OK;

	if (msg->key >= k->n)
		return ERR_RANGE;
	if (msg->data.len > SIGN_MAX)
		return ERR_DENIED;
	key = &k->key[msg->key];
	if (msg->op == SIGN_OP__SIGN_DECRYPT)
		return decrypt(ctx, key, &in, out, len);
	if (sign(key, msg, &in, &signature) < 0)
		return ERR_TLS;
	*out = talloc_memdup(ctx, signature.data, signature.size);
	*len = signature.size;
	if (!*out)
		err = ERR_NOMEM;
	gnutls_free(signature.data);
	return err;
}
