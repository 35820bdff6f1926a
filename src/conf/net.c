/* net.c - types of addressing: pools, addresses, routes, socket priority. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/types.h"

/* Splits "ADDR/REST" into ADDR (at most ADDR_TEXT-1 bytes) and REST (NULL without a slash). */
static bool split_net(const char *text, char addr[ADDR_TEXT], const char **rest)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);

	if (len >= ADDR_TEXT)
		return false;
	memcpy(addr, text, len);
	addr[len] = '\0';
	*rest = slash ? slash + 1 : NULL;
	return true;
}

/* The prefix in REST, 0 when there is none that counts: config.md 8.8 reads leading digits only and
 * treats what is out of range as missing. */
static uint8_t pool_prefix(const char *rest, unsigned bits)
{
	struct addr mask;
	uint8_t prefix;
	bool odd;
	uint64_t n;

	if (!rest)
		return 0;
	if (bits == 32 && strchr(rest, '.') && !addr_parse(rest, &mask) &&
	    !addr_mask4_prefix(&mask, &prefix))
		return prefix;
	n = conf_number(rest, UINT32_MAX, &odd);
	return n <= bits ? (uint8_t)n : 0;
}

/* A pool of FAMILY; host bits are cleared once the mask is known (conf_join_pool). */
static bool parse_pool(struct conf_set *s, const char *text, int family, const char *example,
		       struct addr_net *out)
{
	char name[ADDR_TEXT];
	const char *rest = NULL;
	struct addr_net net = *out;

	if (!split_net(text, name, &rest) || addr_parse(name, &net.addr) ||
	    net.addr.family != family) {
		conf_set_error(s, "'%s' is not a network; write it like %s", text, example);
		return false;
	}
	/* Without /N the mask of another line (or of the host above) stays. */
	if (rest)
		net.prefix = pool_prefix(rest, addr_bits(&net.addr));
	*out = net;
	return true;
}

static bool parse_net4(struct conf_set *s, const char *text, void *out)
{
	return parse_pool(s, text, AF_INET, "192.168.99.0/24", out);
}

static bool parse_net6(struct conf_set *s, const char *text, void *out)
{
	return parse_pool(s, text, AF_INET6, "fd00:99::/48", out);
}

/* Nothing for an unset pool, so that --print-config can be loaded again. */
static void print_net(const void *value, struct buf *out)
{
	const struct addr_net *net = value;
	char text[ADDR_NET_TEXT];

	if (net->addr.family)
		buf_puts(out, addr_net_print(net, text));
}

/* A dotted, contiguous mask; stored as its prefix length. */
static bool parse_mask4(struct conf_set *s, const char *text, void *out)
{
	struct addr mask;
	uint8_t prefix;

	if (addr_parse(text, &mask) || mask.family != AF_INET ||
	    addr_mask4_prefix(&mask, &prefix) || prefix == 0) {
		conf_set_error(s, "'%s' is not a network mask; write it like 255.255.255.0", text);
		return false;
	}
	*(uint8_t *)out = prefix;
	return true;
}

static void print_mask4(const void *value, struct buf *out)
{
	char text[ADDR_TEXT];
	struct addr mask = addr_mask4(*(const uint8_t *)value);

	if (*(const uint8_t *)value)
		buf_puts(out, addr_print(&mask, text));
}

/* An address of FAMILY: a wrong family would make a session without any address. */
static bool parse_addr(struct conf_set *s, const char *text, int family, struct addr *out)
{
	struct addr a;

	if (addr_parse(text, &a) || a.family != family) {
		conf_set_error(s, "'%s' is not an %s address", text,
			       family == AF_INET ? "IPv4" : "IPv6");
		return false;
	}
	*out = a;
	return true;
}

static bool parse_addr4(struct conf_set *s, const char *text, void *out)
{
	return parse_addr(s, text, AF_INET, out);
}

static bool parse_addr6(struct conf_set *s, const char *text, void *out)
{
	return parse_addr(s, text, AF_INET6, out);
}

static void print_addr(const void *value, struct buf *out)
{
	char text[ADDR_TEXT];

	buf_puts(out, addr_print(value, text));
}

/* ADDR/N, or ADDR for that address alone. */
static bool parse_nets(struct conf_set *s, const char *text, void *out)
{
	struct addr_net net = { 0 };

	if (strchr(text, '/') ? addr_net_parse(text, &net) : addr_parse(text, &net.addr)) {
		conf_set_error(s,
			       "'%s' is not an address or a network; write it like 192.0.2.7 or "
			       "2001:db8::/32, one on a line",
			       text);
		return false;
	}
	if (!strchr(text, '/'))
		net.prefix = (uint8_t)addr_bits(&net.addr);
	*(struct addr_net *)out = net;
	return true;
}

bool conf_nets_have(const struct conf_nets *nets, const struct addr *a)
{
	for (size_t i = 0; i < nets->n; i++)
		if (addr_in_net(a, &nets->item[i]))
			return true;
	return false;
}

/* Why TEXT is no route, in config.md 13.1's words. */
static const char *route_fault(TALLOC_CTX *ctx, const char *text)
{
	if (!strchr(text, '/'))
		return talloc_asprintf(ctx, "route '%s' is missing a /prefix, use address/prefix",
				       text);
	if (strchr(text, ':'))
		return talloc_asprintf(ctx,
				       "route '%s' has an invalid IPv6 prefix; use "
				       "X::Y/N with N from 0 to 128",
				       text);
	return talloc_asprintf(ctx,
			       "route '%s' has an invalid IPv4 netmask; use A.B.C.D/N or "
			       "A.B.C.D/M.M.M.M",
			       text);
}

enum err conf_route_parse(TALLOC_CTX *ctx, const char *text, struct conf_route *out,
			  const char **why)
{
	struct conf_route r = { 0 };
	char name[ADDR_NET_TEXT];

	if (strcmp(text, "default") == 0) {
		r.is_default = true;
	} else if (!strchr(text, '/') || addr_net_parse(text, &r.net)) {
		if (why)
			*why = route_fault(ctx, text);
		return ERR_SYNTAX;
	} else if (r.net.addr.family == AF_INET) {
		text = addr_net_print_mask(&r.net, name);
	}
	r.text = talloc_strdup(ctx, text);
	if (!r.text)
		return ERR_NOMEM;
	*out = r;
	return ERR_OK;
}

/* One route line; a bad one is fatal wherever it stands (config.md 13.1). */
static bool parse_routes(struct conf_set *s, const char *text, void *out)
{
	const char *why = "out of memory";
	enum err err = conf_route_parse(s->ctx, text, out, &why);

	if (err)
		conf_set_error(s, "%s", why);
	return !err;
}

static void print_route(const void *value, struct buf *out)
{
	buf_puts(out, ((const struct conf_route *)value)->text);
}

/* config.md 8.11: other values than 0..6 and 0xNN are accepted and have no effect. */
static bool parse_prio(struct conf_set *s, const char *text, void *out)
{
	struct conf_prio p = { 0 };
	char *end;
	unsigned long v;

	p.tos = strncasecmp(text, "0x", 2) == 0;
	v = strtoul(text, &end, p.tos ? 16 : 10);
	p.set = isdigit((unsigned char)*text) && !*end && v <= (p.tos ? 255 : 6);
	p.value = (uint8_t)v;
	if (!p.set)
		conf_set_warning(s, "'%s' has no effect; write 0 to 6, or 0xNN for a TOS byte",
				 text);
	else
		*(struct conf_prio *)out = p;
	return true;
}

static void print_prio(const void *value, struct buf *out)
{
	const struct conf_prio *p = value;

	if (p->set)
		buf_printf(out, p->tos ? "0x%02x" : "%u", p->value);
}

const struct conf_type conf_type_net4 = { "IPv4 network", sizeof(struct addr_net), 0, parse_net4,
					  print_net };
const struct conf_type conf_type_mask4 = { "IPv4 mask", sizeof(uint8_t), 0, parse_mask4,
					   print_mask4 };
const struct conf_type conf_type_net6 = { "IPv6 network", sizeof(struct addr_net), 0, parse_net6,
					  print_net };
const struct conf_type conf_type_addr4 = { "IPv4 address", sizeof(struct addr), 0, parse_addr4,
					   print_addr };
const struct conf_type conf_type_addr6 = { "IPv6 address", sizeof(struct addr), 0, parse_addr6,
					   print_addr };
const struct conf_type conf_type_nets = { "networks", sizeof(struct conf_nets),
					  sizeof(struct addr_net), parse_nets, print_net };
const struct conf_type conf_type_routes = { "route list", sizeof(struct conf_routes),
					    sizeof(struct conf_route), parse_routes, print_route };
const struct conf_type conf_type_prio = { "priority", sizeof(struct conf_prio), 0, parse_prio,
					  print_prio };
