/* pam_line.c - the auth line of the backend `pam` (config.md 6.2). */
#include "auth/backend/pam.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

/* A wrong password ends the login: what a module did with it is done (radius.md 7). */
enum { TRIES = 1 };

static const char default_service[] = "ocserv";

static enum err pam_open(TALLOC_CTX *ctx, const struct backend_pairs *options, void **out,
			 const char **why)
{
	const char *service = backend_pair_get(options, "service");
	const char *gid_min = backend_pair_get(options, "gid-min");
	struct pam *p = talloc_zero(ctx, struct pam);
	uint64_t gid = 0;

	if (!p)
		return ERR_NOMEM;
	if (service && (!*service || strchr(service, '/'))) {
		*why = talloc_asprintf(ctx,
				       "pam: service=%s is no name of a file in /etc/pam.d; write "
				       "service=NAME",
				       service);
		return ERR_CONF;
	}
	if (gid_min && str_to_u64(gid_min, UINT32_MAX, &gid)) {
		*why = talloc_asprintf(
			ctx, "pam: error in gid-min value: %s; write the number of a unix group",
			gid_min);
		return ERR_CONF;
	}
	p->service = talloc_strdup(p, service ? service : default_service);
	if (!p->service)
		return ERR_NOMEM;
	p->gid_min = (uint32_t)gid;
	*out = p;
	return ERR_OK;
}

/* PAM takes the service "other" then, which denies everything on most machines. */
static void pam_remark(const void *conf)
{
	static const char *const folders[] = { "/etc/pam.d", "/usr/lib/pam.d" };
	const struct pam *p = conf;
	char path[512];

	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", folders[i], p->service);
		if (access(path, F_OK) == 0)
			return;
	}
	log_warn(NULL, "pam-service", kv_str("service", p->service),
		 kv_text("there is no such file in /etc/pam.d; PAM uses the service 'other'"));
}

const struct auth_backend backend_pam = {
	.name = "pam",
	.front = FRONT_FORM,
	.knows_groups = true,
	.tries = TRIES,
	.waits = true,
	.converses = true,
	.rechecks = true,
	.lists_groups = true,
	.accounts = true,
	.accounts_start_only = true,
	.open = pam_open,
	.remark = pam_remark,
};
