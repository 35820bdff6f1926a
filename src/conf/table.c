/* table.c - options.def as an array that the rest of src/conf loops over; old names; headings. */
#include <string.h>

#include "conf/types.h"

/* The columns of options.def, under the short names it uses. */
enum { SUPER = CONF_TO_SUPER, MAIN = CONF_TO_MAIN, AUTH = CONF_TO_AUTH, WORKER = CONF_TO_WORKER };
enum { START = CONF_START, RELOAD = CONF_RELOAD };
enum { NOW = CONF_NOW, NOOP = CONF_NOOP };

#define ANY                                                                                        \
	{                                                                                          \
		.kind = CONF_LIMIT_NONE                                                            \
	}
#define RANGE(lo, hi)                                                                              \
	{                                                                                          \
		.min = (lo), .max = (hi), .kind = CONF_LIMIT_RANGE                                 \
	}
#define SOFT(lo, hi)                                                                               \
	{                                                                                          \
		.min = (lo), .max = (hi), .kind = CONF_LIMIT_SOFT                                  \
	}
#define CHECK(fn)                                                                                  \
	{                                                                                          \
		.check = (fn)                                                                      \
	}

#define AT_GLOBAL(field)       .offset = offsetof(struct conf, field)
#define AT_GLOBAL_LOOSE(field) .offset = offsetof(struct conf, field)
#define AT_VHOST(field)	       .offset = offsetof(struct host_conf, field)
#define AT_USER(field)                                                                             \
	.offset = offsetof(struct host_conf, field),                                               \
	.session_offset = offsetof(struct session_conf, field)
#define AT_PERUSER(field) .session_offset = offsetof(struct session_conf, field)

const struct conf_option conf_options[CONF_OPT_COUNT] = {
#define OPT(type_, field_, name_, scope_, to_, flags_, def_, limits_, doc_)                        \
	{                                                                                          \
		.id = CONF_OPT_##field_,                                                           \
		.name = (name_),                                                                   \
		.def = (def_),                                                                     \
		.doc = (doc_),                                                                     \
		.type = &conf_type_##type_,                                                        \
		.scope = CONF_SCOPE_##scope_,                                                      \
		.to = (to_),                                                                       \
		.flags = (flags_),                                                                 \
		.limits = limits_,                                                                 \
		AT_##scope_(field_),                                                               \
	},
#include "conf/options.def"
};

const struct conf_alias conf_aliases[] = {
	{ "ipv4-dns", CONF_ALIAS_SAME, CONF_OPT_dns, "Same as dns." },
	{ "ipv6-dns", CONF_ALIAS_SAME, CONF_OPT_dns, "Same as dns." },
	{ "ipv4-nbns", CONF_ALIAS_SAME, CONF_OPT_nbns, "Same as nbns." },
	{ "ipv6-nbns", CONF_ALIAS_SAME, CONF_OPT_nbns, "Same as nbns." },
	{ "min-reauth-time", CONF_ALIAS_RENAMED, CONF_OPT_ban_time, "Old name of ban-time." },
	{ "use-seccomp", CONF_ALIAS_IF_TRUE, CONF_OPT_isolate_workers,
	  "Old name of isolate-workers." },
	{ "use-dbus", CONF_ALIAS_IF_TRUE, CONF_OPT_use_occtl, "Old name of use-occtl." },
	{ "always-require-cert", CONF_ALIAS_IF_FALSE, CONF_OPT_cisco_client_compat,
	  "Replaced by cisco-client-compat, its opposite." },
	{ "session-control", CONF_ALIAS_DEPRECATED, CONF_OPT_COUNT, "Has no effect any more." },
	{ "listen-clear-file", CONF_ALIAS_REMOVED, CONF_OPT_COUNT,
	  "Removed; the file is refused." },
};
const size_t conf_n_aliases = sizeof(conf_aliases) / sizeof(conf_aliases[0]);

const struct conf_section conf_sections[] = {
	{ CONF_OPT_listen_host, "Listening and processes", "" },
	{ CONF_OPT_log_level, "Logging and statistics", "" },
	{ CONF_OPT_server_cert, "TLS keys and policy",
	  "Each server-cert has the server-key of the same place in the file.  With several pairs, each of another kind of key, a client gets the one that it can use." },
	{ CONF_OPT_cert_user_oid, "Names in client certificates",
	  "Needed when a method is certificate: where the user and his groups are in the certificate." },
	{ CONF_OPT_auth, "Authentication and accounting", "" },
	{ CONF_OPT_auth_timeout, "Session lifetime and cookies",
	  "A login gives the client a cookie, which opens the tunnel and opens it again when the connection was lost." },
	{ CONF_OPT_max_ban_score, "Bans",
	  "Points add up for each IPv4 address or IPv6 /64 network.  Addresses of the server's own networks are not refused." },
	{ CONF_OPT_connect_script, "Scripts and commands",
	  "They run as root, with the session's facts in the environment." },
	{ CONF_OPT_ipv4_network, "Addresses",
	  "Each session gets an address of each pool that the client asked for; the server is the first one." },
	{ CONF_OPT_dns, "DNS and names", "" },
	{ CONF_OPT_route, "Routes and firewall",
	  "The firewall options hold for traffic that the server forwards from the session's device, not for the server itself." },
	{ CONF_OPT_rx_data_per_sec, "Traffic shaping", "" },
	{ CONF_OPT_select_group, "Groups, per-user and per-group files",
	  "The group of a session decides which file of config-per-group counts." },
	{ CONF_OPT_banner, "Banners, HTTP headers, proxies", "" },
	{ CONF_OPT_cisco_client_compat, "Client compatibility", "" },
	{ CONF_OPT_camouflage, "Camouflage", "" },
	{ CONF_OPT_sec_mod_db_cleanup_time, "Accepted without effect",
	  "So that files of ocserv need no change." },
};
const size_t conf_n_sections = sizeof(conf_sections) / sizeof(conf_sections[0]);

const struct conf_option *conf_option_find(const char *name)
{
	for (size_t i = 0; i < CONF_OPT_COUNT; i++)
		if (strcmp(conf_options[i].name, name) == 0)
			return &conf_options[i];
	return NULL;
}

const struct conf_alias *conf_alias_find(const char *name)
{
	for (size_t i = 0; i < conf_n_aliases; i++)
		if (strcmp(conf_aliases[i].name, name) == 0)
			return &conf_aliases[i];
	return NULL;
}

const struct conf_option *conf_option_of(const char *name)
{
	const struct conf_option *opt = conf_option_find(name);
	const struct conf_alias *alias = opt ? NULL : conf_alias_find(name);

	return alias && alias->to < CONF_OPT_COUNT ? &conf_options[alias->to] : opt;
}

const char *conf_value_of(const struct conf_row *row)
{
	const struct conf_alias *alias =
		conf_option_find(row->option) ? NULL : conf_alias_find(row->option);

	if (alias && alias->kind == CONF_ALIAS_IF_TRUE)
		return conf_is_true(row->value) ? "true" : NULL;
	if (alias && alias->kind == CONF_ALIAS_IF_FALSE)
		return conf_is_true(row->value) ? NULL : "true";
	return row->value;
}

const struct conf_section *conf_section_at(enum conf_opt opt)
{
	for (size_t i = 0; i < conf_n_sections; i++)
		if (conf_sections[i].first == opt)
			return &conf_sections[i];
	return NULL;
}

const char *conf_scope_name(enum conf_scope scope)
{
	static const char *const names[] = {
		[CONF_SCOPE_GLOBAL] = "server",
		[CONF_SCOPE_GLOBAL_LOOSE] = "server, tolerated in a virtual host",
		[CONF_SCOPE_VHOST] = "virtual host",
		[CONF_SCOPE_USER] = "virtual host, group file, user file",
		[CONF_SCOPE_PERUSER] = "group file, user file",
	};

	return names[scope];
}
