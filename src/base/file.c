/* file.c - reading and writing in one piece. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"

/* ---- reading -------------------------------------------------------------- */

enum err file_read_fd(TALLOC_CTX *ctx, int fd, size_t most, char **text, size_t *len)
{
	struct stat st;
	size_t size, got = 0;
	ssize_t n = 1;
	char *data;

	if (fstat(fd, &st) < 0)
		return ERR_SYS;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return ERR_UNSUPPORTED;
	}
	size = (size_t)st.st_size;
	if (size > most) {
		errno = EFBIG;
		return ERR_TOO_LONG;
	}
	data = talloc_size(ctx, size + 1);
	if (!data)
		return ERR_NOMEM;
	secret_mark(data);
	/* It may have become shorter meanwhile. */
	for (; got < size && n > 0; got += n > 0 ? (size_t)n : 0)
		n = read(fd, data + got, size - got);
	if (n < 0) {
		int why = errno;

		talloc_free(data);
		errno = why;
		return ERR_SYS;
	}
	memset(data + got, 0, size + 1 - got);
	*text = data;
	*len = got;
	return ERR_OK;
}

enum err file_read(TALLOC_CTX *ctx, const char *path, size_t most, char **text, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), why;
	enum err err;

	if (fd < 0)
		return ERR_SYS;
	err = file_read_fd(ctx, fd, most, text, len);
	why = errno;
	close(fd);
	errno = why;
	return err;
}

/* ---- writing -------------------------------------------------------------- */

enum err file_write(int fd, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len) {
		ssize_t n = write(fd, at, len);

		if (n <= 0)
			return ERR_SYS;
		at += n;
		len -= (size_t)n;
	}
	return ERR_OK;
}

enum err file_sealed(const char *name, const void *data, size_t len, int *out)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return ERR_SYS;
	if (file_write(fd, data, len) || fcntl(fd, F_ADD_SEALS, FILE_SEALS) < 0) {
		close(fd);
		return ERR_SYS;
	}
	*out = fd;
	return ERR_OK;
}

void file_sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) + 1 : 0;
	char folder[PATH_MAX] = ".";
	int fd;

	if (len >= sizeof folder)
		return;
	if (len) {
		memcpy(folder, path, len);
		folder[len] = '\0';
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}
