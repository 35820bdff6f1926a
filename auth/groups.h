/* groups.h - which groups a login form offers and what a selection means (config.md 11).
 * Pure; used by auth/logins.c. */
#ifndef AUTH_GROUPS_H
#define AUTH_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct group_entry {
	const char *name, *label;
};

struct group_list {
	const struct group_entry *item; /* in display order */
	size_t n;
	const char *none; /* default-select-group: the entry that means "no group"; NULL: none */
};

/* What the client selected so far. */
enum group_choice {
	GROUP_UNSELECTED,
	GROUP_NONE,  /* the default entry: explicitly no group */
	GROUP_NAMED, /* a name, in the list or not */
};

/* The name of the entry whose name, else whose label is TEXT; NULL: none. */
const char *group_find(const struct group_list *list, const char *text);

/* What selecting TEXT means; *NAME is set for GROUP_NAMED (to TEXT itself when it is not listed).
 */
enum group_choice group_select(const struct group_list *list, const char *text, const char **name);

enum group_verdict {
	GROUP_OK,
	GROUP_ASK,    /* the client must select one */
	GROUP_REFUSE, /* not a member */
};

/* The group of a login whose backend says that the user is in MEMBER: the one selected, else the
 * first.  *OUT is set with GROUP_OK ("" for none) and borrowed from the arguments. */
enum group_verdict group_of_member(enum group_choice choice, const char *name,
				   const struct strv *member, const char **out);

/* The group of a login by certificate alone, whose groups are CERT: the one selected, else the only
 * eligible one (listed, or any when nothing is listed). */
enum group_verdict group_of_certificate(const struct group_list *list, enum group_choice choice,
					const char *name, const struct strv *cert,
					const char **out);

#endif /* AUTH_GROUPS_H */
