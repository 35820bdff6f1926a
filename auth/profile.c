/* profile.c - reads XML profiles. */
#include "auth/profile.h"

#include <errno.h>
#include <string.h>

#include "auth/material.h"
#include "base/log.h"

/* config.md 8.13: what a confined worker would have opened lies below its root. */
static enum err read_file(TALLOC_CTX *ctx, const char *chroot_dir, const char *path,
			  gnutls_datum_t *out)
{
	enum err err = material_read(ctx, path, PROFILE_MAX, out);
	int why = errno;
	char *inside;

	if (err != ERR_SYS || !chroot_dir)
		return err;
	inside = talloc_asprintf(NULL, "%s/%s", chroot_dir, path);
	if (!inside)
		return ERR_NOMEM;
	err = material_read(ctx, inside, PROFILE_MAX, out);
	talloc_free(inside);
	if (err == ERR_SYS)
		errno = why;
	return err;
}

/* A host that was loaded before with the same file; most inherit it. */
static const struct host *same_file(const struct hosts *h, const char *path)
{
	for (size_t i = 0; i < h->n; i++) {
		const char *other = h->item[i].conf->user_profile;

		if (other && strcmp(other, path) == 0)
			return &h->item[i];
	}
	return NULL;
}

enum err profile_load(struct hosts *h, const struct host_conf *conf, struct keys_report *report,
		      struct trust_span *out)
{
	const char *path = conf->user_profile;
	const struct host *same = path ? same_file(h, path) : NULL;
	gnutls_datum_t file;
	enum err err;

	if (same)
		*out = same->profile;
	if (!path || same)
		return ERR_OK;
	err = read_file(h, h->conf->chroot_dir, path, &file);
	if (err == ERR_SYS)
		report_unreadable(report, path, err);
	else if (err == ERR_TOO_LONG)
		report_fault(report, "user-profile: '%s' is too long, at most %d bytes are sent",
			     path, PROFILE_MAX);
	if (err)
		return err == ERR_NOMEM ? err : ERR_CONF;
	err = trust_put(h->trust, file.data, file.size, out);
	talloc_free(file.data);
	return err;
}

/* The value that the files of the user's group and the user amount to, a child of CTX; NULL: they
 * name none.  Files that are in error refuse the tunnel, and say so then. */
static const char *own_path(TALLOC_CTX *ctx, const struct host *host, const struct session *s)
{
	const char *path = NULL;
	struct conf_report *report = conf_report_new(ctx);
	struct conf_rows rows = { .n = 0 };

	if (!report || conf_user_rows(ctx, host->conf, s->user, s->group, report, NULL, &rows))
		return NULL;
	for (size_t i = 0; i < rows.n; i++)
		if (strcmp(rows.item[i].option, "user-profile") == 0)
			path = rows.item[i].value;
	return path;
}

void profile_of(TALLOC_CTX *ctx, const struct host *host, const struct session *s, Profile *out)
{
	const struct log_ctx log = { .user = s->user, .vhost = s->vhost, .ip = &s->remote };
	const char *path = own_path(ctx, host, s);
	gnutls_datum_t file;
	enum err err;

	*out = (Profile)PROFILE__INIT;
	out->own = path != NULL;
	if (!path || !*path)
		return;
	err = read_file(ctx, host->chroot_dir, path, &file);
	if (err) {
		log_warn(&log, "profile-not-read", kv_str("file", path),
			 kv_str("reason", err_reason(err)));
		return;
	}
	out->data = (ProtobufCBinaryData){ .len = file.size, .data = file.data };
}
