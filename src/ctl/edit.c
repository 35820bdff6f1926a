/* edit.c - a new file in the place of the old one, or no change at all. */
#include "ctl/edit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Contents of FILE, child of CTX; *TEXT is NULL when it does not exist and may be made. */
static bool load(TALLOC_CTX *ctx, const char *file, bool may_be_made, char **text, size_t *len)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;

	*text = NULL;
	*len = 0;
	if (fd < 0 && errno == ENOENT && may_be_made)
		return true;
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= EDIT_FILE_MAX) {
		*text = talloc_size(ctx, (size_t)st.st_size + 1);
		for (n = *text ? 1 : -1; n > 0 && *len < (size_t)st.st_size; *len += (size_t)n)
			n = read(fd, *text + *len, (size_t)st.st_size - *len);
	}
	if (n < 0)
		fprintf(stderr, "Cannot open '%s' for reading.\n", file);
	if (fd >= 0)
		close(fd);
	return n >= 0;
}

static bool write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return fchmod(fd, 0600) == 0 && fsync(fd) == 0;
}

/* The rename is on disk when the directory is. */
static void sync_folder(TALLOC_CTX *ctx, const char *file)
{
	const char *slash = strrchr(file, '/');
	char *dir = slash ? talloc_strndup(ctx, file, (size_t)(slash - file) + 1) : NULL;
	int fd = open(dir ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
}

/* Reads, edits and writes the file; FD is its lock and becomes the new one.  Says what failed. */
static bool rewrite(TALLOC_CTX *ctx, const struct edit *e, int fd)
{
	size_t len, new_len;
	char *text, *new_text;
	enum err err;

	if (!load(ctx, e->file, e->may_be_made, &text, &len))
		return false;
	err = e->fn(ctx, e->arg, text, len, &new_text, &new_len);
	if (err) {
		fprintf(stderr, "Cannot edit '%s': %s.\n", e->file, err_text(err));
		return false;
	}
	if (!write_all(fd, new_text, new_len)) {
		fprintf(stderr, "Cannot write '%s.tmp': %s.\n", e->file, strerror(errno));
		return false;
	}
	return true;
}

/* The server holds FILE.lock for milliseconds while it writes down that a code was used.  The
 * descriptor stays open, and with it the lock, until we end. */
static bool wait_for_server(TALLOC_CTX *ctx, const char *file)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char *name = talloc_asprintf(ctx, "%s.lock", file);
	int fd = name ? open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;

	if (fd >= 0 && fcntl(fd, F_SETLKW, &whole) == 0)
		return true;
	fprintf(stderr, "Cannot lock '%s.lock': %s.\n", file, strerror(errno));
	return false;
}

/* Interrupts wait, so that no lock stays behind. */
bool edit_file(TALLOC_CTX *ctx, const struct edit *e)
{
	char *tmp = talloc_asprintf(ctx, "%s.tmp", e->file);
	sigset_t all;
	bool ok;
	int fd;

	if (e->server_too && !wait_for_server(ctx, e->file))
		return false;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	fd = tmp ? open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
	if (fd < 0) {
		if (errno == EEXIST)
			fprintf(stderr, "file '%s' is locked.\n", e->file);
		else
			fprintf(stderr, "Cannot open '%s.tmp': %s.\n", e->file, strerror(errno));
		return false;
	}
	ok = rewrite(ctx, e, fd);
	close(fd);
	if (ok && rename(tmp, e->file) < 0) {
		fprintf(stderr, "Cannot replace '%s': %s.\n", e->file, strerror(errno));
		ok = false;
	}
	if (ok)
		sync_folder(ctx, e->file);
	else
		unlink(tmp);
	return ok;
}
