/* auth_rules.h - how authentication methods may be combined (config.md 6.1).  Used inside src/conf.
 */
#ifndef CONF_AUTH_RULES_H
#define CONF_AUTH_RULES_H

#include "base/buf.h"
#include "conf/conf.h"

const char *conf_method_name(enum conf_method method);

/* Reports what is wrong with HOST's methods and, when all is well, the notes of config.md 4. */
void conf_check_auth(const struct host_conf *host, struct conf_report *report);

/* Appends "auth = pam", ... to NAMES, each once, for methods of HOST that have no back end yet. */
void conf_name_unbuilt(const struct host_conf *host, struct buf *names);

/* True when one of HOST's methods wants a client certificate. */
bool conf_wants_certificate(const struct host_conf *host);

#endif /* CONF_AUTH_RULES_H */
