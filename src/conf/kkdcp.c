/* kkdcp.c - the type of the option kkdcp: PATH REALM PROTO@HOST:PORT (config.md 8.13). */
#include <string.h>

#include "base/str.h"
#include "conf/types.h"

/* HOST:PORT, [V6]:PORT. */
static bool is_host_port(const char *text)
{
	const char *colon = strrchr(text, ':');
	uint64_t port;

	if (!colon || colon == text || str_to_u64(colon + 1, 65535, &port) || port == 0)
		return false;
	if (*text == '[')
		return colon > text + 2 && colon[-1] == ']';
	return memchr(text, ':', (size_t)(colon - text)) == NULL;
}

static bool is_server(const char *text)
{
	return (str_starts_nocase(text, "tcp@") || str_starts_nocase(text, "udp@")) &&
	       is_host_port(text + 4);
}

static bool parse_kkdcp(struct conf_set *s, const char *text, void *out)
{
	char *copy = talloc_strdup(s->ctx, text), *save = NULL;
	char *path = copy ? strtok_r(copy, " \t", &save) : NULL;
	char *realm = path ? strtok_r(NULL, " \t", &save) : NULL;
	char *server = realm ? strtok_r(NULL, " \t", &save) : NULL;

	if (!server || strtok_r(NULL, " \t", &save) || *path != '/' || !is_server(server)) {
		conf_set_error(s,
			       "Cannot parse kkdcp string: %s; write PATH REALM tcp@HOST:PORT, or "
			       "udp@HOST:PORT",
			       text);
		return false;
	}
	*(struct conf_kkdcp *)out = (struct conf_kkdcp){ path, realm, server };
	return true;
}

static void print_kkdcp(const void *value, struct buf *out)
{
	const struct conf_kkdcp *k = value;

	buf_printf(out, "%s %s %s", k->path, k->realm, k->server);
}

const struct conf_type conf_type_kkdcp = { "KDC proxy", sizeof(struct conf_kkdcps),
					   sizeof(struct conf_kkdcp), parse_kkdcp, print_kkdcp };
