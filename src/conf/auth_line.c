/* auth_line.c - the values of auth, enable-auth and acct: METHOD[key=value,key=value]
 * (config.md 6.2, 6.3).  A value may stand in single quotes, which then hide commas, brackets and
 * blanks; two of them mean one: base='ou=O''Brien,dc=example'. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "conf/auth_rules.h"
#include "conf/types.h"

enum {
	KEYS_MAX = 20, /* of one method */
	PAIRS_MAX = 5, /* on one line, but for ldap */
	NAS_IDENTIFIER_MAX = 63,
};

enum sub_kind { SUB_TEXT, SUB_FLAG, SUB_GID, SUB_FRESHNESS, SUB_SEPARATOR, SUB_NAS };

struct sub_rule {
	const char *key, *def;
	enum sub_kind kind;
};

/* A method: its sub-options, and the first one's place for legacy "METHOD[/path]". */
struct method {
	const char *name;
	bool bare_path; /* a value without '=' that begins with / or . is the first sub-option */
	struct sub_rule sub[KEYS_MAX];
};

static const struct method methods[] = {
	[CONF_METHOD_CERTIFICATE] = { "certificate", false, { { 0 } } },
	[CONF_METHOD_PAM] = { "pam",
			      false,
			      { { "service", "ocserv", SUB_TEXT }, { "gid-min", "0", SUB_GID } } },
	[CONF_METHOD_PLAIN] = { "plain",
				true,
				{ { "passwd", NULL, SUB_TEXT }, { "otp", NULL, SUB_TEXT } } },
	[CONF_METHOD_RADIUS] = { "radius",
				 true,
				 { { "config", NULL, SUB_TEXT },
				   { "groupconfig", "false", SUB_FLAG },
				   { "nas-identifier", NULL, SUB_NAS },
				   { "group-separator", "semicolon", SUB_SEPARATOR } } },
	[CONF_METHOD_GSSAPI] = { "gssapi",
				 false,
				 { { "keytab", NULL, SUB_TEXT },
				   { "require-local-user-map", "true", SUB_FLAG },
				   { "tgt-freshness-time", NULL, SUB_FRESHNESS },
				   { "gid-min", "0", SUB_GID } } },
	[CONF_METHOD_OIDC] = { "oidc", false, { { "config", NULL, SUB_TEXT } } },
	/* What the values mean is checked with those of the file (auth/backend/ldap_line.c). */
	[CONF_METHOD_LDAP] = { "ldap",
			       false,
			       { { "config", NULL, SUB_TEXT },
				 { "uri", NULL, SUB_TEXT },
				 { "starttls", NULL, SUB_TEXT },
				 { "insecure", NULL, SUB_TEXT },
				 { "ca", NULL, SUB_TEXT },
				 { "timeout", NULL, SUB_TEXT },
				 { "base", NULL, SUB_TEXT },
				 { "scope", NULL, SUB_TEXT },
				 { "filter", NULL, SUB_TEXT },
				 { "binddn", NULL, SUB_TEXT },
				 { "bindpw-file", NULL, SUB_TEXT },
				 { "user-dn", NULL, SUB_TEXT },
				 { "user-attr", NULL, SUB_TEXT },
				 { "group-attr", NULL, SUB_TEXT },
				 { "group-base", NULL, SUB_TEXT },
				 { "group-filter", NULL, SUB_TEXT },
				 { "nested", NULL, SUB_TEXT } } },
};

enum { N_METHODS = sizeof(methods) / sizeof(methods[0]) };

const char *conf_method_name(enum conf_method method)
{
	return methods[method].name;
}

static const struct sub_rule *find_rule(enum conf_method method, const char *key)
{
	for (unsigned i = 0; i < KEYS_MAX && methods[method].sub[i].key; i++)
		if (strcasecmp(methods[method].sub[i].key, key) == 0)
			return &methods[method].sub[i];
	return NULL;
}

/* The last one counts when a key was given twice. */
const char *conf_auth_get(const struct conf_auth *a, const char *key)
{
	const struct sub_rule *rule = find_rule(a->method, key);

	for (size_t i = a->n_sub; i > 0; i--)
		if (strcmp(a->sub[i - 1].key, key) == 0)
			return a->sub[i - 1].value;
	return rule ? rule->def : NULL;
}

bool conf_auth_is_code(const struct conf_auth *a)
{
	return a->method == CONF_METHOD_PLAIN && conf_auth_get(a, "otp") &&
	       !conf_auth_get(a, "passwd");
}

bool conf_auths_have(const struct conf_auths *list, enum conf_method method)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->item[i].method == method)
			return true;
	return false;
}

/* Groups below it are not offered; negative ones do not exist. */
static bool check_gid(struct conf_set *s, const char *value)
{
	long v = strtol(value, NULL, 10);

	if (v < 0)
		conf_set_error(s, "error in gid-min value: %ld; write the number of a unix group",
			       v);
	return v >= 0;
}

/* 0 would refuse every ticket. */
static bool check_freshness(struct conf_set *s, const char *value)
{
	long v = strtol(value, NULL, 10);

	if (v <= 0)
		conf_set_error(
			s, "Invalid value for 'tgt-freshness-time': %ld; write seconds, at least 1",
			v);
	return v > 0;
}

static bool check_separator(struct conf_set *s, const char *value)
{
	bool good = strcmp(value, "semicolon") == 0 || strcmp(value, "comma") == 0;

	if (!good)
		conf_set_error(s, "unknown group-separator value '%s'; use 'semicolon' or 'comma'",
			       value);
	return good;
}

/* At most 63 bytes (config.md 6.2). */
static bool check_nas(struct conf_set *s, const char *value)
{
	if (strlen(value) <= NAS_IDENTIFIER_MAX)
		return true;
	conf_set_error(s, "nas-identifier is longer than %d bytes", NAS_IDENTIFIER_MAX);
	return false;
}

static bool check_value(struct conf_set *s, enum sub_kind kind, const char *value)
{
	switch (kind) {
	case SUB_GID:
		return check_gid(s, value);
	case SUB_FRESHNESS:
		return check_freshness(s, value);
	case SUB_SEPARATOR:
		return check_separator(s, value);
	case SUB_NAS:
		return check_nas(s, value);
	case SUB_TEXT:
	case SUB_FLAG:
		return true;
	}
	return false;
}

static bool bracket_error(struct conf_set *s, const char *text)
{
	conf_set_error(s, "error parsing %s; write METHOD[key=value,key=value]", text);
	return false;
}

/* What most often went wrong where a piece of a DN looks like a key. */
static const char quotes_hint[] =
	"; put a value with commas in single quotes: base='dc=example,dc=com'";

/* VALUE stays valid as long as the copy of the line that it points into. */
static bool add_sub(struct conf_set *s, struct conf_auth *a, const char *key, const char *value)
{
	const struct sub_rule *rule = find_rule(a->method, key);

	if (!rule) {
		conf_set_error(s, "unknown option '%s' of authentication method %s%s", key, a->name,
			       a->method == CONF_METHOD_LDAP ? quotes_hint : "");
		return false;
	}
	if (!check_value(s, rule->kind, value))
		return false;
	a->sub[a->n_sub++] = (struct conf_subopt){ rule->key, value };
	return true;
}

static size_t pairs_max(const struct conf_auth *a)
{
	return a->method == CONF_METHOD_LDAP ? KEYS_MAX : PAIRS_MAX;
}

/* Takes the quotes off TEXT, in place.  False: no closing quote, or more behind it. */
static bool unquote(char *text)
{
	const char *in = text + 1;
	char *out = text;
	bool closed;

	while (*in && (in[0] != '\'' || in[1] == '\'')) {
		in += *in == '\'';
		*out++ = *in++;
	}
	closed = in[0] == '\'' && !in[1];
	*out = '\0';
	return closed;
}

/* Where the quoted value at TEXT ends, or the end of the text. */
static char *skip_quoted(char *text)
{
	for (text++; *text; text++) {
		if (*text != '\'')
			continue;
		if (text[1] != '\'')
			break;
		text++;
	}
	return text;
}

/* Cuts the first pair off *REST, which becomes NULL with the last one. */
static char *next_pair(char **rest)
{
	char *pair = *rest, *end = pair + strcspn(pair, "=,");

	if (*end == '=') {
		end += 1 + strspn(end + 1, " \t");
		if (*end == '\'')
			end = skip_quoted(end);
		end += strcspn(end, ",");
	}
	*rest = *end ? end + 1 : NULL;
	*end = '\0';
	return pair;
}

/* One "key=value", or a legacy bare path ("plain[/path]", "radius[/path,groupconfig]"). */
static bool parse_pair(struct conf_set *s, struct conf_auth *a, char *pair, const char *brackets)
{
	char *eq = strchr(pair, '='), *value;

	if (a->n_sub == pairs_max(a))
		return bracket_error(s, brackets);
	if (eq) {
		*eq = '\0';
		value = str_trim(eq + 1);
		if (*value != '\'' || unquote(value))
			return add_sub(s, a, str_trim(pair), value);
		conf_set_error(s, "error parsing %s; end the value of '%s' with a single quote",
			       brackets, str_trim(pair));
		return false;
	}
	pair = str_trim(pair);
	if (methods[a->method].bare_path && a->n_sub == 0 && (*pair == '/' || *pair == '.'))
		return add_sub(s, a, methods[a->method].sub[0].key, pair);
	if (a->method == CONF_METHOD_RADIUS && a->n_sub && strcasecmp(pair, "groupconfig") == 0)
		return add_sub(s, a, "groupconfig", "true");
	return bracket_error(s, brackets);
}

/* Empty brackets promise options that are not there. */
static bool parse_brackets(struct conf_set *s, struct conf_auth *a, const char *brackets)
{
	size_t len = strlen(brackets);
	char *inner;

	if (brackets[0] != '[' || brackets[len - 1] != ']' || len < 3)
		return bracket_error(s, brackets);
	a->sub = talloc_zero_array(s->ctx, struct conf_subopt, (unsigned)pairs_max(a));
	inner = talloc_strndup(s->ctx, brackets + 1, len - 2);
	if (!a->sub || !inner)
		return false;
	while (inner)
		if (!parse_pair(s, a, next_pair(&inner), brackets))
			return false;
	return true;
}

/* What a method cannot do without. */
static bool check_needs(struct conf_set *s, const struct conf_auth *a)
{
	const char *fault = NULL;

	if (a->method == CONF_METHOD_PLAIN && !conf_auth_get(a, "passwd") &&
	    !conf_auth_get(a, "otp"))
		fault = "plain: no password or OTP file specified; write plain[passwd=FILE]";
	else if (a->method == CONF_METHOD_RADIUS && !conf_auth_get(a, "config"))
		fault = "No radius configuration specified: ; write radius[config=FILE]";
	else if (a->method == CONF_METHOD_LDAP && !conf_auth_get(a, "config") &&
		 !conf_auth_get(a, "uri"))
		fault = "ldap: no server specified; write ldap[config=FILE] or "
			"ldap[uri=ldaps://HOST,base='dc=example,dc=com']";
	if (fault)
		conf_set_error(s, "%s", fault);
	return !fault;
}

/* By prefix, in any case (config.md 6.1). */
static bool find_method(const char *text, struct conf_auth *out)
{
	for (unsigned i = 0; i < N_METHODS; i++) {
		if (str_starts_nocase(text, methods[i].name)) {
			*out = (struct conf_auth){ .method = (enum conf_method)i,
						   .name = methods[i].name };
			return true;
		}
	}
	return false;
}

/* A line that cannot be read is fatal: the server must not guess who may log in. */
static bool parse_auth(struct conf_set *s, const char *text, void *out)
{
	struct conf_auth a;
	const char *rest;

	if (!find_method(text, &a)) {
		s->where.vhost = s->where.vhost ? s->where.vhost : "default";
		conf_set_error(
			s,
			"unknown or unsupported auth method: %s; use certificate, gssapi, ldap, oidc, "
			"pam, plain or radius",
			text);
		return false;
	}
	rest = text + strlen(a.name);
	while (isspace((unsigned char)*rest))
		rest++;
	if (a.method != CONF_METHOD_CERTIFICATE && *rest && !parse_brackets(s, &a, rest))
		return false;
	if (!check_needs(s, &a))
		return false;
	*(struct conf_auth *)out = a;
	return true;
}

/* Only two methods account. */
static bool parse_acct(struct conf_set *s, const char *text, void *out)
{
	struct conf_auth a;
	bool known = find_method(text, &a) &&
		     (a.method == CONF_METHOD_RADIUS || a.method == CONF_METHOD_PAM);

	if (!known) {
		conf_set_error(s,
			       ": unknown or unsupported accounting method: %s; use pam or "
			       "radius[config=FILE]",
			       text);
		return false;
	}
	return parse_auth(s, text, out);
}

/* So that it reads back as it is. */
static void print_value(const char *value, struct buf *out)
{
	if (!strpbrk(value, ",' \t")) {
		buf_puts(out, value);
		return;
	}
	buf_putc(out, '\'');
	for (; *value; value++) {
		if (*value == '\'')
			buf_putc(out, '\'');
		buf_putc(out, *value);
	}
	buf_putc(out, '\'');
}

static void print_auth(const void *value, struct buf *out)
{
	const struct conf_auth *a = value;

	if (!a->name) /* acct, unset */
		return;
	buf_puts(out, a->name);
	for (size_t i = 0; i < a->n_sub; i++) {
		buf_printf(out, "%s%s=", i ? "," : "[", a->sub[i].key);
		print_value(a->sub[i].value, out);
	}
	buf_puts(out, a->n_sub ? "]" : "");
}

const struct conf_type conf_type_auth = { "method", sizeof(struct conf_auths),
					  sizeof(struct conf_auth), parse_auth, print_auth };
const struct conf_type conf_type_acct = { "method", sizeof(struct conf_auth), 0, parse_acct,
					  print_auth };
