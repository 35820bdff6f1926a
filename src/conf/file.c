/* file.c - configuration files: reading them whole, and what a reload keeps. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/secret.h"
#include "conf/build.h"
#include "conf/parse.h"

enum err conf_read_fd(TALLOC_CTX *ctx, int fd, char **text, size_t *len)
{
	enum err err = file_read_fd(ctx, fd, CONF_FILE_MAX, text, len);
	int saved = errno;

	close(fd);
	errno = saved;
	return err;
}

/* A missing file is told apart: the caller may have another place to look. */
static enum err read_path(TALLOC_CTX *ctx, const char *path, char **text, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_SYS;
	return conf_read_fd(ctx, fd, text, len);
}

enum err conf_load_file(TALLOC_CTX *ctx, const char *path, struct conf_report *report,
			struct conf **out)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *text;
	size_t len;
	enum err err = read_path(tmp, path, &text, &len);

	if (!err)
		err = conf_load_text(ctx, path, text, len, report, out);
	talloc_free(tmp);
	return err;
}

/* Old names count as what they stand for. */
static bool is_start_only(const struct conf_row *row)
{
	const struct conf_option *opt = conf_option_of(row->option);

	return opt && !(opt->flags & CONF_RELOAD);
}

/* True when CONF has the host VHOST (NULL: the default host). */
static bool knows_host(const struct conf *conf, const char *vhost)
{
	return !vhost || !conf_host(conf, vhost)->is_default;
}

static bool mentions_host(const struct conf_rows *rows, const char *vhost)
{
	for (size_t i = 0; i < rows->n; i++)
		if (rows->item[i].vhost && strcasecmp(rows->item[i].vhost, vhost) == 0)
			return true;
	return false;
}

/* What stays of the old rows: what is start-only, and hosts that are gone from the file, which live
 * on until a restart (config.md 3.2).  NAMED: those of named hosts, or those of the default host.
 */
static enum err keep_old(TALLOC_CTX *ctx, const struct conf_rows *old, const struct conf_rows *new,
			 bool named, struct conf_rows *to)
{
	for (size_t i = 0; i < old->n; i++) {
		const struct conf_row *row = &old->item[i];
		bool kept = is_start_only(row) || (row->vhost && !mentions_host(new, row->vhost));

		if (kept && named == (row->vhost != NULL) && conf_rows_add(ctx, to, row))
			return ERR_NOMEM;
	}
	return ERR_OK;
}

/* What counts of the new rows: all of a new host, the reloadable ones of the others. */
static enum err take_new(TALLOC_CTX *ctx, const struct conf *old, const struct conf_rows *new,
			 struct conf_rows *to)
{
	for (size_t i = 0; i < new->n; i++) {
		const struct conf_row *row = &new->item[i];

		if ((!is_start_only(row) || !knows_host(old, row->vhost)) &&
		    conf_rows_add(ctx, to, row))
			return ERR_NOMEM;
	}
	return ERR_OK;
}

/* The old default host's rows, the new file's, then the old named hosts': last, because a host
 * inherits at its first row what stands above it. */
static enum err merge_rows(TALLOC_CTX *ctx, const struct conf *old, const struct conf_rows *new,
			   struct conf_rows *out)
{
	enum err err = keep_old(ctx, &old->rows, new, false, out);

	if (!err)
		err = take_new(ctx, old, new, out);
	if (!err)
		err = keep_old(ctx, &old->rows, new, true, out);
	return err;
}

/* The file for itself, to be compared only: its errors are told when it is merged. */
static void check_restart(TALLOC_CTX *tmp, const struct conf *old, const struct conf_rows *rows,
			  struct conf_report *report)
{
	struct conf *fresh;

	if (!conf_from_rows(tmp, rows, CONF_SHARE, NULL, &fresh))
		conf_check_restart(old, fresh, report);
}

enum err conf_reload_file(TALLOC_CTX *ctx, const char *path, const struct conf *old,
			  struct conf_report *report, struct conf **out)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct conf_rows rows = { 0 }, merged = { 0 };
	char *text;
	size_t len;
	enum err err = read_path(tmp, path, &text, &len), bad_syntax = ERR_OK;
	struct conf *conf;

	if (!err)
		bad_syntax = conf_parse(tmp, path, text, len, true, report, &rows);
	if (!err)
		err = merge_rows(tmp, old, &rows, &merged);
	if (!err)
		err = conf_from_rows(ctx, &merged, CONF_WHOLE, report, &conf);
	if (!err)
		check_restart(tmp, old, &rows, report);
	talloc_free(tmp);
	if (!err && bad_syntax) {
		talloc_free(conf);
		err = bad_syntax;
	}
	if (!err)
		*out = conf;
	return err;
}
