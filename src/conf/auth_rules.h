/* auth_rules.h - how authentication methods may be combined (config.md 6.1).  Used inside src/conf.
 */
#ifndef CONF_AUTH_RULES_H
#define CONF_AUTH_RULES_H

#include "base/buf.h"
#include "conf/conf.h"

const char *conf_method_name(enum conf_method method);

/* Reports what is wrong with HOST's methods and, when all is well, the notes of config.md 4. */
void conf_check_auth(const struct host_conf *host, struct conf_report *report);

/* The first line of the primary LIST that cannot be combined with those before it; NULL: they all
 * go together. */
const struct conf_auth *conf_auth_misfit(const struct conf_auths *list);

/* True when one of HOST's methods wants a client certificate. */
bool conf_wants_certificate(const struct host_conf *host);

/* What TLS asks of a client (config.md 6.1). */
enum conf_cert_policy {
	CONF_CERT_NONE,	   /* no certificate */
	CONF_CERT_REQUEST, /* one, but the connection goes on without or with a bad one */
	CONF_CERT_REQUIRE, /* a good one, or there is no connection */
};
enum conf_cert_policy conf_cert_policy(const struct host_conf *host);

#endif /* CONF_AUTH_RULES_H */
