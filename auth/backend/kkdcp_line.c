/* kkdcp_line.c - the servers of the backend `kkdcp`. */
#include <string.h>

#include "auth/backend/kkdcp.h"

enum { TIME_MS = 18000 }; /* the client shall have its answer within 20 seconds (protocol.md 8) */

/* "tcp@host:port", "udp@[v6]:port"; the configuration's check has seen it, too. */
static enum err parse(TALLOC_CTX *ctx, const char *text, struct kdc *out)
{
	const char *host = strchr(text, '@'), *colon = strrchr(text, ':');
	size_t len;

	if (!host || !colon || colon <= ++host || !colon[1])
		return ERR_SYNTAX;
	len = (size_t)(colon - host);
	if (*host == '[' && colon[-1] == ']') {
		host++;
		len -= 2;
	}
	out->tcp = str_starts_nocase(text, "tcp@");
	if (!len || (!out->tcp && !str_starts_nocase(text, "udp@")))
		return ERR_SYNTAX;
	out->name = talloc_strdup(ctx, text);
	out->host = talloc_strndup(ctx, host, len);
	out->port = talloc_strdup(ctx, colon + 1);
	return out->name && out->host && out->port ? ERR_OK : ERR_NOMEM;
}

static enum err kkdcp_open(TALLOC_CTX *ctx, const struct backend_pairs *options, void **out,
			   const char **why)
{
	struct kkdcp *k = talloc_zero(ctx, struct kkdcp);
	enum err err = ERR_OK;

	if (!k)
		return ERR_NOMEM;
	k->time_ms = TIME_MS;
	k->item = talloc_zero_array(k, struct kdc, (unsigned)options->n);
	if (!k->item)
		return ERR_NOMEM;
	for (; !err && k->n < options->n; k->n++)
		err = parse(k, options->item[k->n].value, &k->item[k->n]);
	if (err == ERR_SYNTAX) {
		*why = talloc_strdup(ctx, "kkdcp: a server is not PROTO@HOST:PORT");
		return ERR_CONF;
	}
	if (!err)
		*out = k;
	return err;
}

const struct auth_backend backend_kkdcp = {
	.name = "kkdcp",
	.front = FRONT_NONE,
	.waits = true,
	.open = kkdcp_open,
};
