/* derive.c - values that follow from other options. */
#include <string.h>

#include "conf/build.h"
#include "conf/types.h"

void conf_join_pool(struct addr_net *net, unsigned mask, const struct conf_row *net_row,
		    const struct conf_row *mask_row)
{
	bool mask_is_later = !net_row || (mask_row && mask_row > net_row);

	if (!net->addr.family)
		return;
	if (mask && (!net->prefix || mask_is_later))
		net->prefix = (uint8_t)mask;
	/* Host bits in a pool mean nothing: "10.0.0.1/24" is the network of 10.0.0.0. */
	if (net->prefix)
		net->addr = addr_network(&net->addr, net->prefix);
}

/* Network and mask may stand on two lines, in either order. */
static void join_pools(struct host_conf *h)
{
	conf_join_pool(&h->ipv4_network, h->ipv4_netmask, h->origin[CONF_OPT_ipv4_network],
		       h->origin[CONF_OPT_ipv4_netmask]);
	conf_join_pool(&h->ipv6_network, h->ipv6_prefix, h->origin[CONF_OPT_ipv6_network],
		       h->origin[CONF_OPT_ipv6_prefix]);
}

/* Turns FLAG on because WHY implies it. */
static void imply(const struct host_conf *h, const char *why, const char *what, bool *flag,
		  struct conf_report *report)
{
	const struct conf_where where = { .vhost = h->is_default ? NULL : h->name };

	if (!*flag)
		conf_report_add(report, CONF_NOTE, &where,
				"the %s option implies %s = true; enabling", why, what);
	*flag = true;
}

static void imply_compat(struct host_conf *h, struct conf_report *report)
{
	if (h->cisco_svc_client_compat)
		imply(h, "cisco-svc-client-compat", "dtls-legacy", &h->dtls_legacy, report);
	if (!h->cisco_client_compat)
		return;
	imply(h, "cisco-client-compat", "dtls-legacy", &h->dtls_legacy, report);
	imply(h, "cisco-client-compat", "select-group-by-url", &h->select_group_by_url, report);
}

/* AnyConnect clients that need cisco-client-compat fail with TLS 1.3; an administrator who wrote a
 * priority string knows what his clients can do (protocol.md 2.2). */
static enum err derive_priorities(struct conf *conf, struct host_conf *h)
{
	if (h->origin[CONF_OPT_tls_priorities])
		return ERR_OK;
	h->tls_priorities = conf_options[CONF_OPT_tls_priorities].def;
	if (h->cisco_client_compat)
		h->tls_priorities = talloc_asprintf(conf, "%s:-VERS-TLS1.3", h->tls_priorities);
	return h->tls_priorities ? ERR_OK : ERR_NOMEM;
}

/* The flags let sessions with an own dpd or idle-timeout follow that instead. */
static void derive_timers(struct host_conf *h)
{
	h->mobile_dpd_follows = h->mobile_dpd == 0;
	if (h->mobile_dpd_follows)
		h->mobile_dpd = h->dpd;
	h->mobile_idle_follows = !h->origin[CONF_OPT_mobile_idle_timeout];
	if (h->mobile_idle_follows)
		h->mobile_idle_timeout = h->idle_timeout;
	if (h->no_compress_limit < CONF_COMPRESS_FLOOR)
		h->no_compress_limit = CONF_COMPRESS_FLOOR;
}

/* The supplemental settings' source goes with the auth lines, inherited ones included. */
static void derive_supplemental(struct host_conf *h)
{
	for (size_t i = 0; i < h->auth.n + h->enable_auth.n; i++) {
		const struct conf_auth *a =
			i < h->auth.n ? &h->auth.item[i] : &h->enable_auth.item[i - h->auth.n];
		const char *v = conf_auth_get(a, "groupconfig");

		if (a->method == CONF_METHOD_RADIUS && v && conf_is_true(v))
			h->radius_groupconfig = true;
	}
}

enum err conf_derive(struct conf *conf, struct conf_report *report)
{
	enum err err = ERR_OK;

	if (!conf->udp_listen_host)
		conf->udp_listen_host = conf->listen_host;
	for (size_t i = 0; i < conf->n_hosts && !err; i++) {
		struct host_conf *h = conf->host[i];

		join_pools(h);
		imply_compat(h, report);
		derive_timers(h);
		derive_supplemental(h);
		err = derive_priorities(conf, h);
	}
	return err;
}
