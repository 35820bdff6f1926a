/* material.c - files with keys and certificates. */
#include "auth/material.h"

#include <stdarg.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"

/* Without memory for the list the line goes to the log at once. */
__attribute__((format(printf, 3, 0))) static void add_line(struct keys_report *report,
							   struct strv *list, const char *fmt,
							   va_list ap)
{
	char *text = talloc_vasprintf(report->ctx, fmt, ap);

	if (!text || strv_add(report->ctx, list, text))
		log_err(NULL, "conf-error", kv_text(text ? text : "out of memory"));
	talloc_free(text);
}

void report_fault(struct keys_report *report, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(report, &report->error, fmt, ap);
	va_end(ap);
}

void report_unreadable(struct keys_report *report, const char *path, enum err err)
{
	report_fault(report, "cannot open file '%s': %s", path, err_reason(err));
}

void report_caution(struct keys_report *report, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(report, &report->warning, fmt, ap);
	va_end(ap);
}

enum err material_read(TALLOC_CTX *ctx, const char *path, size_t limit, gnutls_datum_t *out)
{
	char *text;
	size_t len;
	enum err err = file_read(ctx, path, limit, &text, &len);

	if (!err)
		*out = (gnutls_datum_t){ (unsigned char *)text, (unsigned)len };
	return err == ERR_UNSUPPORTED ? ERR_SYS : err;
}

/* Lines with MARK that come to their own end. */
static size_t count(const gnutls_datum_t *file, const char *mark)
{
	const char *at = (const char *)file->data, *end = at + file->size;
	size_t n = 0;

	while ((at = memmem(at, (size_t)(end - at), mark, strlen(mark))) != NULL) {
		const char *line;

		at += strlen(mark);
		line = memchr(at, '\n', (size_t)(end - at));
		n += memmem(at, (size_t)((line ? line : end) - at), "-----", 5) != NULL;
	}
	return n;
}

bool material_is_whole(const gnutls_datum_t *file)
{
	return count(file, "-----BEGIN ") == count(file, "-----END ");
}
