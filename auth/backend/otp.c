/* otp.c - the OTP users file on disk, and the arithmetic of the OATH toolkit. */
#include "auth/backend/otp.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <liboath/oath.h>
#include <talloc.h>

#include "auth/backend/otp_token.h"
#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"

enum {
	WINDOW = 20, /* codes ahead; time steps to either side (admin.md 9) */
	FILE_MAX = 64 * 1024 * 1024,
};

/* The file while its lock is held. */
struct users {
	char path[PATH_MAX]; /* where it really lies */
	int lock;
	struct stat st;
	char *text;
	size_t len;
};

static enum err failed(const char *what, const char *path)
{
	log_err(NULL, what, kv_str("file", path), kv_str("reason", strerror(errno)));
	return ERR_SYS;
}

/* ---- the lock ------------------------------------------------------------- */

/* The toolkit's own lock, FILE.lock, so that pam_oath may use the same file.  The toolkit removes
 * it after use: whoever waited for a removed one begins again. */
static int take_lock(const char *path)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char name[PATH_MAX + 8];
	struct stat ours, there;
	int fd;

	snprintf(name, sizeof name, "%s.lock", path);
	for (;;) {
		fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return -1;
		if (fcntl(fd, F_SETLKW, &whole) < 0 || fstat(fd, &ours) < 0) {
			close(fd);
			return -1;
		}
		if (stat(name, &there) == 0 && ours.st_ino == there.st_ino)
			return fd;
		close(fd);
	}
}

/* ---- reading and writing -------------------------------------------------- */

static enum err read_text(struct users *u)
{
	int fd = open(u->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum err err = fd < 0 || fstat(fd, &u->st) < 0 ? ERR_SYS : ERR_OK;

	if (!err)
		err = file_read_fd(u, fd, FILE_MAX, &u->text, &u->len);
	/* Somebody who does not know the lock is cutting it short. */
	if (!err && u->len != (size_t)u->st.st_size) {
		errno = EBUSY;
		err = ERR_SYS;
	}
	if (err)
		err = failed("otp-file-unreadable", u->path);
	if (fd >= 0)
		close(fd);
	return err;
}

/* The new contents are on disk before they take the old file's place, and the place after. */
static enum err replace(const struct users *u, const char *text, size_t len)
{
	char name[PATH_MAX + 8];
	bool ok;
	int fd;

	snprintf(name, sizeof name, "%s.new", u->path);
	(void)unlink(name);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return failed("otp-file-unwritable", name);
	/* Without the right to give files away, the file becomes ours. */
	if (fchown(fd, u->st.st_uid, u->st.st_gid) < 0)
		log_debug(NULL, "otp-file-owner", kv_str("file", u->path));
	ok = fchmod(fd, u->st.st_mode & 0777) == 0 && !file_write(fd, text, len) && fsync(fd) == 0;
	if (close(fd) < 0 || !ok || rename(name, u->path) < 0) {
		enum err err = failed("otp-file-unwritable", name);

		(void)unlink(name);
		return err;
	}
	file_sync_folder(u->path);
	return ERR_OK;
}

static int users_close(struct users *u)
{
	close(u->lock);
	return 0;
}

static enum err users_open(TALLOC_CTX *ctx, const char *path, struct users **out)
{
	struct users *u = talloc_zero(ctx, struct users);

	if (!u)
		return ERR_NOMEM;
	if (!realpath(path, u->path))
		return failed("otp-file-unreadable", path);
	u->lock = take_lock(u->path);
	if (u->lock < 0)
		return failed("otp-file-not-locked", u->path);
	talloc_set_destructor(u, users_close);
	*out = u;
	return read_text(u);
}

/* ---- codes ---------------------------------------------------------------- */

static enum otp_verdict check_hotp(const struct otp_token *t, const char *code, uint64_t *counter)
{
	uint64_t first = t->counter + (*t->last ? 1 : 0);
	int ahead = oath_hotp_validate((const char *)t->secret, t->secret_len, first, WINDOW, code);

	if (ahead < 0)
		return strcmp(code, t->last) == 0 ? OTP_REPLAYED : OTP_WRONG;
	*counter = first + (uint64_t)ahead;
	return OTP_RIGHT;
}

static enum otp_verdict check_totp(const struct otp_token *t, const char *code, int64_t now,
				   uint64_t *counter)
{
	int at = 0;
	int ret = oath_totp_validate2((const char *)t->secret, t->secret_len, (time_t)now, t->step,
				      OATH_TOTP_DEFAULT_START_TIME, WINDOW, &at, code);
	int64_t step = now / t->step + at;

	if (ret < 0 || step < 0)
		return OTP_WRONG;
	/* The toolkit writes no time steps: there the code itself tells. */
	if (*t->last && ((uint64_t)step <= t->counter || strcmp(code, t->last) == 0))
		return OTP_REPLAYED;
	*counter = (uint64_t)step;
	return OTP_RIGHT;
}

static enum otp_verdict check(const struct otp_token *t, const char *code, int64_t now,
			      uint64_t *counter)
{
	size_t digits = strlen(code);

	/* The toolkit takes the number of digits from the code: a token's own is what counts. */
	if (digits < 6 || digits > 8 || (t->digits && t->digits != digits) ||
	    strspn(code, "0123456789") != digits)
		return OTP_WRONG;
	return t->step ? check_totp(t, code, now, counter) : check_hotp(t, code, counter);
}

/* A user's first token that fits, in T; a user without any costs as much as one. */
static enum otp_verdict find(const struct users *u, const char *user, const char *code, int64_t now,
			     struct otp_token *t, uint64_t *counter)
{
	static const struct otp_token nobody = { .step = 30, .secret_len = 20 };
	enum otp_verdict verdict = OTP_NO_TOKEN;
	size_t pos = 0;

	while (verdict != OTP_RIGHT && otp_token_next(u->text, u->len, user, &pos, t)) {
		enum otp_verdict v = check(t, code, now, counter);

		if (verdict != OTP_REPLAYED || v == OTP_RIGHT)
			verdict = v;
	}
	if (verdict == OTP_NO_TOKEN)
		(void)check(&nobody, code, now, counter);
	return verdict;
}

enum err otp_check(const char *path, const char *user, const char *code, int64_t now, bool may_use,
		   enum otp_verdict *out)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct otp_use use = { .code = code, .now = now };
	struct otp_token t;
	struct users *u = NULL;
	size_t len = 0;
	char *text = NULL;
	enum err err = users_open(tmp, path, &u);

	if (!err)
		*out = find(u, user, code, now, &t, &use.counter);
	if (!err && may_use && *out == OTP_RIGHT) {
		err = otp_token_write(tmp, u->text, u->len, &t, &use, &text, &len);
		if (!err)
			err = replace(u, text, len);
	}
	secret_wipe(&t, sizeof t);
	talloc_free(tmp);
	return err;
}

enum err otp_has_token(const char *path, const char *user, bool *out)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct users *u = NULL;
	struct otp_token t;
	size_t pos = 0;
	enum err err = users_open(tmp, path, &u);

	if (!err)
		*out = otp_token_next(u->text, u->len, user, &pos, &t);
	secret_wipe(&t, sizeof t);
	talloc_free(tmp);
	return err;
}
