/* resume_keys.c - derives keys of TLS session tickets. */
#include "auth/resume_keys.h"

#include <string.h>

#include <gnutls/crypto.h>

#include "base/bytes.h"
#include "base/secret.h"

enum {
	SECRET = 64, /* bytes: as much as the hash gives */
	STEP = 3,    /* lifetimes; how often GnuTLS changes what it makes of a key */
};

/* What one secret is good for began at SINCE. */
struct resume_keys {
	uint64_t period_ms, since;
	uint8_t now[SECRET], before[SECRET];
};

enum err resume_keys_new(TALLOC_CTX *ctx, uint32_t period, uint64_t now, struct resume_keys **out)
{
	struct resume_keys *k = talloc_zero(ctx, struct resume_keys);

	if (!k)
		return ERR_NOMEM;
	secret_mark(k);
	k->period_ms = UINT64_C(1000) * period;
	k->since = now;
	/* Nothing was sealed with the older one; it must not be one that anybody knows. */
	secret_random(k->now, sizeof k->now);
	secret_random(k->before, sizeof k->before);
	*out = k;
	return ERR_OK;
}

void resume_keys_rotate(struct resume_keys *k, uint64_t now)
{
	for (int i = 0; i < 2 && now - k->since >= k->period_ms; i++) {
		memcpy(k->before, k->now, sizeof k->before);
		secret_random(k->now, sizeof k->now);
		k->since += k->period_ms;
	}
	/* Nobody looked for longer than two periods. */
	if (now - k->since >= k->period_ms)
		k->since = now;
}

static int hash_scope(gnutls_hmac_hd_t h, const struct resume_scope *scope)
{
	static const char label[] = "sallyport TLS session ticket";
	uint8_t chain[4];
	int ret = gnutls_hmac(h, label, sizeof label);

	put_be32(chain, scope->chain);
	/* The NUL ends the only part without a fixed length but for the address, which is last. */
	if (ret >= 0)
		ret = gnutls_hmac(h, scope->vhost, strlen(scope->vhost) + 1);
	if (ret >= 0)
		ret = gnutls_hmac(h, chain, sizeof chain);
	if (ret >= 0)
		ret = gnutls_hmac(h, scope->client.bytes, addr_len(&scope->client));
	return ret;
}

static enum err derive(const uint8_t secret[SECRET], const struct resume_scope *scope,
		       uint8_t out[RESUME_KEY])
{
	gnutls_hmac_hd_t h;
	uint8_t key[RESUME_KEY];
	int ret;

	if (!addr_len(&scope->client))
		return ERR_NOT_FOUND;
	if (gnutls_hmac_init(&h, GNUTLS_MAC_SHA512, secret, SECRET) < 0)
		return ERR_TLS;
	ret = hash_scope(h, scope);
	gnutls_hmac_deinit(h, key);
	if (ret >= 0)
		memcpy(out, key, sizeof key);
	secret_wipe(key, sizeof key);
	return ret < 0 ? ERR_TLS : ERR_OK;
}

enum err resume_key(const struct resume_keys *k, const struct resume_scope *scope,
		    uint8_t out[RESUME_KEY])
{
	return derive(k->now, scope, out);
}

/* The name of tickets sealed in time step T with KEY.  How GnuTLS makes it is documented nowhere;
 * should it change, tickets are not found and clients do full handshakes. */
static bool names(const uint8_t key[RESUME_KEY], uint64_t t, const uint8_t name[RESUME_NAME])
{
	uint8_t in[8 + RESUME_KEY], out[64];
	bool same = false;

	for (size_t i = 0; i < 8; i++)
		in[i] = (uint8_t)(t >> (56 - 8 * i));
	memcpy(in + 8, key, RESUME_KEY);
	if (gnutls_hash_fast(GNUTLS_DIG_SHA3_512, in, sizeof in, out) >= 0)
		same = secret_equal(out, name, RESUME_NAME);
	secret_wipe(in, sizeof in);
	secret_wipe(out, sizeof out);
	return same;
}

enum err resume_key_find(const struct resume_keys *k, const struct resume_scope *scope,
			 const uint8_t name[RESUME_NAME], uint32_t lifetime, int64_t unix_now,
			 uint8_t out[RESUME_KEY])
{
	const uint8_t *const secrets[] = { k->now, k->before };
	const uint64_t t = (uint64_t)unix_now / (UINT64_C(1) * lifetime * STEP);
	enum err err = ERR_NOT_FOUND;
	uint8_t key[RESUME_KEY];

	for (size_t i = 0; err == ERR_NOT_FOUND && i < 2; i++) {
		err = derive(secrets[i], scope, key);
		if (err)
			break;
		err = names(key, t, name) || names(key, t - 1, name) ? ERR_OK : ERR_NOT_FOUND;
	}
	if (!err)
		memcpy(out, key, sizeof key);
	secret_wipe(key, sizeof key);
	return err;
}
