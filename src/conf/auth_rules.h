/* auth_rules.h - how authentication methods may be combined (config.md 6.1).  Used inside src/conf.
 */
#ifndef CONF_AUTH_RULES_H
#define CONF_AUTH_RULES_H

#include "conf/conf.h"

const char *conf_method_name(enum conf_method method);

/* Reports what is wrong with HOST's methods and, when all is well, the notes of config.md 4. */
void conf_check_auth(const struct host_conf *host, struct conf_report *report);

/* True when one of HOST's methods wants a client certificate. */
bool conf_wants_certificate(const struct host_conf *host);

#endif /* CONF_AUTH_RULES_H */
