/* line.c - "Key: value" lines. */
#include "ctl/line.h"

#include <stdarg.h>

#include "ctl/fmt.h"

void line_text(struct line *l, const char *key, const char *value)
{
	if (!*value)
		return;
	fprintf(l->out, "%s%s: %s", l->items++ ? "   " : "\t", key, fmt_safe(l->ctx, value));
}

void line_printf(struct line *l, const char *key, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = talloc_vasprintf(l->ctx, fmt, ap);
	va_end(ap);
	line_text(l, key, text ? text : "");
}

void line_end(struct line *l)
{
	if (l->items)
		fputc('\n', l->out);
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
		if (i == 0)
			line_single(l, key, item[0]);
		else
			fprintf(l->out, "\t\t%s\n", fmt_safe(l->ctx, item[i]));
	}
}
