/* load.c - rows to structs: scopes, old names, inheritance between hosts (config.md 3). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/build.h"
#include "conf/parse.h"
#include "conf/types.h"

struct loader {
	struct conf *conf;
	struct conf_report *report;
	enum conf_mode mode;
	bool out_of_memory;
};

/* True for options that live in struct host_conf. */
static bool in_host(const struct conf_option *opt)
{
	return opt->scope == CONF_SCOPE_VHOST || opt->scope == CONF_SCOPE_USER;
}

void *conf_field(struct conf *conf, struct host_conf *host, const struct conf_option *opt)
{
	return (char *)(in_host(opt) ? (void *)host : (void *)conf) + opt->offset;
}

const void *conf_field_ro(const struct conf *conf, const struct host_conf *host,
			  const struct conf_option *opt)
{
	return (const char *)(in_host(opt) ? (const void *)host : (const void *)conf) + opt->offset;
}

struct conf_where conf_where_of(const struct host_conf *host, enum conf_opt opt)
{
	const struct conf_row *row = host->origin[opt];

	return (struct conf_where){ .vhost = host->is_default ? NULL : host->name,
				    .option = row ? conf_options[opt].name : NULL,
				    .file = row ? row->file : NULL,
				    .line = row ? row->line : 0 };
}

/* Gives the option its default; the table's defaults are always good. */
static void set_default(struct loader *l, struct host_conf *host, const struct conf_option *opt)
{
	struct conf_set s = { .ctx = l->conf, .opt = opt };

	if (opt->def && !conf_set_field(&s, opt->def, conf_field(l->conf, host, opt)))
		l->out_of_memory = true;
}

/* A reloadable option of a new host begins as what the default host has so far (config.md 3.2). */
static void inherit_now(struct loader *l, struct host_conf *host, const struct conf_option *opt)
{
	struct host_conf *from = l->conf->host[0];

	if (!in_host(opt) || !(opt->flags & CONF_RELOAD))
		return;
	host->origin[opt->id] = from->origin[opt->id];
	if (conf_copy_field(l->conf, opt->type, conf_field(l->conf, from, opt),
			    conf_field(l->conf, host, opt)))
		l->out_of_memory = true;
}

/* A host with defaults, or with what the default host has so far. */
static struct host_conf *add_host(struct loader *l, const char *name)
{
	struct conf *conf = l->conf;
	struct host_conf **list, *host = talloc_zero(conf, struct host_conf);

	list = talloc_realloc(conf, conf->host, struct host_conf *, (unsigned)conf->n_hosts + 1);
	if (!list || !host)
		goto out;
	conf->host = list;
	host->name = talloc_strdup(host, name);
	host->origin = talloc_zero_array(host, const struct conf_row *, CONF_OPT_COUNT);
	if (!host->name || !host->origin)
		goto out;
	host->is_default = conf->n_hosts == 0;
	list[conf->n_hosts++] = host;
	for (size_t i = 0; i < CONF_OPT_COUNT; i++) {
		if (conf_options[i].scope == CONF_SCOPE_PERUSER)
			continue;
		if (host->is_default)
			set_default(l, host, &conf_options[i]);
		else
			inherit_now(l, host, &conf_options[i]);
	}
	return host;
out:
	l->out_of_memory = true;
	return NULL;
}

/* Exact but for case; the default host only for NULL. */
static struct host_conf *find_host(const struct conf *conf, const char *name)
{
	for (size_t i = 1; name && i < conf->n_hosts; i++)
		if (strcasecmp(conf->host[i]->name, name) == 0)
			return conf->host[i];
	return name ? NULL : conf->host[0];
}

const struct host_conf *conf_host(const struct conf *conf, const char *name)
{
	const struct host_conf *host = find_host(conf, name);

	return host ? host : conf->host[0];
}

/* The host of ROW, made at its first row. */
static struct host_conf *host_of(struct loader *l, const struct conf_row *row)
{
	struct host_conf *host = find_host(l->conf, row->vhost);

	if (host)
		return host;
	if (l->conf->n_hosts == CONF_HOSTS_MAX) {
		const struct conf_where where = { .file = row->file, .line = row->line };

		conf_report_add(l->report, CONF_ERROR, &where, "more than %d virtual hosts",
				CONF_HOSTS_MAX - 1);
		return NULL;
	}
	if (l->mode == CONF_WHOLE)
		conf_report_add(l->report, CONF_NOTE, NULL, "adding virtual host: %s", row->vhost);
	return add_host(l, row->vhost);
}

/* The place of ROW, for messages. */
static struct conf_where where_of_row(const struct conf_row *row)
{
	return (struct conf_where){
		.vhost = row->vhost, .file = row->file, .line = row->line, .option = row->option
	};
}

/* Says why when ROW stands where its option cannot be set. */
static bool scope_allows(struct loader *l, const struct conf_row *row,
			 const struct conf_option *opt)
{
	struct conf_where where = where_of_row(row);

	where.option = NULL;
	if (opt->scope == CONF_SCOPE_PERUSER) {
		conf_report_add(l->report, CONF_WARNING, &where,
				"skipping unknown option '%s'; it belongs into per-user and "
				"per-group files",
				row->option);
		conf_report_start_only(l->report);
		return false;
	}
	if (opt->scope == CONF_SCOPE_GLOBAL && row->vhost) {
		where.vhost = NULL;
		conf_report_add(l->report, CONF_ERROR, &where,
				"'%s' cannot be set inside a virtual host section; move it before "
				"the first [vhost:...]",
				row->option);
		return false;
	}
	return true;
}

/* Puts VALUE (ROW's own, or what an old name stands for) into its field. */
static void set_value(struct loader *l, struct host_conf *host, const struct conf_option *opt,
		      const struct conf_row *row, const char *value)
{
	struct conf_set s = {
		.ctx = l->conf, .report = l->report, .opt = opt, .where = where_of_row(row)
	};

	if (!scope_allows(l, row, opt))
		return;
	/* Also after a bad value: then it was not forgotten, and later checks stay quiet. */
	(in_host(opt) ? host : l->conf->host[0])->origin[opt->id] = row;
	if (opt->id == CONF_OPT_select_group && host->select_group.n == CONF_GROUPS_MAX)
		conf_set_warning(&s, "more than %d groups; '%s' is left out", CONF_GROUPS_MAX,
				 value);
	else
		(void)conf_set_field(&s, value, conf_field(l->conf, host, opt));
}

/* Only for people: a process that reads its share makes no notes. */
static void note_replaced(struct loader *l, const struct conf_row *row, const char *by)
{
	struct conf_where where = where_of_row(row);

	where.option = NULL;
	if (l->mode == CONF_WHOLE)
		conf_report_add(l->report, CONF_NOTE, &where, "'%s' was replaced by '%s'",
				row->option, by);
}

/* A row under an old name that still sets something. */
static void set_renamed(struct loader *l, struct host_conf *host, const struct conf_row *row,
			const struct conf_alias *alias)
{
	const struct conf_option *opt = &conf_options[alias->to];
	const char *value = conf_value_of(row);

	if (!value)
		return;
	if (alias->kind != CONF_ALIAS_SAME)
		note_replaced(l, row, opt->name);
	set_value(l, host, opt, row, value);
}

/* ROW does not name an option: an old name, or nothing known. */
static void apply_alias(struct loader *l, struct host_conf *host, const struct conf_row *row)
{
	const struct conf_alias *alias = conf_alias_find(row->option);
	struct conf_where where = where_of_row(row);

	where.option = NULL;
	if (!alias) {
		conf_report_unknown(l->report, row, false);
		conf_report_start_only(l->report);
	} else if (alias->kind == CONF_ALIAS_DEPRECATED) {
		conf_report_add(l->report, CONF_WARNING, &where, "the option '%s' is deprecated",
				row->option);
	} else if (alias->kind == CONF_ALIAS_REMOVED) {
		conf_report_add(l->report, CONF_ERROR, &where,
				"the '%s' option was removed in ocserv 1.1.2; delete the line",
				row->option);
	} else {
		set_renamed(l, host, row, alias);
	}
}

/* Declarations only make their host (row.h). */
static void apply_row(struct loader *l, const struct conf_row *row)
{
	struct host_conf *host = host_of(l, row);
	const struct conf_option *opt = conf_option_find(row->option);

	if (!host || (!*row->option && l->mode == CONF_SHARE))
		return;
	if (opt)
		set_value(l, host, opt, row, row->value);
	else
		apply_alias(l, host, row);
}

/* Start-only options come from the default host when the whole file is known, where a host has none
 * of its own; enable-auth goes with auth (config.md 3.2). */
static void inherit_late(struct loader *l, struct host_conf *host, const struct conf_option *opt)
{
	struct host_conf *from = l->conf->host[0];
	bool own = host->origin[opt->id] ||
		   (opt->id == CONF_OPT_enable_auth &&
		    host->origin[CONF_OPT_auth] != from->origin[CONF_OPT_auth]);

	if (opt->scope != CONF_SCOPE_VHOST || (opt->flags & CONF_RELOAD) || own)
		return;
	host->origin[opt->id] = from->origin[opt->id];
	if (conf_copy_field(l->conf, opt->type, conf_field(l->conf, from, opt),
			    conf_field(l->conf, host, opt)))
		l->out_of_memory = true;
}

/* The configuration owns its rows: origins point into them, and a reload reads them. */
static void copy_rows(struct loader *l, const struct conf_rows *rows)
{
	for (size_t i = 0; i < rows->n && !l->out_of_memory; i++)
		if (conf_rows_add(l->conf, &l->conf->rows, &rows->item[i]))
			l->out_of_memory = true;
}

/* All rows, then what is inherited late, then what is derived. */
static void build(struct loader *l)
{
	struct conf *conf = l->conf;

	if (!add_host(l, "default"))
		return;
	for (size_t i = 0; i < conf->rows.n && !l->out_of_memory; i++)
		apply_row(l, &conf->rows.item[i]);
	for (size_t h = 1; h < conf->n_hosts; h++)
		for (size_t i = 0; i < CONF_OPT_COUNT; i++)
			inherit_late(l, conf->host[h], &conf_options[i]);
	if (!l->out_of_memory)
		l->out_of_memory =
			conf_derive(conf, l->mode == CONF_WHOLE ? l->report : NULL) != ERR_OK;
}

enum err conf_from_rows(TALLOC_CTX *ctx, const struct conf_rows *rows, enum conf_mode mode,
			struct conf_report *report, struct conf **out)
{
	/* The callers that need no report still need the count of errors. */
	struct conf_report *r = report ? report : conf_report_new(ctx);
	struct loader l = { .conf = talloc_zero(ctx, struct conf), .report = r, .mode = mode };
	size_t errors = r ? r->errors : 0;
	enum err err = ERR_NOMEM;

	if (!l.conf || !r)
		goto out;
	copy_rows(&l, rows);
	if (!l.out_of_memory)
		build(&l);
	if (l.out_of_memory)
		goto out;
	if (mode == CONF_WHOLE)
		conf_check(l.conf, r);
	err = r->errors > errors ? ERR_CONF : ERR_OK;
out:
	if (r != report)
		talloc_free(r);
	if (err)
		talloc_free(l.conf);
	else
		*out = l.conf;
	return err;
}

enum err conf_load_text(TALLOC_CTX *ctx, const char *name, const char *text, size_t len,
			struct conf_report *report, struct conf **out)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct conf_rows rows = { 0 };
	enum err bad_syntax = conf_parse(tmp, name, text, len, true, report, &rows);
	struct conf *conf;
	/* Also after a syntax error, so that one run tells everything. */
	enum err err = conf_from_rows(ctx, &rows, CONF_WHOLE, report, &conf);

	talloc_free(tmp);
	if (!err && bad_syntax) {
		talloc_free(conf);
		err = bad_syntax;
	}
	if (!err)
		*out = conf;
	return err;
}
