/* keys.c - the private keys and certificate chains of one host. */
#include "auth/keys.h"

#include <string.h>

#include "auth/chain.h"
#include "auth/dh.h"
#include "auth/privkey.h"
#include "auth/staple.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/url.h"

enum { FILE_LIMIT = 1024 * 1024 /* bytes of a certificate or key file */ };

struct key {
	struct chain chain;
	gnutls_privkey_t priv; /* NULL: a token has it, */
	struct tokens *tokens; /* this one, */
	uint32_t number;       /* under this number */
	struct trust_span certs, ocsp;
};

struct keys {
	struct key *key;
	size_t n;
	struct trust_span dh; /* of no length: none */
};

/* What loading one host has at hand. */
struct load {
	TALLOC_CTX *tmp;
	const struct host_conf *host;
	struct tokens *tokens;
	struct trust *area;
	struct keys_report *report;
	struct privkey_pins pins;
};

/* ---- files ---------------------------------------------------------------- */

/* Wiped when freed; a fault is reported. */
static enum err read_file(const struct load *l, const char *path, gnutls_datum_t *out)
{
	enum err err = material_read(l->tmp, path, FILE_LIMIT, out);

	if (err)
		report_unreadable(l->report, path, err);
	return err;
}

/* The PIN itself, else the first line of the file with it; neither is none. */
static enum err find_pin(const struct load *l, const struct secret *pin, const char *path,
			 const char **out)
{
	gnutls_datum_t file;
	enum err err;

	if (pin)
		*out = secret_text(pin);
	if (pin || !path)
		return ERR_OK;
	err = read_file(l, path, &file);
	if (err)
		return err;
	file.data[strcspn((char *)file.data, "\r\n")] = '\0';
	*out = (const char *)file.data;
	return ERR_OK;
}

static enum err find_pins(struct load *l)
{
	enum err err = find_pin(l, l->host->key_pin, l->host->pin_file, &l->pins.key);
	enum err err_srk = find_pin(l, l->host->srk_pin, l->host->srk_pin_file, &l->pins.srk);

	return err ? err : err_srk;
}

/* ---- one key -------------------------------------------------------------- */

/* Names go to the log and the terminal, a PIN in one does not. */
static enum err cannot_load(const struct load *l, const char *what, const char *name,
			    const char *why)
{
	char *shown = url_printable(l->tmp, name);

	report_fault(l->report, "error loading the %s '%s': %s", what, shown ? shown : "", why);
	return ERR_CONF;
}

static enum err bad_cert(const struct load *l, const char *name, const char *why)
{
	return cannot_load(l, "certificate", name, why);
}

static enum err bad_key(const struct load *l, const char *name, const char *why)
{
	return cannot_load(l, "private key", name, why);
}

static enum err load_chain(const struct load *l, const char *name, struct key *k)
{
	const char *why = "";
	gnutls_datum_t file;

	if (read_file(l, name, &file))
		return ERR_CONF;
	return chain_from_pem(&file, &k->chain, &why) ? bad_cert(l, name, why) : ERR_OK;
}

static const char *token_fault(enum err err)
{
	switch (err) {
	case ERR_TIMEOUT:
		return "its token does not answer";
	case ERR_CLOSED:
		return "the module of its token crashed";
	case ERR_DENIED:
		return "not tried, because a token refused its PIN and might be locked";
	default:
		return err_text(err);
	}
}

/* What the token has, as far as each of CERT and KEY is on one. */
static enum err load_token(const struct load *l, const char *cert, const char *key, struct key *k,
			   uint8_t id[KEY_ID], bool *has_id)
{
	const TokenOpened *got = NULL;
	const char *why = "";
	enum err err = tokens_open(l->tmp, l->tokens, cert, key, &l->pins, &got, &k->number);

	if (err || !got->ok)
		l->report->away = true;
	if (!err && got->pin_refused)
		l->report->pin_refused = true;
	if (err)
		return key ? bad_key(l, key, token_fault(err))
			   : bad_cert(l, cert, token_fault(err));
	if (key && *got->key_fault)
		err = bad_key(l, key, got->key_fault);
	if (cert && *got->cert_fault)
		err = bad_cert(l, cert, got->cert_fault);
	if (err || !got->ok)
		return ERR_CONF;
	if (cert && chain_from_der(got->der, got->n_der, &k->chain, &why))
		return bad_cert(l, cert, why);
	*has_id = key && got->key_id.len == KEY_ID;
	if (*has_id)
		memcpy(id, got->key_id.data, KEY_ID);
	k->tokens = key ? l->tokens : NULL;
	return ERR_OK;
}

static enum err load_private(const struct load *l, const char *name, const gnutls_datum_t *file,
			     struct key *k, uint8_t id[KEY_ID], bool *has_id)
{
	struct privkey_asked asked = { &l->pins, false };
	struct privkey_fault fault = { NULL, false };
	enum err err = privkey_load(l->tmp, name, file, &asked, &k->priv, &fault);

	if (err)
		return bad_key(l, name, fault.text ? fault.text : err_text(err));
	*has_id = !privkey_id(k->priv, id);
	return ERR_OK;
}

/* Some tokens do not give the public half away; then only use shows whether the two belong
 * together. */
static enum err check_pair(const struct load *l, const char *cert, const char *key,
			   const struct key *k, const uint8_t id[KEY_ID])
{
	uint8_t of_cert[KEY_ID];
	char *shown_key = url_printable(l->tmp, key), *shown_cert = url_printable(l->tmp, cert);

	if (chain_key_id(&k->chain, of_cert) || memcmp(id, of_cert, KEY_ID) == 0)
		return ERR_OK;
	report_fault(l->report, "the private key '%s' does not belong to the certificate '%s'",
		     shown_key ? shown_key : "", shown_cert ? shown_cert : "");
	return ERR_CONF;
}

static void keep_first(enum err *first, enum err err)
{
	if (!*first)
		*first = err;
}

static enum err load_one(const struct load *l, size_t i, struct key *k)
{
	const char *cert = l->host->server_cert.item[i], *key = l->host->server_key.item[i];
	bool cert_url = privkey_is_foreign(cert, NULL), key_url = privkey_is_foreign(key, NULL);
	gnutls_datum_t file = { NULL, 0 };
	uint8_t id[KEY_ID];
	bool has_id = false;
	enum err err = cert_url ? ERR_OK : load_chain(l, cert, k);

	if (!key_url && read_file(l, key, &file))
		return ERR_CONF;
	if (!key_url && !privkey_is_foreign(key, &file))
		keep_first(&err, load_private(l, key, &file, k, id, &has_id));
	else
		key_url = true;
	if (cert_url || key_url)
		keep_first(&err, load_token(l, cert_url ? cert : NULL, key_url ? key : NULL, k, id,
					    &has_id));
	if (err)
		return err;
	chain_look_over(&k->chain, url_printable(l->tmp, cert), l->report);
	return has_id ? check_pair(l, cert, key, k, id) : ERR_OK;
}

/* ---- the set -------------------------------------------------------------- */

static int keys_destroy(struct keys *k)
{
	for (size_t i = 0; i < k->n; i++) {
		if (k->key[i].priv)
			gnutls_privkey_deinit(k->key[i].priv);
		chain_free(&k->key[i].chain);
	}
	return 0;
}

/* A host can do without: its faults are only told. */
static enum err load_staple(const struct load *l, struct keys *k)
{
	struct staple *staple;
	bool about = false;
	enum err err = ERR_OK;

	if (!l->host->ocsp_response ||
	    staple_load(l->tmp, l->host->ocsp_response, l->report, &staple))
		return ERR_OK;
	for (size_t i = 0; !err && i < k->n; i++) {
		const gnutls_datum_t *der = staple_for(staple, &k->key[i].chain, l->report, &about);

		if (der)
			err = trust_put(l->area, der->data, der->size, &k->key[i].ocsp);
	}
	if (!about)
		report_caution(l->report,
			       "the OCSP response '%s' is about none of the certificates beside "
			       "it; it is not used",
			       l->host->ocsp_response);
	return err;
}

static enum err load_dh(const struct load *l, struct keys *k)
{
	gnutls_datum_t der;
	enum err err;

	if (!l->host->dh_params)
		return ERR_OK;
	err = dh_load(l->tmp, l->host->dh_params, l->report, &der);
	return err ? err : trust_put(l->area, der.data, der.size, &k->dh);
}

/* Workers get certificates in DER, so that they need no PEM parser for what we have checked. */
static enum err put_certs(const struct load *l, struct key *k)
{
	ProtobufCBinaryData *der;
	struct trust_span one;
	size_t n;
	enum err err = chain_to_der(l->tmp, &k->chain, &der, &n);

	for (size_t i = 0; !err && i < n; i++) {
		err = trust_put(l->area, der[i].data, der[i].len, &one);
		if (!err && i == 0)
			k->certs.at = one.at;
		k->certs.len += err ? 0 : one.len;
	}
	return err;
}

static enum err load_all(struct load *l, struct keys *k)
{
	enum err err = find_pins(l);

	keep_first(&err, load_dh(l, k));
	for (size_t i = 0; i < k->n; i++)
		keep_first(&err, load_one(l, i, &k->key[i]));
	for (size_t i = 0; !err && i < k->n; i++)
		err = put_certs(l, &k->key[i]);
	return err ? err : load_staple(l, k);
}

enum err keys_load(TALLOC_CTX *ctx, const struct host_conf *host, struct tokens *tokens,
		   struct trust *area, struct keys_report *report, struct keys **out)
{
	struct load l = { .host = host, .tokens = tokens, .area = area, .report = report };
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

enum err keys_check_priorities(const struct host_conf *host, struct keys_report *report)
{
	const struct conf_row *row = host->origin[CONF_OPT_tls_priorities];
	gnutls_priority_t priorities;
	const char *at = "";

	if (gnutls_priority_init(&priorities, host->tls_priorities, &at) < 0) {
		report_fault(report, "%s:%u: tls-priorities: GnuTLS does not know '%s'",
			     row ? row->file : "", row ? row->line : 0, at);
		return ERR_CONF;
	}
	gnutls_priority_deinit(priorities);
	return ERR_OK;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_list(const struct strv *a, const struct strv *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = strcmp(a->item[i], b->item[i]) == 0;
	return same;
}

static bool same_secret(const struct secret *a, const struct secret *b)
{
	return a && b ? strcmp(secret_text(a), secret_text(b)) == 0 : a == b;
}

bool keys_are_same(const struct host_conf *a, const struct host_conf *b)
{
	return same_list(&a->server_cert, &b->server_cert) &&
	       same_list(&a->server_key, &b->server_key) && same_secret(a->key_pin, b->key_pin) &&
	       same_secret(a->srk_pin, b->srk_pin) && same_text(a->pin_file, b->pin_file) &&
	       same_text(a->srk_pin_file, b->srk_pin_file) &&
	       same_text(a->ocsp_response, b->ocsp_response) &&
	       same_text(a->dh_params, b->dh_params);
}

void keys_check_names(const struct keys *k, const char *vhost, struct keys_report *report)
{
	for (size_t i = 0; i < k->n; i++)
		chain_check_name(&k->key[i].chain, vhost, report);
}

size_t keys_count(const struct keys *k)
{
	return k->n;
}

enum err keys_describe(TALLOC_CTX *ctx, const struct keys *k, const char *vhost, ServerKeys *msg)
{
	ServerKey **all = talloc_realloc(ctx, msg->key, ServerKey *, (unsigned)(msg->n_key + k->n));

	if (!all && k->n)
		return ERR_NOMEM;
	msg->key = all;
	for (size_t i = 0; i < k->n; i++) {
		ServerKey *key = chain_describe(ctx, &k->key[i].chain, vhost);

		if (!key)
			return ERR_NOMEM;
		msg->key[msg->n_key++] = key;
	}
	return ERR_OK;
}

/* ---- for the workers ------------------------------------------------------ */

static enum err put_chain(TALLOC_CTX *ctx, const struct key *k, uint32_t index, CertChain **out)
{
	CertChain *chain = talloc(ctx, CertChain);

	if (!chain)
		return ERR_NOMEM;
	cert_chain__init(chain);
	chain->key = index;
	chain->certs = trust_span_msg(ctx, &k->certs);
	chain->ocsp = trust_span_msg(ctx, &k->ocsp);
	*out = chain;
	return chain->certs && chain->ocsp ? ERR_OK : ERR_NOMEM;
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
	msg->dh = trust_span_msg(ctx, &k->dh);
	if (!msg->vhost || !msg->chain || !msg->dh)
		return ERR_NOMEM;
	for (; !err && msg->n_chain < k->n; msg->n_chain++)
		err = put_chain(ctx, &k->key[msg->n_chain], (uint32_t)msg->n_chain,
				&msg->chain[msg->n_chain]);
	if (!err)
		*out = msg;
	return err;
}

enum err keys_sign(TALLOC_CTX *owner, const struct keys *k, const Sign *msg, keys_done_fn *done,
		   void *arg)
{
	const struct key *key = msg->key < k->n ? &k->key[msg->key] : NULL;
	struct token_job *job;
	uint8_t *data = NULL;
	size_t len = 0;
	int why;
	enum err err;

	if (!key)
		return ERR_RANGE;
	if (key->tokens)
		return tokens_sign(owner, key->tokens, key->number, msg, done, arg, &job);
	err = privkey_use(owner, key->priv, msg, &data, &len, &why);
	if (!err)
		done(arg, ERR_OK, data, len);
	return err;
}
