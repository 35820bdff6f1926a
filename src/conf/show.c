/* show.c - --print-config: what is in force, and where it came from. */
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/url.h"
#include "conf/build.h"
#include "conf/origin.h"
#include "conf/types.h"

enum { VALUE_MAX = 64 * 1024, COLUMN = 40 };

/* "name = value   # why: file:line", or commented out when there is no value. */
static void print_line(FILE *out, const struct conf_option *opt, const char *value,
		       struct conf_origin why)
{
	char *shown = url_printable(NULL, value);
	bool hidden = opt->type == &conf_type_secret || !shown || strcmp(shown, value) != 0;
	int n = *value ? fprintf(out, "%s%s = %s", hidden ? "#" : "", opt->name, shown ? shown : "")
		       : fprintf(out, "#%s =", opt->name);

	if (n < COLUMN)
		fprintf(out, "%*s", COLUMN - n, "");
	fprintf(out, " # %s%s", why.rule ? why.rule : "", why.rule ? ": " : "");
	if (why.row)
		fprintf(out, "%s:%u\n", why.row->file, why.row->line);
	else
		fprintf(out, "%s\n", *value ? "default" : "unset");
	talloc_free(shown);
}

static void show_item(FILE *out, const struct conf_option *opt, const void *value,
		      struct conf_origin why)
{
	struct buf b;

	buf_init(&b, NULL, VALUE_MAX);
	opt->type->print(value, &b);
	print_line(out, opt, buf_text(&b), why);
	talloc_free(b.data);
}

/* Whether ROW was written for HOST itself, not for the default host it inherits from. */
static bool is_own(const struct host_conf *host, const struct conf_row *row)
{
	return row && row->vhost && strcasecmp(row->vhost, host->name) == 0;
}

/* A named host's section holds what the host sets itself, as it was written: what it inherits, and
 * the inherited elements of its lists, would be added twice when the output is loaded. */
static void show_own(const struct conf *conf, const struct host_conf *host, FILE *out)
{
	for (size_t i = 0; i < conf->rows.n; i++) {
		const struct conf_row *row = &conf->rows.item[i];
		const struct conf_option *opt =
			is_own(host, row) ? conf_option_of(row->option) : NULL;

		const char *value = opt ? conf_value_of(row) : NULL;

		if (value)
			print_line(out, opt, opt->type == &conf_type_secret ? CONF_HIDDEN : value,
				   (struct conf_origin){ row, NULL });
	}
}

/* Lists take a line for each element. */
static void show_list(const struct conf *conf, const struct conf_option *opt,
		      const struct conf_any_list *list, FILE *out)
{
	struct conf_origin *why = talloc_array(NULL, struct conf_origin, (unsigned)list->n);

	if (!why)
		return;
	conf_origins_of(conf, conf->host[0], opt, why, list->n);
	for (size_t i = 0; i < list->n; i++)
		show_item(out, opt, (const char *)list->item + i * opt->type->item, why[i]);
	talloc_free(why);
}

static void show_option(const struct conf *conf, const struct conf_option *opt, FILE *out)
{
	const void *field = conf_field_ro(conf, conf->host[0], opt);
	struct conf_any_list list = { 0 };
	struct conf_origin why;

	if (opt->type->item)
		memcpy(&list, field, sizeof(list));
	if (list.n) {
		show_list(conf, opt, &list, out);
		return;
	}
	conf_origins_of(conf, conf->host[0], opt, &why, 1);
	if (opt->type->item)
		print_line(out, opt, "", why);
	else
		show_item(out, opt, field, why);
}

static void show_default(const struct conf *conf, FILE *out)
{
	for (size_t i = 0; i < CONF_OPT_COUNT; i++)
		if (conf_options[i].scope != CONF_SCOPE_PERUSER)
			show_option(conf, &conf_options[i], out);
}

void conf_show(const struct conf *conf, FILE *out)
{
	fprintf(out, "# The configuration in force; the comment says where a value came from.\n");
	show_default(conf, out);
	for (size_t i = 1; i < conf->n_hosts; i++) {
		fprintf(out, "\n[vhost:%s]\n", conf->host[i]->name);
		show_own(conf, conf->host[i], out);
	}
}
