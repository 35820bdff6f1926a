/* line.c - "Key: value" lines. */
#include "ctl/line.h"

#include <stdarg.h>
#include <string.h>

#include "ctl/text.h"

enum {
	TAB = 8,
	GAP = 3,	/* between two items */
	LEAST = 3 * TAB /* columns; what folds for less would be a column of letters */
};

static size_t width_of(const struct line *l)
{
	return l->v->width >= LEAST ? l->v->width : 0;
}

/* Where to fold within PART: behind its last blank or hyphen if that is in its second half. */
static size_t fold_at(const char *part)
{
	size_t n = strlen(part), i = n;

	while (i > n / 2 && part[i - 1] != ' ' && part[i - 1] != '-')
		i--;
	return i > n / 2 ? i : n;
}

/* Prints the safe TEXT from the cursor on; what does not fit goes on below, behind two tabs. */
static void put_folded(struct line *l, const char *text)
{
	size_t width = width_of(l);

	while (width && l->column + text_width(text) > width) {
		char *part = text_cut(l->v->ctx, text, width - l->column, "");
		size_t n = fold_at(part);
		fprintf(l->v->out, "%.*s\n\t\t", (int)n, part);
		text += n;
		l->column = 2 * TAB;
		talloc_free(part);
	}
	fputs(text, l->v->out);
	l->column += text_width(text);
}

/* Puts the cursor where an item of LENGTH columns begins. */
static void begin_item(struct line *l, size_t length)
{
	size_t width = width_of(l);

	if (l->items && width && l->column + GAP + length > width)
		line_end(l);
	if (l->items)
		fprintf(l->v->out, "%*s", GAP, "");
	else
		fputc('\t', l->v->out);
	l->column = l->items ? l->column + GAP : TAB;
	l->items++;
}

void line_text(struct line *l, const char *key, const char *value)
{
	char *item;

	if (!*value)
		return;
	item = talloc_asprintf(l->v->ctx, "%s: %s", key, text_safe(l->v->ctx, value));
	if (!item)
		return;
	begin_item(l, text_width(item));
	put_folded(l, item);
	talloc_free(item);
}

void line_printf(struct line *l, const char *key, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = talloc_vasprintf(l->v->ctx, fmt, ap);
	va_end(ap);
	line_text(l, key, text ? text : "");
}

void line_end(struct line *l)
{
	if (l->items)
		fputc('\n', l->v->out);
	l->items = 0;
}

void line_single(struct line *l, const char *key, const char *value)
{
	line_text(l, key, value);
	line_end(l);
}

void line_list(struct line *l, const char *key, char *const *item, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i == 0) {
			line_single(l, key, item[0]);
			continue;
		}
		fputs("\t\t", l->v->out);
		l->column = 2 * TAB;
		put_folded(l, text_safe(l->v->ctx, item[i]));
		fputc('\n', l->v->out);
	}
}
