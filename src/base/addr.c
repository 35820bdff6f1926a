/* addr.c - IP addresses, networks and endpoints. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t addr_len(const struct addr *a)
{
	return a->family == AF_INET ? 4 : a->family == AF_INET6 ? 16 : 0;
}

unsigned addr_bits(const struct addr *a)
{
	return (unsigned)addr_len(a) * 8;
}

enum err addr_parse(const char *text, struct addr *out)
{
	struct addr a = { 0 };

	if (inet_pton(AF_INET, text, a.bytes) == 1)
		a.family = AF_INET;
	else if (inet_pton(AF_INET6, text, a.bytes) == 1)
		a.family = AF_INET6;
	else
		return ERR_SYNTAX;
	*out = a;
	return ERR_OK;
}

char *addr_print(const struct addr *a, char text[ADDR_TEXT])
{
	if (!addr_len(a) || !inet_ntop(a->family, a->bytes, text, ADDR_TEXT))
		text[0] = '\0';
	return text;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, addr_len(a)) == 0;
}

/* Copies A, then sets (FILL 0xff) or clears (FILL 0) every bit after PREFIX. */
static struct addr fill_host(const struct addr *a, unsigned prefix, uint8_t fill)
{
	struct addr out = *a;

	for (size_t i = 0; i < addr_len(a); i++) {
		unsigned first = (unsigned)i * 8;
		uint8_t host = prefix <= first	     ? 0xff
			       : prefix >= first + 8 ? 0
						     : (uint8_t)(0xff >> (prefix - first));
		out.bytes[i] = (uint8_t)((out.bytes[i] & ~host) | (fill & host));
	}
	return out;
}

struct addr addr_network(const struct addr *a, unsigned prefix)
{
	return fill_host(a, prefix, 0);
}

struct addr addr_broadcast(const struct addr *a, unsigned prefix)
{
	return fill_host(a, prefix, 0xff);
}

bool addr_in_net(const struct addr *a, const struct addr_net *net)
{
	struct addr x = addr_network(a, net->prefix), y = addr_network(&net->addr, net->prefix);

	return addr_equal(&x, &y);
}

bool addr_net_equal(const struct addr_net *a, const struct addr_net *b)
{
	return a->prefix == b->prefix && addr_in_net(&a->addr, b);
}

struct addr addr_add(const struct addr *a, uint64_t n)
{
	struct addr out = *a;
	unsigned carry = 0;

	for (size_t i = addr_len(a); i-- > 0 && (n || carry); n >>= 8) {
		unsigned sum = out.bytes[i] + (unsigned)(n & 0xff) + carry;
		out.bytes[i] = (uint8_t)sum;
		carry = sum >> 8;
	}
	return out;
}

struct addr addr_mask4(unsigned prefix)
{
	struct addr ones = { .family = AF_INET, .bytes = { 0xff, 0xff, 0xff, 0xff } };

	return addr_network(&ones, prefix);
}

enum err addr_mask4_prefix(const struct addr *mask, uint8_t *prefix)
{
	for (uint8_t p = 0; p <= 32; p++) {
		struct addr m = addr_mask4(p);
		if (addr_equal(&m, mask)) {
			*prefix = p;
			return ERR_OK;
		}
	}
	return ERR_RANGE;
}

/* The digits after the slash; leading zeros and signs are not numbers here. */
static enum err parse_prefix(const char *text, unsigned bits, uint8_t *prefix)
{
	size_t n = strspn(text, "0123456789");

	if (n == 0 || text[n])
		return ERR_SYNTAX;
	if (n > 3 || strtoul(text, NULL, 10) > bits)
		return ERR_RANGE;
	*prefix = (uint8_t)strtoul(text, NULL, 10);
	return ERR_OK;
}

enum err addr_net_parse(const char *text, struct addr_net *out)
{
	char host[ADDR_TEXT];
	const char *slash = strchr(text, '/');
	struct addr_net net;
	struct addr mask;
	enum err err;

	if (!slash || (size_t)(slash - text) >= sizeof host)
		return ERR_SYNTAX;
	memcpy(host, text, (size_t)(slash - text));
	host[slash - text] = '\0';
	err = addr_parse(host, &net.addr);
	if (err)
		return err;
	if (net.addr.family == AF_INET && strchr(slash, '.')) {
		if (addr_parse(slash + 1, &mask) || mask.family != AF_INET)
			return ERR_SYNTAX;
		err = addr_mask4_prefix(&mask, &net.prefix);
	} else {
		err = parse_prefix(slash + 1, addr_bits(&net.addr), &net.prefix);
	}
	if (!err)
		*out = net;
	return err;
}

char *addr_net_print(const struct addr_net *net, char text[ADDR_NET_TEXT])
{
	char host[ADDR_TEXT];

	snprintf(text, ADDR_NET_TEXT, "%s/%u", addr_print(&net->addr, host), net->prefix);
	return text;
}

char *addr_net_print_mask(const struct addr_net *net, char text[ADDR_NET_TEXT])
{
	char host[ADDR_TEXT], mask_text[ADDR_TEXT];
	struct addr mask;

	if (net->addr.family != AF_INET)
		return addr_net_print(net, text);
	mask = addr_mask4(net->prefix);
	snprintf(text, ADDR_NET_TEXT, "%s/%s", addr_print(&net->addr, host),
		 addr_print(&mask, mask_text));
	return text;
}

enum err endpoint_from_sockaddr(const struct sockaddr *sa, struct endpoint *out)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in4;
	struct endpoint ep = { 0 };

	if (sa->sa_family == AF_INET) {
		memcpy(&in4, sa, sizeof in4);
		ep.addr.family = AF_INET;
		memcpy(ep.addr.bytes, &in4.sin_addr, 4);
		ep.port = ntohs(in4.sin_port);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof in6);
		ep.port = ntohs(in6.sin6_port);
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
			ep.addr.family = AF_INET;
			memcpy(ep.addr.bytes, in6.sin6_addr.s6_addr + 12, 4);
		} else {
			ep.addr.family = AF_INET6;
			memcpy(ep.addr.bytes, &in6.sin6_addr, 16);
		}
	} else {
		return ERR_UNSUPPORTED;
	}
	*out = ep;
	return ERR_OK;
}

socklen_t endpoint_to_sockaddr(const struct endpoint *ep, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(ep->port) };
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons(ep->port) };

	memset(ss, 0, sizeof *ss);
	if (ep->addr.family == AF_INET6) {
		memcpy(&in6.sin6_addr, ep->addr.bytes, 16);
		memcpy(ss, &in6, sizeof in6);
		return sizeof in6;
	}
	memcpy(&in4.sin_addr, ep->addr.bytes, 4);
	memcpy(ss, &in4, sizeof in4);
	return sizeof in4;
}

char *endpoint_print(const struct endpoint *ep, char text[ENDPOINT_TEXT])
{
	char host[ADDR_TEXT];
	bool v6 = ep->addr.family == AF_INET6;

	snprintf(text, ENDPOINT_TEXT, "%s%s%s:%u", v6 ? "[" : "", addr_print(&ep->addr, host),
		 v6 ? "]" : "", ep->port);
	return text;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}
