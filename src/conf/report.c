/* report.c - collecting findings and turning them into lines. */
#include "conf/report.h"

#include <stdarg.h>

#include "base/buf.h"

static const char *const prefixes[] = { "info: ", "note: ", "warning: ", "error: " };

struct conf_report *conf_report_new(TALLOC_CTX *ctx)
{
	return talloc_zero(ctx, struct conf_report);
}

static void copy_where(const struct conf_report *r, struct conf_where *out,
		       const struct conf_where *in)
{
	*out = (struct conf_where){ .line = in->line };
	out->vhost = in->vhost ? talloc_strdup(r->item, in->vhost) : NULL;
	out->file = in->file ? talloc_strdup(r->item, in->file) : NULL;
	out->option = in->option ? talloc_strdup(r->item, in->option) : NULL;
}

void conf_report_add(struct conf_report *r, enum conf_severity severity,
		     const struct conf_where *where, const char *fmt, ...)
{
	struct conf_problem *p;
	va_list ap;

	if (!r)
		return;
	r->errors += severity == CONF_ERROR;
	r->warnings += severity == CONF_WARNING;
	if (r->n == CONF_REPORT_MAX)
		return;
	p = talloc_realloc(r, r->item, struct conf_problem, (unsigned)r->n + 1);
	if (!p)
		return;
	r->item = p;
	p += r->n++;
	*p = (struct conf_problem){ .severity = severity };
	if (where)
		copy_where(r, &p->where, where);
	va_start(ap, fmt);
	p->text = talloc_vasprintf(r->item, fmt, ap);
	va_end(ap);
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
