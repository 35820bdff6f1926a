/* guess.c - groups without a login: of the password file, or which there are. */
#include "conf/guess.h"

#include <dirent.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "conf/build.h"

enum {
	NAMES_MAX = 50,	   /* group files that are named, */
	LOOKED_MAX = 1000, /* of so many entries of the folder */
	TEXT_MAX = 4096,
};

static enum err add_note(TALLOC_CTX *ctx, struct strv *notes, char *text)
{
	enum err err = text ? strv_add(ctx, notes, text) : ERR_NOMEM;

	talloc_free(text);
	return err;
}

/* ---- the password file (admin.md 8) -------------------------------------- */

/* The line of USER in TEXT, USER:GROUPS:HASH, from its groups on; NULL: there is none. */
static const char *find_user(const char *text, const char *user)
{
	size_t len = strlen(user);

	while (*text) {
		if (strncmp(text, user, len) == 0 && text[len] == ':')
			return text + len + 1;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return NULL;
}

/* The first of GROUPS, a list up to a colon.  Names of one character mean no group
 * (config.md 11.8).
 */
static const char *first_group(TALLOC_CTX *ctx, const char *groups)
{
	static const char blanks[] = " \t";

	while (*groups && !strchr(":\r\n", *groups)) {
		size_t len = strcspn(groups, ",:\r\n"), lead = strspn(groups, blanks);
		size_t end = len;

		while (end > lead && strchr(blanks, groups[end - 1]))
			end--;
		if (end > lead + 1)
			return talloc_strndup(ctx, groups + lead, end - lead);
		groups += len + (groups[len] == ',');
	}
	return talloc_strdup(ctx, "");
}

/* The file that HOST's passwords are in; NULL: they are elsewhere. */
static const char *password_file(const struct host_conf *host)
{
	for (size_t i = 0; i < host->auth.n; i++)
		if (host->auth.item[i].method == CONF_METHOD_PLAIN &&
		    conf_auth_get(&host->auth.item[i], "passwd"))
			return conf_auth_get(&host->auth.item[i], "passwd");
	return NULL;
}

/* The group out of FILE. */
static enum err look_into(TALLOC_CTX *ctx, const char *file, const char *user, struct strv *notes,
			  const char **group)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	const char *entry = NULL, *found = "", *what;
	char *text;
	size_t len;

	if (file_read(tmp, file, CONF_FILE_MAX, &text, &len))
		what = "cannot be read, so no group is assumed";
	else if (!(entry = find_user(text, user)))
		what = "does not name this user, who cannot log in";
	else
		what = "names no group for this user";
	if (entry && (found = first_group(ctx, entry)) && *found)
		what = "names this group first, which a login without a choice gets";
	talloc_free(tmp);
	if (!found)
		return ERR_NOMEM;
	*group = found;
	return add_note(ctx, notes, talloc_asprintf(NULL, "%s %s", file, what));
}

/* ---- group files --------------------------------------------------------- */

/* Names that config.md 10.2 would open: no hidden files of editors, no folders by their dots. */
static void name_files(DIR *dir, struct buf *names)
{
	struct dirent *entry;
	size_t n = 0;

	for (size_t i = 0; i < LOOKED_MAX && (entry = readdir(dir)); i++) {
		if (*entry->d_name == '.' || n++ >= NAMES_MAX)
			continue;
		buf_printf(names, "%s%s", names->len ? ", " : "", entry->d_name);
	}
	if (n > NAMES_MAX)
		buf_puts(names, ", ...");
}

static enum err name_groups(TALLOC_CTX *ctx, const struct host_conf *host, struct strv *notes)
{
	DIR *dir = host->config_per_group ? opendir(host->config_per_group) : NULL;
	struct buf names;
	char *note;

	if (!dir)
		return ERR_OK;
	buf_init(&names, NULL, TEXT_MAX);
	name_files(dir, &names);
	closedir(dir);
	note = talloc_asprintf(NULL, "no group is assumed; group files exist for: %s",
			       names.len ? buf_text(&names) : "nobody");
	talloc_free(names.data);
	return add_note(ctx, notes, note);
}

enum err conf_guess_group(TALLOC_CTX *ctx, const struct host_conf *host, const char *user,
			  struct strv *notes, const char **group)
{
	const char *file = password_file(host), *found = "";
	enum err err = file ? look_into(ctx, file, user, notes, &found) : ERR_OK;

	if (!err && !*found)
		err = name_groups(ctx, host, notes);
	if (!err)
		*group = found;
	return err;
}
