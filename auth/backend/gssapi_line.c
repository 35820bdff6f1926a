/* gssapi_line.c - the auth line of the backend `gssapi` (config.md 6.2). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "auth/backend/gssapi.h"
#include "base/log.h"

enum { TRIES = 3 };

/* As the file says yes. */
static bool flag(const char *text, bool def)
{
	return text ? strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0 : def;
}

/* Sets OUT to the option KEY if there is one; what cannot be read must not mean "no limit". */
static enum err take_number(TALLOC_CTX *ctx, const struct backend_pairs *options, const char *key,
			    uint64_t min, uint32_t *out, const char **why)
{
	const char *text = backend_pair_get(options, key);
	uint64_t value = 0;

	if (!text)
		return ERR_OK;
	if (str_to_u64(text, UINT32_MAX, &value) || value < min) {
		*why = talloc_asprintf(ctx, "gssapi: Invalid value for '%s': %s; write a number",
				       key, text);
		return ERR_CONF;
	}
	*out = (uint32_t)value;
	return ERR_OK;
}

/* A key table that is a file has to be there: without it nobody could log in.  The library knows
 * other kinds ("KEYRING:name"), which it may judge itself. */
static enum err take_keytab(TALLOC_CTX *ctx, struct gssapi *g, const char *keytab, const char **why)
{
	const char *path = str_starts(keytab, "FILE:") ? keytab + 5 : keytab;

	if (*path == '/' && access(path, R_OK) < 0) {
		*why = talloc_asprintf(ctx,
				       "gssapi: cannot read the keytab '%s': %s; write "
				       "keytab=FILE, into which the KDC has exported HTTP/NAME",
				       path, strerror(errno));
		return ERR_CONF;
	}
	g->keytab = talloc_strdup(g, keytab);
	return g->keytab ? ERR_OK : ERR_NOMEM;
}

static enum err gssapi_open(TALLOC_CTX *ctx, const struct backend_pairs *options, void **out,
			    const char **why)
{
	const char *keytab = backend_pair_get(options, "keytab");
	struct gssapi *g = talloc_zero(ctx, struct gssapi);
	enum err err;

	if (!g)
		return ERR_NOMEM;
	g->need_account = flag(backend_pair_get(options, "require-local-user-map"), true);
	err = take_number(ctx, options, "gid-min", 0, &g->gid_min, why);
	if (!err)
		err = take_number(ctx, options, "tgt-freshness-time", 1, &g->freshness, why);
	if (!err && keytab)
		err = take_keytab(ctx, g, keytab, why);
	if (!err)
		*out = g;
	return err;
}

/* The library's own key table; krb5.conf may name another, so its absence is a hint only. */
static void gssapi_remark(const void *conf)
{
	static const char usual[] = "/etc/krb5.keytab";
	const struct gssapi *g = conf;

	if (!g->keytab && !getenv("KRB5_KTNAME") && access(usual, R_OK) < 0)
		log_notice(NULL, "gssapi-keytab", kv_str("file", usual),
			   kv_str("reason", strerror(errno)),
			   kv_text("no ticket can be accepted unless krb5.conf names a keytab; "
				   "write keytab=FILE"));
}

const struct auth_backend backend_gssapi = {
	.name = "gssapi",
	.front = FRONT_HTTP,
	.scheme = "Negotiate",
	.scheme_by_invitation = true,
	.knows_groups = true,
	.tries = TRIES,
	.waits = true,
	.converses = true,
	.rechecks = true,
	.lists_groups = true,
	.open = gssapi_open,
	.remark = gssapi_remark,
};
