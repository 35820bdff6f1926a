/* cstp_resp.c - the CONNECT response, one table of headers in the order of protocol.md 5.3. */
#include "wire/cstp_resp.h"

#include <stdio.h>
#include <string.h>

#include "wire/http_resp.h"
#include "wire/route.h"

/* DTLS rekeys later than CSTP, so that both do not at once. */
enum { DTLS_REKEY_DELAY = 10 };

/* Older clients cannot take IPv6 routes and servers. */
static bool has_v6_config(const struct cstp_response *r)
{
	return r->v6.addr.family && r->full_ipv6 && r->agent.class != CLIENT_OCV3;
}

static bool has_dtls(const struct cstp_response *r)
{
	return r->dtls.mode != DTLS_NONE;
}

static void put_text(struct buf *b, const char *name, const char *value)
{
	if (value && *value)
		http_resp_header(b, name, value);
}

static void put_nonzero(struct buf *b, const char *name, uint32_t value)
{
	if (value)
		http_resp_header_u64(b, name, value);
}

static void put_or_none(struct buf *b, const char *name, uint32_t value)
{
	if (value)
		http_resp_header_u64(b, name, value);
	else
		http_resp_header(b, name, "none");
}

static void put_bool(struct buf *b, const char *name, bool value)
{
	http_resp_header(b, name, value ? "true" : "false");
}

bool cstp_routes_are_default(const struct strv *routes)
{
	struct route route;

	if (!routes || !routes->n)
		return true;
	for (size_t i = 0; i < routes->n; i++)
		if (route_parse(routes->item[i], &route) == ERR_OK && route_is_default(&route))
			return true;
	return false;
}

static void v_1(struct buf *b, const char *name, const struct cstp_response *r)
{
	(void)r;
	http_resp_header(b, name, "1");
}

static void v_true(struct buf *b, const char *name, const struct cstp_response *r)
{
	(void)r;
	http_resp_header(b, name, "true");
}

static void v_none(struct buf *b, const char *name, const struct cstp_response *r)
{
	(void)r;
	http_resp_header(b, name, "none");
}

static void v_accept(struct buf *b, const char *name, const struct cstp_response *r)
{
	(void)r;
	http_resp_header(b, name, "accept");
}

static void v_server_name(struct buf *b, const char *name, const struct cstp_response *r)
{
	put_text(b, name, r->server_name);
}

static void v_hostname(struct buf *b, const char *name, const struct cstp_response *r)
{
	put_text(b, name, r->hostname);
}

static void v_domain(struct buf *b, const char *name, const struct cstp_response *r)
{
	put_text(b, name, r->default_domain);
}

static void v_dpd(struct buf *b, const char *name, const struct cstp_response *r)
{
	put_nonzero(b, name, r->dpd);
}

static void v_address(struct buf *b, const char *name, const struct cstp_response *r)
{
	char text[ADDR_TEXT];

	if (r->v4.addr.family)
		http_resp_header(b, name, addr_print(&r->v4.addr, text));
}

static void v_netmask(struct buf *b, const char *name, const struct cstp_response *r)
{
	struct addr mask = addr_mask4(r->v4.prefix);
	char text[ADDR_TEXT];

	if (r->v4.addr.family)
		http_resp_header(b, name, addr_print(&mask, text));
}

static void v_address_ip6(struct buf *b, const char *name, const struct cstp_response *r)
{
	char text[ADDR_NET_TEXT];

	if (r->v6.addr.family && r->full_ipv6)
		http_resp_header(b, name, addr_net_print(&r->v6, text));
}

/* Clients that know IPv6 but not Address-IP6 take it in the IPv4 headers. */
static void v_old_ip6(struct buf *b, const char *name, const struct cstp_response *r)
{
	struct addr_net net = r->v6;
	char text[ADDR_NET_TEXT];

	if (!r->v6.addr.family || r->full_ipv6)
		return;
	http_resp_header(b, name, addr_print(&r->v6.addr, text));
	net.addr = addr_network(&net.addr, net.prefix);
	http_resp_header(b, "X-CSTP-Netmask", addr_net_print(&net, text));
}

static void v_dns(struct buf *b, const char *name, const struct cstp_response *r)
{
	struct addr a;

	for (size_t i = 0; r->dns && i < r->dns->n; i++) {
		const char *text = r->dns->item[i];
		bool v6 = addr_parse(text, &a) == ERR_OK && a.family == AF_INET6;
		if (v6 ? !has_v6_config(r) : !r->v4.addr.family)
			continue;
		http_resp_header(
			b, v6 && r->agent.class == CLIENT_ANYCONNECT ? "X-CSTP-DNS-IP6" : name,
			text);
	}
}

static void v_nbns(struct buf *b, const char *name, const struct cstp_response *r)
{
	for (size_t i = 0; r->nbns && i < r->nbns->n && r->v4.addr.family; i++)
		http_resp_header(b, name, r->nbns->item[i]);
}

static void v_split_dns(struct buf *b, const char *name, const struct cstp_response *r)
{
	for (size_t i = 0; r->split_dns && i < r->split_dns->n; i++)
		http_resp_header(b, name, r->split_dns->item[i]);
}

/* One route of either family, if the client got an address of it. */
static void put_route(struct buf *b, const char *name, const struct cstp_response *r,
		      const struct route *route)
{
	bool v6 = route->net.addr.family == AF_INET6;
	char text[ADDR_NET_TEXT], name6[64];

	if (route->is_default || (v6 ? !has_v6_config(r) : !r->v4.addr.family))
		return;
	snprintf(name6, sizeof name6, "%s-IP6", name);
	http_resp_header(b, v6 ? name6 : name, route_print(route, text));
}

/* The route that stands for the local network must come first (0.0.0.0/32, ::/128). */
static bool is_local_lan(const struct route *route)
{
	static const uint8_t zero[16];

	return !route->is_default && route->net.prefix == addr_bits(&route->net.addr) &&
	       memcmp(route->net.addr.bytes, zero, addr_len(&route->net.addr)) == 0;
}

/* The routes of LIST that stand for the local network, or all others. */
static void put_routes(struct buf *b, const char *name, const struct cstp_response *r,
		       const struct strv *list, bool local_lan)
{
	struct route route;

	for (size_t i = 0; list && i < list->n; i++) {
		if (route_parse(list->item[i], &route)) {
			b->failed = true;
			return;
		}
		if (is_local_lan(&route) == local_lan)
			put_route(b, name, r, &route);
	}
}

static void v_include(struct buf *b, const char *name, const struct cstp_response *r)
{
	if (!cstp_routes_are_default(r->routes)) {
		put_routes(b, name, r, r->routes, true);
		put_routes(b, name, r, r->routes, false);
	}
	if (r->agent.ios && has_v6_config(r))
		http_resp_header(b, "X-CSTP-Split-Include-IP6", "2000::/3");
}

static void v_exclude(struct buf *b, const char *name, const struct cstp_response *r)
{
	put_routes(b, name, r, r->no_routes, true);
	put_routes(b, name, r, r->no_routes, false);
}

static void v_tunnel_all_dns(struct buf *b, const char *name, const struct cstp_response *r)
{
	put_bool(b, name, r->tunnel_all_dns || cstp_routes_are_default(r->routes));
}

static void v_bypass(struct buf *b, const char *name, const struct cstp_response *r)
{
	put_bool(b, name, r->client_bypass);
}

static void v_keepalive(struct buf *b, const char *name, const struct cstp_response *r)
{
	put_nonzero(b, name, r->keepalive);
}

static void v_idle(struct buf *b, const char *name, const struct cstp_response *r)
{
	put_or_none(b, name, r->idle_timeout);
}

static void v_smartcard(struct buf *b, const char *name, const struct cstp_response *r)
{
	if (r->smartcard_removal)
		put_bool(b, name, true);
}

static void v_dyndns(struct buf *b, const char *name, const struct cstp_response *r)
{
	if (r->dyndns)
		put_bool(b, name, true);
}

static void v_rekey_time(struct buf *b, const char *name, const struct cstp_response *r)
{
	if (r->rekey != CSTP_REKEY_NONE)
		put_nonzero(b, name, r->rekey_time);
}

static void v_rekey_method(struct buf *b, const char *name, const struct cstp_response *r)
{
	static const char *const names[] = {
		[CSTP_REKEY_NONE] = "none",
		[CSTP_REKEY_SSL] = "ssl",
		[CSTP_REKEY_NEW_TUNNEL] = "new-tunnel",
	};

	http_resp_header(b, name, names[r->rekey_time ? r->rekey : CSTP_REKEY_NONE]);
}

static void v_pac(struct buf *b, const char *name, const struct cstp_response *r)
{
	put_text(b, name, r->pac_url);
}

static void v_session(struct buf *b, const char *name, const struct cstp_response *r)
{
	put_or_none(b, name, r->session_timeout);
}

static void v_session_left(struct buf *b, const char *name, const struct cstp_response *r)
{
	if (r->session_timeout)
		http_resp_header_u64(b, name, r->session_left);
}

static void v_custom(struct buf *b, const char *name, const struct cstp_response *r)
{
	(void)name;
	for (size_t i = 0; r->custom && i < r->custom->n; i++)
		http_resp_line(b, r->custom->item[i]);
}

static void v_security(struct buf *b, const char *name, const struct cstp_response *r)
{
	(void)name;
	http_resp_security(b, r->security, false);
}

static void v_dtls_dpd(struct buf *b, const char *name, const struct cstp_response *r)
{
	if (has_dtls(r))
		put_nonzero(b, name, r->dpd);
}

static void v_dtls_port(struct buf *b, const char *name, const struct cstp_response *r)
{
	if (has_dtls(r))
		http_resp_header_u64(b, name, r->udp_port);
}

static void v_dtls_rekey_time(struct buf *b, const char *name, const struct cstp_response *r)
{
	if (has_dtls(r) && r->rekey != CSTP_REKEY_NONE && r->rekey_time)
		http_resp_header_u64(b, name, (uint64_t)r->rekey_time + DTLS_REKEY_DELAY);
}

static void v_dtls_rekey_method(struct buf *b, const char *name, const struct cstp_response *r)
{
	if (has_dtls(r) && r->rekey == CSTP_REKEY_SSL && r->rekey_time)
		http_resp_header(b, name, "ssl");
}

static void v_dtls_keepalive(struct buf *b, const char *name, const struct cstp_response *r)
{
	if (has_dtls(r))
		put_nonzero(b, name, r->keepalive);
}

/* The id and the suite under the names of the chosen mode and header family. */
static void v_dtls_id(struct buf *b, const char *name, const struct cstp_response *r)
{
	char hex[2 * CSTP_ID_LEN + 1];
	bool legacy = r->dtls.mode == DTLS_LEGACY;

	if (!has_dtls(r))
		return;
	hex_encode(r->app_id, CSTP_ID_LEN, hex);
	http_resp_header(b, legacy ? "X-DTLS-Session-ID" : name, hex);
	http_resp_header(b, r->dtls.header, r->dtls.name);
	if (legacy)
		put_nonzero(b, "X-DTLS-MTU", r->mtu);
}

static void v_base_mtu(struct buf *b, const char *name, const struct cstp_response *r)
{
	put_nonzero(b, name, r->base_mtu);
}

static void v_mtu(struct buf *b, const char *name, const struct cstp_response *r)
{
	put_nonzero(b, name, r->mtu);
}

static void v_banner(struct buf *b, const char *name, const struct cstp_response *r)
{
	put_text(b, name, r->banner);
}

static void v_dtls_encoding(struct buf *b, const char *name, const struct cstp_response *r)
{
	if (has_dtls(r))
		put_text(b, name, r->dtls_encoding);
}

static void v_cstp_encoding(struct buf *b, const char *name, const struct cstp_response *r)
{
	put_text(b, name, r->cstp_encoding);
}

/* Header name (in the exact case that openconnect compares), what writes it. */
struct header_row {
	const char *name;
	void (*write)(struct buf *b, const char *name, const struct cstp_response *r);
};

static const struct header_row rows[] = {
	{ "", v_security },
	{ "X-CSTP-Version", v_1 },
	{ "X-CSTP-Server-Name", v_server_name },
	{ "X-CSTP-Hostname", v_hostname },
	{ "X-CSTP-DPD", v_dpd },
	{ "X-CSTP-Default-Domain", v_domain },
	{ "X-CSTP-Address", v_address },
	{ "X-CSTP-Netmask", v_netmask },
	{ "X-CSTP-Address-IP6", v_address_ip6 },
	{ "X-CSTP-Address", v_old_ip6 },
	{ "X-CSTP-DNS", v_dns },
	{ "X-CSTP-NBNS", v_nbns },
	{ "X-CSTP-Split-DNS", v_split_dns },
	{ "X-CSTP-Split-Include", v_include },
	{ "X-CSTP-Tunnel-All-DNS", v_tunnel_all_dns },
	{ "X-CSTP-Client-Bypass-Protocol", v_bypass },
	{ "X-CSTP-Split-Exclude", v_exclude },
	{ "X-CSTP-Keepalive", v_keepalive },
	{ "X-CSTP-Idle-Timeout", v_idle },
	{ "X-CSTP-Smartcard-Removal-Disconnect", v_smartcard },
	{ "X-CSTP-DynDNS", v_dyndns },
	{ "X-CSTP-Rekey-Time", v_rekey_time },
	{ "X-CSTP-Rekey-Method", v_rekey_method },
	{ "X-CSTP-MSIE-Proxy-PAC-URL", v_pac },
	{ "X-CSTP-MSIE-Proxy-Pac-URL", v_pac }, /* what ocserv writes */
	{ "X-CSTP-Session-Timeout", v_session },
	{ "X-CSTP-Session-Timeout-Remaining", v_session_left },
	{ "X-CSTP-Disconnected-Timeout", v_none },
	{ "X-CSTP-Keep", v_true },
	{ "X-CSTP-TCP-Keepalive", v_true },
	{ "X-CSTP-License", v_accept },
	{ "", v_custom },
	{ "X-DTLS-DPD", v_dtls_dpd },
	{ "X-DTLS-Port", v_dtls_port },
	{ "X-DTLS-Rekey-Time", v_dtls_rekey_time },
	{ "X-DTLS-Rekey-Method", v_dtls_rekey_method },
	{ "X-DTLS-Keepalive", v_dtls_keepalive },
	{ "X-DTLS-App-ID", v_dtls_id },
	{ "X-CSTP-Base-MTU", v_base_mtu },
	{ "X-CSTP-MTU", v_mtu },
	{ "X-CSTP-Banner", v_banner },
	{ "X-DTLS-Content-Encoding", v_dtls_encoding },
	{ "X-CSTP-Content-Encoding", v_cstp_encoding },
};

void cstp_response_build(struct buf *b, const struct cstp_response *r)
{
	if ((!r->v4.addr.family && !r->v6.addr.family) || !r->mtu)
		b->failed = true;
	http_resp_begin(b, 200, "CONNECTED", HTTP_SILENT);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		rows[i].write(b, rows[i].name, r);
	buf_puts(b, "\r\n");
}
