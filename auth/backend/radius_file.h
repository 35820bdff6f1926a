/* radius_file.h - reads a small file whole; used by the backend `radius`. */
#ifndef AUTH_BACKEND_RADIUS_FILE_H
#define AUTH_BACKEND_RADIUS_FILE_H

#include <stddef.h>
#include <talloc.h>

#include "base/err.h"

struct radius_text {
	char *text; /* NUL-terminated; wiped when it is freed */
	size_t len;
};

/* Reads PATH into a child of CTX.  ERR_SYS: errno says why; ERR_TOO_LONG: beyond
 * RADIUS_FILE_MAX. */
MUST_USE enum err radius_file_read(TALLOC_CTX *ctx, const char *path, struct radius_text *out);

#endif /* AUTH_BACKEND_RADIUS_FILE_H */
