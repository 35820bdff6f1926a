/* oidc_token.c - headers and claims of bearer tokens. */
#include "auth/backend/oidc_token.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "base/str.h"

enum { HEADER_MAX = 4096, KID_MAX = 255 };

/* RFC 7518 3.1, without `none` and the symmetric HS256 to HS512: their key would have to be a
 * secret, and what a provider publishes is none. */
static const struct oidc_alg algs[] = {
	{ "RS256", "RSA", NULL },   { "RS384", "RSA", NULL },	{ "RS512", "RSA", NULL },
	{ "PS256", "RSA", NULL },   { "PS384", "RSA", NULL },	{ "PS512", "RSA", NULL },
	{ "ES256", "EC", "P-256" }, { "ES384", "EC", "P-384" }, { "ES512", "EC", "P-521" },
};

const struct oidc_alg *oidc_alg_find(const char *name)
{
	for (size_t i = 0; name && i < sizeof algs / sizeof algs[0]; i++)
		if (strcmp(algs[i].name, name) == 0)
			return &algs[i];
	return NULL;
}

const char *oidc_bearer(const char *authorization)
{
	static const char scheme[] = "Bearer";
	size_t len = sizeof scheme - 1;

	if (!authorization || strncasecmp(authorization, scheme, len) != 0 || !authorization[len] ||
	    !authorization[len + 1])
		return NULL;
	return authorization + len + 1;
}

/* ---- the header ----------------------------------------------------------- */

bool oidc_is_base64url(const char *text, size_t len)
{
	/* One character of four alone has no whole byte. */
	if (!len || len % 4 == 1)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '-' && text[i] != '_')
			return false;
	return true;
}

/* At most HEADER_MAX bytes. */
static enum err base64url_decode(const char *text, size_t len, uint8_t out[HEADER_MAX],
				 size_t *out_len)
{
	char plain[HEADER_MAX / 3 * 4 + 8];
	size_t n = 0;

	if (len + 3 > sizeof plain)
		return ERR_TOO_LONG;
	for (; n < len; n++)
		plain[n] = text[n] == '-' ? '+' : text[n] == '_' ? '/' : text[n];
	while (n % 4)
		plain[n++] = '=';
	return base64_decode(plain, n, out, HEADER_MAX, out_len);
}

/* The first of exactly three parts of TOKEN as JSON; NULL: TOKEN has another form.  The other two
 * are decoded by who checks the signature. */
static json_t *decode_header(const char *token)
{
	const char *part[3] = { token };
	size_t len[3];
	uint8_t text[HEADER_MAX];
	size_t n;

	for (size_t i = 0; i < 3; i++) {
		len[i] = strcspn(part[i], ".");
		if (!oidc_is_base64url(part[i], len[i]) || (part[i][len[i]] == '.') != (i < 2))
			return NULL;
		if (i < 2)
			part[i + 1] = part[i] + len[i] + 1;
	}
	if (base64url_decode(part[0], len[0], text, &n))
		return NULL;
	return json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
}

static bool is_jwt(const json_t *header)
{
	const char *typ = json_string_value(json_object_get(header, "typ"));

	return typ && strcmp(typ, "JWT") == 0;
}

static const char *fault_of(const json_t *header)
{
	const char *kid = json_string_value(json_object_get(header, "kid"));

	if (!json_is_object(header))
		return "the token is not a JWS in compact form";
	if (!is_jwt(header))
		return "the token's type is not JWT";
	if (!kid || !*kid || strlen(kid) > KID_MAX)
		return "the token names no key (kid)";
	if (!oidc_alg_find(json_string_value(json_object_get(header, "alg"))))
		return "the token's signature algorithm is not allowed";
	/* RFC 7515 4.1.11: what must be understood and is not makes the whole invalid. */
	if (json_object_get(header, "crit"))
		return "the token demands extensions that are not known";
	return NULL;
}

enum err oidc_header_parse(TALLOC_CTX *ctx, const char *token, struct oidc_header *out,
			   const char **why)
{
	json_t *header = decode_header(token);
	const char *fault = fault_of(header);
	enum err err = ERR_CREDENTIALS;

	if (fault) {
		*why = fault;
	} else {
		out->alg = oidc_alg_find(json_string_value(json_object_get(header, "alg")));
		out->kid = talloc_strdup(ctx, json_string_value(json_object_get(header, "kid")));
		err = out->kid ? ERR_OK : ERR_NOMEM;
	}
	json_decref(header);
	return err;
}

/* ---- the claims ----------------------------------------------------------- */

/* A time must be there, a whole number and not zero (radius.md 6.3, 4). */
static int64_t time_of(const json_t *claims, const char *name)
{
	const json_t *value = json_object_get(claims, name);

	return json_is_integer(value) ? json_integer_value(value) : 0;
}

static const char *time_fault(const json_t *claims, const struct oidc *conf, int64_t now)
{
	int64_t from = time_of(claims, "nbf"), to = time_of(claims, "exp");
	int64_t issued = time_of(claims, "iat");

	if (!from || !to || !issued)
		return "the token lacks one of the times nbf, exp and iat";
	if (from > now + conf->skew)
		return "the token is not valid yet";
	if (now - conf->skew > to)
		return "the token has expired";
	/* Nobody means it; but then nothing else this issuer says about times is worth much. */
	if (issued > now + OIDC_SKEW_MAX)
		return "the token was issued in the future";
	return NULL;
}

/* Equal in type and value; a list that holds the value is another value. */
static const char *claim_fault(TALLOC_CTX *ctx, const json_t *claims, const struct oidc *conf)
{
	const char *name;
	json_t *value;

	json_object_foreach(conf->required, name, value) if (
		!json_equal(
			json_object_get(claims, name),
			value)) return talloc_asprintf(ctx,
						       "the token lacks the required claim '%s'",
						       name);
	return NULL;
}

static const char *user_fault(const char *user)
{
	if (!user || !*user)
		return "the token has no user name";
	if (strlen(user) > BACKEND_NAME_MAX)
		return "the user name in the token is too long";
	return str_has_control(user) ? "the user name in the token has control characters" : NULL;
}

enum err oidc_claims_check(TALLOC_CTX *ctx, const char *json, size_t len, const struct oidc *conf,
			   int64_t now, const char **user, const char **why)
{
	json_t *claims = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	const char *name = json_string_value(json_object_get(claims, conf->user_claim));
	const char *fault =
		json_is_object(claims) ? NULL : "the token's claims are not a JSON object";
	enum err err = ERR_CREDENTIALS;

	if (!fault)
		fault = time_fault(claims, conf, now);
	if (!fault)
		fault = claim_fault(ctx, claims, conf);
	if (!fault)
		fault = user_fault(name);
	if (fault) {
		*why = fault;
	} else {
		*user = talloc_strdup(ctx, name);
		err = *user ? ERR_OK : ERR_NOMEM;
	}
	json_decref(claims);
	return err;
}
