/* hook_env.c - the environment of scripts. */
#include "main/hook_env.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wire/template.h"

/* A growing NULL-terminated environment. */
struct env {
	TALLOC_CTX *ctx;
	char **var;
	unsigned n;
	bool failed;
};

static size_t name_len(const char *var)
{
	return strcspn(var, "=");
}

/* Takes VAR ("NAME=value", child of the context); the last one of a name stays. */
static void put(struct env *e, char *var)
{
	size_t len = var ? name_len(var) : 0;
	char **grown;

	if (!var) {
		e->failed = true;
		return;
	}
	for (unsigned i = 0; i < e->n; i++) {
		if (name_len(e->var[i]) == len && memcmp(e->var[i], var, len) == 0) {
			e->var[i] = var;
			return;
		}
	}
	grown = talloc_realloc(e->ctx, e->var, char *, e->n + 2);
	if (!grown) {
		e->failed = true;
		return;
	}
	e->var = grown;
	e->var[e->n++] = talloc_steal(grown, var);
	e->var[e->n] = NULL;
}

static void set(struct env *e, const char *name, const char *value)
{
	put(e, talloc_asprintf(e->ctx, "%s=%s", name, value ? value : ""));
}

static void set_known(struct env *e, const char *name, const char *value)
{
	if (value)
		set(e, name, value);
}

static void set_u64(struct env *e, const char *name, uint64_t value)
{
	put(e, talloc_asprintf(e->ctx, "%s=%llu", name, (unsigned long long)value));
}

static void set_addr(struct env *e, const char *name, const struct addr *a)
{
	char text[ADDR_TEXT];

	if (a->family)
		set(e, name, addr_print(a, text));
}

/* Appends "ITEM " to the value of list NAME<SUFFIX>; lists end with a blank (admin.md 10.2). */
static void append(struct env *e, char **list, const char *item)
{
	if (!*list)
		*list = talloc_strdup(e->ctx, "");
	if (*list)
		*list = talloc_asprintf_append_buffer(*list, "%s ", item);
	if (!*list)
		e->failed = true;
}

/* The three variables of a list: all of it, its IPv4 and its IPv6 part; empty ones are not set. */
struct lists {
	char *all, *v4, *v6;
};

static void lists_add(struct env *e, struct lists *l, const char *item)
{
	append(e, &l->all, item);
	append(e, strchr(item, ':') ? &l->v6 : &l->v4, item);
}

static void lists_set(struct env *e, const char *name, struct lists *l)
{
	char *const part[] = { l->all, l->v4, l->v6 };
	static const char *const suffix[] = { "", "4", "6" };

	for (unsigned i = 0; i < 3; i++) {
		if (part[i])
			put(e, talloc_asprintf(e->ctx, "%s%s=%s", name, suffix[i], part[i]));
		talloc_free(part[i]);
	}
}

static void set_routes(struct env *e, const char *name, const struct conf_routes *routes)
{
	struct lists l = { 0 };

	for (size_t i = 0; routes && i < routes->n; i++)
		if (!routes->item[i].is_default)
			lists_add(e, &l, routes->item[i].text);
	lists_set(e, name, &l);
}

static void set_dns(struct env *e, const struct strv *dns)
{
	struct lists l = { 0 };

	for (size_t i = 0; dns && i < dns->n; i++)
		lists_add(e, &l, dns->item[i]);
	lists_set(e, "OCSERV_DNS", &l);
}

/* "tcp 443 icmp all "; one negation holds for the whole list. */
static void set_ports(struct env *e, const struct conf_ports *ports)
{
	char *list = NULL, item[32];

	if (!ports || ports->n == 0)
		return;
	for (size_t i = 0; i < ports->n; i++) {
		const struct conf_port *p = &ports->item[i];
		if (p->proto <= CONF_PROTO_SCTP)
			snprintf(item, sizeof item, "%s %u", conf_proto_name(p->proto), p->port);
		else
			snprintf(item, sizeof item, "%s all", conf_proto_name(p->proto));
		append(e, &list, item);
	}
	set(e, ports->item[0].negate ? "OCSERV_DENY_PORTS" : "OCSERV_ALLOW_PORTS", list);
	talloc_free(list);
}

static void set_session(struct env *e, const struct hook_env *in)
{
	static const char *const reason[] = { "connect", "disconnect", "host-update" };

	set(e, "REASON", reason[in->reason]);
	set_u64(e, "ID", in->id);
	set(e, "VHOST", in->vhost ? in->vhost : "default");
	set(e, "USERNAME", in->user);
	set(e, "GROUPNAME", in->group);
	set(e, "DEVICE", in->device);
	set(e, "USER_AGENT", in->user_agent);
	set(e, "DEVICE_TYPE", in->device_type);
	set(e, "DEVICE_PLATFORM", in->device_platform);
	set_known(e, "HOSTNAME", in->hostname);
	set_known(e, "REMOTE_HOSTNAME", in->hostname);
	set_known(e, "OCSERV_NEXT_SCRIPT", in->next_script);
}

static void set_addrs(struct env *e, const struct hook_env *in)
{
	set_addr(e, "IP_REAL", &in->real);
	set_addr(e, "IP_REAL_LOCAL", &in->real_local);
	set_addr(e, "IP_LOCAL", &in->v4_local);
	set_addr(e, "IP_REMOTE", &in->v4_remote);
	set_addr(e, "IPV6_LOCAL", &in->v6_local);
	set_addr(e, "IPV6_REMOTE", &in->v6_remote);
	if (in->v6_remote.family)
		set_u64(e, "IPV6_PREFIX", in->v6_prefix);
}

static void set_network(struct env *e, const struct hook_env *in)
{
	bool is_default = !in->routes || in->routes->n == 0;

	for (size_t i = 0; !is_default && i < in->routes->n; i++)
		is_default = in->routes->item[i].is_default;
	if (!is_default)
		set_routes(e, "OCSERV_ROUTES", in->routes);
	set_routes(e, "OCSERV_NO_ROUTES", in->no_routes);
	set_dns(e, in->dns);
	if (in->restrict_to_routes)
		set(e, "OCSERV_RESTRICT_TO_ROUTES", "1");
	set_ports(e, in->ports);
}

enum err hook_env_build(TALLOC_CTX *ctx, const struct hook_env *in, char *const *base, char ***out)
{
	struct env e = { .ctx = ctx };

	for (; base && *base; base++)
		put(&e, talloc_strdup(ctx, *base));
	set_session(&e, in);
	set_addrs(&e, in);
	set_network(&e, in);
	if (in->reason == HOOK_DISCONNECT) {
		set_u64(&e, "STATS_BYTES_IN", in->bytes_in);
		set_u64(&e, "STATS_BYTES_OUT", in->bytes_out);
		set_u64(&e, "STATS_DURATION", in->duration);
	}
	if (e.failed) {
		talloc_free(e.var);
		return ERR_NOMEM;
	}
	*out = e.var;
	return ERR_OK;
}

enum err hook_expand_route(TALLOC_CTX *ctx, const char *template, const struct conf_route *route,
			   const char *device, char **out)
{
	char cidr[ADDR_NET_TEXT];
	const struct template_var vars[] = {
		{ "R", route->text, true },
		{ "RI", addr_net_print(&route->net, cidr), false },
		{ "D", device, true },
		{ 0 },
	};

	return template_expand(ctx, template, vars, out);
}
