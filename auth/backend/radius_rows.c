/* radius_rows.c - network settings of an Access-Accept as configuration rows (radius.md 3.2). */
#include <stdio.h>
#include <string.h>

#include "auth/backend/radius_attrs.h"

enum {
	ANY_ADDRESS = 0xfffffffe, /* RFC 2865 5.8: this and above mean "from the pool" */
	RATE_UNIT = 1000,	  /* bytes in a unit of the bandwidth attributes */
	DNS_OF_A_KIND = 2,
	FRAMED_UNIT = 64, /* prefix length of the block around Framed-IPv6-Address */
	PREFIX_HEAD = 2,  /* bytes before the address in a prefix attribute */
	UNIT_MIN = 11,	  /* as ipv6-subnet-prefix */
	ROW_TEXT = 300,
};

/* Rows under construction.  Later attributes of one kind count, but for lists. */
struct rows {
	TALLOC_CTX *ctx;
	struct backend_pairs *out;
	struct radius_findings *found;
	struct addr v6;	       /* Framed-IPv6-Address */
	struct addr_net block; /* Delegated-IPv6-Prefix */
	size_t n_dns6;
	enum err err;
};

static void add(struct rows *r, const char *key, const char *value)
{
	struct backend_pair *item =
		talloc_realloc(r->ctx, r->out->item, struct backend_pair, (unsigned)r->out->n + 1);
	char *copy = item ? talloc_strdup(item, value) : NULL;

	if (item)
		r->out->item = item;
	if (!copy) {
		r->err = ERR_NOMEM;
		return;
	}
	item[r->out->n++] = (struct backend_pair){ key, copy };
}

static void add_number(struct rows *r, const char *key, uint64_t value)
{
	char text[32];

	/* Zero leaves the host's setting. */
	if (!value)
		return;
	snprintf(text, sizeof text, "%ju", (uintmax_t)value);
	add(r, key, text);
}

static struct addr addr4_of(const struct radius_attr *a)
{
	uint32_t v = a->number32;

	return (struct addr){
		AF_INET, { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v }
	};
}

static void add_addr(struct rows *r, const char *key, const struct addr *addr)
{
	char text[ADDR_TEXT];

	add(r, key, addr_print(addr, text));
}

/* ---- single attributes ---------------------------------------------------- */

static void take_address(struct rows *r, const struct radius_attr *a)
{
	struct addr addr = addr4_of(a);

	if (a->number32 && a->number32 < ANY_ADDRESS)
		add_addr(r, "explicit-ipv4", &addr);
}

static void take_netmask(struct rows *r, const struct radius_attr *a)
{
	struct addr mask = addr4_of(a);
	uint8_t prefix;

	if (!addr_mask4_prefix(&mask, &prefix) && prefix)
		add_addr(r, "ipv4-netmask", &mask);
}

static void take_dns4(struct rows *r, const struct radius_attr *a)
{
	struct addr addr = addr4_of(a);

	if (a->number32)
		add_addr(r, "dns", &addr);
}

/* The text up to the first blank: what follows is for routers (RFC 2865 5.22). */
static void take_route(struct rows *r, const struct radius_attr *a)
{
	struct addr_net net;
	char text[RADIUS_VALUE_MAX + 1];

	memcpy(text, a->bytes, a->len);
	text[a->len] = '\0';
	text[strcspn(text, " \t\r\n")] = '\0';
	if (!strchr(text, '/'))
		return;
	if (addr_net_parse(text, &net))
		r->err = strv_add(r->ctx, &r->found->malformed_route, text);
	add(r, "route", text);
}

/* A prefix as RFC 3162 2.3 writes it; bytes that are missing are zero. */
static bool read_prefix(const struct radius_attr *a, struct addr_net *out)
{
	size_t n = a->len - PREFIX_HEAD;

	*out = (struct addr_net){ .addr.family = AF_INET6 };
	if (a->kind != RADIUS_PREFIX || a->len < PREFIX_HEAD || n > sizeof out->addr.bytes ||
	    a->bytes[1] > 128)
		return false;
	memcpy(out->addr.bytes, a->bytes + PREFIX_HEAD, n);
	out->prefix = a->bytes[1];
	return true;
}

static void take_route6(struct rows *r, const struct radius_attr *a)
{
	char text[ADDR_NET_TEXT];
	struct addr_net net;

	if (read_prefix(a, &net))
		add(r, "route", addr_net_print(&net, text));
}

static struct addr addr6_of(const struct radius_attr *a)
{
	struct addr addr = { .family = AF_INET6 };

	memcpy(addr.bytes, a->bytes, sizeof addr.bytes);
	return addr;
}

static bool is_zero(const struct addr *a)
{
	static const struct addr zero = { .family = AF_INET6 };

	return addr_equal(a, &zero);
}

static void take_address6(struct rows *r, const struct radius_attr *a)
{
	struct addr addr = addr6_of(a);

	if (!is_zero(&addr))
		r->v6 = addr;
}

static void take_block6(struct rows *r, const struct radius_attr *a)
{
	struct addr_net net;

	if (read_prefix(a, &net) && net.prefix >= UNIT_MIN && !is_zero(&net.addr))
		r->block = net;
}

/* Kept for the end: MS-*-DNS-Server come first, wherever they stand (radius.md 3.2). */
static void take_dns6(struct rows *r, const struct radius_attr *a)
{
	struct addr addr = addr6_of(a);
	char text[ADDR_TEXT];

	if (is_zero(&addr))
		return;
	if (r->n_dns6++ < DNS_OF_A_KIND)
		add_addr(r, "dns", &addr);
	else
		r->err = strv_add(r->ctx, &r->found->spare_dns, addr_print(&addr, text));
}

static void take_timeout(struct rows *r, const struct radius_attr *a)
{
	add_number(r, "session-timeout", a->number32);
}

static void take_interim(struct rows *r, const struct radius_attr *a)
{
	add_number(r, "stats-report-time", a->number32);
}

static void take_upstream(struct rows *r, const struct radius_attr *a)
{
	add_number(r, "rx-data-per-sec", (uint64_t)a->number32 * RATE_UNIT);
}

static void take_downstream(struct rows *r, const struct radius_attr *a)
{
	add_number(r, "tx-data-per-sec", (uint64_t)a->number32 * RATE_UNIT);
}

/* ---- all of them ---------------------------------------------------------- */

struct use {
	uint32_t vendor, type;
	enum radius_kind kind;
	void (*take)(struct rows *r, const struct radius_attr *a);
};

/* In the order in which they become rows: that of the DNS servers matters to the client. */
static const struct use uses[] = {
	{ RADIUS_NO_VENDOR, RADIUS_FRAMED_IP_ADDRESS, RADIUS_IPV4, take_address },
	{ RADIUS_NO_VENDOR, RADIUS_FRAMED_IP_NETMASK, RADIUS_IPV4, take_netmask },
	{ RADIUS_NO_VENDOR, RADIUS_FRAMED_ROUTE, RADIUS_BYTES, take_route },
	{ RADIUS_NO_VENDOR, RADIUS_FRAMED_IPV6_ADDRESS, RADIUS_IPV6, take_address6 },
	{ RADIUS_NO_VENDOR, RADIUS_DELEGATED_IPV6_PREFIX, RADIUS_PREFIX, take_block6 },
	{ RADIUS_NO_VENDOR, RADIUS_FRAMED_IPV6_PREFIX, RADIUS_PREFIX, take_route6 },
	{ RADIUS_NO_VENDOR, RADIUS_FRAMED_IPV6_ROUTE, RADIUS_BYTES, take_route },
	{ RADIUS_MICROSOFT, RADIUS_MS_PRIMARY_DNS, RADIUS_IPV4, take_dns4 },
	{ RADIUS_MICROSOFT, RADIUS_MS_SECONDARY_DNS, RADIUS_IPV4, take_dns4 },
	{ RADIUS_NO_VENDOR, RADIUS_DNS_SERVER_IPV6_ADDRESS, RADIUS_IPV6, take_dns6 },
	{ RADIUS_NO_VENDOR, RADIUS_SESSION_TIMEOUT, RADIUS_INTEGER, take_timeout },
	{ RADIUS_NO_VENDOR, RADIUS_ACCT_INTERIM_INTERVAL, RADIUS_INTEGER, take_interim },
	{ RADIUS_ROARING_PENGUIN, RADIUS_RP_UPSTREAM_LIMIT, RADIUS_INTEGER, take_upstream },
	{ RADIUS_ROARING_PENGUIN, RADIUS_RP_DOWNSTREAM_LIMIT, RADIUS_INTEGER, take_downstream },
};

enum { N_USES = sizeof uses / sizeof uses[0] };

static bool is_use(const struct use *u, const struct radius_attr *a)
{
	return u->vendor == a->vendor && u->type == a->type;
}

bool radius_is_used(const struct radius_attr *attr, bool groupconfig)
{
	static const enum radius_number always[] = {
		RADIUS_SERVICE_TYPE, RADIUS_REPLY_MESSAGE,	   RADIUS_STATE,
		RADIUS_CLASS,	     RADIUS_MESSAGE_AUTHENTICATOR,
	};

	for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
		if (attr->vendor == RADIUS_NO_VENDOR && attr->type == always[i])
			return true;
	for (size_t i = 0; groupconfig && i < N_USES; i++)
		if (is_use(&uses[i], attr))
			return true;
	return false;
}

/* A block needs an address of the client's: its own if it has one in there, else the first that
 * is not the subnet routers' anycast address (RFC 4291 2.6.1). */
static void add_ipv6(struct rows *r)
{
	unsigned unit = r->block.addr.family ? r->block.prefix : FRAMED_UNIT;
	struct addr addr = r->v6;

	if (r->block.addr.family && !(addr.family && addr_in_net(&addr, &r->block))) {
		struct addr first = addr_network(&r->block.addr, r->block.prefix);

		addr = r->block.addr;
		if (unit < 128 && addr_equal(&addr, &first))
			addr = addr_add(&addr, 1);
	}
	if (!addr.family)
		return;
	add_addr(r, "explicit-ipv6", &addr);
	add_number(r, "ipv6-subnet-prefix", unit);
}

enum err radius_rows(TALLOC_CTX *ctx, const struct radius_attrs *reply, struct backend_pairs *out,
		     struct radius_findings *findings)
{
	struct rows r = { .ctx = ctx, .out = out, .found = findings };

	*out = (struct backend_pairs){ .n = 0 };
	*findings = (struct radius_findings){ .spare_dns.n = 0 };
	for (size_t u = 0; u < N_USES; u++) {
		for (size_t i = 0; !r.err && i < reply->n; i++) {
			const struct radius_attr *a = &reply->item[i];

			if (is_use(&uses[u], a) && uses[u].kind == a->kind)
				uses[u].take(&r, a);
		}
	}
	if (!r.err)
		add_ipv6(&r);
	return r.err;
}
