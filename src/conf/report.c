/* report.c - collecting findings and turning them into lines. */
#include "conf/report.h"

#include <stdarg.h>
#include <string.h>

#include "base/buf.h"

static const char *const prefixes[] = { "info: ", "note: ", "warning: ", "error: " };

struct conf_report *conf_report_new(TALLOC_CTX *ctx)
{
	return talloc_zero(ctx, struct conf_report);
}

/* Makes WHERE own its texts. */
static void copy_where(struct conf_report *r, struct conf_where *where)
{
	where->vhost = where->vhost ? talloc_strdup(r, where->vhost) : NULL;
	where->file = where->file ? talloc_strdup(r, where->file) : NULL;
	where->option = where->option ? talloc_strdup(r, where->option) : NULL;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* A line that several hosts inherit is wrong once, not once per host. */
static bool is_known(const struct conf_report *r, const struct conf_problem *p)
{
	for (size_t i = 0; i < r->n && p->where.line; i++) {
		const struct conf_problem *q = &r->item[i];

		if (q->where.line == p->where.line && q->severity == p->severity &&
		    same(q->where.file, p->where.file) && same(q->where.option, p->where.option) &&
		    same(q->text, p->text))
			return true;
	}
	return false;
}

void conf_report_add(struct conf_report *r, enum conf_severity severity,
		     const struct conf_where *where, const char *fmt, ...)
{
	struct conf_problem p = { .severity = severity }, *item;
	char *text;
	va_list ap;

	if (!r)
		return;
	p.where = where ? *where : (struct conf_where){ 0 };
	va_start(ap, fmt);
	p.text = text = talloc_vasprintf(r, fmt, ap);
	va_end(ap);
	r->errors += severity == CONF_ERROR;
	r->warnings += severity == CONF_WARNING;
	if (r->n == CONF_REPORT_MAX || is_known(r, &p)) {
		talloc_free(text);
		return;
	}
	item = talloc_realloc(r, r->item, struct conf_problem, (unsigned)r->n + 1);
	if (!item)
		return;
	r->item = item;
	copy_where(r, &p.where);
	item[r->n++] = p;
}

void conf_report_start_only(struct conf_report *r)
{
	if (r && r->n)
		r->item[r->n - 1].start_only = true;
}

/* The place comes before the host, so that config.md's texts that begin with "vhost:NAME: " stay in
 * one piece for those who search for them. */
char *conf_problem_text(TALLOC_CTX *ctx, const struct conf_problem *p)
{
	struct buf b;

	buf_init(&b, ctx, 8192);
	buf_puts(&b, prefixes[p->severity]);
	if (p->where.file)
		buf_printf(&b, "%s:", p->where.file);
	if (p->where.line)
		buf_printf(&b, "%u:", p->where.line);
	if (p->where.file)
		buf_putc(&b, ' ');
	if (p->where.option)
		buf_printf(&b, "%s: ", p->where.option);
	if (p->where.vhost)
		buf_printf(&b, "vhost:%s: ", p->where.vhost);
	buf_puts(&b, p->text ? p->text : "out of memory");
	return b.data;
}

void conf_report_print(const struct conf_report *r, FILE *out, enum conf_severity severity,
		       bool reload)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct conf_problem *p = &r->item[i];
		char *text;

		if (p->severity < severity || (reload && p->start_only))
			continue;
		text = conf_problem_text(NULL, p);
		fprintf(out, "%s\n", text ? text : "error: out of memory");
		talloc_free(text);
	}
}
