/* limits.c - the checks of single values that options.def names, and select-group. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "conf/types.h"

/* The kernel takes 15 bytes; three are left for the number. */
enum { DEVICE_MAX = 12, IP6_PREFIX_MIN = 11, IP6_PREFIX_MAX = 128 };

bool conf_check_tcp_port(struct conf_set *s, const char *text)
{
	bool odd;
	uint64_t v = conf_number(text, UINT32_MAX, &odd);

	if (v == 0 || v > UINT16_MAX) {
		conf_set_error(s,
			       "the tcp-port option is mandatory!  '%s' is no port; write a "
			       "number from 1 to 65535",
			       text);
		return false;
	}
	return true;
}

bool conf_check_device(struct conf_set *s, const char *text)
{
	if (strlen(text) <= DEVICE_MAX && !text[strcspn(text, "/%: \t")])
		return true;
	conf_set_error(s, "'%s' cannot begin a device name; use at most %d letters and digits",
		       text, DEVICE_MAX);
	return false;
}

/* Bounds of config.md 8.8 for both IPv6 prefix options. */
static bool check_prefix(struct conf_set *s, const char *text, const char *what)
{
	bool odd;
	uint64_t v = conf_number(text, UINT32_MAX, &odd);

	if (v >= IP6_PREFIX_MIN && v <= IP6_PREFIX_MAX)
		return true;
	conf_set_error(s, "invalid IPv6 %s: %s; use %d to %d", what, text, IP6_PREFIX_MIN,
		       IP6_PREFIX_MAX);
	return false;
}

bool conf_check_ipv6_prefix(struct conf_set *s, const char *text)
{
	return check_prefix(s, text, "prefix");
}

bool conf_check_ipv6_subnet(struct conf_set *s, const char *text)
{
	return check_prefix(s, text, "subnet prefix");
}

/* ocserv once knew "local"; silently sending it to clients would break their DNS. */
bool conf_check_dns(struct conf_set *s, const char *text)
{
	if (strcmp(text, "local") != 0)
		return true;
	conf_set_error(s, "the 'local' DNS keyword is no longer supported.  Write the address of "
			  "a name server");
	return false;
}

/* Longer ones do not fit the header that carries them to the client. */
bool conf_check_banner(struct conf_set *s, const char *text)
{
	if (strlen(text) <= CONF_BANNER_MAX)
		return true;
	conf_set_error(s, "banner size is too long: %zu bytes, at most %d", strlen(text),
		       CONF_BANNER_MAX);
	return false;
}

/* NAME or NAME[Label]; what follows the bracket is dropped as in ocserv. */
static bool parse_group(struct conf_set *s, const char *text, void *out)
{
	const char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;
	size_t name_len = open ? (size_t)(open - text) : strlen(text);
	struct conf_group g;

	while (name_len && isspace((unsigned char)text[name_len - 1]))
		name_len--;
	if (!name_len || (open && !close)) {
		conf_set_error(s, "'%s' is not a group; write NAME or NAME[Label]", text);
		return false;
	}
	if (name_len > CONF_GROUP_NAME_MAX)
		conf_set_warning(
			s,
			"'select-group' entry '%.*s' is 64 bytes or longer and exceeds the "
			"maximum supported group name length (63); it can never be selected",
			(int)name_len, text);
	g.name = talloc_strndup(s->ctx, text, name_len);
	g.label = open ? talloc_strndup(s->ctx, open + 1, (size_t)(close - open - 1)) : g.name;
	*(struct conf_group *)out = g;
	return g.name && g.label;
}

static void print_group(const void *value, struct buf *out)
{
	const struct conf_group *g = value;

	buf_puts(out, g->name);
	if (g->label != g->name)
		buf_printf(out, "[%s]", g->label);
}

const struct conf_type conf_type_groups = { "group list", sizeof(struct conf_groups),
					    sizeof(struct conf_group), parse_group, print_group };
