/* fw_env.c - lists that scripts are given, parsed. */
#include "main/fw_env.h"

#include <string.h>

struct input {
	TALLOC_CTX *ctx;
	char *const *env;
	const char **why;
};

const char *fw_env_get(char *const *env, const char *name)
{
	size_t len = strlen(name);

	for (; *env; env++)
		if (!strncmp(*env, name, len) && (*env)[len] == '=')
			return *env + len + 1;
	return NULL;
}

/* The words of variable NAME; none when it is not set. */
static enum err words_of(const struct input *in, const char *name, struct strv *out)
{
	const char *value = fw_env_get(in->env, name);
	char *copy = talloc_strdup(in->ctx, value ? value : ""), *save = NULL;

	if (!copy)
		return ERR_NOMEM;
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		if (strv_add(in->ctx, out, w))
			return ERR_NOMEM;
	return ERR_OK;
}

static enum err bad(const struct input *in, const char *name, const char *word)
{
	*in->why = talloc_asprintf(in->ctx, "%s has '%s'", name, word);
	return ERR_SYNTAX;
}

static enum err read_routes(const struct input *in, const char *name, struct conf_routes *out)
{
	struct strv words = { 0 };
	enum err err = words_of(in, name, &words);

	if (err)
		return err;
	out->item = talloc_zero_array(in->ctx, struct conf_route, (unsigned)words.n + 1);
	if (!out->item)
		return ERR_NOMEM;
	for (size_t i = 0; i < words.n; i++) {
		struct conf_route *route = &out->item[out->n];

		if (addr_net_parse(words.item[i], &route->net))
			return bad(in, name, words.item[i]);
		route->text = words.item[i];
		out->n++;
	}
	return ERR_OK;
}

static enum err read_dns(const struct input *in, const char *name, struct strv *out)
{
	struct addr addr;
	enum err err = words_of(in, name, out);

	for (size_t i = 0; !err && i < out->n; i++)
		if (addr_parse(out->item[i], &addr))
			err = bad(in, name, out->item[i]);
	return err;
}

/* "tcp 443" or "icmp all". */
static bool read_port(const char *proto, const char *port, struct conf_port *out)
{
	uint64_t number;

	for (unsigned i = CONF_PROTO_TCP; i <= CONF_PROTO_ESP; i++) {
		if (strcmp(proto, conf_proto_name((enum conf_proto)i)) != 0)
			continue;
		out->proto = (enum conf_proto)i;
		if (i > CONF_PROTO_SCTP)
			return !strcmp(port, "all");
		if (str_to_u64(port, UINT32_MAX, &number))
			return false;
		out->port = (uint32_t)number;
		return true;
	}
	return false;
}

/* Appends the pairs of variable NAME. */
static enum err read_ports(const struct input *in, const char *name, bool negate,
			   struct conf_ports *out)
{
	struct strv words = { 0 };
	enum err err = words_of(in, name, &words);

	if (err)
		return err;
	if (words.n % 2)
		return bad(in, name, words.item[words.n - 1]);
	out->item = talloc_realloc(in->ctx, out->item, struct conf_port,
				   (unsigned)(out->n + words.n / 2 + 1));
	if (!out->item)
		return ERR_NOMEM;
	for (size_t i = 0; i < words.n; i += 2) {
		struct conf_port port = { .negate = negate };

		if (!read_port(words.item[i], words.item[i + 1], &port))
			return bad(in, name, words.item[i]);
		out->item[out->n++] = port;
	}
	return ERR_OK;
}

enum err fw_env_read(TALLOC_CTX *ctx, char *const *env, struct fw_rules *out, const char **why)
{
	struct input in = { ctx, env, why };
	struct conf_routes *routes = talloc_zero_array(ctx, struct conf_routes, 2);
	struct conf_ports *ports = talloc_zero(ctx, struct conf_ports);
	struct strv *dns = talloc_zero(ctx, struct strv);
	const char *device = fw_env_get(env, "DEVICE");
	const char *on = fw_env_get(env, "OCSERV_RESTRICT_TO_ROUTES");
	enum err err = ERR_OK;

	*why = "out of memory";
	if (!routes || !ports || !dns)
		return ERR_NOMEM;
	if (!device || !fw_device_ok(device))
		return bad(&in, "DEVICE", device ? device : "");
	err = read_routes(&in, "OCSERV_ROUTES", &routes[0]);
	if (!err)
		err = read_routes(&in, "OCSERV_NO_ROUTES", &routes[1]);
	if (!err)
		err = read_dns(&in, "OCSERV_DNS", dns);
	if (!err)
		err = read_ports(&in, "OCSERV_ALLOW_PORTS", false, ports);
	if (!err)
		err = read_ports(&in, "OCSERV_DENY_PORTS", true, ports);
	if (!err)
		*out = (struct fw_rules){ device, dns, on && *on, &routes[0], &routes[1], ports };
	return err;
}
