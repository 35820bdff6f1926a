/* origin.c - the way back from values to lines.  Rows are kept in file order, so the elements of a
 * list are found by counting what each row added. */
#include "conf/origin.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "conf/build.h"
#include "conf/types.h"

/* ---- elements of lists --------------------------------------------------- */

/* Only ports may have several elements on a line. */
static size_t count_elements(const struct conf_option *opt, const struct conf_row *row)
{
	TALLOC_CTX *tmp;
	struct conf_ports ports = { 0 };

	if (opt->type != &conf_type_ports)
		return 1;
	tmp = talloc_new(NULL);
	if (conf_ports_parse(tmp, row->value, &ports, NULL))
		ports.n = 0;
	talloc_free(tmp);
	return ports.n;
}

static bool same_host(const char *a, const char *b)
{
	return a && b ? strcasecmp(a, b) == 0 : a == b;
}

/* The name is nearly always OPT's own; to look it up takes a walk through all options, which a file
 * of thousands of routes would do millions of times while main serves nobody. */
static bool is_of(const struct conf_row *row, const struct conf_option *opt)
{
	return strcmp(row->option, opt->name) == 0 || conf_option_of(row->option) == opt;
}

/* Appends the rows of VHOST that OPT's elements come from to OUT, which has HAVE and room for N;
 * returns how many it has then. */
static size_t collect(const struct conf_rows *rows, const char *vhost,
		      const struct conf_option *opt, struct conf_origin *out, size_t have, size_t n)
{
	for (size_t i = 0; i < rows->n && have < n; i++) {
		const struct conf_row *row = &rows->item[i];

		if (!same_host(row->vhost, vhost) || !is_of(row, opt))
			continue;
		for (size_t k = count_elements(opt, row); k && have < n; k--)
			out[have++] = (struct conf_origin){ row, NULL };
	}
	return have;
}

/* A host appends to what it inherits, but for start-only lists, which it replaces (config.md 3.2).
 */
static void host_elements(const struct conf *conf, const struct host_conf *host,
			  const struct conf_option *opt, struct conf_origin *out, size_t n)
{
	const struct conf_row *last = host->origin[opt->id];
	bool replaced = !(opt->flags & CONF_RELOAD) && last && last->vhost;
	size_t have = 0;

	if (host->is_default || !replaced)
		have = collect(&conf->rows, NULL, opt, out, have, n);
	if (!host->is_default)
		have = collect(&conf->rows, host->name, opt, out, have, n);
	while (have < n)
		out[have++] = (struct conf_origin){ last, NULL };
}

/* ---- hosts --------------------------------------------------------------- */

/* VALUE is on although the file does not say so: derive.c's implications. */
static struct conf_origin implied(const struct host_conf *h, enum conf_opt opt, bool value,
				  struct conf_origin plain)
{
	bool by_client = h->cisco_client_compat;

	if (!value || (plain.row ? conf_is_true(plain.row->value)
				 : opt == CONF_OPT_dtls_legacy)) /* which is on by default */
		return plain;
	return (struct conf_origin){
		h->origin[by_client ? CONF_OPT_cisco_client_compat
				    : CONF_OPT_cisco_svc_client_compat],
		by_client ? "implied by cisco-client-compat" : "implied by cisco-svc-client-compat",
	};
}

/* The rules of derive.c, seen from their results. */
static struct conf_origin host_scalar(const struct conf *conf, const struct host_conf *h,
				      enum conf_opt opt)
{
	struct conf_origin o = { h->origin[opt], NULL };
	bool odd;

	if (opt == CONF_OPT_mobile_dpd && h->mobile_dpd_follows)
		return (struct conf_origin){ h->origin[CONF_OPT_dpd], "follows dpd" };
	if (opt == CONF_OPT_mobile_idle_timeout && h->mobile_idle_follows)
		return (struct conf_origin){ h->origin[CONF_OPT_idle_timeout],
					     "follows idle-timeout" };
	if (opt == CONF_OPT_dtls_legacy)
		return implied(h, opt, h->dtls_legacy, o);
	if (opt == CONF_OPT_select_group_by_url)
		return implied(h, opt, h->select_group_by_url, o);
	if (opt == CONF_OPT_tls_priorities && !o.row && h->cisco_client_compat)
		return (struct conf_origin){ h->origin[CONF_OPT_cisco_client_compat],
					     "without TLS 1.3 for cisco-client-compat" };
	if (opt == CONF_OPT_udp_listen_host && !o.row && conf->udp_listen_host)
		return (struct conf_origin){ conf->host[0]->origin[CONF_OPT_listen_host],
					     "follows listen-host" };
	if (opt == CONF_OPT_no_compress_limit && o.row &&
	    conf_number(o.row->value, UINT64_MAX, &odd) < CONF_COMPRESS_FLOOR)
		o.rule = "raised to 64";
	return o;
}

void conf_origins_of(const struct conf *conf, const struct host_conf *host,
		     const struct conf_option *opt, struct conf_origin *out, size_t n)
{
	if (opt->type->item)
		host_elements(conf, host, opt, out, n);
	else
		*out = host_scalar(conf, host, opt->id);
}

/* ---- sessions ------------------------------------------------------------ */

/* Rows without a file are copies of the host's routes, made so that those of others can follow
 * them (exposed.c); they come before everything else, in the host's order. */
static size_t count_copies(const struct conf_origin *o, size_t n)
{
	size_t copies = 0;

	while (copies < n && o[copies].row && !*o[copies].row->file)
		copies++;
	return copies;
}

/* What the files do not give is the host's, behind theirs only with append-routes. */
static void session_elements(const struct conf *conf, const struct session_conf *s,
			     const struct conf_option *opt, struct conf_origin *out, size_t n)
{
	size_t have = collect(&s->rows, NULL, opt, out, 0, n);

	host_elements(conf, s->host, opt, out, count_copies(out, have));
	host_elements(conf, s->host, opt, out + have, n - have);
	for (size_t i = have; i < n && s->origin[opt->id]; i++)
		out[i].rule = "added by append-routes";
}

static struct conf_origin session_scalar(const struct conf *conf, const struct session_conf *s,
					 enum conf_opt opt)
{
	if (s->origin[opt])
		return (struct conf_origin){ s->origin[opt], NULL };
	return host_scalar(conf, s->host, opt);
}

/* OPT takes SOURCE's value. */
static struct conf_origin follow(const struct conf *conf, const struct session_conf *s,
				 enum conf_opt source, const char *rule)
{
	return (struct conf_origin){ session_scalar(conf, s, source).row, rule };
}

/* A pool of the files that has no mask does not count (layers.c). */
static struct conf_origin pool_origin(const struct conf *conf, const struct session_conf *s,
				      enum conf_opt opt)
{
	bool v4 = opt == CONF_OPT_ipv4_network;
	bool hosts = v4 ? addr_net_equal(&s->ipv4_network, &s->host->ipv4_network)
			: addr_net_equal(&s->ipv6_network, &s->host->ipv6_network);

	return hosts ? host_scalar(conf, s->host, opt) : session_scalar(conf, s, opt);
}

/* The rules of layers.c, seen from their results. */
static struct conf_origin session_rule(const struct conf *conf, const struct session_conf *s,
				       enum conf_opt opt)
{
	const struct host_conf *h = s->host;
	bool own = s->origin[opt] != NULL;

	if (opt == CONF_OPT_mobile_dpd && s->mobile_dpd == s->dpd &&
	    (own ? strtoul(s->origin[opt]->value, NULL, 10) == 0 : h->mobile_dpd_follows))
		return follow(conf, s, CONF_OPT_dpd, "follows dpd");
	if (opt == CONF_OPT_mobile_idle_timeout && !own && h->mobile_idle_follows)
		return follow(conf, s, CONF_OPT_idle_timeout, "follows idle-timeout");
	if (opt == CONF_OPT_tunnel_all_dns && s->default_route &&
	    !(own ? conf_is_true(s->origin[opt]->value) : h->tunnel_all_dns))
		return (struct conf_origin){ conf_default_route_origin(conf, s).row,
					     "follows from the default route" };
	if (opt == CONF_OPT_ipv4_network || opt == CONF_OPT_ipv6_network)
		return pool_origin(conf, s, opt);
	if (opt == CONF_OPT_ipv4_netmask && !own && !h->origin[opt] && s->ipv4_netmask)
		return (struct conf_origin){ pool_origin(conf, s, CONF_OPT_ipv4_network).row,
					     "follows ipv4-network" };
	return session_scalar(conf, s, opt);
}

void conf_session_origins(const struct conf *conf, const struct session_conf *s,
			  const struct conf_option *opt, struct conf_origin *out, size_t n)
{
	if (opt->type->item)
		session_elements(conf, s, opt, out, n);
	else
		*out = session_rule(conf, s, opt->id);
}

/* The first row of VHOST in ROWS that makes the default route: config.md 13.2, and 0.0.0.0/0 as in
 * layers.c. */
static const struct conf_row *find_default(const struct conf_rows *rows, const char *vhost)
{
	const struct conf_option *route = &conf_options[CONF_OPT_route];

	for (size_t i = 0; i < rows->n; i++) {
		const struct conf_row *row = &rows->item[i];

		if (same_host(row->vhost, vhost) && conf_option_of(row->option) == route &&
		    (strcmp(row->value, "default") == 0 || str_starts(row->value, "0.0.0.0/0")))
			return row;
	}
	return NULL;
}

struct conf_origin conf_default_route_origin(const struct conf *conf, const struct session_conf *s)
{
	bool hosts = !s->origin[CONF_OPT_route] || s->host->append_routes;
	const struct conf_row *row = find_default(&s->rows, NULL);

	if (!row && hosts)
		row = find_default(&conf->rows, NULL);
	if (!row && hosts && !s->host->is_default)
		row = find_default(&conf->rows, s->host->name);
	return (struct conf_origin){
		row, row ? NULL : "no route is set, so everything goes through the tunnel"
	};
}
