/* file.h - small files read whole, and bytes written whole.  Used by all processes. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <fcntl.h>
#include <stddef.h>

#include <talloc.h>

#include "base/err.h"

/* The regular file PATH, or the one open as FD, of at most MOST bytes.  *TEXT is a NUL-terminated
 * child of CTX that is wiped when freed; *LEN does not count the NUL.
 * ERR_SYS: errno says why.  ERR_UNSUPPORTED (errno EINVAL): no regular file; a FIFO in its place
 * would stop the reader for ever.  ERR_TOO_LONG (errno EFBIG); ERR_NOMEM. */
MUST_USE enum err file_read(TALLOC_CTX *ctx, const char *path, size_t most, char **text,
			    size_t *len);
MUST_USE enum err file_read_fd(TALLOC_CTX *ctx, int fd, size_t most, char **text, size_t *len);

/* Writes all LEN bytes at DATA.  ERR_SYS: errno says why. */
MUST_USE enum err file_write(int fd, const void *data, size_t len);

/* A memfd with the LEN bytes at DATA that nobody can change any more, the caller's to close; NAME
 * shows in /proc.  ERR_SYS. */
MUST_USE enum err file_sealed(const char *name, const void *data, size_t len, int *out);

/* The seals of such a descriptor, for those who are handed one. */
#define FILE_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Puts a change of PATH's name on disk, as far as that can be done. */
void file_sync_folder(const char *path);

#endif /* BASE_FILE_H */
