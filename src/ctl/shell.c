/* shell.c - a prompt on top of libedit. */
#include "ctl/shell.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <histedit.h>

#include "ctl/complete.h"
#include "ctl/text.h"

enum { HISTORY_LINES = 500 };

static char *prompt(EditLine *el)
{
	static char text[] = "> ";

	(void)el;
	return text;
}

static void list_words(TALLOC_CTX *ctx, const struct strv *words)
{
	fputc('\n', stdout);
	for (size_t i = 0; i < words->n; i++)
		printf("%s  ", text_safe(ctx, words->item[i]));
	fputc('\n', stdout);
	fflush(stdout);
}

/* Inserts what is certain: the whole word and a blank, or what all candidates have in common.
 * Lists them when nothing is. */
static unsigned char offer(TALLOC_CTX *ctx, EditLine *el, const struct strv *words, size_t typed)
{
	size_t common = complete_common(words);
	const char *more;

	if (words->n == 0)
		return CC_ERROR;
	if (words->n > 1 && common <= typed) {
		list_words(ctx, words);
		return CC_REDISPLAY;
	}
	more = talloc_asprintf(ctx, "%.*s%s", (int)(common - typed), words->item[0] + typed,
			       words->n == 1 ? " " : "");
	/* The whole line is drawn anew: it reads right in a log of the terminal too. */
	return more && el_insertstr(el, more) == 0 ? CC_REDISPLAY : CC_ERROR;
}

/* TAB.  A word in another case than the table's is left to the administrator. */
static unsigned char on_tab(EditLine *el, int ch)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	const LineInfo *info = el_line(el);
	unsigned char action = CC_ERROR;
	struct cmd_next next;
	struct ctl *ctl;
	char *line;

	(void)ch;
	el_get(el, EL_CLIENTDATA, &ctl);
	line = talloc_strndup(ctx, info->buffer, (size_t)(info->cursor - info->buffer));
	if (line && !complete_line(ctx, ctl, line, &next))
		action = offer(ctx, el, &next.words, strlen(next.word));
	talloc_free(ctx);
	return action;
}

static void setup(EditLine *el, History *hist, struct ctl *ctl)
{
	HistEvent ev;

	history(hist, &ev, H_SETSIZE, HISTORY_LINES);
	history(hist, &ev, H_SETUNIQUE, 1);
	el_set(el, EL_PROMPT, prompt);
	el_set(el, EL_EDITOR, "emacs");
	el_set(el, EL_SIGNAL, 1);
	el_set(el, EL_HIST, history, hist);
	el_set(el, EL_CLIENTDATA, ctl);
	el_set(el, EL_ADDFN, "occtl-complete", "complete commands and arguments", on_tab);
	el_set(el, EL_BIND, "^I", "occtl-complete", NULL);
	el_source(el, NULL); /* ~/.editrc */
}

/* Runs one line.  False: leave. */
static bool run_line(struct ctl *ctl, History *hist, const char *line)
{
	char text[1024];
	HistEvent ev;

	if (strlen(line) >= sizeof text) {
		fputs("the line is too long\n", stderr);
		return true;
	}
	strcpy(text, line);
	text[strcspn(text, "\r\n")] = 0;
	if (text[strspn(text, " \t")])
		history(hist, &ev, H_ENTER, text);
	return cmd_run_line(ctl, text) != CMD_LEAVE;
}

int shell_run(struct ctl *ctl)
{
	EditLine *el = el_init("occtl", stdin, stdout, stderr);
	History *hist = history_init();
	const char *line;
	int len;

	if (!el || !hist)
		return EXIT_FAILURE;
	setup(el, hist, ctl);
	do
		line = el_gets(el, &len);
	while (line && len > 0 && run_line(ctl, hist, line));
	if (!line && isatty(STDIN_FILENO))
		fputc('\n', stdout);
	history_end(hist);
	el_end(el);
	return EXIT_SUCCESS;
}
