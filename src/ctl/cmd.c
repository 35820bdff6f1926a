/* cmd.c - matching lines against the table of commands. */
#include "ctl/cmd.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

static const char blanks[] = " \t\r\n";

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, blanks);
}

const char *cmd_arg_name(enum cmd_arg arg)
{
	static const char *const name[] = { "", "[NAME]", "[ID]", "[SID]", "[IP]" };

	return name[arg];
}

/* How far LINE follows the words of NAME. */
struct walk {
	const char *name, *line; /* the first places where they part */
	bool in_word;		 /* LINE ended in a word of NAME, with no blank after it */
};

static struct walk walk(const char *name, const char *line)
{
	struct walk w = { name, skip_blanks(line), false };

	while (*w.name && *w.line) {
		size_t n = strcspn(w.name, " "), m = strcspn(w.line, blanks);

		if (m <= n && w.line[m] == 0 && strncasecmp(w.name, w.line, m) == 0) {
			w.name += m;
			w.line += m;
			w.in_word = true;
			return w;
		}
		if (m != n || strncasecmp(w.name, w.line, n) != 0)
			return w;
		w.name += n + (w.name[n] == ' ');
		w.line = skip_blanks(w.line + n);
	}
	return w;
}

static bool is_available(const struct cmd *c, bool interactive)
{
	return !(c->flags & CMD_LABEL) && (interactive || !(c->flags & CMD_SHELL));
}

/* LINE is the beginning of C's name, and not all of it. */
static bool is_prefix(const struct cmd *c, const char *line)
{
	struct walk w = walk(c->name, line);

	return *w.line == 0 && *w.name != 0;
}

/* The argument without the blanks around it. */
static enum cmd_match read_argument(TALLOC_CTX *ctx, const struct cmd *c, const char *rest,
				    struct cmd_value *v)
{
	char *text = talloc_strdup(ctx, rest);
	uint64_t n;

	if (!text)
		return CMD_ARGUMENT;
	for (size_t len = strlen(text); len > 0 && strchr(blanks, text[len - 1]); len--)
		text[len - 1] = 0;
	v->text = text;
	if (!*text)
		return CMD_ARGUMENT;
	if (c->arg == ARG_ID) {
		if (str_to_u64(text, UINT32_MAX, &n) || n == 0)
			return CMD_ARGUMENT;
		v->id = (uint32_t)n;
	}
	if (c->arg == ARG_IP && addr_parse(text, &v->addr))
		return CMD_BAD_IP;
	return CMD_FOUND;
}

enum cmd_match cmd_parse(TALLOC_CTX *ctx, const char *line, bool interactive,
			 const struct cmd **cmd, struct cmd_value *value)
{
	bool prefix = false;

	*value = (struct cmd_value){ 0 };
	if (!*skip_blanks(line))
		return CMD_EMPTY;
	for (const struct cmd *c = cmd_table; c->name; c++) {
		struct walk w = walk(c->name, line);

		if (!is_available(c, interactive))
			continue;
		if (*w.name == 0 && c->arg != ARG_NONE) {
			*cmd = c;
			return read_argument(ctx, c, w.line, value);
		}
		if (*w.name == 0 && (*w.line == 0 || !(c->flags & CMD_EXACT))) {
			*cmd = c;
			return CMD_FOUND;
		}
		prefix = prefix || is_prefix(c, line);
	}
	return prefix ? CMD_PREFIX : CMD_UNKNOWN;
}

void cmd_print_help(FILE *out, const char *line, bool interactive)
{
	for (const struct cmd *c = cmd_table; c->name; c++) {
		if ((c->flags & CMD_UNLISTED) || (!interactive && (c->flags & CMD_SHELL)))
			continue;
		if (*skip_blanks(line) && !is_prefix(c, line))
			continue;
		if (c->arg == ARG_NONE)
			fprintf(out, " %16s\t%s\n", c->name, c->help);
		else
			fprintf(out, " %12s %s\t%s\n", c->name, cmd_arg_name(c->arg), c->help);
	}
}

/* The word of NAME that WALK is in, or the next one. */
static enum err add_word(TALLOC_CTX *ctx, const char *name, const struct walk *w,
			 struct strv *words)
{
	const char *start = w->name;
	enum err err = ERR_OK;
	char *word;

	while (start > name && start[-1] != ' ')
		start--;
	word = talloc_strndup(ctx, start, strcspn(start, " "));
	if (!word)
		return ERR_NOMEM;
	if (!strv_has(words, word))
		err = strv_add(ctx, words, word);
	talloc_free(word);
	return err;
}

static const char *last_word(const char *line)
{
	const char *p = line + strlen(line);

	while (p > line && !strchr(blanks, p[-1]))
		p--;
	return p;
}

enum err cmd_complete(TALLOC_CTX *ctx, const char *line, struct cmd_next *next)
{
	enum err err = ERR_OK;

	*next = (struct cmd_next){ .word = last_word(line) };
	for (const struct cmd *c = cmd_table; !err && c->name; c++) {
		struct walk w = walk(c->name, line);

		if ((c->flags & CMD_HIDDEN) == CMD_HIDDEN || (c->flags & CMD_LABEL))
			continue;
		if (*w.line == 0 && (w.in_word || *w.name)) {
			err = add_word(ctx, c->name, &w, &next->words);
		} else if (*w.name == 0 && c->arg != ARG_NONE) {
			next->arg = c->arg;
			next->word = w.line; /* a user's name may have blanks */
		}
	}
	return err;
}
