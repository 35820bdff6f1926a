/* edit.c - a new file in the place of the old one, or no change at all. */
#include "ctl/edit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* Contents of FILE, child of CTX; *TEXT is NULL when it does not exist and may be made. */
static bool load(TALLOC_CTX *ctx, const char *file, bool may_be_made, char **text, size_t *len)
{
	enum err err;

	*text = NULL;
	*len = 0;
	err = file_read(ctx, file, EDIT_FILE_MAX, text, len);
	if (!err || (err == ERR_SYS && errno == ENOENT && may_be_made))
		return true;
	fprintf(stderr, "Cannot open '%s' for reading.\n", file);
	return false;
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
	if (file_write(fd, new_text, new_len) || fchmod(fd, 0600) < 0 || fsync(fd) < 0) {
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
		file_sync_folder(e->file);
	else
		unlink(tmp);
	return ok;
}
