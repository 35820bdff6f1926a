/* ldap_groups.c - from a user's entry to the names of groups.
 *
 *	group-attr:   the entry names its groups (memberOf); so does the entry of each group
 *	group-base:   the groups below it are searched for those that name the entry (member)
 *
 * Groups of groups are found level by level.  Directories may hold circles and very deep or wide
 * trees, so every DN is visited once, and depth and number are bounded. */
#include "auth/backend/ldap_groups.h"

#include <string.h>
#include <strings.h>

#include "auth/backend/ldap_text.h"
#include "base/log.h"

enum { DEPTH_MAX = 16 };

/* [MS-ADTS] 3.1.1.3.4.4.3: LDAP_MATCHING_RULE_TRANSITIVE_EVAL. */
static const char chain_filter[] = "(member:1.2.840.113556.1.4.1941:=%d)";

struct walk {
	TALLOC_CTX *ctx;
	struct dir *dir;
	const struct ldap_line *line;
	const char *user;
	struct strv seen; /* DNs of groups, in the order they were found */
	struct strv *out; /* names */
	bool cut;
};

/* strv_has, but DNs and group names do not differ by case. */
static bool has_nocase(const struct strv *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcasecmp(list->item[i], text) == 0)
			return true;
	return false;
}

static enum err add_name(struct walk *w, const char *name)
{
	size_t len = strlen(name);

	if (!len || len > BACKEND_GROUP_MAX || has_nocase(w->out, name))
		return ERR_OK;
	if (w->out->n == BACKEND_GROUPS_MAX) {
		w->cut = true;
		return ERR_OK;
	}
	return strv_add(w->ctx, w->out, name);
}

/* A group by its DN, or, as some attributes have it, by its bare name. */
static enum err add_group(struct walk *w, const char *text)
{
	char *name = NULL;
	enum err err = ldap_rdn_value(w->ctx, text, &name);

	if (err == ERR_SYNTAX)
		return add_name(w, text);
	if (has_nocase(&w->seen, text))
		return ERR_OK;
	if (w->seen.n == BACKEND_GROUPS_MAX) {
		w->cut = true;
		return ERR_OK;
	}
	if (!err)
		err = add_name(w, name);
	else if (err == ERR_UNSUPPORTED)
		err = ERR_OK; /* no name for us, but perhaps a member of groups that have one */
	return err ? err : strv_add(w->ctx, &w->seen, text);
}

static enum err add_values(struct walk *w, const struct dir_entry *e)
{
	const struct strv *values = dir_values(e, w->line->group_attr);
	enum err err = ERR_OK;

	for (size_t i = 0; !err && i < values->n; i++)
		err = add_group(w, values->item[i]);
	return err;
}

/* Adds the groups that BASE and TEMPLATE find for the member DN (NULL: any). */
static enum err search_groups(struct walk *w, const char *base, const char *template,
			      const char *user, const char *dn)
{
	static const char *const no_attrs[] = { "1.1", NULL };
	const struct ldap_names names = { user, dn };
	struct dir_query q = { base, LDAP_SCOPE_TREE, NULL, no_attrs, BACKEND_GROUPS_MAX };
	struct dir_entries found = { .n = 0 };
	char *filter;
	enum err err = ldap_expand(w->ctx, template, LDAP_FOR_FILTER, &names, &filter);

	if (err)
		return err;
	q.filter = filter;
	err = dir_search(w->ctx, w->dir, &q, &found);
	if (err == ERR_NOT_FOUND)
		log_warn(NULL, "ldap-no-base", kv_str("base", base),
			 kv_text("there are no groups where they are searched for"));
	else if (err == ERR_EXHAUSTED)
		w->cut = true;
	else if (err)
		return err;
	err = ERR_OK;
	for (size_t i = 0; !err && i < found.n; i++)
		err = add_group(w, found.item[i].dn);
	return err;
}

/* The groups that the group DN is a member of. */
static enum err add_parents(struct walk *w, const char *dn)
{
	const char *const attrs[] = { w->line->group_attr, NULL };
	const struct dir_query q = { dn, LDAP_SCOPE_ENTRY, "(objectClass=*)", attrs, 1 };
	struct dir_entries found = { .n = 0 };
	enum err err = ERR_OK;

	if (w->line->group_attr) {
		err = dir_search(w->ctx, w->dir, &q, &found);
		if (err == ERR_NOT_FOUND)
			err = ERR_OK;
		if (!err && found.n)
			err = add_values(w, &found.item[0]);
	}
	if (!err && w->line->group_base)
		err = search_groups(w, w->line->group_base, w->line->group_filter, w->user, dn);
	return err;
}

/* Level by level; seen grows while its older part is read. */
static enum err add_levels(struct walk *w)
{
	size_t done = 0;
	enum err err = ERR_OK;

	for (unsigned depth = 0; !err && done < w->seen.n; depth++) {
		size_t level = w->seen.n;

		if (depth == DEPTH_MAX) {
			w->cut = true;
			return ERR_OK;
		}
		for (; !err && done < level; done++)
			err = add_parents(w, w->seen.item[done]);
	}
	return err;
}

static enum err add_nested(struct walk *w, const struct dir_entry *entry)
{
	const struct ldap_line *l = w->line;
	const char *base = l->group_base ? l->group_base : l->base;

	if (l->nested == LDAP_NESTED_NO)
		return ERR_OK;
	if (base && (l->nested == LDAP_NESTED_CHAIN || dir_is_active_directory(w->dir)))
		return search_groups(w, base, chain_filter, w->user, entry->dn);
	return add_levels(w);
}

static void log_cut(const struct walk *w)
{
	if (w->cut)
		log_warn(NULL, "ldap-groups-cut", kv_str("user", w->user),
			 kv_u64("groups", w->out->n),
			 kv_text("the user has more groups, or deeper nested ones, than are read"));
}

enum err ldap_groups_of(TALLOC_CTX *ctx, struct dir *d, const struct ldap_line *line,
			const char *user, const struct dir_entry *entry, struct strv *out)
{
	struct walk w = { .ctx = ctx, .dir = d, .line = line, .user = user, .out = out };
	enum err err = ERR_OK;

	if (line->group_attr)
		err = add_values(&w, entry);
	if (!err && line->group_base)
		err = search_groups(&w, line->group_base, line->group_filter, user, entry->dn);
	if (!err)
		err = add_nested(&w, entry);
	log_cut(&w);
	return err;
}

bool ldap_groups_ask(const struct ldap_line *line)
{
	return line->group_base || line->nested != LDAP_NESTED_NO;
}

enum err ldap_groups_all(TALLOC_CTX *ctx, struct dir *d, const struct ldap_line *line,
			 struct strv *out)
{
	struct walk w = { .ctx = ctx, .dir = d, .line = line, .user = "", .out = out };
	enum err err;

	if (!line->group_base)
		return ERR_OK;
	err = search_groups(&w, line->group_base, line->group_filter, NULL, NULL);
	log_cut(&w);
	return err;
}
