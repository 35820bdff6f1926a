/* user.c - a connection as a row, a record and a JSON object. */
#include "ctl/user.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "ctl/fmt.h"
#include "ctl/json.h"
#include "ctl/line.h"

enum { SID_SHORT = 6 };

const char *user_vpn_ip(const CtlUser *u)
{
	return *u->ipv4 ? u->ipv4 : u->ipv6;
}

const char *user_or_none(const char *name)
{
	return *name ? name : "(none)";
}

/* Bytes a second since the connection was made. */
static uint64_t average(const CtlUser *u, uint64_t bytes, int64_t now)
{
	int64_t seconds = now - u->connected_at;

	return seconds > 0 ? bytes / (uint64_t)seconds : bytes;
}

/* Who is not connected yet has no routes at all. */
static bool has_default_route(const CtlUser *u)
{
	return u->n_route == 0 && *u->device;
}

struct table *user_table(const struct view *v)
{
	static const struct column col[] = {
		{ "id", 8, 8, 7, 0 },
		{ "user", 8, 8, 4, 0 },
		{ "vhost", 8, 8, 5, 0 },
		{ "ip", 14, 14, 15, 0 },
		{ "vpn-ip", 14, 14, 15, 0 },
		{ "device", 6, 6, 6, 0 },
		{ "since", 7, 6, 6, 0 }, /* as wide as an interval */
		{ "dtls-cipher", 14, 14, 8, 0 },
		{ "status", 9, 9, 6, 0 },
	};

	return table_new(v, col, sizeof col / sizeof col[0]);
}

void user_row(const struct view *v, struct table *t, const CtlUser *u)
{
	char id[16], since[FMT_TEXT];
	const char *cell[] = {
		id,
		user_or_none(u->username),
		u->vhost,
		u->remote_ip,
		user_vpn_ip(u),
		u->device,
		fmt_interval(v->now - u->connected_at, since),
		*u->dtls_cipher ? fmt_cipher(u->dtls_cipher) : "(no-dtls)",
		u->state,
	};

	snprintf(id, sizeof id, "%u", u->id);
	table_row(t, cell);
}

/* ---- the human record ---- */

static void print_identity(struct line *l, const CtlUser *u)
{
	const struct view *v = l->v;

	line_printf(l, "ID", "%u", u->id);
	line_end(l);
	line_text(l, "Username", user_or_none(u->username));
	line_text(l, "Groupname", user_or_none(u->groupname));
	line_end(l);
	line_single(l, "State", u->state);
	line_single(l, "vhost", u->vhost);
	line_text(l, "Device", u->device);
	if (u->mtu)
		line_printf(l, "MTU", "%u", u->mtu);
	line_end(l);
	line_text(l, "Remote IP", u->remote_ip);
	line_text(l, "Location", geo_location(v->ctx, v->geo, u->remote_ip));
	line_end(l);
	line_single(l, "Local Device IP", u->local_ip);
	line_text(l, "IPv4", u->ipv4);
	line_text(l, "P-t-P IPv4", u->ipv4_server);
	line_end(l);
	line_text(l, "IPv6", u->ipv6);
	line_text(l, "P-t-P IPv6", u->ipv6_server);
	line_end(l);
	line_single(l, "User-Agent", u->user_agent);
}

static void print_traffic(struct line *l, const CtlUser *u)
{
	char a[FMT_TEXT], b[FMT_TEXT];

	if (u->limit_rx)
		line_text(l, "Limit RX", fmt_rate(u->limit_rx, a));
	if (u->limit_tx)
		line_text(l, "Limit TX", fmt_rate(u->limit_tx, a));
	line_end(l);
	line_printf(l, "RX", "%" PRIu64 " (%s)", u->rx, fmt_amount(u->rx, a));
	line_printf(l, "TX", "%" PRIu64 " (%s)", u->tx, fmt_amount(u->tx, a));
	line_end(l);
	fprintf(l->v->out, "\tAverage bandwidth RX: %s  TX: %s\n",
		fmt_rate(average(u, u->rx, l->v->now), a),
		fmt_rate(average(u, u->tx, l->v->now), b));
}

static void print_moment(struct line *l, const char *key, int64_t when)
{
	char date[FMT_TEXT], since[FMT_TEXT];

	if (!when)
		return;
	line_printf(l, key, "%s (%s)", fmt_date(when, date), fmt_interval(l->v->now - when, since));
	line_end(l);
}

static void print_session(struct line *l, const CtlUser *u)
{
	line_printf(l, "DPD", "%u", u->dpd);
	line_printf(l, "KeepAlive", "%u", u->keepalive);
	line_end(l);
	line_single(l, "Hostname", u->hostname);
	print_moment(l, "Last connected at", u->connected_at);
	print_moment(l, "Session started at", u->session_started_at);
	line_printf(l, "Session", "%.*s", SID_SHORT, u->sid);
	line_end(l);
	line_single(l, "TLS ciphersuite", u->tls_cipher);
	line_single(l, "DTLS cipher", u->dtls_cipher);
	line_text(l, "CSTP compression", u->cstp_compression);
	line_text(l, "DTLS compression", u->dtls_compression);
	line_end(l);
}

static void print_network(struct line *l, const CtlUser *u)
{
	line_list(l, "DNS", u->dns, u->n_dns);
	line_list(l, "NBNS", u->nbns, u->n_nbns);
	line_list(l, "Split-DNS-Domains", u->split_dns, u->n_split_dns);
	if (has_default_route(u))
		line_single(l, "Routes", "defaultroute");
	else
		line_list(l, "Routes", u->route, u->n_route);
	line_list(l, "No-routes", u->no_route, u->n_no_route);
	line_list(l, "iRoutes", u->iroute, u->n_iroute);
	line_single(l, "Restricted to routes", u->restrict_to_routes ? "True" : "False");
	line_single(l, "Restricted to ports", u->restrict_to_ports);
}

void user_print(const struct view *v, const CtlUser *u)
{
	struct line l = { .v = v };

	print_identity(&l, u);
	print_traffic(&l, u);
	print_session(&l, u);
	fputc('\n', v->out);
	print_network(&l, u);
	fputc('\n', v->out);
}

/* ---- the JSON object, keys in the order of admin.md ---- */

static void json_identity(const struct view *v, json_t *o, const CtlUser *u)
{
	js_int(o, "ID", u->id);
	js_text(o, "Username", user_or_none(u->username));
	js_text(o, "Groupname", user_or_none(u->groupname));
	js_text(o, "State", u->state);
	js_text(o, "vhost", u->vhost);
	js_text(o, "Device", u->device);
	if (u->mtu)
		js_int_text(o, "MTU", u->mtu);
	js_text(o, "Remote IP", u->remote_ip);
	js_text(o, "Location", geo_location(v->ctx, v->geo, u->remote_ip));
	js_text(o, "Local Device IP", u->local_ip);
	js_text(o, "IPv4", u->ipv4);
	js_text(o, "P-t-P IPv4", u->ipv4_server);
	js_text(o, "IPv6", u->ipv6);
	js_text(o, "P-t-P IPv6", u->ipv6_server);
	js_text(o, "User-Agent", u->user_agent);
}

static void json_traffic(json_t *o, const CtlUser *u, int64_t now)
{
	char text[FMT_TEXT];

	if (u->limit_rx)
		js_text(o, "Limit RX", fmt_rate(u->limit_rx, text));
	if (u->limit_tx)
		js_text(o, "Limit TX", fmt_rate(u->limit_tx, text));
	js_int_text(o, "RX", u->rx);
	js_int_text(o, "TX", u->tx);
	js_text(o, "_RX", fmt_amount(u->rx, text));
	js_text(o, "_TX", fmt_amount(u->tx, text));
	js_text(o, "Average RX", fmt_rate(average(u, u->rx, now), text));
	js_text(o, "Average TX", fmt_rate(average(u, u->tx, now), text));
	js_int_text(o, "DPD", u->dpd);
	js_int_text(o, "KeepAlive", u->keepalive);
	js_text(o, "Hostname", u->hostname);
}

static void json_session(json_t *o, const CtlUser *u, int64_t now)
{
	char text[FMT_TEXT], sid[SID_SHORT + 1];

	if (u->connected_at) {
		js_text(o, "Last connected at", fmt_date(u->connected_at, text));
		js_text(o, "_Last connected at", fmt_interval(now - u->connected_at, text));
	}
	if (u->session_started_at) {
		js_text(o, "Session started at", fmt_date(u->session_started_at, text));
		js_text(o, "_Session started at", fmt_interval(now - u->session_started_at, text));
	}
	js_int(o, "raw_connected_at", u->connected_at);
	js_int(o, "raw_session_started_at", u->session_started_at);
	js_text(o, "Full session", u->sid);
	str_copy(sid, sizeof sid, u->sid);
	js_text(o, "Session", sid);
	js_text(o, "TLS ciphersuite", u->tls_cipher);
	js_text(o, "DTLS cipher", u->dtls_cipher);
	js_text(o, "CSTP compression", u->cstp_compression);
	js_text(o, "DTLS compression", u->dtls_compression);
}

/* "tcp(443), icmp()" is one text on the wire and a list in JSON. */
static void json_ports(TALLOC_CTX *ctx, json_t *o, const char *ports)
{
	char *copy = talloc_strdup(ctx, ports), *rest = copy, *item;
	struct strv list = { 0 };

	while (rest && (item = strsep(&rest, ",")) != NULL) {
		item += strspn(item, " ");
		if (*item && strv_add(ctx, &list, item))
			break;
	}
	js_list(o, "Restricted to ports", list.item, list.n);
}

json_t *user_json(const struct view *v, const CtlUser *u)
{
	json_t *o = json_object();

	json_identity(v, o, u);
	json_traffic(o, u, v->now);
	json_session(o, u, v->now);
	js_list(o, "DNS", u->dns, u->n_dns);
	js_list(o, "NBNS", u->nbns, u->n_nbns);
	js_list(o, "Split-DNS-Domains", u->split_dns, u->n_split_dns);
	if (has_default_route(u))
		js_text(o, "Routes", "defaultroute");
	else
		js_list(o, "Routes", u->route, u->n_route);
	js_list(o, "No-routes", u->no_route, u->n_no_route);
	js_list(o, "iRoutes", u->iroute, u->n_iroute);
	js_text(o, "Restricted to routes", u->restrict_to_routes ? "True" : "False");
	json_ports(v->ctx, o, u->restrict_to_ports);
	return o;
}
