/* passwd.c - line by line through a password file. */
#include "ctl/passwd.h"

#include <string.h>

#include "base/buf.h"
#include "ctl/edit.h"

bool passwd_is_valid_field(const char *text)
{
	if (!*text)
		return false;
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p == ':' || *p < 0x20 || *p == 0x7f)
			return false;
	return true;
}

/* A line of the file without its line feed; fields end at colons. */
struct line {
	const char *text;
	size_t len;
	size_t hash; /* where the third field begins; 0: there is none */
};

static size_t after_colon(const struct line *l, size_t from)
{
	const char *colon = from < l->len ? memchr(l->text + from, ':', l->len - from) : NULL;

	return colon ? (size_t)(colon - l->text) + 1 : 0;
}

static bool is_user(const struct line *l, const char *user)
{
	size_t n = strlen(user);

	return l->len > n && memcmp(l->text, user, n) == 0 && l->text[n] == ':';
}

static void put_line(struct buf *b, const char *text, size_t len)
{
	buf_put(b, text, len);
	buf_putc(b, '\n');
}

static void put_user(struct buf *b, const struct passwd_edit *e)
{
	buf_printf(b, "%s:%s:%s\n", e->user, e->groups, e->hash);
}

/* A hash that begins with '!' matches no password. */
static void put_locked(struct buf *b, const struct line *l, bool locked)
{
	const char *hash = l->text + l->hash;
	size_t len = l->len - l->hash;

	if (l->hash == 0) { /* no hash to lock: it cannot log in either way */
		put_line(b, l->text, l->len);
		return;
	}
	buf_put(b, l->text, l->hash);
	if (len > 0 && hash[0] == '!') {
		hash++;
		len--;
	}
	if (locked)
		buf_putc(b, '!');
	put_line(b, hash, len);
}

/* Writes what becomes of USER's line; DONE says whether it had one before. */
static void edit_line(struct buf *b, const struct line *l, const struct passwd_edit *e, bool done)
{
	switch (e->action) {
	case PASSWD_SET:
		if (!done)
			put_user(b, e);
		break;
	case PASSWD_DELETE:
		break;
	case PASSWD_LOCK:
	case PASSWD_UNLOCK:
		put_locked(b, l, e->action == PASSWD_LOCK);
		break;
	}
}

static enum err check(const struct passwd_edit *e)
{
	if (!passwd_is_valid_field(e->user))
		return ERR_SYNTAX;
	if (e->action != PASSWD_SET)
		return ERR_OK;
	if (!passwd_is_valid_field(e->groups) || !passwd_is_valid_field(e->hash))
		return ERR_SYNTAX;
	if (strlen(e->user) + strlen(e->groups) + strlen(e->hash) + 2 > PASSWD_LINE)
		return ERR_TOO_LONG;
	return ERR_OK;
}

enum err passwd_apply(TALLOC_CTX *ctx, const char *text, size_t len, const struct passwd_edit *e,
		      char **out, size_t *out_len)
{
	enum err err = check(e);
	const char *p = text, *end = text ? text + len : NULL;
	bool done = false;
	struct buf b;

	if (err)
		return err;
	if (text && memchr(text, 0, len))
		return ERR_SYNTAX;
	buf_init(&b, ctx, EDIT_FILE_MAX);
	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		struct line l = { p, (size_t)((lf ? lf : end) - p), 0 };
		size_t groups = after_colon(&l, 0);

		l.hash = groups ? after_colon(&l, groups) : 0;
		if (groups && is_user(&l, e->user)) {
			edit_line(&b, &l, e, done);
			done = true;
		} else if (groups) {
			put_line(&b, l.text, l.len);
		}
		p += l.len + 1;
	}
	if (e->action == PASSWD_SET && !done)
		put_user(&b, e);
	if (b.failed)
		return ERR_TOO_LONG;
	*out = b.data ? b.data : talloc_strdup(ctx, "");
	*out_len = b.len;
	return *out ? ERR_OK : ERR_NOMEM;
}
