/* unix_groups.c - asks the name service for groups (config.md 11). */
#include "auth/backend/unix_groups.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth/backend/backend.h"
#include "base/log.h"

enum { GID_TEXT = 16 };

/* A primary group without a name keeps its place by its number, or the next group would become the
 * user's default. */
static enum err add_primary(TALLOC_CTX *ctx, gid_t gid, struct strv *out)
{
	const struct group *g = getgrgid(gid);
	char number[GID_TEXT];

	if (g)
		return strv_add(ctx, out, g->gr_name);
	snprintf(number, sizeof number, "%u", (unsigned)gid);
	return strv_add(ctx, out, number);
}

/* Groups without a name cannot be chosen by anybody; longer names than a session may carry could
 * not be used either. */
static enum err add_group(TALLOC_CTX *ctx, const struct group *g, struct strv *out)
{
	if (!g || strlen(g->gr_name) > BACKEND_GROUP_MAX || strv_has(out, g->gr_name) ||
	    out->n >= BACKEND_GROUPS_MAX)
		return ERR_OK;
	return strv_add(ctx, out, g->gr_name);
}

/* The numbers of all groups of USER, a child of CTX; the C library says how many there are when
 * the room does not suffice. */
static enum err list_numbers(TALLOC_CTX *ctx, const char *user, gid_t primary, gid_t **out, int *n)
{
	int room = BACKEND_GROUPS_MAX, got = 0;
	gid_t *list = NULL;

	do {
		room = got > room ? got : room;
		got = room;
		list = talloc_realloc(ctx, list, gid_t, (unsigned)room);
		if (!list)
			return ERR_NOMEM;
	} while (getgrouplist(user, primary, list, &got) < 0 && got > room);
	*out = list;
	*n = got;
	return ERR_OK;
}

enum err unix_groups_of(TALLOC_CTX *ctx, const char *user, struct strv *out)
{
	const struct passwd *pw;
	struct strv found = { .n = 0 };
	gid_t primary, *list = NULL;
	enum err err;
	int n = 0;

	errno = 0;
	pw = getpwnam(user);
	if (!pw)
		return errno == 0 || errno == ENOENT || errno == ESRCH ? ERR_NOT_FOUND : ERR_SYS;
	primary = pw->pw_gid;
	err = add_primary(ctx, primary, &found);
	if (!err)
		err = list_numbers(ctx, user, primary, &list, &n);
	for (int i = 0; !err && i < n; i++)
		if (list[i] != primary)
			err = add_group(ctx, getgrgid(list[i]), &found);
	talloc_free(list);
	if (!err)
		*out = found;
	return err;
}

enum err unix_groups_all(TALLOC_CTX *ctx, uint32_t min, struct strv *out)
{
	struct strv found = { .n = 0 };
	enum err err = ERR_OK;

	setgrent();
	for (const struct group *g = getgrent(); g && !err; g = getgrent())
		if (g->gr_gid >= min)
			err = add_group(ctx, g, &found);
	endgrent();
	if (found.n == BACKEND_GROUPS_MAX)
		log_warn(NULL, "groups-cut", kv_u64("max", BACKEND_GROUPS_MAX),
			 kv_text("more unix groups than can be offered; raise gid-min"));
	if (!err)
		*out = found;
	return err;
}
