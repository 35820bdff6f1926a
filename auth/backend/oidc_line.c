/* oidc_line.c - the auth line of the backend `oidc` (config.md 6.2) and the JSON file it names
 * (radius.md 6.1). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "auth/backend/oidc.h"
#include "base/file.h"

/* Every failure is final: protocol.md 4.18. */
enum { TRIES = 1 };

/* Schemes that a provider may be reached by; file:// is for tests (radius.md 6.1). */
static const char *const schemes[] = { "https://", "http://", "file://" };

static int drop_required(struct oidc *o)
{
	json_decref(o->required);
	return 0;
}

static enum err fault(TALLOC_CTX *ctx, const char **why, const char *key, const char *right)
{
	*why = talloc_asprintf(ctx, "the key '%s' must be %s", key, right);
	return *why ? ERR_CONF : ERR_NOMEM;
}

static enum err take_url(TALLOC_CTX *ctx, const json_t *file, struct oidc *o, const char **why)
{
	const char *key = "openid_configuration_url";
	const char *url = json_string_value(json_object_get(file, key));

	for (size_t i = 0; url && i < sizeof schemes / sizeof schemes[0]; i++) {
		if (!str_starts(url, schemes[i]))
			continue;
		o->url = talloc_strdup(o, url);
		return o->url ? ERR_OK : ERR_NOMEM;
	}
	return fault(ctx, why, key, "the URL of the provider's discovery document (https://...)");
}

static enum err take_user_claim(TALLOC_CTX *ctx, const json_t *file, struct oidc *o,
				const char **why)
{
	const char *claim = json_string_value(json_object_get(file, "user_name_claim"));

	if (!claim || !*claim)
		return fault(ctx, why, "user_name_claim",
			     "the name of the claim that holds the user name, as a string");
	o->user_claim = talloc_strdup(o, claim);
	return o->user_claim ? ERR_OK : ERR_NOMEM;
}

static enum err take_required(TALLOC_CTX *ctx, const json_t *file, struct oidc *o, const char **why)
{
	json_t *required = json_object_get(file, "required_claims");

	if (!json_is_object(required))
		return fault(ctx, why, "required_claims",
			     "an object of claims and their values; {} requires none");
	o->required = json_incref(required);
	talloc_set_destructor(o, drop_required);
	return ERR_OK;
}

/* An optional number of seconds from 0 to MAX. */
static enum err take_seconds(TALLOC_CTX *ctx, const json_t *file, const char *key, int64_t max,
			     int64_t *out, const char **why)
{
	const json_t *value = json_object_get(file, key);
	char right[80];

	if (!value)
		return ERR_OK;
	if (json_is_integer(value) && json_integer_value(value) >= 0 &&
	    json_integer_value(value) <= max) {
		*out = json_integer_value(value);
		return ERR_OK;
	}
	snprintf(right, sizeof right, "a whole number of seconds, 0 to %lld", (long long)max);
	return fault(ctx, why, key, right);
}

static enum err take_ca_file(TALLOC_CTX *ctx, const json_t *file, struct oidc *o, const char **why)
{
	const json_t *value = json_object_get(file, "ca_file");

	if (!value)
		return ERR_OK;
	if (!json_is_string(value) || json_string_value(value)[0] != '/')
		return fault(ctx, why, "ca_file", "the absolute path of a PEM file");
	o->ca_file = talloc_strdup(o, json_string_value(value));
	return o->ca_file ? ERR_OK : ERR_NOMEM;
}

static enum err take_all(TALLOC_CTX *ctx, const json_t *file, struct oidc *o, const char **why)
{
	enum err err = take_url(ctx, file, o, why);

	o->refresh = OIDC_REFRESH_DEFAULT;
	if (!err)
		err = take_user_claim(ctx, file, o, why);
	if (!err)
		err = take_required(ctx, file, o, why);
	if (!err)
		err = take_seconds(ctx, file, "minimum_jwk_refresh_time", INT32_MAX, &o->refresh,
				   why);
	if (!err)
		err = take_seconds(ctx, file, "clock_skew", OIDC_SKEW_MAX, &o->skew, why);
	return err ? err : take_ca_file(ctx, file, o, why);
}

enum err oidc_conf_parse(TALLOC_CTX *ctx, const char *text, size_t len, struct oidc **out,
			 const char **why)
{
	json_error_t error;
	json_t *file = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	struct oidc *o = talloc_zero(ctx, struct oidc);
	enum err err = o ? ERR_OK : ERR_NOMEM;

	if (!err && !json_is_object(file)) {
		*why = talloc_asprintf(ctx, "not a JSON object (line %d: %s)",
				       file ? 1 : error.line, file ? "something else" : error.text);
		err = *why ? ERR_CONF : ERR_NOMEM;
	}
	if (!err)
		err = take_all(ctx, file, o, why);
	json_decref(file);
	if (err)
		talloc_free(o);
	else
		*out = o;
	return err;
}

/* ---- the file ------------------------------------------------------------- */

/* *TEXT is a child of CTX.  ERR_CONF: *WHY is the system's reason or ours. */
static enum err read_file(TALLOC_CTX *ctx, const char *path, char **text, size_t *len,
			  const char **why)
{
	enum err err = file_read(ctx, path, OIDC_CONF_MAX, text, len);

	if (!err || err == ERR_NOMEM)
		return err;
	*why = err == ERR_TOO_LONG ? "longer than 64 KiB" : strerror(errno);
	return ERR_CONF;
}

static enum err load(TALLOC_CTX *ctx, const char *path, struct oidc **out, const char **why)
{
	char *text = NULL;
	size_t len = 0;
	enum err err = read_file(ctx, path, &text, &len, why);

	if (!err)
		err = oidc_conf_parse(ctx, text, len, out, why);
	if (!err && (*out)->ca_file && access((*out)->ca_file, R_OK) < 0) {
		*why = talloc_asprintf(ctx, "ca_file %s: %s", (*out)->ca_file, strerror(errno));
		err = ERR_CONF;
	}
	return err;
}

static enum err oidc_open(TALLOC_CTX *ctx, const struct backend_pairs *options, void **out,
			  const char **why)
{
	const char *path = backend_pair_get(options, "config"), *reason = NULL;
	struct oidc *o = NULL;
	enum err err;

	if (!path) {
		*why = talloc_strdup(ctx, "oidc: no configuration specified; write "
					  "oidc[config=FILE.json]");
		return ERR_CONF;
	}
	err = load(ctx, path, &o, &reason);
	if (err == ERR_CONF)
		*why = talloc_asprintf(ctx, "oidc: %s: %s", path, reason);
	if (!err)
		*out = o;
	return err;
}

const struct auth_backend backend_oidc = {
	.name = "oidc",
	.front = FRONT_HTTP,
	.scheme = "Bearer",
	.tries = TRIES,
	.waits = true,
	.open = oidc_open,
};
