/* keys.c - private keys as questions to auth.  The only file that sees gnutls/abstract.h. */
#include "worker/keys.h"

#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/ocsp.h>

#include "base/log.h"

enum { CHAIN_MAX = 16 };

/* What GnuTLS hands back to the callbacks; child of the image. */
struct remote_key {
	struct keys_owner *owner;
	const char *vhost;
	uint32_t index;
	gnutls_pk_algorithm_t pk;
	unsigned bits;
};

static int ask(const struct remote_key *key, SignOp op, unsigned algorithm,
	       const gnutls_datum_t *in, gnutls_datum_t *out)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	Sign msg = SIGN__INIT;
	ProtobufCBinaryData answer = { 0 };
	int ret = GNUTLS_E_INTERNAL_ERROR;

	msg.vhost = (char *)(uintptr_t)key->vhost; /* only read */
	msg.key = key->index;
	msg.op = op;
	msg.algorithm = algorithm;
	msg.data = (ProtobufCBinaryData){ .len = in->size, .data = in->data };
	if (key->owner->sign && key->owner->sign(key->owner->arg, tmp, &msg, &answer) == ERR_OK) {
		out->data = gnutls_malloc(answer.len);
		if (out->data) {
			memcpy(out->data, answer.data, answer.len);
			out->size = (unsigned)answer.len;
			ret = 0;
		}
	} else if (op == SIGN_OP__SIGN_DECRYPT) {
		/* GnuTLS goes on with a random secret then, as RFC 5246 7.4.7.1 wants it. */
		ret = GNUTLS_E_DECRYPTION_FAILED;
	}
	talloc_free(tmp);
	return ret;
}

static int sign_data(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm, void *userdata,
		     unsigned flags, const gnutls_datum_t *data, gnutls_datum_t *signature)
{
	(void)key;
	(void)flags;
	return ask(userdata, SIGN_OP__SIGN_DATA, algorithm, data, signature);
}

static int sign_hash(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm, void *userdata,
		     unsigned flags, const gnutls_datum_t *hash, gnutls_datum_t *signature)
{
	(void)key;
	(void)flags;
	return ask(userdata, SIGN_OP__SIGN_HASH, algorithm, hash, signature);
}

static int decrypt(gnutls_privkey_t key, void *userdata, const gnutls_datum_t *in,
		   gnutls_datum_t *out)
{
	(void)key;
	return ask(userdata, SIGN_OP__SIGN_DECRYPT, 0, in, out);
}

/* What GnuTLS wants to know before it chooses a signature. */
static int info(gnutls_privkey_t privkey, unsigned flags, void *userdata)
{
	const struct remote_key *key = userdata;

	(void)privkey;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return (int)key->pk;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return (int)key->bits;
	if (flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO) {
		gnutls_sign_algorithm_t sign = GNUTLS_FLAGS_TO_SIGN_ALGO(flags);
		return gnutls_sign_supports_pk_algorithm(sign, key->pk) != 0;
	}
	return -1;
}

/* The public key of the leaf says what the private one can do. */
static enum err describe_key(gnutls_pcert_st *leaf, struct remote_key *key)
{
	int pk = gnutls_pubkey_get_pk_algorithm(leaf->pubkey, &key->bits);

	if (pk < 0)
		return ERR_SYNTAX;
	key->pk = (gnutls_pk_algorithm_t)pk;
	return ERR_OK;
}

static enum err set_key(gnutls_certificate_credentials_t cred, gnutls_pcert_st *list, int n,
			struct remote_key *key)
{
	gnutls_privkey_t privkey;

	if (gnutls_privkey_init(&privkey) < 0)
		return ERR_NOMEM;
	if (gnutls_privkey_import_ext4(privkey, key, sign_data, sign_hash, decrypt, NULL, info, 0) <
		    0 ||
	    gnutls_certificate_set_key(cred, NULL, 0, list, n, privkey) < 0) {
		gnutls_privkey_deinit(privkey);
		return ERR_TLS;
	}
	return ERR_OK; /* CRED took LIST's certificates and PRIVKEY */
}

/* Auth has matched it with this certificate; one that has expired meanwhile is not sent. */
static enum err set_staple(gnutls_certificate_credentials_t cred, const struct trust_area *area,
			   const CertChain *chain)
{
	struct der ocsp;
	gnutls_datum_t der;
	enum err err = trust_span(area, chain->ocsp, &ocsp);
	int ret = 0;

	if (err)
		return err;
	der = (gnutls_datum_t){ (uint8_t *)(uintptr_t)ocsp.p, (unsigned)ocsp.len };
	if (ocsp.len)
		ret = gnutls_certificate_set_ocsp_status_request_mem(cred, &der, chain->key,
								     GNUTLS_X509_FMT_DER);
	if (ret < 0)
		log_warn(NULL, "ocsp-response-not-used", kv_str("reason", gnutls_strerror(ret)));
	return ERR_OK;
}

/* Fills LIST with the certificates of ALL; *N is how many are initialized, with an error, too. */
static enum err import_certs(struct der all, gnutls_pcert_st list[CHAIN_MAX], unsigned *n)
{
	enum err err = all.len ? ERR_OK : ERR_SYNTAX;

	while (!err && all.len) {
		struct der_item item;
		gnutls_datum_t der;

		if (*n == CHAIN_MAX || der_next(&all, &item))
			return ERR_SYNTAX;
		der = (gnutls_datum_t){ (uint8_t *)(uintptr_t)item.whole.p,
					(unsigned)item.whole.len };
		if (gnutls_pcert_import_x509_raw(&list[*n], &der, GNUTLS_X509_FMT_DER, 0) < 0)
			return ERR_SYNTAX;
		(*n)++;
	}
	return err;
}

enum err keys_add_chain(TALLOC_CTX *ctx, gnutls_certificate_credentials_t cred,
			const struct trust_area *area, const CertChain *chain, const char *vhost,
			struct keys_owner *owner)
{
	struct remote_key *key = talloc_zero(ctx, struct remote_key);
	gnutls_pcert_st list[CHAIN_MAX];
	struct der certs;
	unsigned n = 0;
	enum err err = key ? trust_span(area, chain->certs, &certs) : ERR_NOMEM;

	if (err)
		return err;
	*key = (struct remote_key){ .owner = owner, .vhost = vhost, .index = chain->key };
	err = import_certs(certs, list, &n);
	if (!err)
		err = describe_key(&list[0], key);
	if (!err)
		err = set_key(cred, list, (int)n, key);
	for (unsigned i = 0; err && i < n; i++)
		gnutls_pcert_deinit(&list[i]);
	return err ? err : set_staple(cred, area, chain);
}
