/* addr.h - IP addresses, networks and transport endpoints, independent of the family.
 * Pure; used by all processes. */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

/* An IPv4 or IPv6 address in network byte order; family 0 means "none". */
struct addr {
	uint8_t family;	   /* 0, AF_INET or AF_INET6 */
	uint8_t bytes[16]; /* the first 4 for IPv4 */
};

/* A network: host bits may be set (the specification keeps them as written). */
struct addr_net {
	struct addr addr;
	uint8_t prefix; /* 0..32 or 0..128 */
};

/* An address with a transport port in host byte order. */
struct endpoint {
	struct addr addr;
	uint16_t port;
};

enum {
	ADDR_TEXT = 46,			/* longest address text and its NUL */
	ADDR_NET_TEXT = ADDR_TEXT + 16, /* room for /prefix or a dotted mask */
	ENDPOINT_TEXT = ADDR_TEXT + 8,	/* "[addr]:port" */
};

/* Length in bytes (4, 16; 0 for none) and in bits of A's family. */
size_t addr_len(const struct addr *a);
unsigned addr_bits(const struct addr *a);

/* Parses "192.0.2.1" or "2001:db8::1"; nothing else.  ERR_SYNTAX. */
MUST_USE enum err addr_parse(const char *text, struct addr *out);

/* Writes A to TEXT (ADDR_TEXT bytes) and returns TEXT; "" for none. */
char *addr_print(const struct addr *a, char text[ADDR_TEXT]);

bool addr_equal(const struct addr *a, const struct addr *b);

/* True for the same network; bits of the host count for nothing. */
bool addr_net_equal(const struct addr_net *a, const struct addr_net *b);

/* True when A lies in NET (same family, same first prefix bits). */
bool addr_in_net(const struct addr *a, const struct addr_net *net);

/* A with all bits after PREFIX cleared, or set. */
struct addr addr_network(const struct addr *a, unsigned prefix);
struct addr addr_broadcast(const struct addr *a, unsigned prefix);

/* A + N as an unsigned number of the family's width, wrapping. */
struct addr addr_add(const struct addr *a, uint64_t n);

/* Parses ADDR/PREFIX, and for IPv4 ADDR/DOTTED-MASK.  ERR_SYNTAX; ERR_RANGE for a prefix beyond
 * the family or a non-contiguous mask. */
MUST_USE enum err addr_net_parse(const char *text, struct addr_net *out);

/* "addr/prefix" of NET; TEXT has ADDR_NET_TEXT bytes and is returned. */
char *addr_net_print(const struct addr_net *net, char text[ADDR_NET_TEXT]);

/* As addr_net_print, but IPv4 with a dotted mask ("10.0.0.0/255.0.0.0"), as clients expect. */
char *addr_net_print_mask(const struct addr_net *net, char text[ADDR_NET_TEXT]);

/* Dotted mask of an IPv4 prefix length (0..32), and the other way round (ERR_RANGE). */
struct addr addr_mask4(unsigned prefix);
MUST_USE enum err addr_mask4_prefix(const struct addr *mask, uint8_t *prefix);

/* SS -> endpoint.  An IPv4-mapped IPv6 address becomes IPv4.  ERR_UNSUPPORTED: other family. */
MUST_USE enum err endpoint_from_sockaddr(const struct sockaddr *sa, struct endpoint *out);

/* Fills SS and returns its length. */
socklen_t endpoint_to_sockaddr(const struct endpoint *ep, struct sockaddr_storage *ss);

/* "192.0.2.1:443" or "[2001:db8::1]:443". */
char *endpoint_print(const struct endpoint *ep, char text[ENDPOINT_TEXT]);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

#endif /* BASE_ADDR_H */
