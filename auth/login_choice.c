/* login_choice.c - which of a host's methods suits a client (config.md 6.1). */
#include <string.h>
#include <strings.h>

#include "auth/login.h"

bool login_has_scheme(const struct login *g, const char *scheme)
{
	return strncasecmp(g->authorization, scheme, strlen(scheme)) == 0;
}

unsigned login_suits(const struct login *g, const struct login_method *m)
{
	const struct auth_backend *b = m->factor[0].backend;

	if (m->missing || (m->certificate && !g->cert_ok))
		return 0;
	if (!b)
		return 5; /* the certificate alone */
	if (b->front == FRONT_FORM)
		return 2;
	if (b->scheme_by_invitation && !g->http_auth)
		return 0;
	if (login_has_scheme(g, b->scheme))
		return 4; /* what it has sent is what it wants */
	return g->http_auth ? 3 : 1;
}

bool login_choose(struct login *g, const struct login_policy *policy)
{
	unsigned best = 0;

	for (size_t i = 0; i < policy->n_methods; i++) {
		unsigned s = login_suits(g, &policy->method[i]);

		if (s > best) {
			best = s;
			g->method = i;
		}
	}
	return best;
}

bool login_has_fallback(const struct login *g, const struct login_policy *policy)
{
	for (size_t i = 0; i < policy->n_methods; i++) {
		const struct auth_backend *b = policy->method[i].factor[0].backend;

		if (i != g->method && login_suits(g, &policy->method[i]) &&
		    !(b && b->scheme_by_invitation))
			return true;
	}
	return false;
}

const struct auth_backend *login_backend(const struct login *g, const struct login_policy *policy)
{
	return g->method < policy->n_methods ? policy->method[g->method].factor[g->factor].backend
					     : NULL;
}
