/* edit.h - replacing a file of secrets in one step.  Used by ocpasswd. */
#ifndef CTL_EDIT_H
#define CTL_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

#include "base/err.h"

enum { EDIT_FILE_MAX = 64 * 1024 * 1024 }; /* bytes of a file we edit */

/* Makes the new contents, a child of CTX, from TEXT (LEN bytes; NULL when there is no file). */
typedef enum err edit_fn(TALLOC_CTX *ctx, void *arg, const char *text, size_t len, char **out,
			 size_t *out_len);

struct edit {
	const char *file;
	bool may_be_made; /* a missing file is an empty one */
	bool server_too;  /* the server writes the file, too: waits for FILE.lock */
	edit_fn *fn;
	void *arg;
};

/* Gives the file what FN makes of it, mode 0600, on disk before it takes the old one's place.
 * FILE.tmp is the lock against others like us.  False: the file is untouched, and a line on
 * standard error says why. */
bool edit_file(TALLOC_CTX *ctx, const struct edit *e);

#endif /* CTL_EDIT_H */
