/* material.c - files with keys and certificates. */
#include "auth/material.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

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

void report_caution(struct keys_report *report, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(report, &report->warning, fmt, ap);
	va_end(ap);
}

static enum err read_fd(TALLOC_CTX *ctx, int fd, size_t limit, gnutls_datum_t *out)
{
	struct stat st;
	ssize_t n = 0;

	if (fstat(fd, &st) < 0)
		return ERR_SYS;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return ERR_SYS;
	}
	if ((size_t)st.st_size > limit)
		return ERR_TOO_LONG;
	out->data = talloc_zero_size(ctx, (size_t)st.st_size + 1);
	if (!out->data)
		return ERR_NOMEM;
	secret_mark(out->data);
	out->size = 0;
	while (out->size < (size_t)st.st_size &&
	       (n = read(fd, out->data + out->size, (size_t)st.st_size - out->size)) > 0)
		out->size += (unsigned)n;
	return n < 0 ? ERR_SYS : ERR_OK;
}

enum err material_read(TALLOC_CTX *ctx, const char *path, size_t limit, gnutls_datum_t *out)
{
	/* Without waiting: somebody may have put a pipe there. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum err err = fd < 0 ? ERR_SYS : read_fd(ctx, fd, limit, out);
	int why = errno;

	if (fd >= 0)
		close(fd);
	errno = why;
	return err;
}
