/* firewall_rules.c - rules of sessions as text for nft. */
#include "main/firewall_rules.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The lists a session may have, and the sets for those that are long. */
enum kind { ROUTES4, ROUTES6, NO_ROUTES4, NO_ROUTES6, ALLOW, DENY, N_KINDS };

/* Networks come with a second part that says nothing: of plain intervals libnftables would read
 * every element of every session, and of everybody else on the machine, before it removes one
 * from a map. */
#define NETS4 "type ipv4_addr . nf_proto; flags interval;"
#define NETS6 "type ipv6_addr . nf_proto; flags interval;"
#define PORTS "type inet_proto . inet_service;"

struct list_kind {
	const char *name, *type, *match;
};

static const struct list_kind kinds[N_KINDS] = {
	[ROUTES4] = { "routes4", NETS4, "ip daddr . meta nfproto" },
	[ROUTES6] = { "routes6", NETS6, "ip6 daddr . meta nfproto" },
	[NO_ROUTES4] = { "noroutes4", NETS4, "ip daddr . meta nfproto" },
	[NO_ROUTES6] = { "noroutes6", NETS6, "ip6 daddr . meta nfproto" },
	[ALLOW] = { "allow", PORTS, "meta l4proto . th dport" },
	[DENY] = { "deny", PORTS, "meta l4proto . th dport" },
};

/* A list up to this length is a rule for each item: before every command libnftables reads the
 * names of all sets there are, and thousands of sessions should not have thousands of them. */
enum { FEW = 16 };

/* By enum conf_proto. */
static const uint8_t numbers[] = { IPPROTO_TCP,	 IPPROTO_UDP,	 IPPROTO_SCTP,
				   IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_ESP };

static const char sessions_map[] = "{ type ifname : verdict; ";

/* One session's text while it is built. */
struct text {
	TALLOC_CTX *tmp;
	struct buf *out;
	const char *table;
	const struct fw_rules *r;
};

bool fw_device_ok(const char *device)
{
	size_t len = strlen(device);

	if (!len || len >= FW_DEVICE)
		return false;
	for (const char *p = device; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
			return false;
	return true;
}

/* FNV-1a: enough to tell the servers of one machine apart. */
void fw_table_name(char table[FW_TABLE], const char *identity)
{
	uint32_t hash = 2166136261U;

	for (const char *p = identity; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619U;
	snprintf(table, FW_TABLE, FW_TABLE_PREFIX "%08x", hash);
}

static bool is_default(const struct conf_routes *routes)
{
	for (size_t i = 0; i < routes->n; i++)
		if (routes->item[i].is_default)
			return true;
	return routes->n == 0;
}

bool fw_rules_needed(const struct fw_rules *r)
{
	return r->ports->n ||
	       (r->restrict_to_routes && (!is_default(r->routes) || r->no_routes->n));
}

void fw_rules_base(struct buf *out, const char *table)
{
	buf_printf(out, "add table inet %s\n", table);
	buf_printf(out, "add map inet %s sessions %s}\n", table, sessions_map);
	buf_printf(out,
		   "add chain inet %s forward "
		   "{ type filter hook forward priority filter - 10; policy accept; }\n"
		   "flush chain inet %s forward\n",
		   table, table);
	buf_printf(out, "add rule inet %s forward iifname vmap @sessions\n", table);
	/* The policy would accept these, too.  But a rule that knows of connections makes the
	 * kernel put fragments together first, and only the first fragment has ports. */
	buf_printf(out, "add rule inet %s forward ct state established,related accept\n", table);
}

/* ---- rules --------------------------------------------------------------- */

static void rule(struct text *t, const char *chain, const char *match, const char *verdict)
{
	buf_printf(t->out, "add rule inet %s %s_%s %s %s\n", t->table, chain, t->r->device, match,
		   verdict);
}

static void begin_set(struct text *t, enum kind kind)
{
	buf_printf(t->out, "add set inet %s %s_%s { %s elements = { ", t->table, kinds[kind].name,
		   t->r->device, kinds[kind].type);
}

static void end_set(struct text *t)
{
	buf_puts(t->out, " }; }\n");
}

/* What is in the set of KIND gets VERDICT. */
static void set_rule(struct text *t, const char *chain, enum kind kind, const char *verdict)
{
	char match[64];

	snprintf(match, sizeof match, "%s @%s_%s", kinds[kind].match, kinds[kind].name,
		 t->r->device);
	rule(t, chain, match, verdict);
}

/* ---- networks ------------------------------------------------------------ */

/* By network, the wider one first. */
static int compare_nets(const void *a, const void *b)
{
	const struct addr_net *x = a, *y = b;
	int order = memcmp(x->addr.bytes, y->addr.bytes, sizeof x->addr.bytes);

	return order ? order : x->prefix - y->prefix;
}

/* Networks are nested or apart.  Leaves the N sorted NETs that are in no other; gives their number.
 */
static size_t outermost(struct addr_net *net, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!kept || !addr_in_net(&net[i].addr, &net[kept - 1]))
			net[kept++] = net[i];
	return kept;
}

/* The networks of FAMILY, without host bits and without those in others: *N of them, child of
 * T->tmp.  NULL: no memory, which fails the text. */
static struct addr_net *nets_of(struct text *t, const struct conf_routes *routes, int family,
				size_t *n)
{
	struct addr_net *net = talloc_zero_array(t->tmp, struct addr_net, (unsigned)routes->n + 1);

	*n = 0;
	if (!net) {
		t->out->failed = true;
		return NULL;
	}
	for (size_t i = 0; i < routes->n; i++) {
		const struct addr_net *from = &routes->item[i].net;

		if (from->addr.family != family)
			continue;
		net[*n].prefix = from->prefix;
		net[(*n)++].addr = addr_network(&from->addr, from->prefix);
	}
	qsort(net, *n, sizeof *net, compare_nets);
	*n = outermost(net, *n);
	return net;
}

/* What goes to a network of ROUTES gets VERDICT; KIND says which family. */
static void put_nets(struct text *t, const char *chain, enum kind kind,
		     const struct conf_routes *routes, const char *verdict)
{
	bool v4 = kind == ROUTES4 || kind == NO_ROUTES4;
	char text[ADDR_NET_TEXT], match[ADDR_NET_TEXT + 16];
	struct addr_net *net;
	size_t n;

	net = nets_of(t, routes, v4 ? AF_INET : AF_INET6, &n);
	if (n > FEW)
		begin_set(t, kind);
	for (size_t i = 0; i < n; i++) {
		addr_net_print(&net[i], text);
		snprintf(match, sizeof match, "%s daddr %s", v4 ? "ip" : "ip6", text);
		if (n > FEW)
			buf_printf(t->out, "%s%s . %s", i ? ", " : "", text, v4 ? "ipv4" : "ipv6");
		else
			rule(t, chain, match, verdict);
	}
	if (n > FEW) {
		end_set(t);
		set_rule(t, chain, kind, verdict);
	}
}

/* ---- ports --------------------------------------------------------------- */

static bool has_port(const struct conf_port *p)
{
	return p->proto <= CONF_PROTO_SCTP;
}

/* No packet has a port beyond the range, which the configuration accepts (config.md 14.2). */
static bool is_of(const struct conf_port *p, enum kind kind)
{
	return p->negate == (kind == DENY) && (!has_port(p) || p->port <= UINT16_MAX);
}

/* More than a few ports of KIND: they are in a set. */
static void put_port_set(struct text *t, enum kind kind)
{
	const struct conf_ports *ports = t->r->ports;
	const char *comma = "";

	begin_set(t, kind);
	for (size_t i = 0; i < ports->n; i++) {
		const struct conf_port *p = &ports->item[i];

		if (!is_of(p, kind) || !has_port(p))
			continue;
		buf_printf(t->out, "%s%u . %u", comma, numbers[p->proto], p->port);
		comma = ", ";
	}
	end_set(t);
}

/* The ports and protocols of KIND get VERDICT. */
static void put_ports(struct text *t, enum kind kind, const char *verdict)
{
	const struct conf_ports *ports = t->r->ports;
	size_t with_port = 0;
	char match[32];

	for (size_t i = 0; i < ports->n; i++)
		with_port += is_of(&ports->item[i], kind) && has_port(&ports->item[i]);
	if (with_port > FEW) {
		put_port_set(t, kind);
		set_rule(t, "session", kind, verdict);
	}
	for (size_t i = 0; i < ports->n; i++) {
		const struct conf_port *p = &ports->item[i];

		if (!is_of(p, kind) || (has_port(p) && with_port > FEW))
			continue;
		if (has_port(p))
			snprintf(match, sizeof match, "%s dport %u", conf_proto_name(p->proto),
				 p->port);
		else
			snprintf(match, sizeof match, "meta l4proto %u", numbers[p->proto]);
		rule(t, "session", match, verdict);
	}
}

/* ---- a session ----------------------------------------------------------- */

/* Whatever else is forbidden, names can be looked up. */
static void put_dns(struct text *t)
{
	static const char *const protos[] = { "udp", "tcp" };
	char match[ADDR_TEXT + 32], addr[ADDR_TEXT];
	struct addr a;

	for (size_t i = 0; t->r->dns && i < t->r->dns->n; i++) {
		if (addr_parse(t->r->dns->item[i], &a))
			continue;
		for (size_t k = 0; k < 2; k++) {
			snprintf(match, sizeof match, "%s daddr %s %s dport 53",
				 a.family == AF_INET ? "ip" : "ip6", addr_print(&a, addr),
				 protos[k]);
			rule(t, "session", match, "accept");
		}
	}
}

/* Without an end of its own the chain accepts. */
static void put_route_check(struct text *t, const char *chain)
{
	const struct fw_rules *r = t->r;

	put_nets(t, chain, NO_ROUTES4, r->no_routes, "reject");
	put_nets(t, chain, NO_ROUTES6, r->no_routes, "reject");
	if (is_default(r->routes))
		return;
	put_nets(t, chain, ROUTES4, r->routes, "accept");
	put_nets(t, chain, ROUTES6, r->routes, "accept");
	rule(t, chain, "", "reject");
}

static bool has_allowed(const struct conf_ports *ports)
{
	for (size_t i = 0; i < ports->n; i++)
		if (!ports->item[i].negate)
			return true;
	return false;
}

static void put_rules(struct text *t)
{
	const struct fw_rules *r = t->r;
	char jump[FW_DEVICE + 16] = "";

	put_dns(t);
	put_ports(t, DENY, "reject");
	if (!has_allowed(r->ports)) {
		if (r->restrict_to_routes)
			put_route_check(t, "session");
		return;
	}
	if (r->restrict_to_routes) {
		buf_printf(t->out, "create chain inet %s routes_%s\n", t->table, r->device);
		put_route_check(t, "routes");
		snprintf(jump, sizeof jump, "goto routes_%s", r->device);
	}
	put_ports(t, ALLOW, r->restrict_to_routes ? jump : "accept");
	rule(t, "session", "", "reject");
}

/* The map is added once more: "add element" would read every network of every session, and of
 * everybody else on the machine, before it does anything. */
static void put_element(struct buf *out, const char *table, const char *device)
{
	buf_printf(out, "add map inet %s sessions %selements = { \"%s\" : jump session_%s }; }\n",
		   table, sessions_map, device, device);
}

void fw_rules_add(TALLOC_CTX *tmp, struct buf *out, const char *table, const struct fw_rules *r)
{
	struct text t = { .tmp = tmp, .out = out, .table = table, .r = r };

	/* "create" fails where "add" would append to the rules of somebody before us. */
	buf_printf(out, "create chain inet %s session_%s\n", table, r->device);
	put_rules(&t);
	put_element(out, table, r->device);
}

/* Added first, because deleting what is not there fails. */
static void add_and_delete(struct buf *out, const char *what, const char *table, const char *name,
			   const char *device, const char *body)
{
	buf_printf(out, "add %s inet %s %s_%s%s\n", what, table, name, device, body);
	buf_printf(out, "delete %s inet %s %s_%s\n", what, table, name, device);
}

void fw_rules_del(struct buf *out, const char *table, const char *device)
{
	buf_printf(out, "add chain inet %s session_%s\n", table, device);
	put_element(out, table, device);
	buf_printf(out, "delete element inet %s sessions { \"%s\" }\n", table, device);
	buf_printf(out, "delete chain inet %s session_%s\n", table, device);
	add_and_delete(out, "chain", table, "routes", device, "");
	for (size_t i = 0; i < N_KINDS; i++) {
		char body[64];

		snprintf(body, sizeof body, " { %s }", kinds[i].type);
		add_and_delete(out, "set", table, kinds[i].name, device, body);
	}
}

enum err fw_rules_devices(TALLOC_CTX *ctx, const char *listing, struct strv *out)
{
	char name[FW_DEVICE];
	enum err err;

	while ((listing = strchr(listing, '"'))) {
		size_t len = strcspn(++listing, "\"");

		if (!listing[len])
			break;
		if (len < sizeof name) {
			memcpy(name, listing, len);
			name[len] = '\0';
			err = fw_device_ok(name) ? strv_add(ctx, out, name) : ERR_OK;
			if (err)
				return err;
		}
		listing += len + 1;
	}
	return ERR_OK;
}
