/* layers.c - one session's settings: host, then group file, then user file (config.md 10.1, 10.3).
 */
#include <string.h>

#include "conf/build.h"
#include "conf/parse.h"
#include "conf/types.h"

/* True for options that live in struct session_conf. */
static bool in_session(const struct conf_option *opt)
{
	return opt->scope == CONF_SCOPE_USER || opt->scope == CONF_SCOPE_PERUSER;
}

static void *session_field(struct session_conf *s, const struct conf_option *opt)
{
	return (char *)s + opt->session_offset;
}

static const void *host_field(const struct host_conf *host, const struct conf_option *opt)
{
	return (const char *)host + opt->offset;
}

/* Pools are joined from network and mask only when the files are known. */
static bool is_pool(enum conf_opt opt)
{
	return opt == CONF_OPT_ipv4_network || opt == CONF_OPT_ipv4_netmask ||
	       opt == CONF_OPT_ipv6_network;
}

/* Everything a file may override starts with the host's value. */
static enum err begin_with_host(struct session_conf *s)
{
	enum err err = ERR_OK;

	for (size_t i = 0; i < CONF_OPT_COUNT && !err; i++) {
		const struct conf_option *opt = &conf_options[i];

		if (opt->scope == CONF_SCOPE_USER && !is_pool(opt->id))
			err = conf_copy_field(s, opt->type, host_field(s->host, opt),
					      session_field(s, opt));
	}
	return err;
}

/* Other keys were told about when their file was read. */
static enum err apply_row(struct session_conf *s, const struct conf_row *row,
			  struct conf_report *report)
{
	const struct conf_option *opt = conf_option_of(row->option);
	struct conf_set set = {
		.ctx = s,
		.report = report,
		.opt = opt,
		.where = { .file = row->file, .line = row->line, .option = row->option }
	};
	void *field;

	if (!opt || !in_session(opt))
		return ERR_OK;
	field = session_field(s, opt);
	/* The first line of the files replaces the host's list, further ones append to it. */
	if (opt->type->item && !s->origin[opt->id])
		memset(field, 0, opt->type->size);
	s->origin[opt->id] = row;
	return conf_set_field(&set, row->value, field) ? ERR_OK : ERR_CONF;
}

/* All rows, so that all errors are told. */
static enum err apply_rows(struct session_conf *s, const struct conf_rows *rows,
			   struct conf_report *report)
{
	enum err result = ERR_OK;

	for (size_t i = 0; i < rows->n; i++) {
		enum err err = apply_row(s, &rows->item[i], report);

		result = result ? result : err;
	}
	return result;
}

/* A row that a back end granted comes from no file (auth/open.c). */
static bool is_granted(const struct conf_row *row)
{
	return row && !*row->file;
}

/* The smallest network around A's block of prefix UNIT that begins with another block: the first
 * one has the server's address. */
static struct addr_net network_around(const struct addr *a, unsigned unit)
{
	struct addr block = addr_network(a, unit);
	struct addr_net net = { block, (uint8_t)unit };

	while (net.prefix && addr_equal(&net.addr, &block))
		net.addr = addr_network(a, --net.prefix);
	return net;
}

/* radius.md 3.2: an address that RADIUS gives is a network of its own.  Only where it lies in a
 * pool that is no larger than its block it is one address of that pool, or it would take all. */
static void finish_granted_ipv6(struct session_conf *s)
{
	struct addr_net *net = &s->ipv6_network;

	if (!is_granted(s->origin[CONF_OPT_explicit_ipv6]) ||
	    (net->addr.family && net->prefix < s->ipv6_subnet_prefix))
		return;
	if (net->addr.family && addr_in_net(&s->explicit_ipv6, net))
		s->ipv6_subnet_prefix = s->host->ipv6_subnet_prefix;
	else
		*net = network_around(&s->explicit_ipv6, s->ipv6_subnet_prefix);
}

/* A pool of the files counts only when both network and mask are known. */
static void finish_pools(struct session_conf *s)
{
	/* RADIUS may have clients told another mask than the pool's (radius.md 3.2). */
	uint8_t told = is_granted(s->origin[CONF_OPT_ipv4_netmask]) ? s->ipv4_netmask : 0;

	conf_join_pool(&s->ipv4_network, s->ipv4_netmask, s->origin[CONF_OPT_ipv4_network],
		       s->origin[CONF_OPT_ipv4_netmask]);
	conf_join_pool(&s->ipv6_network, 0, s->origin[CONF_OPT_ipv6_network], NULL);
	if (!s->ipv4_network.addr.family || !s->ipv4_network.prefix)
		s->ipv4_network = s->host->ipv4_network;
	if (!s->ipv6_network.addr.family || !s->ipv6_network.prefix)
		s->ipv6_network = s->host->ipv6_network;
	s->ipv4_netmask = told ? told : s->ipv4_network.prefix;
	finish_granted_ipv6(s);
}

/* Each client gets a block of the pool, so the block must be the smaller one. */
static enum err check_subnet(const struct session_conf *s, struct conf_report *report)
{
	const struct conf_row *row = s->origin[CONF_OPT_ipv6_subnet_prefix]
					     ? s->origin[CONF_OPT_ipv6_subnet_prefix]
					     : s->origin[CONF_OPT_ipv6_network];
	struct conf_where where = { 0 };

	/* What the host itself says was checked when it was loaded. */
	if (!row || !s->ipv6_network.addr.family || s->ipv6_subnet_prefix > s->ipv6_network.prefix)
		return ERR_OK;
	where.file = row->file;
	where.line = row->line;
	where.option = row->option;
	conf_report_add(report, CONF_ERROR, &where,
			"the subnet prefix (%u) cannot be smaller or equal to network's (%u)",
			s->ipv6_subnet_prefix, s->ipv6_network.prefix);
	return ERR_CONF;
}

/* Only where the files replaced a list; otherwise it is the host's already. */
static enum err append_host_routes(struct session_conf *s)
{
	enum err err = ERR_OK;

	if (s->host->append_routes && s->origin[CONF_OPT_route])
		err = conf_append_field(s, &conf_type_routes, &s->host->route, &s->route);
	if (!err && s->host->append_routes && s->origin[CONF_OPT_no_route])
		err = conf_append_field(s, &conf_type_routes, &s->host->no_route, &s->no_route);
	return err;
}

/* config.md 8.5: what the host derived from dpd and idle-timeout follows the session's values. */
static void finish_timers(struct session_conf *s)
{
	bool own_dpd = s->origin[CONF_OPT_mobile_dpd] != NULL;

	if (own_dpd ? s->mobile_dpd == 0 : s->host->mobile_dpd_follows)
		s->mobile_dpd = s->dpd;
	if (s->host->mobile_idle_follows && !s->origin[CONF_OPT_mobile_idle_timeout])
		s->mobile_idle_timeout = s->idle_timeout;
}

/* config.md 13.2, with 0.0.0.0/0 read as the default route, as its author means it. */
static void finish_routes(struct session_conf *s)
{
	s->default_route = s->route.n == 0;
	for (size_t i = 0; i < s->route.n; i++) {
		const struct conf_route *r = &s->route.item[i];

		if (r->is_default || (r->net.addr.family == AF_INET && r->net.prefix == 0))
			s->default_route = true;
	}
	if (s->default_route) {
		s->route.n = 0;
		s->tunnel_all_dns = true;
	}
}

enum err conf_session_new(TALLOC_CTX *ctx, const struct host_conf *host,
			  const struct conf_rows *rows, struct conf_report *report,
			  struct session_conf **out)
{
	struct session_conf *s = talloc_zero(ctx, struct session_conf);

	enum err err = ERR_NOMEM;

	if (!s)
		return ERR_NOMEM;
	s->host = host;
	s->origin = talloc_zero_array(s, const struct conf_row *, CONF_OPT_COUNT);
	for (size_t i = 0; s->origin && i < rows->n; i++)
		if (conf_rows_add(s, &s->rows, &rows->item[i]))
			goto out;
	if (s->origin)
		err = begin_with_host(s);
	if (!err)
		err = apply_rows(s, &s->rows, report);
	if (!err)
		err = append_host_routes(s);
	if (!err) {
		finish_pools(s);
		finish_timers(s);
		finish_routes(s);
		err = check_subnet(s, report);
	}
out:
	if (err)
		talloc_free(s);
	else
		*out = s;
	return err;
}

/* Keeps what may be set per user; the rest is told to the log (config.md 10.1). */
static enum err keep_known(TALLOC_CTX *ctx, const struct conf_rows *from,
			   struct conf_report *report, struct conf_rows *to)
{
	for (size_t i = 0; i < from->n; i++) {
		const struct conf_row *row = &from->item[i];
		const struct conf_option *opt = conf_option_of(row->option);

		if (!opt || !in_session(opt))
			conf_report_unknown(report, row, true);
		else if (conf_rows_add(ctx, to, row))
			return ERR_NOMEM;
	}
	return ERR_OK;
}

enum err conf_user_parse(TALLOC_CTX *ctx, const char *name, const char *text, size_t len,
			 struct conf_report *report, struct conf_rows *rows)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct conf_rows all = { 0 };
	enum err err = conf_parse(tmp, name, text, len, false, report, &all);

	if (!err)
		err = keep_known(ctx, &all, report, rows);
	talloc_free(tmp);
	return err;
}
