/* ldap_file.c - the grammar of the file, line by line. */
#include "auth/backend/ldap_file.h"

#include <string.h>

#include "base/str.h"

static char *unquote(char *text)
{
	size_t len = strlen(text);

	if (len < 2 || text[0] != '"' || text[len - 1] != '"')
		return text;
	text[len - 1] = '\0';
	return text + 1;
}

static enum err take_line(char *line, struct backend_pairs *out)
{
	char *eq;

	line = str_trim(line);
	if (!*line || *line == '#')
		return ERR_OK;
	eq = strchr(line, '=');
	if (!eq || eq == line)
		return ERR_SYNTAX;
	if (out->n == LDAP_PAIRS_MAX)
		return ERR_TOO_LONG;
	*eq = '\0';
	out->item[out->n++] = (struct backend_pair){ str_trim(line), unquote(str_trim(eq + 1)) };
	return ERR_OK;
}

enum err ldap_file_parse(TALLOC_CTX *ctx, const char *text, size_t len, struct backend_pairs *out,
			 unsigned *line)
{
	char *copy = talloc_strndup(ctx, text, len), *next;
	enum err err = ERR_OK;

	out->item = talloc_realloc(ctx, out->item, struct backend_pair, LDAP_PAIRS_MAX);
	if (!copy || !out->item)
		return ERR_NOMEM;
	*line = 0;
	while (!err && (next = strsep(&copy, "\n")) != NULL) {
		++*line;
		err = take_line(next, out);
	}
	/* A NUL byte would hide what stands behind it. */
	if (!err && memchr(text, '\0', len))
		err = ERR_SYNTAX;
	return err;
}
