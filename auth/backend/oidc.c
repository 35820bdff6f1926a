/* oidc.c - the backend `oidc`: bearer tokens of an OpenID provider (radius.md 6).
 *
 *	token ---> names a key? ---> keys at hand, and not old? ---no---> download
 *	                                |                                   |
 *	           kid unknown: refused, and a download for the next one    |
 *	                                | <---------------------------------+
 *	           signature ---> times ---> required claims ---> user name: accepted
 *
 * The keys lie with the pool of runners between logins (verdict.keep), so that the provider is
 *asked once for all of them and not at all for most logins.  Nothing of a token is ever logged but
 *the name of its key. */
#include <string.h>

#include "auth/backend/oidc_fetch.h"
#include "auth/backend/oidc_jws.h"
#include "auth/backend/oidc_keys.h"
#include "auth/backend/work.h"
#include "base/clock.h"
#include "base/log.h"

/* All that log watchers look for begins like this (radius.md 6.3). */
static void say(TALLOC_CTX *ctx, enum log_level level, const char *event, const char *text,
		const char *kid)
{
	char *line = talloc_asprintf(ctx, "ocserv-oidc: %s", text ? text : "");

	if (kid)
		log_event(level, NULL, event,
			  LOG_KVS(kv_str("kid", kid), kv_text(line ? line : "")));
	else
		log_event(level, NULL, event, LOG_KVS(kv_text(line ? line : "")));
}

/* ---- keys ----------------------------------------------------------------- */

static enum err fetch_keys(TALLOC_CTX *ctx, const struct oidc *conf, struct oidc_keys *k,
			   const char **why)
{
	const char *jwks_uri = NULL;
	struct buf doc;
	enum err err;

	buf_init(&doc, ctx, OIDC_DOCUMENT_MAX);
	err = oidc_fetch(ctx, conf, conf->url, &doc, why);
	if (!err)
		err = oidc_discovery_parse(ctx, buf_text(&doc), doc.len, &jwks_uri, why);
	if (err)
		return err;
	buf_reset(&doc);
	err = oidc_fetch(ctx, conf, jwks_uri, &doc, why);
	return err ? err : oidc_jwks_parse(k, buf_text(&doc), doc.len, why);
}

/* Loads the keys anew, if that is due, and has them kept.  After a failure the ones at hand stay.
 */
static void load(TALLOC_CTX *ctx, const struct oidc *conf, struct oidc_keys *k, struct verdict *out)
{
	const char *why = NULL;
	enum err err;

	if (!oidc_keys_may_load(k, conf, clock_unix()))
		return;
	err = fetch_keys(ctx, conf, k, &why);
	if (err) {
		k->failed = clock_unix();
		say(ctx, LOG_LVL_ERR, "keys-not-loaded", why ? why : err_text(err), NULL);
	} else {
		k->loaded = clock_unix();
		k->failed = 0;
		log_info(NULL, "keys-loaded", kv_str("url", conf->url));
	}
	err = oidc_keys_pack(ctx, k, conf->url, &out->keep, &out->keep_len);
	if (err)
		say(ctx, LOG_LVL_ERR, "keys-not-kept", err_text(err), NULL);
}

/* What is kept, made ready for use.  NULL without memory. */
static struct oidc_keys *keys_at_hand(TALLOC_CTX *ctx, const struct oidc *conf,
				      const struct backend_input *in, struct verdict *out)
{
	struct oidc_keys *k = NULL;

	if (!in->kept_len || oidc_keys_unpack(ctx, in->kept, in->kept_len, conf->url, &k))
		k = oidc_keys_new(ctx);
	if (k && oidc_keys_are_old(k, conf, clock_unix()))
		load(ctx, conf, k, out);
	return k;
}

/* ---- one token ------------------------------------------------------------ */

static enum err check_signed(TALLOC_CTX *ctx, const struct oidc *conf, const char *token,
			     const struct json_t *key, struct verdict *out, const char **why)
{
	char *claims = NULL;
	size_t len = 0;
	enum err err = oidc_jws_verify(ctx, token, key, &claims, &len, why);

	return err ? err : oidc_claims_check(ctx, claims, len, conf, clock_unix(), &out->user, why);
}

/* ERR_CREDENTIALS: *WHY.  ERR_NOT_FOUND: there are no keys to check with. */
static enum err check(TALLOC_CTX *ctx, const struct oidc *conf, const struct backend_input *in,
		      struct oidc_header *header, struct verdict *out, const char **why)
{
	const char *token = oidc_bearer(in->authorization);
	const struct json_t *key;
	struct oidc_keys *k;
	bool known = false;
	enum err err;

	if (!token) {
		*why = "no bearer token was sent";
		return ERR_CREDENTIALS;
	}
	err = oidc_header_parse(ctx, token, header, why);
	if (err)
		return err;
	k = keys_at_hand(ctx, conf, in, out);
	if (!k)
		return ERR_NOMEM;
	if (!k->loaded)
		return ERR_NOT_FOUND;
	key = oidc_keys_find(k, header->kid, header->alg, &known);
	if (key)
		return check_signed(ctx, conf, token, key, out, why);
	*why = known ? "the token's algorithm does not fit its key" : "the token's key is unknown";
	if (!known)
		load(ctx, conf, k, out);
	return ERR_CREDENTIALS;
}

static enum err oidc_step(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			  struct verdict *out)
{
	struct oidc_header header = { .kid = NULL };
	const char *why = NULL;
	enum err err = check(ctx, conf, in, &header, out, &why);

	switch (err) {
	case ERR_OK:
		out->kind = VERDICT_ACCEPT;
		return ERR_OK;
	case ERR_CREDENTIALS:
		say(ctx, LOG_LVL_NOTICE, "token-refused", why, header.kid);
		out->kind = VERDICT_REJECT;
		out->reason = why;
		return ERR_OK;
	case ERR_NOT_FOUND:
		/* No fault of the client: no ban points. */
		say(ctx, LOG_LVL_NOTICE, "token-refused", "the provider's keys are not available",
		    header.kid);
		out->kind = VERDICT_ERROR;
		out->reason = "no keys of the provider";
		return ERR_OK;
	default:
		return err;
	}
}

const struct backend_work backend_work = {
	.traits = &backend_oidc,
	.step = oidc_step,
};
