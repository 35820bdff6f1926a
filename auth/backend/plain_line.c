/* plain_line.c - the auth line of the backend `plain` (config.md 6.2). */
#include "auth/backend/plain.h"

enum { TRIES = 3 };

static enum err plain_open(TALLOC_CTX *ctx, const struct backend_pairs *options, void **out,
			   const char **why)
{
	struct plain *p = talloc_zero(ctx, struct plain);

	if (!p)
		return ERR_NOMEM;
	if (backend_pair_get(options, "otp")) {
		*why = talloc_strdup(ctx, "plain: this build cannot check one-time passwords");
		return ERR_UNSUPPORTED;
	}
	if (!backend_pair_get(options, "passwd")) {
		*why = talloc_strdup(ctx, "plain: no password or OTP file specified");
		return ERR_CONF;
	}
	p->passwd = talloc_strdup(p, backend_pair_get(options, "passwd"));
	if (!p->passwd)
		return ERR_NOMEM;
	*out = p;
	return ERR_OK;
}

const struct auth_backend backend_plain = {
	.name = "plain",
	.front = FRONT_FORM,
	.knows_groups = true,
	.tries = TRIES,
	.rechecks = true,
	.lists_groups = true,
	.open = plain_open,
};
