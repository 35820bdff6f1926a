/* userfile.c - finding and reading per-user and per-group files (config.md 10.2).  Auth only. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "conf/build.h"

/* One of the two lookups of config.md 10.2. */
struct lookup {
	const char *what; /* "user" or "group" */
	const char *name, *dir, *fallback;
};

static void complain(struct conf_report *report, const char *file, const char *what,
		     const char *why)
{
	const struct conf_where where = { .file = file };

	conf_report_add(report, CONF_ERROR, &where, "%s: %s", what, why);
}

/* The name becomes one component of a path, nothing else. */
static bool is_component(const char *name)
{
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strchr(name, '/') &&
	       strlen(name) <= NAME_MAX;
}

/* Opens DIR/NAME without following a link; -1 with ENOENT when there is none that counts. */
static int open_entry(const char *dir, const char *name)
{
	int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;

	if (dirfd < 0)
		return -1;
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ELOOP)
		errno = ENOENT;
	close(dirfd);
	return fd;
}

/* Takes FD.  A file that cannot be read is no reason to run without its restrictions. */
static enum err parse_fd(TALLOC_CTX *ctx, int fd, const char *path, struct conf_report *report,
			 struct conf_rows *rows)
{
	char *text;
	size_t len;
	enum err err = conf_read_fd(NULL, fd, &text, &len);

	if (err) {
		complain(report, path, "cannot read the file", err_text(err));
		return ERR_CONF;
	}
	err = conf_user_parse(ctx, path, text, len, report, rows);
	talloc_free(text);
	return err;
}

/* The replacement for a missing file must be there when it is configured. */
static enum err read_fallback(TALLOC_CTX *ctx, const char *path, struct conf_report *report,
			      struct conf_rows *rows)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0) {
		complain(report, path, "cannot read the default file", strerror(errno));
		return ERR_CONF;
	}
	return parse_fd(ctx, fd, path, report, rows);
}

/* The file, or its replacement, or nothing. */
static enum err read_entry(TALLOC_CTX *ctx, const struct lookup *l, struct conf_report *report,
			   struct conf_looked *looked, struct conf_rows *rows)
{
	int fd = open_entry(l->dir, l->name);

	if (fd >= 0) {
		looked->result = CONF_LOOKED_FILE;
		return parse_fd(ctx, fd, looked->path, report, rows);
	}
	if (errno != ENOENT) {
		complain(report, looked->path, "cannot read the file", strerror(errno));
		return ERR_CONF;
	}
	looked->result = l->fallback ? CONF_LOOKED_DEFAULT : CONF_LOOKED_NONE;
	return l->fallback ? read_fallback(ctx, l->fallback, report, rows) : ERR_OK;
}

/* The name comes from the client, hence is checked before it becomes a path. */
static enum err look_up(TALLOC_CTX *ctx, const struct lookup *l, struct conf_report *report,
			struct conf_looked *looked, struct conf_rows *rows)
{
	if (!l->dir)
		return ERR_OK;
	if (!is_component(l->name)) {
		complain(report, l->dir, "refusing the name of a file", l->what);
		return ERR_CONF;
	}
	looked->fallback = l->fallback;
	looked->path = talloc_asprintf(ctx, "%s/%s", l->dir, l->name);
	return looked->path ? read_entry(ctx, l, report, looked, rows) : ERR_NOMEM;
}

/* Tries the values. */
static enum err try_rows(const struct host_conf *host, const struct conf_rows *rows,
			 struct conf_report *report)
{
	struct session_conf *s;
	enum err err = conf_session_new(NULL, host, rows, report, &s);

	if (!err)
		talloc_free(s);
	return err;
}

enum err conf_user_rows(TALLOC_CTX *ctx, const struct host_conf *host, const char *user,
			const char *group, struct conf_report *report,
			struct conf_looked_both *looked, struct conf_rows *out)
{
	const struct lookup by_group = { "the group name cannot be a file name", group,
					 host->config_per_group, host->default_group_config };
	const struct lookup by_user = { "the user name cannot be a file name", user,
					host->config_per_user, host->default_user_config };
	struct conf_looked_both found = { 0 };
	struct conf_rows rows = { 0 };
	enum err err = ERR_OK;

	/* RADIUS attributes take the place of both files (config.md 6.4). */
	if (!host->radius_groupconfig && group && *group)
		err = look_up(ctx, &by_group, report, &found.group, &rows);
	if (!host->radius_groupconfig && !err)
		err = look_up(ctx, &by_user, report, &found.user, &rows);
	if (!err)
		err = try_rows(host, &rows, report);
	if (looked)
		*looked = found;
	if (err)
		talloc_free(rows.item);
	else
		*out = rows;
	return err;
}
