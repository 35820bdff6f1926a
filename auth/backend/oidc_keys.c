/* oidc_keys.c - JWKS documents (RFC 7517) and what of them is kept.
 *
 * What is kept is JSON again: {"url":...,"loaded":...,"failed":...,"keys":[...]}.  It passes
 * through the auth process unread, from one runner to the next, so it is read as carefully as the
 * provider's own documents. */
#include "auth/backend/oidc_keys.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

enum { KID_MAX = 255, MEMBER_MAX = 4096 };

static int drop_keys(struct oidc_keys *k)
{
	json_decref(k->keys);
	return 0;
}

struct oidc_keys *oidc_keys_new(TALLOC_CTX *ctx)
{
	struct oidc_keys *k = talloc_zero(ctx, struct oidc_keys);

	if (!k)
		return NULL;
	talloc_set_destructor(k, drop_keys);
	k->keys = json_array();
	if (k->keys)
		return k;
	talloc_free(k);
	return NULL;
}

/* ---- the provider's documents --------------------------------------------- */

enum err oidc_discovery_parse(TALLOC_CTX *ctx, const char *text, size_t len, const char **jwks_uri,
			      const char **why)
{
	json_t *doc = json_loadb(text, len, 0, NULL);
	const char *uri = json_string_value(json_object_get(doc, "jwks_uri"));
	enum err err = ERR_SYNTAX;

	if (uri && *uri) {
		*jwks_uri = talloc_strdup(ctx, uri);
		err = *jwks_uri ? ERR_OK : ERR_NOMEM;
	} else {
		*why = json_is_object(doc) ? "the discovery document has no jwks_uri"
					   : "the discovery document is not a JSON object";
	}
	json_decref(doc);
	return err;
}

/* Copies the text member NAME of KEY.  False: it is missing, or longer than any honest one. */
static bool copy_member(const json_t *key, const char *name, size_t max, json_t *out)
{
	json_t *value = json_object_get(key, name);

	return json_string_length(value) && json_string_length(value) <= max &&
	       json_object_set(out, name, value) == 0;
}

/* The same for a number of the key. */
static bool copy_number(const json_t *key, const char *name, json_t *out)
{
	const json_t *value = json_object_get(key, name);

	return copy_member(key, name, MEMBER_MAX, out) &&
	       oidc_is_base64url(json_string_value(value), json_string_length(value));
}

static bool copy_public(const json_t *key, json_t *out)
{
	const char *kty = json_string_value(json_object_get(key, "kty"));

	if (kty && strcmp(kty, "RSA") == 0)
		return copy_number(key, "n", out) && copy_number(key, "e", out);
	if (kty && strcmp(kty, "EC") == 0)
		return copy_member(key, "crv", KID_MAX, out) && copy_number(key, "x", out) &&
		       copy_number(key, "y", out);
	return false;
}

/* What we need of KEY, or NULL: it is not for signatures, or of a kind that we cannot check. */
static json_t *usable(const json_t *key)
{
	const char *use = json_string_value(json_object_get(key, "use"));
	json_t *out;

	if (use && strcmp(use, "sig") != 0)
		return NULL;
	out = json_object();
	if (copy_member(key, "kid", KID_MAX, out) && copy_member(key, "kty", KID_MAX, out) &&
	    copy_public(key, out) &&
	    (!json_object_get(key, "alg") || copy_member(key, "alg", KID_MAX, out)))
		return out;
	json_decref(out);
	return NULL;
}

/* The array KEYS reduced to what can be used; NULL without memory or when that is nothing. */
static json_t *reduce(const json_t *keys)
{
	json_t *out = json_array();
	size_t i;
	json_t *key;

	json_array_foreach(keys, i, key)
	{
		json_t *one = usable(key);

		if (one)
			json_array_append_new(out, one);
	}
	if (json_array_size(out))
		return out;
	json_decref(out);
	return NULL;
}

enum err oidc_jwks_parse(struct oidc_keys *k, const char *text, size_t len, const char **why)
{
	json_t *doc = json_loadb(text, len, 0, NULL);
	const json_t *keys = json_object_get(doc, "keys");
	json_t *usable_keys = json_is_array(keys) ? reduce(keys) : NULL;

	if (usable_keys) {
		json_decref(k->keys);
		k->keys = usable_keys;
	} else {
		*why = json_is_array(keys) ? "the provider's JWKS has no key for signatures"
					   : "the provider's JWKS has no array 'keys'";
	}
	json_decref(doc);
	return usable_keys ? ERR_OK : ERR_SYNTAX;
}

/* ---- between logins ------------------------------------------------------- */

enum err oidc_keys_pack(TALLOC_CTX *ctx, const struct oidc_keys *k, const char *url,
			const uint8_t **out, size_t *len)
{
	json_t *doc = json_pack("{s:s, s:I, s:I, s:O}", "url", url, "loaded", (json_int_t)k->loaded,
				"failed", (json_int_t)k->failed, "keys", k->keys);
	size_t n = doc ? json_dumpb(doc, NULL, 0, JSON_COMPACT) : 0;
	char *text = n && n <= BACKEND_KEEP_MAX ? talloc_size(ctx, n) : NULL;

	if (text)
		json_dumpb(doc, text, n, JSON_COMPACT);
	json_decref(doc);
	if (!text)
		return n > BACKEND_KEEP_MAX ? ERR_TOO_LONG : ERR_NOMEM;
	*out = (const uint8_t *)text;
	*len = n;
	return ERR_OK;
}

enum err oidc_keys_unpack(TALLOC_CTX *ctx, const uint8_t *data, size_t len, const char *url,
			  struct oidc_keys **out)
{
	json_t *doc = json_loadb((const char *)data, len, 0, NULL);
	const char *of = json_string_value(json_object_get(doc, "url"));
	const json_t *keys = json_object_get(doc, "keys");
	struct oidc_keys *k = NULL;

	if (of && strcmp(of, url) == 0 && json_is_array(keys))
		k = oidc_keys_new(ctx);
	if (k) {
		json_t *usable_keys = reduce(keys);

		k->loaded = json_integer_value(json_object_get(doc, "loaded"));
		k->failed = json_integer_value(json_object_get(doc, "failed"));
		if (usable_keys) {
			json_decref(k->keys);
			k->keys = usable_keys;
		}
		*out = k;
	}
	json_decref(doc);
	return k ? ERR_OK : ERR_SYNTAX;
}

/* A key without "alg" may be used with every algorithm of its type. */
static bool fits(const json_t *key, const struct oidc_alg *alg)
{
	const char *kty = json_string_value(json_object_get(key, "kty"));
	const char *crv = json_string_value(json_object_get(key, "crv"));
	const char *own = json_string_value(json_object_get(key, "alg"));

	return kty && strcmp(kty, alg->kty) == 0 &&
	       (!alg->crv || (crv && strcmp(crv, alg->crv) == 0)) &&
	       (!own || strcmp(own, alg->name) == 0);
}

const json_t *oidc_keys_find(const struct oidc_keys *k, const char *kid, const struct oidc_alg *alg,
			     bool *known)
{
	const json_t *found = NULL;
	size_t i;
	json_t *key;

	*known = false;
	json_array_foreach(k->keys, i, key)
	{
		const char *name = json_string_value(json_object_get(key, "kid"));

		if (!name || strcmp(name, kid) != 0)
			continue;
		*known = true;
		if (!found && fits(key, alg))
			found = key;
	}
	return found;
}

/* ---- when to load --------------------------------------------------------- */

/* A clock that was set back must not stop us for as long as it was wrong. */
static bool is_past(int64_t since, int64_t seconds, int64_t now)
{
	return !since || now < since || now - since >= seconds;
}

bool oidc_keys_are_old(const struct oidc_keys *k, const struct oidc *conf, int64_t now)
{
	int64_t age = conf->refresh > OIDC_AGE_MAX ? conf->refresh : OIDC_AGE_MAX;

	return !k->loaded || is_past(k->loaded, age, now);
}

bool oidc_keys_may_load(const struct oidc_keys *k, const struct oidc *conf, int64_t now)
{
	/* Without keys nobody gets in, so a provider that was away is asked again soon.  Where old
	 * ones serve, few logins shall wait for it. */
	int64_t most = k->loaded ? OIDC_RETRY_LATER : OIDC_RETRY;
	int64_t again = conf->refresh < most ? conf->refresh : most;

	return is_past(k->loaded, conf->refresh, now) && is_past(k->failed, again, now);
}
