/* plain_line.c - the auth line of the backend `plain` (config.md 6.2). */
#include "auth/backend/plain.h"

enum { TRIES = 3 };

static enum err plain_open(TALLOC_CTX *ctx, const struct backend_pairs *options, void **out,
			   const char **why)
{
	const char *passwd = backend_pair_get(options, "passwd");
	const char *otp = backend_pair_get(options, "otp");
	struct plain *p = talloc_zero(ctx, struct plain);

	if (!p)
		return ERR_NOMEM;
	if (!passwd && !otp) {
		*why = talloc_strdup(ctx, "plain: no password or OTP file specified");
		return ERR_CONF;
	}
	if (passwd)
		p->passwd = talloc_strdup(p, passwd);
	if (otp)
		p->otp = talloc_strdup(p, otp);
	if ((passwd && !p->passwd) || (otp && !p->otp))
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
