/* radius_line.c - the auth line of the backend `radius` (config.md 6.2) and the client file that it
 * names (radius.md 1). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "auth/backend/radius.h"
#include "base/addr.h"
#include "base/file.h"
#include "base/log.h"

enum { TRIES = 3 };

/* Fails with "radius initialization error: FILE: WHAT". */
static enum err broken(TALLOC_CTX *ctx, const char *file, const char *what, const char **why)
{
	*why = talloc_asprintf(ctx, "radius initialization error: %s: %s", file, what);
	return ERR_CONF;
}

static bool is_true(const char *value)
{
	return value && (strcasecmp(value, "true") == 0 || strcasecmp(value, "yes") == 0);
}

/* Is there a way to a secret for every server of LIST? */
static bool has_secrets(const struct radius_conf *c, const struct radius_servers *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (!list->item[i].secret && !c->secrets)
			return false;
	return true;
}

/* Files are looked at now, so that a fault shows at the start and not at the first login. */
static enum err check_files(TALLOC_CTX *ctx, const struct radius *r, const char **why)
{
	const struct radius_conf *c = &r->client;
	const char *const file[] = { c->secrets, c->tls_ca, c->tls_cert, c->tls_key };

	for (size_t i = 0; i < sizeof file / sizeof file[0]; i++)
		if (file[i] && access(file[i], R_OK) < 0)
			return broken(ctx, file[i], strerror(errno), why);
	if (!c->dictionary)
		return broken(ctx, r->config, "no dictionary is named; write dictionary FILE", why);
	if (access(c->dictionary, R_OK) < 0) {
		*why = talloc_asprintf(ctx, "error reading the radius dictionary: %s: %s",
				       c->dictionary, strerror(errno));
		return ERR_CONF;
	}
	return ERR_OK;
}

static enum err check_servers(TALLOC_CTX *ctx, const struct radius *r, const char **why)
{
	const struct radius_conf *c = &r->client;
	struct addr a;

	if (c->transport < RADIUS_TLS && (!has_secrets(c, &c->auth) || !has_secrets(c, &c->acct)))
		return broken(
			ctx, r->config,
			"a server has no secret; write HOST:PORT:SECRET, or servers FILE with "
			"lines HOST SECRET",
			why);
	if (c->nas_ip && addr_parse(c->nas_ip, &a))
		return broken(ctx, r->config, "nas-ip is no address", why);
	return ERR_OK;
}

static enum err read_client(TALLOC_CTX *ctx, struct radius *r, const char **why)
{
	const char *fault = NULL;
	char *text;
	size_t len;
	enum err err = file_read(r, r->config, RADIUS_FILE_MAX, &text, &len);

	if (err == ERR_NOMEM)
		return err;
	if (err)
		return broken(ctx, r->config, err_reason(err), why);
	err = radius_conf_parse(r, text, len, &r->client, &fault);
	talloc_free(text);
	if (err)
		return broken(ctx, r->config, fault ? fault : err_text(err), why);
	err = check_servers(ctx, r, why);
	return err ? err : check_files(ctx, r, why);
}

static enum err radius_open(TALLOC_CTX *ctx, const struct backend_pairs *options, void **out,
			    const char **why)
{
	struct radius *r = talloc_zero(ctx, struct radius);
	const char *separator = backend_pair_get(options, "group-separator");
	const char *nas = backend_pair_get(options, "nas-identifier");
	enum err err;

	if (!r)
		return ERR_NOMEM;
	if (!backend_pair_get(options, "config")) {
		*why = talloc_strdup(ctx, "No radius configuration specified: ; write "
					  "radius[config=FILE]");
		return ERR_CONF;
	}
	r->config = talloc_strdup(r, backend_pair_get(options, "config"));
	r->nas_identifier = nas ? talloc_strdup(r, nas) : NULL;
	if (!r->config || (nas && !r->nas_identifier))
		return ERR_NOMEM;
	r->groupconfig = is_true(backend_pair_get(options, "groupconfig"));
	r->separator = separator && strcmp(separator, "comma") == 0 ? ',' : ';';
	err = read_client(ctx, r, why);
	if (!err)
		*out = r;
	return err;
}

/* What works differently from what somebody may expect who reads the client file. */
static void radius_remark(const void *conf)
{
	const struct radius *r = conf;
	const struct radius_conf *c = &r->client;

	for (size_t i = 0; i < c->unknown.n; i++)
		log_notice(NULL, "radius-keyword-ignored", kv_str("file", r->config),
			   kv_str("keyword", c->unknown.item[i]));
	if (c->transport == RADIUS_TCP)
		log_notice(NULL, "radius-not-sealed", kv_str("file", r->config),
			   kv_text("Message-Authenticator is neither sent nor checked over plain "
				   "TCP; use udp or tls"));
	else if (c->transport == RADIUS_UDP && c->signing == RADIUS_SIGNING_NO)
		log_notice(NULL, "radius-not-sealed", kv_str("file", r->config),
			   kv_text("replies without Message-Authenticator are taken; forged ones "
				   "cannot be told from them (CVE-2024-3596)"));
	else if (c->transport == RADIUS_UDP && c->signing == RADIUS_SIGNING_AUTO)
		log_info(
			NULL, "radius-sealing", kv_str("file", r->config),
			kv_text("a server must send Message-Authenticator once it has done so; set "
				"require-message-authenticator yes if all do"));
}

/* With TLS one connection carries logins and accounting (RFC 6614 2.4). */
static enum err radius_check_use(TALLOC_CTX *ctx, const void *conf, enum backend_work_kind use,
				 const char **why)
{
	const struct radius *r = conf;
	const struct radius_conf *c = &r->client;
	bool acct = use == WORK_ACCOUNT && c->transport < RADIUS_TLS;

	if (acct ? c->acct.n : c->auth.n)
		return ERR_OK;
	return broken(ctx, r->config,
		      acct ? "no server is named for accounting; write acctserver HOST:PORT"
			   : "no server is named; write authserver HOST:PORT",
		      why);
}

const struct auth_backend backend_radius = {
	.name = "radius",
	.front = FRONT_FORM,
	.knows_groups = true,
	.tries = TRIES,
	.waits = true,
	.accounts = true,
	.open = radius_open,
	.check = radius_check_use,
	.remark = radius_remark,
};
