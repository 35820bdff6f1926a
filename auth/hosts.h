/* hosts.h - one generation of configuration as auth uses it: per host its settings, keys and login
 * policy.  Made new for every reload; workers keep the one they were announced under.
 * Used by auth. */
#ifndef AUTH_HOSTS_H
#define AUTH_HOSTS_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "auth/keys.h"
#include "auth/logins.h"
#include "auth/relay.h"
#include "auth/trust.h"
#include "base/err.h"
#include "conf/conf.h"
#include "conf/exposed.h"
#include "conf/row.h"

/* Who keeps the accounts of a host (config.md 6.3). */
struct acct_method {
	bool wanted;
	const struct auth_backend *backend; /* NULL though wanted: this version has none */
	struct backend_pairs options;
};

struct host {
	const struct host_conf *conf;
	struct keys *keys;
	struct login_policy policy;
	struct trust_host trust;
	struct acct_method acct;
	struct conf_exposed exposed;
	struct relays relays;
	struct trust_span profile; /* of user-profile, in the area; empty: none */
	const char *chroot_dir;	   /* files that are offered may lie in it; NULL: none */
};

struct hosts {
	uint64_t generation;
	struct conf *conf;
	struct host *item; /* [0] is the default host */
	size_t n;
	struct trust *trust; /* NULL once it was handed on: it may be large */
	struct tokens *tokens;
};

/* Builds everything from ROWS.  *OUT is a child of CTX.  ERR_CONF: REPORT says what is wrong with
 * all hosts. */
MUST_USE enum err hosts_load(TALLOC_CTX *ctx, const struct conf_rows *rows, uint64_t generation,
			     struct keys_report *report, struct hosts **out);

/* The host called NAME between processes ("default" is the default host); NULL: none. */
const struct host *hosts_find(const struct hosts *h, const char *name);

/* The methods that the lines PRIMARY (all must succeed) and ALTERNATIVES (any may) amount to
 * (config.md 6.1).  *OUT is a child of CTX.  ERR_CONF: *WHY, a child of CTX, says why not. */
MUST_USE enum err hosts_methods(TALLOC_CTX *ctx, const struct conf_auths *primary,
				const struct conf_auths *alternatives,
				const struct login_method **out, size_t *n, const char **why);

#endif /* AUTH_HOSTS_H */
