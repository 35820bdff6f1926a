/* values.h - the structs that options parse into when a C scalar or strv is not enough.
 * Every list has the layout {item, n}, which lets types.c append and copy all of them alike. */
#ifndef CONF_VALUES_H
#define CONF_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/err.h"

enum conf_log_format { CONF_LOG_TEXT, CONF_LOG_JSON };
enum conf_rekey { CONF_REKEY_NEW_TUNNEL, CONF_REKEY_SSL };

/* net-priority: SO_PRIORITY 0..6, or with TOS the IPv4 TOS / IPv6 class byte. */
struct conf_prio {
	bool set, tos;
	uint8_t value;
};

/* compression-algo-priority: the higher number is preferred. */
struct conf_algos {
	uint32_t lz4, lzs;
};

/* debug-datapath: what is left out, as bits. */
enum conf_datapath {
	CONF_DATAPATH_TUN_OFFLOAD = 1,
	CONF_DATAPATH_USO = 2,
	CONF_DATAPATH_UDP_GSO = 4,
	CONF_DATAPATH_UDP_GRO = 8,
	CONF_DATAPATH_BATCH = 16,
	CONF_DATAPATH_SEALING = 32,
};

/* config.md 13.1.  TEXT is what clients and scripts see: "default", "A.B.C.D/MASK" or the IPv6
 * network as written. */
struct conf_route {
	struct addr_net net; /* family 0 for default */
	bool is_default;
	const char *text;
};

struct conf_routes {
	struct conf_route *item;
	size_t n;
};

/* Networks of either family; host bits count for nothing. */
struct conf_nets {
	struct addr_net *item;
	size_t n;
};

/* One item of restrict-user-to-ports (config.md 14.2). */
enum conf_proto {
	CONF_PROTO_TCP,
	CONF_PROTO_UDP,
	CONF_PROTO_SCTP,
	CONF_PROTO_ICMP,
	CONF_PROTO_ICMPV6,
	CONF_PROTO_ESP,
};

struct conf_port {
	enum conf_proto proto;
	uint32_t port; /* TCP, UDP, SCTP only; not range checked (config.md 14.2) */
	bool negate;   /* from !(...): forbidden; otherwise only what is listed is allowed */
};

struct conf_ports {
	struct conf_port *item;
	size_t n;
};

/* An entry of select-group: NAME, or NAME[Label]; LABEL equals NAME when none was given. */
struct conf_group {
	const char *name, *label;
};

struct conf_groups {
	struct conf_group *item;
	size_t n;
};

/* A KDC that clients reach through us (config.md 8.13). */
struct conf_kkdcp {
	const char *path, *realm;
	const char *server; /* "tcp@HOST:PORT" or "udp@HOST:PORT"; [V6] in brackets */
};

struct conf_kkdcps {
	struct conf_kkdcp *item;
	size_t n;
};

enum { CONF_GROUPS_MAX = 96, CONF_GROUP_NAME_MAX = 63, CONF_BANNER_MAX = 256 };

enum conf_method {
	CONF_METHOD_CERTIFICATE,
	CONF_METHOD_PAM,
	CONF_METHOD_PLAIN,
	CONF_METHOD_RADIUS,
	CONF_METHOD_GSSAPI,
	CONF_METHOD_OIDC,
	CONF_METHOD_LDAP,
};

struct conf_subopt {
	const char *key, *value; /* key in lower case, as the method's table spells it */
};

/* One line of auth or enable-auth, e.g. plain[passwd=/etc/ocpasswd,otp=/etc/otp]. */
struct conf_auth {
	enum conf_method method;
	const char *name; /* "plain", static */
	struct conf_subopt *sub;
	size_t n_sub;
};

struct conf_auths {
	struct conf_auth *item;
	size_t n;
};

/* Value of sub-option KEY ("passwd"), or its default, or NULL when there is none. */
const char *conf_auth_get(const struct conf_auth *a, const char *key);

/* True when A asks for one-time passwords and nothing else: plain[otp=FILE]. */
bool conf_auth_is_code(const struct conf_auth *a);

/* True when one of LIST is METHOD. */
bool conf_auths_have(const struct conf_auths *list, enum conf_method method);

/* True when A lies in one of NETS. */
bool conf_nets_have(const struct conf_nets *nets, const struct addr *a);

/* Parses one route of config.md 13.1; used for the files and for RADIUS routes.  OUT->text is a
 * child of CTX.  On ERR_SYNTAX *WHY (may be NULL) is a text naming the fault, child of CTX. */
MUST_USE enum err conf_route_parse(TALLOC_CTX *ctx, const char *text, struct conf_route *out,
				   const char **why);

/* Parses a restrict-user-to-ports value; OUT->item is a child of CTX.  ERR_SYNTAX as above. */
MUST_USE enum err conf_ports_parse(TALLOC_CTX *ctx, const char *text, struct conf_ports *out,
				   const char **why);

/* "tcp(443), icmp()" or "!tcp(80)", as occtl shows them. */
void conf_ports_print(const struct conf_ports *ports, struct buf *out);

/* "tcp", "icmpv6", ... */
const char *conf_proto_name(enum conf_proto proto);

#endif /* CONF_VALUES_H */
