/* plain_line.c - the auth line of the backend `plain` (config.md 6.2). */
#include "auth/backend/plain.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

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

/* The files are read with each login, and a missing one may come later: no reason not to start. */
static void remark_file(const char *path, const char *remedy)
{
	if (path && access(path, R_OK) < 0)
		log_warn(NULL, "plain-file", kv_str("file", path),
			 kv_str("reason", strerror(errno)), kv_text(remedy));
}

static void plain_remark(const void *conf)
{
	const struct plain *p = conf;

	remark_file(p->passwd, "nobody can log in; ocpasswd -c FILE USER makes the file");
	remark_file(p->otp, "nobody can log in; ocpasswd -t FILE USER makes the file");
}

const struct auth_backend backend_plain = {
	.name = "plain",
	.front = FRONT_FORM,
	.knows_groups = true,
	.tries = TRIES,
	.rechecks = true,
	.lists_groups = true,
	.open = plain_open,
	.remark = plain_remark,
};
