/* ports.c - restrict-user-to-ports (config.md 14.2):
 *
 *	value := list | "!(" list ")"
 *	list  := item { "," item }
 *	item  := ("tcp" | "udp" | "sctp") "(" PORT ")" | ("icmp" | "icmpv6" | "esp") "()"
 *
 * with blanks between any two tokens. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "conf/types.h"

struct proto {
	const char *name;
	bool has_port;
};

static const struct proto protos[] = {
	[CONF_PROTO_TCP] = { "tcp", true },	   [CONF_PROTO_UDP] = { "udp", true },
	[CONF_PROTO_SCTP] = { "sctp", true },	   [CONF_PROTO_ICMP] = { "icmp", false },
	[CONF_PROTO_ICMPV6] = { "icmpv6", false }, [CONF_PROTO_ESP] = { "esp", false },
};

enum { N_PROTOS = sizeof(protos) / sizeof(protos[0]), PORTS_MAX = 4096 };

struct scan {
	TALLOC_CTX *ctx;
	const char *text, *at; /* the whole value, and what comes next */
	const char *fault;     /* what is wrong at `at` */
};

const char *conf_proto_name(enum conf_proto proto)
{
	return protos[proto].name;
}

static void skip_blanks(struct scan *s)
{
	while (isspace((unsigned char)*s->at))
		s->at++;
}

/* Takes the character C, blanks before it included. */
static bool take_char(struct scan *s, char c)
{
	skip_blanks(s);
	if (*s->at != c)
		return false;
	s->at++;
	return true;
}

/* Keeps the first reason; `at` is left where the trouble is.  Always false. */
static bool fault(struct scan *s, const char *what)
{
	s->fault = what;
	return false;
}

/* The word must end where a token ends, or "icmp" would match the start of "icmpv6". */
static bool take_proto(struct scan *s, enum conf_proto *out)
{
	skip_blanks(s);
	for (unsigned i = 0; i < N_PROTOS; i++) {
		size_t len = strlen(protos[i].name);

		if (strncasecmp(s->at, protos[i].name, len) == 0 &&
		    !isalnum((unsigned char)s->at[len])) {
			s->at += len;
			*out = (enum conf_proto)i;
			return true;
		}
	}
	return fault(s, "unknown protocol");
}

/* Large numbers stop at the largest one instead of wrapping to a small port. */
static bool take_port(struct scan *s, uint32_t *out)
{
	uint64_t v = 0;

	skip_blanks(s);
	if (!isdigit((unsigned char)*s->at))
		return fault(s, "expected a port number");
	for (; isdigit((unsigned char)*s->at); s->at++)
		v = v < UINT32_MAX ? v * 10 + (uint64_t)(*s->at - '0') : v;
	*out = v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
	return true;
}

/* "tcp ( 443 )", "icmp()". */
static bool take_item(struct scan *s, struct conf_port *out)
{
	if (!take_proto(s, &out->proto))
		return false;
	if (!take_char(s, '('))
		return fault(s, "expected opening parenthesis");
	if (protos[out->proto].has_port && !take_port(s, &out->port))
		return false;
	return take_char(s, ')') || fault(s, "expected closing parenthesis");
}

/* At least one item, hence a trailing comma is an error. */
static bool take_list(struct scan *s, struct conf_ports *out, bool negate)
{
	do {
		struct conf_port port = { .negate = negate };
		struct conf_port *item;

		if (!take_item(s, &port))
			return false;
		item = talloc_realloc(s->ctx, out->item, struct conf_port, (unsigned)out->n + 1);
		if (!item || out->n == PORTS_MAX)
			return fault(s, "too many items");
		item[out->n++] = port;
		out->item = item;
	} while (take_char(s, ','));
	return true;
}

/* The whole text; anything after it is an error, too. */
static bool take_value(struct scan *s, struct conf_ports *out)
{
	bool negate = take_char(s, '!');

	if (negate && !take_char(s, '('))
		return fault(s, "expected opening parenthesis");
	if (!take_list(s, out, negate))
		return false;
	if (negate && !take_char(s, ')'))
		return fault(s, "expected closing parenthesis");
	skip_blanks(s);
	return !*s->at || fault(s, "unexpected text");
}

enum err conf_ports_parse(TALLOC_CTX *ctx, const char *text, struct conf_ports *out,
			  const char **why)
{
	struct scan s = { .ctx = ctx, .text = text, .at = text };
	struct conf_ports ports = { 0 };

	if (take_value(&s, &ports)) {
		*out = ports;
		return ERR_OK;
	}
	talloc_free(ports.item);
	if (why)
		*why = talloc_asprintf(ctx,
				       "cannot parse restrict-user-to-ports: %s on "
				       "restrict-user-to-ports at %zu '%s'",
				       s.fault, (size_t)(s.at - text), s.at);
	return ERR_SYNTAX;
}

/* As occtl shows it: "tcp(443)", "!icmp()". */
static void print_port(const void *value, struct buf *out)
{
	const struct conf_port *p = value;

	buf_printf(out, "%s%s(", p->negate ? "!" : "", conf_proto_name(p->proto));
	if (protos[p->proto].has_port)
		buf_printf(out, "%u", p->port);
	buf_putc(out, ')');
}

void conf_ports_print(const struct conf_ports *ports, struct buf *out)
{
	for (size_t i = 0; i < ports->n; i++) {
		if (i)
			buf_puts(out, ", ");
		print_port(&ports->item[i], out);
	}
}

/* A line that cannot be read is fatal: ignoring it would open the firewall. */
static bool parse_ports(struct conf_set *s, const char *text, void *out)
{
	const char *why = "out of memory";
	enum err err = conf_ports_parse(s->ctx, text, out, &why);

	if (err)
		conf_set_error(s, "%s; write tcp(443), udp(53), icmp() or !(tcp(25))", why);
	return !err;
}

/* The file's own syntax wants the negation around the item. */
static void print_item(const void *value, struct buf *out)
{
	struct conf_port p = *(const struct conf_port *)value;
	bool negate = p.negate;

	p.negate = false;
	buf_puts(out, negate ? "!(" : "");
	print_port(&p, out);
	buf_puts(out, negate ? ")" : "");
}

const struct conf_type conf_type_ports = { "port list", sizeof(struct conf_ports),
					   sizeof(struct conf_port), parse_ports, print_item };
