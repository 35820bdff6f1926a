/* hook_env.h - the environment of connect, disconnect and host-update scripts (admin.md 10.2).
 * Pure; used by main only. */
#ifndef MAIN_HOOK_ENV_H
#define MAIN_HOOK_ENV_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/str.h"
#include "conf/values.h"

enum hook_reason { HOOK_CONNECT, HOOK_DISCONNECT, HOOK_HOST_UPDATE };

/* What the scripts are told; everything is borrowed.  NULL texts and family 0 mean "not known". */
struct hook_env {
	enum hook_reason reason;
	uint32_t id; /* process id of the worker, as in occtl */
	const char *vhost, *user, *group, *device;
	struct addr real, real_local;	 /* outer addresses of the client and the server */
	struct addr v4_local, v4_remote; /* of the tunnel */
	struct addr v6_local, v6_remote;
	uint8_t v6_prefix;
	const char *hostname; /* valid, or NULL */
	const char *user_agent, *device_type, *device_platform;
	const struct conf_routes *routes, *no_routes; /* "default" entries are passed over */
	const struct strv *dns;
	bool restrict_to_routes;
	const struct conf_ports *ports; /* restrict-user-to-ports */
	const char *next_script;	/* set when the firewall helper runs in a script's place */
	uint64_t bytes_in, bytes_out, duration; /* disconnect: from and to the client, seconds */
};

/* BASE (the process's environ) with our variables added or replaced; NULL-terminated, child of
 * CTX.  ERR_NOMEM. */
MUST_USE enum err hook_env_build(TALLOC_CTX *ctx, const struct hook_env *env, char *const *base,
				 char ***out);

/* Expands a route-add-cmd/route-del-cmd template (config.md 8.7) for /bin/sh -c: %{R} or %R is the
 * route as stored, %{RI} its CIDR form, %{D} or %D the device.  Routes were checked when they were
 * parsed, so they carry nothing a shell would act on.  *OUT is a child of CTX.
 * ERR_SYNTAX: any other %. */
MUST_USE enum err hook_expand_route(TALLOC_CTX *ctx, const char *template,
				    const struct conf_route *route, const char *device, char **out);

#endif /* MAIN_HOOK_ENV_H */
