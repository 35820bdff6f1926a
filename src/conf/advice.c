/* advice.c - what is accepted but will hardly do what its author means: programs that cannot run,
 * templates that expand to nothing, name servers that are none.  Warnings only: ocserv starts with
 * such files, and what is missing may come later. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "conf/build.h"

static void advise_program(const struct host_conf *h, enum conf_opt opt, const char *path,
			   const char *effect, struct conf_report *r)
{
	const struct conf_where where = conf_where_of(h, opt);

	if (path && *path && access(path, X_OK) < 0)
		conf_report_add(r, CONF_WARNING, &where, "cannot run '%s': %s; %s", path,
				strerror(errno), effect);
}

static void advise_scripts(const struct conf *conf, struct conf_report *r)
{
	const struct host_conf *h = conf->host[0];

	advise_program(h, CONF_OPT_connect_script, conf->connect_script, "every session is refused",
		       r);
	advise_program(h, CONF_OPT_disconnect_script, conf->disconnect_script, "it never runs", r);
	advise_program(h, CONF_OPT_host_update_script, conf->host_update_script, "it never runs",
		       r);
}

/* Bytes of the placeholder at TEXT, just behind its '%': "{NAME}" with NAME one of the words of
 * NAMES, or a letter of BARE; 0 when it is none. */
static size_t placeholder(const char *text, const char *names, const char *bare)
{
	size_t len = *text == '{' ? strcspn(text + 1, "}") : 0;

	if (*text != '{')
		return *text && strchr(bare, *text) ? 1 : 0;
	if (!len || text[1 + len] != '}')
		return 0;
	while (*names) {
		size_t name = strcspn(names, " ");

		if (name == len && strncmp(names, text + 1, len) == 0)
			return len + 2;
		names += name + strspn(names + name, " ");
	}
	return 0;
}

/* config.md 8.7 and 8.13: one unknown placeholder spoils the whole text. */
static void advise_template(const struct conf_where *where, const char *text, const char *names,
			    const char *bare, const char *effect, struct conf_report *r)
{
	const char *p = text;

	while (p && (p = strchr(p, '%')) != NULL) {
		size_t n = placeholder(p + 1, names, bare);

		if (!n) {
			conf_report_add(r, CONF_WARNING, where,
					"'%s': '%.4s' is no placeholder; %s", text, p, effect);
			return;
		}
		p += 1 + n;
	}
}

static void advise_route_command(const struct conf *conf, enum conf_opt opt, const char *text,
				 const char *effect, struct conf_report *r)
{
	const struct conf_where where = conf_where_of(conf->host[0], opt);

	advise_template(&where, text, "R RI D", "RD", effect, r);
}

static void advise_headers(const struct host_conf *h, struct conf_report *r)
{
	static const char effect[] = "the header is not sent; write %{U} or %{G}";
	const struct conf_where proxy = conf_where_of(h, CONF_OPT_proxy_url);
	const struct conf_where custom = conf_where_of(h, CONF_OPT_custom_header);

	advise_template(&proxy, h->proxy_url, "U G", "", effect, r);
	for (size_t i = 0; i < h->custom_header.n; i++)
		advise_template(&custom, h->custom_header.item[i], "U G", "", effect, r);
}

/* config.md 8.9: sent to clients as they are, who then look names up nowhere. */
static void advise_servers(const struct host_conf *h, enum conf_opt opt, const struct strv *list,
			   struct conf_report *r)
{
	const struct conf_where where = conf_where_of(h, opt);
	struct addr a;

	for (size_t i = 0; i < list->n; i++)
		if (addr_parse(list->item[i], &a))
			conf_report_add(r, CONF_WARNING, &where,
					"'%s' is no address; it is sent to clients as it is",
					list->item[i]);
}

/* What a host inherits is told once, for the host that says it. */
static bool is_own(const struct conf *conf, const struct host_conf *h, enum conf_opt opt)
{
	return h == conf->host[0] || h->origin[opt] != conf->host[0]->origin[opt];
}

void conf_advise(const struct conf *conf, struct conf_report *r)
{
	advise_scripts(conf, r);
	advise_route_command(conf, CONF_OPT_route_add_cmd, conf->route_add_cmd,
			     "sessions with an iroute are refused; write %{R}, %{RI} or %{D}", r);
	advise_route_command(conf, CONF_OPT_route_del_cmd, conf->route_del_cmd,
			     "routes stay; write %{R}, %{RI} or %{D}", r);
	for (size_t i = 0; i < conf->n_hosts; i++) {
		const struct host_conf *h = conf->host[i];

		if (is_own(conf, h, CONF_OPT_proxy_url) || is_own(conf, h, CONF_OPT_custom_header))
			advise_headers(h, r);
		if (is_own(conf, h, CONF_OPT_dns))
			advise_servers(h, CONF_OPT_dns, &h->dns, r);
		if (is_own(conf, h, CONF_OPT_nbns))
			advise_servers(h, CONF_OPT_nbns, &h->nbns, r);
	}
}
