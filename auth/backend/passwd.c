/* passwd.c - lines of the password file. */
#include "auth/backend/passwd.h"

#include <string.h>

#include "auth/backend/backend.h"

enum { SHORTEST = 5 }; /* lines of 4 or fewer characters are skipped */

enum err passwd_line_parse(char *line, size_t len, struct passwd_entry *out)
{
	char *groups, *hash, *rest;

	while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	if (len < SHORTEST || len > PASSWD_LINE_MAX || memchr(line, '\0', len))
		return ERR_SYNTAX;
	line[len] = '\0';
	groups = strchr(line, ':');
	if (!groups || groups == line)
		return ERR_SYNTAX;
	*groups++ = '\0';
	hash = strchr(groups, ':');
	if (hash) {
		*hash++ = '\0';
		/* No hash contains a colon: what follows one is an extra field. */
		rest = strchr(hash, ':');
		if (rest)
			*rest = '\0';
	}
	*out = (struct passwd_entry){ line, groups, hash ? hash : "" };
	return ERR_OK;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* One name of LEN bytes: "*", "x" and other single characters mean "no group"; a name beyond the
 * limit could never be selected. */
static enum err add_group(TALLOC_CTX *ctx, const char *name, size_t len, struct strv *out)
{
	char text[BACKEND_GROUP_MAX + 1];

	while (len && is_blank(*name)) {
		name++;
		len--;
	}
	while (len && is_blank(name[len - 1]))
		len--;
	if (len < 2 || len > BACKEND_GROUP_MAX)
		return ERR_OK;
	memcpy(text, name, len);
	text[len] = '\0';
	return strv_has(out, text) ? ERR_OK : strv_add(ctx, out, text);
}

enum err passwd_groups_parse(TALLOC_CTX *ctx, const char *groups, struct strv *out)
{
	while (*groups && out->n < BACKEND_GROUPS_MAX) {
		size_t len = strcspn(groups, ",");
		enum err err = add_group(ctx, groups, len, out);

		if (err)
			return err;
		groups += len + (groups[len] == ',');
	}
	return ERR_OK;
}
