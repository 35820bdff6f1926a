/* gssapi_line.c - the auth line of the backend `gssapi` (config.md 6.2). */
#include <strings.h>

#include "auth/backend/gssapi.h"

enum { TRIES = 3 };

/* TEXT or a number that the check of the configuration has let pass. */
static uint32_t number(const char *text, uint32_t def)
{
	uint64_t value = def;

	return !text || str_to_u64(text, UINT32_MAX, &value) ? def : (uint32_t)value;
}

/* As the file says yes. */
static bool flag(const char *text, bool def)
{
	return text ? strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0 : def;
}

static enum err gssapi_open(TALLOC_CTX *ctx, const struct backend_pairs *options, void **out,
			    const char **why)
{
	const char *fresh = backend_pair_get(options, "tgt-freshness-time");
	const char *keytab = backend_pair_get(options, "keytab");
	struct gssapi *g = talloc_zero(ctx, struct gssapi);

	if (!g)
		return ERR_NOMEM;
	g->need_account = flag(backend_pair_get(options, "require-local-user-map"), true);
	g->gid_min = number(backend_pair_get(options, "gid-min"), 0);
	g->freshness = number(fresh, 0);
	/* What cannot be read must not mean "no limit". */
	if (fresh && !g->freshness) {
		*why = talloc_asprintf(
			ctx, "Invalid value for 'tgt-freshness-time': %s; write seconds", fresh);
		return ERR_CONF;
	}
	if (keytab) {
		g->keytab = talloc_strdup(g, keytab);
		if (!g->keytab)
			return ERR_NOMEM;
	}
	*out = g;
	return ERR_OK;
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
	.lists_groups = true,
	.open = gssapi_open,
};
