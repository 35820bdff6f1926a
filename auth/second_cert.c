/* second_cert.c - the second certificate of a login. */
#include "auth/second_cert.h"

#include <string.h>

#include "base/secret.h"

enum { CAPABILITY = 8 }; /* AUTH_CAP_MULTIPLE_CERT of wire/auth_input.h */

bool second_cert_wanted(const struct login *g, const struct login_policy *policy)
{
	return policy->second_cert && policy->method[g->method].certificate && !g->second.user;
}

static void refuse(struct login *g, const char *event, const char *reason)
{
	log_info(&g->log, event, kv_text(reason));
	login_give_up(g, "No certificate");
}

void second_cert_ask(struct login *g, const Step *msg)
{
	if (!(msg->capabilities & CAPABILITY)) {
		refuse(g, "no-second-certificate",
		       "the client has no second certificate; rejecting");
		return;
	}
	secret_random(g->second.nonce, sizeof g->second.nonce);
	g->state = LOGIN_ASK_CERT;
	login_ask_second_cert(g);
}

static enum err remember(struct login *g, const SecondCert *cert)
{
	struct login_second_cert *second = &g->second;

	second->machine = talloc_strdup(g, g->machine);
	second->user = talloc_strdup(g, cert->user);
	if (!second->machine || !second->user)
		return ERR_NOMEM;
	for (size_t i = 0; i < cert->n_group; i++)
		if (strv_add(g, &second->groups, cert->group[i]))
			return ERR_NOMEM;
	return second_cert_apply(g);
}

bool second_cert_reply(struct login *g, const Step *msg)
{
	const SecondCert *cert = msg->second;

	if (!cert) {
		second_cert_ask(g, msg);
		return false;
	}
	if (!cert->checked) {
		login_ask_second_cert(g);
		return false;
	}
	/* Whatever it was, this number was answered. */
	secret_random(g->second.nonce, sizeof g->second.nonce);
	g->state = LOGIN_FRESH;
	if (!cert->good)
		refuse(g, "bad-second-certificate",
		       "the client's second certificate did not verify; rejecting");
	else if (!*cert->user)
		refuse(g, "no-username", "no username in the certificate; rejecting");
	else if (remember(g, cert))
		refuse(g, "no-memory", err_text(ERR_NOMEM));
	else
		return true;
	return false;
}

static void forget(struct login *g)
{
	TALLOC_FREE(g->second.machine);
	TALLOC_FREE(g->second.user);
	TALLOC_FREE(g->second.groups.item);
	g->second.groups.n = 0;
}

enum err second_cert_apply(struct login *g)
{
	struct login_second_cert *second = &g->second;

	if (!second->user)
		return ERR_OK;
	if (!g->cert_ok || strcmp(second->machine, g->machine) != 0) {
		forget(g);
		return ERR_OK;
	}
	talloc_free((char *)(uintptr_t)g->cert_user);
	g->cert_user = talloc_strdup(g, second->user);
	TALLOC_FREE(g->cert_groups.item);
	g->cert_groups.n = 0;
	for (size_t i = 0; i < second->groups.n; i++)
		if (strv_add(g, &g->cert_groups, second->groups.item[i]))
			return ERR_NOMEM;
	return g->cert_user ? ERR_OK : ERR_NOMEM;
}
