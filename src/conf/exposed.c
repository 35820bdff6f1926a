/* exposed.c - networks behind other users. */
#include "conf/exposed.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "conf/build.h"

/* ---- reading ------------------------------------------------------------- */

static enum err add_behind(TALLOC_CTX *ctx, struct conf_exposed *out, const char *user,
			   const char *route, const struct conf_row *row)
{
	struct conf_behind *item =
		talloc_realloc(ctx, out->item, struct conf_behind, (unsigned)out->n + 1);

	if (!item)
		return ERR_NOMEM;
	out->item = item;
	item[out->n].user = talloc_strdup(item, user);
	item[out->n].route = talloc_strdup(item, route);
	item[out->n].file = talloc_strdup(item, row->file);
	item[out->n].line = row->line;
	if (!item[out->n].user || !item[out->n].route || !item[out->n].file)
		return ERR_NOMEM;
	out->n++;
	return ERR_OK;
}

static enum err take_row(TALLOC_CTX *ctx, const char *user, const struct conf_row *row,
			 struct conf_report *report, struct conf_exposed *out)
{
	const struct conf_where where = { .file = row->file,
					  .line = row->line,
					  .option = row->option };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct conf_route route;
	const char *why = "";
	enum err err = conf_route_parse(tmp, row->value, &route, &why);

	if (err == ERR_SYNTAX) {
		conf_report_add(report, CONF_ERROR, &where, "%s", why);
		err = ERR_CONF;
	} else if (!err) {
		err = add_behind(ctx, out, user, route.text, row);
	}
	talloc_free(tmp);
	return err;
}

/* Goes on after a fault, so that all are told.  Whatever else is wrong with the file is told when
 * its user connects. */
static enum err take_file(TALLOC_CTX *ctx, const char *user, const char *path, const char *text,
			  size_t len, struct conf_report *report, struct conf_exposed *out)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct conf_rows rows = { 0 };
	enum err first = ERR_OK;

	if (conf_user_parse(tmp, path, text, len, NULL, &rows))
		rows.n = 0;
	for (size_t i = 0; i < rows.n; i++) {
		enum err err = ERR_OK;

		if (conf_option_of(rows.item[i].option) == &conf_options[CONF_OPT_iroute])
			err = take_row(ctx, user, &rows.item[i], report, out);
		first = first ? first : err;
	}
	talloc_free(tmp);
	return first;
}

/* Regular files only, as for the sessions themselves: no links. */
static enum err read_entry(TALLOC_CTX *ctx, DIR *dir, const char *folder, const char *name,
			   struct conf_report *report, struct conf_exposed *out)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	int fd = openat(dirfd(dir), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char *path = talloc_asprintf(tmp, "%s/%s", folder, name), *text;
	enum err err = ERR_OK;
	size_t len;

	if (fd >= 0 && path && !conf_read_fd(tmp, fd, &text, &len))
		err = take_file(ctx, name, path, text, len, report, out);
	talloc_free(tmp);
	return err;
}

enum err conf_exposed_read(TALLOC_CTX *ctx, const struct host_conf *host, unsigned most,
			   struct conf_report *report, struct conf_exposed *out)
{
	DIR *dir = host->expose_iroutes && host->config_per_user ? opendir(host->config_per_user)
								 : NULL;
	struct conf_exposed all = { 0 };
	struct dirent *entry;
	enum err first = ERR_OK;

	for (unsigned n = 0; dir && (!most || n < most) && (entry = readdir(dir)); n++) {
		enum err err =
			read_entry(ctx, dir, host->config_per_user, entry->d_name, report, &all);
		first = first ? first : err;
	}
	if (dir)
		closedir(dir);
	if (!first)
		*out = all;
	return first;
}

/* ---- adding -------------------------------------------------------------- */

/* Where it is said goes along, for those who ask why a session has it. */
static enum err add_route(TALLOC_CTX *ctx, struct conf_rows *rows, const char *text,
			  const char *file, unsigned line)
{
	const struct conf_row row = { .option = conf_options[CONF_OPT_route].name,
				      .value = text,
				      .file = file,
				      .line = line };

	return conf_rows_add(ctx, rows, &row);
}

static bool has_route(const struct conf_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		if (conf_option_of(rows->item[i].option) == &conf_options[CONF_OPT_route])
			return true;
	return false;
}

enum err conf_exposed_add(TALLOC_CTX *ctx, const struct host_conf *host,
			  const struct conf_exposed *exposed, const char *user,
			  struct conf_rows *rows)
{
	bool own = has_route(rows), begun = own;
	enum err err = ERR_OK;

	if (!own && !host->route.n)
		return ERR_OK;
	for (size_t i = 0; !err && i < exposed->n; i++) {
		if (strcmp(exposed->item[i].user, user) == 0)
			continue;
		/* The first route of a session's rows replaces the host's (layers.c), unless those
		 * are appended all the same. */
		for (size_t k = 0; !err && !begun && !host->append_routes && k < host->route.n; k++)
			err = add_route(ctx, rows, host->route.item[k].text, "", 0);
		begun = true;
		if (!err)
			err = add_route(ctx, rows, exposed->item[i].route, exposed->item[i].file,
					exposed->item[i].line);
	}
	return err;
}
