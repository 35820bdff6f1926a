/* material.h - files with keys and certificates: read whole, faults in words for the administrator.
 * Used by all files of auth that load some. */
#ifndef AUTH_MATERIAL_H
#define AUTH_MATERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

#include <gnutls/gnutls.h>

#include "base/err.h"
#include "base/str.h"

/* What loading has to say to the administrator. */
struct keys_report {
	TALLOC_CTX *ctx; /* owner of the texts */
	struct strv error, warning;
	bool away;	  /* a token did not answer, or was not there */
	bool pin_refused; /* trying again without a change may lock it */
};

/* One line more in REPORT: what is fatal, what is only strange. */
void report_fault(struct keys_report *report, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void report_caution(struct keys_report *report, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The fault that PATH cannot be read: ERR and errno are those that material_read left. */
void report_unreadable(struct keys_report *report, const char *path, enum err err);

/* The whole file PATH of at most LIMIT bytes, NUL-terminated, a child of CTX that is wiped when
 * freed.  ERR_SYS (errno set), ERR_TOO_LONG, ERR_NOMEM; nothing is reported. */
MUST_USE enum err material_read(TALLOC_CTX *ctx, const char *path, size_t limit,
				gnutls_datum_t *out);

/* Whether every part of a PEM file that begins also ends: somebody may be writing it just now. */
bool material_is_whole(const gnutls_datum_t *file);

#endif /* AUTH_MATERIAL_H */
