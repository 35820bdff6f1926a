/* radius_conf.c - the client file and the secrets file of RADIUS libraries (radius.md 1). */
#include "auth/backend/radius_conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/secret.h"

enum {
	AUTH_PORT = 1812,
	ACCT_PORT = 1813,
	TLS_PORT = 2083, /* RFC 6614 */
	TIMEOUT = 10,
	RETRIES = 3,
	NUMBER_MAX = 86400,
};

static const char blanks[] = " \t\r\n";

/* A run over the lines of one file. */
struct reader {
	TALLOC_CTX *ctx;
	struct radius_conf *out;
	const char **why;
	unsigned line;
	bool failed;
};

__attribute__((format(printf, 2, 3))) static void fail(struct reader *r, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = talloc_vasprintf(r->ctx, fmt, ap);
	va_end(ap);
	*r->why = talloc_asprintf(r->ctx, "line %u: %s", r->line, text ? text : "");
	r->failed = true;
}

/* ---- values --------------------------------------------------------------- */

static void take_number(struct reader *r, const char *key, const char *value, unsigned min,
			unsigned *out)
{
	uint64_t n;

	if (str_to_u64(value, NUMBER_MAX, &n) || n < min)
		fail(r, "%s is '%s', not a number from %u to %d", key, value, min, NUMBER_MAX);
	else
		*out = (unsigned)n;
}

static void take_transport(struct reader *r, const char *value)
{
	static const char *const name[] = { "udp", "tcp", "tls", "dtls" };

	for (unsigned i = 0; i < sizeof name / sizeof name[0]; i++) {
		if (strcasecmp(value, name[i]) == 0) {
			r->out->transport = (enum radius_transport)i;
			return;
		}
	}
	fail(r, "serv-type is '%s'; use udp, tcp, tls or dtls", value);
}

static void take_signing(struct reader *r, const char *value)
{
	if (strcasecmp(value, "auto") == 0)
		r->out->signing = RADIUS_SIGNING_AUTO;
	else if (strcasecmp(value, "yes") == 0 || strcasecmp(value, "true") == 0)
		r->out->signing = RADIUS_SIGNING_YES;
	else if (strcasecmp(value, "no") == 0 || strcasecmp(value, "false") == 0)
		r->out->signing = RADIUS_SIGNING_NO;
	else
		fail(r, "require-message-authenticator is '%s'; use yes, no or auto", value);
}

/* Cuts TEXT at the next colon; gives what follows, NULL when there is none. */
static char *after_colon(char *text)
{
	char *colon = strchr(text, ':');

	if (!colon)
		return NULL;
	*colon = '\0';
	return colon + 1;
}

/* HOST, HOST:PORT, HOST:PORT:SECRET, with a HOST in brackets when it has colons itself. */
static bool split_server(char *text, char **host, char **port, char **secret)
{
	char *end = *text == '[' ? strchr(text, ']') : NULL;

	*port = *secret = NULL;
	*host = text;
	if (*text == '[') {
		if (!end || (end[1] && end[1] != ':'))
			return false;
		*end = '\0';
		*host = text + 1;
		*port = end[1] ? end + 2 : NULL;
	} else {
		*port = after_colon(text);
	}
	if (*port)
		*secret = after_colon(*port);
	return **host;
}

static void add_server(struct reader *r, struct radius_servers *to, char *text)
{
	struct radius_server *s = &to->item[to->n];
	char *host, *port, *secret;
	uint64_t number = 0;

	if (to->n == RADIUS_SERVERS_MAX) {
		fail(r, "more than %d servers", RADIUS_SERVERS_MAX);
		return;
	}
	if (!split_server(text, &host, &port, &secret) ||
	    (port && *port && (str_to_u64(port, 65535, &number) || !number))) {
		fail(r, "a server is not HOST, HOST:PORT or HOST:PORT:SECRET");
		return;
	}
	if (secret && strlen(secret) > RADIUS_SECRET_MAX) {
		fail(r, "a secret is longer than %d bytes", RADIUS_SECRET_MAX);
		return;
	}
	s->host = talloc_strdup(r->ctx, host);
	s->port = (uint16_t)number;
	s->secret = secret && *secret ? talloc_strdup(r->ctx, secret) : NULL;
	if (s->secret)
		secret_mark((char *)(uintptr_t)s->secret);
	if (!s->host || (secret && *secret && !s->secret))
		fail(r, "out of memory");
	to->n++;
}

static void take_servers(struct reader *r, struct radius_servers *to, char *value)
{
	char *one, *rest = value;

	while (!r->failed && (one = strsep(&rest, ", \t")) != NULL)
		if (*one)
			add_server(r, to, one);
}

/* ---- keywords ------------------------------------------------------------- */

/* Those whose value is kept as it is. */
static const char **text_option(struct radius_conf *c, const char *key)
{
	const struct {
		const char *key;
		const char **out;
	} table[] = {
		{ "dictionary", &c->dictionary }, { "servers", &c->secrets },
		{ "default_realm", &c->realm },	  { "bindaddr", &c->bindaddr },
		{ "nas-ip", &c->nas_ip },	  { "nas-identifier", &c->nas_identifier },
		{ "tls-ca-file", &c->tls_ca },	  { "tls-cert-file", &c->tls_cert },
		{ "tls-key-file", &c->tls_key },
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (strcmp(table[i].key, key) == 0)
			return table[i].out;
	return NULL;
}

/* What login programs and old versions had in this file, and what cannot matter here. */
static bool is_relic(const char *key)
{
	static const char *const relic[] = {
		"seqfile", "auth_order", "login_tries",	 "login_timeout", "nologin",
		"issue",   "mapfile",	 "login_radius", "login_local",	  "clientdebug",
	};

	for (size_t i = 0; i < sizeof relic / sizeof relic[0]; i++)
		if (strcmp(relic[i], key) == 0)
			return true;
	return false;
}

static void take_text(struct reader *r, const char **out, const char *value)
{
	*out = *value ? talloc_strdup(r->ctx, value) : NULL;
	if (*value && !*out)
		fail(r, "out of memory");
}

static void take_option(struct reader *r, const char *key, char *value)
{
	struct radius_conf *c = r->out;
	const char **text = text_option(c, key);

	if (text)
		take_text(r, text, value);
	else if (strcmp(key, "authserver") == 0)
		take_servers(r, &c->auth, value);
	else if (strcmp(key, "acctserver") == 0)
		take_servers(r, &c->acct, value);
	else if (strcmp(key, "radius_timeout") == 0)
		take_number(r, key, value, 1, &c->timeout);
	else if (strcmp(key, "radius_retries") == 0)
		take_number(r, key, value, 0, &c->retries);
	else if (strcmp(key, "radius_deadtime") == 0)
		take_number(r, key, value, 0, &c->deadtime);
	else if (strcmp(key, "serv-type") == 0 || strcmp(key, "serv-auth-type") == 0)
		take_transport(r, value);
	else if (strcmp(key, "require-message-authenticator") == 0)
		take_signing(r, value);
	else if (strcmp(key, "tls-verify-hostname") == 0)
		c->any_name = strcasecmp(value, "false") == 0 || strcasecmp(value, "no") == 0;
	else if (!is_relic(key) && strv_add(r->ctx, &c->unknown, key))
		fail(r, "out of memory");
}

/* KEYWORD VALUE; the value goes to the end of the line, without blanks around it. */
static void take_line(struct reader *r, char *line)
{
	char *end = line + strlen(line), *value;

	while (end > line && strchr(blanks, end[-1]))
		*--end = '\0';
	line += strspn(line, blanks);
	if (!*line || *line == '#')
		return;
	value = line + strcspn(line, blanks);
	if (*value)
		*value++ = '\0';
	take_option(r, line, value + strspn(value, blanks));
}

/* ---- files ---------------------------------------------------------------- */

/* A copy that may be cut into pieces, wiped when it is freed; NULL also for a text with NULs. */
static char *own_copy(TALLOC_CTX *ctx, const char *text, size_t len)
{
	char *copy = memchr(text, '\0', len) ? NULL : talloc_strndup(ctx, text, len);

	if (copy)
		secret_mark(copy);
	return copy;
}

/* Names for the log, and the ports of who gave none. */
static void finish_servers(struct reader *r, struct radius_servers *s, uint16_t port)
{
	for (size_t i = 0; i < s->n; i++) {
		struct radius_server *one = &s->item[i];
		bool v6 = strchr(one->host, ':');

		if (!one->port)
			one->port = r->out->transport >= RADIUS_TLS ? TLS_PORT : port;
		one->name = talloc_asprintf(r->ctx, "%s%s%s:%u", v6 ? "[" : "", one->host,
					    v6 ? "]" : "", one->port);
		if (!one->name)
			fail(r, "out of memory");
	}
}

/* What TLS needs and has not got. */
static void check_tls(struct reader *r)
{
	const struct radius_conf *c = r->out;

	if (c->transport < RADIUS_TLS)
		return;
	if (!c->tls_cert != !c->tls_key)
		fail(r, "tls-cert-file and tls-key-file belong together");
	/* Without it the library would talk to anybody who answers. */
	for (size_t i = 0; i < c->auth.n; i++)
		if (!c->tls_ca &&
		    (!c->auth.item[i].secret || strncmp(c->auth.item[i].secret, "psk@", 4) != 0))
			fail(r, "TLS needs tls-ca-file, or authserver HOST:PORT:psk@USER@HEXKEY");
}

enum err radius_conf_parse(TALLOC_CTX *ctx, const char *text, size_t len, struct radius_conf *out,
			   const char **why)
{
	struct radius_conf c = { .timeout = TIMEOUT, .retries = RETRIES };
	struct reader r = { .ctx = ctx, .out = &c, .why = why };
	char *copy = own_copy(ctx, text, len), *line, *rest = copy;

	if (!copy) {
		*why = talloc_strdup(ctx, "this is no text file");
		return ERR_CONF;
	}
	while (!r.failed && (line = strsep(&rest, "\n")) != NULL) {
		r.line++;
		take_line(&r, line);
	}
	if (!r.failed)
		finish_servers(&r, &c.auth, AUTH_PORT);
	if (!r.failed)
		finish_servers(&r, &c.acct, ACCT_PORT);
	if (!r.failed)
		check_tls(&r);
	talloc_free(copy);
	if (r.failed)
		return ERR_CONF;
	*out = c;
	return ERR_OK;
}

static enum err add_secret(TALLOC_CTX *ctx, char *line, struct radius_secrets *out)
{
	char *host = strsep(&line, blanks), *secret = line ? line + strspn(line, blanks) : NULL;
	char *other = strchr(host, '/');
	struct radius_secret *item;

	if (!*host || *host == '#' || !secret || !*secret)
		return ERR_OK;
	secret[strcspn(secret, blanks)] = '\0';
	if (strlen(secret) > RADIUS_SECRET_MAX)
		return ERR_OK;
	item = talloc_realloc(ctx, out->item, struct radius_secret, (unsigned)out->n + 1);
	if (!item)
		return ERR_NOMEM;
	if (other)
		*other++ = '\0';
	out->item = item;
	item[out->n++] = (struct radius_secret){ host, other, secret };
	return ERR_OK;
}

enum err radius_secrets_parse(TALLOC_CTX *ctx, const char *text, size_t len,
			      struct radius_secrets *out)
{
	/* The entries point into the copy, which is wiped with CTX. */
	char *copy = own_copy(ctx, text, len), *line, *rest = copy;
	struct radius_secrets found = { .n = 0 };
	enum err err = copy ? ERR_OK : ERR_SYNTAX;

	while (!err && (line = strsep(&rest, "\n")) != NULL)
		err = add_secret(ctx, line, &found);
	if (!err)
		*out = found;
	return err;
}
